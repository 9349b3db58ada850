"""Interpreted values as operands of layers and operations, and results as values again."""

from __future__ import annotations

from types import EllipsisType
from typing import Any, Final

from rnnshape_guard.events import Seen, Value
from rnnshape_guard.shapes.axes import Shape
from rnnshape_guard.shapes.dims import Dim
from rnnshape_guard.shapes.outcomes import UNKNOWN, Many, Named, Operand, Packed, Result, Slice, Unknown
from rnnshape_guard.static.joins import join_all
from rnnshape_guard.static.values import Anything, Choice, DictValue, ListValue, Opaque, RangeOf, Results, ShapeOf

_PLAIN: Final = frozenset({Dim, bool, float, str, type(None), EllipsisType, Slice, Unknown})
"""What is an operand as it stands."""


def operand(value: Anything, *, number: bool = False, tensor: bool = False) -> Operand:
    """A value as layers and operations read it. With `number` or `tensor`, an unknown value is taken to be one."""
    kind = type(value)
    if kind in _PLAIN:
        return value  # type: ignore[no-any-return]
    match value:
        case Value():
            return value.shape
        case tuple():
            return tuple(operand(part, number=number, tensor=tensor) for part in value)
        case ListValue():
            return _of_list(value, number=number, tensor=tensor)
        case Results():
            return tuple(operand(part) for part in value.values)
        case ShapeOf():
            axes = value.value.axes
            return tuple(axis.size for axis in axes) if axes is not None else UNKNOWN
        case RangeOf():
            start, stop, step = value.start.value, value.stop.value, value.step.value
            if start is None or stop is None or not step or len(range(start, stop, step)) > 64:
                return UNKNOWN
            return tuple(Dim.of(at) for at in range(start, stop, step))
        case Opaque():
            return _of_opaque(value, number=number, tensor=tensor)
        case Choice():
            options = [option for option in value.options if isinstance(option, Value)]
            if tensor and len(options) == 1 and all(isinstance(one, Value | Opaque | None) for one in value.options):
                return Shape.unknown()
    return UNKNOWN


def _of_opaque(value: Opaque, *, number: bool, tensor: bool) -> Operand:
    if value.tensor is not None:
        return value.tensor.shape
    if value.number is not None:
        return value.number
    if tensor:
        return value.as_tensor().shape
    if number and value.spelling:
        return value.as_number()
    return UNKNOWN


def _of_list(value: ListValue, *, number: bool, tensor: bool) -> Operand:
    items = tuple(operand(item, number=number, tensor=tensor) for item in value.items)
    if value.is_known:
        return items
    item = operand(value.tail, tensor=tensor)  # of a list of any length, nothing says that it is one of sizes
    if all(isinstance(one, Shape) and isinstance(item, Shape) and one.stored == item.stored for one in items):
        return Many(item, value.length)
    return Many(item if not items else _alike([*items, item]), value.length)


def _alike(items: list[Operand]) -> Operand:
    """One item that stands for several tensors that may differ."""
    if not all(isinstance(item, Shape) for item in items):
        return UNKNOWN
    joined = join_all([Value(item) for item in items if isinstance(item, Shape)])
    return joined.shape if isinstance(joined, Value) else UNKNOWN


def seen(value: Anything) -> Seen:
    """A value as events record it: tensors by id, the rest as operands."""
    kind = type(value)
    if kind is Value or kind in _PLAIN:
        return value  # type: ignore[no-any-return]
    match value:
        case tuple():
            return tuple([seen(part) for part in value])
        case Results():
            return tuple(seen(part) for part in value.values)
        case ListValue():
            return tuple(seen(part) for part in (*value.items, *((value.tail,) if value.tail is not None else ())))
        case DictValue():
            return tuple(seen(part) for part in value.items.values())
        case Opaque() if value.tensor is not None:
            return value.tensor
        case Choice():
            return tuple(seen(option) for option in value.options)
    return operand(value)


def value_of(result: Result | Operand, made_by: int, part: str = "") -> Any:
    """A result as a value; `made_by` is the event that made it."""
    match result:
        case Shape() | Packed():
            return Value(result, made_by, part)
        case Named():
            return Results(result.names, tuple(value_of(one, made_by) for one in result.results))
        case Many():
            return ListValue([], value_of(result.item, made_by), result.length)
        case tuple():
            return tuple(value_of(one, made_by, part) for one in result)
        case Unknown():
            return Opaque()
    return result


def state_value(result: Result, made_by: int) -> Any:
    """The (output, state) of a recurrent layer, each part named."""
    match result:
        case (output, (h_n, c_n)):
            return (
                value_of(output, made_by, "output"),
                (value_of(h_n, made_by, "h_n"), value_of(c_n, made_by, "c_n")),
            )
        case (output, h_n):
            return value_of(output, made_by, "output"), value_of(h_n, made_by, "h_n")
    return value_of(result, made_by)
