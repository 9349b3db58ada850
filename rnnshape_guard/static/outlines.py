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
from rnnshape_guard.static.sources import RECURRENT_WORDS, may_matter

_FROM: Final = re.compile(
    rb"[ \t]*from[ \t]*(\.*)[ \t]*(?:([A-Za-z_][\w.]*)[ \t]+)?import\b[ \t]*(\([^)]*\)|(?:[^\n\\]|\\\r?\n)*)"
)
_IMPORT: Final = re.compile(rb"[ \t]*import[ \t]+((?:[^\n\\]|\\\r?\n)*)")
_COMMENT: Final = re.compile(rb"#[^\n]*")
_ONE: Final = re.compile(rb"([\w.*]+)(?:\s+as\s+(\w+))?")
_WORD: Final = re.compile(rb"[A-Za-z_]\w*")
_DOTTED: Final = re.compile(rb"((?<![\w.])[A-Za-z_][\w.]*)")
_USED: Final = re.compile(rb"((?<![\w.])[A-Za-z_][\w.]*)[ \t]*\(|\bpartial\([ \t\n]*([A-Za-z_][\w.]*)")
_BASES: Final = re.compile(rb"^[ \t]*class[ \t]+\w+[ \t]*\(([^)]*)", re.MULTILINE)
_LONG_STRING: Final = re.compile(rb'''"""(?:[^"\\]|\\.|"(?!""))*"""|\'{3}(?:[^\'\\]|\\.|\'(?!\'\'))*\'{3}''', re.DOTALL)
_RECURRENT: Final = re.compile(RECURRENT_WORDS.encode())


@dataclass(frozen=True, slots=True)
class Import:
    """One name that an import binds. ``from ..module import name as bound``; for ``import module as bound`` the `name`
    is empty; a star import binds ``*``."""

    level: int
    module: str
    name: str
    bound: str


@dataclass(frozen=True, slots=True)
class Block:
    """One top-level definition: the `words` in it, and the dotted names that it `uses`, that is, calls or derives from (all
    of them, where the definition is a variable's). It `begins` if it mentions recurrent layers itself."""

    words: frozenset[str]
    uses: frozenset[str]
    begins: bool
    is_variable: bool = False


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
    def blocks(self) -> Mapping[str, Block]:
        """Each top-level definition, by its name; ``""`` is all other statements together."""
        return _blocks(self._source)

    def forget(self) -> None:
        """Let go of the text, once all that will be asked for has been."""
        self._source = b""


def _imports(source: bytes) -> Iterator[Import]:
    # Looking for the word is far quicker than for lines that begin with it.
    seen = -1
    at = source.find(b"import")
    while at >= 0:
        line = source.rfind(b"\n", 0, at) + 1
        if line != seen:
            yield from _imports_on(source, line)
        seen = line
        at = source.find(b"import", at + len(b"import"))


def _imports_on(source: bytes, line: int) -> Iterator[Import]:
    """What the statement that begins on a line imports."""
    match = _FROM.match(source, line)
    if match is not None:
        level, module = len(match[1]), (match[2] or b"").decode()
        if level or not is_foreign(module.partition(".")[0]):
            for one in _ONE.finditer(_COMMENT.sub(b"", match[3])):
                yield Import(level, module, one[1].decode(), (one[2] or one[1]).decode())
        return
    match = _IMPORT.match(source, line)
    if match is None:
        return
    for one in _ONE.finditer(_COMMENT.sub(b"", match[1])):
        module = one[1].decode()
        if not is_foreign(module.partition(".")[0]):
            yield Import(0, module, "", one[2].decode() if one[2] else module)


def _blocks(source: bytes) -> dict[str, Block]:
    """The top-level statements under each name that they bind; the whole text, if Python cannot read it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        everything = _block(source, is_variable=True)
        return dict.fromkeys(("", *everything.words), everything)
    lines = source.split(b"\n")
    found = {"": Block(frozenset(), frozenset(), begins=False)}
    for statement in body:
        first = min([statement.lineno, *(one.lineno for one in getattr(statement, "decorator_list", ()))])
        block = _block(
            b"\n".join(lines[first - 1 : statement.end_lineno]),
            is_variable=not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef),
        )
        for name in _bound(statement):
            found[name] = _joined(found[name], block) if name in found else block
    return found


def _block(source: bytes, *, is_variable: bool) -> Block:
    code = _COMMENT.sub(b"", _LONG_STRING.sub(b"", source))
    dotted = _DOTTED if is_variable else _USED
    uses = {word.decode() for match in dotted.finditer(code) for word in match.groups() if word}
    uses |= {word.decode() for match in _BASES.finditer(code) for word in _DOTTED.findall(match[1])}
    words = frozenset(word.decode() for word in _WORD.findall(code))
    return Block(words, frozenset(uses), _RECURRENT.search(code) is not None, is_variable)


def _joined(one: Block, other: Block) -> Block:
    return Block(
        one.words | other.words, one.uses | other.uses, one.begins or other.begins, one.is_variable or other.is_variable
    )


def _bound(statement: ast.stmt) -> list[str]:
    """The names that a top-level statement binds; ``""`` too, unless it does nothing but that."""
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
