"""What a file defines, imports and mentions, read from its text without parsing it.

A file is parsed only when something in it can matter. That is decided on its outline: a superset of what the file says,
for a fraction of the price. Code that stands in a string is taken for code here, which costs time and changes nothing.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from rnnshape_guard.static.finder import is_foreign
from rnnshape_guard.static.sources import may_matter

_FROM: Final = re.compile(
    rb"^[ \t]*from[ \t]+(\.*)[ \t]*([\w.]*)[ \t]+import[ \t]*(\([^)]*\)|(?:[^\n\\]|\\\r?\n)*)", re.MULTILINE
)
_IMPORT: Final = re.compile(rb"^[ \t]*import[ \t]+((?:[^\n\\]|\\\r?\n)*)", re.MULTILINE)
_COMMENT: Final = re.compile(rb"#[^\n]*")
_ONE: Final = re.compile(rb"([\w.*]+)(?:\s+as\s+(\w+))?")
_WORD: Final = re.compile(rb"[A-Za-z_]\w*")
_RECURRENT: Final = re.compile(r"LSTM|GRU|RNN|packed_sequence|pack_padded|pack_sequence")


@dataclass(frozen=True, slots=True)
class Import:
    """One name that an import binds. ``from ..module import name as bound``; for ``import module as bound`` the `name`
    is empty; a star import binds ``*``."""

    level: int
    module: str
    name: str
    bound: str


class Outline:
    """The outline of one file, each part read when it is first asked for."""

    def __init__(self, source: bytes) -> None:
        self._source = source
        self.is_recurrent = may_matter(source)

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        """Everything that is imported anywhere in the file, but what is never a project's own."""
        return tuple(_imports(self._source)) if b"import" in self._source else ()

    @cached_property
    def blocks(self) -> Mapping[str, frozenset[str]]:
        """The words in each top-level definition, by its name; ``""`` has those of all other statements."""
        return _blocks(self._source)

    def forget(self) -> None:
        """Let go of the text, once all that will be asked for has been."""
        self._source = b""

    @cached_property
    def begun(self) -> frozenset[str]:
        """The definitions that mention recurrent layers themselves."""
        return frozenset(name for name, words in self.blocks.items() if self.is_recurrent and _begins(words))


def _imports(source: bytes) -> Iterator[Import]:
    for match in _FROM.finditer(source):
        level, module = len(match[1]), match[2].decode()
        if not level and is_foreign(module.partition(".")[0]):
            continue
        for one in _ONE.finditer(_COMMENT.sub(b"", match[3])):
            yield Import(level, module, one[1].decode(), (one[2] or one[1]).decode())
    for match in _IMPORT.finditer(source):
        for one in _ONE.finditer(_COMMENT.sub(b"", match[1])):
            module = one[1].decode()
            if not is_foreign(module.partition(".")[0]):
                yield Import(0, module, "", one[2].decode() if one[2] else module)


def _blocks(source: bytes) -> dict[str, frozenset[str]]:
    """The words of every top-level statement, under each name that it binds; all of them if Python cannot read it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        everything = _words(source)
        return dict.fromkeys(("", *everything), everything)
    lines = source.split(b"\n")
    found: dict[str, set[str]] = {"": set()}
    for statement in body:
        first = min([statement.lineno, *(one.lineno for one in getattr(statement, "decorator_list", ()))])
        words = _words(b"\n".join(lines[first - 1 : statement.end_lineno]))
        for name in _bound(statement):
            found.setdefault(name, set()).update(words)
    return {name: frozenset(words) for name, words in found.items()}


def _words(source: bytes) -> frozenset[str]:
    return frozenset(word.decode() for word in _WORD.findall(source))


def _bound(statement: ast.stmt) -> list[str]:
    """The names that a top-level statement binds, if it does nothing but that; else nothing, which has its own name."""
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Import() | ast.ImportFrom():
            return []
        case ast.Assign(targets=targets) if all(isinstance(one, ast.Name) for one in targets):
            return ["", *(one.id for one in targets if isinstance(one, ast.Name))]
        case ast.If() | ast.Try():
            inner = [one for one in ast.walk(statement) if isinstance(one, ast.FunctionDef | ast.ClassDef)]
            return ["", *(one.name for one in inner)]
    return [""]


def _begins(words: frozenset[str]) -> bool:
    return any(_RECURRENT.search(word) for word in words)
