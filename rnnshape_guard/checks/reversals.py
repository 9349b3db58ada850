"""Sequences that are reversed for a second layer, as a bidirectional one does inside: along their steps, or by mistake
along the samples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rnnshape_guard.checks.lineage import contradicted, is_axis, of_one, output_behind, stated_batch, steps_of
from rnnshape_guard.events import Computed, Event, LayerCalled, Log, RecurrentCalled, Reordered, Value, values_in
from rnnshape_guard.shapes.axes import Atom
from rnnshape_guard.shapes.dims import Dim


@dataclass(frozen=True, slots=True)
class Reversal:
    """A batch turned upside down in front of a layer; `beside` is the call that runs over it as it is, or the event
    that turns what came of it back."""

    event: Reordered
    value: Value
    call: RecurrentCalled
    batch: Atom
    at: int
    time_at: int
    beside: Event


def reversal(event: Reordered, log: Log) -> Reversal | None:
    """A flip along the batch, where another layer takes the same sequences unflipped, or the output is flipped back:
    what was meant are the steps. Flipped samples alone may be the strangers that a batch is compared with."""
    value, at = event.value("input"), _flipped(event)
    axes = value.axes if value is not None else None
    if value is None or axes is None or at is None or event.path or not -len(axes) <= at < len(axes):
        return None
    at %= len(axes)
    for call in _runs(event, log):
        pair = steps_of(call)
        if pair is None or not is_axis(axes[at], pair[0]) or not stated_batch(pair[0]) or contradicted(*pair):
            continue
        time_at = next((index for index, axis in enumerate(axes) if is_axis(axis, pair[1])), None)
        beside = _beside(value, call, log) or _turned_back(call, pair[0], log)
        if time_at is not None and beside is not None:
            return Reversal(event, value, call, pair[0], at, time_at, beside)
    return None


def _flipped(event: Reordered) -> int | None:
    """The one axis that a flip turns around."""
    match event.seen("dims") if event.name == "flip" else None:
        case Dim(literal=at) | (Dim(literal=at),):
            return at
    return None


def _runs(event: Reordered, log: Log) -> Iterator[RecurrentCalled]:
    """The recurrent calls over what an event made, perhaps through layers of one tensor."""
    pending, seen = [*values_in(event.result)], set[int]()
    while pending and len(seen) < 12:
        value = pending.pop()
        seen.add(value.id)
        for reader in log.readers(value):
            if isinstance(reader, RecurrentCalled) and reader.value("input") is value:
                yield reader
            elif isinstance(reader, LayerCalled | Computed) and of_one(reader):
                pending += [one for one in values_in(reader.result) if one.id not in seen]


def _beside(value: Value, call: RecurrentCalled, log: Log) -> RecurrentCalled | None:
    """The call of another layer over the same sequences as they came."""
    others = (one for one in log.readers(value) if isinstance(one, RecurrentCalled))
    return next((one for one in others if one.layer.id != call.layer.id), None)


def _turned_back(call: RecurrentCalled, batch: Atom, log: Log) -> Reordered | None:
    """The flip of an output along the batch."""
    for event in log.events[call.id + 1 :]:
        if event.entry != call.entry:
            break
        if not isinstance(event, Reordered):
            continue
        value, at = event.value("input"), _flipped(event)
        if value is None or value.axes is None or at is None or not -len(value.axes) <= at < len(value.axes):
            continue
        if is_axis(value.axes[at], batch) and output_behind(value, log) is call:
            return event
    return None
