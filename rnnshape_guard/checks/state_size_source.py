"""RSG503: the batch size of a state is read from the input's batch axis, not from its time axis."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import initial_states, wording
from rnnshape_guard.checks.initial_states import Kind
from rnnshape_guard.events import Log, RecurrentCalled
from rnnshape_guard.findings import Finding


def check(call: RecurrentCalled, log: Log) -> Iterator[Finding]:
    """Judge each state whose batch axis is sized by what the layer reads as time."""
    mistake = initial_states.first_mistake(call, log)
    if mistake is None or mistake.kind is not Kind.FROM_TIME:
        return
    name, given = initial_states.named(mistake), wording.quoted(call.given["input"])
    yield initial_states.finding(
        "RSG503",
        mistake,
        log,
        f"the batch size of {name} is the number of time steps of {given}",
        primary="axis 1 is the time here",
        remedy=initial_states.remade(mistake),
    )
