"""permute, transpose, movedim and the rest: axes change places, memory stays."""

from __future__ import annotations

from collections.abc import Sequence

from rnnshape_guard.ops.memory import placed, strides_of
from rnnshape_guard.ops.operands import integer, integers
from rnnshape_guard.ops.places import Closes, Opened, Parts, open_at
from rnnshape_guard.shapes.axes import Axis, Rest, Shape
from rnnshape_guard.shapes.dims import Dim
from rnnshape_guard.shapes.outcomes import Fault, Misfit, Operand, Outcome


def permute(input: Shape, dims: Operand) -> Outcome:
    """`torch.permute`: all axes in a new order; every axis must be named once."""
    if not isinstance(dims, tuple):
        return Outcome(Shape.unknown(dtype=input.dtype))
    shape, closes = with_rank(input, len(dims))
    axes = shape.axes
    if axes is None or len(axes) != len(dims):
        return Outcome(Shape.unknown(dtype=input.dtype), (_wrong_count(input, len(dims)),))
    order = integers(dims)
    if order is None:
        return Outcome(
            Shape(tuple(Axis.new(f"axis{index}") for index in range(len(axes))), None, input.dtype), closes=closes
        )
    rank = len(axes)
    for dim in order:
        if not -rank <= dim < rank:
            out = Misfit(fault=Fault.AXIS, operand="dims", axis=dim, ranks=(rank,))
            return Outcome(Shape.unknown(dtype=input.dtype), (out,), closes=closes)
    places = [dim % rank for dim in order]
    for index, place in enumerate(places):
        if place in places[:index]:
            twice = Misfit(fault=Fault.REPEATED, operand="dims", axis=order[index])
            return Outcome(Shape.unknown(dtype=input.dtype), (twice,), closes=closes)
    return Outcome(moved(shape, places), closes=closes)


def _wrong_count(shape: Shape, given: int) -> Misfit:
    rank = shape.rank
    expected = Dim.of(shape.least_rank if rank is None else rank)
    ranks = () if rank is None else (rank,)
    return Misfit(fault=Fault.COUNT, operand="dims", expected=expected, found=Dim.of(given), ranks=ranks)


def with_rank(shape: Shape, rank: int) -> tuple[Shape, Closes]:
    """A shape of this rank, if its own is not known and may be; and what that makes of its unknown axes."""
    rest = shape.rest
    missing = rank - len(shape.parts) + 1
    if rest is None or missing < rest.least:
        return shape, ()
    at = shape.parts.index(rest)
    middle: Parts = tuple(Axis.new(f"axis{at + index}") for index in range(missing))
    row = (*shape.parts[:at], *middle, *shape.parts[at + 1 :])
    return Shape(row, shape.contiguous, shape.dtype), ((rest, middle),)


def moved(shape: Shape, places: Sequence[int]) -> Shape:
    """The axes of a shape of known rank in the order of `places`."""
    axes = shape.axes or ()
    strides = strides_of(shape)
    row = [axes[place] for place in places]
    if list(places) == list(range(len(axes))):
        return shape
    return placed(row, None if strides is None else [strides[place] for place in places], shape.dtype)


def transpose(input: Shape, dim0: Operand, dim1: Operand) -> Outcome:
    """`torch.transpose`: two axes change places."""
    first, second = integer(dim0), integer(dim1)
    if first is None or second is None:
        rank = input.rank
        if rank is None:
            return Outcome(Shape.unknown(input.least_rank, dtype=input.dtype))
        return Outcome(Shape(tuple(Axis.new(f"axis{index}") for index in range(rank)), None, input.dtype))
    opened = open_at(input, [first, second])
    if opened is None:
        return Outcome(_swapped_in_front(input, first, second))
    if isinstance(opened, Misfit):
        return Outcome(input, (opened,))
    if not opened.parts:
        return Outcome(input)
    return Outcome(_swapped(input, opened), closes=opened.closes)


def _swapped(shape: Shape, opened: Opened) -> Shape:
    one, two = opened.places
    order = list(range(len(opened.parts)))
    order[one], order[two] = order[two], order[one]
    if any(isinstance(part, Rest) for part in opened.parts):
        return Shape(tuple(opened.parts[place] for place in order), None, shape.dtype)
    return moved(Shape(opened.parts, shape.contiguous, shape.dtype, strides=shape.strides), order)


def _swapped_in_front(shape: Shape, first: int, second: int) -> Shape:
    """Axes counted from the front, of which the further one may be one that is known from the back: what stood at a place
    that is known stands at the other one now. Of ``(batch, ..., features)``, whatever its rank, the batch is axis 1 then."""
    front, _ = shape.ends()
    count = max(first, second) + 1
    if min(first, second) < 0 or not front:
        return Shape.unknown(shape.least_rank, dtype=shape.dtype)
    order = list(range(count))
    order[first], order[second] = second, first
    row = tuple(front[place] if place < len(front) else Axis.new(f"axis{place}") for place in order)
    return Shape((*row, Rest(max(shape.least_rank - count, 0))), None, shape.dtype)


def transpose_any(input: Shape, dim0: Operand, dim1: Operand, rest: Operand) -> Outcome:
    """`Tensor.transpose`, and `ndarray.transpose`, which takes all axes or none: nobody can tell the two apart by shape."""
    if isinstance(rest, tuple):
        return permute(input, (dim0, dim1, *rest))
    if dim1 is None:
        return reversed_axes(input) if dim0 is None else permute(input, dim0)
    return transpose(input, dim0, dim1)


def matrix_transpose(input: Shape) -> Outcome:
    """`Tensor.mT`: the last two axes change places."""
    return transpose(input, Dim.of(-2), Dim.of(-1))


def reversed_axes(input: Shape) -> Outcome:
    """`Tensor.T`: all axes in reverse order."""
    rank = input.rank
    if rank is not None:
        return Outcome(moved(input, list(reversed(range(rank)))))
    # Several unknown axes come out in the opposite order, so they are not the same rest.
    turned = tuple(Rest(part.least) if isinstance(part, Rest) else part for part in reversed(input.parts))
    return Outcome(Shape(turned, None, input.dtype))


def t(input: Shape) -> Outcome:
    """`torch.t`: a matrix transposed; more than two axes are refused. A tensor of unknown rank is taken for a matrix: of
    a vector nobody asks this."""
    rank = input.rank
    rest = input.rest
    if rank is None and rest is not None:
        front, back = input.ends()
        missing = 2 - len(front) - len(back)
        if missing < rest.least:
            return Outcome(Shape.unknown(dtype=input.dtype))
        fresh = tuple(Axis.new(f"axis{len(front) + place}") for place in range(missing))
        axes = (*back[::-1], *fresh[::-1], *front[::-1])
        return Outcome(Shape(axes, None, input.dtype), closes=((rest, fresh),))
    if rank is None:
        return Outcome(Shape.unknown(dtype=input.dtype))
    if rank > 2:
        return Outcome(
            Shape.unknown(2, dtype=input.dtype), (Misfit(fault=Fault.RANK, ranks=(0, 1, 2), found=Dim.of(rank)),)
        )
    return Outcome(moved(input, list(reversed(range(rank)))))


def movedim(input: Shape, source: Operand, destination: Operand) -> Outcome:
    """`torch.movedim`: the named axes go to new places, the others keep their order."""
    froms, tos = integers(source), integers(destination)
    rank = input.rank
    if froms is None or tos is None or rank is None:
        return Outcome(Shape.unknown(input.least_rank, dtype=input.dtype))
    if len(froms) != len(tos):
        count = Misfit(fault=Fault.COUNT, operand="destination", expected=Dim.of(len(froms)), found=Dim.of(len(tos)))
        return Outcome(Shape.unknown(rank, dtype=input.dtype), (count,))
    for operand, dims in (("source", froms), ("destination", tos)):
        for index, dim in enumerate(dims):
            if not -rank <= dim < rank:
                out = Misfit(fault=Fault.AXIS, operand=operand, axis=dim, ranks=(rank,))
                return Outcome(Shape.unknown(rank, dtype=input.dtype), (out,))
            if dim % rank in {other % rank for other in dims[:index]}:
                twice = Misfit(fault=Fault.REPEATED, operand=operand, axis=dim)
                return Outcome(Shape.unknown(rank, dtype=input.dtype), (twice,))
    target = {to % rank: start % rank for start, to in zip(froms, tos, strict=True)}
    others = iter([place for place in range(rank) if place not in target.values()])
    return Outcome(moved(input, [target[place] if place in target else next(others) for place in range(rank)]))


def numpy_transpose(input: Shape, axes: Operand) -> Outcome:
    """`numpy.transpose`: all axes in a new order, or reversed where none is given."""
    return reversed_axes(input) if axes is None else permute(input, axes)


def flip(input: Shape, dims: Operand) -> Outcome:
    """`torch.flip`: the same axes, read backwards; a copy."""
    named = integers(dims)
    if named is None:
        return Outcome(Shape(input.stored, None, input.dtype))
    opened = open_at(input, named)
    if isinstance(opened, Misfit):
        return Outcome(input, (opened,))
    if len(set(opened.places if opened else ())) < len(named) and opened is not None:
        twice = Misfit(fault=Fault.REPEATED, operand="dims", axis=named[-1])
        return Outcome(input, (twice,))
    contiguous = True if input.contiguous is True else None
    return Outcome(Shape(input.stored, contiguous, input.dtype), closes=opened.closes if opened else ())


def roll(input: Shape, shifts: Operand, dims: Operand) -> Outcome:
    """`torch.roll`: the same axes, shifted round; a copy."""
    named = () if dims is None else integers(dims)
    moves = integers(shifts)
    contiguous = True if input.contiguous is True else None
    result = Shape(input.stored, contiguous, input.dtype)
    if named is None or dims is None:
        return Outcome(result)
    if moves is not None and len(moves) != len(named):
        count = Misfit(fault=Fault.COUNT, operand="shifts", expected=Dim.of(len(named)), found=Dim.of(len(moves)))
        return Outcome(result, (count,))
    opened = open_at(input, named)
    if isinstance(opened, Misfit):
        return Outcome(result, (opened,))
    return Outcome(result, closes=opened.closes if opened else ())
