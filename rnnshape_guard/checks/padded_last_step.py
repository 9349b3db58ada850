"""RSG408: the last step of a padded batch is read, which for every shorter sequence is padding."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.picking import (
    StepRead,
    contradicted,
    output_reads,
    state_uses,
    stated_batch,
    step_read,
    steps_of,
)
from rnnshape_guard.checks.reading import confirmed, entered
from rnnshape_guard.events import (
    Event,
    FunctionEntered,
    Handed,
    LayerCalled,
    Log,
    PackCalled,
    RecurrentCalled,
    Reshaped,
    Returned,
    Selected,
)
from rnnshape_guard.findings import Because, Finding, Label
from rnnshape_guard.shapes.axes import Role

LENGTHS: Final = re.compile(r"(?:^|_)(?:lens|lengths)$|^(?:lens|lengths)_")
"""Names of parameters that hold a length for each sequence."""


def check(event: Selected | RecurrentCalled, log: Log) -> Iterator[Finding]:
    """Judge each last step of a padded output, and each final state of an RNN that was run over padding."""
    if isinstance(event, Selected):
        read = step_read(event, log)
        if read is not None and read.step == "padded":
            yield _of_padded(read)
        return
    function = entered(event, log)
    name = _lengths(function) if function is not None else None
    if function is None or name is None or not _is_padded(event, function, name, log):
        return
    reader = _final_reader(event, log)
    if reader is not None:
        yield _of_state(event, name, reader)


def _of_padded(read: StepRead) -> Finding:
    event = read.event
    return Finding(
        code="RSG408",
        message=f"{wording.quoted(event.place)} is padding for every sequence but the longest",
        place=event.place,
        primary="the last step of the longest sequence",
        labels=(Label(read.pad.place, "padded to the longest") if read.pad is not None else Label(event.place, ""),),
        expected="the last step of each sequence",
        found="the last step of the batch",
        help=f"read h_n[-1], which {wording.quoted(read.call.layer)} returns beside the output, or index with lengths - 1",
        subject=frozenset({("padded", read.call.id)}),
        cause=event.id,
    )


def _of_state(call: RecurrentCalled, name: str, reader: Event) -> Finding:
    given = call.given["input"]
    return Finding(
        code="RSG408",
        message=f"{wording.quoted(call.layer)} runs on through the padding of {wording.quoted(given)}, "
        f"and {wording.quoted(reader.place)} is read behind it",
        place=call.place,
        primary="runs over the padded batch",
        labels=(Label(reader.place, "the state after the padding"),),
        expected="a packed batch",
        found=wording.shape(given.value),
        because=(Because(f"`{name}` is given to the function and packs nothing", None),),
        help=f"pack_padded_sequence({given.text}, {name}.cpu(), batch_first=…, enforce_sorted=False)",
        subject=frozenset({("padded", call.id)}),
        cause=call.id,
    )


# -- a final state behind padding ----------------------------------------------------------------------------------


def _lengths(function: FunctionEntered) -> str | None:
    """The parameter that holds the lengths, if the caller has to give it."""
    for name, given in function.given.items():
        if LENGTHS.search(name) and given.seen is not None:
            optional = re.search(rf"\b{name}\s*(?::[^,()]*(?:\[[^\]]*\])?)?\s*=", _head(function))
            return None if optional else name
    return None


def _head(function: FunctionEntered) -> str:
    return function.place.text.split("):", 1)[0].split(") ->", 1)[0]


def _is_padded(call: RecurrentCalled, function: FunctionEntered, name: str, log: Log) -> bool:
    """Whether a call runs over a batch whose axes are known, while nothing but the input's own making reads the lengths."""
    steps = steps_of(call)
    value = call.value("input")
    if steps is None or value is None or value.axes is None or contradicted(*steps):
        return False
    if not (confirmed(steps[0], Role.BATCH) or confirmed(steps[1], Role.TIME)):
        if value.made_by < 0 or not stated_batch(steps[0]):
            return False
    if not _is_left_alone(function.place.text, call.place.text, name):
        return False
    word = re.compile(rf"\b{name}\b")
    for event in log.events[function.id : call.id]:
        if isinstance(event, PackCalled) and event.scope == call.scope:
            return False
        if isinstance(event, Handed) and any(word.search(given.text) for given in event.given.values()):
            return False
    return not any(isinstance(event, PackCalled) for event in _inside(call, log))


def _is_left_alone(function: str, call: str, name: str) -> bool:
    """Whether a function reads the lengths before a call at most, and hands them to nobody."""
    if call not in function or re.search(r"left|prepad|pre_pad", function):
        return False
    before, behind = function.split(call, 1)
    body = before.split("):", 1)[-1] if "):" in before else before.split(":", 1)[-1]
    handed = re.search(rf"\(\s*(?:[^()]*,\s*)?{name}\s*[,)]", body)
    return handed is None and re.search(rf"\b{name}\b", behind) is None


def _inside(call: RecurrentCalled, log: Log) -> Iterator[Event]:
    """What follows a call in its function."""
    for event in log.events[call.id + 1 :]:
        if event.entry != call.entry or (isinstance(event, Returned) and event.scope == call.scope):
            return
        yield event


def _final_reader(call: RecurrentCalled, log: Log) -> Event | None:
    """The event that reads the final state, or the last step, as what the sequences come to."""
    for event in state_uses(call, log):
        if isinstance(event, Selected | Reshaped) or (
            isinstance(event, LayerCalled) and not isinstance(event, RecurrentCalled)
        ):
            return event
    for event in output_reads(call, log):
        read = step_read(event, log) if isinstance(event, Selected) else None
        if read is not None and read.step == "last":
            return event
    return None
