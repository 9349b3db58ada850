"""Path patterns of settings, read as Ruff reads them.

A pattern is matched against a path's last part, against the whole path, and against the path below the settings'
folder: `build`, `*_pb2.py` and `src/legacy` all do what they look like. `*` crosses slashes, `**/` may be nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

_TOKEN = re.compile(r"\*\*/|\*+|\?|\[[!^]?\]?[^\]]*\]|\{[^{}]*\}|.", re.DOTALL)


def _translate(pattern: str) -> str:
    parts: list[str] = []
    for token in _TOKEN.findall(pattern):
        match token[0]:
            case "*":
                parts.append("(?:.*/)?" if token == "**/" else ".*")
            case "?":
                parts.append(".")
            case "[" if len(token) > 1:
                negated = token[1] in "!^"
                inside = token[2:-1] if negated else token[1:-1]
                parts.append(f"[{'^' if negated else ''}{re.escape(inside).replace(chr(92) + '-', '-')}]")
            case "{" if len(token) > 1:
                parts.append("(?:" + "|".join(_translate(choice) for choice in token[1:-1].split(",")) + ")")
            case _:
                parts.append(re.escape(token))
    return "".join(parts)


@lru_cache(maxsize=256)
def _compiled(patterns: tuple[str, ...], root: str) -> re.Pattern[str] | None:
    alternatives: list[str] = []
    for pattern in patterns:
        pattern = pattern.rstrip("/").removeprefix("./")
        if not pattern:
            continue
        body = _translate(pattern)
        if pattern.startswith("/"):
            alternatives.append(body)
        elif "/" in pattern:
            alternatives.append(f"{re.escape(root.rstrip('/'))}/{body}")
        else:
            alternatives.append(f"(?:.*/)?{body}")
    return re.compile("(?:" + "|".join(alternatives) + r")\Z", re.DOTALL) if alternatives else None


def matches(path: str, patterns: Iterable[str], root: Path) -> bool:
    """Whether an absolute path fits one of the patterns, which are relative to `root`."""
    compiled = _compiled(tuple(patterns), root.as_posix())
    return compiled is not None and compiled.match(path) is not None
