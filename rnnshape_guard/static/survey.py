"""What a run has to know of every file, without reading those that an earlier run has read.

A row of the cache holds what is known of the files of one folder. It is believed of a file as long as its size, times and
inode are those of when it was read. A file that was written a moment before it was read is read again by the next run:
another write in the same tick of the clock would not show.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from rnnshape_guard.static.fingerprints import of_bytes, of_tool, of_words
from rnnshape_guard.static.outlines import Block, Import, Outline
from rnnshape_guard.static.sources import ReadProblem, may_matter, may_suppress, read_bytes

if TYPE_CHECKING:
    from rnnshape_guard.static.cache import Cache

_FOLDERS: Final = 64
"""Folders that are held in memory at once."""

_SETTLED: Final = 2 * 10**9
"""Nanoseconds after which a write cannot be mistaken for an earlier one on any file system."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a file: the digest of what it holds, whether anything recurrent or a comment for this tool may
    stand in it, and what it imports. `content` is there if the file had to be read."""

    digest: str
    matters: bool
    suppresses: bool
    imported: tuple[Import, ...]
    content: bytes | None = field(default=None, compare=False)

    def imported_words(self, path: str) -> frozenset[str]:
        """The last words of every module that a file imports, and the names that it imports from them."""
        words: set[str] = set()
        for one in self.imported:
            if not one.name:
                words.update(one.module.split("."))
                continue
            words.add(one.name)
            words.add(one.module.rpartition(".")[2] if one.module else path.rsplit("/", one.level + 1)[1])
        # Held for every file until it is known which of them import something recurrent: the same few words.
        return frozenset(map(sys.intern, words))


@dataclass(slots=True)
class _Folder:
    """The files of one folder: for each name its size, times and inode, then its facts."""

    files: dict[str, list[Any]]
    seen: set[str] = field(default_factory=set)
    is_changed: bool = False


class Survey:
    """The facts of files, from the cache if there is one and it knows them, else from the files."""

    def __init__(self, cache: Cache | None) -> None:
        self._cache = cache
        self._folders: OrderedDict[str, _Folder] = OrderedDict()

    def facts(self, path: str) -> Facts:
        """The facts of a file, by its whole path. Raises `ReadProblem`."""
        if self._cache is None:
            return _facts(read_bytes(path), "")
        folder_name, _, name = path.rpartition("/")
        folder = self._folder(folder_name)
        folder.seen.add(name)
        stamp = stamp_of(path)
        known = folder.files.get(name)
        if known is not None and known[0] == stamp:
            _, digest, matters, suppresses, imported = known
            return Facts(digest, matters, suppresses, tuple(Import(*one) for one in imported))
        content = read_bytes(path)
        facts = _facts(content, of_bytes(content))
        if stamp is not None and time.time_ns() - max(stamp[1:3]) > _SETTLED:
            imported = [[one.level, one.module, one.name, one.bound] for one in facts.imported]
            folder.files[name] = [stamp, facts.digest, facts.matters, facts.suppresses, imported]
            folder.is_changed = True
        elif folder.files.pop(name, None) is not None:
            folder.is_changed = True
        return facts

    def outline(self, path: str) -> Outline | None:
        """The outline of a file, as far as the cache knows it; None if it cannot be read."""
        try:
            facts = self.facts(path)
        except ReadProblem:
            return None
        if self._cache is None:
            return Outline(facts.content or b"")
        return _KnownOutline(path, facts, self._cache)

    def close(self) -> None:
        """Hand what is new to the cache."""
        while self._folders:
            self._leave(*self._folders.popitem())

    def _folder(self, name: str) -> _Folder:
        folder = self._folders.get(name)
        if folder is not None:
            self._folders.move_to_end(name)
            return folder
        if len(self._folders) >= _FOLDERS:
            self._leave(*self._folders.popitem(last=False))
        folder = self._folders[name] = _Folder(self._kept(name))
        return folder

    def _kept(self, folder: str) -> dict[str, list[Any]]:
        text = self._cache.get(_key(folder)) if self._cache is not None else None
        if text is None:
            return {}
        files: dict[str, list[Any]] = json.loads(text)
        return files

    def _leave(self, name: str, folder: _Folder) -> None:
        if not folder.is_changed or self._cache is None:
            return
        try:
            present = set(os.listdir(name or "/"))
        except OSError:
            return
        files = {file: known for file, known in folder.files.items() if file in present}
        self._cache.put(_key(name), json.dumps(files, separators=(",", ":")).encode("ascii"))


class _KnownOutline(Outline):
    """An outline whose parts were read before, by this run or an earlier one."""

    def __init__(self, path: str, facts: Facts, cache: Cache) -> None:
        super().__init__(b"")
        self.is_recurrent = facts.matters
        self._path = path
        self._facts = facts
        self._cache = cache

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        return self._facts.imported

    @cached_property
    def blocks(self) -> Mapping[str, Block]:
        key = of_words("blocks", of_tool().hex(), self._facts.digest)
        text = self._cache.get(key)
        if text is not None:
            return {
                name: Block(frozenset(words.split()), frozenset(uses.split()), begins, is_variable)
                for name, (words, uses, begins, is_variable) in json.loads(text).items()
            }
        try:
            content = self._facts.content or read_bytes(self._path)
        except ReadProblem:
            content = b""
        blocks = Outline(content).blocks
        if of_bytes(content) == self._facts.digest:
            parts = {
                name: [" ".join(sorted(block.words)), " ".join(sorted(block.uses)), block.begins, block.is_variable]
                for name, block in blocks.items()
            }
            self._cache.put(key, json.dumps(parts, separators=(",", ":")).encode("ascii"))
        return blocks


def stamp_of(path: str) -> list[int] | None:
    """A file's size, times in nanoseconds and inode: as long as they are the same, so is the file."""
    try:
        found = os.stat(path)  # noqa: PTH116 - for every file of a run
    except (OSError, ValueError):
        return None
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]


def _facts(content: bytes, digest: str) -> Facts:
    return Facts(digest, may_matter(content), may_suppress(content), Outline(content).imports, content)


def _key(folder: str) -> bytes:
    return of_words("survey", of_tool().hex(), folder)
