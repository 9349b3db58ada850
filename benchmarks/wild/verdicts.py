"""What a reader made of each finding, and how a run's findings compare with that.

A finding is told by its package, version, file, line and code. The table holds those above note; it says `true` where the
code computes the wrong thing or crashes in a use that it allows itself, else `wrong`, and why in a line.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from benchmarks.wild.packages import Package

TABLE = Path(__file__).parent / "verdicts.toml"

INTERNAL_ERROR = "RSG001"
_FIELDS = frozenset({"package", "version", "file", "line", "code", "verdict", "reason", "confirmed", "stands"})
_VERDICTS = {"true": True, "wrong": False}


class Severity(StrEnum):
    """The severities of findings."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, order=True)
class Spot:
    """Which finding: of what package at what version, in which of its files, on what line, by which rule."""

    package: str
    version: str
    file: str
    line: int
    code: str

    def __str__(self) -> str:
        return f"{self.package} {self.version} {self.file}:{self.line} {self.code}"


@dataclass(frozen=True, slots=True)
class Found:
    """A finding of a run."""

    spot: Spot
    severity: Severity
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """A row of the table. `confirmed` says how a true one was confirmed by running the code; empty where it was not.
    A wrong one that `stands` is still found: it counts as an alarm, and is no step back."""

    spot: Spot
    is_true: bool
    reason: str
    confirmed: str = ""
    stands: bool = False


class TableProblem(ValueError):
    """A table that cannot be used; the message names the row."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A run against the table."""

    true: tuple[Found, ...]
    came_back: tuple[Found, ...]
    """Findings that were read before and are wrong, and were mended."""
    standing: tuple[Found, ...]
    """Wrong findings that are known to stand."""
    unread: tuple[Found, ...]
    vanished: tuple[Verdict, ...]
    """True findings that are found no more."""
    broken: tuple[Found, ...]
    """Files on which the checker itself failed."""

    @property
    def fails(self) -> bool:
        """Whether a run is worse than the table: a wrong finding is back, or the checker fails on a file."""
        return bool(self.came_back or self.broken)

    def precision(self, severity: Severity) -> tuple[int, int]:
        """How many findings of a severity are true, of how many that were read."""
        true = sum(found.severity is severity for found in self.true)
        return true, true + self.alarms(severity)

    def alarms(self, severity: Severity) -> int:
        """How many findings of a severity are wrong."""
        return sum(found.severity is severity for found in (*self.came_back, *self.standing))


def read_table(packages: Sequence[Package], path: Path = TABLE) -> list[Verdict]:
    """The table, in its order. Raises TableProblem for a row of unknown form, of a package or version that is not on the
    list, or given twice."""
    versions = {package.name: package.version for package in packages}
    verdicts: dict[Spot, Verdict] = {}
    for number, row in enumerate(tomllib.loads(path.read_text(encoding="utf-8")).get("verdict", []), 1):
        verdict = _verdict(number, row)
        spot = verdict.spot
        if versions.get(spot.package) != spot.version:
            raise TableProblem(f"row {number}: {spot.package} {spot.version} is not on the list of packages")
        if spot in verdicts:
            raise TableProblem(f"row {number}: {spot} has a verdict already")
        verdicts[spot] = verdict
    return list(verdicts.values())


def _verdict(number: int, row: Mapping[str, Any]) -> Verdict:
    missing = sorted(_FIELDS - {"confirmed", "stands"} - row.keys())
    unknown = sorted(row.keys() - _FIELDS)
    if missing or unknown:
        raise TableProblem(f"row {number}: " + ", ".join([*(f"no {name}" for name in missing), *unknown]))
    if row["verdict"] not in _VERDICTS:
        raise TableProblem(f"row {number}: a verdict is `true` or `wrong`, not `{row['verdict']}`")
    if not row["reason"]:
        raise TableProblem(f"row {number}: no reason is given")
    spot = Spot(row["package"], row["version"], row["file"], row["line"], row["code"])
    return Verdict(spot, _VERDICTS[row["verdict"]], row["reason"], row.get("confirmed", ""), row.get("stands", False))


def compare(found: Iterable[Found], table: Iterable[Verdict], checked: Iterable[str]) -> Comparison:
    """A run of the packages named by `checked` against the table; what the table says of others is left alone."""
    verdicts = {verdict.spot: verdict for verdict in table}
    true: list[Found] = []
    came_back: list[Found] = []
    standing: list[Found] = []
    unread: list[Found] = []
    broken: list[Found] = []
    for one in found:
        verdict = verdicts.get(one.spot)
        if one.spot.code == INTERNAL_ERROR:
            broken.append(one)
        elif verdict is None:
            if one.severity is not Severity.NOTE:
                unread.append(one)
        elif verdict.is_true:
            true.append(one)
        elif one.severity is not Severity.NOTE:
            (standing if verdict.stands else came_back).append(one)
    names, seen = set(checked), {one.spot for one in true}
    vanished = [one for spot, one in verdicts.items() if one.is_true and spot.package in names and spot not in seen]
    return Comparison(tuple(true), tuple(came_back), tuple(standing), tuple(unread), tuple(vanished), tuple(broken))
