"""Other checkers to compare with, installed from PyPI in a virtual environment of their own, outside this repository."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Peer:
    """A checker: what pip calls it, the options it is run with, and the exit statuses that mean it did its work."""

    name: str
    package: str
    options: tuple[str, ...]
    accepted: tuple[int, ...] = (0, 1)

    def command(self, folder: Path, tree: str) -> list[str]:
        """The command line that checks a tree."""
        scripts = folder / self.package / "bin"
        python = ("--python-interpreter-path", str(scripts / "python")) if self.package == "pyrefly" else ()
        return [str(scripts / self.package), *self.options, *python, tree]


PEERS = (
    Peer("pyrefly", "pyrefly", ("check", "--output-format", "omit-errors", "--summary", "none")),
    Peer("TorchFix", "torchfix", ("--select", "ALL")),
)
"""pyrefly sees no torch, as the checker itself does not: reading it would make it slower."""


def default_folder() -> Path:
    """Where environments are kept between runs."""
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(caches) / "rnnshape_guard" / "peers"


def install(peer: Peer, folder: Path) -> str:
    """Install a peer unless it is there, and say its version. Raises `RuntimeError` with pip's last words if it fails."""
    place = folder / peer.package
    python = str(place / "bin" / "python")
    if not (place / "bin" / peer.package).exists():
        _say([sys.executable, "-m", "venv", "--clear", str(place)])
        _say([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", peer.package])
    return _say([python, "-c", f"import importlib.metadata as m; print(m.version({peer.package!r}))"])


def _say(arguments: list[str]) -> str:
    try:
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=600, check=False)
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise RuntimeError(str(problem)) from None
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip().splitlines()
        raise RuntimeError(words[-1] if words else f"exit status {done.returncode}")
    return done.stdout.strip()
