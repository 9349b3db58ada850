"""What is raised when a running model breaks a rule or a contract, and where its traceback ends."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from rnnshape_guard.findings import Finding, Position, Span


@dataclass(frozen=True, slots=True)
class UserPlace:
    """A place in a user's file: an expression or a statement, or its closing bracket. It holds no frame and no tensor.

    `function` is the name of the function it stands in, for tracebacks.
    """

    text: str
    span: Span
    function: str = ""

    @property
    def closing(self) -> UserPlace:
        """Where it ends, its closing bracket; itself if it stands on one line."""
        end = self.span.end
        if end.column < 2 or end.row == self.span.start.row:
            return self
        return UserPlace(self.text, Span(self.span.filename, Position(end.row, end.column - 1), end), self.function)

    @property
    def spot(self) -> UserPlace:
        """Itself: each expression has one."""
        return self

    @property
    def key(self) -> tuple[str, Position, Position]:
        """The same for two places that are one."""
        return self.span.filename, self.span.start, self.span.end

    def __str__(self) -> str:
        return f"{self.span.filename}:{self.span.start.row}"


@dataclass(frozen=True, slots=True)
class Binding:
    """A name with the size it stands for in one call, and in words where it was bound (``argument `x`, axis 0``)."""

    size: int
    origin: str = ""

    def __str__(self) -> str:
        return f"{self.size} ({self.origin})" if self.origin else str(self.size)


class ShapeContractError(ValueError, TypeError):
    """A shape, an axis or a state is not what the model's code says it is.

    `code` is the rule's, `message` the checker's sentence; `layer` is the path of the layer in the model
    (``encoder.lstm``), empty where none is concerned. `expected` and `found` are printed axes, `bindings` the names
    bound in the call, `evidence` sentences with their lines, `help` the remedy. `place` is the user's line.
    """

    def __init__(self, finding: Finding, *, layer: str = "", bindings: Mapping[str, Binding] | None = None) -> None:
        self.finding = finding
        self.layer = layer
        self.bindings: dict[str, Binding] = dict(bindings or {})
        super().__init__(finding, layer)

    @property
    def code(self) -> str:
        """The rule's code, ``RSG201``."""
        return self.finding.code

    @property
    def message(self) -> str:
        """The sentence alone."""
        return self.finding.message + (f", when {self.finding.condition}" if self.finding.condition else "")

    @property
    def expected(self) -> str:
        """The axes that were expected, as printed."""
        return self.finding.expected

    @property
    def found(self) -> str:
        """The axes that were found, as printed."""
        return self.finding.found

    @property
    def evidence(self) -> tuple[str, ...]:
        """Why the model's code says so: sentences, each with its line."""
        return tuple(f"{one.text}{_beside(one.place, self.finding.place)}" for one in self.finding.because)

    @property
    def help(self) -> str:
        """The remedy, if one can be named."""
        return self.finding.help

    @property
    def place(self) -> Any:
        """The user's line (with `text` and `span`), or None."""
        return self.finding.place

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"[{self.code}] {self.message}"
        if isinstance(self.place, UserPlace) and self.place.span.filename:
            yield f"  --> {self.place.span.filename}:{self.place.span.start.row}:{self.place.span.start.column}"
        rows = [("layer:", self.layer), ("expected:", self.expected), ("found:", self.found)]
        rows += [(f"where {name}:", str(binding)) for name, binding in self.bindings.items()]
        shown = [(title, text) for title, text in rows if text]
        width = max((len(title) for title, _ in shown), default=0)
        for title, text in shown:
            yield f"   = {title.ljust(width)} {text}"
        for sentence in self.evidence:
            yield f"   = because: {sentence}"
        for label in self.finding.labels:
            yield f"   = see: {label.text}{_beside(label.place, self.finding.place)}"
        if self.help:
            yield from _hanging("   = help: ", self.help)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (self.finding, self.layer, self.bindings)


def _rebuilt(finding: Finding, layer: str, bindings: Mapping[str, Binding]) -> ShapeContractError:
    return ShapeContractError(finding, layer=layer, bindings=bindings)


def _hanging(title: str, text: str) -> Iterator[str]:
    first, *more = text.splitlines() or [""]
    yield title + first
    for line in more:
        yield " " * len(title) + line


def _beside(place: Any, main: Any) -> str:
    if not isinstance(place, UserPlace) or not place.span.filename:
        return ""
    span = place.span
    if isinstance(main, UserPlace) and main.span.filename == span.filename:
        return f" (line {span.start.row})"
    return f" ({span.filename}:{span.start.row})"


def at_user_line(error: BaseException, place: Any) -> BaseException:
    """The error with a traceback that ends at a place: raised, its last line is the user's.

    The frame of that line may be gone (rules are judged when a call ends), so the entry is made by raising once inside
    a piece of code that bears the file's name and line.
    """
    if not isinstance(place, UserPlace) or not place.span.filename:
        return error
    trace = _entry(place.span, place.function or "forward")
    return error.with_traceback(trace) if trace is not None else error


class _Mark(Exception):
    """Raised and caught at once, for its traceback."""


def _entry(span: Span, function: str) -> TracebackType | None:
    tree = ast.parse("raise _Mark")
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt | ast.expr):
            node.lineno, node.end_lineno = span.start.row, span.end.row
            node.col_offset, node.end_col_offset = _bytes(span, span.start), _bytes(span, span.end)
    code = compile(tree, span.filename, "exec").replace(co_name=function, co_qualname=function)
    try:
        exec(code, {"_Mark": _Mark})
    except _Mark as mark:
        trace = mark.__traceback__
        return trace.tb_next if trace is not None else None
    return None


def _bytes(span: Span, position: Position) -> int:
    """The column of a position as tracebacks count it: in bytes, from 0."""
    return len(linecache.getline(span.filename, position.row)[: position.column - 1].encode())
