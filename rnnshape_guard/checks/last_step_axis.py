"""RSG401: the last step is read, or the steps are averaged, along the axis that holds the batch."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.output_reads import BatchRead, batch_read
from rnnshape_guard.checks.reading import spec_of
from rnnshape_guard.events import Log, Reduced, Selected
from rnnshape_guard.findings import Finding, Label
from rnnshape_guard.layers import settled


def check(event: Selected | Reduced, log: Log) -> Iterator[Finding]:
    """Judge each index -1, and each summary, along what both the layer and the tensor's evidence call the batch."""
    read = batch_read(event, log)
    if read is None or read.pad is not None:
        return
    yield _finding(read)


def _finding(read: BatchRead) -> Finding:
    event, value = read.event, read.value
    subject = {read.batch.root} if read.reorder is not None else {("read", event.id)}
    batch_first = settled(spec_of(read.call).batch_first)
    layout = "batch, time" if batch_first else "time, batch"
    return Finding(
        code="RSG401",
        message=read.fact,
        place=event.place,
        primary=f"axis {read.at} is the batch",
        labels=(Label(read.call.layer.place, f"({layout}, ...)"),),
        expected=wording.shape(read.wanted),
        found=wording.shape(read.result),
        because=wording.because(read.batch) or wording.because(read.time),
        help=f"take the time axis, {read.time_at} of {wording.shape(value)}: {read.remedy}",
        subject=frozenset(subject),
        cause=read.reorder.id if read.reorder is not None else read.call.id,
    )
