"""RSG506: an LSTM takes its two states as one argument, the pair (h_0, c_0)."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.reading import is_of_one_kind, misfits
from rnnshape_guard.events import CellCalled, Log, RecurrentCalled
from rnnshape_guard.findings import Finding, Label
from rnnshape_guard.shapes.outcomes import Fault


def check(call: RecurrentCalled | CellCalled, log: Log) -> Iterator[Finding]:
    """Judge each call of an LSTM or LSTMCell with three positional arguments."""
    kind = str(getattr(call.layer.spec, "kind", ""))
    if not kind.startswith("LSTM"):
        return
    for misfit in misfits(call, Fault.COUNT, "args"):
        if misfit.found is None or misfit.found.value != 3 or not is_of_one_kind(call, log):
            continue
        first, second, third = (given.text for given in list(call.given.values())[:3])
        yield Finding(
            code="RSG506",
            message=f"{wording.quoted(call.layer)} takes its state as one pair, but is given {wording.quoted(second)} and {wording.quoted(third)}",
            place=call.place,
            primary="three arguments",
            labels=(Label(call.layer.place, f"an {kind}"),),
            expected="input, (h_0, c_0)",
            found="input, h_0, c_0",
            help=f"{call.layer.name or 'lstm'}({first}, ({second}, {third}))",
            subject=frozenset({("state", call.layer.id)}),
            cause=call.id,
        )
