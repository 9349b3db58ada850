"""What a subscript or a reduction takes of which axis."""

from __future__ import annotations

from dataclasses import dataclass

from rnnshape_guard.events import (
    WRITTEN,
    Computed,
    Reduced,
    Seen,
    Selected,
    Value,
)
from rnnshape_guard.shapes.axes import Axis, Shape
from rnnshape_guard.shapes.dims import Dim
from rnnshape_guard.shapes.outcomes import Slice, Unknown

SUMMARIES = frozenset("sum mean max amax min amin logsumexp nansum nanmean median".split())
"""Reductions that make one number of all steps."""


@dataclass(frozen=True, slots=True)
class Pick:
    """One item of a subscript with the axis it stands for, counted from the front."""

    at: int
    axis: Axis
    item: Seen | Slice

    @property
    def number(self) -> int | None:
        """The literal index, where it is one; a slice of the last step alone counts as -1, of the first as 0."""
        match self.item:
            case Dim() as size:
                return -1 if (size - self.axis.size).literal == -1 else size.literal
            case Slice(start=Dim(literal=-1), stop=None, step=None | Dim(literal=1)):
                return -1
            case Slice(start=None | Dim(literal=0), stop=Dim(literal=1), step=None | Dim(literal=1)):
                return 0
        return None


def picks(event: Selected) -> list[Pick]:
    """What a subscript, `select` or `narrow` takes of each axis of a tensor of known rank; nothing where that is not
    known."""
    value = event.value("input")
    axes = value.axes if value is not None else None
    if axes is None:
        return []
    match event.name:
        case name if name in ("index", WRITTEN):
            return _subscript(event, axes)
        case "select" | "index_select":
            return _one(axes, event.seen("dim"), event.seen("index"))
        case "narrow":
            start, length = event.seen("start"), event.seen("length")
            item = start if isinstance(length, Dim) and length.literal == 1 else Slice(_dim(start), _dim(length))
            return _one(axes, event.seen("dim"), item)
    return []


def front_picks(event: Selected) -> list[Pick]:
    """What a subscript takes of the axes that are known from the front, however many there are behind them."""
    value = event.value("input")
    items = event.seen("items")
    if value is None or not isinstance(value.shape, Shape) or not isinstance(items, tuple) or ... in items:
        return []
    return _subscript(event, value.shape.ends()[0])


def _dim(seen: Seen) -> Dim | None:
    return seen if isinstance(seen, Dim) else None


def _one(axes: tuple[Axis, ...], dim: Seen, item: Seen | Slice) -> list[Pick]:
    at = dim.literal if isinstance(dim, Dim) else None
    if at is None or not -len(axes) <= at < len(axes):
        return []
    return [Pick(at % len(axes), axes[at], item)]


def _subscript(event: Selected, axes: tuple[Axis, ...]) -> list[Pick]:
    items = event.seen("items")
    if not isinstance(items, tuple):
        return []
    named = [item for item in items if item is not None and item is not ...]
    if any(isinstance(item, tuple | bool | str | Unknown) or _width(item) != 1 for item in named):
        return []
    found: list[Pick] = []
    at = 0
    for item in items:
        if item is None:
            continue
        if item is ...:
            at = len(axes) - (len(named) - len(found))
            continue
        if not 0 <= at < len(axes):
            return []
        found.append(Pick(at, axes[at], item))
        at += 1
    return found


def _width(item: Seen) -> int | None:
    if isinstance(item, Value):
        return item.shape.rank if isinstance(item.shape, Shape) and item.shape.dtype == "bool" else 1
    return 1


def reduced_axes(event: Reduced | Computed) -> list[Axis]:
    """The axes that a reduction, or a softmax, works along; nothing where that is not known."""
    value = event.value("input")
    axes = value.axes if value is not None else None
    given = event.given.get("dim")
    if axes is None or given is None:
        return []
    dims = given.seen if isinstance(given.seen, tuple) else (given.seen,)
    numbers = [dim.literal if isinstance(dim, Dim) else None for dim in dims]
    if any(number is None or not -len(axes) <= number < len(axes) for number in numbers):
        return []
    return [axes[number] for number in numbers if number is not None]


def is_whole(item: Seen | Slice) -> bool:
    """Whether an item of a subscript takes its axis as it is."""
    return isinstance(item, Slice) and item.start is None and item.stop is None and item.step is None
