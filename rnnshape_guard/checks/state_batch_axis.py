"""RSG502: a state is never batch-first; `batch_first` turns the input and the output around and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rnnshape_guard.checks import initial_states, wording
from rnnshape_guard.checks.initial_states import Kind, Mistake, is_other_order
from rnnshape_guard.checks.reading import ranked_by
from rnnshape_guard.events import Log, RecurrentCalled, Reshaped
from rnnshape_guard.findings import Finding
from rnnshape_guard.shapes.axes import Axis


def check(call: RecurrentCalled, log: Log) -> Iterator[Finding]:
    """Judge each state whose first axis is the batch, and each whose samples stand in another order than the input's."""
    mistake = initial_states.first_mistake(call, log)
    if mistake is not None and mistake.kind is Kind.ORDER and mistake.axis is not None:
        yield _in_another_order(call, mistake, mistake.axis, log)
        return
    if mistake is None or mistake.kind is not Kind.BATCH_FIRST:
        return
    given_axis = ranked_by(mistake.state.value, log)
    if not isinstance(given_axis, Reshaped) or given_axis.name.rpartition(".")[2] != "unsqueeze":
        if isinstance(mistake.state.maker, RecurrentCalled):
            return  # another layer's state; only one that a program took apart was given an axis for the layers by it
        given_axis = None
    found = initial_states.finding(
        "RSG502",
        mistake,
        log,
        f"{initial_states.named(mistake)} is batch-first, but {wording.quoted(call.layer)} takes its state layers first",
        primary="(batch, layers·directions, hidden)",
        remedy=initial_states.remade(mistake),
    )
    yield found if given_axis is None else replace(found, place=given_axis.place, help="unsqueeze(0)")


def _in_another_order(call: RecurrentCalled, mistake: Mistake, axis: Axis, log: Log) -> Finding:
    given = call.given["input"]
    batch = next((one for one in (given.value.axes or () if given.value else ()) if is_other_order(axis, one)), axis)
    found, brought = wording.axis_name(axis), wording.axis_name(batch)
    return initial_states.finding(
        "RSG502",
        mistake,
        log,
        f"{initial_states.named(mistake)} holds its samples as {found}, but {wording.quoted(given)} brings {brought}: "
        "the same number in another order",
        primary=f"axis 1 is {found}",
        remedy="repeat_interleave(…, dim=1) sets each sample's copies side by side, repeat copy after copy of the batch",
    )
