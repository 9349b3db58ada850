"""Disagreements kept as programs, shrunk if that is asked for."""

from __future__ import annotations

from pathlib import Path

from benchmarks.fuzz.trials import Outcome, Trial


def save(trial: Trial, folder: Path, *, shrink: bool) -> None:
    """Write a trial's disagreements: a right program that was reported, a mistake that was not."""
    folder.mkdir(parents=True, exist_ok=True)
    seed = trial.program.seed
    if trial.alarms:
        (folder / f"alarm_{seed}.py").write_text(trial.program.source(), encoding="utf-8")
    planted = trial.planted
    if planted is None or not planted.decidable:
        return
    if planted.outcome(planted.said) is not Outcome.FOUND:
        (folder / f"missed_{seed}.py").write_text(planted.source, encoding="utf-8")
