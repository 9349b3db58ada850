"""Reading operands: integers, flags, rows of sizes; and the axis that a size makes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rnnshape_guard.shapes.axes import UNIT, Atom, Axis, Role
from rnnshape_guard.shapes.dims import Dim, resolve
from rnnshape_guard.shapes.outcomes import Fault, Misfit, Operand, Outcome


def integer(operand: Operand) -> int | None:
    """The integer an operand is known to equal, or None."""
    match operand:
        case bool():
            return int(operand)
        case Dim():
            return operand.value
        case float() if operand.is_integer():
            return int(operand)
        case _:
            return None


def integers(operand: Operand) -> tuple[int, ...] | None:
    """A tuple of known integers (one integer counts as a tuple of it), or None."""
    if not isinstance(operand, tuple):
        only = integer(operand)
        return None if only is None else (only,)
    found = [integer(item) for item in operand]
    known = tuple(number for number in found if number is not None)
    return known if len(known) == len(found) else None


def size_of(operand: Operand) -> Dim | None:
    """The size an operand stands for, or None where it is not an integer that has a name or a value."""
    match operand:
        case bool():
            return Dim.of(int(operand))
        case Dim():
            return operand
        case float() if operand.is_integer():
            return Dim.of(int(operand))
        case _:
            return None


def row_of_sizes(operand: Operand) -> tuple[Dim | None, ...] | None:
    """A tuple of sizes, None for each that is not known; None where not even their number is."""
    match operand:
        case tuple():
            return tuple(size_of(item) for item in operand)
        case Dim() | bool():
            return (size_of(operand),)
        case _:
            return None


def flag_of(operand: Operand) -> bool | None:
    """True, False, or None where it is not known."""
    match operand:
        case bool():
            return operand
        case None:
            return False
        case Dim():
            value = operand.value
            return None if value is None else bool(value)
        case _:
            return None


def is_one(size: Dim) -> bool:
    """Whether a size is known to be 1."""
    return size.value == 1


def axis_sized(size: Dim | None, name: str = "axis", *, shares: bool = True) -> Axis:
    """A new axis of a size; a literal 1 has no atom.

    Sized by another axis's own symbol it shares that axis's evidence, unless its elements may be others (`shares`).
    """
    if size is None:
        return Axis.new(name)
    if size.literal == 1:
        return UNIT
    symbol = size.symbol
    if symbol is None:
        return Axis.new(name, size)
    owner = owner_of(size)
    if owner is not None:
        return Axis.new(owner.name, size, source=owner if shares else None)
    return Axis.new(symbol.name, size)


def owner_of(size: Dim) -> Atom | None:
    """The atom whose size this is, if it is exactly one atom's own symbol."""
    symbol = size.symbol
    owner = symbol.owner if symbol is not None else None
    if owner is None:
        symbol = resolve(size, numbers=False).symbol
        owner = symbol.owner if symbol is not None else None
    return owner if isinstance(owner, Atom) else None


def shared_source(atoms: Sequence[Atom]) -> tuple[Atom | None, Role | None]:
    """What a new atom made of these continues: the first where all share a root or a role, and the role they share."""
    if not atoms:
        return None, None
    first = atoms[0]
    roles = {atom.role() for atom in atoms}
    same = len({id(atom.root) for atom in atoms}) == 1 or (len(roles) == 1 and None not in roles)
    kinds = {atom.kind for atom in atoms}
    return (first if same else None), (kinds.pop() if len(kinds) == 1 else None)


def joined_name(atoms: Iterable[Atom]) -> str:
    """A word for an axis made of several: their one name, or their names with a plus between."""
    names = list(dict.fromkeys(atom.name for atom in atoms))
    if not names:
        return "axis"
    return "+".join(names) if len(names) <= 3 else "joined"


def refuse(result: Outcome, *misfits: Misfit) -> Outcome:
    """An outcome with misfits added."""
    return Outcome(result.result, (*result.misfits, *misfits), result.equations, result.learned, result.closes)


def wrong_type(operand: str, detail: str) -> Misfit:
    """An operand of the wrong kind, in plain words."""
    return Misfit(fault=Fault.TYPE, operand=operand, detail=detail)
