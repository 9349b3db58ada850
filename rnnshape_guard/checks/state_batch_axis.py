"""RSG502: a state is never batch-first; `batch_first` turns the input and the output around and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import initial_states, wording
from rnnshape_guard.checks.initial_states import Kind
from rnnshape_guard.events import Log, RecurrentCalled
from rnnshape_guard.findings import Finding


def check(call: RecurrentCalled, log: Log) -> Iterator[Finding]:
    """Judge each state whose first axis is the batch."""
    mistake = initial_states.first_mistake(call, log)
    if mistake is None or mistake.kind is not Kind.BATCH_FIRST or isinstance(mistake.state.maker, RecurrentCalled):
        return
    yield initial_states.finding(
        "RSG502",
        mistake,
        log,
        f"{initial_states.named(mistake)} is batch-first, but {wording.quoted(call.layer)} takes its state layers first",
        primary="(batch, layers·directions, hidden)",
        remedy=initial_states.remade(mistake),
    )
