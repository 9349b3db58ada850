"""Axis strings as jaxtyping writes them, and contracts made of them, parsed with the place of every mistake.

    >>> [axis.text for axis in parse_axes("batch time 2*hidden")]
    ['batch', 'time', '2*hidden']
    >>> parse_axes("batch 2 * hidden")
    Traceback (most recent call last):
    ...
    rnnshape_guard.shapes.annotations.NotationError: an axis has no spaces in it: write 2*hidden

The syntax is jaxtyping's (its documentation, "Array annotations"). What jaxtyping accepts in silence and can't have
been meant (``2 * hidden`` is three axes, ``2hidden`` and ``time)`` fail at the first call) is refused here.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rnnshape_guard.shapes.dims import Dim

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rnnshape_guard.shapes.dims import DimLike

    Lookup = Callable[[str], DimLike | None]


class NotationError(ValueError):
    """An axis string that can't be read: the words, and where in the string (an offset in characters)."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


@dataclass(frozen=True, slots=True)
class AxisSpec:
    """One axis of an axis string.

    `name` is what the axis is called: the word itself, of ``*name``, ``#name`` and ``name=4`` the name; None for
    ``_``, ``...``, numbers and arithmetic. `size` is the number or the arithmetic it must equal, None for a name,
    which takes the size it meets. `is_variadic` axes stand for any number of axes; `is_broadcastable` ones may be 1.
    """

    text: str
    offset: int
    name: str | None = None
    size: Size | None = None
    is_variadic: bool = False
    is_broadcastable: bool = False

    def value(self, lookup: Lookup) -> Dim | None:
        """The size that the names found by `lookup` give; None where one is missing, or for an axis without a size."""
        if self.size is not None:
            return self.size.value(lookup)
        if self.name is None or self.is_variadic:
            return None
        found = lookup(self.name)
        return None if found is None else Dim.of(found)


@dataclass(frozen=True, slots=True)
class Size:
    """A number or arithmetic: ``4``, ``2*hidden``, ``hidden//2``, ``time-1``, ``{self.hidden}``."""

    tree: ast.expr
    references: tuple[str, ...]

    @property
    def literal(self) -> int | None:
        """The number this is, if it is one."""
        return self.tree.value if isinstance(self.tree, ast.Constant) and isinstance(self.tree.value, int) else None

    def names(self) -> Iterator[str]:
        """Every name read, dotted ones (``self.hidden``) as written."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Name):
                yield self._spelled(node.id)

    def value(self, lookup: Lookup) -> Dim | None:
        """The size, with names looked up; None where a name is missing or the arithmetic is more than sizes have."""
        return self._evaluated(self.tree, lookup)

    def _spelled(self, name: str) -> str:
        return self.references[int(name[len(_HOLE) :])] if name.startswith(_HOLE) else name

    def _evaluated(self, node: ast.expr, lookup: Lookup) -> Dim | None:
        match node:
            case ast.Constant(value=int() as number):
                return Dim.of(number)
            case ast.Name(id=name):
                found = lookup(self._spelled(name))
                return None if found is None else Dim.of(found)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                below = self._evaluated(operand, lookup)
                return None if below is None else -below
            case ast.BinOp(left=first, op=operator, right=second):
                left, right = self._evaluated(first, lookup), self._evaluated(second, lookup)
                return None if left is None or right is None else _calculated(left, operator, right)
        return None


def _calculated(left: Dim, operator: ast.operator, right: Dim) -> Dim | None:
    match operator:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.Mult():
            return left * right
        case ast.FloorDiv() if right.terms:
            return left // right
    return None


@dataclass(frozen=True, slots=True)
class Contract:
    """What goes into a layer and what comes out: one row of axes for each tensor."""

    inputs: tuple[tuple[AxisSpec, ...], ...]
    outputs: tuple[tuple[AxisSpec, ...], ...]


def parse_contract(text: str) -> Contract:
    """A contract such as ``"batch time word -> batch time 2*hidden, 2*layers batch hidden"``.

    Raises NotationError, its offset counted in the whole text.
    """
    arrows = [match.start() for match in re.finditer("->", text)]
    if not arrows:
        raise NotationError("a contract has an arrow: write input axes -> output axes", len(text))
    if len(arrows) > 1:
        raise NotationError("a contract has one arrow", arrows[1])
    (arrow,) = arrows
    return Contract(_rows(text, 0, arrow), _rows(text, arrow + 2, len(text)))


def _rows(text: str, start: int, end: int) -> tuple[tuple[AxisSpec, ...], ...]:
    """The tensors of one side, parted by commas that stand in no bracket."""
    rows, depth, begin = [], 0, start
    for place in range(start, end):
        depth += (text[place] in "({[") - (text[place] in ")}]")
        if text[place] == "," and depth <= 0:
            rows.append((begin, place))
            begin = place + 1
    rows.append((begin, end))
    for first, last in rows:
        if not text[first:last].strip():
            raise NotationError("a tensor of the contract is missing here", first)
    return tuple(_axes(text, first, last) for first, last in rows)


def parse_axes(text: str) -> tuple[AxisSpec, ...]:
    """The axes of one tensor; none for an empty string, a tensor of rank 0. Raises NotationError."""
    return _axes(text, 0, len(text))


_WORD: Final = re.compile(r"(?:\{[^{}]*\}|[^\s{])+|\{")
_OPERATORS: Final = frozenset({"*", "+", "-", "/", "//", "**", "%", "="})
_HOLE: Final = "__hole_"


def _axes(text: str, start: int, end: int) -> tuple[AxisSpec, ...]:
    words = [(match[0], match.start()) for match in _WORD.finditer(text, start, end)]
    _refuse_spaces(words)
    axes = tuple(_axis(word, offset) for word, offset in words)
    variadic = [axis for axis in axes if axis.is_variadic]
    if len(variadic) > 1:
        raise NotationError("only one axis may stand for any number of axes", variadic[1].offset)
    return axes


def _refuse_spaces(words: list[tuple[str, int]]) -> None:
    """An operator at the edge of a word means that a space stands where none may: ``2 * hidden``, ``time -1``."""
    for index, (word, _) in enumerate(words):
        before = words[index - 1] if index else None
        after = words[index + 1] if index + 1 < len(words) else None
        if word in _OPERATORS and before and after and word != "*":
            raise NotationError(f"an axis has no spaces in it: write {before[0]}{word}{after[0]}", before[1])
        if word == "*" and before:
            meant = f"{before[0]}*{after[0]}" if after else f"{before[0]}*…"
            raise NotationError(f"an axis has no spaces in it: write {meant}", before[1])
        if before and re.match(r"[-+/%](?=.)", word):
            raise NotationError(f"an axis has no spaces in it: write {before[0]}{word}", before[1])
        if after and re.search(r"[-+*/%](?<=..)$", word):
            raise NotationError(f"an axis has no spaces in it: write {word}{after[0]}", words[index][1])


def _axis(word: str, offset: int) -> AxisSpec:
    if "..." in word:
        if word != "...":
            raise NotationError("... stands alone: name the axes with *name or leave them out with ...", offset)
        return AxisSpec(word, offset, is_variadic=True)
    marks, rest, label = _marked(word, offset)
    start = offset + word.rindex(rest) if rest else offset + len(word)
    anonymous, variadic = "_" in marks, "*" in marks
    if not rest and not anonymous:
        raise NotationError(f"{word} lacks a name: write {word}name", offset)
    if rest == "" or rest.isidentifier():
        if anonymous and "#" in marks:
            raise NotationError("an axis without a name can't be broadcast: write _ or #name", offset)
        return AxisSpec(word, offset, None if anonymous else rest, None, variadic, "#" in marks)
    for mark, meaning in (("_", "go without a name"), ("*", "stand for several axes"), ("?", "differ by leaf")):
        if mark in marks:
            raise NotationError(f"a number or arithmetic can't {meaning}: leave out the {mark}", offset)
    return AxisSpec(word, offset, label, _size(rest, start), False, "#" in marks)


def _marked(word: str, offset: int) -> tuple[str, str, str | None]:
    """The marks before a name, what follows them, and the label of ``label=4``."""
    marks, rest, label = "", word, None
    while rest:
        if rest[0] in "#*_?" and not (rest[0] == "_" and rest.startswith("__")):
            if rest[0] in marks:
                raise NotationError(f"{rest[0]} is given twice", offset + len(word) - len(rest))
            marks, rest = marks + rest[0], rest[1:]
        elif rest.count("=") == 1 and label is None:
            label, _, rest = rest.partition("=")
            if not label.isidentifier():
                raise NotationError("a name stands before the = : write name=4", offset)
        else:
            break
    if rest.startswith("__"):
        raise NotationError("_ is given twice", offset + len(word) - len(rest))
    return marks, rest, label


def _size(text: str, offset: int) -> Size:
    """A number or arithmetic. ``{self.hidden}`` is read when the function runs; what is in the braces is one size."""
    _refuse_typing_slips(text, offset)
    references: list[str] = []

    def hole(match: re.Match[str]) -> str:
        references.append(match[1].strip())
        try:
            ast.parse(references[-1], mode="eval")
        except SyntaxError:
            raise NotationError(f"{match[0]} holds no Python expression", offset + match.start()) from None
        return f"{_HOLE}{len(references) - 1}"

    filled = re.sub(r"\{([^{}]*)\}", hole, text)
    try:
        tree = ast.parse(filled, mode="eval").body
    except (SyntaxError, ValueError):
        raise NotationError(f"{text} is neither a name nor arithmetic on names", offset) from None
    for node in ast.walk(tree):
        _refuse_arithmetic(node, text, offset)
    if isinstance(tree, ast.UnaryOp):
        raise NotationError("a size is not negative", offset)
    return Size(tree, tuple(references))


def _refuse_typing_slips(text: str, offset: int) -> None:
    if "," in text and "(" not in text:
        raise NotationError("axes are parted by spaces, not by commas", offset + text.index(","))
    depth = 0
    for place, character in enumerate(text):
        depth += (character in "([{") - (character in ")]}")
        if depth < 0:
            raise NotationError(f"this {character} closes nothing", offset + place)
    if depth:
        place = max(text.rfind(character) for character in "([{")
        raise NotationError(f"this {text[place]} is never closed", offset + place)
    if glued := re.search(r"(?<![\w.])(\d+)([^\W\d]\w*)", text):
        raise NotationError(f"a name can't begin with a digit: write {glued[1]}*{glued[2]}", offset + glued.start())
    if text.endswith("#"):
        raise NotationError(f"the # of an axis that may be 1 stands first: write #{text[:-1]}", offset)


def _refuse_arithmetic(node: ast.AST, text: str, offset: int) -> None:
    match node:
        case ast.Constant(value=int()) | ast.Name() | ast.BinOp() | ast.UnaryOp() | ast.Call():
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
                place = text.index("/")
                raise NotationError(f"a size is a whole number: write {text.replace('/', '//')}", offset + place)
        case ast.Attribute():
            raise NotationError(f"a value from outside stands in braces: write {{{text}}}", offset)
        case ast.operator() | ast.unaryop() | ast.expr_context():
            return
        case _:
            raise NotationError(f"{text} is neither a name nor arithmetic on names", offset)
