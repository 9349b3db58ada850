"""Python's own functions, as far as shapes flow through them."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any, Final

from rnnshape_guard.events import Value
from rnnshape_guard.shapes.axes import Shape
from rnnshape_guard.shapes.dims import Dim, Symbol
from rnnshape_guard.static import attributes, calls, conditions, expressions, iteration, records, statements, subscripts
from rnnshape_guard.static.joins import choose, join_all
from rnnshape_guard.static.run import MISSING, Run
from rnnshape_guard.static.values import (
    Anything,
    Choice,
    DictValue,
    External,
    Instance,
    LayerObject,
    ListValue,
    Opaque,
    RangeOf,
    ShapeOf,
)

BUILTINS: Final = frozenset(name for name in dir(builtins) if not name.startswith("_"))

Arguments = tuple[Anything, ...]


def call_builtin(
    run: Run, name: str, arguments: Arguments, keywords: dict[str, Anything], record: records.Record
) -> Anything:
    """Call one of Python's functions; unknown where nothing is said of it here."""
    function = _FUNCTIONS.get(name)
    if function is None or (not arguments and name not in ("list", "dict", "tuple", "set")):
        return Opaque()
    return function(run, arguments, keywords, record)


def _len(run: Run, arguments: Arguments, keywords: dict[str, Anything], record: records.Record) -> Anything:
    match arguments[0]:
        case ListValue() as value if value.is_known:
            return Dim.of(len(value.items))
        case ListValue() as value:
            return value.length if value.length is not None else Dim.of(Symbol("?"))
        case tuple() | str() as value:
            return Dim.of(len(value))
        case DictValue() as value if not value.is_open:
            return Dim.of(len(value.items))
        case LayerObject(children=ListValue() as children) if children.is_known:
            return Dim.of(len(children.items))
        case ShapeOf() as sizes:
            rank = sizes.value.shape.rank if isinstance(sizes.value.shape, Shape) else None
            return Opaque("rank") if rank is None else Dim.of(rank)
        case Value() as value:
            return subscripts.size_at(run, value, 0)
        case Opaque() as value if value.tensor is not None:
            return subscripts.size_at(run, value.tensor, 0)
        case Opaque() as value if value.spelling:
            return value.part("len", f"len({value.spelling})")
    return Dim.of(Symbol("?"))


def _range(run: Run, arguments: Arguments, keywords: dict[str, Anything], record: records.Record) -> Anything:
    numbers = [expressions.as_number(value) for value in arguments]
    known = [number if number is not None else Dim.of(Symbol("?")) for number in numbers]
    if len(known) == 1:
        return RangeOf(Dim.of(0), known[0], Dim.of(1))
    return RangeOf(known[0], known[1], known[2] if len(known) > 2 else Dim.of(1))


def _int(run: Run, arguments: Arguments, keywords: dict[str, Anything], record: records.Record) -> Anything:
    match arguments[0]:
        case Dim() as value:
            return value
        case bool() as value:
            return Dim.of(int(value))
        case float() as value if value == value and abs(value) < 1e9:
            return Dim.of(int(value))
        case Opaque() as value if value.spelling and value.tensor is None:
            return value.as_number()
    return Opaque()


def _bool(run: Run, arguments: Arguments, keywords: dict[str, Anything], record: records.Record) -> Anything:
    decision = conditions.truth_of(run, arguments[0])
    if decision.truth is not None:
        return decision.truth
    return decision.flag if decision.flag is not None else Opaque(hint=False)


def _list(run: Run, arguments: Arguments, keywords: dict[str, Anything], record: records.Record) -> Anything:
    return iteration.listed(run, arguments[0], record) if arguments else ListValue([])


def _tuple(run: Run, arguments: Arguments, keywords: dict[str, Anything], record: records.Record) -> Anything:
    if not arguments:
        return ()
    walked = iteration.listed(run, arguments[0], record)
    return tuple(walked.items) if walked.is_known else walked


def _dict(run: Run, arguments: Arguments, keywords: dict[str, Anything], record: records.Record) -> Anything:
    if not arguments:
        return DictValue(dict(keywords))
    if isinstance(arguments[0], DictValue):
        return DictValue({**arguments[0].items, **keywords}, arguments[0].is_open)
    walked = iteration.listed(run, arguments[0], record)
    pairs = [item for item in walked.items if isinstance(item, tuple) and len(item) == 2]
    items = {expressions.plain_key(key): value for key, value in pairs}
    is_open = not walked.is_known or len(pairs) < len(walked.items) or items.pop(MISSING, None) is not None
    return DictValue({**items, **keywords}, is_open)


def _zip(run: Run, arguments: Arguments, keywords: dict[str, Anything], record: records.Record) -> Anything:
    return iteration.zipped(run, list(arguments), record)


def _enumerate(run: Run, arguments: Arguments, keywords: dict[str, Anything], record: records.Record) -> Anything:
    start = arguments[1] if len(arguments) > 1 else keywords.get("start")
    walked = iteration.enumerated(run, arguments[0], record)
    if start is None or (isinstance(start, Dim) and start.value == 0):
        return walked
    shift = expressions.as_number(start) or Dim.of(Symbol("?"))
    items = [(at + shift, item) for at, item in walked.items]
    tail = None if walked.tail is None else (walked.tail[0] + shift, walked.tail[1])
    return ListValue(items, tail, walked.length)


def _reversed(run: Run, arguments: Arguments, keywords: dict[str, Anything], record: records.Record) -> Anything:
    if isinstance(arguments[0], RangeOf):
        numbers = arguments[0]
        values = [numbers.start.value, numbers.stop.value, numbers.step.value]
        if None in values:
            length = numbers.stop - numbers.start if numbers.step == 1 else None
            return ListValue([], Dim.of(Symbol("?")), length)
    walked = iteration.listed(run, arguments[0], record)
    if walked.is_known:
        return ListValue(walked.items[::-1])
    return ListValue([], join_all([*walked.items, walked.tail]), walked.length)


def _sorted(run: Run, arguments: Arguments, keywords: dict[str, Anything], record: records.Record) -> Anything:
    walked = iteration.listed(run, arguments[0], record)
    parts = [*walked.items, *([walked.tail] if walked.tail is not None else [])]
    return ListValue([], join_all(parts)) if parts else walked


def _map(run: Run, arguments: Arguments, keywords: dict[str, Anything], record: records.Record) -> Anything:
    if len(arguments) < 2:
        return Opaque()
    walked = iteration.listed(run, arguments[1], record)
    items = [calls.call_value(run, arguments[0], (item,), {}, record) for item in walked.items[:16]]
    if walked.tail is not None:
        return ListValue(items, calls.call_value(run, arguments[0], (walked.tail,), {}, record), walked.length)
    return ListValue(items) if len(walked.items) <= 16 else Opaque()


def _next(run: Run, arguments: Arguments, keywords: dict[str, Anything], record: records.Record) -> Anything:
    walked = iteration.listed(run, arguments[0], record)
    return walked.items[0] if walked.items else walked.tail if walked.tail is not None else Opaque()


def _iter(run: Run, arguments: Arguments, keywords: dict[str, Anything], record: records.Record) -> Anything:
    return arguments[0]


def _extreme(name: str) -> Callable[[Run, Arguments, dict[str, Anything], records.Record], Anything]:
    def extreme(run: Run, arguments: Arguments, keywords: dict[str, Anything], record: records.Record) -> Anything:
        values = list(arguments)
        if len(values) == 1:
            if isinstance(values[0], Value):
                return Opaque()
            walked = iteration.listed(run, values[0], record)
            if not walked.is_known:
                return Opaque()
            values = walked.items
        numbers = [value.value if isinstance(value, Dim) else None for value in values]
        known = [number for number in numbers if number is not None]
        if not values or len(known) < len(values):
            return Opaque()
        return Dim.of(max(known) if name == "max" else min(known))

    return extreme


def _sum(run: Run, arguments: Arguments, keywords: dict[str, Anything], record: records.Record) -> Anything:
    if isinstance(arguments[0], Value):
        return Opaque()
    walked = iteration.listed(run, arguments[0], record)
    numbers = [expressions.as_number(item) for item in walked.items]
    if not walked.is_known or not all(isinstance(number, Dim) for number in numbers):
        return Opaque()
    total = Dim.of(0)
    for number in numbers:
        total = total + (number or 0)
    return total


def _getattr(run: Run, arguments: Arguments, keywords: dict[str, Anything], record: records.Record) -> Anything:
    holder, name = arguments[0], arguments[1] if len(arguments) > 1 else None
    if isinstance(name, str):
        if len(arguments) > 2 and isinstance(holder, Instance) and name not in holder.attributes:
            return choose(attributes.attribute(run, holder, name, record), arguments[2])
        return attributes.attribute(run, holder, name, record)
    if isinstance(holder, External) and holder.path == "torch.nn":
        return _chosen_layer(run, name)
    if isinstance(name, Choice) and all(isinstance(option, str) for option in name.options):
        return choose(*(attributes.attribute(run, holder, option, record) for option in name.options))
    return Opaque()


def _chosen_layer(run: Run, name: Anything) -> Anything:
    """`getattr(nn, kind)`: the recurrent layers that the name may still be, in a file that is about them."""
    words = ["LSTM", "GRU", "RNN"]
    if isinstance(name, Opaque) and name.origin:
        prefix = f"==:{name.origin}:"
        for key, truth in (*run.assumed.items(), *run.known.items()):
            if key.startswith(prefix):
                word = key.removeprefix(prefix)
                words = [word] if truth else [one for one in words if one != word]
    if isinstance(name, Opaque) and isinstance(name.hint, str) and name.hint not in ("LSTM", "GRU", "RNN", ""):
        return Opaque()
    prefix = f"==:{name.origin}:" if isinstance(name, Opaque) and name.origin else ""
    options = tuple(External(f"torch.nn.{word}") for word in words)
    return options[0] if len(options) == 1 else Choice(options, prefix)


def _setattr(run: Run, arguments: Arguments, keywords: dict[str, Anything], record: records.Record) -> Anything:
    if len(arguments) == 3 and isinstance(arguments[1], str):
        statements.set_attribute(run, arguments[0], arguments[1], arguments[2])
    return None


def _hasattr(run: Run, arguments: Arguments, keywords: dict[str, Anything], record: records.Record) -> Anything:
    if len(arguments) == 2 and isinstance(arguments[0], Instance) and isinstance(arguments[1], str):
        return True if arguments[1] in arguments[0].attributes else Opaque(hint=False)
    return Opaque(hint=False)


def _isinstance(run: Run, arguments: Arguments, keywords: dict[str, Anything], record: records.Record) -> Anything:
    truth = conditions.of_instance(run, arguments[0], arguments[1]).truth if len(arguments) == 2 else None
    return Opaque(hint=False) if truth is None else truth


def _type(run: Run, arguments: Arguments, keywords: dict[str, Anything], record: records.Record) -> Anything:
    return arguments[0].cls if isinstance(arguments[0], Instance) else Opaque()


def _str(run: Run, arguments: Arguments, keywords: dict[str, Anything], record: records.Record) -> Anything:
    match arguments[0]:
        case str() as text:
            return text
        case Dim() as size if size.value is not None:
            return str(size.value)
    return Opaque()


_FUNCTIONS: Final[dict[str, Callable[[Run, Arguments, dict[str, Anything], records.Record], Any]]] = {
    "len": _len,
    "range": _range,
    "int": _int,
    "bool": _bool,
    "list": _list,
    "set": _list,
    "tuple": _tuple,
    "dict": _dict,
    "zip": _zip,
    "enumerate": _enumerate,
    "reversed": _reversed,
    "sorted": _sorted,
    "map": _map,
    "next": _next,
    "iter": _iter,
    "max": _extreme("max"),
    "min": _extreme("min"),
    "sum": _sum,
    "getattr": _getattr,
    "setattr": _setattr,
    "hasattr": _hasattr,
    "isinstance": _isinstance,
    "type": _type,
    "str": _str,
    "print": lambda run, arguments, keywords, record: None,
}
