"""The text of a running program: the expression that an instruction came from, and what is written around it.

Python keeps, for every instruction, the rows and columns it was compiled from; `ast` gives the tree they point into.
Lines come from `linecache`, so that notebooks and registered strings have them too. Where there are none, a place has a
line number and no words.
"""

from __future__ import annotations

import ast
import io
import linecache
import re
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import CodeType, FrameType

from rnnshape_guard.comments import without_comments
from rnnshape_guard.findings import Position, Span
from rnnshape_guard.runtime.errors import UserPlace

Stretch = tuple[int | None, int | None, int | None, int | None]
"""First row, last row, first and last column in bytes, as code objects give them."""

_LARGEST = 1_000_000


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment: its text without the sign, the row it stands in, and whether code stands before it."""

    text: str
    row: int
    trailing: bool
    column: int


class SourceFile:
    """One file (or cell, or registered string) with its tree."""

    def __init__(self, filename: str, lines: Sequence[str]) -> None:
        self.filename = filename
        self.lines = list(lines)

    @cached_property
    def tree(self) -> ast.Module | None:
        """The parsed file; None where it cannot be read."""
        text = "".join(self.lines)
        if not text or len(text) > _LARGEST:
            return None
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError, RecursionError):
            return None

    @cached_property
    def _nodes(self) -> dict[tuple[int, int, int, int], list[ast.expr | ast.stmt]]:
        found: dict[tuple[int, int, int, int], list[ast.expr | ast.stmt]] = {}
        for node in ast.walk(self.tree) if self.tree is not None else ():
            if isinstance(node, ast.expr | ast.stmt) and node.end_lineno is not None:
                key = (node.lineno, node.end_lineno, node.col_offset, node.end_col_offset or 0)
                found.setdefault(key, []).append(node)
        return found

    @cached_property
    def _calls_by_end(self) -> dict[tuple[int, int], ast.Call]:
        found: dict[tuple[int, int], ast.Call] = {}
        for nodes in self._nodes.values():
            for node in nodes:
                if isinstance(node, ast.Call):
                    found[(node.end_lineno or 0, node.end_col_offset or 0)] = node
        return found

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """The node around each node."""
        tree = self.tree
        if tree is None:
            return {}
        return {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}

    @cached_property
    def functions(self) -> dict[tuple[int, str], ast.FunctionDef | ast.AsyncFunctionDef]:
        """Functions by the row that their code object begins with (a decorator's, if there is one) and their name."""
        found: dict[tuple[int, str], ast.FunctionDef | ast.AsyncFunctionDef] = {}
        for node in ast.walk(self.tree) if self.tree is not None else ():
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
                found[(first, node.name)] = node
        return found

    @cached_property
    def comments(self) -> dict[int, Comment]:
        """Comments by row."""
        found: dict[int, Comment] = {}
        try:
            for token in tokenize.generate_tokens(io.StringIO("".join(self.lines)).readline):
                if token.type == tokenize.COMMENT:
                    row, column = token.start
                    trailing = bool(token.line[:column].strip())
                    found[row] = Comment(token.string.lstrip("#").strip(), row, trailing, column)
        except (tokenize.TokenError, SyntaxError):
            pass
        return found

    def node_at(self, stretch: Stretch) -> ast.expr | ast.stmt | None:
        """The node of an instruction's stretch; a call that spreads over lines is found by its end."""
        first, last, start, end = stretch
        if first is None or last is None or start is None or end is None:
            return None
        nodes = self._nodes.get((first, last, start, end))
        if nodes:
            return next((node for node in nodes if not isinstance(node, ast.stmt)), nodes[0])
        return self._calls_by_end.get((last, end))

    def function_around(self, node: ast.AST) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
        """The function that an expression stands in."""
        parent = self.parents.get(node)
        while parent is not None and not isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef):
            parent = self.parents.get(parent)
        return parent

    def statement_of(self, node: ast.AST | None) -> ast.stmt | None:
        """The statement that an expression stands in."""
        while node is not None and not isinstance(node, ast.stmt):
            node = self.parents.get(node)
        return node

    def place(self, node: ast.AST, function: str = "") -> UserPlace:
        """Where a node stands. A function or class is pointed at by its name."""
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            return UserPlace(self.text(node), self._name_span(node), function)
        return UserPlace(self.text(node), self._span(node), function)

    def comment_place(self, comment: Comment) -> UserPlace:
        """Where a comment stands."""
        end = len(self.lines[comment.row - 1].rstrip("\n"))
        span = Span(self.filename, Position(comment.row, comment.column + 1), Position(comment.row, end + 1))
        return UserPlace(comment.text, span)

    def line_place(self, row: int, function: str = "") -> UserPlace:
        """A whole line, where the expression in it is not known."""
        line = self.lines[row - 1].rstrip("\n") if 1 <= row <= len(self.lines) else ""
        start = len(line) - len(line.lstrip())
        span = Span(self.filename, Position(row, start + 1), Position(row, max(len(line), start + 1) + 1))
        return UserPlace("", span, function)

    def text(self, node: ast.AST) -> str:
        """A node as it is written, in one line, without comments."""
        code = self._segment(node)
        if "\n" not in code:
            return " ".join(code.split())
        words = " ".join((without_comments(code) if "#" in code else code).split())
        return re.sub(r"(?<=[(\[{]) | (?=[)\]}])", "", words)

    def _segment(self, node: ast.AST) -> str:
        if not isinstance(node, ast.stmt | ast.expr | ast.arg) or node.end_lineno is None:
            return ""
        first, last, start, end = node.lineno, node.end_lineno, node.col_offset, node.end_col_offset
        if first == last:
            return self.lines[first - 1].encode()[start:end].decode(errors="replace")
        head = self.lines[first - 1].encode()[start:].decode(errors="replace")
        tail = self.lines[last - 1].encode()[:end].decode(errors="replace")
        return head + "".join(self.lines[first : last - 1]) + tail

    def _span(self, node: ast.AST) -> Span:
        first = getattr(node, "lineno", 1)
        last = getattr(node, "end_lineno", None) or first
        start, end = getattr(node, "col_offset", 0), getattr(node, "end_col_offset", None) or 1
        return Span(self.filename, self._position(first, start), self._position(last, end))

    def _position(self, row: int, column: int) -> Position:
        line = self.lines[row - 1] if 1 <= row <= len(self.lines) else ""
        return Position(row, len(line.encode()[:column].decode(errors="replace")) + 1)

    def _name_span(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> Span:
        line = self.lines[node.lineno - 1] if node.lineno <= len(self.lines) else ""
        start = line.find(node.name, max(line.find(" ", node.col_offset), 0))
        start = max(start, 0)
        return Span(self.filename, Position(node.lineno, start + 1), Position(node.lineno, start + 1 + len(node.name)))

    def comments_of(self, statement: ast.stmt) -> Iterator[Comment]:
        """The comments behind a statement (on its rows) and those right above it."""
        first, last = statement.lineno, statement.end_lineno or statement.lineno
        if isinstance(statement, ast.If | ast.For | ast.While | ast.With | ast.Try | ast.FunctionDef | ast.ClassDef):
            last = first
        above: list[Comment] = []
        row = first - 1
        while row in self.comments and not self.comments[row].trailing:
            above.append(self.comments[row])
            row -= 1
        yield from reversed(above)
        for row in range(first, last + 1):
            comment = self.comments.get(row)
            if comment is not None and comment.trailing:
                yield comment


_files: dict[str, SourceFile] = {}


def source_of(filename: str) -> SourceFile:
    """The source of a file by the name that its code objects bear; read again when it has changed."""
    linecache.checkcache(filename)
    lines = linecache.getlines(filename)
    known = _files.get(filename)
    if known is None or known.lines != lines:
        known = _files[filename] = SourceFile(filename, lines)
    return known


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a running function is: its file, the expression it evaluates and the statement around that."""

    source: SourceFile
    node: ast.expr | ast.stmt | None
    row: int
    function: str

    @property
    def statement(self) -> ast.stmt | None:
        """The statement that is being run."""
        return self.source.statement_of(self.node)

    @property
    def place(self) -> UserPlace:
        """The expression's place; the line's, where the expression is not known."""
        if self.node is None:
            return self.source.line_place(self.row, self.function)
        return self.source.place(self.node, self.function)

    def place_of(self, node: ast.AST) -> UserPlace:
        """The place of a part of the expression."""
        return self.source.place(node, self.function)


class Spots:
    """Spots of frames. What a code object says of its instructions is unfolded once."""

    def __init__(self) -> None:
        self._stretches: dict[CodeType, tuple[Stretch, ...]] = {}
        self._sources: dict[str, SourceFile] = {}

    def source(self, filename: str) -> SourceFile:
        """A file, read once for all spots."""
        found = self._sources.get(filename)
        if found is None:
            found = self._sources[filename] = source_of(filename)
        return found

    def of(self, frame: FrameType) -> Spot:
        """Where a frame is."""
        return self.at(frame.f_code, frame.f_lasti)

    def at(self, code: CodeType, instruction: int) -> Spot:
        """The spot of an instruction of a code object."""
        stretches = self._stretches.get(code)
        if stretches is None:
            stretches = self._stretches[code] = tuple(code.co_positions())
        at = instruction // 2
        source = self.source(code.co_filename)
        stretch = stretches[at] if 0 <= at < len(stretches) else (None, None, None, None)
        node = source.node_at(stretch)
        if isinstance(node, ast.For | ast.AsyncFor):
            node = node.iter  # what a loop walks over is evaluated under the position of the whole loop
        return Spot(source, node, stretch[0] or code.co_firstlineno, code.co_name)


def scope_of(code: CodeType) -> str:
    """The qualified name of a function, without the functions around it: ``Model.forward``. What is written inside an
    expression belongs to the function it stands in."""
    words = code.co_qualname.split(".<locals>.")
    while len(words) > 1 and words[-1].startswith("<"):
        words.pop()
    return words[-1]
