"""How findings name things: axes, sizes, shapes, layers and expressions, in the user's own words.

A check says what is wrong; the words for axes and sizes come from here, so that all rules and both drivers speak alike.
"""

from __future__ import annotations

from rnnshape_guard.events import Given, Layer, Place, Value
from rnnshape_guard.findings import Because
from rnnshape_guard.shapes.axes import Atom, Axis, Rest, Role, Shape, Strength
from rnnshape_guard.shapes.dims import Condition, Dim, resolve
from rnnshape_guard.shapes.outcomes import Packed

_LONGEST = 40


def quoted(thing: Given | Layer | Place | str) -> str:
    """Something as the user wrote it, in backticks; a long expression is named by the function it calls.

    >>> quoted("out[:, -1]")
    '`out[:, -1]`'
    """
    match thing:
        case str():
            text = thing
        case Layer():
            text = thing.name or thing.place.text
            if len(text) > _LONGEST and "(" in text:
                text = text.split("(", 1)[0] + "(…)"
        case Given():
            text = thing.text
        case _:
            text = thing.text
    if len(text) > _LONGEST:
        head = text.split("(", 1)[0]
        return f"the result of `{head}`" if len(head) <= _LONGEST else "this value"
    return f"`{text}`" if text else "this value"


def size(dim: Dim) -> str:
    """A size with its value: ``2·128 = 256``, ``2·hidden``, ``64``.

    Sizes of axes are followed to what the program calls them, or to their number; `?` where nothing is known.
    """
    written = resolve(dim, numbers=False)
    made = {
        symbol: number for symbol in written.symbols() if symbol.owner and (number := Dim.of(symbol).value) is not None
    }
    written = resolve(written, numbers=False, given=made) if written.symbol is None else written
    value = dim.value
    words = str(written)
    if value is not None:
        return str(value) if written.symbol is not None or words == str(value) else f"{words} = {value}"
    return "?" if written.symbol is not None and written.symbol.owner is not None else words


def sizes_of(axis: Axis) -> str:
    """The size of an axis from its parts: ``2·128 = 256``; one part, or a part that is 1, is not spelled out."""
    atoms = [atom for atom in axis.atoms if atom.size.value != 1]
    whole = axis.size.value
    if len(atoms) > 1 and whole is not None:
        return "·".join(str(atom.size.value) for atom in atoms) + f" = {whole}"
    if len(atoms) > 1:
        parts = [size(atom.size) for atom in atoms]
        return "·".join(f"({part})" if " + " in part or " - " in part else part for part in parts)
    return size(axis.size)


def atom_name(atom: Atom, weakest: Strength = Strength.LAYER) -> str:
    """The word for an atom: its role, else the name it was given, else `?`."""
    role = atom.role(weakest)
    if role is not None:
        return str(role)
    return atom.name if atom.name.isidentifier() and not atom.name.startswith("axis") else "?"


def axis_name(axis: Axis, weakest: Strength = Strength.LAYER) -> str:
    """The word for an axis: ``batch``, ``direction·hidden``; parts of size 1 are left out."""
    atoms = [atom for atom in axis.atoms if atom.size.value != 1] or list(axis.atoms)
    return "·".join(atom_name(atom, weakest) for atom in atoms) or "1"


def shape(operand: Shape | Packed | Value | None, weakest: Strength = Strength.LAYER) -> str:
    """A shape by its axes: ``(batch, time, direction·hidden = 256)``; ``...`` for axes that are not known.

    Roles come from evidence no weaker than `weakest`: what a layer takes an axis for is no word for it where that is
    what is in question.
    """
    if isinstance(operand, Value):
        operand = operand.shape
    if isinstance(operand, Packed):
        operand = Shape((operand.batch, operand.time, *operand.features))
    if operand is None:
        return "?"
    words = []
    for part in operand.parts:
        if isinstance(part, Rest):
            words.append("...")
            continue
        value = part.size.value
        name = axis_name(part, weakest)
        words.append(f"{name} = {value}" if value is not None and name not in ("?", "1") else str(value or name))
    return "(" + ", ".join(words) + ")"


def when(condition: Condition) -> str:
    """The words behind "when": ``bidirectional``, ``not bidirectional``."""
    return " and ".join(symbol.name if value else f"not {symbol.name}" for symbol, value in condition)


def because(atom: Atom, weakest: Strength = Strength.USE) -> tuple[Because, ...]:
    """The evidence for an atom's role, as sentences with their places, at most two."""
    reasons = atom.reasons(weakest)[:2]
    return tuple(Because(f"{reason.text}: {reason.role}", reason.place) for reason in reasons)


def directions(axis: Axis) -> bool:
    """Whether an axis holds both directions of a recurrent layer."""
    return any(atom.kind is Role.DIRECTION and atom.size.value != 1 for atom in axis.atoms)


def directions_of(axis: Axis) -> str:
    """``2 directions × 128`` for the two directions of a layer's hidden units; empty for anything else."""
    match [atom for atom in axis.atoms if atom.size.value != 1]:
        case [direction, hidden] if direction.kind is Role.DIRECTION and direction.size.value == 2:
            return f"2 directions × {size(hidden.size)}"
    return ""


def article(kind: str) -> str:
    """The name of a layer's kind behind its article: ``a GRU``, ``an RNN``, ``an LSTM``."""
    return f"{'a' if kind.startswith('GRU') else 'an'} {kind}"
