"""``python -m benchmarks.fuzz``: write programs, ask torch, ask the checker and the guard, print a table."""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import torch

from benchmarks.fuzz.saving import save
from benchmarks.fuzz.table import Figures
from benchmarks.fuzz.trials import Outcome, Trial, trials


@click.command()
@click.option("--programs", default=2000, show_default=True, help="How many programs to write.")
@click.option("--seed", default=0, show_default=True, help="The first program's seed; the next ones follow.")
@click.option("--forever", is_flag=True, help="Go on until interrupted.")
@click.option("--minutes", type=float, help="Stop after so long.")
@click.option("--guard/--no-guard", default=True, show_default=True, help="Run the programs under the guard as well.")
@click.option("--list", "listed", is_flag=True, help="Name every disagreement as it is found.")
@click.option("--shrink", is_flag=True, help="Shrink disagreements to small programs before they are saved.")
@click.option("--save", "folder", type=click.Path(path_type=Path), help="Keep the programs of disagreements there.")
@click.option("--min-recall", default=0.0, help="Fail below this part of the planted mistakes.")
@click.option("--max-alarms", default=1000.0, help="Fail above so many false alarms per 1,000 right programs.")
def main(
    programs: int,
    seed: int,
    forever: bool,
    minutes: float | None,
    guard: bool,
    listed: bool,
    shrink: bool,
    folder: Path | None,
    min_recall: float,
    max_alarms: float,
) -> None:
    """Write random recurrent programs, plant a mistake in each, and compare what torch, checker and guard say."""
    torch.set_num_threads(1)
    figures = Figures()
    until = time.monotonic() + 60 * minutes if minutes is not None else None
    seeds: Iterator[int] = itertools.count(seed) if forever or minutes else iter(range(seed, seed + programs))
    try:
        for one in trials(seeds, guard=guard):
            figures.add(one)
            if listed:
                _name(one)
            if folder is not None:
                save(one, folder, small=shrink)
            if until is not None and time.monotonic() > until:
                break
    except KeyboardInterrupt:
        print(file=sys.stderr)
    print("\n".join(figures.lines()))
    if figures.recall < min_recall or figures.alarm_rate > max_alarms:
        sys.exit(1)


def _name(one: Trial) -> None:
    seed = one.program.seed
    if one.defect:
        print(f"seed {seed}: the right program {one.defect}")
    for said in one.alarms:
        print(f"seed {seed}: false alarm, {said.code} at {said.row}: {said.message}")
    for said in one.guard_alarms or ():
        print(f"seed {seed}: the guard's false alarm, {said.code} at {said.row}: {said.message}")
    planted = one.planted
    if planted is None or not planted.decidable:
        return
    outcome = planted.outcome(planted.said)
    if outcome is not Outcome.FOUND:
        rows = sorted(planted.program.right_rows(planted.mistake))
        print(f"seed {seed}: {outcome.value}, {planted.mistake.kind} at {rows}, {planted.harm}: {planted.said}")


if __name__ == "__main__":
    main()
