"""One seed's trial: a right program and a faulty twin, torch's verdict on both, and what was said of them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from benchmarks.fuzz import truth, verdicts
from benchmarks.fuzz.generator import generate
from benchmarks.fuzz.program import Mistake, Program
from benchmarks.fuzz.verdicts import Said

ATTEMPTS = 4


class Outcome(Enum):
    """How a planted mistake fared."""

    FOUND = "found"
    ELSEWHERE = "elsewhere"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Planted:
    """A mistake that torch confirms, and what was said of it."""

    program: Program
    mistake: Mistake
    harm: str
    said: tuple[Said, ...]
    guard: tuple[Said, ...] | None

    @property
    def source(self) -> str:
        """The faulty text."""
        return self.program.source(self.mistake)

    @property
    def decidable(self) -> bool:
        """Whether its text shows the mistake; where only the result's shape is another, somebody has to use it."""
        unused = self.harm.startswith("gives ") and "loss" not in self.program.evidence
        return not unused and self.program.decidable(self.mistake)

    def outcome(self, said: tuple[Said, ...]) -> Outcome:
        """Whether a finding is at a right row, at another, or nowhere."""
        rows = self.program.right_rows(self.mistake)
        if any(one.row in rows for one in said):
            return Outcome.FOUND
        return Outcome.ELSEWHERE if said else Outcome.MISSED


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of one seed. `defect` says why the right program was thrown away: the generator failed."""

    program: Program
    defect: str = ""
    alarms: tuple[Said, ...] = ()
    guard_alarms: tuple[Said, ...] | None = None
    planted: Planted | None = None
    harmless: tuple[str, ...] = field(default=())


def trials(seeds: Iterator[int], *, guard: bool) -> Iterator[Trial]:
    """A trial for each seed."""
    for seed in seeds:
        yield trial(generate(seed), guard=guard)


def trial(program: Program, *, guard: bool) -> Trial:
    """Judge a right program, and one faulty twin of it."""
    right = truth.measure(program.source(), program.measured)
    defect = truth.fault(right, program.measured)
    if defect:
        return Trial(program, defect)
    alarms = tuple(verdicts.checked(program.source()))
    guard_alarms = tuple(verdicts.guarded(program.source())) if guard else None
    harmless: list[str] = []
    for mistake in _picked(program):
        source = program.source(mistake)
        harm = truth.harm(truth.measure(source, program.measured), right)
        if not harm:
            harmless.append(mistake.kind)
            continue
        said = tuple(verdicts.checked(source))
        heard = tuple(verdicts.guarded(source)) if guard else None
        return Trial(program, "", alarms, guard_alarms, Planted(program, mistake, harm, said, heard), tuple(harmless))
    return Trial(program, "", alarms, guard_alarms, None, tuple(harmless))


def _picked(program: Program) -> list[Mistake]:
    """A few of the mistakes that can be planted, of different kinds, in an order that the seed decides."""
    rng = random.Random(program.seed)
    by_kind: dict[str, list[Mistake]] = {}
    for mistake in program.mistakes:
        by_kind.setdefault(mistake.kind, []).append(mistake)
    kinds = rng.sample(sorted(by_kind), min(ATTEMPTS, len(by_kind)))
    return [rng.choice(by_kind[kind]) for kind in kinds]
