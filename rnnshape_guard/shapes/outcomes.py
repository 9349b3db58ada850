"""What a layer or an operation makes of its operands: result shapes, what doesn't fit, and what can be learned.

Layers and operations are pure functions from operands to an `Outcome`. They never raise for a user's mistake: a
mistake is a `Misfit` in the outcome, beside the result as the author of the program will have meant it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from types import EllipsisType
from typing import Final, Union

from rnnshape_guard.shapes.axes import Atom, Axis, Rest, Role, Shape, Strength
from rnnshape_guard.shapes.dims import Condition, Dim


class Unknown:
    """The value that nothing is known of; there is one, `UNKNOWN`. It may be a tensor, a number, anything."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()


@dataclass(frozen=True, slots=True)
class Slice:
    """``start:stop:step`` in a subscript; None where left out."""

    start: Operand = None
    stop: Operand = None
    step: Operand = None


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """A PackedSequence: one batch axis, one time axis and the axes of each step. It has no layout of its own.

    `lengths` is the size of the lengths' only axis, where it is known. `sorted` tells whether the sequences came in
    order of length (``enforce_sorted``): torch pads those into a view, others into a copy in their first order.
    """

    batch: Axis
    time: Axis
    features: tuple[Axis | Rest, ...]
    dtype: str | None = None
    lengths: Dim | None = None
    sorted: bool | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Named:
    """A tuple of results with names (``values, indices`` of a max)."""

    names: tuple[str, ...]
    results: tuple[Result, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Many:
    """A sequence of like items, of unknown length or of a symbolic one (the steps appended in a loop over time)."""

    item: Operand
    length: Dim | None = None


Operand = Union[
    Shape, Packed, Dim, bool, float, str, None, EllipsisType, Slice, Unknown, "tuple[Operand, ...]", "Named", Many
]
"""What an argument can be. Integers are `Dim`, lists are tuples, a flag of unknown value is a `Dim` of a flag symbol."""

Result = Union[Shape, Packed, Dim, bool, str, None, Unknown, Named, Many, "tuple[Result, ...]"]


class Fault(StrEnum):
    """The ways in which operands do not fit. Those marked silent do not raise in torch."""

    SIZE = "size"
    """An axis has another size than is required (`axis`, `expected`, `found`)."""
    RANK = "rank"
    """A tensor has another number of axes than is required (`ranks`: those allowed)."""
    AXIS = "axis"
    """An axis index is out of range, or an index into an axis is (`axis`)."""
    REPEATED = "repeated"
    """An axis is named twice (`axis`)."""
    COUNT = "count"
    """Too few or too many axes, sizes or parts are given (`expected`, `found`)."""
    BROADCAST = "broadcast"
    """Two sizes at one place are different and neither is 1 (`axis` from the back, `expected`, `found`)."""
    TOTAL = "total"
    """A view or a split whose sizes cannot hold the elements (`expected`, `found`)."""
    SCRAMBLE = "scramble"
    """Silent: sizes fit, but atoms are taken out of memory order (`axis` of the target, `wanted`, `skipped`)."""
    STRIDES = "strides"
    """A view of memory that is not contiguous."""
    TYPE = "type"
    """An operand is not of the kind required: a tuple for a tensor, a packed sequence, a missing state (`detail`)."""
    VALUE = "value"
    """An argument's value is refused (`detail`)."""
    DTYPE = "dtype"
    """A tensor holds another kind of number than is required (`detail`)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Misfit:
    """One thing that doesn't fit. `operand` names the argument in PyTorch's words (``input``, ``h_0``, ``c_0``, ``weight``).

    `axis` counts from the front of that operand (for BROADCAST and trailing features, from the back: negative).
    `condition` holds the flags under which it is wrong; empty: always. `detail` is a plain phrase.
    """

    fault: Fault
    operand: str = "input"
    axis: int | None = None
    expected: Dim | None = None
    found: Dim | None = None
    ranks: tuple[int, ...] = ()
    wanted: tuple[Atom, ...] = ()
    skipped: tuple[Atom, ...] = ()
    condition: Condition = ()
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Learned:
    """A role that an operation gives an atom (a layer's layout, a pack's `batch_first`), in words without a place."""

    atom: Atom
    role: Role
    strength: Strength
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """The result as meant, what doesn't fit, sizes that must be equal for it to fit, and roles learned.

    `closes` says what unknown axes turn out to be (an RNN call fixes the rank of its input); the driver applies it.
    """

    result: Result
    misfits: tuple[Misfit, ...] = ()
    equations: tuple[tuple[Dim, Dim], ...] = ()
    learned: tuple[Learned, ...] = ()
    closes: tuple[tuple[Rest, tuple[Axis | Rest, ...]], ...] = ()


def shapes_in(result: Result | Operand) -> Iterator[Shape]:
    """Every tensor in a nested result, in order."""
    match result:
        case Shape():
            yield result
        case Packed():
            yield Shape((result.batch, result.time, *result.features))
        case Named():
            for part in result.results:
                yield from shapes_in(part)
        case tuple():
            for item in result:
                yield from shapes_in(item)
