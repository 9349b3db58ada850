"""Recursions that are written out by hand: what one pass of a loop makes goes into the next, through the gate of a cell or
the sum over paths of a CRF."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rnnshape_guard.checks.lineage import stated_batch
from rnnshape_guard.checks.picking import is_whole, picks
from rnnshape_guard.checks.widths import is_gate
from rnnshape_guard.events import Computed, Event, Log, Reduced, Reordered, Selected, Value, reads, values_in
from rnnshape_guard.shapes.axes import Atom
from rnnshape_guard.shapes.dims import Dim

_WAVES = 10
_MOST = 120


@dataclass(frozen=True, slots=True)
class SampleBySample:
    """A loop over the batch of `value` that carries a state from sample to sample; `step` is where it does, `turned` the
    last event that moved the axes."""

    event: Selected
    value: Value
    batch: Atom
    at: int
    step: Event
    turned: Reordered | None


def sample_by_sample(event: Selected, log: Log) -> SampleBySample | None:
    """Judge each loop over rows of which the state keeps all steps. Where the rows are taken apart by another loop first,
    it is the other that may carry a state along; where their steps are summed up first, sentence may follow sentence."""
    value = event.value("input")
    taken = [pick for pick in picks(event) if not is_whole(pick.item)] if _is_row(event) else []
    atom = taken[0].axis.atom if len(taken) == 1 else None
    if value is None or atom is None or event.path or not stated_batch(atom):
        return None
    if len(value.axes or ()) < 3 or taken[0].at > 1:
        return None
    steps = (value.axes or ())[1 - taken[0].at].atom
    for step in _steps(event, log):
        if steps is None or not _has_axis(step, steps):
            continue
        later = (one for one in _steps(event, log) if one.id > step.id and one.place.spot == step.place.spot)
        if any(_comes_of(one, step, log) for one in later):
            moves = (one for _, one in log.past(value) if isinstance(one, Reordered))
            return SampleBySample(event, value, atom, taken[0].at, step, next(moves, None))
    return None


def _has_axis(event: Event, atom: Atom) -> bool:
    """Whether what an event made has an axis, as it is."""
    results = [axis for value in values_in(event.result) for axis in value.axes or ()]
    return any(axis.atom is not None and axis.atom.root is atom.root for axis in results)


def _is_row(event: Event) -> bool:
    """Whether a subscript takes what a loop counts."""
    items = event.seen("items") if isinstance(event, Selected) else ()
    counted = (item for item in items if isinstance(item, Dim)) if isinstance(items, tuple) else ()
    return any(item.literal is None or item.below is not None for item in counted)


def _steps(event: Selected, log: Log) -> Iterator[Event]:
    """The steps of a recursion that a row goes into."""
    wave, seen = [*values_in(event.result)], set[int]()
    for _ in range(_WAVES):
        following: list[Value] = []
        for value in wave:
            for reader in log.readers(value):
                if reader.id in seen or _is_row(reader):
                    continue
                seen.add(reader.id)
                if is_gate(reader, log) or _is_sum_over_paths(reader, log):
                    yield reader
                following += values_in(reader.result)
        wave = following


def _is_sum_over_paths(event: Event, log: Log) -> bool:
    """Whether scores are added to what paths have had so far, and summed up over them."""
    value = event.value("input") if isinstance(event, Reduced) and event.name == "logsumexp" else None
    maker = log.maker(value) if value is not None else None
    return isinstance(maker, Computed) and maker.name in ("+", "add")


def _comes_of(event: Event, earlier: Event, log: Log) -> bool:
    """Whether an event reads something that an earlier one made."""
    made = {value.id for value in values_in(earlier.result)}
    pending, seen = [*reads(event)], set[int]()
    while pending and len(seen) < _MOST:
        value = pending.pop()
        if value.id in made:
            return True
        if value.id in seen:
            continue
        seen.add(value.id)
        maker = log.maker(value)
        if maker is not None and maker.id > earlier.id:
            pending += reads(maker)
    return False
