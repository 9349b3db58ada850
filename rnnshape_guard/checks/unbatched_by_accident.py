"""RSG104: a batch of vectors is read by a recurrent layer as one unbatched sequence."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.paths import batch_of
from rnnshape_guard.checks.reading import spec_of
from rnnshape_guard.checks.roles import because_of, only_atom, role_of
from rnnshape_guard.events import Log, RecurrentCalled, Selected
from rnnshape_guard.findings import Because, Finding, Label
from rnnshape_guard.layers import settled
from rnnshape_guard.shapes.axes import Atom, Role


def check(call: RecurrentCalled, log: Log) -> Iterator[Finding]:
    """Judge each call whose input has two axes and whose first axis is the batch: because something says so, or because
    an earlier recurrent layer on the path read it as the batch."""
    value = call.value("input")
    if value is None or value.axes is None or len(value.axes) != 2 or call.seen("hx") is not None:
        return
    batch = only_atom(value.axes[0])
    if batch is None:
        return
    role = role_of(batch)
    because = because_of(batch)
    if role is None:
        earlier = _earlier(call, batch, log)
        if earlier is None:
            return
        because = (Because(f"{wording.quoted(earlier.layer)} reads this axis as the batch", earlier.place),)
    elif role is not Role.BATCH:
        return
    yield _finding(call, batch, because, log)


def _earlier(call: RecurrentCalled, batch: Atom, log: Log) -> RecurrentCalled | None:
    value = call.value("input")
    if value is None:
        return None
    for _, event in log.past(value):
        if isinstance(event, RecurrentCalled):
            return event if batch_of(event) is batch else None
    return None


def _finding(call: RecurrentCalled, batch: Atom, because: tuple[Because, ...], log: Log) -> Finding:
    given = call.given["input"]
    batch_first = settled(spec_of(call).batch_first)
    return Finding(
        code="RSG104",
        message=(
            f"{wording.quoted(call.layer)} reads {wording.quoted(given)} as one sequence of (time, feature), "
            f"but its first axis is the batch"
        ),
        place=call.place,
        primary=f"{wording.quoted(given)} has two axes",
        labels=() if given.place is None else (Label(given.place, wording.shape(given.value)),),
        expected="(batch, time, feature)"
        if batch_first is True
        else "(time, batch, feature)"
        if batch_first is False
        else "(batch, time, feature) in its layout",
        found=wording.shape(given.value),
        because=because,
        help=_remedy(call, log),
        subject=frozenset({batch.root, ("features", call.layer.id)}),
        cause=call.id,
    )


def _remedy(call: RecurrentCalled, log: Log) -> str:
    value, given = call.value("input"), call.given["input"]
    maker = log.maker(value) if value is not None else None
    if isinstance(maker, Selected):
        source = maker.given.get("input")
        text = source.text if source is not None else ""
        return f"give the layer all steps: {text}" if text else "give the layer all steps"
    text = given.text if given.text.isidentifier() else "x"
    return f"{text}.unsqueeze(-1) for steps of one feature, {text}.unsqueeze({1 if settled(spec_of(call).batch_first) else 0}) for one step"
