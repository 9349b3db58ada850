"""What judging a file came to, and the other files that it rests on, as JSON and back.

A row of the cache is read only if it says exactly what was written: one field too many or too few, or a value of another
type, and there is no row.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from rnnshape_guard.findings import Diagnostic, Note, Position, Severity, Span


@dataclass(frozen=True, slots=True)
class Consulted:
    """Another file that was read, by its whole path, and the digest of what it held; None if there was no such file."""

    path: str
    digest: str | None


@dataclass(frozen=True, slots=True)
class Resolved:
    """An import that was looked up: ``from ..name import`` has two levels, ``import name`` none.

    `folder` is where the importing file lies and `path` where the search ended, both whole; None if it found nothing.
    """

    folder: str
    level: int
    name: str
    path: str | None


@dataclass(frozen=True, slots=True)
class Depends:
    """All that an outcome rests on beside the file's own text, the settings and the tool."""

    files: tuple[Consulted, ...] = ()
    imports: tuple[Resolved, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What judging one file came to. `extra` is whatever else the engine has to know again, in JSON's own types."""

    diagnostics: tuple[Diagnostic, ...] = ()
    candidate: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)
    depends: Depends = Depends()


_Kind = TypeVar("_Kind")


class _Foreign(ValueError):
    """JSON that no outcome was written as."""


def to_json(outcome: Outcome, stored: Callable[[str], str] = str) -> str:
    """An outcome as one line of ASCII. `stored` turns the paths it depends on into those that are kept."""
    files = [[stored(item.path), item.digest] for item in outcome.depends.files]
    imports = [
        [stored(item.folder), item.level, item.name, None if item.path is None else stored(item.path)]
        for item in outcome.depends.imports
    ]
    row = [[_written(it) for it in outcome.diagnostics], outcome.candidate, dict(outcome.extra), files, imports]
    return json.dumps(row, separators=(",", ":"), allow_nan=False)


def from_json(text: str | bytes, restored: Callable[[str], str] = str) -> Outcome | None:
    """The outcome that was written as `text`; None for anything else. `restored` undoes what `stored` did to paths."""
    try:
        diagnostics, candidate, extra, files, imports = _items(json.loads(text), 5)
        return Outcome(
            tuple(_read(item) for item in _list(diagnostics)),
            _of(bool, candidate),
            _of(dict, extra),
            Depends(
                tuple(_consulted(item, restored) for item in _list(files)),
                tuple(_resolved(item, restored) for item in _list(imports)),
            ),
        )
    except (ValueError, RecursionError):
        return None


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


# -- what it depends on --------------------------------------------------------------------------------------------


def _consulted(value: object, restored: Callable[[str], str]) -> Consulted:
    path, digest = _items(value, 2)
    return Consulted(restored(_text(path)), None if digest is None else _text(digest))


def _resolved(value: object, restored: Callable[[str], str]) -> Resolved:
    folder, level, name, path = _items(value, 4)
    return Resolved(
        restored(_text(folder)), _of(int, level), _text(name), None if path is None else restored(_text(path))
    )


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
