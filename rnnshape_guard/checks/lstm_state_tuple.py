"""RSG405: an LSTM's state, a pair, is used as one tensor; or another layer's state, one tensor, is unpacked as a pair."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.lineage import uses
from rnnshape_guard.checks.reading import spec_of
from rnnshape_guard.checks.tuples import joined_pair, made_pair, refused, state_pair, whole_result
from rnnshape_guard.events import (
    Called,
    Event,
    Given,
    Log,
    Operated,
    RecurrentCalled,
    Returned,
    Seen,
    Unpacked,
    Value,
    values_in,
)
from rnnshape_guard.findings import Finding, Label


def check(event: Called | Unpacked, log: Log) -> Iterator[Finding]:
    """Judge each use of a pair (h_n, c_n) as a tensor, and each h_n that is unpacked as if it were such a pair."""
    if isinstance(event, Unpacked):
        yield from _unpacked(event, log)
        return
    joined = joined_pair(event, log)
    if joined is not None:
        yield _joined(event, joined)
    for given, pair in refused(event):
        call = state_pair(pair, log)
        if call is not None:
            state = wording.quoted(given) if given.text else "the state"
            place, other = (event.place, call.place) if _is_handed_out(call, event, log) else (call.place, event.place)
            yield Finding(
                code="RSG405",
                message=f"an LSTM's state is a pair, and {state} is used as a tensor",
                place=place,
                primary="returns output, (h_n, c_n)" if place is call.place else "used as a tensor",
                labels=(Label(other, "used as a tensor" if place is call.place else "returns output, (h_n, c_n)"),),
                expected="h_n",
                found="(h_n, c_n)",
                help=f"_, (h_n, _) = {call.place.text}",
                subject=frozenset({("result", call.id)}),
                cause=event.id,
            )
            return
        if isinstance(event, Operated) and not event.path and made_pair(pair, log):
            yield _made(event, given, pair)
            return


def _made(event: Operated, given: Given, pair: tuple[Seen, ...]) -> Finding:
    state = wording.quoted(given) if given.text else "the state"
    first = next(values_in(pair), None)
    return Finding(
        code="RSG405",
        message=f"{state} is the pair of states that an LSTM starts from, and is used as a tensor",
        place=event.place,
        primary="used as a tensor",
        expected=wording.shape(first),
        found="a tuple of two",
        help=f"tuple(one.{event.name}(...) for one in {given.text})" if given.text.isidentifier() else "",
        subject=frozenset({("pair", event.id)}),
        cause=event.id,
    )


def _joined(event: Called, call: RecurrentCalled) -> Finding:
    return Finding(
        code="RSG405",
        message=f"{wording.quoted(event.place)} joins h_n and c_n along the batch: an LSTM's state is a pair",
        place=call.place,
        primary="returns output, (h_n, c_n)",
        labels=(Label(event.place, "the items of the pair, not the states of two directions"),),
        expected="h_n[-2], h_n[-1]",
        found="h_n, c_n",
        help=f"_, (h_n, _) = {call.place.text}",
        subject=frozenset({("result", call.id)}),
        cause=event.id,
    )


def _is_handed_out(call: RecurrentCalled, use: Event, log: Log) -> bool:
    """Whether the function of a call returned before its state was used: the mistake is its caller's, then."""
    return use.scope != call.scope and any(
        isinstance(event, Returned) and event.scope == call.scope for event in log.events[call.id : use.id]
    )


def _unpacked(event: Unpacked, log: Log) -> Iterator[Finding]:
    state = event.source
    if isinstance(state, tuple) and event.count != 2:
        yield from _flat(event, state, log)
        return
    if not isinstance(state, Value) or state.part != "h_n" or event.count != 2 or event.path:
        return
    call = log.maker(state)
    if not isinstance(call, RecurrentCalled) or spec_of(call).kind == "LSTM":
        return
    first = state.shape.axis(0) if hasattr(state.shape, "axis") else None
    number = first.size.value if first is not None else None
    parts = event.result if isinstance(event.result, tuple) else ()
    cell = parts[1] if len(parts) == 2 else None
    if number in (None, 2) and not (isinstance(cell, Value) and not uses(cell, log)):
        return
    kind = spec_of(call).kind
    yield Finding(
        code="RSG405",
        message=f"{wording.quoted(call.layer)} is {wording.article(kind)}, whose state is one tensor, not a pair (h, c)",
        place=call.place,
        primary="returns output, h_n",
        labels=(Label(call.layer.place, f"nn.{kind}"),),
        expected="output, h_n",
        found="output, (h_n, c_n)",
        help=f"out, h_n = {call.place.text}",
        subject=frozenset({("result", call.id)}),
        cause=call.id,
    )


def _flat(event: Unpacked, source: tuple[Seen, ...], log: Log) -> Iterator[Finding]:
    """``out, h, c = lstm(x)``: there are two results."""
    call = whole_result(source, log)
    if call is None or event.count not in (1, 3):
        return
    kind = spec_of(call).kind
    state = "(h_n, c_n)" if kind == "LSTM" else "h_n"
    yield Finding(
        code="RSG405",
        message=f"{wording.quoted(call.layer)} returns output and {state}, and its result is unpacked into {event.count}",
        place=call.place,
        primary=f"returns output, {state}",
        labels=(Label(call.layer.place, f"nn.{kind}"),),
        expected=f"output, {state}",
        found="output, h_n, c_n" if event.count == 3 else "output",
        help=f"out, {'(h_n, c_n)' if kind == 'LSTM' else 'h_n'} = {call.place.text}",
        subject=frozenset({("result", call.id)}),
        cause=call.id,
    )
