"""Which brackets in a text are shapes: ``(batch, seq, feat)``, ``[B*T*H]``, ``T x N x 16``, ``torch.Size([32, 10])``.

>>> [bracket.axes for bracket in brackets_in("see (h, c) and (B, T, 2*H)")]
[('B', 'T', '2*H')]
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rnnshape_guard.shapes.axes import Role
from rnnshape_guard.shapes.vocabulary import is_axis_word, role_of, role_of_all

if TYPE_CHECKING:
    from collections.abc import Iterator

AxisText = str | int
"""An axis as it is written: a number, or a word or small expression."""

_LONGEST: Final = 160


@dataclass(frozen=True, slots=True)
class Bracket:
    """A shape as written, and where it stands in the text (the end exclusive)."""

    axes: tuple[AxisText, ...]
    start: int
    end: int


def brackets_in(text: str, start: int = 0, end: int | None = None, *, plainly: bool = False) -> Iterator[Bracket]:
    """The shapes in a stretch of text, in order, those inside other brackets left out.

    `plainly` says that the text names a tensor, so that a word that is no known axis word may be one.
    """
    end = len(text) if end is None else end
    place = start
    factors = [match.span() for match in _PRODUCT.finditer(text, start, end) if "(" in match[0]]
    for opening, closing in _outermost(text, start, end):
        if any(first <= opening < last for first, last in factors):
            continue
        yield from _products(text, place, opening, plainly)
        if size := _SIZE.search(text, max(start, opening - 10), closing):
            yield Bracket(tuple(int(number) for number in re.findall(r"\d+", size[1])), size.start(), closing)
        elif axes := _bracket(text, opening, closing, plainly):
            yield Bracket(axes, opening, closing)
        place = closing
    yield from _products(text, place, end, plainly)


def listed(text: str, start: int, end: int) -> Bracket | None:
    """A whole line of axes without brackets: ``seq, batch, n_words, emb``. It must name the batch and the time."""
    line = text[start:end].strip().rstrip(".")
    items = [item.strip() for item in line.split(",")]
    if len(items) < 3 or not all(_is_axis(item) for item in items) or not all(map(_is_known, items)):
        return None
    if not {Role.BATCH, Role.TIME} <= set(role_of_all(items)):
        return None
    begin = text.index(line, start)
    return Bracket(tuple(map(_axis, items)), begin, begin + len(line))


_PAIRS: Final = {"(": ")", "[": "]"}
_SIZE: Final = re.compile(r"(?:torch\.)?\bSize\(\s*\[(\s*\d[\d,\s]*)\]\s*\)$")


def _outermost(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where the outermost brackets open and close; one that never closes is passed over."""
    place = start
    while place < end:
        if text[place] in _PAIRS:
            closing = _closing(text, place, end)
            if closing is not None:
                yield place, closing
                place = closing
                continue
        place += 1


def _closing(text: str, opening: int, end: int) -> int | None:
    stack = []
    for place in range(opening, min(end, opening + 4 * _LONGEST)):
        character = text[place]
        if character in _PAIRS:
            stack.append(_PAIRS[character])
        elif character in ")]":
            if stack.pop() != character:
                return None
            if not stack:
                return place + 1
    return None


def _bracket(text: str, opening: int, closing: int, plainly: bool) -> tuple[AxisText, ...] | None:
    inner = text[opening + 1 : closing - 1]
    if len(inner) > _LONGEST or _CALLED.search(text, max(0, opening - 12), opening):
        return None
    items = _items(inner, is_square=text[opening] == "[")
    return None if items is None else _judged(items, plainly)


_CALLED: Final = re.compile(r"(?<!shape)(?<!Shape)(?<=[A-Za-z0-9_)\]])$")
_CROSS: Final = re.compile(r"\s+[xX]\s+|\s*×\s*")
_FACTOR: Final = (
    r"(?:[A-Za-z_][\w.']*(?:\s?[*+/-]+\s?\d+)?|\d+(?:\s?\*\s?[A-Za-z_]\w*)?|\([A-Za-z_]\w*\s?[+-]\s?\d+\)|\.\.\.|-1)"
)
_PRODUCT: Final = re.compile(rf"(?<![\w.(\[]){_FACTOR}(?:(?:\s+x\s+|\s*×\s*){_FACTOR})+(?![\w(\[])")


def _products(text: str, start: int, end: int, plainly: bool) -> Iterator[Bracket]:
    """``T x N x 16``, without brackets."""
    for match in _PRODUCT.finditer(text, start, end):
        axes = _judged(_CROSS.split(match[0]), plainly)
        if axes is not None:
            yield Bracket(axes, match.start(), match.end())


def _items(inner: str, is_square: bool) -> list[str] | None:
    """The items of a bracket, parted at its own commas, or at the crosses or stars between them."""
    parts, depth = [""], 0
    for character in inner:
        depth += (character in "([") - (character in ")]")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    items = [" ".join(part.split()).strip("`'\"") for part in parts]
    if len(items) > 1:
        return items[:-1] if not items[-1] else items
    crossed = _CROSS.split(items[0])
    if len(crossed) > 1:
        return crossed
    stars = [part.strip() for part in items[0].split("*")]
    return stars if is_square and len(stars) > 2 else None


_ANY: Final = frozenset({"...", "…", "*"})
_ATOM: Final = r"(?:#?[^\W\d][\w.']*(?:\(\w*\))?|\d+[A-Z]?)"
_WORDS: Final = re.compile(rf"{_ATOM}(?: {_ATOM}){{0,3}}")
_SPLIT: Final = re.compile(r"\s*(?://|[*+/·×-])\s*")
_PROSE: Final = re.compile(
    r"\b(?:the|and|or|of|is|are|a|an|to|in|for|if|by|see|e\.g|i\.e|default|optional)\b", re.IGNORECASE
)


def _is_axis(item: str) -> bool:
    """Whether an item looks like a size: a number, a word, a few words that all belong to axes, or arithmetic on such."""
    if item in _ANY or item == "-1" or (item.isdigit() and item != "0"):
        return True
    if item in {"", "0"} or len(item) > 45 or _PROSE.search(item):
        return False
    pieces = [piece.strip("()") for piece in _SPLIT.split(item)]
    return all(
        piece.isdigit() or (_WORDS.fullmatch(piece) is not None and (" " not in piece or is_axis_word(piece)))
        for piece in (pieces if all(pieces) else [item])
    )


def _is_known(item: str) -> bool:
    if item in _ANY or item == "-1" or item.isdigit() or role_of(item) is not None or is_axis_word(item):
        return True
    pieces = [piece.strip("()") for piece in _SPLIT.split(item)]
    return all(piece and (piece.isdigit() or is_axis_word(piece)) for piece in pieces)


# What a pair in brackets holds more often than sizes: ``(output, hidden)``, ``(sequence, label)``.
_VALUES: Final = frozenset(
    {"output", "outputs", "input", "inputs", "hidden", "state", "states", "label", "labels", "target", "targets", "tag"}
    | {"tags", "token", "tokens", "word", "words", "sample", "samples", "class", "char", "chars", "item", "action"}
)
_STEPS: Final = frozenset({"words", "tokens"})
"""Of these, what counts the steps beside a batch, where a tensor has been named: ``ids: (batch, words)``."""


def _judged(items: list[str], plainly: bool) -> tuple[AxisText, ...] | None:
    """The axes, if the items together are a shape."""
    if not all(_is_axis(item) for item in items):
        return None
    roles = role_of_all(items)
    unknown = sum(not _is_known(item) for item in items)
    outer = Role.BATCH in roles or Role.TIME in roles
    if len(items) == 1:
        enough = outer
    elif len(items) == 2:
        values = _VALUES.intersection(item.lower() for item in items)
        enough = (
            outer
            and (not unknown or (plainly and Role.BATCH in roles and "_" in " ".join(items)))
            and (
                not values
                or (plainly and items[1].lower() == "hidden")
                or (plainly and {*roles} == {Role.BATCH, Role.TIME} and values <= _STEPS)
                or (Role.BATCH in roles and items[1].lower() == "hidden")
            )
        )
    elif outer:
        enough = 2 * unknown <= len(items) if plainly else 2 * unknown < len(items)
    else:
        enough = not unknown and _is_plain(items, roles)
    return tuple(map(_axis, items)) if enough else None


def _is_plain(items: list[str], roles: tuple[Role | None, ...]) -> bool:
    """Three sizes or more without a batch or a time: two roles, or capital letters among numbers (``(1, N, 512)``)."""
    if sum(role is not None for role in roles) >= 2:
        return True
    letters = [item for item in items if not item.isdigit()]
    return bool(letters) and all(len(item) == 1 and item.isupper() for item in letters)


def _axis(item: str) -> AxisText:
    if item.isdigit():
        return int(item)
    return "..." if item in _ANY else item
