"""sum, mean, max, argmax, norm and their kin: axes vanish, or stay as 1 with `keepdim`; and what sorts or accumulates along one."""

from __future__ import annotations

from collections.abc import Sequence

from rnnshape_guard.ops.elementwise import pointwise
from rnnshape_guard.ops.memory import like
from rnnshape_guard.ops.operands import flag_of, integer, integers, joined_name, shared_source, size_of
from rnnshape_guard.ops.places import Closes, open_at
from rnnshape_guard.shapes.axes import UNIT, Axis, Rest, Shape
from rnnshape_guard.shapes.dims import Dim, compare
from rnnshape_guard.shapes.outcomes import UNKNOWN, Fault, Misfit, Named, Operand, Outcome


def reduced(
    shape: Shape, dim: Operand, keepdim: Operand, dtype: str | None
) -> tuple[Shape, tuple[Misfit, ...], Closes]:
    """A shape without the named axes (None or no name: without any), what is wrong with the names, and what they close."""
    keeps = flag_of(keepdim)
    if dim is None or dim == ():
        return _all_reduced(shape, keeps, dtype), (), ()
    dims = integers(dim)
    if dims is None:
        return Shape.unknown(dtype=dtype), (), ()
    opened = open_at(shape, dims)
    if opened is None:
        return Shape.unknown(dtype=dtype), (), ()
    if isinstance(opened, Misfit):
        return Shape.unknown(dtype=dtype), (opened,), ()
    if not opened.parts:
        return Shape((), True, dtype), (), ()
    if len(set(opened.places)) < len(dims):
        return Shape.unknown(dtype=dtype), (Misfit(fault=Fault.REPEATED, operand="dim", axis=dims[-1]),), ()
    if keeps is None:
        return Shape.unknown(dtype=dtype), (), opened.closes
    row: list[Axis | Rest] = []
    for place, part in enumerate(opened.parts):
        if place not in opened.places:
            row.append(part)
        elif keeps:
            row.append(UNIT)
    contiguous = True if shape.contiguous is True and not opened.closes else None
    return Shape(tuple(row), contiguous, dtype), (), opened.closes


def _all_reduced(shape: Shape, keeps: bool | None, dtype: str | None) -> Shape:
    if keeps is False:
        return Shape((), True, dtype)
    rank = shape.rank
    if keeps is None or rank is None:
        return Shape.unknown(dtype=dtype)
    return Shape((UNIT,) * rank, True, dtype)


def total(input: Shape, dim: Operand, keepdim: Operand, **ignored: Operand) -> Outcome:
    """`torch.sum`, `mean`, `amax`, `norm`, …: one number for all elements along the named axes."""
    del ignored
    result, misfits, closes = reduced(input, dim, keepdim, input.dtype)
    return Outcome(result, misfits, closes=closes)


def spread(input: Shape, dim: Operand, unbiased: Operand, keepdim: Operand) -> Outcome:
    """`torch.std` and `torch.var`, whose second argument may be `dim` or `unbiased`."""
    del unbiased
    return total(input, None if isinstance(dim, bool) else dim, keepdim)


def truth(input: Shape, dim: Operand, keepdim: Operand) -> Outcome:
    """`torch.all` and `torch.any`."""
    result, misfits, closes = reduced(input, dim, keepdim, "bool")
    return Outcome(result, misfits, closes=closes)


def position(input: Shape, dim: Operand, keepdim: Operand) -> Outcome:
    """`torch.argmax` and `torch.argmin`: indices."""
    result, misfits, closes = reduced(input, dim, keepdim if dim is not None else False, "int")
    return Outcome(result, misfits, closes=closes)


def extreme(input: Shape, dim: Operand, keepdim: Operand) -> Outcome:
    """`torch.max` and `torch.min`: of all, of two tensors, or along an axis with `values` and `indices`."""
    if dim is None:
        return Outcome(Shape((), True, input.dtype))
    if isinstance(dim, Shape) and dim.rank != 0:
        return pointwise((input, dim), ("input", "other"))
    if not isinstance(dim, Dim | bool | tuple):
        return Outcome(UNKNOWN)
    return middle(input, dim, keepdim)


def middle(input: Shape, dim: Operand, keepdim: Operand) -> Outcome:
    """`torch.median`, `torch.mode`: along an axis with `values` and `indices`, or of all."""
    if dim is None:
        return Outcome(Shape((), True, input.dtype))
    result, misfits, closes = reduced(input, dim, keepdim, input.dtype)
    indices = Shape(result.stored, result.contiguous, "int")
    return Outcome(Named(("values", "indices"), (result, indices)), misfits, closes=closes)


def kthvalue(input: Shape, k: Operand, dim: Operand, keepdim: Operand) -> Outcome:
    """`torch.kthvalue`."""
    del k
    return middle(input, dim, keepdim)


def topk(input: Shape, k: Operand, dim: Operand, **ignored: Operand) -> Outcome:
    """`torch.topk`: the axis is cut to k."""
    del ignored
    at, count = integer(dim), size_of(k)
    opened = None if at is None else open_at(input, [at])
    if opened is None:
        return _pair(Shape.unknown(dtype=input.dtype))
    if isinstance(opened, Misfit):
        return _pair(Shape.unknown(dtype=input.dtype), (opened,))
    if not opened.parts:
        return _pair(input)
    (place,) = opened.places
    old = opened.axis(place)
    misfits: tuple[Misfit, ...] = ()
    held, wanted = old.size.value, None if count is None else count.value
    if held is not None and wanted is not None and wanted > held:
        misfits = (Misfit(fault=Fault.AXIS, operand="k", axis=place, expected=old.size, found=count),)
    source, kind = shared_source(old.atoms)
    new = old if count is not None and compare(count, old.size).equal else None
    if new is None:
        new = Axis.new(joined_name(old.atoms), count, kind=kind, source=source)
    row = (*opened.parts[:place], new, *opened.parts[place + 1 :])
    return _pair(Shape(row, None, input.dtype), misfits, opened.closes)


def _pair(values: Shape, misfits: tuple[Misfit, ...] = (), closes: Closes = ()) -> Outcome:
    indices = Shape(values.stored, values.contiguous, "int")
    return Outcome(Named(("values", "indices"), (values, indices)), misfits, closes=closes)


def ordered(input: Shape, dim: Operand, **ignored: Operand) -> Outcome:
    """`torch.sort`, `cummax`: the same axes in `values` and `indices`."""
    del ignored
    outcome = along(input, dim)
    assert isinstance(outcome.result, Shape)
    return _pair(Shape(outcome.result.stored, None, input.dtype), outcome.misfits, outcome.closes)


def argsort(input: Shape, dim: Operand, **ignored: Operand) -> Outcome:
    """`torch.argsort`: indices in the same axes."""
    del ignored
    outcome = along(input, dim)
    assert isinstance(outcome.result, Shape)
    return Outcome(Shape(outcome.result.stored, None, "int"), outcome.misfits, closes=outcome.closes)


def along(input: Shape, dim: Operand, **ignored: Operand) -> Outcome:
    """What works along an axis and keeps it (`softmax`, `cumsum`, `sort`): the axis must be there, and may be the only
    one."""
    del ignored
    dims: Sequence[int] | None = None if dim is None else integers(dim)
    opened = None if dims is None else open_at(input, dims, taking_two=False)
    if isinstance(opened, Misfit):
        return Outcome(like(input, input.dtype), (opened,))
    if opened is None or not opened.closes:
        return Outcome(like(input, input.dtype))
    return Outcome(Shape(opened.parts, None, input.dtype), closes=opened.closes)


def running(input: Operand, dim: Operand, rest: Operand) -> Outcome:
    """`numpy.cumsum`, which counts through all of an array where no axis is named."""
    del rest
    if not isinstance(input, Shape):
        return Outcome(UNKNOWN)
    return along(input, dim) if dim is not None or input.rank == 1 else Outcome(Shape.unknown())


def unique(input: Shape, sorted: Operand, return_inverse: Operand, return_counts: Operand, dim: Operand) -> Outcome:
    """`torch.unique`: how many there are is not known before the program runs."""
    del sorted
    if flag_of(return_inverse) is not False or flag_of(return_counts) is not False:
        return Outcome(UNKNOWN)
    if dim is None:
        return Outcome(Shape((Axis.new("unique"),), True, input.dtype))
    return Outcome(Shape.unknown(dtype=input.dtype))


def norm(input: Shape, p: Operand, dim: Operand, keepdim: Operand) -> Outcome:
    """`torch.norm`: `p` comes before `dim`."""
    del p
    return total(input, dim, keepdim)


def numpy_total(input: Operand, dim: Operand, keepdim: Operand) -> Outcome:
    """`numpy.sum` and its kin, which take lists of arrays too."""
    return total(input, dim, keepdim) if isinstance(input, Shape) else Outcome(UNKNOWN)
