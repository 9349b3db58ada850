"""cat, stack and their kin: several tensors become one."""

from __future__ import annotations

from collections.abc import Sequence

from rnnshape_guard.ops.operands import integer, is_one, joined_name, shared_source, wrong_type
from rnnshape_guard.ops.places import Closes, normal, open_at
from rnnshape_guard.shapes.axes import UNIT, Axis, Rest, Shape
from rnnshape_guard.shapes.dims import Dim, compare
from rnnshape_guard.shapes.outcomes import Fault, Many, Misfit, Named, Operand, Outcome, Packed, Unknown


def _parts(tensors: Operand) -> tuple[Shape, ...] | Outcome:
    """The tensors of a sequence; an Outcome where they are not all known."""
    match tensors:
        case Shape():
            return Outcome(Shape.unknown())
        case tuple():
            pass
        case _:
            return Outcome(Shape.unknown())
    shapes = []
    for position, item in enumerate(tensors):
        match item:
            case Shape():
                shapes.append(item)
            case tuple() | Named() | Packed():
                return Outcome(Shape.unknown(), (wrong_type(f"tensors[{position}]", "not a tensor"),))
            case _:
                return Outcome(Shape.unknown())
    if not shapes:
        return Outcome(Shape.unknown(), (Misfit(fault=Fault.VALUE, operand="tensors", detail="no tensors are given"),))
    return tuple(shapes)


def cat(tensors: Operand, dim: Operand) -> Outcome:
    """`torch.cat`: tensors one behind the other along an axis; all other axes must agree."""
    at = integer(dim)
    if isinstance(tensors, Many):
        return _cat_many(tensors, at)
    shapes = _parts(tensors)
    if isinstance(shapes, Outcome):
        return shapes
    shapes = tuple(shape for shape in shapes if not _is_legacy_empty(shape)) or shapes[:1]
    rows = [shape.axes for shape in shapes]
    if at is None:
        return Outcome(Shape.unknown())
    known = [row for row in rows if row is not None]
    if len(known) < len(rows):
        return _cat_unknown(shapes, at)
    rank = len(known[0])
    misfits = [
        Misfit(fault=Fault.RANK, operand=f"tensors[{position}]", ranks=(rank,), found=Dim.of(len(row)))
        for position, row in enumerate(known)
        if len(row) != rank
    ]
    place = normal(at, rank)
    if not rank:
        misfits.append(Misfit(fault=Fault.RANK, operand="tensors[0]", found=Dim.of(0)))
    if misfits:
        return Outcome(Shape.unknown(dtype=shapes[0].dtype), tuple(misfits))
    if isinstance(place, Misfit):
        return Outcome(Shape.unknown(dtype=shapes[0].dtype), (place,))
    return _cat_known(shapes, known, place)


def _is_legacy_empty(shape: Shape) -> bool:
    """torch lets an empty vector take part in any `cat`."""
    axes = shape.axes
    return axes is not None and len(axes) == 1 and axes[0].size.value == 0


def _cat_known(shapes: Sequence[Shape], rows: Sequence[tuple[Axis, ...]], place: int) -> Outcome:
    misfits: list[Misfit] = []
    equations: list[tuple[Dim, Dim]] = []
    first = list(rows[0])
    for position, row in enumerate(rows[1:], 1):
        for index, (one, two) in enumerate(zip(rows[0], row, strict=True)):
            if index == place:
                continue
            verdict = compare(one.size, two.size)
            if verdict.conflicts:
                misfits.append(
                    Misfit(
                        fault=Fault.SIZE,
                        operand=f"tensors[{position}]",
                        axis=index,
                        expected=one.size,
                        found=two.size,
                        condition=verdict.condition,
                    )
                )
            elif not verdict.equal:
                equations.append((one.size, two.size))
            if first[index].atom is None and is_one(one.size) and two.atoms:
                first[index] = two
    first[place] = joined([row[place] for row in rows])
    row = tuple(first)
    return Outcome(Shape(row, _memory(row, shapes), common_dtype(shapes)), tuple(misfits), tuple(equations))


def _memory(row: Sequence[Axis], shapes: Sequence[Shape]) -> bool | None:
    """Whether a joined tensor is contiguous: torch keeps the memory order of images, which axes of size 1 may look like."""
    plain = all(shape.contiguous is True for shape in shapes) and not any(is_one(axis.size) for axis in row)
    return True if len(row) < 4 or plain else None


def joined(axes: Sequence[Axis]) -> Axis:
    """The axis of several one behind the other: their one atom if there is one axis, else a new atom of the summed size."""
    if len(axes) == 1:
        return axes[0]
    atoms = [atom for axis in axes for atom in axis.atoms]
    total = Dim.of(0)
    for axis in axes:
        total = total + axis.size
    source, kind = shared_source(atoms)
    if any(len(axis.atoms) > 1 for axis in axes):
        source = None
    name = source.name if source is not None else joined_name(atoms)
    return Axis.new(name, total, kind=kind, source=source)


def common_dtype(shapes: Sequence[Shape]) -> str | None:
    """The kind of number that all tensors share."""
    kinds = {shape.dtype for shape in shapes}
    return kinds.pop() if len(kinds) == 1 else "float" if "float" in kinds else None


def _cat_unknown(shapes: Sequence[Shape], at: int) -> Outcome:
    """Where one rank is known all are; else the joined axis and those counted from the same end."""
    ranks = {shape.rank for shape in shapes} - {None}
    if len(ranks) > 1:
        return Outcome(Shape.unknown())
    first = shapes[0]
    if ranks:
        first = next(shape for shape in shapes if shape.rank is not None)
        axes = first.axes or ()
        if not axes:
            return Outcome(Shape.unknown(), (Misfit(fault=Fault.RANK, operand="tensors", found=Dim.of(0)),))
        place = normal(at, len(axes))
        if isinstance(place, Misfit):
            return Outcome(Shape.unknown(), (place,))
        # The others have as many axes: what is not known from their front may be known from their back.
        sizes = [shape.axis(place) or shape.axis(place - len(axes)) for shape in shapes]
        whole = [axis for axis in sizes if axis is not None]
        new = joined(whole) if len(whole) == len(sizes) else Axis.new(joined_name(axes[place].atoms))
        known = (*axes[:place], new, *axes[place + 1 :])
        return Outcome(Shape(known, _memory(known, shapes), common_dtype(shapes)))
    opened = open_at(first, [at])
    if opened is None or isinstance(opened, Misfit):
        return Outcome(Shape.unknown(first.least_rank))
    (place,) = opened.places
    if any(shape is not first and shape.rest is not first.rest for shape in shapes):
        others = [shape.axis(at) for shape in shapes]
        whole = [axis for axis in others if axis is not None]
        new = joined(whole) if len(whole) == len(others) else Axis.new(joined_name(opened.axis(place).atoms))
        parts: tuple[Axis | Rest, ...] = (new, Rest()) if at == 0 else (Rest(), new) if at == -1 else (Rest(1),)
        return Outcome(Shape(parts, None, common_dtype(shapes)))
    new = joined([opened.axis(place)] * len(shapes))
    row = (*opened.parts[:place], new, *opened.parts[place + 1 :])
    return Outcome(Shape(row, None, common_dtype(shapes)), closes=opened.closes)


def _cat_many(tensors: Many, at: int | None) -> Outcome:
    item = tensors.item
    if at is None or not isinstance(item, Shape):
        return Outcome(Shape.unknown())
    opened = open_at(item, [at])
    if opened is None:
        return Outcome(Shape.unknown())
    if isinstance(opened, Misfit):
        return Outcome(Shape.unknown(), (opened,))
    (place,) = opened.places
    old = opened.axis(place)
    if tensors.length is not None and is_one(old.size):
        new = counted(tensors.length, "steps")
    elif tensors.length is not None and _counts_another(tensors.length, old):
        # One tensor for each step: in memory the steps come first, then what was joined.
        new = Axis((*counted(tensors.length, "steps").atoms, *old.atoms))
    else:
        source = old.atom
        size = None if tensors.length is None else tensors.length * old.size
        new = Axis.new("axis" if source is None else source.name, size, source=source)
    row = (*opened.parts[:place], new, *opened.parts[place + 1 :])
    return Outcome(Shape(row, True if item.rest is None else None, item.dtype), closes=opened.closes)


def _counts_another(length: Dim, axis: Axis) -> bool:
    """Whether there are as many tensors as another axis is long."""
    symbol = length.symbol
    owner = symbol.owner if symbol is not None else None
    return owner is not None and all(atom.root is not owner.root for atom in axis.atoms)


def counted(length: Dim, name: str) -> Axis:
    """An axis of as many entries as a list has: the axis that the list was counted by, or a new one."""
    symbol = length.symbol
    owner = symbol.owner if symbol is not None else None
    if owner is not None:
        return Axis.new(owner.name, length, source=owner)
    return Axis.new(name if symbol is None else symbol.name, length)


def stack(tensors: Operand, dim: Operand) -> Outcome:
    """`torch.stack`: tensors of one shape along a new axis."""
    at = integer(dim)
    if isinstance(tensors, Many):
        length, item = tensors.length, tensors.item
        if at is None or not isinstance(item, Shape | Unknown):
            return Outcome(Shape.unknown(1))
        if not isinstance(item, Shape):
            item = Shape.unknown()
        return _stacked(item, Axis.new("steps") if length is None else counted(length, "steps"), at)
    shapes = _parts(tensors)
    if isinstance(shapes, Outcome):
        return Outcome(Shape.unknown(1), shapes.misfits)
    if at is None:
        return Outcome(Shape.unknown(1))
    rows = [shape.axes for shape in shapes]
    misfits: list[Misfit] = []
    equations: list[tuple[Dim, Dim]] = []
    model = next((shape for shape in shapes if shape.axes is not None), shapes[0])
    for position, row in enumerate(rows):
        if row is None or model.axes is None or model is shapes[position]:
            continue
        if len(row) != len(model.axes):
            misfits.append(
                Misfit(
                    fault=Fault.SIZE, operand=f"tensors[{position}]", ranks=(len(model.axes),), found=Dim.of(len(row))
                )
            )
            continue
        for index, (one, two) in enumerate(zip(model.axes, row, strict=True)):
            verdict = compare(one.size, two.size)
            if verdict.conflicts:
                misfits.append(
                    Misfit(
                        fault=Fault.SIZE,
                        operand=f"tensors[{position}]",
                        axis=index,
                        expected=one.size,
                        found=two.size,
                        condition=verdict.condition,
                    )
                )
            elif not verdict.equal:
                equations.append((one.size, two.size))
    outcome = _stacked(model, Axis.new("stack", len(shapes)), at)
    result = outcome.result
    if isinstance(result, Shape) and result.axes is not None:
        result = Shape(result.stored, _memory(result.axes, shapes), result.dtype)
    return Outcome(result, (*misfits, *outcome.misfits), tuple(equations), closes=outcome.closes)


def _stacked(item: Shape, new: Axis, at: int) -> Outcome:
    axes = item.axes
    if axes is None:
        parts, closes = item.parts, Closes()
        if at not in (0, -1):
            opened = open_at(item, [at - 1 if at > 0 else at + 1])
            if opened is None or isinstance(opened, Misfit):
                return Outcome(Shape.unknown(item.least_rank + 1, dtype=item.dtype))
            parts, closes = opened.parts, opened.closes
        place = at if at >= 0 else len(parts) + 1 + at
        return Outcome(Shape((*parts[:place], new, *parts[place:]), None, item.dtype), closes=closes)
    where = normal(at, len(axes) + 1)
    if isinstance(where, Misfit):
        return Outcome(Shape.unknown(len(axes) + 1, dtype=item.dtype), (where,))
    return Outcome(Shape((*axes[:where], new, *axes[where:]), True, item.dtype))


def hstack(tensors: Operand) -> Outcome:
    """`torch.hstack`: along axis 1, or 0 for vectors."""
    shapes = _parts(tensors)
    if isinstance(shapes, Outcome):
        return shapes
    raised = tuple(Shape((UNIT,), True, shape.dtype) if shape.axes == () else shape for shape in shapes)
    rank = raised[0].rank
    if rank is None:
        return Outcome(Shape.unknown(1))
    return cat(raised, Dim.of(0 if rank == 1 else 1))


def vstack(tensors: Operand) -> Outcome:
    """`torch.vstack`: along axis 0, vectors as rows."""
    shapes = _parts(tensors)
    if isinstance(shapes, Outcome):
        return shapes
    if any(shape.rank is None for shape in shapes):
        return Outcome(Shape.unknown(2))
    return cat(tuple(_at_least(shape, 2) for shape in shapes), Dim.of(0))


def dstack(tensors: Operand) -> Outcome:
    """`torch.dstack`: along axis 2, vectors and matrices raised to three axes."""
    shapes = _parts(tensors)
    if isinstance(shapes, Outcome):
        return shapes
    if any(shape.rank is None for shape in shapes):
        return Outcome(Shape.unknown(3))
    return cat(tuple(_at_least(shape, 3) for shape in shapes), Dim.of(2))


def _at_least(shape: Shape, rank: int) -> Shape:
    axes = shape.axes or ()
    row = axes or (UNIT,)
    if len(row) == 1:
        row = (UNIT, *row)
    while len(row) < rank:
        row = (*row, UNIT)
    return Shape(row, shape.contiguous, shape.dtype)
