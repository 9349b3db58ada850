"""Digests of what a judgement is made from: contents of files, settings, and the tool itself.

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
        # These pick from what is found.
        *("select", "extend-select", "ignore", "per-file-ignores"),
        # Counted with what lies in them.
        "rule-dirs",
    }
)
"""Settings that change nothing in how a file is judged; a setting that is not named here does."""

_OTHER_HALF = frozenset({"runtime", "reports", "editor", "__pycache__"})
"""Folders of the package that have no part in judging source."""


def of_bytes(content: bytes) -> str:
    """The digest of what a file holds."""
    return _digest([content]).hex()


def of_words(*words: str) -> bytes:
    """The digest of a row of words; where one ends and the next begins counts."""
    return _digest(word.encode("utf-8", "surrogatepass") for word in words)


def of_settings(settings: Settings) -> bytes:
    """The digest of the settings as far as judging depends on them. The root counts: imports are looked for below it."""
    values = {key: value for key, value in by_key(settings).items() if key not in WITHOUT_EFFECT}
    parts = [of_words(str(settings.root), repr(sorted(values.items())))]
    for folder in settings.rule_folders:
        parts += _contents(folder, frozenset({"__pycache__"}))
    return _digest(parts)


@functools.cache
def of_tool() -> bytes:
    """The digest of the tool: its version, its source, its pages, and the Python and the libcst it runs on."""
    parts = [__version__.encode(), sys.version.encode(), sys.platform.encode()]
    parts += _contents(Path(__file__).parent.parent, _OTHER_HALF)
    parts += _contents(shipped_pages(), frozenset())
    parser = find_spec("libcst")  # finds it without loading it
    if parser is not None and parser.origin is not None:
        version = Path(parser.origin).with_name("_version.py")
        parts.append(version.read_bytes() if version.is_file() else parser.origin.encode())
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
    from hashlib import blake2b

    whole = blake2b(digest_size=16)
    for part in parts:
        whole.update(len(part).to_bytes(8, "little"))
        whole.update(part)
    return whole.digest()
