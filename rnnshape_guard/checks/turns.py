"""The permutes around a recurrent call: the one that is to blame for a wrong layout, those that were in vain."""

from __future__ import annotations

from functools import lru_cache

from rnnshape_guard.checks.layouts import Contradiction
from rnnshape_guard.checks.reading import layout, spec_of
from rnnshape_guard.checks.roles import only_atom
from rnnshape_guard.events import Discarded, Event, Log, RecurrentCalled, Reordered, Value, reads, values_in
from rnnshape_guard.layers import settled


def misused_move(found: Contradiction, log: Log, earlier: RecurrentCalled | None = None) -> Reordered | None:
    """The permute without which the layer would have met its axes where it reads them, or the one that moves nothing
    where a move was needed. Where `batch_first` was left out, a move tells what was meant better than the default does.
    `earlier` is a call that read the same axes before the move, if one did."""
    value = found.call.value("input")
    axes = layout(found.call)
    if value is None or value.axes is None or axes is None:
        return None
    batch_at, time_at = (0, 1) if settled(spec_of(found.call).batch_first) else (1, 0)
    for moved, event in log.past(value):
        if not isinstance(event, Reordered):
            if not _keeps_axes(event, moved):
                return None
            continue
        before = event.value("input")
        if before is None or before.axes is None or len(before.axes) != 3 or moved.axes is None:
            return None
        if [axis.atoms for axis in before.axes] == [axis.atoms for axis in moved.axes]:
            return event
        if "batch_first" not in spec_of(found.call).given:
            return None
        if before.axes[2].atoms != moved.axes[2].atoms:
            return None
        at_batch, at_time = only_atom(before.axes[batch_at]), only_atom(before.axes[time_at])
        is_right = (found.batch is None or at_batch is found.batch) and (found.time is None or at_time is found.time)
        known_before = (earlier is not None and earlier.id < event.id) or any(
            reason.when <= event.id for atom in found.atoms for reason in atom.reasons()
        )
        return event if is_right and known_before else None
    return None


def turned_back(call: RecurrentCalled, log: Log) -> bool:
    """Whether the program turns what comes out of a call: then it was its input that should have been turned."""
    output = next(values_in(call.result), None)
    if output is None or output.axes is None:
        return False
    first, second = output.axes[0].atoms, output.axes[1].atoms
    for event in log.future(output):
        if not isinstance(event, Reordered) or event.entry != call.entry:
            continue
        before, after = event.value("input"), event.result
        if before is None or before.axes is None or not isinstance(after, Value) or after.axes is None:
            continue
        order = [axis.atoms for axis in before.axes[:2]], [axis.atoms for axis in after.axes[:2]]
        if order == ([first, second], [second, first]):
            return True
    return False


def turned_in_vain(call: RecurrentCalled, log: Log) -> bool:
    """Whether the input of a call, or what it was made of, was to be turned by a permute whose result is thrown away."""
    value = call.value("input")
    if value is None:
        return False
    line = [value]
    for ancestor, event in log.past(value):
        if isinstance(event, RecurrentCalled):
            break
        line += [ancestor, *reads(event)]
    thrown = _thrown_away(log, len(log.events))
    return any(
        isinstance(reader, Reordered) and reader.id in thrown and reader.id < call.id
        for one in line
        for reader in log.readers(one)
    )


@lru_cache(maxsize=2)
def _thrown_away(log: Log, length: int) -> frozenset[int]:
    del length
    return frozenset(event.made_by for event in log.all(Discarded))


def _keeps_axes(event: Event, result: Value) -> bool:
    """Whether an event leaves the order of the leading axes as it is: what it made begins as what it was made from."""
    before = next((given.value for given in getattr(event, "given", {}).values() if given.value is not None), None)
    if before is None or before.axes is None or result.axes is None or isinstance(event, RecurrentCalled):
        return False
    return [axis.atoms for axis in before.axes[:2]] == [axis.atoms for axis in result.axes[:2]]
