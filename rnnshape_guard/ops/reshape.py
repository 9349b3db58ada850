"""view, reshape, flatten and unflatten; squeeze and unsqueeze.

Source of the rules: `Tensor.view` in PyTorch's documentation (which axes may be merged), `computeStride` in ATen.
"""

from __future__ import annotations

from collections.abc import Sequence

from rnnshape_guard.ops.memory import numbers_of, placed, row_major, strides_of, viewed
from rnnshape_guard.ops.operands import axis_sized, integer, integers, is_one, row_of_sizes
from rnnshape_guard.ops.places import normal, open_at
from rnnshape_guard.ops.regroup import Group, Regrouped, lead, mergeable, pieces_of, regroup, rejoined
from rnnshape_guard.shapes.axes import UNIT, Atom, Axis, Rest, Shape
from rnnshape_guard.shapes.dims import ONE, Dim, compare, divide
from rnnshape_guard.shapes.outcomes import UNKNOWN, Fault, Misfit, Operand, Outcome


def view(input: Shape, size: Operand) -> Outcome:
    """`Tensor.view(*size)`: the same memory under other axes; refused where the memory does not allow it."""
    return _resized(input, size, copies=False)


def reshape(input: Shape, shape: Operand) -> Outcome:
    """`torch.reshape`: a view where the memory allows it, else a copy in logical order."""
    return _resized(input, shape, copies=True)


def view_as(input: Shape, other: Operand) -> Outcome:
    """`Tensor.view_as`."""
    return _resized(input, sizes_of(other), copies=False)


def reshape_as(input: Shape, other: Operand) -> Outcome:
    """`Tensor.reshape_as`."""
    return _resized(input, sizes_of(other), copies=True)


def sizes_of(other: Operand) -> Operand:
    """The sizes of a tensor, as an argument."""
    if isinstance(other, Shape) and other.axes is not None:
        return tuple(axis.size for axis in other.axes)
    return UNKNOWN


def _resized(shape: Shape, wanted: Operand, *, copies: bool) -> Outcome:
    targets = row_of_sizes(wanted)
    if targets is None:
        return Outcome(Shape.unknown(dtype=shape.dtype if isinstance(wanted, tuple) else None))
    refused = _refused(targets)
    if refused is not None:
        return Outcome(Shape.unknown(dtype=shape.dtype), (refused,))
    infer = next((index for index, size in enumerate(targets) if size is not None and size.literal == -1), None)
    axes = shape.axes
    if any(size is not None and size.value == 0 for size in targets):
        return Outcome(_begun(shape, targets, infer, Regrouped([None] * len(targets))))
    if axes is None:
        known = lead(pieces_of(shape.ends()[0], None), targets[:infer])
        return Outcome(_begun(shape, targets, infer, known), _scrambles(known))
    pieces = pieces_of(_told(axes, targets) if infer is None else axes, strides_of(shape))
    found = regroup(pieces, targets, infer)
    total = Dim.product(axis.size for axis in axes)
    row = [
        _axis(group, None if index == infer else size, index)
        for index, (group, size) in enumerate(zip(found.groups, targets, strict=True))
    ]
    if infer is not None and found.groups[infer] is None:
        row[infer] = _inferred(total, [size for index, size in enumerate(targets) if index != infer], infer)
    misfit = _total(total, targets, infer)
    if misfit is not None:
        scrambles = _scrambles(found) if misfit.condition else ()
        result = Shape(tuple(row), True if shape.contiguous else None, shape.dtype)
        return Outcome(result, (misfit, *scrambles))
    result, stuck = _memory(shape, found, row, copies)
    misfits = (stuck,) if stuck is not None else _scrambles(found)
    equations = () if found.equation is None else (found.equation,)
    return Outcome(result, misfits, equations)


def _told(axes: Sequence[Axis], targets: Sequence[Dim | None]) -> Sequence[Axis]:
    """The axes with the length of one that was cut, where the sizes asked for tell it: a view to (T // 2, B, 2·F) says
    that what was cut of T is 2·(T // 2) long."""
    sizes = [size for size in targets if size is not None]
    atoms = [atom for axis in axes for atom in axis.atoms]
    cut = [atom for atom in atoms if atom.source is not None and atom.symbol.value is None]
    if len(sizes) < len(targets) or len(cut) != 1:
        return axes
    (atom,) = cut
    others = Dim.product(other.size for other in atoms if other is not atom)
    length = divide(Dim.product(sizes), others)
    if length is None or atom.root.symbol not in length.symbols():
        return axes
    told = Atom(atom.name, length, source=atom)
    return [Axis(tuple(told if one is atom else one for one in axis.atoms)) for axis in axes]


def _refused(targets: Sequence[Dim | None]) -> Misfit | None:
    numbers = [size.literal for size in targets if size is not None]
    if numbers.count(-1) > 1:
        return Misfit(fault=Fault.VALUE, operand="size", detail="only one size can be -1")
    if any(number is not None and number < -1 for number in numbers):
        return Misfit(fault=Fault.VALUE, operand="size", detail="a size is negative")
    return None


def _begun(shape: Shape, targets: Sequence[Dim | None], infer: int | None, known: Regrouped) -> Shape:
    """The targets that are known to be axes of the tensor; new atoms for the others, of whose order nothing is known."""
    groups = [*known.groups, *[None] * (len(targets) - len(known.groups))]
    row = tuple(
        axis_sized(None if index == infer else size, f"axis{index}") if group is None else _axis(group, size, index)
        for index, (group, size) in enumerate(zip(groups, targets, strict=True))
    )
    return Shape(row, True if shape.contiguous else None, shape.dtype)


def _axis(group: Group | None, size: Dim | None, index: int) -> Axis:
    if group is None:
        return axis_sized(size, f"axis{index}", shares=False)
    return Axis(rejoined([piece.atom for piece in group]))


def _inferred(total: Dim, others: Sequence[Dim | None], index: int) -> Axis:
    known = [size for size in others if size is not None]
    size = divide(total, Dim.product(known)) if len(known) == len(others) else None
    return axis_sized(size, f"axis{index}", shares=False)


def _total(total: Dim, targets: Sequence[Dim | None], infer: int | None) -> Misfit | None:
    """The elements cannot fit: another number of them, or, with -1, a number that does not divide."""
    sizes = [size for index, size in enumerate(targets) if index != infer and size is not None]
    if len(sizes) < len(targets) - (infer is not None):
        return None
    wanted = Dim.product(sizes)
    if infer is None:
        verdict = compare(total, wanted)
        if not verdict.conflicts:
            return None
        return Misfit(fault=Fault.TOTAL, expected=total, found=wanted, condition=verdict.condition)
    held, by = total.value, wanted.value
    if held is None or by is None or (by and held % by == 0):
        return None
    return Misfit(fault=Fault.TOTAL, expected=total, found=wanted)


def _scrambles(found: Regrouped) -> tuple[Misfit, ...]:
    return tuple(
        Misfit(
            fault=Fault.SCRAMBLE, axis=skip.target, wanted=skip.wanted, skipped=skip.passed, condition=skip.condition
        )
        for skip in found.skips
    )


def _memory(shape: Shape, found: Regrouped, row: Sequence[Axis], copies: bool) -> tuple[Shape, Misfit | None]:
    """The result over its memory, and the refusal of a view that would need a copy."""
    if shape.contiguous is True:
        return Shape(tuple(row), True, shape.dtype), None
    stuck = Misfit(fault=Fault.STRIDES)
    strides = strides_of(shape)
    if strides is None:
        return Shape(tuple(row), None, shape.dtype), None
    axes = shape.axes or ()
    sizes, steps = numbers_of(axis.size for axis in axes), numbers_of(strides)
    target = numbers_of(axis.size for axis in row)
    if sizes is not None and steps is not None and target is not None:
        exact = viewed(sizes, steps, target)
        if exact is None:
            return Shape(tuple(row), True, shape.dtype), None if copies else stuck
        return placed(row, [Dim.of(step) for step in exact], shape.dtype), None
    if found.skips or any(group is None for group in found.groups):
        return Shape(tuple(row), None, shape.dtype), None
    groups = [group for group in found.groups if group is not None]
    fits = [mergeable(group) for group in groups]
    if False in fits:
        return Shape(tuple(row), True, shape.dtype), None if copies else stuck
    moves = [_step(group) for group in groups]
    if None in fits or None in moves:
        return Shape(tuple(row), None, shape.dtype), None
    return placed(row, [move for move in moves if move is not None], shape.dtype), None


def _step(group: Group) -> Dim | None:
    """How far one step along an axis of these pieces moves: as far as along the innermost that is not of size 1."""
    for piece in reversed(group):
        if not is_one(piece.size):
            return piece.stride
    return ONE


def flatten(input: Shape, start_dim: Operand, end_dim: Operand) -> Outcome:
    """`torch.flatten`: neighbouring axes become one, of all their atoms in order."""
    start, end = integer(start_dim), integer(end_dim)
    if start is None or end is None:
        return Outcome(Shape.unknown(dtype=input.dtype))
    axes = input.axes
    if axes is None:
        return Outcome(_flattened_unknown(input, start, end))
    if not axes:
        return Outcome(Shape((Axis(),), True, input.dtype))
    first, last = normal(start, len(axes)), normal(end, len(axes))
    for place in (first, last):
        if isinstance(place, Misfit):
            return Outcome(Shape.unknown(dtype=input.dtype), (place,))
    assert isinstance(first, int)
    assert isinstance(last, int)
    if first > last:
        detail = "start_dim comes after end_dim"
        return Outcome(
            Shape.unknown(dtype=input.dtype), (Misfit(fault=Fault.VALUE, operand="start_dim", detail=detail),)
        )
    merged = Axis(rejoined([atom for axis in axes[first : last + 1] for atom in axis.atoms]))
    row = (*axes[:first], merged, *axes[last + 1 :])
    pieces = pieces_of(axes, strides_of(input))
    places = [*range(first), *([first] * (last - first + 1)), *range(first + 1, len(row))]
    groups: list[Group | None] = [
        tuple(piece for piece in pieces if places[piece.axis] == index) for index in range(len(row))
    ]
    if first == last:
        return Outcome(input)
    return Outcome(_memory(input, Regrouped(groups), row, True)[0])


def _flattened_unknown(shape: Shape, start: int, end: int) -> Shape:
    """What is left of a shape of unknown rank: the axes before `start` and behind `end`."""
    opened = open_at(shape, [start] if start > 0 else [])
    front: tuple[Axis | Rest, ...] = ()
    if opened is not None and not isinstance(opened, Misfit) and start > 0:
        front = opened.parts[: opened.places[0]]
    if start < 0 or end != -1 or (start > 0 and len(front) != start):
        return Shape.unknown(1, dtype=shape.dtype)
    return Shape((*front, Axis.new("axis")), None, shape.dtype)


def ravel(input: Shape) -> Outcome:
    """`torch.ravel`: all axes as one."""
    outcome = flatten(input, Dim.of(0), Dim.of(-1))
    assert isinstance(outcome.result, Shape)
    return Outcome(Shape(outcome.result.stored, True, input.dtype), outcome.misfits)


def unflatten(input: Shape, dim: Operand, sizes: Operand) -> Outcome:
    """`torch.unflatten`: one axis becomes several, whose sizes must multiply to its own."""
    at, targets = integer(dim), row_of_sizes(sizes)
    if at is None or targets is None:
        return Outcome(Shape.unknown(dtype=input.dtype))
    opened = open_at(input, [at])
    if opened is None:
        return Outcome(Shape.unknown(dtype=input.dtype))
    if isinstance(opened, Misfit):
        return Outcome(Shape.unknown(dtype=input.dtype), (opened,))
    (place,) = opened.places
    inner = Shape((opened.axis(place),), True)
    outcome = _resized(inner, tuple(UNKNOWN if size is None else size for size in targets), copies=True)
    if not isinstance(outcome.result, Shape) or outcome.result.axes is None:
        return Outcome(Shape.unknown(dtype=input.dtype), outcome.misfits)
    row = (*opened.parts[:place], *outcome.result.axes, *opened.parts[place + 1 :])
    result = Shape(row, True if input.contiguous else None, input.dtype)
    strides = strides_of(input)
    if input.contiguous is not True and strides is not None:
        steps = [step * strides[place] for step in row_major(outcome.result.axes)]
        known = [part for part in row if isinstance(part, Axis)]
        result = placed(known, [*strides[:place], *steps, *strides[place + 1 :]], input.dtype)
    return Outcome(result, outcome.misfits, outcome.equations, closes=opened.closes)


def unsqueeze(input: Shape, dim: Operand) -> Outcome:
    """`torch.unsqueeze`: a new axis of size 1."""
    at = integer(dim)
    if at is None:
        return Outcome(Shape.unknown(input.least_rank + 1, dtype=input.dtype))
    axes = input.axes
    if axes is None:
        return _unsqueezed_unknown(input, at)
    place = normal(at, len(axes) + 1)
    if isinstance(place, Misfit):
        misfit = Misfit(fault=Fault.AXIS, operand="dim", axis=at, ranks=(len(axes),))
        return Outcome(Shape((*axes, UNIT), None, input.dtype), (misfit,))
    row = (*axes[:place], UNIT, *axes[place:])
    strides = strides_of(input)
    if strides is None:
        return Outcome(Shape(row, input.contiguous, input.dtype))
    return Outcome(placed(row, (*strides[:place], ONE, *strides[place:]), input.dtype))


def _unsqueezed_unknown(shape: Shape, at: int) -> Outcome:
    neighbour = at - 1 if at >= 0 else at + 1
    opened = open_at(shape, [] if at in (0, -1) else [neighbour])
    if opened is None or isinstance(opened, Misfit):
        return Outcome(Shape.unknown(shape.least_rank + 1, dtype=shape.dtype))
    parts = opened.parts
    place = (0 if at == 0 else len(parts)) if at in (0, -1) else opened.places[0] + (at > 0)
    return Outcome(Shape((*parts[:place], UNIT, *parts[place:]), None, shape.dtype), closes=opened.closes)


def squeeze(input: Shape, dim: Operand) -> Outcome:
    """`torch.squeeze`: axes of size 1 vanish. An axis whose size is a parameter may vanish or stay: the rank is unknown."""
    if dim is None:
        return Outcome(_squeezed(input, range(len(input.parts)), every=True))
    dims = integers(dim)
    if dims is None:
        return Outcome(Shape.unknown(dtype=input.dtype))
    opened = open_at(input, dims)
    if opened is None:
        return Outcome(Shape.unknown(dtype=input.dtype))
    if isinstance(opened, Misfit):
        return Outcome(Shape.unknown(dtype=input.dtype), (opened,))
    if input.axes == ():
        return Outcome(input)
    strides = input.strides if opened.parts == input.parts else None
    shape = Shape(opened.parts, input.contiguous, input.dtype, strides=strides)
    return Outcome(_squeezed(shape, opened.places, every=False), closes=opened.closes)


def _squeezed(shape: Shape, places: Sequence[int], *, every: bool) -> Shape:
    parts = shape.parts
    if every and shape.rest is not None:
        return Shape.unknown(dtype=shape.dtype)
    gone = [place for place in places if _is_unit(parts[place])]
    unsure = [place for place in places if place not in gone and _may_vanish(parts[place], every)]
    if unsure:
        kept = sum(1 for place in range(min(unsure), max(unsure) + 1) if place not in unsure and place not in gone)
        front = [part for place, part in enumerate(parts[: min(unsure)]) if place not in gone]
        back = [part for place, part in enumerate(parts) if place > max(unsure) and place not in gone]
        if any(isinstance(part, Rest) for part in (*front, *back, *parts[min(unsure) : max(unsure)])):
            return Shape.unknown(dtype=shape.dtype)
        return Shape((*front, Rest(kept), *back), None, shape.dtype)
    row = tuple(part for place, part in enumerate(parts) if place not in gone)
    strides = strides_of(shape)
    if strides is None:
        return Shape(row, shape.contiguous, shape.dtype)
    known = [part for part in row if isinstance(part, Axis)]
    return placed(known, [step for place, step in enumerate(strides) if place not in gone], shape.dtype)


def _is_unit(part: Axis | Rest) -> bool:
    return isinstance(part, Axis) and is_one(part.size)


def _may_vanish(part: Axis | Rest, every: bool) -> bool:
    """Whether an axis of unknown size may be 1. Squeezing all is not meant for the batch or time axes of an input."""
    if isinstance(part, Rest):
        return True
    size = part.size
    if compare(size, 1).different:
        return False
    atom = part.atom
    if atom is None:
        return True
    plain = atom.symbol.value is None and not atom.symbol.flag
    return not (every and (plain or atom.kind is not None))
