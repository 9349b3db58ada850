"""How fast the checker is, as ratios measured in one run.

    python benchmarks/speed.py [--rounds 3] TREE [TREE …]

For each tree two things are measured, the best of several rounds each:

- analysis (lowering, interpretation, checks) against libcst's parse alone of the same files, collector off, one process:
  the files are those that the pre-filter lets through;
- the whole command, cold, against `ruff check --no-cache` on the same tree and against libcst alone parsing those files
  with as many processes.

Without a tree it takes the packages installed beside it.
"""

from __future__ import annotations

import argparse
import gc
import os
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import libcst

from rnnshape_guard.settings import Settings
from rnnshape_guard.static.judgement import judge
from rnnshape_guard.static.limits import excess
from rnnshape_guard.static.sources import MAX_BYTES, may_matter


@dataclass(frozen=True, slots=True)
class Tree:
    """A folder of Python files: how many there are, how many lines, and the recurrent ones with their bytes."""

    path: Path
    files: int
    lines: int
    recurrent: dict[Path, bytes]

    @property
    def recurrent_lines(self) -> int:
        """Lines of the recurrent files."""
        return sum(source.count(b"\n") for source in self.recurrent.values())


def read(path: Path) -> Tree:
    """Read a tree once, so that the disk is no part of what is measured."""
    sources = {file: file.read_bytes() for file in sorted(path.rglob("*.py"))}
    recurrent = {file: source for file, source in sources.items() if may_matter(source) and parses(source)}
    return Tree(path, len(sources), sum(source.count(b"\n") for source in sources.values()), recurrent)


def parses(source: bytes) -> bool:
    """Whether libcst can read a file that the byte scan lets through."""
    if excess(source, MAX_BYTES) is not None:
        return False
    try:
        libcst.parse_module(source)
    except libcst.ParserSyntaxError:
        return False
    return True


def best(rounds: int, action: Callable[[], object]) -> float:
    """The shortest of several runs, in seconds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def analysis(tree: Tree, rounds: int) -> tuple[float, float, tuple[float, Path]]:
    """Seconds of parsing and of analysis over a tree's recurrent files, and the slowest file."""
    settings = Settings()
    parse = judged = 0.0
    slowest = (0.0, tree.path)
    for file, source in tree.recurrent.items():
        gc.collect()
        gc.disable()
        parse += best(rounds, lambda source=source: libcst.parse_module(source))
        module = libcst.parse_module(source)
        seconds = best(rounds, lambda module=module, file=file: judge(module, str(file), settings))
        gc.enable()
        judged += seconds
        slowest = max(slowest, (seconds, file))
    return parse, judged, slowest


def parse_one(source: bytes) -> None:
    """Parse a file and forget it."""
    libcst.parse_module(source)


def command(arguments: list[str]) -> None:
    """Run a command whose findings do not matter here."""
    subprocess.run(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)


def whole(tree: Tree, rounds: int) -> tuple[float, float, float]:
    """Seconds of the whole command, of Ruff, and of libcst alone on all processors."""
    folder = Path(sys.executable).parent
    path = str(tree.path)
    ours = best(rounds, lambda: command([str(folder / "rnnshape-guard"), "check", "--isolated", "--exit-zero", path]))
    ruff = [str(folder / "ruff"), "check", "--isolated", "--no-cache", "--exit-zero", path]
    theirs = best(rounds, lambda: command(ruff))

    def parse_all() -> None:
        with ProcessPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(parse_one, tree.recurrent.values(), chunksize=4))

    return ours, theirs, best(rounds, parse_all)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trees", nargs="*", type=Path, default=[Path(sysconfig.get_path("purelib"))])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    trees = [read(path) for path in options.trees]

    print("analysis against libcst's parse of the same files (one process, collector off)")
    print(f"{'tree':<24}{'files':>7}{'lines':>9}{'parse':>12}{'analysis':>12}{'ratio':>7}  slowest file")
    sums = [0.0, 0.0]
    for tree in trees:
        parse, judged, (longest, file) = analysis(tree, options.rounds)
        sums = [sums[0] + parse, sums[1] + judged]
        speed = [f"{tree.recurrent_lines / seconds:,.0f}/s" if seconds else "-" for seconds in (parse, judged)]
        ratio = judged / parse if parse else 0
        print(
            f"{tree.path.name:<24}{len(tree.recurrent):>7}{tree.recurrent_lines:>9,}{speed[0]:>12}{speed[1]:>12}"
            f"{ratio:>7.2f}  {longest:.2f} s {file.name}"
        )
    print(f"{'all':<24}{'':>40}{sums[1] / sums[0] if sums[0] else 0:>7.2f}")

    print("\nthe whole command, cold")
    print(f"{'tree':<24}{'files':>7}{'recurrent':>11}{'ours':>9}{'ruff':>9}{'libcst':>9}{'x ruff':>8}{'x libcst':>10}")
    for tree in trees:
        ours, ruff, parsing = whole(tree, options.rounds)
        share = tree.recurrent_lines / max(tree.lines, 1)
        print(
            f"{tree.path.name:<24}{tree.files:>7}{share:>11.1%}{ours:>8.2f}s{ruff:>8.2f}s{parsing:>8.2f}s"
            f"{ours / ruff:>8.1f}{ours / parsing:>10.1f}"
        )


if __name__ == "__main__":
    main()
