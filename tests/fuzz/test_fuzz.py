"""The fuzzer, for some seconds; and the programs that it once disagreed about, shrunk."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from benchmarks.fuzz import truth, verdicts
from benchmarks.fuzz.generator import generate
from benchmarks.fuzz.shrinking import shrink, still_faulty
from benchmarks.fuzz.table import Figures
from benchmarks.fuzz.trials import Outcome, trials

PROGRAMS = sorted((Path(__file__).parent / "programs").glob("*.py"))
SEEDS = range(7000, 7060)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_programs_of_old_disagreements(path: Path) -> None:
    program = path.read_text(encoding="utf-8")
    marked = {
        row: set(mark[1].split(", "))
        for row, line in enumerate(program.splitlines(), 1)
        if (mark := re.search(r"# error: \[(.*?)\]", line))
    }
    found: dict[int, set[str]] = {}
    for said in verdicts.checked(program):
        found.setdefault(said.row, set()).add(said.code)
    assert found == marked


def test_checker_and_guard_agree_with_torch_about_fresh_programs() -> None:
    figures = Figures()
    for one in trials(iter(SEEDS), guard=True):
        figures.add(one)
    report = "\n".join(figures.lines())
    assert figures.right >= 0.97 * len(SEEDS), report
    assert figures.recall >= 0.9, report
    assert figures.alarms == 0, report
    assert figures.guard_alarms <= 1, report


def test_a_seed_gives_one_program() -> None:
    assert generate(11).source() == generate(11).source()
    assert generate(11).source() != generate(12).source()


def test_torch_tells_right_from_wrong_without_being_told() -> None:
    program = next(
        one for one in map(generate, range(100)) if any(m.kind == "batch_first dropped" for m in one.mistakes)
    )
    mistake = next(one for one in program.mistakes if one.kind == "batch_first dropped")
    right = truth.measure(program.source(), program.measured)
    faulty = truth.measure(program.source(mistake), program.measured)
    assert truth.fault(right, program.measured) == ""
    assert truth.harm(right, right) == ""
    assert truth.harm(faulty, right) != ""


def test_what_is_shrunk_still_does_the_harm() -> None:
    planted = next(
        one.planted
        for one in trials(iter(SEEDS), guard=False)
        if one.planted is not None and one.planted.outcome(one.planted.said) is Outcome.FOUND
    )
    holds = still_faulty(planted.mistake, planted.harm, found=True)
    small = shrink(planted.program, holds, rounds=1)
    assert len(small.lines) < len(planted.program.lines)
    assert holds(small)
