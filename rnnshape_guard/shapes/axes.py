"""Atoms, axes and shapes: what each axis of a tensor is made of, in memory order.

An atom is an indivisible axis with an identity: the batch of one input, the hidden units of one layer. An axis is
a tuple of atoms, the first the slowest in memory; so the states of an RNN are ``[layer·direction, batch, hidden]``
and its output ``[batch, time, direction·hidden]``. A shape is a row of axes. Where the rank is not known, a `Rest`
stands for the axes that nobody has named yet; it is filled in, once, when something fixes them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any, cast

from rnnshape_guard.shapes.dims import Dim, DimLike, Symbol

_serials = itertools.count()


class Role(StrEnum):
    """What an axis means."""

    BATCH = "batch"
    TIME = "time"
    FEATURE = "feature"
    HIDDEN = "hidden"
    LAYER = "layer"
    DIRECTION = "direction"
    CHANNEL = "channel"


class Strength(IntEnum):
    """Where evidence for a role comes from; the smaller, the stronger."""

    DECLARED = 1
    STRUCTURAL = 2
    WRITTEN = 3
    USE = 4
    LAYER = 5


@dataclass(frozen=True, slots=True)
class Evidence:
    """A reason to believe that an axis has a role: what was read, and where (an opaque place, or None).

    `when` is the id of the event that came next when it was read; -1 where that is not known.
    """

    role: Role
    strength: Strength
    text: str
    place: Any = None
    when: int = field(default=-1, compare=False)


class Atom:
    """An indivisible axis: an identity, a size and the evidence for its role.

    `symbol` is the atom's own name for its size; `symbol.value` is what that size is known to equal. `source` is
    the atom this one is a part or an extension of (a slice of time is still time); evidence is shared with it.
    `kind` is a role that holds by construction (the hidden units of an LSTM), where no evidence is needed. `measured`
    says that the size was read off a live tensor: other data may bring another.
    """

    __slots__ = ("evidence", "kind", "measured", "serial", "source", "symbol")

    def __init__(
        self, name: str, size: DimLike | None = None, *, kind: Role | None = None, source: Atom | None = None
    ) -> None:
        self.symbol = Symbol(name, value=None if size is None else Dim.of(size), positive=True)
        self.symbol.owner = self
        self.source = source
        self.evidence: list[Evidence] = [] if source is None else source.evidence
        self.kind: Role | None = kind if kind is not None or source is None else source.kind
        self.serial = next(_serials)
        self.measured: bool = source is not None and source.measured

    @property
    def name(self) -> str:
        """The word for this axis: its role where one is known, else the name it was made with."""
        return self.symbol.name

    @property
    def size(self) -> Dim:
        """The size as a symbol of this atom; `resolve` gives what it equals."""
        return self.symbol.size or Dim.of(self.symbol)

    @property
    def root(self) -> Atom:
        """The atom that this one was cut from, at the end of the chain."""
        atom = self
        while atom.source is not None:
            atom = atom.source
        return atom

    def learn(self, evidence: Evidence) -> None:
        """Note a reason for a role; which one holds is judged when the run ends."""
        if evidence not in self.evidence:
            self.evidence.append(evidence)

    def role(self, weakest: Strength = Strength.USE) -> Role | None:
        """The role that the strongest class of evidence agrees on, no weaker than `weakest`; None when it disagrees."""
        if self.kind is not None:
            return self.kind
        found = self.reasons(weakest)
        return found[0].role if found else None

    def reasons(self, weakest: Strength = Strength.USE) -> list[Evidence]:
        """The evidence that decides the role: the strongest class, if it agrees with itself; else none."""
        for strength in Strength:
            if strength > weakest:
                break
            found = [evidence for evidence in self.evidence if evidence.strength == strength]
            if found:
                return found if len({evidence.role for evidence in found}) == 1 else []
        return []

    def __repr__(self) -> str:
        return f"Atom({self.name!r}, {self.size.value if self.size.value is not None else self.symbol.value})"


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a tensor: its atoms in memory order; no atoms is an axis of size 1."""

    atoms: tuple[Atom, ...] = ()

    @property
    def size(self) -> Dim:
        """The product of the atoms' sizes."""
        atoms = self.atoms
        return atoms[0].size if len(atoms) == 1 else Dim.product([atom.size for atom in atoms])

    @property
    def atom(self) -> Atom | None:
        """The atom this axis is, if it is exactly one."""
        return self.atoms[0] if len(self.atoms) == 1 else None

    def role(self, weakest: Strength = Strength.USE) -> Role | None:
        """The role of an axis of one atom; an axis of size 1 has none."""
        atom = self.atom
        return None if atom is None or self.size.value == 1 else atom.role(weakest)

    @staticmethod
    def new(name: str, size: DimLike | None = None, *, kind: Role | None = None, source: Atom | None = None) -> Axis:
        """An axis of one new atom."""
        return Axis((Atom(name, size, kind=kind, source=source),))


UNIT = Axis()


class Rest:
    """Axes that are not known yet: at least `least` of them. `axes` is filled in when they are; a Rest may be
    replaced by axes around another Rest.

    `tried` remembers nothing but lets a driver undo: see `solve` and `forget`.
    """

    __slots__ = ("least", "parts")

    def __init__(self, least: int = 0) -> None:
        self.least = least
        self.parts: tuple[Axis | Rest, ...] | None = None

    def solve(self, parts: Sequence[Axis | Rest]) -> None:
        """Fix what the unknown axes are."""
        self.parts = tuple(parts)

    def forget(self) -> None:
        """Take `solve` back (a branch that may not run was left)."""
        self.parts = None


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """The axes of a tensor, with whether its memory is contiguous (None: unknown) and its kind of number.

    `dtype` is "float", "int", "bool" or None where it is not known. At most one part is an unsolved `Rest`.
    `perhaps_packed` marks the output of an RNN whose input nobody knows: it may be a PackedSequence, whose steps end in
    the same axis. Whatever treats it as a tensor drops the mark. `strides` tells, for known axes that are not
    contiguous, how far one step along each moves in memory, in elements; None where that is not known.
    """

    stored: tuple[Axis | Rest, ...]
    contiguous: bool | None = True
    dtype: str | None = None
    perhaps_packed: bool = False
    strides: tuple[Dim, ...] | None = None

    @staticmethod
    def of(*axes: Axis, contiguous: bool | None = True, dtype: str | None = None) -> Shape:
        """A shape of known rank."""
        return Shape(tuple(axes), contiguous, dtype)

    @staticmethod
    def unknown(least: int = 0, dtype: str | None = None) -> Shape:
        """A tensor of which nothing is known but a least rank."""
        return Shape((Rest(least),), None, dtype)

    @staticmethod
    def sized(*sizes: DimLike | None, names: Sequence[str] | None = None, dtype: str | None = None) -> Shape:
        """A shape of new atoms with these sizes (None: unknown size)."""
        words = names or [f"axis{index}" for index in range(len(sizes))]
        return Shape(tuple(Axis.new(word, size) for word, size in zip(words, sizes, strict=True)), True, dtype)

    @property
    def parts(self) -> tuple[Axis | Rest, ...]:
        """The axes, and the Rest that is still unknown, if any."""
        for part in self.stored:
            if type(part) is Rest:
                return tuple(_expand(self.stored, []))
        return self.stored

    @property
    def axes(self) -> tuple[Axis, ...] | None:
        """The axes, or None while the rank is not known."""
        parts = self.parts
        for part in parts:
            if type(part) is Rest:
                return None
        return cast("tuple[Axis, ...]", parts)

    @property
    def rank(self) -> int | None:
        """The number of axes, or None."""
        axes = self.axes
        return None if axes is None else len(axes)

    @property
    def least_rank(self) -> int:
        """The number of axes there are at least."""
        return sum([1 if isinstance(part, Axis) else part.least for part in self.parts])

    def axis(self, index: int) -> Axis | None:
        """The axis at an index, negative from the back; None where it is not known, or out of range."""
        axes = self.axes
        if axes is not None:
            return axes[index] if -len(axes) <= index < len(axes) else None
        front, back = self.ends()
        if index >= 0:
            return front[index] if index < len(front) else None
        return back[index] if -index <= len(back) else None

    def ends(self) -> tuple[tuple[Axis, ...], tuple[Axis, ...]]:
        """The axes known from the front and from the back of a shape of unknown rank (all and none if it is known)."""
        parts = self.parts
        for place, part in enumerate(parts):
            if isinstance(part, Rest):
                return (
                    tuple(axis for axis in parts[:place] if isinstance(axis, Axis)),
                    tuple(axis for axis in parts[place + 1 :] if isinstance(axis, Axis)),
                )
        return tuple(axis for axis in parts if isinstance(axis, Axis)), ()

    @property
    def rest(self) -> Rest | None:
        """The unknown axes of a shape of unknown rank."""
        for part in self.parts:
            if type(part) is Rest:
                return part
        return None

    def atoms(self) -> Iterator[Atom]:
        """Every atom of every known axis."""
        for part in self.parts:
            if isinstance(part, Axis):
                yield from part.atoms

    def __str__(self) -> str:
        return "(" + ", ".join(_spell(part) for part in self.parts) + ")"


def _expand(parts: tuple[Axis | Rest, ...], found: list[Axis | Rest]) -> list[Axis | Rest]:
    for part in parts:
        if type(part) is Rest and part.parts is not None:
            _expand(part.parts, found)
        else:
            found.append(part)
    return found


def _spell(part: Axis | Rest) -> str:
    if isinstance(part, Rest):
        return "..."
    return "·".join(atom.name for atom in part.atoms) or "1"
