"""A JSON array with Ruff's fields, and what only this tool knows: expected, found, evidence, labels, condition."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rnnshape_guard.findings import Diagnostic, Note, Position
from rnnshape_guard.reports.view import View


def render(diagnostics: Sequence[Diagnostic], view: View) -> str:
    """The report as one array; what is empty is null."""
    return json.dumps([record(diagnostic, view) for diagnostic in diagnostics], indent=2) + "\n"


def record(diagnostic: Diagnostic, view: View) -> dict[str, Any]:
    """One finding as JSON values. Rows and columns count from 1, the end is exclusive."""
    return {
        "code": diagnostic.code,
        "name": diagnostic.name,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        "filename": view.absolute(diagnostic.span.filename),
        "location": _position(diagnostic.span.start),
        "end_location": _position(diagnostic.span.end),
        "fix": None,
        "url": diagnostic.url or None,
        "expected": diagnostic.expected or None,
        "found": diagnostic.found or None,
        "evidence": [_note(note, view) for note in diagnostic.evidence],
        "labels": [_note(note, view) for note in diagnostic.labels],
        "help": diagnostic.help or None,
        "condition": diagnostic.condition or None,
    }


def _position(position: Position) -> dict[str, int]:
    return {"row": position.row, "column": position.column}


def _note(note: Note, view: View) -> dict[str, Any]:
    span = note.span
    return {
        "text": note.text,
        "filename": view.absolute(span.filename) if span else None,
        "location": _position(span.start) if span else None,
        "end_location": _position(span.end) if span else None,
    }
