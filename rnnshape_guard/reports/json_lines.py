"""One JSON object a line: the records of the json format, for programs that read as it comes."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rnnshape_guard.findings import Diagnostic
from rnnshape_guard.reports.json import record
from rnnshape_guard.reports.view import View


def render(diagnostics: Sequence[Diagnostic], view: View) -> str:
    """The report as lines; nothing at all if nothing was found."""
    return "".join(json.dumps(record(diagnostic, view)) + "\n" for diagnostic in diagnostics)
