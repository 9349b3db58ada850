"""RSG406: what an RNN or pad_packed_sequence returns, a pair, is used as if it were the output alone."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.reading import entered
from rnnshape_guard.checks.tuples import padded_result, refused, state_pair, whole_result
from rnnshape_guard.events import Called, Given, Log, PackCalled, Place, Returned, Seen, Value
from rnnshape_guard.findings import Finding, Label


def check(event: Called, log: Log) -> Iterator[Finding]:
    """Judge each operand that should be a tensor and is what a recurrent layer returned."""
    for given, pair in refused(event):
        padding = padded_result(pair, log)
        if padding is not None:
            yield _padded(event, given, padding)
            return
        call = whole_result(pair, log)
        if call is None and (place := _returned_by(event, pair, log)) is not None:
            yield _of_a_model(event, given, pair, place)
            return
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


def _padded(event: Called, given: Given, padding: PackCalled) -> Finding:
    inside = event.place.text == padding.place.text
    used = wording.quoted(given) if given.text and not inside else "its result"
    return Finding(
        code="RSG406",
        message=f"`pad_packed_sequence` returns (output, lengths), and {used} is used as the output alone",
        place=padding.place,
        primary="returns output, lengths",
        labels=(Label(event.place, "needs a tensor"),),
        expected="output",
        found="(output, lengths)",
        help=f"out, _ = {padding.place.text}",
        subject=frozenset({("result", padding.id)}),
        cause=event.id,
    )


def _returned_by(event: Called, pair: tuple[Seen, ...], log: Log) -> Place | None:
    """The call of the program's own function that returned a tuple with a recurrent layer's state in it."""
    if state_pair(pair, log) is not None or not any(isinstance(one, Value) and one.part == "h_n" for one in pair):
        return None
    for before in reversed(log.events[: event.id]):
        if isinstance(before, Returned) and before.result == pair and before.scope != event.scope:
            function = entered(before, log)
            return function.call if function is not None else None
    return None


def _of_a_model(event: Called, given: Given, pair: tuple[Seen, ...], place: Place) -> Finding:
    used = wording.quoted(given) if given.text else "its result"
    return Finding(
        code="RSG406",
        message=f"{wording.quoted(place)} returns a tuple of {len(pair)}, and {used} is used as a tensor",
        place=place,
        primary=f"returns a tuple of {len(pair)}",
        labels=(Label(event.place, "needs a tensor"),),
        expected="a tensor",
        found="(output, state)",
        help=f"out, _ = {place.text}",
        subject=frozenset({("result", event.id)}),
        cause=event.id,
    )
