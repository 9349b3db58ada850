"""RSG406: an RNN's result, which is the pair of output and state, is used as if it were the output."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.tuples import refused, whole_result
from rnnshape_guard.events import Called, Log
from rnnshape_guard.findings import Finding, Label


def check(event: Called, log: Log) -> Iterator[Finding]:
    """Judge each operand that should be a tensor and is what a recurrent layer returned."""
    for given, pair in refused(event):
        call = whole_result(pair, log)
        if call is None:
            continue
        inside = event.place.text == call.place.text
        state = "(h_n, c_n)" if isinstance(pair[1], tuple) else "h_n"
        used = wording.quoted(given) if given.text and not inside else "its result"
        yield Finding(
            code="RSG406",
            message=f"{wording.quoted(call.layer)} returns (output, {state}), and {used} is used as the output alone",
            place=call.layer.place if inside else call.place,
            primary=f"returns output, {state}",
            labels=() if inside else (Label(event.place, "needs a tensor"),),
            expected="output",
            found=f"(output, {state})",
            help="a module between the two that returns the output alone" if inside else f"out, _ = {call.place.text}",
            subject=frozenset({("result", call.id)}),
            cause=event.id,
        )
        return
