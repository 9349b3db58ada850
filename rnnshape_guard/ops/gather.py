"""index_select, gather, scatter and masks: picking elements by tensors of indices."""

from __future__ import annotations

from collections.abc import Sequence

from rnnshape_guard.ops.elementwise import pointwise
from rnnshape_guard.ops.memory import like
from rnnshape_guard.ops.operands import integer, is_one, shared_source, size_of, wrong_type
from rnnshape_guard.ops.places import normal, open_at
from rnnshape_guard.ops.reduce import along
from rnnshape_guard.shapes.axes import Axis, Rest, Shape
from rnnshape_guard.shapes.dims import Dim, compare, resolve
from rnnshape_guard.shapes.outcomes import UNKNOWN, Fault, Misfit, Operand, Outcome, Unknown


def index_select(input: Shape, dim: Operand, index: Operand) -> Outcome:
    """`torch.index_select`: the axis becomes the index's, of one axis at most."""
    at = integer(dim)
    opened = None if at is None else open_at(input, [at])
    if opened is None:
        return Outcome(Shape.unknown(dtype=input.dtype))
    if isinstance(opened, Misfit):
        return Outcome(Shape.unknown(dtype=input.dtype), (opened,))
    if not opened.parts:
        return Outcome(Shape.unknown(dtype=input.dtype))
    (place,) = opened.places
    old = opened.axis(place)
    source, kind = shared_source(old.atoms)
    new = Axis.new("index" if source is None else source.name, kind=kind, source=source)
    misfits: tuple[Misfit, ...] = ()
    if isinstance(index, Shape) and index.axes is not None:
        if len(index.axes) > 1:
            misfits = (Misfit(fault=Fault.RANK, operand="index", ranks=(0, 1), found=Dim.of(len(index.axes))),)
        new = index.axes[0] if index.axes else Axis()
    row = (*opened.parts[:place], new, *opened.parts[place + 1 :])
    contiguous = True if input.rest is None else None
    return Outcome(Shape(row, contiguous, input.dtype), misfits, closes=opened.closes)


def gather(input: Shape, dim: Operand, index: Operand) -> Outcome:
    """`torch.gather`: the result has the index's sizes, which off `dim` may not pass the input's."""
    if isinstance(index, Unknown):
        return Outcome(Shape(input.stored, None, input.dtype) if input.rank is None else _any_sizes(input))
    if not isinstance(index, Shape):
        return Outcome(UNKNOWN, (wrong_type("index", "not a tensor"),))
    axes, picks = input.axes, index.axes
    at = integer(dim)
    if axes is None or picks is None or at is None:
        return Outcome(Shape(index.stored, None, input.dtype))
    if max(len(axes), 1) != max(len(picks), 1):
        rank = Misfit(fault=Fault.RANK, operand="index", ranks=(len(axes),), found=Dim.of(len(picks)))
        return Outcome(Shape(picks, True, input.dtype), (rank,))
    place = normal(at, len(axes))
    if isinstance(place, Misfit):
        return Outcome(Shape(picks, True, input.dtype), (place,))
    misfits = []
    row: list[Axis] = []
    for offset, (axis, pick) in enumerate(zip(axes, picks, strict=False)):
        row.append(pick if offset == place else _prefix(axis, pick))
        if offset != place and _surely_more(pick.size, axis.size):
            misfits.append(Misfit(fault=Fault.SIZE, operand="index", axis=offset, expected=axis.size, found=pick.size))
    return Outcome(Shape(tuple(row), True, input.dtype), tuple(misfits))


def _any_sizes(input: Shape) -> Shape:
    return Shape(tuple(Axis.new(f"axis{index}") for index in range(input.rank or 0)), True, input.dtype)


def _prefix(axis: Axis, pick: Axis) -> Axis:
    """The first elements of an axis, as many as the index has."""
    if compare(axis.size, pick.size).equal:
        return axis
    if is_one(pick.size):
        return pick
    source, kind = shared_source(axis.atoms)
    return Axis.new("index" if source is None else source.name, pick.size, kind=kind, source=source)


def _surely_more(many: Dim, few: Dim) -> bool:
    gap = resolve(many - few)
    return compare(many, few).different and bool(gap.terms) and all(number > 0 for number in gap.terms.values())


def take_along_dim(input: Shape, indices: Operand, dim: Operand) -> Outcome:
    """`torch.take_along_dim`: as `gather`, with the other axes broadcast."""
    if not isinstance(indices, Shape) or input.axes is None or indices.axes is None:
        return Outcome(Shape.unknown(dtype=input.dtype))
    at = integer(dim)
    if at is None or len(input.axes) != len(indices.axes):
        return Outcome(Shape.unknown(dtype=input.dtype))
    place = normal(at, len(input.axes))
    if isinstance(place, Misfit):
        return Outcome(Shape.unknown(dtype=input.dtype), (place,))
    pick = indices.axes[place]
    one = Shape((*input.axes[:place], pick, *input.axes[place + 1 :]), True)
    outcome = pointwise((one, indices), ("input", "indices"))
    if not isinstance(outcome.result, Shape):
        return outcome
    return Outcome(Shape(outcome.result.stored, True, input.dtype), outcome.misfits)


def masked_select(input: Shape, mask: Operand) -> Outcome:
    """`torch.masked_select`: a vector of unknown length."""
    outcome = pointwise((input, mask), ("input", "mask"))
    return Outcome(Shape((Axis.new("selected"),), True, input.dtype), outcome.misfits)


def written(input: Shape, dim: Operand, **ignored: Operand) -> Outcome:
    """`scatter`, `index_fill`, `index_add`: other values in the same axes."""
    del ignored
    return along(input, dim)


def nonzero(input: Shape, as_tuple: Operand) -> Outcome:
    """`torch.nonzero`: one row of indices for each element that is not zero."""
    rank = input.rank
    if as_tuple is not False:
        return Outcome(UNKNOWN)
    return Outcome(Shape((Axis.new("found"), Axis.new("index", rank)), None, "int"))


def diagonal(input: Shape, offset: Operand, dim1: Operand, dim2: Operand) -> Outcome:
    """`torch.diagonal`: two axes become one, at the end."""
    first, second = integer(dim1), integer(dim2)
    if first is None or second is None:
        return Outcome(Shape.unknown(dtype=input.dtype))
    opened = open_at(input, [first, second])
    if opened is None:
        return Outcome(Shape.unknown(dtype=input.dtype))
    if isinstance(opened, Misfit):
        return Outcome(Shape.unknown(dtype=input.dtype), (opened,))
    one, two = opened.places
    if one == two:
        return Outcome(Shape.unknown(dtype=input.dtype), (Misfit(fault=Fault.REPEATED, operand="dim2", axis=second),))
    left, right = opened.axis(one), opened.axis(two)
    kept: Sequence[Axis | Rest] = [part for place, part in enumerate(opened.parts) if place not in (one, two)]
    square = integer(offset) == 0 and compare(left.size, right.size).equal
    return Outcome(Shape((*kept, left if square else Axis.new("diagonal")), None, input.dtype), closes=opened.closes)


def unfold(input: Shape, dim: Operand, size: Operand, step: Operand) -> Outcome:
    """`Tensor.unfold`: windows along an axis; the window's own axis comes last."""
    at, width, stride = integer(dim), size_of(size), size_of(step)
    opened = None if at is None else open_at(input, [at])
    if opened is None:
        return Outcome(Shape.unknown(input.least_rank + 1, dtype=input.dtype))
    if isinstance(opened, Misfit):
        return Outcome(Shape.unknown(dtype=input.dtype), (opened,))
    if not opened.parts:
        return Outcome(Shape.unknown(1, dtype=input.dtype))
    (place,) = opened.places
    old = opened.axis(place)
    count: Dim | None = None
    misfits: tuple[Misfit, ...] = ()
    if width is not None and stride is not None:
        if old.size.value is not None and width.value is not None and stride.value:
            count = Dim.of((old.size.value - width.value) // stride.value + 1)
            if width.value > old.size.value:
                misfits = (Misfit(fault=Fault.AXIS, operand="size", axis=place, expected=old.size, found=width),)
                count = None
        elif stride.value == 1:
            count = old.size - width + 1
    source, kind = shared_source(old.atoms)
    windows = Axis.new("window" if source is None else source.name, count, kind=kind, source=source)
    window = Axis.new("window", width)
    row = (*opened.parts[:place], windows, *opened.parts[place + 1 :], window)
    return Outcome(Shape(row, None, input.dtype), misfits, closes=opened.closes)


def repacked(input: Shape, **ignored: Operand) -> Outcome:
    """`torch.tril`, `triu`: some elements zeroed, axes kept."""
    del ignored
    return Outcome(like(input, input.dtype))
