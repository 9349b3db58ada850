"""Checking one package: the whole of it with the command as users run it, and each recurrent file alone for its time."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.wild.packages import Package
from benchmarks.wild.verdicts import Found, Severity, Spot
from rnnshape_guard.settings import Overrides, SettingsResolver
from rnnshape_guard.static.engine import check_paths
from rnnshape_guard.static.sources import may_matter


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check of one package shows. `seconds` is the whole command; `slowest` a recurrent file checked alone."""

    package: Package
    files: int
    lines: int
    recurrent_files: int
    recurrent_lines: int
    seconds: float
    found: tuple[Found, ...]
    slowest: tuple[float, str] = field(default=(0.0, ""))

    @property
    def speed(self) -> float:
        """Lines of recurrent files in a second of the whole command."""
        return self.recurrent_lines / self.seconds if self.seconds else 0.0


def check(package: Package, folder: Path, *, time_files: bool = True) -> Checked:
    """Check a package whose modules lie in `folder`. Raises RuntimeError if the command does not give a report."""
    sources = {path: path.read_bytes() for path in sorted(folder.rglob("*.py"))}
    recurrent = {path: source for path, source in sources.items() if may_matter(source)}
    options = ("--isolated", "--no-cache", "--exit-zero", "--output-format=json")
    command = [sys.executable, "-m", "rnnshape_guard", "check", *options]
    start = time.perf_counter()
    done = subprocess.run([*command, str(folder)], capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    try:
        report = json.loads(done.stdout)
    except json.JSONDecodeError as error:
        raise RuntimeError(f"no report on {package.name}: {done.stderr.strip()}") from error
    return Checked(
        package,
        files=len(sources),
        lines=sum(source.count(b"\n") for source in sources.values()),
        recurrent_files=len(recurrent),
        recurrent_lines=sum(source.count(b"\n") for source in recurrent.values()),
        seconds=seconds,
        found=tuple(_found(one, package, folder) for one in report),
        slowest=max((_alone(path, folder) for path in recurrent), default=(0.0, "")) if time_files else (0.0, ""),
    )


def _found(one: Mapping[str, Any], package: Package, folder: Path) -> Found:
    file = Path(one["filename"]).relative_to(folder.absolute()).as_posix()
    spot = Spot(package.name, package.version, file, one["location"]["row"], one["code"])
    return Found(spot, Severity(one["severity"]), one["message"])


def _alone(path: Path, folder: Path) -> tuple[float, str]:
    """The seconds that one file takes when it alone is asked for, in a process that has the checker loaded."""
    start = time.perf_counter()
    check_paths([str(path)], SettingsResolver(Overrides(isolated=True)), jobs=1)
    return time.perf_counter() - start, path.relative_to(folder).as_posix()
