"""Smaller programs that show the same: lines are taken away as long as torch and the checker say what they said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from benchmarks.fuzz import truth, verdicts
from benchmarks.fuzz.program import Line, Mistake, Program

Holds = Callable[[Program], bool]


def shrink(program: Program, holds: Holds, rounds: int = 4) -> Program:
    """The program without every line that can go while `holds` does: halves first, then line by line."""
    if not holds(program):
        return program
    size = max(len(program.lines) // 4, 1)
    for _ in range(rounds):
        before = len(program.lines)
        while size >= 1:
            program = _without_runs(program, holds, size)
            size //= 2
        if len(program.lines) == before:
            break
        size = 1
    return program


def _without_runs(program: Program, holds: Holds, size: int) -> Program:
    at = len(program.lines) - size
    while at >= 0:
        lines = program.lines[:at] + program.lines[at + size :]
        smaller = replace(program, lines=lines)
        if any(line.text for line in program.lines[at : at + size]) and holds(smaller):
            program = smaller
        at -= size
    return program


def still_right(code: str) -> Holds:
    """A right program that is reported, by one rule."""

    def holds(program: Program) -> bool:
        source = program.source()
        if not _parses(source) or all(said.code != code for said in verdicts.checked(source)):
            return False
        return not truth.fault(truth.measure(source, program.measured), program.measured)

    return holds


def still_faulty(mistake: Mistake, harm: str, *, found: bool) -> Holds:
    """A faulty program that does the harm it did, beside a right twin; the mistake is found at a right row, or not."""
    kind = harm.split(":")[0].split("(")[0]

    def holds(program: Program) -> bool:
        if all(line is not mistake.line for line in program.lines):
            return False
        source = program.source(mistake)
        if not _parses(source) or not _parses(program.source()):
            return False
        rows = program.right_rows(mistake)
        if any(said.row in rows for said in verdicts.checked(source)) is not found:
            return False
        right = truth.measure(program.source(), program.measured)
        if truth.fault(right, program.measured):
            return False
        done = truth.harm(truth.measure(source, program.measured), right)
        return done.split(":")[0].split("(")[0] == kind and ("crash" not in kind or done == harm)

    return holds


def _parses(source: str) -> bool:
    try:
        compile(source, "shrunk.py", "exec")
    except SyntaxError:
        return False
    return True


def tidy(program: Program) -> Program:
    """The program without blank lines at its head and in rows."""
    lines: list[Line] = []
    for line in program.lines:
        if not line.text and (not lines or (len(lines) > 1 and not lines[-1].text and not lines[-2].text)):
            continue
        lines.append(line)
    return replace(program, lines=tuple(lines))
