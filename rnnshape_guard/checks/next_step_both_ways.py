"""RSG411: a bidirectional layer is to say the next step of what it reads, and its reverse half has read it."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.lineage import both_directions
from rnnshape_guard.checks.shifts import Cut, cut, follows, is_one_step_on
from rnnshape_guard.events import (
    Computed,
    Event,
    LayerCalled,
    Log,
    LossCalled,
    RecurrentCalled,
    Reordered,
    Reshaped,
    Value,
    reads,
)
from rnnshape_guard.findings import Finding, Label


def check(loss: LossCalled, log: Log) -> Iterator[Finding]:
    """Judge each loss that compares what a layer made of a tensor with that tensor one step on."""
    answer, target = loss.value("input"), loss.value("target")
    if answer is None or target is None:
        return
    call = _layer_behind(answer, log)
    condition = both_directions(call) if call is not None else None
    read = call.value("input") if call is not None else None
    if call is None or condition is None or read is None:
        return
    later = _cut_behind(target, log)
    earlier = _cut_behind(read, log) or _cut_behind(answer, log)
    if later is None or earlier is None or not (follows(later, earlier) or _answers(read, later, earlier, log)):
        return
    yield Finding(
        code="RSG411",
        message=f"{wording.quoted(call.layer)} reads both ways, so at each step it has read the next one, which it is to predict",
        place=call.layer.argument_places.get("bidirectional", call.layer.place),
        primary="the reverse half comes from the end",
        labels=(
            Label(earlier.event.place, "what it reads"),
            Label(later.event.place, "what it is to predict: one step on"),
        ),
        expected="an answer that depends on the steps before it",
        found="an answer that depends on all steps",
        help="a layer of one direction; for the reverse direction too, a second one that predicts the step before",
        condition=wording.when(condition),
        subject=frozenset({("half seen", call.id), ("ahead", call.layer.id)}),
        cause=call.id,
    )


def _answers(read: Value, later: Cut, earlier: Cut, log: Log) -> bool:
    """Whether a layer reads all of what a target is cut from, and its answers are cut one step before it."""
    is_whole = later.source is read or any(
        later.source in reads(event) for _, event in log.past(read) if _keeps_steps(event)
    )
    return is_whole and is_one_step_on(later, earlier)


def _layer_behind(answer: Value, log: Log) -> RecurrentCalled | None:
    """The recurrent layer of whose every step an answer was made."""
    for value, event in log.past(answer):
        if isinstance(event, RecurrentCalled):
            return event if value.part == "output" else None
        if not _keeps_steps(event) and cut(event) is None:
            return None
    return None


def _cut_behind(value: Value, log: Log) -> Cut | None:
    """The slice that a tensor was made of, by what keeps its steps in their order."""
    for _, event in log.past(value):
        found = cut(event)
        if found is not None:
            return found
        if not _keeps_steps(event):
            return None
    return None


def _keeps_steps(event: Event) -> bool:
    return isinstance(event, LayerCalled | Computed | Reshaped | Reordered) and not isinstance(event, RecurrentCalled)
