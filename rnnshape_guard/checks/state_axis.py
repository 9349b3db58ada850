"""RSG404: a final state is indexed as if its first axis were the batch, or its first layer is taken for its last."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.lineage import beside, is_used
from rnnshape_guard.checks.output_reads import output_reads
from rnnshape_guard.checks.reading import spec_of
from rnnshape_guard.checks.state_reads import StateRead, feeds_layer, numbers_read, sample_read, state_read
from rnnshape_guard.events import Log, Selected, Value
from rnnshape_guard.findings import Finding, Label
from rnnshape_guard.shapes.dims import Dim, surely_above_one


def check(event: Selected, log: Log) -> Iterator[Finding]:
    """Judge each index into a final state as its RNN returned it."""
    sample = sample_read(event, log)
    if sample is not None:
        if is_used(event, log) and (sample.pick.number == -1 or feeds_layer(event, log)):
            yield _sample(sample)
        return
    read = state_read(event, log)
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
