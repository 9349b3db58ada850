"""What judging a file came to, and what it rests on beside what the file imports, as JSON and back.

A row of the cache is read only if it says exactly what was written: one field too many or too few, or a value of another
type, and there is no row.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Final, TypeVar

from rnnshape_guard.findings import Diagnostic, Note, Position, Severity, Span
from rnnshape_guard.static.verdicts import Judgement, Verdict

_Kind = TypeVar("_Kind")


SUBMODULE: Final = -1


@dataclass(frozen=True, slots=True)
class Lookup:
    """A module that was looked for: `level` dots before `name` from a file in `folder`, or, where `level` is `SUBMODULE`, the
    submodule `name` of the package `folder`. `file` is what was found, if anything was."""

    folder: str
    level: int
    name: str
    file: str | None


@dataclass(frozen=True, slots=True)
class Trail:
    """What was asked while a file was judged: modules that were looked for, files that were read, and of which files it
    was asked what in them leads to a recurrent layer, with a digest of the answer."""

    lookups: frozenset[Lookup] = frozenset()
    files: frozenset[str] = frozenset()
    leads: frozenset[tuple[str, str]] = frozenset()


UNASKED: Final = Trail()
"""The trail of a judgement that needs no other file."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one file: what is wrong with the file itself, or the judgement of its code; whether that is about
    recurrent layers, and whether comments in the file suppress anything."""

    refusals: tuple[Diagnostic, ...] = ()
    judgement: Judgement | None = None
    candidate: bool = False
    suppresses: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """An outcome with what it depends on: `closure` is the digest of the file and of all that it imports, in turn, and
    `lookups` are what was looked for beyond that, each with the digest of the closure of what was found."""

    outcome: Outcome
    closure: str
    lookups: tuple[tuple[Lookup, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Depends:
    """All that an outcome rests on beside the file itself: whether it was judged as one that matters, what was asked, and
    the digests of the files that were read."""

    mattered: bool
    trail: Trail
    digests: tuple[tuple[str, str], ...] = ()


class _Foreign(ValueError):
    """JSON that nothing was written as."""


def to_json(kept: Kept) -> bytes:
    """One line of ASCII."""
    outcome = kept.outcome
    row = [
        kept.closure,
        [[it.folder, it.level, it.name, it.file, digest] for it, digest in kept.lookups],
        [_written(it) for it in outcome.refusals],
        None if outcome.judgement is None else _judgement_written(outcome.judgement),
        outcome.candidate,
        outcome.suppresses,
    ]
    return json.dumps(row, separators=(",", ":")).encode("ascii")


def from_json(text: bytes) -> Kept | None:
    """What was written as `text`; None for anything else."""
    try:
        closure, lookups, refusals, judgement, candidate, suppresses = _items(json.loads(text), 6)
        outcome = Outcome(
            tuple(_read(item) for item in _list(refusals)),
            None if judgement is None else _judgement_read(judgement),
            _of(bool, candidate),
            _of(bool, suppresses),
        )
        return Kept(outcome, _text(closure), tuple(_lookup_read(item) for item in _list(lookups)))
    except (ValueError, RecursionError):
        return None


def depends_to_json(depends: Depends) -> bytes:
    """One line of ASCII."""
    trail = depends.trail
    lookups = sorted((it.folder, it.level, it.name, it.file or "") for it in trail.lookups)
    row = [depends.mattered, lookups, sorted(trail.leads), list(depends.digests)]
    return json.dumps(row, separators=(",", ":")).encode("ascii")


def depends_from_json(text: bytes) -> Depends | None:
    """What was written as `text`; None for anything else."""
    try:
        mattered, lookups, leads, digests = _items(json.loads(text), 4)
        known = tuple(_pair(item) for item in _list(digests))
        trail = Trail(
            frozenset(_plain_lookup(item) for item in _list(lookups)),
            frozenset(file for file, _ in known),
            frozenset(_pair(item) for item in _list(leads)),
        )
        return Depends(_of(bool, mattered), trail, known)
    except (ValueError, RecursionError):
        return None


# -- judgements ----------------------------------------------------------------------------------------------------


def _judgement_written(judgement: Judgement) -> list[object]:
    verdicts = [[_written(it.diagnostic), it.was_seen, it.unless_built] for it in judgement.verdicts]
    return [verdicts, sorted(judgement.built)]


def _judgement_read(value: object) -> Judgement:
    verdicts, built = _items(value, 2)
    triples = [_items(item, 3) for item in _list(verdicts)]
    return Judgement(
        tuple(Verdict(_read(diagnostic), _of(bool, seen), _text(unless)) for diagnostic, seen, unless in triples),
        frozenset(_text(key) for key in _list(built)),
    )


def _pair(value: object) -> tuple[str, str]:
    one, other = _items(value, 2)
    return _text(one), _text(other)


def _plain_lookup(value: object) -> Lookup:
    folder, level, name, file = _items(value, 4)
    return Lookup(_text(folder), _of(int, level), _text(name), _text(file) or None)


def _lookup_read(value: object) -> tuple[Lookup, str]:
    folder, level, name, file, digest = _items(value, 5)
    found = None if file is None else _text(file)
    return Lookup(_text(folder), _of(int, level), _text(name), found), _text(digest)


# -- diagnostics ---------------------------------------------------------------------------------------------------

_FIELDS = tuple(item.name for item in fields(Diagnostic))


def _written(diagnostic: Diagnostic) -> list[object]:
    return [_WRITERS.get(name, _text)(getattr(diagnostic, name)) for name in _FIELDS]


def _read(value: object) -> Diagnostic:
    values = zip(_FIELDS, _items(value, len(_FIELDS)), strict=True)
    return Diagnostic(**{name: _READERS.get(name, _text)(item) for name, item in values})


def _text(value: object) -> str:
    return _of(str, value)


def _span_written(span: Span) -> list[object]:
    return [span.filename, span.start.row, span.start.column, span.end.row, span.end.column]


def _span_read(value: object) -> Span:
    filename, *places = _items(value, 5)
    row, column, end_row, end_column = (_of(int, place) for place in places)
    return Span(_text(filename), Position(row, column), Position(end_row, end_column))


def _notes_written(notes: tuple[Note, ...]) -> list[object]:
    return [[note.text, None if note.span is None else _span_written(note.span)] for note in notes]


def _notes_read(value: object) -> tuple[Note, ...]:
    pairs = [_items(item, 2) for item in _list(value)]
    return tuple(Note(_text(text), None if span is None else _span_read(span)) for text, span in pairs)


def _severity_read(value: object) -> Severity:
    return Severity(_text(value))


_WRITERS: dict[str, Callable[[Any], object]] = {
    "severity": lambda severity: severity.value,
    "span": _span_written,
    "labels": _notes_written,
    "evidence": _notes_written,
}
_READERS: dict[str, Callable[[object], Any]] = {
    "severity": _severity_read,
    "span": _span_read,
    "labels": _notes_read,
    "evidence": _notes_read,
}


# -- JSON's own types ----------------------------------------------------------------------------------------------


def _of(kind: type[_Kind], value: object) -> _Kind:
    # The very type: True is no int.
    if type(value) is not kind:
        raise _Foreign(value)
    return value


def _list(value: object) -> list[Any]:
    return _of(list, value)


def _items(value: object, count: int) -> list[Any]:
    items = _list(value)
    if len(items) != count:
        raise _Foreign(value)
    return items
