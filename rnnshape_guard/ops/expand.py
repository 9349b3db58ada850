"""expand, repeat, tile and repeat_interleave: axes grow, without a copy or by copies."""

from __future__ import annotations

from collections.abc import Sequence

from rnnshape_guard.ops.memory import placed, strides_of
from rnnshape_guard.ops.operands import axis_sized, integer, is_one, row_of_sizes, size_of
from rnnshape_guard.ops.places import open_at
from rnnshape_guard.ops.reshape import sizes_of
from rnnshape_guard.shapes.axes import UNIT, Axis, Shape
from rnnshape_guard.shapes.dims import ONE, Dim, compare
from rnnshape_guard.shapes.outcomes import UNKNOWN, Fault, Misfit, Operand, Outcome


def expand(input: Shape, size: Operand) -> Outcome:
    """`Tensor.expand(*size)`: axes of size 1 grow without a copy; -1 keeps an axis, new axes come in front."""
    targets = row_of_sizes(size)
    if targets is None:
        return Outcome(Shape.unknown(dtype=input.dtype))
    axes = input.axes
    if axes is None:
        return Outcome(Shape(_expanded_unknown(input, targets), None, input.dtype))
    return _expand(input, axes, targets)


def expand_as(input: Shape, other: Operand) -> Outcome:
    """`Tensor.expand_as`."""
    sizes = sizes_of(other)
    return expand(input, sizes)


def broadcast_to(input: Shape, shape: Operand) -> Outcome:
    """`torch.broadcast_to`."""
    return expand(input, shape)


def _expanded_unknown(shape: Shape, targets: Sequence[Dim | None]) -> tuple[Axis, ...]:
    row = []
    for index, size in enumerate(targets):
        kept = shape.axis(index - len(targets)) if size is not None and size.literal == -1 else None
        row.append(kept or axis_sized(None if size is None or size.literal == -1 else size, f"axis{index}"))
    return tuple(row)


def _expand(shape: Shape, axes: tuple[Axis, ...], targets: Sequence[Dim | None]) -> Outcome:
    new = len(targets) - len(axes)
    if new < 0:
        count = Misfit(fault=Fault.COUNT, operand="size", expected=Dim.of(len(axes)), found=Dim.of(len(targets)))
        return Outcome(Shape.unknown(dtype=shape.dtype), (count,))
    misfits: list[Misfit] = []
    row: list[Axis] = []
    strides = strides_of(shape)
    moves: list[Dim] | None = None if strides is None else []
    for index, size in enumerate(targets):
        old = UNIT if index < new else axes[index - new]
        keeps = size is not None and size.literal == -1
        if keeps and index < new:
            misfits.append(Misfit(fault=Fault.VALUE, operand="size", detail="-1 for an axis that is new"))
        grown = old if keeps and index >= new else _grown(old, size, index)
        if size is not None and not keeps and not is_one(old.size):
            verdict = compare(old.size, size)
            if verdict.conflicts and compare(old.size, 1).different:
                place, condition = index - len(targets), verdict.condition
                misfits.append(Misfit(fault=Fault.SIZE, axis=place, expected=old.size, found=size, condition=condition))
        row.append(grown)
        if moves is not None and strides is not None:
            stays = index >= new and (grown is old)
            sure = stays or (is_one(old.size) and not is_one(grown.size))
            if not sure and not is_one(grown.size):
                moves = None
            else:
                moves.append(strides[index - new] if stays else Dim.of(0) if not is_one(grown.size) else ONE)
    return Outcome(placed(row, moves, shape.dtype), tuple(misfits))


def _grown(old: Axis, size: Dim | None, index: int) -> Axis:
    """The axis as expanded: itself where it was not 1, else a new one of the size asked for."""
    if size is None:
        return Axis.new(f"axis{index}") if not compare(old.size, 1).different else old
    if is_one(old.size):
        return old if is_one(size) else axis_sized(size, f"axis{index}")
    if compare(old.size, 1).different or compare(old.size, size).equal:
        return old
    return axis_sized(size, f"axis{index}")


def repeat(input: Shape, repeats: Operand) -> Outcome:
    """`Tensor.repeat(*repeats)`: copies side by side, the repeat slower in memory than what it repeats."""
    counts = row_of_sizes(repeats)
    if counts is None:
        return Outcome(Shape.unknown(dtype=input.dtype))
    axes = input.axes
    if axes is None:
        return Outcome(Shape(tuple(_repeated_unknown(input, counts)), None, input.dtype))
    new = len(counts) - len(axes)
    if new < 0:
        count = Misfit(fault=Fault.COUNT, operand="repeats", expected=Dim.of(len(axes)), found=Dim.of(len(counts)))
        return Outcome(Shape.unknown(dtype=input.dtype), (count,))
    row = (*([UNIT] * new), *axes)
    return Outcome(
        Shape(tuple(_repeated(axis, size) for axis, size in zip(row, counts, strict=True)), True, input.dtype)
    )


def tile(input: Shape, dims: Operand) -> Outcome:
    """`torch.tile`: as `repeat`, with missing counts in front taken as 1."""
    counts = row_of_sizes(dims)
    axes = input.axes
    if counts is None or axes is None:
        return Outcome(Shape.unknown(dtype=input.dtype))
    missing = max(len(axes) - len(counts), 0)
    return repeat(input, (*([ONE] * missing), *(UNKNOWN if size is None else size for size in counts)))


def _repeated_unknown(shape: Shape, counts: Sequence[Dim | None]) -> list[Axis]:
    row = []
    for index, count in enumerate(counts):
        axis = shape.axis(index - len(counts))
        row.append(Axis.new(f"axis{index}") if axis is None else _repeated(axis, count))
    return row


def _repeated(axis: Axis, count: Dim | None) -> Axis:
    if count is not None and is_one(count):
        return axis
    copies = axis_sized(count, "repeat")
    return Axis((*copies.atoms, *axis.atoms))


def repeat_interleave(input: Shape, repeats: Operand, dim: Operand) -> Outcome:
    """`torch.repeat_interleave`: each element several times in a row, the repeat faster in memory."""
    count = size_of(repeats)
    if dim is None:
        atoms = tuple(atom for axis in input.axes or () for atom in axis.atoms)
        if input.axes is None or count is None:
            return Outcome(Shape((Axis.new("axis"),), True, input.dtype))
        return Outcome(Shape((Axis((*atoms, *axis_sized(count, "repeat").atoms)),), True, input.dtype))
    at = integer(dim)
    opened = None if at is None else open_at(input, [at])
    if opened is None:
        return Outcome(Shape.unknown(dtype=input.dtype))
    if isinstance(opened, Misfit):
        return Outcome(Shape.unknown(dtype=input.dtype), (opened,))
    (place,) = opened.places
    old = opened.axis(place)
    if count is None:
        source = old.atom
        new = Axis.new("axis") if source is None else Axis.new(source.name, source=source)
    else:
        new = old if is_one(count) else Axis((*old.atoms, *axis_sized(count, "repeat").atoms))
    row = (*opened.parts[:place], new, *opened.parts[place + 1 :])
    contiguous = True if input.rest is None else None
    return Outcome(Shape(row, contiguous, input.dtype), closes=opened.closes)
