"""RSG402: one position of a bidirectional output is read for both directions, where one of them has seen one step."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.lineage import (
    beside,
    both_directions,
    holds_directions,
    is_settled,
    is_used,
    line_of,
    state_uses,
    uses,
)
from rnnshape_guard.checks.output_reads import StepRead, other_reads, step_read
from rnnshape_guard.checks.reading import spec_of
from rnnshape_guard.checks.summed_directions import side_of
from rnnshape_guard.events import LayerCalled, Log, RecurrentCalled, Returned, Selected, Value, values_in
from rnnshape_guard.findings import Finding, Label
from rnnshape_guard.shapes.axes import Shape
from rnnshape_guard.shapes.dims import Condition, Dim


def check(event: Selected, log: Log) -> Iterator[Finding]:
    """Judge each selection of one step that keeps both directions of an output."""
    read = step_read(event, log)
    if read is not None and _is_alone(read, log):
        yield _first_alone(read)
        return
    if read is None or read.step == "padded":
        return
    both = _reads_both(read, log)
    if not both and not _reads_unseen(read, log):
        return
    condition = both_directions(read.call)
    if condition is None or not is_settled(event, condition) or _is_whole_otherwise(read, log):
        return
    yield _finding(read, condition, both)


def _reads_unseen(read: StepRead, log: Log) -> bool:
    """Whether the half that has seen one step there is cut out of a step and used: ``out[:, -1, H:]``, or the second part
    of ``out[:, -1].chunk(2, -1)``."""
    if any(getattr(event, "name", "") in ("flip", "roll") for _, event in line_of(read.value, log)):
        return False
    unseen = _unseen(read)
    cuts = [read.event, *(use for value in values_in(read.event.result) for use in uses(value, log))]
    return any(
        side_of(half, cut) == unseen and bool(uses(half, log))
        for cut in cuts
        if isinstance(cut, Selected)
        for half in values_in(cut.result)
    )


def _unseen(read: StepRead) -> int:
    """The direction that has seen one step at the end that is read: the reverse one, 1, at the last step."""
    return 0 if read.step == "first" else 1


def _is_alone(read: StepRead, log: Log) -> bool:
    """Whether all that is read of a layer of one direction, which begins anew at each call, is its first step."""
    if read.step != "first" or read.event.path or read.call.path or read.call.seen("hx") is not None:
        return False
    directions = spec_of(read.call).directions
    if not isinstance(directions, Dim) or directions.value != 1 or state_uses(read.call, log):
        return False
    readers = [use for value in values_in(read.event.result) for use in uses(value, log)]
    return any(isinstance(use, LayerCalled) for use in readers) and not list(other_reads(read, log))


def _first_alone(read: StepRead) -> Finding:
    event = read.event
    return Finding(
        code="RSG402",
        message=f"{wording.quoted(event.place)} has seen the first step only, and nothing else of {wording.quoted(read.call.layer)} is read",
        place=event.place,
        primary="the first step",
        labels=(Label(read.call.layer.place, "1 direction"),),
        expected="the last step, which has seen all of them",
        found="the first step",
        help="the last step, or h_n[-1]",
        condition=f"{wording.quoted(read.call.given['input'])} has more than one step",
        subject=frozenset({("half seen", read.call.id)}),
        cause=event.id,
    )


def _reads_both(read: StepRead, log: Log) -> bool:
    """Whether the result, or what a layer or a sum made of it before, holds both directions and is used so."""
    result = next(iter([read.event.result]), None)
    if not isinstance(result, Value) or not isinstance(result.shape, Shape) or not is_used(read.event, log):
        return False
    if not read.mixed and not any(holds_directions(axis) for axis in result.shape.parts[-1:]):
        return False
    readers = uses(result, log)
    return not readers or not all(_cuts_directions(use) for use in readers)


def _cuts_directions(use: object) -> bool:
    if not isinstance(use, Selected):
        return False
    parts = [
        part for part in (use.result if isinstance(use.result, tuple) else (use.result,)) if isinstance(part, Value)
    ]
    return bool(parts) and not any(
        holds_directions(part.shape.axis(-1)) for part in parts if isinstance(part.shape, Shape)
    )


def _is_whole_otherwise(read: StepRead, log: Log) -> bool:
    """Whether what the step lacks is read beside it: the other end, all steps, or the final states."""
    for use in other_reads(read, log):
        other = step_read(use, log) if isinstance(use, Selected) else None
        if other is None or ({read.step, other.step} == {"first", "last"} and not _are_swapped(read, other)):
            return True
    return any(
        not isinstance(use, Returned | RecurrentCalled) for use in beside(read.event, state_uses(read.call, log))
    )


def _are_swapped(read: StepRead, other: StepRead) -> bool:
    """Whether each end is read for the half that has seen one step there: ``out[:, 0, :H]`` with ``out[:, -1, H:]``."""
    return all(
        [side_of(half, one.event) for half in values_in(one.event.result)] == [_unseen(one)] for one in (read, other)
    )


def _finding(read: StepRead, condition: Condition, both: bool) -> Finding:
    event = read.event
    half = "forward" if read.step == "first" else "reverse"
    position = {"first": "the first step", "last": "the last step", "lengths": "the last step of each sequence"}[
        read.step
    ]
    return Finding(
        code="RSG402",
        message=f"the {half} half of {wording.quoted(event.place)} has seen one step only",
        place=event.place,
        primary=f"{position}, both directions" if both else position,
        labels=(Label(read.call.layer.place, "2 directions"),),
        expected="forward after the last step, reverse after the first",
        found=f"{'both directions' if both else f'the {half} half'} at {position}",
        help=f"torch.cat((h_n[-2], h_n[-1]), dim=1), of the h_n that {wording.quoted(read.call.layer)} returns",
        condition=wording.when(condition),
        subject=frozenset({("half seen", read.call.id)}),
        cause=event.id,
    )
