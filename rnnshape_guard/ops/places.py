"""Finding axes by index, also in a shape of unknown rank.

Naming axis 1 of a tensor that nobody has described says that it has two axes at least. `open_at` finds the named axes,
making them where the shape does not know them yet, and says what that makes of its unknown rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rnnshape_guard.shapes.axes import UNIT, Axis, Rest, Shape
from rnnshape_guard.shapes.outcomes import Fault, Misfit

Parts = tuple[Axis | Rest, ...]
Closes = tuple[tuple[Rest, Parts], ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """The parts of a shape, the places of the axes asked for among them, and what became of the unknown rest."""

    parts: Parts
    places: tuple[int, ...]
    closes: Closes = ()

    def axis(self, place: int) -> Axis:
        """The axis at a place that was asked for; a tensor of no axes counts as one of size 1."""
        if not self.parts:
            return UNIT
        part = self.parts[place]
        assert isinstance(part, Axis)
        return part


def normal(dim: int, rank: int, operand: str = "dim") -> int | Misfit:
    """An axis index counted from the front; a tensor of no axes takes 0 and -1."""
    if -max(rank, 1) <= dim < max(rank, 1):
        return dim % max(rank, 1)
    return Misfit(fault=Fault.AXIS, operand=operand, axis=dim, ranks=(rank,))


def open_at(shape: Shape, dims: Sequence[int], extra: int = 0, *, taking_two: bool = True) -> Opened | Misfit | None:
    """The axes at these indices. None where an index may fall on an axis counted from either end.

    `extra` allows that many indices past the last axis, as `unsqueeze` does. The first axis and the last are taken to be
    two, unless not even that much is to be believed (`taking_two`). A Misfit if an index is out of range.
    """
    parts = shape.parts
    rest = shape.rest
    if rest is None:
        places = []
        for dim in dims:
            place = normal(dim, len(parts) + extra)
            if isinstance(place, Misfit):
                return Misfit(fault=Fault.AXIS, operand="dim", axis=dim, ranks=(len(parts),))
            places.append(place)
        return Opened(parts, tuple(places))
    at = parts.index(rest)
    front, back = at, len(parts) - at - 1
    ahead = max((dim + 1 for dim in dims if dim >= 0), default=0) - front
    behind = max((-dim for dim in dims if dim < 0), default=0) - back
    ahead, behind = max(ahead, 0), max(behind, 0)
    if not _room(front, back, ahead, behind, rest.least, taking_two):
        return None
    if not ahead and not behind:
        return Opened(parts, _located(dims, len(parts)))
    middle: Parts = (
        *(Axis.new(f"axis{front + index}") for index in range(ahead)),
        Rest(max(rest.least - ahead - behind, 0)),
        *(Axis.new(f"axis{index - behind - back}") for index in range(behind)),
    )
    opened = (*parts[:at], *middle, *parts[at + 1 :])
    return Opened(opened, _located(dims, len(opened)), ((rest, middle),))


def _room(front: int, back: int, ahead: int, behind: int, least: int, taking_two: bool) -> bool:
    """Whether new axes surely are other axes than those counted from the other end."""
    if ahead + behind <= least:
        return True
    if taking_two and front + ahead + back + behind == 2:
        if (ahead and back + behind == 1) or (behind and front + ahead == 1):
            return True
    return not (ahead and (back or behind)) and not (behind and (front or ahead))


def _located(dims: Sequence[int], length: int) -> tuple[int, ...]:
    return tuple(dim if dim >= 0 else length + dim for dim in dims)
