"""How the checker's cost and memory grow with the number of files.

    python benchmarks/growth.py [--most 100000] [--rounds 1] [--folder FOLDER] [--worked]

Writes a tree of packages such as people write, one file in a hundred recurrent (`generated.py`), checks it cold, with an
empty cache and with a warm one, and runs Ruff over it, at 1,000 files and on in steps of about three. Growth is linear if
the microseconds per file stay as they are; memory is flat if the peak does.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from commands import Cost, ours, ruff, run
from generated import FILES_A_PACKAGE, write

SIZES = (1_000, 3_000, 10_000, 30_000, 100_000)


def step(folder: Path, cache: Path, files: int, rounds: int, clock: Callable[[Cost], float]) -> str:
    """Grow the tree to so many files, and the line of the table for it, with the best of several runs."""

    def cheapest(command: list[str]) -> Cost:
        return min((run(command) for _ in range(rounds)), key=clock)

    write(folder, files)
    tree = str(folder)
    kept = ours("--cache-dir", str(cache / str(files)), tree)
    cold = cheapest(ours("--no-cache", tree))
    filling = run(kept)
    warm = cheapest(kept)
    theirs = cheapest(ruff(tree))
    size = sum(file.stat().st_size for file in (cache / str(files)).iterdir())
    seconds = [clock(cost) for cost in (cold, filling, warm, theirs)]
    return (
        f"{files:>8,}"
        + "".join(f"{one:>10.2f}" for one in seconds)
        + f"{seconds[0] / files * 1e6:>10.0f}{seconds[2] / files * 1e6:>10.0f}"
        + f"{seconds[0] / seconds[3]:>10.1f}x{seconds[2] / seconds[3]:>9.1f}x"
        + "".join(f"{cost.peak / 1e6:>9.0f}" for cost in (cold, warm))
        + f"{size / 1e6:>9.1f}"
    )


def main() -> None:
    """Measure and print, a line at a time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=SIZES[-1], help=f"the largest number of files [{SIZES[-1]:,}]")
    parser.add_argument("--rounds", type=int, default=1, help="how often each command is run [1]")
    parser.add_argument("--folder", type=Path, help="where to write the tree, and leave it [a temporary folder]")
    parser.add_argument("--worked", action="store_true", help="show the seconds that processors worked")
    options = parser.parse_args()
    clock: Callable[[Cost], float] = (lambda cost: cost.worked) if options.worked else (lambda cost: cost.seconds)
    sizes = [size for size in SIZES if size < options.most] + [options.most]

    print(
        f"{os.cpu_count()} processors; {1 / FILES_A_PACKAGE:.0%} recurrent files; MB are of the largest process, and of the cache"
    )
    heads = ["cold s", "filling s", "warm s", "ruff s", "cold µs", "warm µs", "cold/ruff", "warm/ruff"]
    print(f"{'files':>8}" + "".join(f"{head:>10}" for head in heads) + f"  {'cold MB':>9}{'warm MB':>9}{'cache MB':>9}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary, "tree")
        for size in sizes:
            print(step(folder.resolve(), Path(temporary, "cache"), size, options.rounds, clock), flush=True)


if __name__ == "__main__":
    main()
