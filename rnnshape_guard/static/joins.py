"""What is known of a value that may be either of two."""

from __future__ import annotations

from rnnshape_guard.events import Value
from rnnshape_guard.shapes.axes import Atom, Axis, Shape
from rnnshape_guard.shapes.dims import Dim, Symbol, compare, same_size
from rnnshape_guard.static.run import MISSING
from rnnshape_guard.static.values import (
    Anything,
    Choice,
    DictValue,
    External,
    Imported,
    ListValue,
    Opaque,
    Results,
)

_OPTIONS = 4


def join(left: Anything, right: Anything, flag: Dim | None = None, key: str = "") -> Anything:
    """The value that is `left` or `right`. With a `flag`, it is left where the flag is 1: sizes stay exact then. With
    a `key`, it is left where the condition of that key holds: asked again, the condition decides."""
    if key:
        left = left.options[0] if isinstance(left, Choice) and left.key == key else left
        right = right.options[1] if isinstance(right, Choice) and right.key == key else right
    if type(left) is Imported and right is not MISSING:
        left = left.value()
    if type(right) is Imported and left is not MISSING:
        right = right.value()
    if left is right or right is MISSING:
        return left
    if left is MISSING:
        return right
    if type(left) is not type(right):
        return Choice((left, right), key) if key and not _is_choice(left, right) else choose(left, right)
    match left, right:
        case (Opaque(), Opaque()) if left.origin and left.origin == right.origin:
            return left
        case (bool(), bool()):
            return left if left == right else _flagged(left, flag)
        case (Dim(), Dim()):
            return join_sizes(left, right, flag)
        case (Value(), Value()):
            return join_tensors(left, right)
        case (tuple(), tuple()) if len(left) == len(right):
            return tuple(join(one, two, flag, key) for one, two in zip(left, right, strict=True))
        case (Results(), Results()) if left.names == right.names:
            return Results(left.names, join(left.values, right.values, flag, key))
        case (ListValue(), ListValue()):
            return join_lists(left, right)
        case (DictValue(), DictValue()):
            keys = left.items.keys() & right.items.keys()
            merged = {key: join(left.items[key], right.items[key], flag) for key in left.items if key in keys}
            return DictValue(
                merged, left.is_open or right.is_open or len(keys) < max(len(left.items), len(right.items))
            )
        case (External(), External()) if left.path == right.path:
            return left
        case (str() | float(), str() | float()) if left == right:
            return left
    return Choice((left, right), key) if key and not _is_choice(left, right) else choose(left, right)


def _is_choice(left: Anything, right: Anything) -> bool:
    return type(left) is Choice or type(right) is Choice


def choose(*values: Anything) -> Anything:
    """One of several values; beyond a few, nothing is known."""
    options: dict[int, Anything] = {}
    for value in values:
        for option in value.options if type(value) is Choice else (value,):
            options.setdefault(id(option), option)
    if len(options) == 1:
        return next(iter(options.values()))
    return Choice(tuple(options.values())) if len(options) <= _OPTIONS else Opaque()


def _flagged(when_true: bool, flag: Dim | None) -> Anything:
    if flag is None:
        return Opaque(hint=False)
    return flag if when_true else 1 - flag


def join_sizes(left: Dim, right: Dim, flag: Dim | None = None) -> Dim:
    """One size, or a new unknown one; under a flag, exactly the one that holds."""
    if left == right or same_size(left, right):
        return left
    if compare(left, right).equal:
        return Dim.of(left.value) if left.value is not None else left
    if flag is not None:
        return right + flag * (left - right)
    return Dim.of(Symbol("?"))


def join_tensors(left: Value, right: Value) -> Value:
    """A tensor of the axes that both agree on; a size that differs is unknown, a rank that differs makes all unknown."""
    if not isinstance(left.shape, Shape) or not isinstance(right.shape, Shape):
        return left if type(left.shape) is type(right.shape) else Value(Shape.unknown())
    if left.shape.stored == right.shape.stored:
        return left
    ours, theirs = left.shape.axes, right.shape.axes
    if ours is None or theirs is None or len(ours) != len(theirs):
        return Value(Shape.unknown())
    axes = tuple(join_axes(one, two) for one, two in zip(ours, theirs, strict=True))
    if all(axis is one for axis, one in zip(axes, ours, strict=True)):
        return left
    contiguous = left.shape.contiguous if left.shape.contiguous == right.shape.contiguous else None
    dtype = left.shape.dtype if left.shape.dtype == right.shape.dtype else None
    return Value(Shape(axes, contiguous, dtype))


def join_axes(left: Axis, right: Axis) -> Axis:
    """One axis, or a new one: sized if both have one size, still a part of what both are parts of."""
    if left.atoms == right.atoms:
        return left
    one, two = left.atom, right.atom
    if compare(left.size, right.size).equal:
        size: Dim | None = Dim.of(left.size.value) if left.size.value is not None else left.size
    else:
        size = None
    if one is None or two is None:
        return Axis((Atom("?", size),))
    source = one.root if one.root is two.root else None
    name = one.name if one.name == two.name else "?"
    kind = one.kind if one.kind is two.kind else None
    return Axis((Atom(name, size, source=source, kind=kind),))


def join_lists(left: ListValue, right: ListValue) -> ListValue:
    """Item by item where the lists are of one length; else a list of like items."""
    if left.is_known and right.is_known and len(left.items) == len(right.items):
        return ListValue([join(one, two) for one, two in zip(left.items, right.items, strict=True)])
    items = [*left.items, *right.items]
    items += [one.tail for one in (left, right) if one.tail is not None]
    if not items:
        return ListValue([])
    return ListValue([], tail=join_all(items))


def join_all(values: list[Anything]) -> Anything:
    """The join of several values, at least one."""
    result = values[0]
    for value in values[1:]:
        result = join(result, value)
    return result
