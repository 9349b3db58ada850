"""Two slices of one tensor, one step apart: what a model reads and what it is to say next. They lie along the time.

>>> # inputs, targets = chunk[:, :-1], chunk[:, 1:]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rnnshape_guard.checks.picking import Pick, front_picks, is_whole, picks
from rnnshape_guard.events import Event, Log, Selected, Value
from rnnshape_guard.shapes.axes import Axis, Evidence, Role, Strength
from rnnshape_guard.shapes.dims import Dim, resolve
from rnnshape_guard.shapes.outcomes import Slice


@dataclass(frozen=True, slots=True)
class Cut:
    """A slice of a tensor along one axis, from `start` to `stop`, with steps of 1."""

    event: Selected
    source: Value
    at: int
    axis: Axis
    start: Dim
    stop: Dim


def cut(event: Event) -> Cut | None:
    """What an event cuts off a tensor along one of its axes alone; None for anything else."""
    if not isinstance(event, Selected) or event.name != "index":
        return None
    source = event.value("input")
    if source is None:
        return None
    taken = [pick for pick in picks(event) or front_picks(event) if not is_whole(pick.item)]
    match taken:
        case [Pick(at=at, axis=axis, item=Slice(start=start, stop=stop, step=None | Dim(literal=1)))]:
            first, last = _bound(start, axis, Dim.of(0)), _bound(stop, axis, axis.size)
            if first is not None and last is not None:
                return Cut(event, source, at, axis, first, last)
    return None


def _bound(bound: object, axis: Axis, default: Dim) -> Dim | None:
    """A bound of a slice, counted from the front."""
    match bound:
        case None:
            return default
        case Dim(literal=int() as number) if number < 0:
            return axis.size + number
        case Dim():
            return bound
    return None


def follows(later: Cut, earlier: Cut) -> bool:
    """Whether one slice is the other one step on."""
    return later.source is earlier.source and is_one_step_on(later, earlier)


def is_one_step_on(later: Cut, earlier: Cut) -> bool:
    """Whether one slice begins and ends one step behind the other, along the same axis."""
    return (
        later.at == earlier.at
        and (later.start - earlier.start).literal == 1
        and resolve(later.stop - earlier.stop, numbers=False).literal == 1
    )


def learn(log: Log) -> None:
    """Let the axes know along which two such slices lie that they are the time."""
    for later, earlier in _pairs(log):
        atom = later.axis.atom
        if atom is not None and atom.kind is None:
            text = f"`{earlier.event.place.text}` and `{later.event.place.text}` are one step apart along it"
            atom.learn(Evidence(Role.TIME, Strength.USE, text, later.event.place, later.event.id))


def _pairs(log: Log) -> Iterator[tuple[Cut, Cut]]:
    cuts: dict[int, list[Cut]] = {}
    for event in log.all(Selected):
        found = None if event.uncertain else cut(event)
        if found is None:
            continue
        for other in cuts.setdefault(found.source.id, []):
            if follows(found, other):
                yield found, other
            elif follows(other, found):
                yield other, found
        cuts[found.source.id].append(found)
