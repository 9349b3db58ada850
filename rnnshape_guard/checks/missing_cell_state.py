"""RSG504: an LSTM's state is a pair, (h_0, c_0)."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.reading import is_of_one_kind, misfits
from rnnshape_guard.events import Log, RecurrentCalled, Value
from rnnshape_guard.findings import Finding, Label
from rnnshape_guard.shapes.outcomes import Fault


def check(call: RecurrentCalled, log: Log) -> Iterator[Finding]:
    """Judge each call of an LSTM that is given one tensor as its state."""
    given = call.given.get("hx")
    if given is None or not isinstance(given.seen, Value) or misfits(call, Fault.COUNT):
        return
    for misfit in misfits(call, Fault.TYPE, "hx"):
        if not is_of_one_kind(call, log):
            return
        text = given.text if given.text.isidentifier() else "h_0"
        cell = text.replace("h", "c", 1) if text.startswith("h") and not text.startswith("hidden") else "c_0"
        yield Finding(
            code="RSG504",
            message=f"{wording.quoted(call.layer)} is an LSTM and needs (h_0, c_0), but is given one tensor, {wording.quoted(given)}",
            place=call.place,
            primary="one state where two are needed",
            labels=(Label(call.layer.place, "an LSTM"),),
            expected="((layers·directions, batch, hidden), (layers·directions, batch, hidden))",
            found=wording.shape(given.seen),
            help=f"{wording.quoted(call.layer).strip('`')}({call.given['input'].text}, ({text}, {cell}))",
            condition=wording.when(misfit.condition),
            subject=frozenset({("state", call.layer.id)}),
            cause=call.id,
        )
