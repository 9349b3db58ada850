"""How fast the checker is, as ratios measured in one run.

    python benchmarks/speed.py [--rounds 3] [--recurrent] TREE [TREE …]

For each tree, in one process each and the best of several rounds that go around all tools:

- the whole command, cold (`--no-cache`) and warm (a second run with a cache), and on one recurrent file alone;
- the same tree under `ruff check --no-cache`, pyrefly and TorchFix, which are installed from PyPI into a folder outside
  this repository (`--tools`); one that cannot be installed is left out with a word;
- libcst alone, parsing the recurrent files with as many processes as there are processors;
- analysis against libcst's parse of the same files, whole: what judging them costs but for libcst's part of it, imports
  followed, in one process.

`--recurrent` adds a row for the recurrent files of each tree alone. Without a tree it takes what is installed beside it.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import resource
import shutil
import sysconfig
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import libcst
from commands import Cost, Failed, ours, ruff, run
from peers import PEERS, Peer, default_folder, install

from rnnshape_guard.settings import Settings
from rnnshape_guard.static.analyst import Analyst, Job
from rnnshape_guard.static.limits import excess
from rnnshape_guard.static.sources import MAX_BYTES, may_matter

SLOW = 15.0
"""Seconds from which on a command is not run again: another round would tell nothing new."""


@dataclass(frozen=True, slots=True)
class Tree:
    """A folder of Python files: how many there are, how many lines, and the recurrent ones with their bytes."""

    name: str
    path: Path
    files: int
    lines: int
    recurrent: dict[Path, bytes]

    @property
    def recurrent_lines(self) -> int:
        """Lines of the recurrent files."""
        return sum(source.count(b"\n") for source in self.recurrent.values())

    @property
    def typical(self) -> Path | None:
        """The recurrent file of middling length."""
        ordered = sorted(self.recurrent, key=lambda file: len(self.recurrent[file]))
        return ordered[len(ordered) // 2] if ordered else None


@dataclass(frozen=True, slots=True)
class Analysis:
    """Seconds of judging files in one process: libcst's parse, everything else, and the most that one file took."""

    parse: float
    rest: float
    longest: float
    slowest: Path


@dataclass(frozen=True, slots=True)
class Row:
    """What one tree cost: each tool's command by name, and the parts of the analysis."""

    tree: Tree
    costs: dict[str, Cost]
    analysis: Analysis


Clock = Callable[[Cost], float]
"""Which seconds of a cost are compared."""


def read(path: Path) -> Tree:
    """Read a tree once, so that the disk is no part of what is measured."""
    sources = {file: file.read_bytes() for file in sorted(path.rglob("*.py")) if file.is_file()}
    recurrent = {file: source for file, source in sources.items() if may_matter(source) and parses(source)}
    return Tree(path.name, path, len(sources), sum(source.count(b"\n") for source in sources.values()), recurrent)


def recurrent_alone(tree: Tree, folder: Path) -> Tree:
    """A copy of a tree that holds its recurrent files and nothing else."""
    for file in tree.recurrent:
        copy = folder / tree.name / file.relative_to(tree.path)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
    (folder / tree.name).mkdir(exist_ok=True)
    return replace(read(folder / tree.name), name=f"{tree.name}, recurrent")


def parses(source: bytes) -> bool:
    """Whether libcst can read a file that the byte scan lets through."""
    if excess(source, MAX_BYTES) is not None:
        return False
    try:
        libcst.parse_module(source)
    except libcst.ParserSyntaxError:
        return False
    return True


def analysis(tree: Tree, limit: float) -> Analysis:
    """Judge a tree's recurrent files one after another in this process, for at most `limit` seconds: what that costs
    without libcst's part, beside libcst's parse of the whole of these files and of those of their imports that are read."""
    settings = Settings(root=tree.path)
    analyst = Analyst()
    parse_module = libcst.parse_module
    parsing = 0.0

    def timed(source: str | bytes, *config: Any) -> libcst.Module:
        nonlocal parsing
        start = time.perf_counter()
        try:
            return parse_module(source, *config)
        finally:
            parsing += time.perf_counter() - start

    slowest, judged = (0.0, tree.path), set[str]()
    # What is loaded for the first file is no part of what a file costs.
    analyst.analyse(
        Job("first.py", str(tree.path / "first.py"), b"import torch.nn as nn\nnn.LSTM(3, 4)\n", settings, False)
    )
    begin = time.perf_counter()
    libcst.parse_module = timed  # type: ignore[assignment]
    try:
        for file, source in tree.recurrent.items():
            start = time.perf_counter()
            analyst.analyse(Job(str(file), str(file), source, settings, named=False))
            now = time.perf_counter()
            slowest = max(slowest, (now - start, file))
            judged.add(str(file))
            if now - begin > limit:
                break
    finally:
        libcst.parse_module = parse_module
    rest = time.perf_counter() - begin - parsing
    sources = [Path(file).read_bytes() for file in sorted(judged | analyst.read) if Path(file).is_file()]
    collecting = gc.isenabled()
    gc.disable()
    begin = time.perf_counter()
    for source in sources:
        parse_one(source)
    parse = time.perf_counter() - begin
    if collecting:
        gc.enable()
    return Analysis(parse, rest, *slowest)


def parse_one(source: bytes) -> None:
    """Parse a file and forget it; one that libcst can't read costs what it costs until then."""
    with contextlib.suppress(libcst.ParserSyntaxError, UnicodeDecodeError):
        libcst.parse_module(source)


def parse_all(tree: Tree) -> Cost:
    """Parse the recurrent files with all processors."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(parse_one, tree.recurrent.values(), chunksize=4))
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 0)


def measure(tree: Tree, tools: dict[Peer, Path], rounds: int, limit: float, clock: Clock) -> Row:
    """Everything about one tree. Rounds go around all tools, so that a busy minute strikes all of them."""
    path = str(tree.path)
    with tempfile.TemporaryDirectory() as cache:
        commands: dict[str, tuple[list[str], tuple[int, ...]]] = {
            "cold": (ours("--no-cache", path), (0,)),
            "warm": (ours("--cache-dir", cache, path), (0,)),
            "ruff": (ruff(path), (0,)),
        }
        if tree.typical is not None:
            commands["one"] = (ours("--no-cache", str(tree.typical)), (0,))
        for peer, folder in tools.items():
            commands[peer.name] = (peer.command(folder, path), peer.accepted)
        if run(commands["warm"][0], limit).cut:
            del commands["warm"]
        costs: dict[str, Cost] = {}
        for _ in range(rounds):
            for name, (command, accepted) in commands.items():
                known = costs.get(name)
                if known is not None and known.seconds > SLOW:
                    continue
                try:
                    cost = run(command, limit, accepted)
                except Failed as failure:
                    print(f"{name} fails on {tree.name}: {failure}")
                    continue
                costs[name] = cost if known is None else min(known, cost, key=clock)
            if tree.recurrent:
                alone = parse_all(tree)
                costs["libcst"] = min(costs.get("libcst", alone), alone, key=clock)
    return Row(tree, costs, min((analysis(tree, limit) for _ in range(rounds)), key=lambda it: it.rest))


# -- the table -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table: its head, its width, and what it shows of a row."""

    head: str
    width: int
    show: Callable[[Row], str] = field(repr=False)


def ratio(one: float, other: float) -> str:
    """How many times one number another is."""
    if not other:
        return "-"
    times = one / other
    return f"{times:.0f}x" if times >= 100 else f"{times:.1f}x" if times >= 10 else f"{times:.2f}x"


def columns(peers: list[Peer], clock: Clock) -> list[Column]:
    """The columns: the tree, seconds, ratios."""

    def seconds(name: str) -> Callable[[Row], str]:
        return lambda row: f"{clock(row.costs[name]):.2f}" if name in row.costs else "-"

    def times(over: str, under: str) -> Callable[[Row], str]:
        def show(row: Row) -> str:
            if over not in row.costs or under not in row.costs:
                return "-"
            one, other = row.costs[over], row.costs[under]
            return ("≥" if one.cut else "") + ratio(clock(one), clock(other))

        return show

    return [
        Column("tree", -28, lambda row: row.tree.name),
        Column("files", 7, lambda row: f"{row.tree.files:,}"),
        Column("lines", 9, lambda row: f"{row.tree.lines:,}"),
        Column("recurrent", 11, lambda row: f"{row.tree.recurrent_lines / max(row.tree.lines, 1):.1%}"),
        Column("cold s", 8, seconds("cold")),
        Column("warm s", 8, seconds("warm")),
        Column("1 file s", 9, seconds("one")),
        Column("ruff s", 8, seconds("ruff")),
        Column("cold/ruff", 11, times("cold", "ruff")),
        Column("warm/ruff", 11, times("warm", "ruff")),
        Column("cold/libcst", 13, times("cold", "libcst")),
        *(Column(f"{peer.name}/cold", len(peer.name) + 7, times(peer.name, "cold")) for peer in peers),
        *(Column(f"{peer.name}/warm", len(peer.name) + 7, times(peer.name, "warm")) for peer in peers),
        Column("analysis/parse", 16, lambda row: ratio(row.analysis.rest, row.analysis.parse)),
        Column("  within the bars", -17, lambda row: verdict(row, clock)),
    ]


def verdict(row: Row, clock: Clock) -> str:
    """Which bars a row is held to and misses: cold against Ruff below 1% recurrent lines, else against libcst; warm
    against cold Ruff; one file in 0.35 s; analysis against the parse; no file past 5 s."""
    spent = {name: clock(cost) for name, cost in row.costs.items()}
    mostly_plain = row.tree.recurrent_lines < 0.01 * row.tree.lines
    bars = {
        "cold": spent["cold"] <= (2 * spent["ruff"] if mostly_plain else 2 * spent["libcst"] + 0.3),
        "warm": "warm" in spent and spent["warm"] <= spent["ruff"],
        "1 file": spent.get("one", 0.0) <= 0.35,
        "analysis": not row.tree.recurrent or row.analysis.rest <= row.analysis.parse,
        "5 s": row.analysis.longest <= 5.0,
    }
    missed = [name for name, holds in bars.items() if not holds]
    return "  yes" if not missed else f"  not {', '.join(missed)}"


def line(shown: list[Column], cells: list[str]) -> str:
    """A line of the table."""
    pairs = zip(shown, cells, strict=True)
    return "".join(f"{cell:<{-one.width}}" if one.width < 0 else f"{cell:>{one.width}}" for one, cell in pairs)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trees", nargs="*", type=Path, default=[Path(sysconfig.get_path("purelib"))])
    parser.add_argument("--rounds", type=int, default=3, help="how often each command is run [3]")
    parser.add_argument("--recurrent", action="store_true", help="add the recurrent files of each tree as a tree")
    parser.add_argument("--limit", type=float, default=120.0, help="seconds after which a tool is cut off [120]")
    parser.add_argument(
        "--tools", type=Path, default=default_folder(), help=f"where to install them [{default_folder()}]"
    )
    parser.add_argument("--without", action="append", default=[], metavar="TOOL", help="a tool to leave out")
    parser.add_argument(
        "--worked",
        action="store_true",
        help="compare the seconds that processors worked: a busy machine changes them less",
    )
    options = parser.parse_args()
    clock: Clock = (lambda cost: cost.worked) if options.worked else (lambda cost: cost.seconds)

    tools: dict[Peer, Path] = {}
    for peer in PEERS:
        if peer.name.lower() in (name.lower() for name in options.without):
            continue
        try:
            print(f"{peer.name} {install(peer, options.tools)}")
            tools[peer] = options.tools
        except RuntimeError as problem:
            print(f"{peer.name} is left out, it could not be installed: {problem}")

    with tempfile.TemporaryDirectory() as copies:
        trees = [read(path.resolve()) for path in options.trees]
        if options.recurrent:
            trees += [recurrent_alone(tree, Path(copies)) for tree in trees]
        kind = "seconds of processors" if options.worked else "seconds"
        print(f"\n{os.cpu_count()} processors, the best of {options.rounds}; ratios are of {kind}, tool over tool")
        shown = columns(list(tools), clock)
        print(line(shown, [column.head for column in shown]), flush=True)
        rows = []
        for tree in trees:
            rows.append(measure(tree, tools, options.rounds, options.limit, clock))
            print(line(shown, [column.show(rows[-1]) for column in shown]), flush=True)
    parts = [row.analysis for row in rows]
    slowest = max(parts, key=lambda it: it.longest)
    whole = ratio(sum(it.rest for it in parts), sum(it.parse for it in parts))
    print(f"\nanalysis over parse in all: {whole}; slowest file: {slowest.longest:.2f} s, {slowest.slowest.name}")


if __name__ == "__main__":
    main()
