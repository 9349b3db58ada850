"""A file in parts: what runs when it is imported, and the bodies of its functions, each parsed when it is first wanted.

Most functions of a file are never called in what is followed from another, and libcst takes fifty microseconds for a line.
Python's own parser is seven times as fast and tells where bodies begin and end.
"""

from __future__ import annotations

import ast
import io
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

_MARK: Final = "_body_left_out_"
_NAME: Final = re.compile(rf"[ \t]*({_MARK}\d+)")
_LINE_END: Final = re.compile(r"\r\n?|\n")
_WORTH: Final = 4
"""Lines from which on a body is cut out: a shorter one is parsed faster than twice begun."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some lines of a file, and the `rows` that they have there. `bodies` were cut out of it, each by the name that stands
    for it; one of these `is_body`, below a header of its own."""

    text: str
    rows: Sequence[int]
    bodies: dict[str, Part] = field(default_factory=dict)
    is_body: bool = False

    def row(self, row: int) -> int:
        """The row of the file that a row of the text is; both count from 1."""
        return self.rows[min(row, len(self.rows)) - 1] if self.rows else row

    def whole(self, code: str) -> str:
        """Some code of this part, with the bodies that were cut out of it."""
        return _NAME.sub(lambda match: self.bodies[match[1]]._below_header(), code) if self.bodies else code

    def _below_header(self) -> str:
        return _LINE_END.split(self.text, maxsplit=1)[1].rstrip()


def cut(text: str) -> Part:
    """A file without the bodies of its functions, which come with it. One that Python can't read stays whole."""
    lines = io.StringIO(text, newline="").readlines()
    whole = Part(text, range(1, len(lines) + 2))
    if _MARK in text:
        return whole
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return whole
    kept: list[str] = []
    rows: list[int] = []
    bodies: dict[str, Part] = {}
    done = 0
    for function in _functions(tree.body):
        stretch = _stretch(function, lines)
        if stretch is None:
            continue
        first, last = stretch
        name = f"{_MARK}{len(bodies)}"
        ending = lines[first][len(lines[first].rstrip("\r\n")) :] or "\n"
        begin = "async def _():" if isinstance(function, ast.AsyncFunctionDef) else "def _():"
        bodies[name] = Part("".join((begin, ending, *lines[first:last])), range(first, last + 1), is_body=True)
        start = function.body[0]
        kept += (*lines[done:first], lines[start.lineno - 1][: start.col_offset], name, ending)
        rows += (*range(done + 1, first + 1), first + 1)
        done = last
    if not bodies:
        return whole
    kept += lines[done:]
    rows += range(done + 1, len(lines) + 2)
    return Part("".join(kept), rows, bodies)


def _functions(body: Sequence[ast.stmt]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The functions and methods of a file that stand in no other, in their order."""
    for statement in body:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield statement
            case ast.ClassDef() | ast.With():
                yield from _functions(statement.body)
            case ast.If():
                yield from _functions(statement.body)
                yield from _functions(statement.orelse)
            case ast.Try():
                yield from _functions(statement.body)
                for handler in statement.handlers:
                    yield from _functions(handler.body)
                yield from _functions(statement.orelse)
                yield from _functions(statement.finalbody)


def _stretch(function: ast.FunctionDef | ast.AsyncFunctionDef, lines: Sequence[str]) -> tuple[int, int] | None:
    """The lines of a body, with comments above its first statement; None if they are few or not its own."""
    start = function.body[0]
    top = min([start.lineno, *(one.lineno for one in getattr(start, "decorator_list", ()))])
    line = lines[top - 1]
    indentation = len(line) - len(line.lstrip())
    if line[indentation : indentation + 1] != "@" and indentation != start.col_offset:
        return None
    first = top - 1
    while first > function.lineno and lines[first - 1].strip()[:1] in ("", "#"):
        first -= 1
    last = function.body[-1].end_lineno or 0
    return (first, last) if last - first >= _WORTH else None
