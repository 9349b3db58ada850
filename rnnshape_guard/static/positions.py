"""Where a record stood and how it was written: asked only for what is reported.

Positions cost more than the parse, so they are computed when the first is asked for; a file without findings never
pays.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider

from rnnshape_guard.comments import without_comments
from rnnshape_guard.findings import Position, Span
from rnnshape_guard.static.lowering import lower, room_to_recurse
from rnnshape_guard.static.parsing import parse
from rnnshape_guard.static.spots import Spot, nodes

if TYPE_CHECKING:
    from collections.abc import Mapping


class _Wrapper(MetadataWrapper):
    """Positions come of generating code; a walk for other providers, of which there are none, would cost as much again."""

    def visit_batched(self, *visitors: Any, **options: Any) -> cst.Module:
        """Walk the tree for no visitor."""
        return self.module


class Positions:
    """The places and the texts of the nodes of one file.

    >>> module = cst.parse_module("out = self.head(x)\\n")
    >>> node = module.body[0].body[0].value
    >>> places = Positions("model.py", module)
    >>> places.span(node).start, places.text(node)
    (Position(row=1, column=7), 'self.head(x)')
    """

    def __init__(self, filename: str, module: cst.Module, text: str = "") -> None:
        self.filename = filename
        self._module: cst.Module | None = module
        self._text = text
        self._nodes: list[Any] = []

    def forget(self) -> None:
        """Let go of the tree, where the text is there. Should anything be asked of numbered nodes, it is made again."""
        self._module = None
        self._nodes = []
        self.__dict__.pop("_ranges", None)

    @property
    def _tree(self) -> cst.Module:
        assert self._module is not None
        return self._module

    def _node(self, node: Any) -> Any:
        if type(node) is not Spot:
            return node
        if self._module is None:
            self._module = parse(self._text)
            with room_to_recurse():
                self._nodes = nodes(lower(self._module))
        return self._nodes[node.number]

    def span(self, node: Any) -> Span:
        """The stretch a node takes: rows and columns from 1, columns counted in characters, the end exclusive.

        A statement with a body is pointed at by its header: a class or function by its name. A node that is not of
        this file stands at its first character.
        """
        node = self._node(node)
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
                start = self._ranges.get(node)
                if start is None:
                    return self._nowhere
                row, column = start.start.line, start.start.column + 1
                return Span(self.filename, Position(row, column), Position(row, column + len("try")))
        first, end = self._ranges.get(node), self._ranges.get(last)
        if first is None or end is None:
            return self._nowhere
        return Span(
            self.filename,
            Position(first.start.line, first.start.column + 1),
            Position(end.end.line, end.end.column + 1),
        )

    def span_within(self, node: Any, start: int, end: int) -> Span:
        """The stretch of a part of what a string says; the whole string where it is not written as it reads."""
        node = self._node(node)
        whole = self.span(node)
        if not isinstance(node, cst.SimpleString) or whole.start.row != whole.end.row:
            return whole
        if node.evaluated_value != node.raw_value:
            return whole
        first = whole.start.column + len(node.prefix) + len(node.quote)
        row = whole.start.row
        return Span(self.filename, Position(row, first + start), Position(row, first + max(end, start + 1)))

    def text(self, node: Any) -> str:
        """A node as it is written, in one line: runs of white space are one space and comments are left out."""
        node = self._node(node)
        name = _dotted(node)
        if name is not None:
            return name
        with room_to_recurse():
            code = self._tree.code_for_node(node)
        if "\n" not in code:
            return " ".join(code.split())
        words = " ".join((without_comments(code) if "#" in code else code).split())
        return re.sub(r"(?<=[(\[{]) | (?=[)\]}])", "", words)

    @cached_property
    def _ranges(self) -> Mapping[cst.CSTNode, CodeRange]:
        with room_to_recurse():
            return _Wrapper(self._tree, unsafe_skip_copy=True).resolve(PositionProvider)

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
