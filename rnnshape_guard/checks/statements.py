"""Comparing tensors with the axes that are stated of them: the names of one call, what binds them, what contradicts them.

A name takes the size it meets first and must meet it again, in the arguments, results, local variables and contracts of
one call, as jaxtyping has it. Beyond jaxtyping, arithmetic may stand before its names are bound, and a single unknown in
it is solved for (``2*layers`` of 4 makes `layers` 2).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from rnnshape_guard.checks import wording
from rnnshape_guard.events import Declared, Log
from rnnshape_guard.shapes.annotations import AxisSpec, Size
from rnnshape_guard.shapes.axes import Axis, Shape
from rnnshape_guard.shapes.dims import Dim, compare, divide, resolve

_INTS: Final = ("Int", "UInt")
_FLOATS: Final = ("Float", "BFloat")


@dataclass(frozen=True, slots=True)
class Bound:
    """What a name stands for: a size, and where it was met. `exact` when it is the axis's size itself."""

    size: Dim
    event: Declared
    at: int
    axis: Axis
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One contradiction: the sentence, the words beside the stated axis, and what it stands on."""

    message: str
    primary: str
    expected: str = ""
    help: str = ""
    at: int | None = None
    axis: Axis | None = None
    name: str = ""
    bound: Declared | None = None
    bound_at: int = 0
    bound_axis: Axis | None = None


@dataclass(slots=True)
class Names:
    """The names of one call."""

    bound: dict[str, Bound] = field(default_factory=dict)

    def read(self, event: Declared) -> Mismatch | None:
        """Compare a tensor with what is stated of it, and take the names that it binds; the first contradiction."""
        shape = event.value.shape
        if not isinstance(shape, Shape):
            return None
        if (found := _dtype(event, shape)) or (found := _rank(event, shape, self)):
            return found
        wrong: Mismatch | None = None
        waiting: list[tuple[int, AxisSpec, Axis]] = []
        for at, spec, axis in _aligned(event.axes, shape):
            if spec.is_variadic or spec.is_broadcastable or "?" in spec.text:
                continue
            if spec.size is not None:
                waiting.append((at, spec, axis))
            elif spec.name is not None:
                wrong = wrong or self._named(event, at, spec.name, axis)
        for at, spec, axis in waiting:
            wrong = wrong or self._sized(event, at, spec, axis)
        return wrong

    def _named(self, event: Declared, at: int, name: str, axis: Axis) -> Mismatch | None:
        known = self.bound.get(name)
        if known is None:
            self.bound[name] = Bound(axis.size, event, _place_of(event, axis, at), axis)
            return None
        if compare(axis.size, known.size).different:
            return self._differs(event, at, axis, name, known.size, known)
        other = self._another(name, known, axis)
        if other is not None:
            words = f"axis {_place_of(event, axis, at)} of {_called(event)} is `{other}`, but `{name}` is stated"
            return self._mismatch(event, words, at, axis, name, known)
        return None

    def _another(self, name: str, known: Bound, axis: Axis) -> str | None:
        """The name that an axis has by identity, where it has another one: two axes of one input that changed places."""
        mine, theirs = resolve(axis.size).symbol, resolve(known.size).symbol
        if mine is None or theirs is None or mine is theirs or mine.owner is None or theirs.owner is None:
            return None
        for other, bound in self.bound.items():
            if other != name and bound.exact and bound.event is known.event and resolve(bound.size).symbol is mine:
                return other
        return None

    def _sized(self, event: Declared, at: int, spec: AxisSpec, axis: Axis) -> Mismatch | None:
        size = spec.size
        assert size is not None
        wanted = size.value(lambda name: self._size_of(name, event.sizes))
        if wanted is not None:
            if compare(axis.size, wanted).different:
                bound = next((self.bound[name] for name in size.names() if name in self.bound), None)
                return self._differs(event, at, axis, spec.text, wanted, bound)
            return None
        self._solve(event, at, size, axis)
        return None

    def _size_of(self, name: str, references: Mapping[str, Dim]) -> Dim | None:
        bound = self.bound.get(name)
        return bound.size if bound is not None else references.get(name)

    def _solve(self, event: Declared, at: int, size: Size, axis: Axis) -> None:
        """Find the one unknown of ``2*layers``."""
        match size.tree:
            case (
                ast.BinOp(left=ast.Constant(value=int() as factor), op=ast.Mult(), right=ast.Name(id=name))
                | ast.BinOp(left=ast.Name(id=name), op=ast.Mult(), right=ast.Constant(value=int() as factor))
            ) if factor > 0 and name in [*size.names()] and name not in self.bound:
                part = divide(axis.size, factor)
                if part is not None:
                    self.bound[name] = Bound(part, event, _place_of(event, axis, at), axis, False)

    # -- words -------------------------------------------------------------------------------------------------------

    def _differs(self, event: Declared, at: int, axis: Axis, text: str, wanted: Dim, bound: Bound | None) -> Mismatch:
        words = wording.size(wanted)
        is_known = words not in ("?", text, text.replace("*", "·"))
        stated = f"`{text}` is {words}" if is_known else f"`{text}` is stated"
        size = wording.sizes_of(axis)
        where = f"axis {_place_of(event, axis, at)} of {_called(event)}"
        message = f"{where} is {size}, but {stated}" if size != "?" else f"{where} is not `{text}`"
        return self._mismatch(event, message, at, axis, text, bound)

    def _mismatch(self, event: Declared, message: str, at: int, axis: Axis, text: str, bound: Bound | None) -> Mismatch:
        meant = self._word_for(axis) or (str(axis.size.value or "") if text.isdigit() else "")
        rest = [spec.text for spec in event.axes]
        if meant and at < len(rest):
            rest[at] = meant
        return Mismatch(
            message=message,
            primary=f"`{text}`"
            if bound is None
            else f"`{text}` = {wording.size(bound.size)}"
            if text.isidentifier() and wording.size(bound.size) != "?"
            else f"`{text}`",
            expected=self.printed(event),
            help=f'"{" ".join(rest)}"' if meant else "",
            at=at,
            axis=axis,
            name=_name_in(text, bound, self.bound),
            bound=None if bound is None else bound.event,
            bound_at=0 if bound is None else bound.at,
            bound_axis=None if bound is None else bound.axis,
        )

    def _word_for(self, axis: Axis) -> str:
        """How an axis would be stated in the names that are bound: ``hidden``, ``2*hidden``; empty if in none."""
        for name, bound in self.bound.items():
            if bound.axis is not axis and compare(axis.size, bound.size).equal and bound.size.value is None:
                return name
        for name, bound in self.bound.items():
            factor = divide(axis.size, 2)
            if factor is not None and compare(factor, bound.size).equal:
                return f"2*{name}"
        return ""

    def printed(self, event: Declared) -> str:
        """Stated axes with the sizes that are known: ``(batch = 8, time, 2*hidden = 256)``."""
        words = []
        for spec in event.axes:
            size = spec.value(lambda name: self._size_of(name, event.sizes))
            value = None if size is None else size.value
            words.append(spec.text if value is None or spec.text == str(value) else f"{spec.text} = {value}")
        return f"({', '.join(words)})"


def statements_before(event: Declared, log: Log) -> Iterator[Declared]:
    """What was stated earlier in the call of a statement, in the branches that it stands in itself."""
    if event.call >= 0:
        for before in log.events[event.call : event.id]:
            if isinstance(before, Declared) and before.call == event.call:
                if before.path == event.path[: len(before.path)]:
                    yield before


def _aligned(axes: tuple[AxisSpec, ...], shape: Shape) -> Iterator[tuple[int, AxisSpec, Axis]]:
    """Stated axes with the axes they are about, those that stand for several left out; from both ends."""
    variadic = next((at for at, spec in enumerate(axes) if spec.is_variadic), None)
    known = shape.axes
    if known is not None and variadic is None:
        yield from zip(range(len(axes)), axes, known, strict=True)
        return
    front, back = shape.ends() if known is None else (known, known)
    for at, spec in enumerate(axes[:variadic]):
        if at < len(front):
            yield at, spec, front[at]
    behind = len(axes) if variadic is None else len(axes) - variadic - 1
    for place in range(1, min(behind, len(back)) + 1):
        if variadic is not None or len(axes) - place >= len(front):
            yield len(axes) - place, axes[-place], back[-place]


def _place_of(event: Declared, axis: Axis, at: int) -> int:
    """The number of an axis, counted from the back where several may stand before it."""
    variadic = next((place for place, spec in enumerate(event.axes) if spec.is_variadic), None)
    return at if variadic is None or at < variadic else at - len(event.axes)


def _called(event: Declared) -> str:
    return wording.quoted(event.name) if event.name else "the result"


def _name_in(text: str, bound: Bound | None, names: Mapping[str, Bound]) -> str:
    return next((name for name, one in names.items() if one is bound), text)


def _rank(event: Declared, shape: Shape, names: Names) -> Mismatch | None:
    variadic = any(spec.is_variadic for spec in event.axes)
    count = len(event.axes) - variadic
    rank, least = shape.rank, shape.least_rank
    if rank is None:
        if variadic or least <= count:
            return None
    elif rank == count or (variadic and rank > count):
        return None
    words = f"{rank} {'axis' if rank == 1 else 'axes'}" if rank is not None else f"at least {least} axes"
    more = " at least" if variadic else ""
    return Mismatch(
        message=f"{_called(event)} has {words}, but `{event.text}` names{more} {count}",
        primary=f"{'at least ' if variadic else ''}{count} {'axis' if count == 1 else 'axes'}",
        expected=names.printed(event),
    )


def _dtype(event: Declared, shape: Shape) -> Mismatch | None:
    """A kind of number that is surely another one than is stated."""
    kinds = _kinds(event.dtype)
    if shape.dtype is None or not kinds or shape.dtype in kinds:
        return None
    article = "an" if event.dtype[0] in "AEIOU" else "a"
    return Mismatch(
        message=f"{_called(event)} is a tensor of {shape.dtype}, but {article} {event.dtype} tensor is stated",
        primary=f"{event.dtype}",
        expected=f"{event.dtype} ({', '.join(spec.text for spec in event.axes)})",
    )


def _kinds(word: str) -> tuple[str, ...]:
    """The kinds of numbers that a word of jaxtyping takes; none where every kind will do."""
    if word.startswith(_FLOATS) or word == "Inexact":
        return ("float",)
    if word.startswith(_INTS):  # also Integer
        return ("int",)
    return {"Bool": ("bool",), "Num": ("float", "int"), "Real": ("float", "int")}.get(word, ())
