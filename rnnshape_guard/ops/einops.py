"""einops: rearrange, reduce and repeat, by their patterns.

>>> from rnnshape_guard.shapes.axes import Shape
>>> x = Shape.sized(8, 20, 64, names=("batch", "time", "feature"))
>>> print(rearrange(x, "b t f -> t (b f)", ()).result)
(time, batch·feature)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rnnshape_guard.ops.operands import axis_sized, is_one, size_of
from rnnshape_guard.ops.places import Closes
from rnnshape_guard.ops.regroup import Piece, pieces_of, regroup, rejoined
from rnnshape_guard.ops.reorder import with_rank
from rnnshape_guard.shapes.axes import UNIT, Axis, Shape
from rnnshape_guard.shapes.dims import Dim, compare, divide
from rnnshape_guard.shapes.outcomes import Fault, Misfit, Operand, Outcome

Side = tuple[tuple[str, ...], ...]
"""One side of a pattern: an axis is the names that make it up; ``("...",)`` stands for the axes not named."""


@dataclass(frozen=True, slots=True)
class _Read:
    """What the left side of a pattern finds: an axis for each name, the axes of the ellipsis, and what doesn't fit."""

    names: dict[str, Axis]
    others: tuple[Axis, ...]
    misfits: tuple[Misfit, ...]
    closes: Closes


def sides(pattern: str) -> tuple[Side, Side] | None:
    """The two sides of a pattern, or None where it is no pattern."""
    left, arrow, right = pattern.partition("->")
    if not arrow:
        return None
    read = [_side(left), _side(right)]
    return (read[0], read[1]) if read[0] is not None and read[1] is not None else None


def _side(text: str) -> Side | None:
    row: list[tuple[str, ...]] = []
    group: list[str] | None = None
    for word in text.replace("(", " ( ").replace(")", " ) ").replace("...", " ... ").split():
        match word:
            case "(" if group is None:
                group = []
            case ")" if group is not None:
                row.append(tuple(group))
                group = None
            case "(" | ")":
                return None
            case _ if group is not None:
                group.append(word)
            case "1":
                row.append(())
            case _:
                row.append((word,))
    return None if group is not None else tuple(row)


def _sizes(given: Operand) -> dict[str, Dim | None]:
    if not isinstance(given, tuple):
        return {}
    found: dict[str, Dim | None] = {}
    for pair in given:
        if isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], str):
            found[pair[0]] = size_of(pair[1])
    return found


def rearrange(tensor: Operand, pattern: Operand, sizes: Operand) -> Outcome:
    """`einops.rearrange`: axes named, split, merged and put in a new order."""
    return _transformed(tensor, pattern, sizes, may_drop=False, may_add=False)


def reduce(tensor: Operand, pattern: Operand, reduction: Operand, sizes: Operand) -> Outcome:
    """`einops.reduce`: names that are missing on the right vanish."""
    del reduction
    return _transformed(tensor, pattern, sizes, may_drop=True, may_add=False)


def repeat(tensor: Operand, pattern: Operand, sizes: Operand) -> Outcome:
    """`einops.repeat`: names that are new on the right are copies."""
    return _transformed(tensor, pattern, sizes, may_drop=False, may_add=True)


def _transformed(tensor: Operand, pattern: Operand, given: Operand, *, may_drop: bool, may_add: bool) -> Outcome:
    if isinstance(tensor, tuple) or not isinstance(tensor, Shape) or not isinstance(pattern, str):
        return Outcome(Shape.unknown())
    both = sides(pattern)
    if both is None:
        return Outcome(Shape.unknown(), (_bad(f"`{pattern}` is no pattern"),))
    left, right = both
    sizes = _sizes(given)
    read = _read(tensor, left, sizes)
    if read is None:
        return Outcome(Shape.unknown(dtype=tensor.dtype))
    if isinstance(read, Misfit):
        return Outcome(Shape.unknown(dtype=tensor.dtype), (read,))
    wanted = {name for group in right for name in group if name not in ("...", "1") and not name.isdigit()}
    known = set(read.names)
    if known - wanted - {"_"} and not may_drop:
        lost = min(known - wanted)
        return Outcome(Shape.unknown(dtype=tensor.dtype), (_bad(f"`{lost}` is on the left alone"),))
    if wanted - known and not may_add:
        new = min(wanted - known)
        return Outcome(Shape.unknown(dtype=tensor.dtype), (_bad(f"`{new}` is on the right alone"),))
    if any("..." in group and len(group) > 1 for group in right):
        return Outcome(Shape.unknown(dtype=tensor.dtype), read.misfits, closes=read.closes)
    row: list[Axis] = []
    for group in right:
        if group == ("...",):
            row += read.others
        else:
            row.append(_merged([_named(name, read.names, sizes) for name in group]))
    unmoved = left == right and tensor.contiguous is True
    return Outcome(Shape(tuple(row), True if unmoved else None, tensor.dtype), read.misfits, closes=read.closes)


def _bad(detail: str) -> Misfit:
    return Misfit(fault=Fault.VALUE, operand="pattern", detail=detail)


def _named(name: str, names: dict[str, Axis], sizes: dict[str, Dim | None]) -> Axis:
    if name in names:
        return names[name]
    if name.isdigit():
        return axis_sized(Dim.of(int(name)), "repeat")
    return axis_sized(sizes.get(name), name)


def _merged(axes: Sequence[Axis]) -> Axis:
    if not axes:
        return UNIT
    return Axis(rejoined([atom for axis in axes for atom in axis.atoms]))


def _read(tensor: Shape, left: Side, sizes: dict[str, Dim | None]) -> _Read | Misfit | None:
    has_rest = ("...",) in left
    shape, closes = (tensor, ()) if has_rest else with_rank(tensor, len(left))
    axes = shape.axes
    if axes is None:
        return None if has_rest else _wrong_rank(tensor, left)
    if len(axes) != len(left) and not (has_rest and len(axes) >= len(left) - 1):
        return _wrong_rank(tensor, left)
    at = left.index(("...",)) if has_rest else len(left)
    count = len(axes) - len(left) + 1 if has_rest else 0
    others = axes[at : at + count]
    named = [*zip(left[:at], axes[:at], strict=True), *zip(left[at + 1 :], axes[at + count :], strict=False)]
    names: dict[str, Axis] = {}
    misfits: list[Misfit] = []
    for place, (group, axis) in enumerate(named):
        misfits += _split(group, axis, place, sizes, names)
    return _Read(names, others, tuple(misfits), closes)


def _wrong_rank(tensor: Shape, left: Side) -> Misfit:
    rank = tensor.rank
    return Misfit(fault=Fault.RANK, ranks=(len(left),), found=None if rank is None else Dim.of(rank))


def _split(
    group: tuple[str, ...], axis: Axis, place: int, sizes: dict[str, Dim | None], names: dict[str, Axis]
) -> list[Misfit]:
    """Give the names of one axis their parts of it."""
    if not group:
        verdict = compare(axis.size, 1)
        return [Misfit(fault=Fault.SIZE, axis=place, expected=Dim.of(1), found=axis.size)] if verdict.different else []
    if len(group) == 1 and not group[0].isdigit():
        names[group[0]] = axis
        size = sizes.get(group[0])
        if size is None:
            return []
        verdict = compare(axis.size, size)
        if not verdict.conflicts:
            return []
        return [Misfit(fault=Fault.SIZE, axis=place, expected=size, found=axis.size, condition=verdict.condition)]
    wanted = [Dim.of(int(name)) if name.isdigit() else sizes.get(name) for name in group]
    missing = [index for index, name in enumerate(group) if not name.isdigit() and name not in sizes]
    found = regroup(pieces_of((axis,), None), wanted, missing[0] if len(missing) == 1 else None)
    total = axis.size
    known = Dim.product(size for size in wanted if size is not None)
    misfits = [
        Misfit(fault=Fault.SCRAMBLE, axis=place, wanted=skip.wanted, skipped=skip.passed, condition=skip.condition)
        for skip in found.skips
    ]
    misfits += _uneven(total, known, place, len(missing))
    for index, (name, pieces, size) in enumerate(zip(group, found.groups, wanted, strict=True)):
        inferred = divide(total, known) if missing == [index] else size
        names[name] = _part(name, pieces, inferred)
    return misfits


def _part(name: str, pieces: tuple[Piece, ...] | None, size: Dim | None) -> Axis:
    if pieces is None:
        return axis_sized(size, name)
    return UNIT if not pieces and (size is None or is_one(size)) else Axis(rejoined([piece.atom for piece in pieces]))


def _uneven(total: Dim, known: Dim, place: int, missing: int) -> list[Misfit]:
    """The parts of an axis cannot make it up."""
    if missing > 1:
        return []
    if missing == 0:
        verdict = compare(total, known)
        if not verdict.conflicts:
            return []
        return [Misfit(fault=Fault.TOTAL, axis=place, expected=total, found=known, condition=verdict.condition)]
    held, by = total.value, known.value
    if held is None or by is None or (by and held % by == 0):
        return []
    return [Misfit(fault=Fault.TOTAL, axis=place, expected=total, found=known)]
