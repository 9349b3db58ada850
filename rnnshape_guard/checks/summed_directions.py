"""Outputs of two directions that were added up: what is left holds both of them at each step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rnnshape_guard.checks.lineage import holds_directions, line_of, uses
from rnnshape_guard.checks.picking import SUMMARIES, picks, reduced_axes
from rnnshape_guard.events import Computed, Event, Log, RecurrentCalled, Reduced, Reshaped, Selected, Value, reads
from rnnshape_guard.shapes.axes import Axis, Role
from rnnshape_guard.shapes.dims import Dim
from rnnshape_guard.shapes.outcomes import Slice

_JOINING: Final = frozenset({"+", "add", "*", "mul", "max", "maximum"})
"""What makes one tensor of two, number by number."""


@dataclass(frozen=True, slots=True)
class Summed:
    """An output `whole`, direction beside direction, and the `total` of its directions; `by` are the events that took
    it apart."""

    whole: Value
    total: Value
    by: tuple[Event, ...]


def summed_directions(value: Value, log: Log) -> Summed | None:
    """The output whose directions a value is the sum of, perhaps passed through layers of its own behind the sum:
    ``out[..., :H] + out[..., H:]``, the parts of a ``chunk``, and ``out.view(T, B, 2, H).sum(2)``. Where one of the halves
    is read elsewhere too, the sum is not all that is known of them."""
    for total, event in line_of(value, log):
        match event:
            case Computed(name=name) if name in _JOINING and len(list(reads(event))) == 2:
                return _of_halves(total, event, log)
            case Reduced(name=name) if name in SUMMARIES:
                return _of_axis(total, event, log)
            case RecurrentCalled() | Selected():
                return None
    return None


def _of_halves(total: Value, event: Computed, log: Log) -> Summed | None:
    halves = list(reads(event))
    match [log.maker(half) for half in halves]:
        case [Selected() as one, Selected() as other] if {side_of(halves[0], one), side_of(halves[1], other)} == {0, 1}:
            source = one.value("input")
        case _:
            return None
    if source is None or other.value("input") is not source or any(uses(half, log) != [event] for half in halves):
        return None
    if source.axes and holds_directions(source.axes[-1]):
        return Summed(source, total, (one, other))
    return _split(source, total, {one.id, other.id}, log)


def _split(source: Value, total: Value, readers: set[int], log: Log) -> Summed | None:
    """Directions on an axis of their own, which nothing reads but what makes their sum."""
    split = log.maker(source)
    whole = split.value("input") if isinstance(split, Reshaped) else None
    if split is None or whole is None or not whole.axes or not holds_directions(whole.axes[-1]):
        return None
    return Summed(whole, total, (split,)) if {use.id for use in uses(source, log)} == readers else None


def side_of(half: Value, cut: Selected) -> int | None:
    """Which direction a selection takes of an output: 0 for the forward one, 1 for the reverse one."""
    whole = cut.value("input")
    if whole is None or not whole.axes or not half.axes or holds_directions(half.axes[-1]):
        return None
    if isinstance(cut.result, tuple):
        is_pair = len(cut.result) == 2 and holds_directions(whole.axes[-1])
        return next((at for at, part in enumerate(cut.result) if part is half), None) if is_pair else None
    for pick in picks(cut):
        match pick.item:
            case Slice(start=start, stop=stop) if pick.at == len(whole.axes) - 1 and holds_directions(pick.axis):
                is_first = start is None or (isinstance(start, Dim) and start.literal == 0)
                return 0 if is_first and stop is not None else 1 if not is_first and stop is None else None
            case Dim(literal=0 | 1 as side) if _is_direction(pick.axis):
                return side
    return None


def _of_axis(total: Value, event: Reduced, log: Log) -> Summed | None:
    source, along = event.value("input"), reduced_axes(event)
    if source is None or len(along) != 1 or not _is_direction(along[0]):
        return None
    return _split(source, total, {event.id}, log)


def _is_direction(axis: Axis) -> bool:
    return axis.atom is not None and axis.atom.kind is Role.DIRECTION
