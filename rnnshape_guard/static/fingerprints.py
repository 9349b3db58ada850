"""Under which key an outcome is kept: a digest of everything that a file's judgement is made from.

The tool counts with all its own source and pages, so that an edited checkout, another Python or another libcst never reads
rows of before; a user's own rules count with all their files.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from rnnshape_guard import __version__
from rnnshape_guard.rulebook import shipped_pages
from rnnshape_guard.settings import by_key

if TYPE_CHECKING:
    from rnnshape_guard.settings import Settings

WITHOUT_EFFECT = frozenset(
    {
        # How a run is printed and shared out, and which files it looks at.
        *("fail-on", "output-format", "jobs", "cache-dir"),
        *("exclude", "extend-exclude", "force-exclude", "respect-gitignore"),
        # What these come to for one file is its set of selected rules.
        *("select", "extend-select", "ignore", "per-file-ignores"),
        # Counted with what lies in them.
        "rule-dirs",
    }
)
"""Settings that change nothing in what is found in a file; a setting that is not named here does."""

_OTHER_HALF = frozenset({"runtime", "reports", "editor", "__pycache__"})
"""Folders of the package that have no part in judging source."""


def of_bytes(content: bytes) -> str:
    """The digest of what a file holds, as it stands in `Consulted`."""
    return _digest([content]).hex()


def of_file(path: str) -> str | None:
    """The digest of a file; None if it cannot be read."""
    try:
        return of_bytes(Path(path).read_bytes())
    except OSError:
        return None


class Keys:
    """The keys of one run. Settings are told apart by identity, so they have to live as long as this does."""

    def __init__(self, root: Path) -> None:
        self._root = root
        # How files are named in findings depends on where the command runs.
        self._where = os.path.relpath(Path.cwd(), root).encode("utf-8", "surrogateescape")
        self._settings: dict[int, tuple[Settings, bytes]] = {}

    def key(self, filename: str, content: bytes, settings: Settings, selected: Iterable[str], *more: str) -> bytes:
        """The key of a file's outcome: `filename` as findings print it, and the codes that are `selected` for it.

        `more` is whatever else the judgement depends on.
        """
        place = os.path.relpath(filename, self._root)
        words = [filename, place, *more, "", *sorted(selected)]
        parts = (word.encode("utf-8", "surrogateescape") for word in words)
        return _digest([of_tool(), self._of_settings(settings), self._where, content, *parts])

    def _of_settings(self, settings: Settings) -> bytes:
        known = self._settings.get(id(settings))
        if known is None:
            values = {key: value for key, value in by_key(settings).items() if key not in WITHOUT_EFFECT}
            parts = [repr(sorted(values.items())).encode("utf-8", "surrogateescape")]
            for folder in settings.rule_folders:
                parts += _contents(folder, frozenset({"__pycache__"}))
            known = self._settings[id(settings)] = settings, _digest(parts)
        return known[1]


@functools.cache
def of_tool() -> bytes:
    """The digest of the tool: its version, its source, its pages, and the Python and the libcst it runs on."""
    parts = [__version__.encode(), sys.version.encode(), sys.platform.encode()]
    parts += _contents(Path(__file__).parent.parent, _OTHER_HALF)
    parts += _contents(shipped_pages(), frozenset())
    parser = find_spec("libcst")  # finds it without loading it
    if parser is not None and parser.origin is not None:
        parts.append(parser.origin.encode("utf-8", "surrogateescape"))
        version = Path(parser.origin).with_name("_version.py")
        parts += [version.read_bytes()] if version.is_file() else []
    return _digest(parts)


def _contents(folder: Path, without: frozenset[str]) -> Iterator[bytes]:
    """Names and contents of the modules and pages below a folder, in a stable order."""
    try:
        with os.scandir(folder) as scanned:
            entries = sorted(scanned, key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            if entry.name not in without:
                yield from _contents(Path(entry.path), without)
        elif entry.name.endswith((".py", ".md")):
            yield entry.name.encode("utf-8", "surrogateescape")
            try:
                with open(entry.path, "rb") as file:
                    yield file.read()
            except OSError:
                yield b""


def _digest(parts: Iterable[bytes]) -> bytes:
    """A digest of all parts; where one ends and the next begins counts."""
    from hashlib import blake2b

    whole = blake2b(digest_size=16)
    for part in parts:
        whole.update(len(part).to_bytes(8, "little"))
        whole.update(part)
    return whole.digest()
