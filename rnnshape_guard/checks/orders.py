"""The order that sorting gives a batch: which tensors were put into it, and which were put into it twice."""

from __future__ import annotations

from rnnshape_guard.checks.lineage import of_one
from rnnshape_guard.events import (
    Combined,
    Computed,
    Log,
    PackCalled,
    RecurrentCalled,
    Selected,
    Unpacked,
    Value,
    reads,
    values_in,
)

_CHOOSING = frozenset("gather index_select take_along_dim sort take masked_select flip".split())


def sorted_alone(pack: PackCalled, log: Log) -> Selected | None:
    """The event that sorted the lengths of a pack, where the order it gave is read by nothing before the batch is
    packed, and nothing else chooses among the samples."""
    lengths, value = pack.given["lengths"].value, pack.value("input")
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


_CASTS = frozenset("long int to cpu cuda detach clone contiguous type".split())
