"""Disagreements kept as programs, shrunk if that is asked for, in the form that tests/fuzz/programs has."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks.fuzz import verdicts
from benchmarks.fuzz.program import Mistake, Program
from benchmarks.fuzz.shrinking import shrink, still_faulty, still_right, tidy
from benchmarks.fuzz.trials import Outcome, Trial


def save(trial: Trial, folder: Path, *, small: bool) -> None:
    """Write a trial's disagreements: a right program that was reported, a mistake that was not."""
    folder.mkdir(parents=True, exist_ok=True)
    program = trial.program
    for code in sorted({said.code for said in trial.alarms}):
        one = shrink(program, still_right(code)) if small else program
        text = f"# right, and reported by {code}\n{tidy(one).source()}"
        (folder / f"right_{program.seed}_{code.lower()}.py").write_text(text, encoding="utf-8")
    planted = trial.planted
    if planted is None or not planted.decidable or planted.outcome(planted.said) is Outcome.FOUND:
        return
    one = program
    if small:
        one = shrink(program, still_faulty(planted.mistake, planted.harm, found=False))
    write(one, planted.mistake, planted.harm, folder / f"{name_of(planted.mistake)}_{program.seed}.py")


def name_of(mistake: Mistake) -> str:
    """A mistake's kind as part of a file's name."""
    return re.sub(r"\W+", "_", mistake.kind.lower()).strip("_")


def write(program: Program, mistake: Mistake, harm: str, path: Path) -> None:
    """A faulty program, with what it does, and marks where the checker finds something."""
    source = tidy(program).source(mistake)
    found: dict[int, set[str]] = {}
    for said in verdicts.checked(source):
        found.setdefault(said.row, set()).add(said.code)
    rows = [
        f"{row}  # error: [{', '.join(sorted(found[at]))}]" if at in found else row
        for at, row in enumerate(source.splitlines(), 1)
    ]
    right = mistake.line.text.strip().split("\n")[0]
    text = "\n".join([f"# {mistake.kind}: {harm}", f"# right: {right}", *rows, ""])
    path.write_text(text, encoding="utf-8")
