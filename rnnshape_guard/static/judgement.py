"""Judging one module: from its tree to what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnshape_guard.checks import registry
from rnnshape_guard.checks.roots import one_for_each_cause
from rnnshape_guard.findings import Diagnostic, Finding, Note, Severity
from rnnshape_guard.rulebook import Rule, RuleBook
from rnnshape_guard.static.entries import Entry, Interpretation, interpret
from rnnshape_guard.static.lowering import lower, room_to_recurse
from rnnshape_guard.static.positions import Positions

if TYPE_CHECKING:
    import libcst

    from rnnshape_guard.settings import Settings


def judge(module: libcst.Module, filename: str, settings: Settings) -> list[Diagnostic]:
    """The findings of all rules in one module, without duplicates, in no particular order."""
    positions = Positions(filename, module)
    with room_to_recurse():
        interpretation = interpret(lower(module), positions, settings.roles)
    checks, book = _rules(settings.rule_folders)
    found = _by_entry(interpretation, registry.findings(interpretation.run.log, checks))
    return [_diagnostic(finding, book) for finding in _settled(found, interpretation)]


@lru_cache(maxsize=8)
def _rules(folders: tuple[Path, ...]) -> tuple[tuple[registry.Check, ...], RuleBook]:
    checks = registry.own_checks()
    for folder in folders:
        checks += registry.checks_in(folder)
    return checks, RuleBook.load(folders)


def _by_entry(interpretation: Interpretation, findings: Iterable[Finding]) -> list[tuple[int, Finding]]:
    """Findings with the entry point they were made in; inside each entry point, one for each cause."""
    log = interpretation.run.log
    grouped: dict[int, list[Finding]] = {}
    for finding in findings:
        entry = log.events[finding.cause].entry if 0 <= finding.cause < len(log.events) else 0
        grouped.setdefault(entry, []).append(finding)
    return [(entry, finding) for entry in sorted(grouped) for finding in one_for_each_cause(grouped[entry])]


def _settled(found: Sequence[tuple[int, Finding]], interpretation: Interpretation) -> list[Finding]:
    """One finding for each rule and place. One that holds for some options only is dropped where the class is built in
    sight and never so; one that holds always absorbs those that hold under a condition."""
    merged: dict[tuple[str, Any], list[tuple[Entry, Finding]]] = {}
    for number, finding in found:
        key = (finding.code, finding.place.key)
        merged.setdefault(key, []).append((interpretation.entries[number], finding))
    seen: list[Finding] = []
    symbolic: list[Finding] = []
    for group in merged.values():
        one = _one_of(group, interpretation)
        if one is not None:
            (seen if any(entry.kind != "class" for entry, _ in group) else symbolic).append(one)
    return seen + [finding for finding in symbolic if not any(_is_told_by(finding, other) for other in seen)]


def _is_told_by(finding: Finding, other: Finding) -> bool:
    """Whether a finding on a class as such is made again, at another of its places, where the class is used in sight."""
    places = {label.place.key for label in other.labels if label.place is not None}
    return finding.code == other.code and finding.place.key in places


def _one_of(group: list[tuple[Entry, Finding]], interpretation: Interpretation) -> Finding | None:
    seen = [finding for entry, finding in group if entry.kind != "class"]
    always = next((finding for finding in seen if not finding.condition), None)
    if always is not None:
        return always
    if seen:
        return seen[0]
    symbolic = [(entry, _under(entry, finding, group, interpretation)) for entry, finding in group]
    plain = next((finding for _, finding in symbolic if not finding.condition), None)
    if plain is not None:
        return plain
    entry, finding = symbolic[0]
    return None if finding.only_seen or entry.name in interpretation.built else finding


def _under(
    entry: Entry, finding: Finding, group: list[tuple[Entry, Finding]], interpretation: Interpretation
) -> Finding:
    """A finding with what its entry point assumed as its condition, unless it is made under every assumption."""
    if not entry.assumed:
        return finding
    runs = [one for one in interpretation.entries if one.group == entry.group and one.assumed]
    hits = [one for one in runs if any(other == one for other, _ in group)]
    if len(hits) == len(runs):
        return finding
    shared = [label for label in entry.assumed if all(label in one.assumed for one in hits)]
    words = " and ".join(shared or entry.assumed)
    return replace(finding, condition=" and ".join(filter(None, (words, finding.condition))))


def _diagnostic(finding: Finding, book: RuleBook) -> Diagnostic:
    """A finding as reports print it; a mistake that only some options make is a warning."""
    rule: Rule = book[finding.code]
    severity = finding.severity or rule.severity
    if finding.condition and severity is Severity.ERROR:
        severity = Severity.WARNING
    return Diagnostic(
        code=finding.code,
        name=rule.name,
        severity=severity,
        message=finding.message + (f", when {finding.condition}" if finding.condition else ""),
        span=finding.place.span,
        primary=finding.primary,
        labels=tuple(Note(label.text, label.place.span) for label in finding.labels if label.place is not None),
        expected=finding.expected,
        found=finding.found,
        evidence=tuple(
            Note(because.text, because.place.span if because.place is not None else None) for because in finding.because
        ),
        help=finding.help,
        condition=finding.condition,
        url=rule.url,
    )
