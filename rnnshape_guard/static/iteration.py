"""What a loop or a comprehension walks over: items known one by one, then one that stands for all further ones."""

from __future__ import annotations

from dataclasses import dataclass

from rnnshape_guard.events import Value
from rnnshape_guard.shapes.axes import Shape
from rnnshape_guard.shapes.dims import Dim, Symbol
from rnnshape_guard.static import configs, operations, records
from rnnshape_guard.static.joins import choose, join_all
from rnnshape_guard.static.run import Run
from rnnshape_guard.static.values import (
    Anything,
    Choice,
    DictValue,
    LayerObject,
    ListValue,
    Opaque,
    RangeOf,
    Results,
    ShapeOf,
)


@dataclass(slots=True)
class Steps:
    """`known` items, then `repeated` for the rest (None: there are no more). `first` is the item of the first pass when
    none is known; `length` is how many passes there are in all, as a size."""

    known: list[Anything]
    repeated: Anything = None
    length: Dim | None = None
    first: Anything = None


def steps_of(run: Run, iterable: Anything, record: records.Record, most: int = 12) -> Steps:
    """Walk an iterable. More than `most` known items become one that stands for them."""
    match iterable:
        case tuple():
            return _few(list(iterable), most)
        case Results():
            return _few(list(iterable.values), most)
        case ListValue() if iterable.is_known:
            return _few(iterable.items, most)
        case ListValue():
            return Steps(list(iterable.items), iterable.tail, iterable.length)
        case RangeOf():
            return _range(iterable, most)
        case DictValue():
            keys = [
                Dim.of(key) if isinstance(key, int) and not isinstance(key, bool) else key for key in iterable.items
            ]
            return Steps(keys, Opaque() if iterable.is_open else None)
        case LayerObject(children=ListValue() as children):
            return steps_of(run, children, record, most)
        case LayerObject(children=DictValue() as children):
            return steps_of(run, children, record, most)
        case ShapeOf():
            axes = iterable.value.axes
            return Steps([axis.size for axis in axes]) if axes is not None else Steps([], Opaque())
        case configs.Loader():
            return Steps([], configs.batch_of(run, iterable))
        case Value():
            return _rows(run, iterable, record)
        case Choice():
            walks = [steps_of(run, option, record, most) for option in iterable.options]
            if all(walk.repeated is None for walk in walks) and len({len(walk.known) for walk in walks}) == 1:
                return Steps([choose(*items) for items in zip(*(walk.known for walk in walks), strict=True)])
            return Steps([], Opaque())
        case Opaque() if iterable.tensor is not None:
            return _rows(run, iterable.tensor, record)
        case Opaque():
            spelling = f"{iterable.spelling}[…]" if iterable.spelling else ""
            return Steps([], iterable.part(("item", ...), spelling))
    return Steps([], Opaque())


def _few(items: list[Anything], most: int) -> Steps:
    if len(items) <= most:
        return Steps(list(items))
    return Steps([], join_all(items[1:]), Dim.of(len(items)), items[0])


def _range(numbers: RangeOf, most: int) -> Steps:
    start, stop, step = numbers.start.value, numbers.stop.value, numbers.step.value
    symbol = numbers.stop.symbol
    # A loop along an axis stays one, however short the axis is known to be: what it appends is as long as that axis.
    along = symbol is not None and symbol.owner is not None
    if start is not None and stop is not None and step and not along:
        values = range(start, stop, step)
        if len(values) <= most:
            return Steps([Dim.of(value).counting_to(numbers.stop) for value in values])
    length = numbers.stop - numbers.start if step == 1 else None
    later = Symbol("?", positive=start is not None and start >= 0 and (step or 0) > 0)
    return Steps([], Dim.of(later).counting_to(numbers.stop), length, numbers.start.counting_to(numbers.stop))


def _rows(run: Run, value: Value, record: records.Record) -> Steps:
    """Iterating over a tensor gives what index 0 gives; there are as many as its first axis is long."""
    row = operations.subscript_tensor(run, value, (Dim.of(Symbol("?")),), record)
    first = value.shape.axis(0) if isinstance(value.shape, Shape) else None
    length = first.size if first is not None else None
    number = length.value if length is not None else None
    if number is not None and 0 < number <= 8:
        return Steps([operations.subscript_tensor(run, value, (Dim.of(at),), record) for at in range(number)])
    return Steps([], row, length)


def listed(run: Run, iterable: Anything, record: records.Record) -> ListValue:
    """An iterable as a list."""
    if isinstance(iterable, ListValue):
        return ListValue(list(iterable.items), iterable.tail, iterable.length)
    steps = steps_of(run, iterable, record, 64)
    if steps.repeated is None:
        return ListValue(list(steps.known))
    return ListValue(([steps.first] if steps.first is not None else []) + steps.known, steps.repeated, steps.length)


def zipped(run: Run, iterables: list[Anything], record: records.Record) -> ListValue:
    """`zip`: as far as all are known, then tuples of what stands for the rest."""
    walks = [listed(run, one, record) for one in iterables]
    if not walks:
        return ListValue([])
    ends = [len(walk.items) for walk in walks if walk.is_known]
    most = max(len(walk.items) for walk in walks)
    count = min([*ends, most])
    pairs = list(zip(iterables, walks, strict=True))
    items = [tuple(_item(one, walk, at) for one, walk in pairs) for at in range(count)]
    if ends:
        return ListValue(items)
    length = next((walk.length for walk in walks if walk.length is not None), None)
    return ListValue(items, tuple(walk.tail for walk in walks), length)


def columns(run: Run, rows: Anything, record: records.Record) -> ListValue | None:
    """``zip(*rows)`` of rows that are not all known: a list for each column; None where that cannot be said."""
    walk = listed(run, rows, record)
    if walk.is_known or not all(isinstance(row, tuple) for row in (*walk.items, walk.tail)):
        return None
    if len({len(row) for row in (*walk.items, walk.tail)}) != 1:
        return None
    return ListValue(
        [ListValue([row[at] for row in walk.items], part, walk.length) for at, part in enumerate(walk.tail)]
    )


def _item(iterable: Anything, walk: ListValue, at: int) -> Anything:
    """The item at a place. The items of what nothing is known of are things of their own, each by its place."""
    if at < len(walk.items):
        return walk.items[at]
    if isinstance(iterable, Opaque) and iterable.tensor is None:
        return iterable.part(("item", at), f"{iterable.spelling}[{at}]" if iterable.spelling else "")
    return walk.tail


def enumerated(run: Run, iterable: Anything, record: records.Record) -> ListValue:
    """`enumerate`."""
    walk = listed(run, iterable, record)
    items = [(Dim.of(at), item) for at, item in enumerate(walk.items)]
    if walk.is_known:
        return ListValue(items)
    later = Dim.of(Symbol("?", positive=True))
    if not items:
        return ListValue([(Dim.of(0), walk.tail)], (later, walk.tail), walk.length)
    return ListValue(items, (later, walk.tail), walk.length)
