"""Where a record stood and how it was written: asked only for what is reported.

Positions cost more than the parse, so they are computed when the first is asked for; a file without findings never
pays.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING, Any

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider

from rnnshape_guard.comments import without_comments
from rnnshape_guard.findings import Position, Span
from rnnshape_guard.static.lowering import Numbering, lower, lower_body, room_to_recurse
from rnnshape_guard.static.parsing import parse
from rnnshape_guard.static.parts import Part

if TYPE_CHECKING:
    from collections.abc import Mapping


class _Wrapper(MetadataWrapper):
    """Positions come of generating code; a walk for other providers, of which there are none, would cost as much again."""

    def visit_batched(self, *visitors: Any, **options: Any) -> cst.Module:
        """Walk the tree for no visitor."""
        return self.module


class _Read:
    """A part of a file that was lowered, with the tree it had and the nodes by their numbers, as long as they are kept."""

    __slots__ = ("_nodes", "_ranges", "_tree", "first", "part")

    def __init__(self, part: Part, first: int) -> None:
        self.part = part
        self.first = first
        self._tree: cst.Module | None = None
        self._nodes: list[Any] = []
        self._ranges: Mapping[cst.CSTNode, CodeRange] | None = None

    def keep(self, tree: cst.Module, nodes: list[Any]) -> None:
        """Remember the tree, for questions that are sure to come."""
        self._tree = tree
        self._nodes = nodes

    def forget(self) -> None:
        """Let go of the tree: a tree takes thirty times the memory of its records, and nearly always nobody asks where
        anything stood. If somebody does, the same text gives the same tree."""
        self._tree = self._ranges = None
        self._nodes = []

    @property
    def tree(self) -> cst.Module:
        """The tree."""
        return self._tree if self._tree is not None else self._read_again()

    def _read_again(self) -> cst.Module:
        tree, numbers = parse(self.part.text), Numbering(self.first)
        if self.part.is_body:
            lower_body(tree, numbers)
        else:
            lower(tree, numbers, self.part.bodies)
        self.keep(tree, numbers.nodes)
        return tree

    def node(self, number: int) -> Any:
        """A node."""
        if self._tree is None:
            self._read_again()
        return self._nodes[number - self.first]

    @property
    def ranges(self) -> Mapping[cst.CSTNode, CodeRange]:
        """Where the nodes stand in the part."""
        if self._ranges is None:
            with room_to_recurse():
                self._ranges = _Wrapper(self.tree, unsafe_skip_copy=True).resolve(PositionProvider)
        return self._ranges


class Positions:
    """The places and the texts of the numbered nodes of one file.

    >>> from rnnshape_guard.static.reading import read
    >>> module, places = read("model.py", "out = self.head(x)\\n")
    >>> places.span(module.body[0].value.at).start, places.text(module.body[0].value.at)
    (Position(row=1, column=7), 'self.head(x)')
    """

    def __init__(self, filename: str, *, keeps_trees: bool = False) -> None:
        self.filename = filename
        self.keeps_trees = keeps_trees
        self._read: list[_Read] = []
        self._firsts: list[int] = []
        self._next = 0

    def numbers(self) -> Numbering:
        """Numbers for the nodes of the part that is lowered next."""
        return Numbering(self._next)

    def add(self, part: Part, tree: cst.Module, numbers: Numbering) -> None:
        """Note a part that was lowered."""
        read = _Read(part, numbers.first)
        if self.keeps_trees:
            read.keep(tree, numbers.nodes)
        self._read.append(read)
        self._firsts.append(numbers.first)
        self._next = numbers.first + len(numbers.nodes)

    def forget(self) -> None:
        """Let go of the trees. Should anything be asked of a node, the tree of its part is made again."""
        self.keeps_trees = False
        for one in self._read:
            one.forget()

    def _find(self, number: int) -> _Read:
        return self._read[bisect_right(self._firsts, number) - 1]

    def span(self, number: int) -> Span:
        """The stretch a node takes: rows and columns from 1, columns counted in characters, the end exclusive.

        A statement with a body is pointed at by its header: a class or function by its name. The file as a
        whole stands at its first character.
        """
        read = self._find(number)
        node = read.node(number)
        if isinstance(node, cst.Module):
            return self._nowhere
        last: Any = node
        match node:
            case cst.FunctionDef() | cst.ClassDef():
                node = last = node.name
            case cst.If() | cst.While():
                last = node.test
            case cst.For():
                last = node.iter
            case cst.With():
                last = node.items[-1]
            case cst.Match():
                last = node.subject
            case cst.MatchCase():
                last = node.guard or node.pattern
            case cst.Try() | cst.TryStar():
                start = read.ranges.get(node)
                if start is None:
                    return self._nowhere
                row, column = read.part.row(start.start.line), start.start.column + 1
                return Span(self.filename, Position(row, column), Position(row, column + len("try")))
        first, end = read.ranges.get(node), read.ranges.get(last)
        if first is None or end is None:
            return self._nowhere
        return Span(
            self.filename,
            Position(read.part.row(first.start.line), first.start.column + 1),
            Position(read.part.row(end.end.line), end.end.column + 1),
        )

    def span_within(self, number: int, start: int, end: int) -> Span:
        """The stretch of a part of what a string says; the whole string where it is not written as it reads."""
        node = self._find(number).node(number)
        whole = self.span(number)
        if not isinstance(node, cst.SimpleString) or whole.start.row != whole.end.row:
            return whole
        if node.evaluated_value != node.raw_value:
            return whole
        first = whole.start.column + len(node.prefix) + len(node.quote)
        row = whole.start.row
        return Span(self.filename, Position(row, first + start), Position(row, first + max(end, start + 1)))

    def text(self, number: int) -> str:
        """A node as it is written, in one line: runs of white space are one space and comments are left out."""
        read = self._find(number)
        node = read.node(number)
        name = _dotted(node)
        if name is not None:
            return name
        with room_to_recurse():
            code = read.part.whole(read.tree.code_for_node(node))
        if "\n" not in code:
            return " ".join(code.split())
        words = " ".join((without_comments(code) if "#" in code else code).split())
        return re.sub(r"(?<=[(\[{]) | (?=[)\]}])", "", words)

    @property
    def _nowhere(self) -> Span:
        return Span(self.filename, Position(1, 1), Position(1, 1))


def _dotted(node: Any) -> str | None:
    """The text of a name or a dotted name, without asking libcst."""
    words: list[str] = []
    while type(node) is cst.Attribute and not node.lpar:
        words.append(node.attr.value)
        node = node.value
    return ".".join([node.value, *reversed(words)]) if type(node) is cst.Name and not node.lpar else None
