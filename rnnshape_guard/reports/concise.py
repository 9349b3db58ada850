"""One line for each finding: ``model.py:9:31: error[RSG201] `self.head` takes 128 features …``."""

from __future__ import annotations

from collections.abc import Sequence

from rnnshape_guard.findings import Diagnostic
from rnnshape_guard.reports.colors import Paint
from rnnshape_guard.reports.view import View


def render(diagnostics: Sequence[Diagnostic], view: View) -> str:
    """The report as lines that editors and terminals turn into links."""
    paint = Paint(view.color)
    return "".join(_line(diagnostic, paint) for diagnostic in diagnostics)


def _line(diagnostic: Diagnostic, paint: Paint) -> str:
    start = diagnostic.span.start
    code = paint.severity(diagnostic.severity, f"{diagnostic.severity}[{diagnostic.code}]")
    name = paint.bold(diagnostic.span.filename)
    return f"{name}:{start.row}:{start.column}: {code} {diagnostic.message}\n"
