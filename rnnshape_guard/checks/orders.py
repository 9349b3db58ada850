"""The order that sorting gives a batch: which tensors were put into it, and which were put into it twice."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from rnnshape_guard.checks.lineage import of_one
from rnnshape_guard.checks.reading import entered
from rnnshape_guard.events import (
    Combined,
    Computed,
    LayerCalled,
    Log,
    PackCalled,
    RecurrentCalled,
    Reduced,
    Reordered,
    Reshaped,
    Returned,
    Selected,
    Unpacked,
    Value,
    reads,
    values_in,
)
from rnnshape_guard.shapes.outcomes import Packed

_CHOOSING = frozenset("gather index_select take_along_dim sort take masked_select flip".split())


def sorted_alone(pack: PackCalled, log: Log) -> Selected | None:
    """The event that sorted the lengths of a pack, where the order it gave is read by nothing before the batch is
    packed, and nothing else chooses among the samples."""
    lengths, value = pack.value("lengths"), pack.value("input")
    plain = None if lengths is None else _uncast(lengths, log)
    sort = None if plain is None else log.maker(plain)
    if (
        plain is None
        or value is None
        or not isinstance(sort, Selected)
        or sort.name != "sort"
        or sort.path != pack.path
    ):
        return None
    match sort.result:
        case (Value() as values, Value() as order) if values is plain:
            pass
        case _:
            return None
    if any(reader.id < pack.id and not isinstance(reader, Unpacked) for reader in log.readers(order)):
        return None
    for _, event in log.past(value):
        if isinstance(event, PackCalled | RecurrentCalled | Combined) or (
            isinstance(event, Selected) and (event.name in _CHOOSING or _indices(event))
        ):
            return None
    return sort


def ordered_twice(event: Selected, log: Log) -> tuple[Value, Selected] | None:
    """The order, and the selection that used it first, where a selection puts what an RNN made of a sorted batch into
    that very order again."""
    orders = [base for index in _indices(event) if (base := _order(index, log)) is not None]
    value = event.value("input")
    if len(orders) != 1 or value is None or event.path:
        return None
    ran = False
    for _, earlier in log.past(value):
        ran |= isinstance(earlier, RecurrentCalled)
        if isinstance(earlier, Selected) and _indices(earlier):
            bases = [_order(index, log) for index in _indices(earlier)]
            return (orders[0], earlier) if ran and bases == orders else None
    return None


@dataclass(frozen=True, slots=True)
class LeftSorted:
    """What a function returns of a batch that it sorted: `result`, whose axis `at` holds the samples, in the order that
    `sort` gave and `word` names."""

    sort: Selected
    result: Value
    at: int
    word: str


def left_sorted(pack: PackCalled, log: Log) -> LeftSorted | None:
    """The results in the order of the lengths, where the order itself stays inside the function: nobody can put them
    back. Whatever else was sorted alike, or goes out with them, may be meant to stand in that order."""
    lengths, packed = pack.value("lengths"), pack.result
    order = None if lengths is None else _order_of(lengths, log)
    sort = None if order is None else log.maker(order)
    leaving = _leaving(pack, log)
    if order is None or not isinstance(sort, Selected) or leaving is None or not isinstance(packed, Value):
        return None
    if sort.path or pack.path or sort.scope != pack.scope or _was_sorted(sort, log):
        return None
    uses = [event for event in log.readers(order) if not isinstance(event, Unpacked)]
    behind = _ancestors((pack,), None, log)
    words = {_word_of(event) for event in uses if isinstance(event, Selected) and event.id in behind}
    word = words.pop() if len(words) == 1 else None
    function = entered(pack, log)
    if word is None or function is None or not all(event.id in behind for event in uses):
        return None
    if len(re.findall(rf"\b{word}\b", function.place.text)) != 1 + len({event.place.spot for event in uses}):
        return None
    results = list(values_in(leaving.result))
    found = [_place_of_samples(value, packed, log) for value in results]
    if None in found or not found or found[0] is None:
        return None
    return LeftSorted(sort, results[0], found[0], word)


def _order_of(lengths: Value, log: Log) -> Value | None:
    """The order in which lengths stand, behind casts: that of a sort, or that of the index that put them into it."""
    plain = _uncast(lengths, log)
    match log.maker(plain):
        case Selected(name="sort", result=(Value() as values, Value() as order)) if values is plain:
            return order
        case Selected() as chosen:
            orders = [base for index in _indices(chosen) if (base := _order(index, log)) is not None]
            return orders[0] if len(orders) == 1 else None
    return None


def _was_sorted(sort: Selected, log: Log) -> bool:
    """Whether what is sorted came from a sort already, here or in another call: to sort it again changes nothing."""
    here = [one for one in log.all(Selected) if one.place.spot == sort.place.spot]
    values = [one.value("input") for one in here]
    return any(value is None or any(isinstance(event, Selected) for _, event in log.past(value)) for value in values)


def _leaving(pack: PackCalled, log: Log) -> Returned | None:
    """The one return of the function that packs."""
    found = [
        event
        for event in log.events[pack.id + 1 :]
        if isinstance(event, Returned) and event.scope == pack.scope and event.entry == pack.entry
    ]
    return found[0] if len(found) == 1 or (found and not found[0].path) else None


def _word_of(event: Selected) -> str | None:
    """The name by which an order stands in a selection: ``order`` in ``x[:, order]``."""
    text = event.place.text.rpartition("[")[2].rstrip("]") if event.name == "index" else event.given["index"].text
    word = text.split(",")[-1].strip(" :")
    return word if word.isidentifier() else None


_KEEPS: Final = (PackCalled, RecurrentCalled, LayerCalled, Reordered, Reshaped, Computed, Combined, Reduced, Selected)


def _place_of_samples(value: Value, packed: Value, log: Log) -> int | None:
    """The axis of the samples in what was made of a packed batch and of nothing else, sample by sample."""
    if not isinstance(packed.shape, Packed) or packed.shape.batch.atom is None or value.axes is None:
        return None
    events = [log.events[number] for number in _ancestors((value,), packed, log)]
    if not any(packed in reads(event) for event in events):
        return None
    for event in events:
        if not isinstance(event, _KEEPS) or (isinstance(event, Selected) and _chooses(event)) or event.path:
            return None
        if isinstance(event, PackCalled) and value in values_in(event.result) and value.shape.dtype == "int":
            return None  # the lengths, in the order of the samples beside them
    root = packed.shape.batch.atom.root
    places = [at for at, axis in enumerate(value.axes) if axis.atom is not None and axis.atom.root is root]
    return places[0] if len(places) == 1 else None


def _chooses(event: Selected) -> bool:
    return event.name in _CHOOSING or bool(_indices(event))


def _ancestors(ends: tuple[Value | PackCalled, ...], stop: Value | None, log: Log) -> set[int]:
    """The events that something was made by, as far back as `stop`."""
    found: set[int] = set()
    pending = [value for end in ends for value in ((end,) if isinstance(end, Value) else reads(end))]
    while pending:
        value = pending.pop()
        maker = log.maker(value) if value is not stop else None
        if maker is not None and maker.id not in found:
            found.add(maker.id)
            pending += reads(maker)
    return found


def back_beside_sorted(event: Computed, log: Log) -> tuple[Selected, Selected] | None:
    """The selection that put samples back, and the sort, where what was put back is divided by lengths that were not."""
    value, lengths = event.value("input"), event.value("other")
    if event.name not in ("/", "div", "true_divide") or value is None or lengths is None or event.path:
        return None
    while isinstance(maker := log.maker(lengths), Computed | Reshaped) and of_one(maker):
        lengths = next(reads(maker))
    order = _order_of(lengths, log)
    sort = log.maker(order) if order is not None else None
    if order is None or not isinstance(sort, Selected):
        return None
    for _, earlier in log.past(value):
        if isinstance(earlier, RecurrentCalled):
            return None
        if isinstance(earlier, Selected) and any(_puts_back(index, order, log) for index in _indices(earlier)):
            return earlier, sort
    return None


def _puts_back(index: Value, order: Value, log: Log) -> bool:
    """Whether an index brings back what an order has sorted: it sorts the order itself."""
    base = _order(index, log)
    maker = log.maker(base) if base is not None else None
    sorted_by = maker.value("input") if isinstance(maker, Selected) else None
    return sorted_by is not None and _uncast(sorted_by, log) is order


def _indices(event: Selected) -> list[Value]:
    """The tensors by which a selection chooses."""
    if event.name not in ("index", "index_select"):
        return []
    return [value for name, given in event.given.items() if name != "input" for value in values_in(given.seen)]


def _order(index: Value, log: Log) -> Value | None:
    """The order that sorting gave, behind casts."""
    plain = _uncast(index, log)
    match log.maker(plain):
        case Selected(name="argsort"):
            return plain
        case Selected(name="sort", result=(_, Value() as order)) if order is plain:
            return plain
    return None


def _uncast(value: Value, log: Log) -> Value:
    maker = log.maker(value)
    while isinstance(maker, Computed) and of_one(maker) and len(maker.given) <= 2 and maker.name in _CASTS:
        value = next(reads(maker))
        maker = log.maker(value)
    return value


_CASTS = frozenset("from_numpy long int to cpu cuda detach clone contiguous type".split())
