"""What a report needs beside the diagnostics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rnnshape_guard.rulebook import RuleBook


def _no_lines(filename: str) -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How to read a file's lines, where paths are relative to, and whether colours are wanted."""

    lines: Callable[[str], Sequence[str]] = _no_lines
    rules: RuleBook = field(default_factory=RuleBook.load)
    color: bool = False
    folder: Path = field(default_factory=Path.cwd)

    def absolute(self, filename: str) -> str:
        """The whole path of a file; standard input stays ``-``."""
        return filename if filename == "-" else (self.folder / filename).as_posix()

    def relative(self, filename: str) -> str:
        """The path below the folder if it lies there, with forward slashes, as forges want it."""
        path = Path(filename)
        if path.is_absolute() and path.is_relative_to(self.folder):
            path = path.relative_to(self.folder)
        return path.as_posix()
