"""Methods of what is no object of the program: of tensors, lists, dicts, strings, layers and modules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rnnshape_guard import ops
from rnnshape_guard.events import OPERATED, Given, Value
from rnnshape_guard.shapes.axes import Shape
from rnnshape_guard.shapes.dims import Dim
from rnnshape_guard.shapes.outcomes import UNKNOWN, Fault, Misfit, Outcome, Packed
from rnnshape_guard.static import configs, expressions, functions, layer_calls, operations, records, subscripts
from rnnshape_guard.static.joins import choose, join_all
from rnnshape_guard.static.operands import seen
from rnnshape_guard.static.run import Run
from rnnshape_guard.static.values import (
    Anything,
    BoundName,
    DictValue,
    Instance,
    LayerObject,
    ListValue,
    Opaque,
    ShapeOf,
    SuperOf,
)

_SAME_OBJECT: Final = frozenset(
    """to cuda cpu float double half train eval requires_grad_ apply share_memory type bfloat16 compile""".split()
)


def call_bound(
    run: Run,
    called: BoundName,
    arguments: tuple[Anything, ...],
    keywords: dict[str, Anything],
    record: records.Record,
    places: Mapping[str, Any],
    is_partial: bool,
) -> Anything:
    """Call a method of a tensor, a list, a dict, a layer, a string."""
    receiver, name = called.receiver, called.name
    match receiver:
        case Value():
            return _call_method(run, receiver, name, arguments, keywords, record, places, is_partial)
        case ListValue():
            return _call_list(run, receiver, name, arguments, record)
        case DictValue():
            return _call_dict(run, receiver, name, arguments, keywords)
        case LayerObject():
            return _call_layer_method(run, receiver, name, arguments, keywords, record, places, is_partial)
        case Instance():
            return _call_instance_method(run, receiver, name, arguments, keywords, record, places, is_partial)
        case SuperOf():
            return _call_super(run, receiver, name, arguments, keywords, record, places, is_partial)
        case ShapeOf():
            if name == "numel":
                return Opaque("numel")
            return Opaque()
        case str():
            return _call_string(receiver, name, arguments)
        case configs.Parser():
            return receiver.call(name, arguments, keywords)
        case tuple():
            return _call_tuple(run, receiver, name, record, places)
    return Opaque()


def _call_tuple(
    run: Run, receiver: tuple[Anything, ...], name: str, record: records.Record, places: Mapping[str, Any]
) -> Anything:
    """A tensor's method called on a tuple: what a recurrent layer returns is no tensor."""
    operation = ops.find(f"Tensor.{name}") if name not in ("index", "count") else None
    if operation is None:
        return Opaque()
    misfit = Misfit(fault=Fault.TYPE, operand="input", detail="a tuple")
    given = {"input": Given(seen(receiver), places.get("self"))}
    outcome = Outcome(UNKNOWN, (misfit,))
    return operations.conclude(
        run, OPERATED[operation.kind], outcome, given, record, name=operations.short_name(operation)
    )


def _call_string(receiver: str, name: str, arguments: tuple[Anything, ...]) -> Anything:
    if name in ("lower", "upper", "strip", "title", "capitalize") and not arguments:
        return getattr(receiver, name)()
    if name in ("startswith", "endswith") and arguments and isinstance(arguments[0], str):
        return getattr(receiver, name)(arguments[0])
    return Opaque()


def _call_method(
    run: Run,
    receiver: Value,
    name: str,
    arguments: tuple[Anything, ...],
    keywords: dict[str, Anything],
    record: records.Record,
    places: Mapping[str, Any],
    is_partial: bool,
) -> Anything:
    if isinstance(receiver.shape, Packed):
        return _call_packed(run, receiver, name, record, places)
    if name == "size":
        if not arguments and not keywords:
            return ShapeOf(receiver)
        index = arguments[0] if arguments else keywords.get("dim")
        number = index.value if isinstance(index, Dim) else None
        return Opaque("size") if number is None else subscripts.size_at(run, receiver, number)
    if name in ("dim", "ndimension"):
        return operations.rank_of(run, receiver, record)
    if name == "tolist":
        operations.hand_over(run, (receiver,), record, {})
        return listed(receiver)
    if name in ("backward", "register_hook", "retain_grad", "numpy", "copy", "item"):
        return receiver if name in ("numpy", "copy") else Opaque()
    operation = operations.method(run, receiver, name)
    if operation is None or is_partial:
        operations.hand_over(run, (receiver, *arguments, *keywords.values()), record, {})
        return Opaque()
    result = operations.perform(run, operation, (receiver, *arguments), keywords, record, places)
    if receiver.id in run.doubtful and isinstance(result, Value) and name in ("to", "float", "cuda", "contiguous"):
        run.doubtful.add(result.id)
    return result


def listed(value: Value) -> Opaque:
    """The list of a tensor's numbers: none of them is known, but whose they are."""
    numbers = Opaque()
    numbers.parts["listed"] = value
    return numbers


_OF_PACKED: Final = frozenset("index count long int short byte char is_pinned".split())
"""Methods that a PackedSequence has of its own, or as the tuple it is."""


def _call_packed(run: Run, receiver: Value, name: str, record: records.Record, places: Mapping[str, Any]) -> Anything:
    """A method of a packed sequence; a tensor's method is none of its own."""
    if name in _SAME_OBJECT | {"pin_memory"}:
        return receiver
    operation = ops.find(f"Tensor.{name}") if name not in _OF_PACKED else None
    if operation is None:
        return Opaque()
    given = {"input": Given(receiver, places.get("self"))}
    outcome = Outcome(UNKNOWN, (Misfit(fault=Fault.TYPE, operand="input", detail="a PackedSequence"),))
    return operations.conclude(
        run, OPERATED[operation.kind], outcome, given, record, name=operations.short_name(operation)
    )


def _call_list(
    run: Run, receiver: ListValue, name: str, arguments: tuple[Anything, ...], record: records.Record
) -> Anything:
    match name:
        case "append" | "add" if arguments:
            grow(run, receiver, [arguments[0]])
        case "extend" | "update" if arguments:
            extend(run, receiver, arguments[0])
        case "insert" if len(arguments) == 2 and receiver.is_known:
            at = arguments[0].value if isinstance(arguments[0], Dim) else None
            if at is not None:
                items = list(receiver.items)
                items.insert(at, arguments[1])
                run.journal.write(receiver, "items", items)
            else:
                grow(run, receiver, [arguments[1]])
        case "pop":
            return _pop(run, receiver, arguments)
        case "reverse" if receiver.is_known:
            run.journal.write(receiver, "items", receiver.items[::-1])
        case "copy":
            return ListValue(list(receiver.items), receiver.tail, receiver.length)
        case "clear":
            run.journal.write(receiver, "items", [])
            run.journal.write(receiver, "tail", None)
        case "size" | "shape" | "index" | "count":
            return Opaque()
    return None if name in ("append", "extend", "insert", "add", "update", "reverse", "sort", "clear") else Opaque()


def grow(run: Run, receiver: ListValue, items: list[Anything]) -> None:
    """Append items to a list."""
    if receiver.is_known:
        run.journal.write(receiver, "items", [*receiver.items, *items])
    else:
        run.journal.write(receiver, "tail", join_all([receiver.tail, *items]))
        run.journal.write(receiver, "length", None)


def extend(run: Run, receiver: ListValue, more: Anything) -> None:
    """``receiver += more``."""
    if isinstance(more, tuple):
        grow(run, receiver, list(more))
    elif isinstance(more, ListValue):
        grow(run, receiver, more.items)
        if more.tail is not None:
            run.journal.write(
                receiver, "tail", more.tail if receiver.tail is None else join_all([receiver.tail, more.tail])
            )
    else:
        run.journal.write(receiver, "tail", Opaque())
        run.journal.write(receiver, "length", None)


def _pop(run: Run, receiver: ListValue, arguments: tuple[Anything, ...]) -> Anything:
    at = -1 if not arguments else arguments[0].value if isinstance(arguments[0], Dim) else None
    if receiver.is_known and at is not None and -len(receiver.items) <= at < len(receiver.items):
        items = list(receiver.items)
        value = items.pop(at)
        run.journal.write(receiver, "items", items)
        return value
    return receiver.tail if receiver.tail is not None else Opaque()


def _call_dict(
    run: Run, receiver: DictValue, name: str, arguments: tuple[Anything, ...], keywords: dict[str, Anything]
) -> Anything:
    values = list(receiver.items.values())
    tail = Opaque() if receiver.is_open else None
    match name:
        case "get" | "pop" | "setdefault" if arguments:
            plain = expressions.plain_key(arguments[0])
            if plain in receiver.items:
                return receiver.items[plain]
            if receiver.is_open:
                return Opaque()
            return arguments[1] if len(arguments) > 1 else None
        case "keys":
            return ListValue([Dim.of(key) if type(key) is int else key for key in receiver.items], tail)
        case "values":
            return ListValue(values, tail)
        case "items":
            pairs: list[Anything] = [
                (Dim.of(key) if type(key) is int else key, value) for key, value in receiver.items.items()
            ]
            return ListValue(pairs, (Opaque(), Opaque()) if receiver.is_open else None)
        case "update":
            more = dict(keywords)
            if arguments and isinstance(arguments[0], DictValue):
                more = {**arguments[0].items, **more}
            elif arguments:
                run.journal.write(receiver, "is_open", True)
            run.journal.write(receiver, "items", {**receiver.items, **more})
            return None
        case "copy":
            return DictValue(dict(receiver.items), receiver.is_open)
    return Opaque()


def _call_layer_method(
    run: Run,
    receiver: LayerObject,
    name: str,
    arguments: tuple[Anything, ...],
    keywords: dict[str, Anything],
    record: records.Record,
    places: Mapping[str, Any],
    is_partial: bool,
) -> Anything:
    if name in ("forward", "__call__"):
        return layer_calls.call_layer(run, receiver, arguments, keywords, record, places, is_partial=is_partial)
    if name in _SAME_OBJECT:
        return receiver
    if name in ("append", "extend", "insert") and isinstance(receiver.children, ListValue):
        _call_list(run, receiver.children, name, arguments, record)
        return receiver
    if name == "add_module" and len(arguments) == 2 and isinstance(receiver.children, ListValue):
        grow(run, receiver.children, [arguments[1]])
        return None
    if name in ("keys", "values", "items", "get", "update") and isinstance(receiver.children, DictValue):
        return _call_dict(run, receiver.children, name, arguments, keywords)
    if name in ("parameters", "named_parameters", "flatten_parameters", "children", "modules"):
        return ListValue([], Value(Shape.unknown(1))) if name == "parameters" else Opaque()
    return Opaque()


def _call_instance_method(
    run: Run,
    receiver: Instance,
    name: str,
    arguments: tuple[Anything, ...],
    keywords: dict[str, Anything],
    record: records.Record,
    places: Mapping[str, Any],
    is_partial: bool,
) -> Anything:
    if name in ("forward", "__call__"):
        return functions.call_instance(run, receiver, arguments, keywords, record, is_partial=is_partial)
    if name in _SAME_OBJECT:
        return receiver
    if name in ("add_module", "register_buffer", "register_parameter", "register_module") and len(arguments) >= 2:
        if isinstance(arguments[0], str):
            run.journal.put(receiver.attributes, arguments[0], arguments[1])
        return None
    if name == "parameters":
        return ListValue([], Value(Shape.unknown(1)))
    if name in ("children", "modules"):
        kids = [value for value in receiver.attributes.values() if isinstance(value, LayerObject | Instance)]
        return ListValue([], choose(*kids)) if kids else Opaque()
    if receiver.layer is not None:
        return _call_layer_method(run, receiver.layer, name, arguments, keywords, record, places, is_partial)
    operations.hand_over(run, (*arguments, *keywords.values()), record, places)
    return Opaque()


def _call_super(
    run: Run,
    receiver: SuperOf,
    name: str,
    arguments: tuple[Anything, ...],
    keywords: dict[str, Anything],
    record: records.Record,
    places: Mapping[str, Any],
    is_partial: bool,
) -> Anything:
    """``super().__init__(…)`` or ``super().forward(…)`` that reaches a base of torch itself."""
    instance = receiver.receiver
    if not isinstance(instance, Instance):
        return Opaque()
    if name == "__init__":
        functions.build_layer_base(run, instance, arguments, keywords, record, is_partial)
        return None
    if name in ("forward", "__call__") and instance.layer is not None:
        return layer_calls.call_layer(run, instance.layer, arguments, keywords, record, places, is_partial=is_partial)
    if name in functions.MODULE_METHODS:
        return _call_instance_method(run, instance, name, arguments, keywords, record, places, is_partial)
    return Opaque()
