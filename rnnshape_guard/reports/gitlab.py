"""GitLab's code quality report: a JSON array, shown in a merge request.

A fingerprint names a finding across runs, so it must not change with the line that it stands in; findings that are
otherwise the same are counted.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence

from rnnshape_guard.findings import Diagnostic, Severity
from rnnshape_guard.reports.view import View

_SEVERITIES = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.NOTE: "info"}


def render(diagnostics: Sequence[Diagnostic], view: View) -> str:
    """The report as an array of issues."""
    seen: Counter[str] = Counter()
    issues = []
    for diagnostic in diagnostics:
        path = view.relative(diagnostic.span.filename)
        same = f"{path}\0{diagnostic.code}\0{diagnostic.message}\0{diagnostic.condition}"
        fingerprint = hashlib.sha256(f"{same}\0{seen[same]}".encode(errors="replace")).hexdigest()
        seen[same] += 1
        start, end = diagnostic.span.start, diagnostic.span.end
        issues.append(
            {
                "description": f"{diagnostic.code}: {diagnostic.message}",
                "check_name": diagnostic.name,
                "fingerprint": fingerprint,
                "severity": _SEVERITIES[diagnostic.severity],
                "location": {
                    "path": path,
                    "positions": {
                        "begin": {"line": start.row, "column": start.column},
                        "end": {"line": end.row, "column": end.column},
                    },
                },
            }
        )
    return json.dumps(issues, indent=2) + "\n"
