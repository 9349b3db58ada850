"""Running a command and saying what it cost."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

BESIDE = Path(sys.executable).parent
"""Where the commands installed with this Python lie."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of a command by a clock on the wall, those that processors worked on it, and the most memory that any of
    its processes held."""

    seconds: float
    worked: float
    peak: int
    cut: bool = False
    """Whether it was ended because it took too long: all figures are then the least it takes."""


class Failed(RuntimeError):
    """A command that broke; the message is the last it said."""


def run(arguments: list[str], limit: float = 3600.0, accepted: tuple[int, ...] = (0,)) -> Cost:
    """Run a command whose output does not matter, for at most `limit` seconds. Raises `Failed`.

    Memory is what the kernel reports for the largest process of it. It counts this process too, as it was when it
    started the command, so whoever wants to know has to be small.
    """
    start = time.perf_counter()
    process = subprocess.Popen(
        arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, process_group=0
    )
    over = threading.Event()
    worked_by_then: list[float] = []

    def end() -> None:
        over.set()
        worked_by_then.append(worked_by(process.pid))
        os.killpg(process.pid, 9)

    timer = threading.Timer(limit, end)
    timer.start()
    try:
        assert process.stderr is not None
        with process.stderr as errors:
            said = errors.read()
        _, status, usage = os.wait4(process.pid, 0)
    finally:
        timer.cancel()
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if not over.is_set() and process.returncode not in accepted:
        words = said.decode(errors="replace").strip().splitlines()
        raise Failed(words[-1] if words else f"exit status {process.returncode}")
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    # Of processes that are ended together the kernel tells only about the first.
    worked = max([usage.ru_utime + usage.ru_stime, *worked_by_then])
    return Cost(seconds, worked, peak, over.is_set())


def worked_by(group: int) -> float:
    """The seconds that the living processes of a group have worked, where the system tells (Linux)."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group:
            ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def ours(*options: str) -> list[str]:
    """The checker's own command."""
    return [str(BESIDE / "rnnshape-guard"), "check", "--isolated", "--exit-zero", "--quiet", *options]


def ruff(*options: str) -> list[str]:
    """Ruff with its default rules, without a cache."""
    return [str(BESIDE / "ruff"), "check", "--isolated", "--no-cache", "--exit-zero", "--quiet", *options]
