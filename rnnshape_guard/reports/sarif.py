"""SARIF 2.1.0, the format of code scanning services (OASIS, "Static Analysis Results Interchange Format").

Each rule carries its whole page, so that a service can show it beside a finding.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rnnshape_guard import __version__
from rnnshape_guard.findings import Diagnostic, Note, Severity, Span
from rnnshape_guard.reports.view import View
from rnnshape_guard.rulebook import Rule

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


def render(diagnostics: Sequence[Diagnostic], view: View) -> str:
    """The report as one SARIF log with one run."""
    codes = sorted({diagnostic.code for diagnostic in diagnostics})
    index = {code: number for number, code in enumerate(codes)}
    names = {diagnostic.code: diagnostic.name for diagnostic in diagnostics}
    rules = [_rule(view.rules[code]) if code in view.rules else {"id": code, "name": names[code]} for code in codes]
    log = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "rnnshape-guard", "version": __version__, "rules": rules}},
                "columnKind": "unicodeCodePoints",
                "results": [_result(diagnostic, index[diagnostic.code], view) for diagnostic in diagnostics],
            }
        ],
    }
    return json.dumps(log, indent=2) + "\n"


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.sections.get("What it finds", rule.summary)},
        "help": {"text": rule.text, "markdown": rule.text},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        **({"helpUri": rule.url} if rule.url else {}),
    }


def _result(diagnostic: Diagnostic, rule: int, view: View) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "ruleIndex": rule,
        "level": _LEVELS[diagnostic.severity],
        "message": {"text": _text(diagnostic)},
        "locations": [_location(diagnostic.span, view)],
    }
    related = [
        {"id": number, **_location(note.span, view), "message": {"text": note.text or diagnostic.message}}
        for number, note in enumerate(_placed(diagnostic), start=1)
        if note.span is not None
    ]
    if related:
        result["relatedLocations"] = related
    return result


def _placed(diagnostic: Diagnostic) -> list[Note]:
    return [note for note in (*diagnostic.labels, *diagnostic.evidence) if note.span is not None]


def _text(diagnostic: Diagnostic) -> str:
    parts = [
        diagnostic.message,
        f"expected: {diagnostic.expected}" if diagnostic.expected else "",
        f"found: {diagnostic.found}" if diagnostic.found else "",
        *(f"because: {note.text}" for note in diagnostic.evidence),
        f"help: {diagnostic.help}" if diagnostic.help else "",
    ]
    return "\n".join(part for part in parts if part)


def _location(span: Span, view: View) -> dict[str, Any]:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": _uri(span.filename, view)},
            "region": {
                "startLine": span.start.row,
                "startColumn": span.start.column,
                "endLine": span.end.row,
                "endColumn": span.end.column,
            },
        }
    }


def _uri(filename: str, view: View) -> str:
    """Relative where it can be: a service matches it with the files of the repository."""
    relative = view.relative(filename)
    return Path(relative).as_uri() if Path(relative).is_absolute() else quote(os.fsencode(relative))
