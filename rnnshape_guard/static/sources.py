"""Which files a run reads, and their text.

Folders are walked in order of names. What is left out: the excluded folders, what .gitignore files say (from the top
of the git repository down to the file), links to folders (so a loop of links ends nothing), and everything that is not
a .py file. A file that is named is read whatever it is called, unless `force-exclude` is set.
"""

from __future__ import annotations

import io
import os
import re
import tokenize
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rnnshape_guard.static import globs

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

    from rnnshape_guard.settings import Settings

MAX_BYTES = 1_000_000
"""Beyond this libcst takes seconds and gigabytes; no module a person wrote is so long."""

RECURRENT_TOKENS = (
    b"LSTM",
    b"GRU",
    b"RNN",
    b"pack_padded_sequence",
    b"pad_packed_sequence",
    b"pack_sequence",
    b"utils.rnn",
)
"""A file without any of these neither builds a recurrent layer nor packs for one."""

RECURRENT_WORDS = "LSTM|GRU|RNN|packed_sequence|pack_padded|pack_sequence"
"""A pattern for the words of a definition that builds a recurrent layer or packs for one."""

SUPPRESSION_TOKENS = (b"rnnshape", b"RSG")
"""A file without any of these holds no comment that speaks to this tool alone."""

_NEWLINE = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Source:
    """A file to look at: its name as reports print it, its absolute path, the settings it falls under, and whether a user
    named it."""

    filename: str
    path: str
    settings: Settings
    named: bool


class ReadProblem(Exception):
    """A file that cannot be read or decoded; the message says why."""

    def __init__(self, message: str, row: int = 1) -> None:
        super().__init__(message, row)
        self.message = message
        self.row = row


def may_matter(source: bytes) -> bool:
    """Whether a file can hold anything about recurrent layers, judged by a search of its raw bytes."""
    return any(token in source for token in RECURRENT_TOKENS)


def may_suppress(source: bytes) -> bool:
    """Whether a comment that speaks to this tool may stand in a file."""
    return any(token in source for token in SUPPRESSION_TOKENS)


# -- finding files -------------------------------------------------------------------------------------------------


def discover(paths: Iterable[str], settings_in: Callable[[Path], Settings]) -> Iterator[Source]:
    """The files below `paths`, each once, in a stable order. `settings_in` gives the settings of a folder."""
    seen: set[str] = set()
    ignores = _GitIgnores()
    for path in paths:
        absolute = os.path.abspath(path)  # noqa: PTH100 - links are kept as they are
        if os.path.isdir(path):  # noqa: PTH112
            found = _walk(os.path.normpath(path), absolute, settings_in, ignores)
        else:
            found = _named(path, absolute, settings_in)
        for source, place in found:
            if place not in seen:
                seen.add(place)
                yield source


def _named(path: str, absolute: str, settings_in: Callable[[Path], Settings]) -> Iterator[tuple[Source, str]]:
    settings = settings_in(Path(absolute).parent)
    if not (settings.force_exclude and is_excluded(absolute, settings)):
        yield Source(os.path.normpath(path), absolute, settings, named=True), absolute


def is_excluded(absolute: str, settings: Settings) -> bool:
    """Whether a path or any folder it lies in is excluded by the settings."""
    patterns = (*settings.exclude, *settings.extend_exclude)
    path = Path(absolute)
    inside = [
        place for place in (path, *path.parents) if place != settings.root and place.is_relative_to(settings.root)
    ]
    return any(globs.matches(place.as_posix(), patterns, settings.root) for place in inside or [path])


def _walk(
    shown: str, absolute: str, settings_in: Callable[[Path], Settings], ignores: _GitIgnores
) -> Iterator[tuple[Source, str]]:
    settings = settings_in(Path(absolute))
    if settings.force_exclude and is_excluded(absolute, settings):
        return
    pending = [(shown, absolute)]
    while pending:
        shown, absolute = pending.pop()
        settings = settings_in(Path(absolute))
        patterns = (*settings.exclude, *settings.extend_exclude)
        try:
            with os.scandir(absolute) as scanned:
                entries = sorted(scanned, key=lambda entry: entry.name)
        except OSError:
            # Reported as a file that cannot be read, by whoever reads it.
            yield Source(shown, absolute, settings, named=True), absolute
            continue
        ignored = ignores.below(absolute, entries) if settings.respect_gitignore else _nothing
        folders: list[tuple[str, str]] = []
        for entry in entries:
            is_folder = entry.is_dir(follow_symlinks=False)
            if not is_folder and not (entry.name.endswith(".py") and _is_readable_kind(entry)):
                continue
            place = f"{absolute.rstrip('/')}/{entry.name}"
            if globs.matches(place, patterns, settings.root) or ignored(place, is_folder):
                continue
            name = entry.name if shown == "." else f"{shown.rstrip('/')}/{entry.name}"
            if is_folder:
                folders.append((name, place))
            else:
                yield Source(name, place, settings, named=False), place
        pending.extend(reversed(folders))


def _is_readable_kind(entry: os.DirEntry[str]) -> bool:
    # A link to nowhere or to itself is reported; a folder, a pipe or a socket named like a module is passed over.
    try:
        return entry.is_file() or (entry.is_symlink() and not entry.is_dir())
    except OSError:
        return True


def _nothing(place: str, is_folder: bool) -> bool:
    return False


class _GitIgnores:
    """The .gitignore files in force for each folder, outermost first."""

    def __init__(self) -> None:
        self._specs: dict[str, tuple[tuple[str, GitIgnoreSpec], ...]] = {}
        self._walked: set[str] = set()

    def below(self, folder: str, entries: list[os.DirEntry[str]]) -> Callable[[str, bool], bool]:
        """What decides whether a file or folder directly inside `folder`, whose entries are given, is ignored."""
        names = {entry.name for entry in entries}
        self._walked.add(folder)
        specs = self._in_force(folder, ".gitignore" in names, ".git" in names)
        if not specs:
            return _nothing

        def ignored(place: str, is_folder: bool) -> bool:
            # The innermost file that has an opinion decides.
            for root, spec in reversed(specs):
                relative = place[len(root) :].lstrip("/") + ("/" if is_folder else "")
                verdict = spec.check_file(relative).include
                if verdict is not None:
                    return verdict
            return False

        return ignored

    def _in_force(self, folder: str, has_file: bool, is_top: bool) -> tuple[tuple[str, GitIgnoreSpec], ...]:
        known = self._specs.get(folder)
        if known is None:
            parent = os.path.dirname(folder)  # noqa: PTH120
            above = () if is_top or parent == folder else self._above(parent)
            if parent not in self._walked:
                # A walk begins here because a user said so: what ignores this very folder has no say.
                above = tuple(item for item in above if not _ignores(item, folder))
            own = _read_gitignore(folder) if has_file else None
            known = self._specs[folder] = above if own is None else (*above, (folder, own))
        return known

    def _above(self, folder: str) -> tuple[tuple[str, GitIgnoreSpec], ...]:
        """What holds in `folder`, where a walk began below it; nothing unless a git repository reaches up to there."""
        if folder in self._specs:
            return self._specs[folder]
        chain = [folder, *(str(parent) for parent in Path(folder).parents)]
        top = next((place for place in chain if os.path.exists(f"{place}/.git")), None)  # noqa: PTH110
        if top is None:
            return ()
        specs: tuple[tuple[str, GitIgnoreSpec], ...] = ()
        for place in reversed(chain[: chain.index(top) + 1]):
            own = _read_gitignore(place) if os.path.exists(f"{place}/.gitignore") else None  # noqa: PTH110
            specs = self._specs[place] = specs if own is None else (*specs, (place, own))
        return specs


def _ignores(item: tuple[str, GitIgnoreSpec], folder: str) -> bool:
    root, spec = item
    return bool(spec.check_file(folder[len(root) :].lstrip("/") + "/").include)


def _read_gitignore(folder: str) -> GitIgnoreSpec | None:
    from pathspec import GitIgnoreSpec  # 25 ms that a tree without .gitignore need not pay

    try:
        text = Path(folder, ".gitignore").read_text(encoding="utf-8", errors="replace")
        return GitIgnoreSpec.from_lines(text.splitlines())
    except (OSError, ValueError):
        return None


# -- reading files -------------------------------------------------------------------------------------------------


def read_bytes(filename: str) -> bytes:
    """A file's bytes, at most one more than `MAX_BYTES`. Raises `ReadProblem`."""
    try:
        with open(filename, "rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as problem:
        raise ReadProblem(f"cannot be read: {problem.strerror or problem}") from None


def decode(source: bytes) -> str:
    """The text of a module, by its byte order mark or its coding comment (PEP 263), else UTF-8. Raises `ReadProblem`."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
        return source.decode(encoding)
    except SyntaxError as problem:
        message = str(problem.msg)
    except UnicodeDecodeError as problem:
        row = source.count(b"\n", 0, problem.start) + 1
        raise ReadProblem(f"is not {problem.encoding}: byte 0x{source[problem.start]:02x} does not fit", row) from None
    raise ReadProblem(f"cannot be decoded: {message}")


def split_lines(text: str) -> list[str]:
    """The lines of a module as Python counts them: form feeds and Unicode's line separators do not end one."""
    return _NEWLINE.split(text)
