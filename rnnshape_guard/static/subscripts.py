"""Subscripts: what square brackets read from each kind of value, and sizes read from shapes."""

from __future__ import annotations

from typing import Any

from rnnshape_guard.events import Value
from rnnshape_guard.shapes.axes import Axis, Rest, Shape
from rnnshape_guard.shapes.dims import Dim, surely_positive
from rnnshape_guard.shapes.outcomes import Slice
from rnnshape_guard.static import attributes, expressions, functions, operations, records
from rnnshape_guard.static.joins import choose
from rnnshape_guard.static.run import MISSING, Run
from rnnshape_guard.static.values import (
    Anything,
    ArrayType,
    Choice,
    DictValue,
    External,
    Instance,
    LayerObject,
    ListValue,
    Opaque,
    Results,
    ShapeOf,
)


def subscript(
    run: Run, holder: Anything, items: tuple[Anything, ...], is_tuple: bool, record: records.Record
) -> Anything:
    """``holder[items]``."""
    key = items if is_tuple else items[0]
    match holder:
        case Value():
            if isinstance(key, tuple):
                items = key
            return operations.subscript_tensor(run, holder, items, record)
        case ShapeOf():
            return _of_shape(run, holder, key)
        case tuple() if _of_tensors_only(key):
            return operations.refuse_items(run, holder, key, record)
        case tuple() | ListValue() | Results():
            return _of_items(holder, key)
        case DictValue():
            plain = expressions.plain_key(key)
            if plain in holder.items:
                return holder.items[plain]
            if plain is MISSING and not holder.is_open and holder.items:
                return choose(*holder.items.values())
            return Opaque()
        case LayerObject() if holder.children is not None:
            return _of_children(run, holder, key, record)
        case Opaque():
            return _of_opaque(run, holder, key, items, record)
        case Choice():
            options = [one for one in holder.options if not (isinstance(one, tuple) and _of_tensors_only(key))]
            return (
                choose(*(subscript(run, option, items, is_tuple, record) for option in options))
                if options
                else Opaque()
            )
        case External(path=path) if path.startswith("jaxtyping.") and isinstance(record, records.Subscript):
            return ArrayType(path, record)
        case External():
            return holder
        case Instance() if attributes.declares(holder.cls, "__getitem__"):
            method = holder.cls.find("__getitem__")
            return functions.call_function(run, method, (holder, key), {}, record)
    return Opaque()


def _of_tensors_only(key: Anything) -> bool:
    """Whether only a tensor could be asked for such items: several axes, a new axis, an ellipsis."""
    return isinstance(key, tuple) or key is None or key is ...


def _of_opaque(
    run: Run, holder: Opaque, key: Anything, items: tuple[Anything, ...], record: records.Record
) -> Anything:
    if holder.tensor is not None:
        return operations.subscript_tensor(run, holder.tensor, items, record)
    if len(items) > 1 or isinstance(key, Slice | type(None)) or key is ...:
        if len(items) > 1 and any(isinstance(item, Slice) or item is ... or item is None for item in items):
            return operations.subscript_tensor(run, attributes.supposed(run, holder), items, record)
        return Opaque()
    if isinstance(key, Value) and isinstance(key.shape, Shape) and key.shape.least_rank and key.shape.dtype == "int":
        return operations.subscript_tensor(run, attributes.supposed(run, holder), items, record)
    plain = expressions.plain_key(key)
    if plain is MISSING:
        return Opaque()
    return holder.part(("item", plain), f"{holder.spelling}[{plain!r}]")


def _of_children(run: Run, holder: LayerObject, key: Anything, record: records.Record) -> Anything:
    children = holder.children
    if isinstance(key, Slice) and isinstance(children, ListValue):
        part = _of_items(children, key)
        return LayerObject(holder.layer, part) if isinstance(part, ListValue) else Opaque()
    return subscript(run, children, (key,), False, record)


def _of_items(holder: Anything, key: Anything) -> Anything:
    is_list = isinstance(holder, ListValue)
    items = holder.items if is_list else holder.values if isinstance(holder, Results) else holder
    tail = holder.tail if is_list else None
    if isinstance(key, Slice):
        if tail is not None:
            return ListValue([], expressions.any_of(holder))
        ends = [_plain_end(end) for end in (key.start, key.stop, key.step)]
        if MISSING in ends:
            return ListValue([], expressions.any_of(holder)) if is_list and items else Opaque()
        part = list(items)[slice(*ends)]
        return ListValue(part) if is_list else tuple(part)
    number = key.value if isinstance(key, Dim) else int(key) if isinstance(key, bool) else None
    if number is None:
        if not items and tail is None:
            return Opaque()
        if is_list and len(items) + (tail is not None) > 1 and isinstance(key, Dim) and surely_positive(key):
            holder = ListValue(list(items)[1:], tail)
        return expressions.any_of(holder) if is_list else choose(*items) if items else Opaque()
    if tail is None:
        return items[number] if -len(items) <= number < len(items) else Opaque()
    if 0 <= number < len(items):
        return items[number]
    return tail if number < 0 or number >= len(items) else Opaque()


def _plain_end(end: Anything) -> Any:
    if end is None:
        return None
    number = end.value if isinstance(end, Dim) else None
    return MISSING if number is None else number


def size_at(run: Run, value: Value, index: int) -> Anything:
    """The size of an axis, as a symbol of that axis; unknown where it is not known which axis that is."""
    if index == 0 and isinstance(value.shape, Shape):
        _begin(value.shape)
    result = operations.operate_quietly(run, "size", value, Dim.of(index))
    return result if isinstance(result, Dim) else Opaque("size")


def _begin(shape: Shape) -> None:
    """Let a tensor have a first axis. That it has one stays true where a branch in which somebody asked for it is left."""
    match shape.parts:
        case (Rest() as rest, *_):
            rest.solve((Axis.new("axis0"), Rest(max(rest.least - 1, 0))))


def _of_shape(run: Run, holder: ShapeOf, key: Anything) -> Anything:
    if isinstance(key, Dim) and key.value is not None:
        return size_at(run, holder.value, key.value)
    if not isinstance(key, Slice):
        return Opaque("size")
    axes = holder.value.axes
    ends = [_plain_end(end) for end in (key.start, key.stop, key.step)]
    if MISSING in ends:
        return Opaque()
    if axes is not None:
        return tuple(axis.size for axis in axes[slice(*ends)])
    start, stop, step = ends
    if step is None and start in (None, 0) and stop is not None and stop > 0:
        return tuple(size_at(run, holder.value, index) for index in range(stop))
    if step is None and start is not None and start < 0 and stop is None:
        return tuple(size_at(run, holder.value, index) for index in range(start, 0))
    return Opaque()


def unpack_shape(run: Run, holder: ShapeOf, count: int, starred: int | None) -> list[Anything]:
    """``a, b, c = x.shape``: fixes the rank of x, unless a star takes the rest."""
    value = holder.value
    if starred is None and isinstance(value.shape, Shape):
        rest = value.shape.rest
        known = sum(isinstance(part, Axis) for part in value.shape.parts)
        if rest is not None and known <= count:
            run.close(rest, tuple(Axis.new("?") for _ in range(count - known)))
        axes = value.axes
        if axes is not None and len(axes) == count:
            return [axis.size for axis in axes]
        return [Opaque() for _ in range(count)]
    starred = count if starred is None else starred
    front = [size_at(run, value, index) for index in range(starred)]
    back = [size_at(run, value, index) for index in range(starred + 1 - count, 0)]
    return [*front, Opaque(), *back] if starred < count else [Opaque() for _ in range(count)]
