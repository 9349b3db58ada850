"""RSG403: a bidirectional RNN's final state is read for one direction, or its layers and directions are confused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.lineage import beside, both_directions, is_settled, is_used, of_one, uses
from rnnshape_guard.checks.output_reads import output_reads
from rnnshape_guard.checks.reading import misfits, spec_of
from rnnshape_guard.checks.state_reads import StateRead, other_state_reads, state_read
from rnnshape_guard.events import Computed, Log, RecurrentCalled, Returned, Selected, values_in
from rnnshape_guard.findings import Finding, Label, Severity
from rnnshape_guard.layers import Size
from rnnshape_guard.shapes.dims import Condition, Dim, compare, same_size
from rnnshape_guard.shapes.outcomes import Fault, Misfit, Slice

_LISTED: Final = 3
"""As many layers' places are listed one by one."""


def check(event: Selected, log: Log) -> Iterator[Finding]:
    """Judge each selection along the layers and directions of a final state."""
    if (misfit := next(iter(misfits(event, Fault.AXIS)), None)) is not None and not event.path:
        yield from _out_of_range(event, misfit, log)
        return
    read = state_read(event, log)
    if read is None or not is_used(event, log):
        return
    condition = both_directions(read.call)
    if condition is None or not is_settled(event, condition) or other_state_reads(read, log):
        return
    if _is_one(spec_of(read.call).num_layers) and _only_begins(read, log):
        return
    which = _some_layers(read)
    if which is not None and not _is_one(spec_of(read.call).num_layers):
        yield _finding(read, condition, f"takes both directions of the {which} layers, not one direction of each layer")
    elif which is not None:
        yield _finding(read, condition, f"is the {'forward' if which == 'lower' else 'reverse'} direction alone")
    elif (half := _half(read)) is not None and all(
        isinstance(one, Returned) for one in beside(event, output_reads(read.call, log))
    ):
        yield _finding(read, condition, f"is the {half} direction alone")


def _out_of_range(event: Selected, misfit: Misfit, log: Log) -> Iterator[Finding]:
    """A place in the state that the layer has not: two directions are read of one."""
    value = event.value("input")
    call = log.maker(value) if value is not None else None
    if value is None or value.part not in ("h_n", "c_n") or not isinstance(call, RecurrentCalled) or misfit.axis != 0:
        return
    has = wording.size(misfit.expected) if misfit.expected is not None else "?"
    yield Finding(
        code="RSG403",
        message=f"{wording.quoted(event.place)} is not there: {wording.quoted(call.layer)} has layers·directions = {has}",
        place=event.place,
        primary=f"of {wording.shape(value)}",
        labels=(Label(call.layer.place, f"layers·directions = {has}"),),
        expected=f"an index below {has}",
        found=wording.size(misfit.found) if misfit.found is not None else "",
        severity=Severity.ERROR,
        subject=frozenset({("state", call.id)}),
        cause=event.id,
    )


def _some_layers(read: StateRead) -> str | None:
    """``h_n[:layers]``: as many as there are layers, from the front; or, named so, from the back."""
    layers = spec_of(read.call).num_layers
    if not isinstance(layers, Dim):
        return None
    match read.pick.item:
        case Slice(start=None | Dim(literal=0), stop=Dim() as stop, step=None):
            return "lower" if same_size(stop, layers) or compare(stop, layers).equal else None
        case Slice(start=Dim() as start, stop=None, step=None):
            return "upper" if same_size(start, layers) or same_size(-start, layers) else None
    return None


def _only_begins(read: StateRead, log: Log) -> bool:
    """Whether a slice, its axis of layers kept, is only ever another layer's initial state: which direction a decoder
    goes on from is a choice."""
    if not isinstance(read.pick.item, Slice):
        return False
    pending = list(values_in(read.event.result))
    begun = False
    while pending:
        value = pending.pop()
        for use in uses(value, log):
            if isinstance(use, Computed) and of_one(use):
                pending += values_in(use.result)
            elif isinstance(use, RecurrentCalled) and use.value("input") is not value:
                begun = True
            elif not isinstance(use, Returned):
                return False
    return begun


def _is_one(layers: Size) -> bool:
    return isinstance(layers, Dim) and layers.value == 1


def _half(read: StateRead) -> str | None:
    one = _is_one(spec_of(read.call).num_layers)
    match read.pick.number:
        case -1:
            return "reverse"
        case 1 if one:
            return "reverse"
        case 0 if one:
            return "forward"
    return None


def _finding(read: StateRead, condition: Condition, fact: str) -> Finding:
    event = read.event
    state = event.given["input"].text or "h_n"
    if isinstance(read.pick.item, Slice) and read.pick.number is None:
        expected = "one direction of each layer"
        remedy = f"{state}[0::2] + {state}[1::2], or a view to (layers, 2, batch, hidden)"
    else:
        expected = "both directions of the last layer"
        remedy = f"torch.cat(({state}[-2], {state}[-1]), dim=1), of twice as many features"
    return Finding(
        code="RSG403",
        message=f"{wording.quoted(event.place)} {fact}",
        place=event.place,
        primary=f"of {wording.shape(read.value)}",
        labels=(Label(read.call.layer.place, "2 directions"),),
        expected=expected,
        found=_places(read),
        help=remedy,
        condition=wording.when(condition),
        subject=frozenset({("state", read.call.id)}),
        cause=event.id,
    )


def _places(read: StateRead) -> str:
    """What was taken, place by place: ``layer 0 forward, layer 0 reverse``."""
    layers = spec_of(read.call).num_layers
    count = layers.value if isinstance(layers, Dim) else None
    if count is None or count > _LISTED:
        return "places in the order layer 0 forward, layer 0 reverse, layer 1 forward, ..."
    names = [f"layer {layer} {way}" for layer in range(count) for way in ("forward", "reverse")]
    number = read.pick.number
    if number is not None:
        return names[number]
    return ", ".join(names[:count] if _some_layers(read) == "lower" else names[-count:])
