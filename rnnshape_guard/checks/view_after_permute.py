"""RSG306: a view of a tensor that a permute or transpose has just turned: its memory is not contiguous."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.moves import arguments, is_method, receiver
from rnnshape_guard.checks.reading import misfits
from rnnshape_guard.events import Log, Reordered, Reshaped
from rnnshape_guard.findings import Because, Finding, Label
from rnnshape_guard.shapes.outcomes import Fault


def check(event: Reshaped, log: Log) -> Iterator[Finding]:
    """Judge each view that torch refuses for its strides, where a move in sight made them so."""
    value = event.value("input")
    if value is None or not misfits(event, Fault.STRIDES):
        return
    move = next((step for _, step in log.past(value) if isinstance(step, Reordered)), None)
    if move is None:
        return
    given = event.given.get("input")
    text = receiver(event)
    yield Finding(
        code="RSG306",
        message=f"`{event.name.rpartition('.')[2]}` cannot join axes of {wording.quoted(text)}, which lie apart in memory",
        place=event.place,
        primary="not contiguous",
        labels=() if given is None or given.place is None else (Label(given.place, wording.shape(value)),),
        because=(Because(f"{wording.quoted(move.place)} turned the axes and left the data", move.place),),
        help=f"{text}.reshape({arguments(event)})" if is_method(event) else f"{text}.contiguous() first",
        subject=frozenset({("strides", event.id)}),
        cause=event.id,
    )
