"""Convolutions of one, two or three axes, and their transposes.

The sizes are those of torch's documentation of Conv1d and ConvTranspose1d; what is refused is what
torch/nn/modules/conv.py and aten's Convolution.cpp refuse.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from rnnshape_guard.layers.arguments import Bound, Parameter, Reading, Size, Spec
from rnnshape_guard.layers.kinds import DEVICE_AND_DTYPE, INPUT, LayerKind
from rnnshape_guard.layers.ledger import Ledger
from rnnshape_guard.layers.memory import fresh
from rnnshape_guard.layers.windows import Window, axis_names, slid
from rnnshape_guard.shapes.axes import Atom, Axis, Rest, Role, Shape, Strength
from rnnshape_guard.shapes.dims import ONE, ZERO, Dim
from rnnshape_guard.shapes.outcomes import UNKNOWN, Fault, Misfit, Operand, Outcome

Sizes = tuple[Size, ...]


@dataclass(frozen=True, kw_only=True)
class ConvSpec(Spec):
    """A convolution as constructed; its tuples have one size for each of the axes that it slides over."""

    in_channels: Size
    out_channels: Size
    kernel_size: Sizes
    stride: Sizes
    padding: Sizes | str
    dilation: Sizes
    groups: Size = ONE
    output_padding: Sizes = ()
    padding_mode: Operand = "zeros"

    @property
    def is_transposed(self) -> bool:
        """Whether it spreads its input instead of gathering it."""
        return "Transpose" in self.kind

    @cached_property
    def channels(self) -> Atom:
        """The axis it makes."""
        return Atom("channels", self.out_channels if isinstance(self.out_channels, Dim) else None, kind=Role.CHANNEL)


def _dimensions(kind: str) -> int:
    return int(kind[-2])


# -- construction ----------------------------------------------------------------------------------------------------


def _read(kind: str, reading: Reading) -> ConvSpec:
    count = _dimensions(kind)
    bound = reading.bound
    is_lazy, is_transposed = kind.startswith("Lazy"), "Transpose" in kind
    in_channels = UNKNOWN if is_lazy else reading.size("in_channels")
    out_channels = reading.size("out_channels", 1)
    groups = reading.size("groups", 1)
    stride = reading.sizes("stride", count, 1)
    _check_groups(reading, in_channels, out_channels, groups)
    padding = _read_padding(reading, count, stride, is_transposed)
    mode = bound["padding_mode"]
    modes = ("zeros",) if is_transposed else ("zeros", "reflect", "replicate", "circular")
    if mode not in (*modes, UNKNOWN):
        reading.refuse("padding_mode", "must be " + " or ".join(modes))
    return ConvSpec(
        kind=kind,
        given=bound.given,
        positional=bound.positional,
        in_channels=in_channels,
        out_channels=out_channels,
        kernel_size=reading.sizes("kernel_size", count, 1),
        stride=stride,
        padding=padding,
        dilation=reading.sizes("dilation", count, 1),
        groups=groups,
        output_padding=reading.sizes("output_padding", count, sizes=False) if is_transposed else (),
        padding_mode=mode,
    )


def _check_groups(reading: Reading, in_channels: Size, out_channels: Size, groups: Size) -> None:
    count = groups.value if isinstance(groups, Dim) else None
    if not count or count < 1:
        return
    for name, size in (("in_channels", in_channels), ("out_channels", out_channels)):
        value = size.value if isinstance(size, Dim) else None
        if value is not None and value % count:
            reading.refuse(name, "must be divisible by groups", expected=groups, found=size)


def _read_padding(reading: Reading, count: int, stride: Sizes, is_transposed: bool) -> Sizes | str:
    match reading.bound["padding"]:
        case "same" | "valid" as word if not is_transposed:
            if word == "same" and any(isinstance(step, Dim) and step.value not in (None, 1) for step in stride):
                reading.refuse("padding", "'same' needs a stride of 1")
            return str(word)
        case str():
            reading.refuse("padding", "must be 'same', 'valid' or a size")
            return (UNKNOWN,) * count
        case _:
            return reading.sizes("padding", count, sizes=False)


# -- the call --------------------------------------------------------------------------------------------------------


def _apply(spec: ConvSpec, bound: Bound) -> Outcome:
    """``(batch, in_channels, length)`` to ``(batch, out_channels, length')``; the batch may be left out."""
    ledger = Ledger(bound)
    count = _dimensions(spec.kind)
    made = Axis((spec.channels,))
    shape = ledger.tensor("input", bound["input"], dtype="float")
    if shape is None:
        return ledger.outcome(Shape((Rest(), made, *(Axis.new(name) for name in axis_names(count))), None, "float"))
    axes = ledger.axes("input", shape, count + 2, ("batch", "channels", *axis_names(count)), (count + 1, count + 2))
    if axes is None:
        names = ("batch", *axis_names(count))
        batch, *lengths = (Axis.new(name) for name in names)
        return ledger.outcome(Shape((batch, made, *lengths), True, "float"))
    place = len(axes) - count - 1
    channels = axes[place]
    ledger.learn(channels, Role.CHANNEL, Strength.STRUCTURAL, f"nn.{spec.kind} reads axis {place} as channels")
    ledger.size("input", place, spec.in_channels, channels.size)
    output_sizes = bound["output_size"] if spec.is_transposed else None
    swept = tuple(
        _swept(spec, index, axis, place + 1 + index, _asked(output_sizes, index, count), ledger)
        for index, axis in enumerate(axes[place + 1 :])
    )
    return ledger.outcome(fresh(shape, (*axes[:place], made, *swept)))


def _swept(spec: ConvSpec, index: int, axis: Axis, place: int, asked: Operand, ledger: Ledger) -> Axis:
    if spec.is_transposed:
        return _spread(spec, index, axis, place, asked, ledger)
    if spec.padding == "same":
        return axis
    padding = ZERO if isinstance(spec.padding, str) else spec.padding[index]
    _check_wrap(spec.padding_mode, padding, axis, place, ledger)
    window = Window(spec.kernel_size[index], spec.stride[index], padding, spec.dilation[index])
    return slid(window, axis, place, ledger)


def _check_wrap(mode: Operand, padding: Size, axis: Axis, place: int, ledger: Ledger) -> None:
    """Padding that repeats the input cannot be longer than it: less by one where it is mirrored."""
    size, length = (padding.value if isinstance(padding, Dim) else None), axis.size.value
    if size is None or length is None:
        return
    if (mode == "reflect" and size >= length) or (mode == "circular" and size > length):
        ledger.note(Fault.VALUE, "input", f"is shorter than its {mode} padding", axis=place)


# -- transposed ------------------------------------------------------------------------------------------------------


def _asked(output_sizes: Operand, index: int, count: int) -> Operand:
    """What `output_size` asks of one axis; None for nothing."""
    match output_sizes:
        case None:
            return None
        case tuple() if len(output_sizes) >= count:
            return output_sizes[len(output_sizes) - count + index]
        case _:
            return UNKNOWN


def _spread(spec: ConvSpec, index: int, axis: Axis, place: int, asked: Operand, ledger: Ledger) -> Axis:
    """``(L - 1)·stride - 2·padding + dilation·(kernel - 1) + output_padding + 1``"""
    padding = UNKNOWN if isinstance(spec.padding, str) else spec.padding[index]
    kernel, stride, dilation = spec.kernel_size[index], spec.stride[index], spec.dilation[index]
    parts = (kernel, stride, padding, dilation)
    if not all(isinstance(part, Dim) for part in parts):
        return Axis.new(_name(axis), source=axis.atom)
    k, s, p, d = (part for part in parts if isinstance(part, Dim))
    least = (axis.size - 1) * s - 2 * p + d * (k - 1) + 1
    if asked is not None:
        return _as_asked(asked, least, s, axis, place, ledger)
    extra = spec.output_padding[index]
    if not isinstance(extra, Dim):
        return Axis.new(_name(axis), source=axis.atom)
    values = (extra.value, s.value, d.value)
    if all(value is not None for value in values) and (values[0] or 0) >= max(values[1] or 0, values[2] or 0):
        ledger.note(Fault.VALUE, "output_padding", "must be smaller than stride or dilation")
    size = least + extra
    value = size.value
    if value is not None and value < 1:
        ledger.misfits.append(
            Misfit(fault=Fault.VALUE, operand="input", axis=place, found=size, detail="leaves no output")
        )
        size = ONE
    return axis if size == axis.size else Axis.new(_name(axis), size, source=axis.atom)


def _as_asked(asked: Operand, least: Dim, stride: Dim, axis: Axis, place: int, ledger: Ledger) -> Axis:
    if not isinstance(asked, Dim):
        return Axis.new(_name(axis), source=axis.atom)
    wanted, low, step = asked.value, least.value, stride.value
    if wanted is not None and low is not None and step is not None and not low <= wanted < low + step:
        ledger.misfits.append(
            Misfit(
                fault=Fault.VALUE,
                operand="output_size",
                axis=place,
                expected=least,
                found=asked,
                detail="is out of reach",
            )
        )
    return Axis.new(_name(axis), asked, source=axis.atom)


def _name(axis: Axis) -> str:
    return axis.atom.name if axis.atom else "length"


# -- the kinds -------------------------------------------------------------------------------------------------------

_CHANNELS = (Parameter("in_channels"), Parameter("out_channels"))
_SLIDING = (
    Parameter("kernel_size"),
    Parameter("stride", ONE),
    Parameter("padding", ZERO),
    Parameter("dilation", ONE),
    Parameter("groups", ONE),
    Parameter("bias", True),
    Parameter("padding_mode", "zeros"),
    *DEVICE_AND_DTYPE,
)
_SPREADING = (
    Parameter("kernel_size"),
    Parameter("stride", ONE),
    Parameter("padding", ZERO),
    Parameter("output_padding", ZERO),
    Parameter("groups", ONE),
    Parameter("bias", True),
    Parameter("dilation", ONE),
    Parameter("padding_mode", "zeros"),
    *DEVICE_AND_DTYPE,
)
_ASKING = (*INPUT, Parameter("output_size", None))


def _kinds(count: int) -> tuple[LayerKind[ConvSpec], ...]:
    return (
        LayerKind(f"Conv{count}d", (*_CHANNELS, *_SLIDING), INPUT, _read, _apply),
        LayerKind(f"LazyConv{count}d", (_CHANNELS[1], *_SLIDING), INPUT, _read, _apply),
        LayerKind(f"ConvTranspose{count}d", (*_CHANNELS, *_SPREADING), _ASKING, _read, _apply),
        LayerKind(f"LazyConvTranspose{count}d", (_CHANNELS[1], *_SPREADING), _ASKING, _read, _apply),
    )


KINDS: tuple[LayerKind[ConvSpec], ...] = (*_kinds(1), *_kinds(2), *_kinds(3))
