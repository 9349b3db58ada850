"""RSG505: a state is made for the batch that the input brings, not for a number known beforehand."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import initial_states, wording
from rnnshape_guard.checks.initial_states import Kind
from rnnshape_guard.events import Log, RecurrentCalled
from rnnshape_guard.findings import Finding


def check(call: RecurrentCalled, log: Log) -> Iterator[Finding]:
    """Judge each state of a fixed batch size that meets an input which brings, or may bring, another."""
    mistake = initial_states.first_mistake(call, log)
    if mistake is None or mistake.kind is not Kind.FIXED_BATCH or mistake.axis is None:
        return
    made, given = wording.size(mistake.axis.size), wording.quoted(call.given["input"])
    misfit = mistake.misfit
    is_shared = initial_states.is_learned(mistake.state, log)
    brings = "brings a batch of its own" if is_shared else "may bring fewer"
    if misfit is not None and misfit.expected is not None:
        brings = f"brings {wording.size(misfit.expected)}"
    text = call.given["hx"].text
    is_named = mistake.state.value is call.value("hx") and text.replace(".", "").isidentifier()
    expanded = f"{text}.expand(-1, {call.given['input'].text}.size(…), -1)" if is_named else ""
    yield initial_states.finding(
        "RSG505",
        mistake,
        log,
        f"{initial_states.named(mistake)} is made for a batch of {made}, but {given} {brings}",
        primary=f"always {made}",
        remedy=expanded if is_shared else initial_states.remade(mistake),
    )
