"""RSG404: a final state is indexed as if its first axis were the batch, or its first layer is taken for its last."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.lineage import beside, is_used
from rnnshape_guard.checks.output_reads import output_reads
from rnnshape_guard.checks.reading import spec_of
from rnnshape_guard.checks.state_reads import (
    StateRead,
    feeds_layer,
    is_order_of_samples,
    numbers_read,
    sample_read,
    state_read,
    unsqueezed_state,
)
from rnnshape_guard.events import Log, RecurrentCalled, Reshaped, Selected, Value
from rnnshape_guard.findings import Finding, Label
from rnnshape_guard.shapes.dims import Dim, surely_above_one


def check(event: Selected | Reshaped, log: Log) -> Iterator[Finding]:
    """Judge each index into a final state as its RNN returned it, and each squeeze that is to drop its layers."""
    if isinstance(event, Reshaped):
        kept = unsqueezed_state(event, log)
        if kept is not None and feeds_layer(event, log):
            yield _kept(event, *kept)
        return
    sample = sample_read(event, log)
    if sample is not None:
        if is_used(event, log) and (sample.pick.number == -1 or feeds_layer(event, log)):
            yield _sample(sample)
        return
    read = state_read(event, log)
    if read is not None and is_order_of_samples(read):
        yield _samples_of_layers(read)
        return
    if read is None or not is_used(event, log) or beside(event, output_reads(read.call, log)):
        return
    spec = spec_of(read.call)
    layers, directions = spec.num_layers, spec.directions
    if not isinstance(layers, Dim) or not surely_above_one(layers) or not isinstance(directions, Dim):
        return
    bottom = {1: {0}, 2: {0, 1}}.get(directions.value or 0)
    if bottom is not None and numbers_read(read, log) == bottom:
        yield _bottom(read, layers)


def _sample(read: StateRead) -> Finding:
    event = read.event
    state = event.given["input"].text or "h_n"
    which = "last" if read.pick.number == -1 else "first"
    return Finding(
        code="RSG404",
        message=f"{wording.quoted(event.place)} is the {which} sample of the batch: a state is never batch-first",
        place=event.place,
        primary=f"axis {read.pick.at} is the batch",
        labels=(Label(read.call.place, f"h_n is {wording.shape(read.value)}"),),
        expected="(batch, hidden)",
        found=wording.shape(event.result if isinstance(event.result, Value) else None),
        help=f"{state}[-1]",
        subject=frozenset({("state", read.call.id, read.value.part)}),
        cause=event.id,
    )


def _samples_of_layers(read: StateRead) -> Finding:
    event = read.event
    state = event.given["input"].text or "h_n"
    index = read.pick.item
    words = event.given["index"].text if "index" in event.given else ""
    return Finding(
        code="RSG404",
        message=f"{wording.quoted(event.place)} orders the layers of {wording.quoted(state)} by an index of samples",
        place=event.place,
        primary="axis 0 is layers·directions",
        labels=(Label(read.call.place, f"h_n is {wording.shape(read.value)}"),),
        expected="an index along axis 1, the batch",
        found=wording.shape(index) if isinstance(index, Value) else "",
        help=f"{state}.index_select(1, {words})" if words else "",
        subject=frozenset({("state", read.call.id, read.value.part)}),
        cause=event.id,
    )


def _kept(event: Reshaped, value: Value, call: RecurrentCalled) -> Finding:
    state = event.given["input"].text or "h_n"
    spec = spec_of(call)
    places = value.axes[0] if value.axes else None
    size = wording.size(places.size) if places is not None else "?"
    at = "bidirectional" if spec.directions == 2 and spec.num_layers == 1 else "num_layers"
    return Finding(
        code="RSG404",
        message=f"{wording.quoted(event.place)} drops nothing: {wording.quoted(call.layer)} has layers·directions = {size}",
        place=event.place,
        primary=f"stays {wording.shape(value)}",
        labels=(Label(call.layer.argument_places.get(at, call.layer.place), f"layers·directions = {size}"),),
        expected="(batch, hidden)",
        found=wording.shape(event.result if isinstance(event.result, Value) else None),
        help=f"{state}[-1]" if spec.directions == 1 else f"torch.cat(({state}[-2], {state}[-1]), dim=1)",
        subject=frozenset({("state", call.id, value.part)}),
        cause=event.id,
    )


def _bottom(read: StateRead, layers: Dim) -> Finding:
    event = read.event
    state = event.given["input"].text or "h_n"
    return Finding(
        code="RSG404",
        message=f"{wording.quoted(event.place)} is the bottom layer of {wording.size(layers)}",
        place=event.place,
        primary="layer 0",
        labels=(
            Label(
                read.call.layer.argument_places.get("num_layers", read.call.layer.place),
                f"{wording.size(layers)} layers",
            ),
        ),
        expected="the last layer",
        found="the first layer",
        help=f"{state}[-1]" if spec_of(read.call).directions == 1 else f"{state}[-2] and {state}[-1]",
        subject=frozenset({("state", read.call.id, read.value.part)}),
        cause=event.id,
    )
