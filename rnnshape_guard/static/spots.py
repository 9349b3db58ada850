"""Records without their tree: places by number, so that a file that is only imported need not keep its nodes.

A tree takes thirty times the memory of its records, and nearly always nobody asks where anything stood. The nodes of
records are numbered in the order of the records; lowering the same text again gives the same order, and each place back.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from functools import cache
from operator import attrgetter
from typing import Any

from rnnshape_guard.static.records import Module, Record


class Spot:
    """The number of a node in its file."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number


def detach(module: Module) -> None:
    """Let go of the tree: each node becomes its number."""
    records = list(_records(module))
    kept = _nodes(records)
    spots = {id(node): Spot(number) for number, node in enumerate(kept)}
    for record in records:
        record.node = spots[id(record.node)]


def nodes(module: Module) -> list[Any]:
    """The nodes of a module just lowered, by their numbers."""
    return _nodes(_records(module))


def _nodes(records: Iterable[Record]) -> list[Any]:
    """The nodes of records, each once, in the order in which they come first."""
    return list({id(record.node): record.node for record in records}.values())


def _records(module: Module) -> Iterator[Record]:
    stack: list[Any] = [module]
    done: set[int] = set()
    while stack:
        one = stack.pop()
        if isinstance(one, tuple):
            stack += one
        elif isinstance(one, Record) and id(one) not in done:
            done.add(id(one))
            yield one
            kind: Any = type(one)
            stack += _parts(kind)(one)


def _no_parts(record: Record) -> tuple[()]:
    return ()


@cache
def _parts(kind: Any) -> Any:
    """What gives the fields of a record that may hold other records."""
    names = [field.name for field in dataclasses.fields(kind) if field.name not in ("node", "words", "id", "name")]
    if len(names) > 1:
        return attrgetter(*names)
    return (lambda one: (getattr(one, names[0]),)) if names else _no_parts
