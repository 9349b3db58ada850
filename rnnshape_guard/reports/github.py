"""Workflow commands of GitHub Actions: ``::error title=…,file=…,line=…::message``, shown beside the changed lines."""

from __future__ import annotations

from collections.abc import Sequence

from rnnshape_guard.findings import Diagnostic, Severity
from rnnshape_guard.reports.view import View

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def render(diagnostics: Sequence[Diagnostic], view: View) -> str:
    """One command for each finding."""
    return "".join(_command(diagnostic, view) for diagnostic in diagnostics)


def _command(diagnostic: Diagnostic, view: View) -> str:
    start, end = diagnostic.span.start, diagnostic.span.end
    filename = view.relative(diagnostic.span.filename)
    properties = {
        "title": f"rnnshape-guard ({diagnostic.code})",
        "file": filename,
        "line": str(start.row),
        "col": str(start.column),
        "endLine": str(end.row),
        "endColumn": str(end.column),
    }
    if start.row != end.row:
        # Columns of two different rows are refused.
        del properties["col"], properties["endColumn"]
    lines = [f"{filename}:{start.row}:{start.column}: {diagnostic.code} {diagnostic.message}"]
    lines += [f"expected: {diagnostic.expected}"] if diagnostic.expected else []
    lines += [f"found: {diagnostic.found}"] if diagnostic.found else []
    lines += [f"help: {diagnostic.help}"] if diagnostic.help else []
    shown = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{_COMMANDS[diagnostic.severity]} {shown}::{_data(chr(10).join(lines))}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
