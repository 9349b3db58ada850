"""Pools over one, two or three axes: maximum and average, sliding or adaptive."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rnnshape_guard.layers.arguments import Bound, Flag, Parameter, Reading, Size, Spec, settled
from rnnshape_guard.layers.kinds import INPUT, LayerKind
from rnnshape_guard.layers.ledger import Ledger
from rnnshape_guard.layers.memory import fresh
from rnnshape_guard.layers.windows import Window, axis_names, slid
from rnnshape_guard.shapes.axes import Axis, Rest, Shape
from rnnshape_guard.shapes.dims import ONE, ZERO, Dim
from rnnshape_guard.shapes.outcomes import UNKNOWN, Outcome, Result


@dataclass(frozen=True, kw_only=True)
class PoolSpec(Spec):
    """A sliding pool as constructed; its tuples have one size for each of the axes that it slides over."""

    kernel_size: tuple[Size, ...]
    stride: tuple[Size, ...]
    padding: tuple[Size, ...]
    dilation: tuple[Size, ...]
    ceil_mode: Flag = False
    return_indices: Flag = False


@dataclass(frozen=True, kw_only=True)
class AdaptivePoolSpec(Spec):
    """An adaptive pool as constructed; an output size of None keeps the input's."""

    output_size: tuple[Size | None, ...]
    return_indices: Flag = False


def _dimensions(kind: str) -> int:
    return int(kind[-2])


# -- construction ----------------------------------------------------------------------------------------------------


def _read(kind: str, reading: Reading) -> PoolSpec:
    count = _dimensions(kind)
    bound = reading.bound
    is_max = kind.startswith("Max")
    kernel = reading.sizes("kernel_size", count, 1)
    padding = reading.sizes("padding", count, sizes=False)
    for size, pad in zip(kernel, padding, strict=True):
        if isinstance(size, Dim) and isinstance(pad, Dim) and (wide := size.value) and (2 * (pad.value or 0)) > wide:
            reading.refuse("padding", "must be at most half of the kernel", expected=size, found=pad)
            break
    return PoolSpec(
        kind=kind,
        given=bound.given,
        positional=bound.positional,
        kernel_size=kernel,
        stride=kernel if bound["stride"] in (None, ()) else reading.sizes("stride", count, 1),
        padding=padding,
        dilation=reading.sizes("dilation", count, 1) if is_max else (ONE,) * count,
        ceil_mode=reading.flag("ceil_mode"),
        return_indices=reading.flag("return_indices") if is_max else False,
    )


def _read_adaptive(kind: str, reading: Reading) -> AdaptivePoolSpec:
    count = _dimensions(kind)
    bound = reading.bound
    operand = bound["output_size"]
    sizes: tuple[Size | None, ...]
    match operand:
        case tuple() if len(operand) == count and count > 1:
            sizes = tuple(None if size is None else reading.as_size("output_size", size) for size in operand)
        case _:
            sizes = reading.sizes("output_size", count)
    return AdaptivePoolSpec(
        kind=kind,
        given=bound.given,
        positional=bound.positional,
        output_size=sizes,
        return_indices=reading.flag("return_indices") if "Max" in kind else False,
    )


# -- the call --------------------------------------------------------------------------------------------------------


def _apply(spec: PoolSpec, bound: Bound) -> Outcome:
    """``(batch, channels, length)`` to ``(batch, channels, length')``; the batch may be left out."""
    ledger = Ledger(bound)
    count = _dimensions(spec.kind)
    shape = ledger.tensor("input", bound["input"])
    axes = _axes(shape, count, ledger)
    if shape is None or axes is None:
        return ledger.outcome(_pair(_lost(count, shape), spec.return_indices))
    place = len(axes) - count
    swept = tuple(
        slid(
            Window(
                spec.kernel_size[index],
                spec.stride[index],
                spec.padding[index],
                spec.dilation[index],
                settled(spec.ceil_mode),
            ),
            axis,
            place + index,
            ledger,
        )
        for index, axis in enumerate(axes[place:])
    )
    return ledger.outcome(_pair(fresh(shape, (*axes[:place], *swept)), spec.return_indices))


def _apply_adaptive(spec: AdaptivePoolSpec, bound: Bound) -> Outcome:
    """``(batch, channels, length)`` to ``(batch, channels, output_size)``; the batch may be left out."""
    ledger = Ledger(bound)
    count = _dimensions(spec.kind)
    shape = ledger.tensor("input", bound["input"])
    if shape is not None and shape.axes is not None and shape.least_rank > count + 2 and _is_mean(spec):
        axes: tuple[Axis, ...] | None = shape.axes
    else:
        axes = _axes(shape, count, ledger)
    if shape is None or axes is None:
        return ledger.outcome(_pair(_lost(count, shape), spec.return_indices))
    place = len(axes) - count
    swept = tuple(_resized(size, axis) for size, axis in zip(spec.output_size, axes[place:], strict=True))
    return ledger.outcome(_pair(fresh(shape, (*axes[:place], *swept)), spec.return_indices))


def _is_mean(spec: AdaptivePoolSpec) -> bool:
    """An average down to one value is taken as a mean, which does not count the axes before it."""
    sizes = spec.output_size
    return "Avg" in spec.kind and len(sizes) > 1 and all(isinstance(size, Dim) and size.value == 1 for size in sizes)


def _axes(shape: Shape | None, count: int, ledger: Ledger) -> tuple[Axis, ...] | None:
    if shape is None:
        return None
    names = ("batch", "channels", *axis_names(count))
    return ledger.axes("input", shape, count + 2, names, (count + 1, count + 2))


def _lost(count: int, shape: Shape | None) -> Shape:
    """The result for an input of another rank, or of none that is known."""
    names = ("channels", *axis_names(count))
    first = Rest() if shape is None else Axis.new("batch")
    return Shape((first, *(Axis.new(name) for name in names)), None, "float")


def _resized(size: Size | None, axis: Axis) -> Axis:
    if size is None:
        return axis
    name = axis.atom.name if axis.atom else "length"
    return Axis.new(name, size if isinstance(size, Dim) else None, source=axis.atom)


def _pair(pooled: Shape, return_indices: Flag) -> Result:
    """A pool that is asked for the indices gives them beside the maxima."""
    match settled(return_indices):
        case False:
            return pooled
        case True:
            return pooled, replace(pooled, dtype="int")
        case _:
            return UNKNOWN


# -- the kinds -------------------------------------------------------------------------------------------------------

_SLIDING = (Parameter("kernel_size"), Parameter("stride", None), Parameter("padding", ZERO))
_CEIL = Parameter("ceil_mode", False)
_INDICES = Parameter("return_indices", False)
_COUNT_PADDING = Parameter("count_include_pad", True)
_DIVISOR = Parameter("divisor_override", None)
_OUTPUT = Parameter("output_size")


def _kinds(count: int) -> tuple[LayerKind[PoolSpec] | LayerKind[AdaptivePoolSpec], ...]:
    divisor = () if count == 1 else (_DIVISOR,)
    return (
        LayerKind(f"MaxPool{count}d", (*_SLIDING, Parameter("dilation", ONE), _INDICES, _CEIL), INPUT, _read, _apply),
        LayerKind(f"AvgPool{count}d", (*_SLIDING, _CEIL, _COUNT_PADDING, *divisor), INPUT, _read, _apply),
        LayerKind(f"AdaptiveAvgPool{count}d", (_OUTPUT,), INPUT, _read_adaptive, _apply_adaptive),
        LayerKind(f"AdaptiveMaxPool{count}d", (_OUTPUT, _INDICES), INPUT, _read_adaptive, _apply_adaptive),
    )


KINDS: tuple[LayerKind[PoolSpec] | LayerKind[AdaptivePoolSpec], ...] = (*_kinds(1), *_kinds(2), *_kinds(3))
