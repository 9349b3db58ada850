"""RSG704: a product of queries and keys relates the steps of one sample to another sample's."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.lineage import stated_batch
from rnnshape_guard.checks.reading import recurrent_origin
from rnnshape_guard.events import Contracted, Log, Value, values_in
from rnnshape_guard.findings import Because, Finding, Label
from rnnshape_guard.shapes.axes import Atom, Axis, Role


def check(event: Contracted, log: Log) -> Iterator[Finding]:
    """Judge each batched product whose result has the batch on two axes."""
    result = event.result
    if event.name not in ("bmm", "matmul", "baddbmm") or not isinstance(result, Value) or result.axes is None:
        return
    if len(result.axes) < 3:
        return
    operands = [value for given in event.given.values() for value in values_in(given.seen)]
    if not any(recurrent_origin(value, log) is not None for value in operands):
        return
    batch = _twice(result.axes)
    if batch is None or not stated_batch(batch) or any(_twice(value.axes or ()) is batch for value in operands):
        return
    yield _finding(event, result, result.axes, batch)


def _twice(axes: tuple[Axis, ...]) -> Atom | None:
    """The atom that stands on two axes, if there is one."""
    seen: list[Atom] = []
    for axis in axes:
        if axis.atom is None or axis.size.value == 1:
            continue
        if any(one is axis.atom.root for one in seen) and stated_batch(axis.atom.root):
            return axis.atom.root
        seen.append(axis.atom.root)
    return None


def _finding(event: Contracted, result: Value, axes: tuple[Axis, ...], batch: Atom) -> Finding:
    lead = axes[0].atom
    by_batch = lead is not None and lead.root is batch
    first = event.given["input"]
    if by_batch:
        message = f"{wording.quoted(event.place)} multiplies every sample with every other: one operand has no axis for its step"
        remedy = f"{first.text}.unsqueeze(1)"
    else:
        message = f"{wording.quoted(event.place)} takes {wording.axis_name(axes[0])} for the batch, and sets samples against samples"
        remedy = f"{first.text} = {first.text}.transpose(0, 1)"
    reasons = wording.because(batch) or tuple(
        Because(one.text, one.place) for one in batch.evidence if one.role is Role.BATCH
    )
    labels = [
        Label(given.place, wording.shape(given.value))
        for given in event.given.values()
        if given.place is not None and given.value is not None
    ]
    return Finding(
        code="RSG704",
        message=message,
        place=event.place,
        primary="the batch is on two axes",
        labels=tuple(labels[:2]),
        expected="(batch, ..., ...)",
        found=wording.shape(result),
        because=reasons[:2],
        help=remedy,
        subject=frozenset({("pairs", batch)}),
        cause=event.id,
    )
