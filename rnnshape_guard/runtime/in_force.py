"""What the user's project says of the rules: settings, rules of its own, and comments that silence a line.

The same files and the same comments that the checker reads, so that what was silenced there does not raise here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from rnnshape_guard.checks import registry
from rnnshape_guard.findings import Diagnostic, Finding, Severity
from rnnshape_guard.rulebook import PageProblem, RuleBook, UnknownRule
from rnnshape_guard.runtime.errors import UserPlace
from rnnshape_guard.runtime.sources import source_of
from rnnshape_guard.settings import Settings, SettingsProblem, SettingsResolver
from rnnshape_guard.suppressions import Suppressions, apply, read_suppressions


@cache
def settings_for(folder: Path) -> Settings:
    """The settings in force for the files of a folder. Those that cannot be read are the checker's to complain about."""
    try:
        return SettingsResolver().in_folder(folder)
    except SettingsProblem:
        return Settings(root=folder)


def settings_of(filename: str) -> Settings:
    """The settings in force for a file; for code that is in no file, those of the working folder."""
    path = Path(filename)
    return settings_for(path.resolve().parent if path.is_file() else Path.cwd())


def settings_of_call(function: Callable[..., Any]) -> Settings:
    """The settings in force where a function, or a module's forward, is written."""
    plain = inspect.unwrap(getattr(type(function), "forward", function))
    code = getattr(plain, "__code__", None)
    return settings_of(code.co_filename if code is not None else "")


@cache
def book_of(folders: tuple[Path, ...]) -> RuleBook:
    """The rules that come with the tool and those of a project."""
    try:
        return RuleBook.load(folders)
    except PageProblem:
        return RuleBook.load()


@cache
def checks_of(folders: tuple[Path, ...]) -> tuple[registry.Check, ...]:
    """The checks that come with the tool and those of a project."""
    return registry.own_checks() + tuple(check for folder in folders for check in registry.checks_in(folder))


def severity_of(finding: Finding, book: RuleBook) -> Severity:
    """A finding's own severity, else that of its rule; what holds under a condition only is a warning at most."""
    severity = finding.severity or book[finding.code].severity
    return Severity.WARNING if finding.condition and severity is Severity.ERROR else severity


def standing(findings: Iterable[Finding], settings: Settings) -> list[Finding]:
    """The findings of rules that are switched on and hold at run time, where no comment silences the line."""
    book = book_of(settings.rule_folders)
    try:
        selected = book.select(settings)
    except UnknownRule:
        selected = frozenset(book.codes)
    said: dict[str, Suppressions] = {}
    return [
        finding
        for finding in findings
        if finding.code in selected and book[finding.code].runtime and not _is_silenced(finding, book, said)
    ]


def _is_silenced(finding: Finding, book: RuleBook, said: dict[str, Suppressions]) -> bool:
    place = finding.place
    if not isinstance(place, UserPlace):
        return False
    filename = place.span.filename
    if filename not in said:
        said[filename] = read_suppressions("".join(source_of(filename).lines), filename)
    shown = Diagnostic(
        code=finding.code,
        name=book[finding.code].name,
        severity=Severity.ERROR,
        message=finding.message,
        span=place.span,
    )
    return not apply([shown], said[filename], book, frozenset())
