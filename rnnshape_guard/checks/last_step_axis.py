"""RSG401: the last step is read, or the steps are averaged, along the axis that holds the batch."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.layouts import is_callers_choice, is_chosen_batch_first
from rnnshape_guard.checks.output_reads import (
    BatchRead,
    CrossedRead,
    FeatureRead,
    batch_read,
    crossed_read,
    feature_read,
)
from rnnshape_guard.checks.reading import spec_of
from rnnshape_guard.checks.reversals import Reversal, reversal
from rnnshape_guard.checks.roles import only_atom
from rnnshape_guard.checks.uses import Use, used_against
from rnnshape_guard.events import Log, RecurrentCalled, Reduced, Reordered, Selected, values_in
from rnnshape_guard.findings import Because, Finding, Label
from rnnshape_guard.layers import settled
from rnnshape_guard.shapes.axes import Shape, Strength


def check(event: Selected | Reduced | Reordered | RecurrentCalled, log: Log) -> Iterator[Finding]:
    """Judge each index -1, and each summary, along what both the layer and the tensor's evidence call the batch, or what
    a layer reads as the batch that was told ``batch_first=True``; and each sequence that is reversed along it."""
    if isinstance(event, RecurrentCalled):
        use = used_against(event, log) if is_chosen_batch_first(event, log) else None
        if use is not None:
            yield _against_the_choice(event, use)
        return
    if isinstance(event, Reordered):
        turned = reversal(event, log)
        if turned is not None:
            yield _reversed(turned)
        return
    crossed = crossed_read(event, log) if isinstance(event, Selected) else None
    if crossed is not None:
        yield _crossed(crossed)
        return
    feature = feature_read(event, log) if isinstance(event, Selected) else None
    if feature is not None:
        yield _of_features(feature)
        return
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


def _crossed(read: CrossedRead) -> Finding:
    event = read.event
    return Finding(
        code="RSG401",
        message=f"{wording.quoted(event.place)} counts the samples along axis {read.rows_at}, which is time",
        place=event.place,
        primary=f"axis {read.steps_at} is the batch",
        labels=(Label(read.call.layer.place, "made here"),),
        expected="(batch, time, ...)" if read.rows_at == 0 else "(time, batch, ...)",
        found=wording.shape(read.value),
        help="swap the two indices",
        subject=frozenset({("read", event.id)}),
        cause=read.call.id,
    )


def _reversed(read: Reversal) -> Finding:
    event = read.event
    holder = event.given["input"].text or "x"
    return Finding(
        code="RSG401",
        message=f"{wording.quoted(event.place)} reverses the samples of the batch, not their steps",
        place=event.place,
        primary=f"axis {read.at} is the batch",
        labels=(
            Label(read.call.place, "runs over the reversed batch"),
            Label(read.beside.place, "over the batch as it came")
            if isinstance(read.beside, RecurrentCalled)
            else Label(read.beside.place, "turns it back"),
        ),
        expected=f"a flip along axis {read.time_at}",
        found=f"a flip along axis {read.at} of {wording.shape(read.value)}",
        because=wording.because(read.batch, Strength.LAYER),
        help=f"{holder}.flip({read.time_at})",
        subject=frozenset({("flip", event.id)}),
        cause=event.id,
    )


def _of_features(read: FeatureRead) -> Finding:
    event, axes = read.event, read.value.axes or ()
    holder = event.given["input"].text or "out"
    return Finding(
        code="RSG401",
        message=f"{wording.quoted(event.place)} is the last feature of every step, not the last step",
        place=event.place,
        primary=f"axis {read.at} is the features",
        labels=(Label(read.reader.layer.place, f"takes {wording.sizes_of(axes[read.at])} features"),),
        expected=wording.shape(Shape(tuple(axis for at, axis in enumerate(axes) if at != read.time_at))),
        found=wording.shape(next(values_in(event.result), None)),
        help=f"take the time axis, {read.time_at} of {wording.shape(read.value)}: {holder}[{':, ' * read.time_at}-1]",
        subject=frozenset({("read", event.id), ("features", read.reader.layer.id)}),
        cause=event.id,
    )


def _against_the_choice(call: RecurrentCalled, use: Use) -> Finding:
    event = use.event
    axes = use.value.axes or ()
    words = wording.quoted(event.place)
    holder = event.given["input"].text or "out"
    is_step = isinstance(event, Selected)
    return Finding(
        code="RSG401",
        message=f"{words} is the last sample of the batch, not the last step"
        if is_step
        else f"{words} goes over the batch, not over time",
        place=event.place,
        primary=f"axis {use.at} is the batch",
        labels=(Label(call.layer.argument_places.get("batch_first", call.layer.place), "batch first"),),
        expected=wording.shape(Shape(tuple(axis for at, axis in enumerate(axes) if at != 1))),
        found=wording.shape(next(values_in(event.result), None)),
        because=(Because(f"{wording.quoted(call.layer)} was told batch_first=True", call.layer.place),),
        help=f"{holder}[:, -1]"
        if is_step
        else f"{holder}.{event.name}(dim=1)"
        if isinstance(event, Reduced)
        else "dim=1",
        subject=frozenset(atom.root for axis in axes[:2] if (atom := only_atom(axis)) is not None),
        cause=call.id,
        only_seen=is_callers_choice(call),
    )
