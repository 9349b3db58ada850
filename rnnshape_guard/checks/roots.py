"""One root cause, one finding."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import replace

from rnnshape_guard.findings import Because, Finding


def one_for_each_cause(findings: Iterable[Finding]) -> list[Finding]:
    """Findings that share a subject become one: the earliest cause speaks, the others are its evidence."""
    kept: list[Finding] = []
    owner: dict[Hashable, int] = {}
    for finding in sorted(findings, key=lambda one: (one.cause, one.code)):
        at = next((owner[part] for part in finding.subject if part in owner), None)
        if at is None:
            at = len(kept)
            kept.append(finding)
        elif kept[at].code != finding.code and kept[at].place is not finding.place and len(kept[at].because) < 4:
            kept[at] = replace(kept[at], because=(*kept[at].because, Because(finding.message, finding.place)))
        for part in finding.subject:
            owner.setdefault(part, at)
    return kept
