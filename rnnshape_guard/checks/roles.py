"""What is known of an axis, and why: the roles of atoms, and the places of what says so."""

from __future__ import annotations

from rnnshape_guard.events import Place
from rnnshape_guard.findings import Because
from rnnshape_guard.shapes.axes import Atom, Axis, Role, Strength


def only_atom(axis: Axis) -> Atom | None:
    """The one atom of an axis once its parts of size 1 are left out; None for a merged axis whose other part was only
    measured to be 1: with other data it is more."""
    atoms = [atom for atom in axis.atoms if atom.size.value != 1]
    if len(atoms) != 1 or any(atom.measured for atom in axis.atoms if atom is not atoms[0]):
        return None
    return atoms[0]


def role_of(atom: Atom | None, weakest: Strength = Strength.USE) -> Role | None:
    """The role of an atom, if there is one."""
    return None if atom is None else atom.role(weakest)


def because_of(*atoms: Atom) -> tuple[Because, ...]:
    """The evidence for the roles of atoms: one line for each place, at most three."""
    lines: dict[object, Because] = {}
    for atom in atoms:
        for reason in atom.reasons():
            says_all = reason.strength in (Strength.DECLARED, Strength.WRITTEN)
            text = reason.text if says_all else f"{reason.text}: {reason.role}"
            lines.setdefault(text if reason.place is None else spot(reason.place), Because(text, reason.place))
    return tuple(lines.values())[:3]


def spot(place: Place | None) -> object:
    """What two places of one expression have in common."""
    return None if place is None else place.spot
