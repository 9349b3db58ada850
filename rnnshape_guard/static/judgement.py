"""Judging one module: from its tree to what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnshape_guard.checks import registry
from rnnshape_guard.checks.roots import one_for_each_cause
from rnnshape_guard.findings import Diagnostic, Finding, Note, Severity
from rnnshape_guard.rulebook import Rule, RuleBook
from rnnshape_guard.static.entries import Entry, Interpretation, interpret
from rnnshape_guard.static.lowering import room_to_recurse
from rnnshape_guard.static.reading import Loaded, read
from rnnshape_guard.static.verdicts import Judgement, Verdict, settle

if TYPE_CHECKING:
    from rnnshape_guard.settings import Settings
    from rnnshape_guard.static.project import Project


def judge(text: str, filename: str, settings: Settings) -> list[Diagnostic]:
    """The findings of all rules in one module that stands alone, without duplicates, in no particular order. Raises
    `SyntaxProblem`."""
    return settle([_judgement(read(filename, text, keeps_trees=True), settings, None)])


def examine(text: str, path: str, settings: Settings, project: Project) -> Judgement:
    """What interpreting one file comes to; what it imports from the `project` is followed. Raises `SyntaxProblem`."""
    loaded = project.known(path, text) or read(path, text, keeps_trees=True)
    loaded.positions.keeps_trees = True
    project.keep(path, loaded, text)
    try:
        return _judgement(loaded, settings, project)
    finally:
        loaded.positions.forget()


def _judgement(loaded: Loaded, settings: Settings, project: Project | None) -> Judgement:
    """One verdict for each rule and place, with what it depends on in other files."""
    with room_to_recurse():
        interpretation = interpret(loaded.module, loaded.positions, settings.roles, project)
    checks, book = _rules(settings.rule_folders)
    merged: dict[tuple[str, Any], list[tuple[Entry, Finding]]] = {}
    for number, finding in _by_entry(interpretation, registry.findings(interpretation.run.log, checks)):
        key = (finding.code, finding.place.key)
        merged.setdefault(key, []).append((interpretation.entries[number], finding))
    file = loaded.positions.filename
    verdicts = [_verdict(group, interpretation, book, file) for group in merged.values()]
    return Judgement(tuple(filter(None, verdicts)), frozenset(_key(name, file) for name in interpretation.built))


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


def _key(name: str, file: str) -> str:
    """The key of a class among all files; inside a run those of its own file have none of the file."""
    return name if ":" in name else f"{file}:{name}"


def _verdict(
    group: list[tuple[Entry, Finding]], interpretation: Interpretation, book: RuleBook, file: str
) -> Verdict | None:
    seen = [finding for entry, finding in group if entry.kind != "class"]
    if seen:
        always = next((finding for finding in seen if not finding.condition), seen[0])
        return Verdict(_diagnostic(always, book))
    symbolic = [(entry, _under(entry, finding, group, interpretation)) for entry, finding in group]
    plain = next((finding for _, finding in symbolic if not finding.condition), None)
    if plain is not None:
        return Verdict(_diagnostic(plain, book), was_seen=False)
    entry, finding = symbolic[0]
    if finding.only_seen:
        return None
    return Verdict(_diagnostic(finding, book), was_seen=False, unless_built=_key(entry.name, file))


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
