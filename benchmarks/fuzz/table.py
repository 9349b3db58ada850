"""The figures of a run, a row for each kind of mistake."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from benchmarks.fuzz.trials import Outcome, Planted, Trial

UNDECIDABLE = "(what nothing in the text decides)"


@dataclass(slots=True)
class Tally:
    """Outcomes counted by kind of mistake, for one judge."""

    rows: dict[str, Counter[Outcome]] = field(default_factory=dict)

    def add(self, kind: str, outcome: Outcome) -> None:
        """Count one."""
        self.rows.setdefault(kind, Counter())[outcome] += 1

    def total(self) -> Counter[Outcome]:
        """All kinds but the undecidable."""
        out: Counter[Outcome] = Counter()
        for kind, row in self.rows.items():
            if kind != UNDECIDABLE:
                out += row
        return out


@dataclass(slots=True)
class Figures:
    """What a run has shown so far."""

    checker: Tally = field(default_factory=Tally)
    guard: Tally = field(default_factory=Tally)
    right: int = 0
    alarms: int = 0
    guarded: int = 0
    guard_alarms: int = 0
    defects: Counter[str] = field(default_factory=Counter)
    harmless: Counter[str] = field(default_factory=Counter)

    def add(self, trial: Trial) -> None:
        """Count a trial."""
        if trial.defect:
            self.defects[trial.defect] += 1
            return
        self.right += 1
        self.alarms += bool(trial.alarms)
        self.guarded += trial.guard_alarms is not None
        self.guard_alarms += bool(trial.guard_alarms)
        self.harmless.update(trial.harmless)
        if trial.planted is not None:
            self._count(trial.planted)

    def _count(self, planted: Planted) -> None:
        kind = planted.mistake.kind if planted.decidable else UNDECIDABLE
        self.checker.add(kind, planted.outcome(planted.said))
        if planted.guard is not None:
            self.guard.add(kind, planted.outcome(planted.guard))

    @property
    def recall(self) -> float:
        """The part of the planted mistakes found at a right row."""
        total = self.checker.total()
        return total[Outcome.FOUND] / max(total.total(), 1)

    @property
    def alarm_rate(self) -> float:
        """False alarms per 1,000 right programs."""
        return 1000 * self.alarms / max(self.right, 1)

    def lines(self) -> Iterator[str]:
        """The table as it is printed."""
        yield f"{'planted mistake':<42}{'planted':>8}{'found':>7}{'elsewhere':>11}{'missed':>8}{'guard':>8}"
        for kind in sorted(self.checker.rows):
            yield _row(kind, self.checker.rows[kind], self.guard.rows.get(kind))
        yield _row("all that can be decided", self.checker.total(), self.guard.total() if self.guard.rows else None)
        yield f"found at a right line: {self.recall:.1%}"
        yield f"false alarms: {self.alarms} on {self.right} right programs ({self.alarm_rate:.1f} per 1,000)"
        if self.guarded:
            yield f"false alarms of the guard: {self.guard_alarms} on {self.guarded}"
        if self.defects:
            yield f"thrown away by torch's verdict on the right program: {self.defects.total()} ({dict(self.defects)})"
        if self.harmless:
            yield f"planted without effect, not counted: {self.harmless.total()}"


def _row(kind: str, found: Counter[Outcome], guard: Counter[Outcome] | None) -> str:
    cells = f"{found.total():>8}{found[Outcome.FOUND]:>7}{found[Outcome.ELSEWHERE]:>11}{found[Outcome.MISSED]:>8}"
    heard = f"{guard[Outcome.FOUND] + guard[Outcome.ELSEWHERE]:>8}" if guard is not None else ""
    return f"{kind:<42}{cells}{heard}"
