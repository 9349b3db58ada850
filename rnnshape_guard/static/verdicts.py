"""What interpreting files came to, and settling what is wrong with all of them together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

from rnnshape_guard.findings import Diagnostic, Severity, Span


@dataclass(frozen=True, slots=True)
class Verdict:
    """A finding of one file's interpretation, which may stand in another file. It `was_seen` where the program makes and
    uses what it is about; else it is about a class as such, and is dropped where a class of the key `unless_built` is
    built anywhere."""

    diagnostic: Diagnostic
    was_seen: bool = True
    unless_built: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What came of interpreting one file: the verdicts, and the keys of the classes that it builds."""

    verdicts: tuple[Verdict, ...] = ()
    built: frozenset[str] = frozenset()


def settle(judgements: Iterable[Judgement]) -> list[Diagnostic]:
    """What is wrong with all files together: one finding for each rule and place.

    One that a use in sight makes absorbs the one that is about the class as such; one that holds under a condition is
    dropped where the class is built somewhere, and nowhere so. A note asks for nothing where something is wrong.
    """
    everything = list(judgements)
    built = {key for one in everything for key in one.built}
    places: dict[tuple[str, Span], Verdict] = {}
    for verdict in chain.from_iterable(one.verdicts for one in everything):
        if verdict.unless_built not in built:
            place = (verdict.diagnostic.code, verdict.diagnostic.span)
            places[place] = min(places.get(place, verdict), verdict, key=_order)
    told = {
        (one.diagnostic.code, label.span) for one in places.values() if one.was_seen for label in one.diagnostic.labels
    }
    left = [one.diagnostic for place, one in places.items() if one.was_seen or place not in told]
    wrong = {one.span for one in left if one.severity is not Severity.NOTE}
    return [one for one in left if one.severity is not Severity.NOTE or one.span not in wrong]


def _order(verdict: Verdict) -> tuple[bool, bool]:
    """Of findings at one place, the one made by a use in sight speaks, then the one that always holds."""
    return not verdict.was_seen, bool(verdict.diagnostic.condition)
