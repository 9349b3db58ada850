"""RSG602: a packed sequence is used as a tensor before it is padded again."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.tuples import is_refusal
from rnnshape_guard.events import Called, Event, Given, Log, PackCalled, RecurrentCalled, Value, values_in
from rnnshape_guard.findings import Finding, Label
from rnnshape_guard.shapes.outcomes import Packed


def check(event: Called, log: Log) -> Iterator[Finding]:
    """Judge each operand that should be a tensor and is packed."""
    if event.path:
        return
    for misfit in event.misfits:
        if not is_refusal(misfit):
            continue
        for name, given in event.given.items():
            operand = misfit.operand.partition("[")[0]
            packed = _packed(given) if name == operand or operand not in event.given else None
            if packed is not None:
                yield _finding(event, given, packed, log)
                return


def _packed(given: Given) -> Value | None:
    return next((value for value in values_in(given.seen) if isinstance(value.shape, Packed)), None)


def _finding(event: Called, given: Given, packed: Value, log: Log) -> Finding:
    maker = log.maker(packed)
    origin = _pack(maker, log)
    labels = [Label(maker.place, "gives a packed sequence")] if maker is not None else []
    remedy = f"{given.text or 'out'}, _ = pad_packed_sequence({given.text or 'out'}, batch_first=True)"
    if isinstance(maker, RecurrentCalled):
        remedy += f"; the last step of each sequence is in h_n, which {wording.quoted(maker.layer)} returns too"
    return Finding(
        code="RSG602",
        message=f"{wording.quoted(given)} is a packed sequence, and is used as a tensor",
        place=event.place,
        primary="needs a tensor",
        labels=tuple(labels),
        expected=wording.shape(packed),
        found="PackedSequence",
        help=remedy,
        subject=frozenset({("packed", origin.id if origin is not None else packed.id)}),
        cause=event.id,
    )


def _pack(maker: Event | None, log: Log) -> Event | None:
    """The event that packed what a value came from."""
    while isinstance(maker, Called) and not isinstance(maker, PackCalled):
        value = maker.value("input")
        maker = log.maker(value) if value is not None else None
    return maker
