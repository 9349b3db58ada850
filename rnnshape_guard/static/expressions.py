"""Expressions: what each evaluates to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rnnshape_guard import ops
from rnnshape_guard.events import Computed, Contracted, Given, Value
from rnnshape_guard.shapes.axes import Axis, Shape
from rnnshape_guard.shapes.dims import Dim
from rnnshape_guard.shapes.outcomes import Packed, Slice
from rnnshape_guard.static import calls, conditions, functions, iteration, records, statements
from rnnshape_guard.static.builtins import BUILTINS
from rnnshape_guard.static.joins import choose, join
from rnnshape_guard.static.operands import operand, seen
from rnnshape_guard.static.run import MISSING, Frame, OutOfSteps, Run
from rnnshape_guard.static.values import (
    Anything,
    BoundName,
    Choice,
    ClassObject,
    DictValue,
    DynamicLayer,
    External,
    FunctionObject,
    Instance,
    LayerObject,
    ListValue,
    Method,
    Opaque,
    Results,
    ShapeOf,
    SuperOf,
)

_DEEPEST = 150


def evaluate(run: Run, frame: Frame, expression: records.Expression) -> Anything:
    """The value of an expression; Opaque where it is not known."""
    run.step()
    run.depth += 1
    if run.depth > _DEEPEST:
        run.depth -= 1
        raise OutOfSteps
    try:
        return _EVALUATE[type(expression)](run, frame, expression)
    finally:
        run.depth -= 1


# -- names, attributes ----------------------------------------------------------------------------------------------


def _name(run: Run, frame: Frame, expression: records.Name) -> Anything:
    value = frame.find(expression.id)
    if value is not MISSING:
        return value
    if expression.id in BUILTINS:
        return External(f"builtins.{expression.id}")
    module = frame.module
    value = Opaque(expression.id, f"global {expression.id}")
    module.names[expression.id] = value
    return value


def _attribute(run: Run, frame: Frame, expression: records.Attribute) -> Anything:
    return attribute(run, evaluate(run, frame, expression.value), expression.name, expression)


def attribute(run: Run, holder: Anything, name: str, record: records.Record) -> Anything:
    """``holder.name``."""
    match holder:
        case External():
            return calls.external(f"{holder.path}.{name}")
        case Instance():
            return _of_instance(run, holder, name, record)
        case Value():
            return _of_tensor(run, holder, name, record)
        case ClassObject():
            found = holder.find(name)
            return holder_missing(holder, name) if found is None and not _declares(holder, name) else found
        case LayerObject():
            return _of_layer(holder, name)
        case DynamicLayer():
            return choose(*(_of_layer(option, name) for option in holder.options))
        case SuperOf():
            return functions.super_method(holder, name)
        case Results():
            return holder.values[holder.names.index(name)] if name in holder.names else BoundName(holder, name)
        case Opaque():
            if holder.tensor is not None and (name in ("shape", "T", "mT") or ops.find(f"Tensor.{name}") is not None):
                return _of_tensor(run, holder.tensor, name, record)
            if name in ("shape", "ndim") and name not in holder.parts:
                return _of_tensor(run, _supposed(run, holder), name, record)
            return holder.part(name, f"{holder.spelling}.{name}" if holder.spelling else name)
        case Choice():
            options = [attribute(run, option, name, record) for option in holder.options if option is not None]
            return choose(*options) if options else Opaque(name)
        case Dim() | bool() | float() | None:
            return Opaque(name)
    return BoundName(holder, name)


def _supposed(run: Run, value: Opaque) -> Value:
    """An unknown value used as a tensor, which it may turn out not to be."""
    tensor = value.as_tensor()
    run.doubtful.add(tensor.id)
    return tensor


def _declares(holder: ClassObject, name: str) -> bool:
    return any(name in one.names for one in holder.line())


def holder_missing(holder: ClassObject, name: str) -> Anything:
    """A class attribute that is not written in the class: from a base elsewhere."""
    if name == "__name__":
        return holder.name
    return Opaque(f"{holder.name}.{name}", f"{holder.name}.{name}")


def _of_instance(run: Run, holder: Instance, name: str, record: records.Record) -> Anything:
    if name in holder.attributes:
        return holder.attributes[name]
    if _declares(holder.cls, name):
        found = holder.cls.find(name)
        if not isinstance(found, FunctionObject):
            return found
        if "property" in found.decorators or "cached_property" in found.decorators:
            return functions.call_function(run, found, (holder,), {}, record)
        if "staticmethod" in found.decorators:
            return found
        return Method(found, holder.cls if "classmethod" in found.decorators else holder)
    if holder.layer is not None:
        known = _of_layer(holder.layer, name)
        if not isinstance(known, BoundName):
            return known
    if name in ("__class__",):
        return holder.cls
    if name in functions.MODULE_METHODS:
        return BoundName(holder, name)
    return holder.opaque.part(name, f"{holder.opaque.spelling}.{name}")


def _of_layer(holder: LayerObject, name: str) -> Anything:
    spec = holder.layer.spec
    if name in ("weight", "bias") or name.startswith(("weight_", "bias_")):
        return calls.parameter_of(holder, name)
    value = getattr(spec, name, MISSING)
    if isinstance(value, Dim | bool | int | tuple | str | float):
        return Dim.of(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return BoundName(holder, name)


def _of_tensor(run: Run, holder: Value, name: str, record: records.Record) -> Anything:
    shape = holder.shape
    if name == "shape":
        return ShapeOf(holder)
    if isinstance(shape, Packed):
        return _of_packed(holder, shape, name)
    match name:
        case "ndim":
            return Dim.of(shape.rank) if shape.rank is not None else Opaque("ndim")
        case "T" | "mT" | "H" | "mH":
            return calls.operate_tensor(run, "T" if name in "TH" else "mT", holder, record)
        case "data" | "real" | "grad":
            return holder
        case "device" | "dtype" | "is_cuda" | "requires_grad" | "layout":
            return Opaque(name)
        case "batch_sizes" | "sorted_indices" | "unsorted_indices" if holder.id in run.doubtful:
            return Opaque(name)
    return BoundName(holder, name)


def _of_packed(holder: Value, packed: Packed, name: str) -> Anything:
    if name == "data":
        return Value(Shape((Axis.new("steps"), *packed.features), True, packed.dtype))
    if name in ("batch_sizes", "sorted_indices", "unsorted_indices"):
        return Opaque(name)
    return BoundName(holder, name)


# -- constants and displays -----------------------------------------------------------------------------------------


def _constant(run: Run, frame: Frame, expression: records.Constant) -> Anything:
    value = expression.value
    return Dim.of(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _sequence(run: Run, frame: Frame, expression: records.Sequence) -> Anything:
    items: list[Anything] = []
    tail: Anything = None
    for one in expression.items:
        if not isinstance(one, records.Starred):
            items.append(evaluate(run, frame, one))
            continue
        inner = evaluate(run, frame, one.value)
        known = spread(run, inner, one)
        if known is None:
            return Opaque()
        items += known
    if expression.kind == "tuple":
        return tuple(items)
    return ListValue(items, tail)


def spread(run: Run, value: Anything, record: records.Record) -> list[Anything] | None:
    """The items of ``*value``, or None where they are not all known."""
    steps = iteration.steps_of(run, value, record, 64)
    return steps.known if steps.repeated is None else None


def _mapping(run: Run, frame: Frame, expression: records.Mapping) -> Anything:
    result = DictValue({})
    for key, value in expression.items:
        inner = evaluate(run, frame, value)
        if key is None:
            if isinstance(inner, DictValue):
                result.items.update(inner.items)
                result.is_open |= inner.is_open
            else:
                result.is_open = True
            continue
        plain = plain_key(evaluate(run, frame, key))
        if plain is MISSING:
            result.is_open = True
        else:
            result.items[plain] = inner
    return result


def plain_key(value: Anything) -> Any:
    """A value as a dict key; MISSING where it is not known."""
    match value:
        case Dim():
            number = value.value
            return MISSING if number is None else number
        case str() | bool() | None | float() | bytes():
            return value
        case tuple():
            parts = tuple(plain_key(part) for part in value)
            return MISSING if MISSING in parts else parts
        case External():
            return value.path
        case ClassObject():
            return value
    return MISSING


def _comprehension(run: Run, frame: Frame, expression: records.Comprehension) -> Anything:
    inner = Frame(frame.scope, frame, frame.function)
    inner.receiver = frame.receiver
    inner.outer = frame.outer
    result = _generate(run, inner, expression, expression.generators)
    if expression.kind != "dict":
        return result
    pairs = [*result.items, *([result.tail] if result.tail is not None else [])]
    known = {plain_key(pair[0]): pair[1] for pair in pairs}
    is_open = known.pop(MISSING, MISSING) is not MISSING or result.tail is not None
    return DictValue(known, is_open)


def _generate(
    run: Run, frame: Frame, expression: records.Comprehension, generators: tuple[records.Generator, ...]
) -> ListValue:
    first, further = generators[0], generators[1:]
    steps = iteration.steps_of(run, evaluate(run, frame, first.iterable), first.iterable, 16)
    result = ListValue([])

    def one(item: Anything) -> ListValue | None:
        statements.bind(run, frame, first.target, item, first.iterable)
        certain = True
        for condition in first.conditions:
            truth = conditions.decide(run, frame, condition).truth
            if truth is False:
                return ListValue([])
            certain = certain and truth is True
        if further:
            inner = _generate(run, frame, expression, further)
        else:
            element = evaluate(run, frame, expression.element)
            if expression.key is not None:
                element = (evaluate(run, frame, expression.key), element)
            inner = ListValue([element])
        return inner if certain else _perhaps(inner)

    for item in steps.known:
        part = one(item)
        if part is not None:
            result = _joined(result, part)
    if steps.repeated is not None:
        if steps.first is not None:
            part = one(steps.first)
            if part is not None and part.is_known:
                result.items += part.items
        part = one(steps.repeated)
        if part is not None and (part.items or part.tail is not None):
            result.tail = _any_of(part)
            plain = part.is_known and len(part.items) == 1 and not steps.known
            result.length = steps.length if plain else None
    return result


def _perhaps(part: ListValue) -> ListValue:
    return ListValue([], _any_of(part)) if part.items or part.tail is not None else part


def _any_of(part: ListValue) -> Anything:
    items = [*part.items, *([part.tail] if part.tail is not None else [])]
    result = items[0]
    for item in items[1:]:
        result = join(result, item)
    return result


def _joined(left: ListValue, right: ListValue) -> ListValue:
    if left.is_known:
        return ListValue([*left.items, *right.items], right.tail)
    return ListValue(left.items, join(left.tail, _any_of(right)) if right.items or right.tail is not None else left.tail)


def _lambda(run: Run, frame: Frame, expression: records.Lambda) -> Anything:
    return functions.define_lambda(run, frame, expression)


# -- operators ------------------------------------------------------------------------------------------------------


def _binary(run: Run, frame: Frame, expression: records.BinaryOperation) -> Anything:
    left = evaluate(run, frame, expression.left)
    right = evaluate(run, frame, expression.right)
    return operate(run, frame, expression.operator, left, right, expression, expression.left, expression.right)


_NUMBERS: dict[str, Callable[[Dim, Dim], Dim]] = {
    "+": lambda one, two: one + two,
    "-": lambda one, two: one - two,
    "*": lambda one, two: one * two,
    "//": lambda one, two: one // two,
}


def operate(
    run: Run,
    frame: Frame,
    operator: str,
    left: Anything,
    right: Anything,
    record: records.Record,
    left_record: records.Record,
    right_record: records.Record,
) -> Anything:
    """A binary operator on two values."""
    left, right = _settled(left, right), _settled(right, left)
    match left, right:
        case (Value(), _) | (_, Value()):
            return _tensor_operation(run, operator, left, right, record, left_record, right_record)
        case (tuple(), tuple()) if operator == "+":
            return left + right
        case (ListValue(), ListValue()) if operator == "+":
            return _joined(left, right)
        case (ListValue(), Dim()) if operator == "*":
            return _repeated(left, right)
        case (Dim(), ListValue()) if operator == "*":
            return _repeated(right, left)
        case (tuple(), Dim()) if operator == "*" and right.value is not None and 0 <= right.value <= 16:
            return left * right.value
        case (str(), str()) if operator == "+":
            return left + right
        case (ShapeOf(), tuple()) | (tuple(), ShapeOf()) if operator == "+":
            return _joined_sizes(left, right)
        case (float(), float()) if operator in "+-*":
            return Opaque()
    one, two = as_number(left), as_number(right)
    if one is None or two is None:
        return Opaque()
    return _number(operator, one, two)


def _settled(value: Anything, other: Anything) -> Anything:
    """An unknown value beside a number is taken for a number, unless it is known to be a tensor."""
    if isinstance(value, Opaque):
        if value.tensor is not None:
            return value.tensor
        if value.number is not None or (isinstance(other, Dim | Opaque) and value.spelling):
            return value.number if value.number is not None else value
    if isinstance(value, BoundName | Results):
        return Opaque()
    return value


def as_number(value: Anything) -> Dim | None:
    """A value as an integer; None where it cannot be one."""
    match value:
        case bool():
            return Dim.of(int(value))
        case Dim():
            return value
        case Opaque() if value.tensor is None and value.spelling:
            return value.as_number()
    return None


def _number(operator: str, left: Dim, right: Dim) -> Anything:
    if operator in _NUMBERS:
        if operator == "//" and right.value == 0:
            return Opaque()
        return _NUMBERS[operator](left, right)
    one, two = left.value, right.value
    if operator == "**" and two is not None and 0 <= two <= 4:
        return Dim.product([left] * two)
    if operator == "%" and one is not None and two:
        return Dim.of(one % two)
    if operator == "/" and one is not None and two and one % two == 0:
        return Opaque()
    return Opaque()


def _repeated(items: ListValue, count: Dim) -> ListValue:
    number = count.value
    if items.is_known and number is not None and 0 <= number <= 64:
        return ListValue(items.items * number)
    if items.is_known and len(items.items) == 1:
        return ListValue([], items.items[0], count)
    return ListValue([], _any_of(items)) if items.items else items


def _joined_sizes(left: Anything, right: Anything) -> Anything:
    parts: list[Anything] = []
    for one in (left, right):
        if isinstance(one, tuple):
            parts += one
        elif one.value.axes is not None:
            parts += [axis.size for axis in one.value.axes]
        else:
            return Opaque()
    return tuple(parts)


def _tensor_operation(
    run: Run,
    operator: str,
    left: Anything,
    right: Anything,
    record: records.Record,
    left_record: records.Record,
    right_record: records.Record,
) -> Anything:
    outcome = ops.binary(operator, operand(left), operand(right))
    given = {
        "input": Given(seen(left), run.place(left_record)),
        "other": Given(seen(right), run.place(right_record)),
    }
    kind = Contracted if operator == "@" else Computed
    name = "matmul" if operator == "@" else operator
    return calls.conclude(run, kind, outcome, given, record, name=name)


def _unary(run: Run, frame: Frame, expression: records.UnaryOperation) -> Anything:
    if expression.operator == "not":
        decision = conditions.decide(run, frame, expression)
        if decision.flag is not None and decision.truth is None:
            return decision.flag
        return Opaque(hint=False) if decision.truth is None else decision.truth
    value = evaluate(run, frame, expression.operand)
    match value:
        case Value():
            return value
        case Dim() if expression.operator == "-":
            return -value
        case Dim() if expression.operator == "+":
            return value
    if expression.operator == "-" and isinstance(value, Opaque) and value.number is not None:
        return -value.number
    return Opaque()


def _comparison(run: Run, frame: Frame, expression: records.Comparison) -> Anything:
    left = evaluate(run, frame, expression.left)
    if len(expression.rights) > 1:
        for _, right in expression.rights:
            evaluate(run, frame, right)
        return Opaque(hint=False)
    ((operator, right_record),) = expression.rights
    right = evaluate(run, frame, right_record)
    if (isinstance(left, Value) or isinstance(right, Value)) and operator in ("==", "!=", "<", ">", "<=", ">="):
        if left is not None and right is not None:
            return _tensor_operation(run, operator, left, right, expression, expression.left, right_record)
    decision = conditions.compare_values(run, operator, left, right)
    if decision.truth is None and decision.flag is not None:
        return decision.flag
    return Opaque(hint=False) if decision.truth is None else decision.truth


def _boolean(run: Run, frame: Frame, expression: records.BooleanOperation) -> Anything:
    left = evaluate(run, frame, expression.left)
    truth = conditions.truth_of(run, left).truth
    if truth is not None:
        return left if truth is (expression.operator == "or") else evaluate(run, frame, expression.right)
    right = evaluate(run, frame, expression.right)
    if isinstance(left, Value | Instance):
        return left if expression.operator == "or" else right
    one, two = as_number(left), as_number(right)
    if one is not None and two is not None and _is_flag(one) and _is_flag(two):
        return one + two - one * two if expression.operator == "or" else one * two
    return choose(left, right)


def _is_flag(size: Dim) -> bool:
    return size.literal in (0, 1) or (size.symbol is not None and size.symbol.flag)


def _conditional(run: Run, frame: Frame, expression: records.Conditional) -> Anything:
    decision = conditions.decide(run, frame, expression.test)
    if decision.truth is not None:
        return evaluate(run, frame, expression.body if decision.truth else expression.orelse)
    run.branches += 1
    number = run.branches
    mark = run.journal.mark()
    with run.branch(number, 1):
        conditions.narrow(run, frame, expression.test, True)
        left = evaluate(run, frame, expression.body)
    run.journal.undo(mark)
    with run.branch(number, 0):
        conditions.narrow(run, frame, expression.test, False)
        right = evaluate(run, frame, expression.orelse)
    run.journal.undo(mark)
    return join(left, right, decision.flag)


# -- subscripts -----------------------------------------------------------------------------------------------------


def _slice(run: Run, frame: Frame, expression: records.SliceRange) -> Anything:
    ends = (expression.start, expression.stop, expression.step)
    values = [None if end is None else operand(evaluate(run, frame, end), number=True) for end in ends]
    return Slice(*values)


def _subscript(run: Run, frame: Frame, expression: records.Subscript) -> Anything:
    holder = evaluate(run, frame, expression.value)
    items: list[Anything] = []
    for item in expression.items:
        if isinstance(item, records.Starred):
            known = spread(run, evaluate(run, frame, item.value), item)
            if known is None:
                return Opaque()
            items += known
        else:
            items.append(evaluate(run, frame, item))
    return subscript(run, holder, tuple(items), expression.is_tuple, expression)


def subscript(run: Run, holder: Anything, items: tuple[Anything, ...], is_tuple: bool, record: records.Record) -> Anything:
    """``holder[items]``."""
    key = items if is_tuple else items[0]
    match holder:
        case Value():
            if isinstance(key, tuple):
                items = key
            return calls.subscript_tensor(run, holder, items, record)
        case ShapeOf():
            return _of_shape(run, holder, key)
        case tuple() | ListValue() | Results():
            return _of_items(holder, key)
        case DictValue():
            plain = plain_key(key)
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
            return choose(*(subscript(run, option, items, is_tuple, record) for option in holder.options))
        case External():
            return holder
        case Instance() if _declares(holder.cls, "__getitem__"):
            method = holder.cls.find("__getitem__")
            return functions.call_function(run, method, (holder, key), {}, record)
    return Opaque()


def _of_opaque(run: Run, holder: Opaque, key: Anything, items: tuple[Anything, ...], record: records.Record) -> Anything:
    if holder.tensor is not None:
        return calls.subscript_tensor(run, holder.tensor, items, record)
    if len(items) > 1 or isinstance(key, Slice | type(None)) or key is ...:
        if len(items) > 1 and any(isinstance(item, Slice) or item is ... or item is None for item in items):
            return calls.subscript_tensor(run, _supposed(run, holder), items, record)
        return Opaque()
    plain = plain_key(key)
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
            return ListValue([], _any_of(holder))
        ends = [_plain_end(end) for end in (key.start, key.stop, key.step)]
        if MISSING in ends:
            return ListValue([], _any_of(holder)) if is_list and items else Opaque()
        part = list(items)[slice(*ends)]
        return ListValue(part) if is_list else tuple(part)
    number = key.value if isinstance(key, Dim) else int(key) if isinstance(key, bool) else None
    if number is None:
        if not items and tail is None:
            return Opaque()
        return _any_of(holder) if is_list else choose(*items) if items else Opaque()
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
    result = calls.operate_quietly(run, "size", value, Dim.of(index))
    return result if isinstance(result, Dim) else Opaque("size")


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


# -- the rest -------------------------------------------------------------------------------------------------------


def _named(run: Run, frame: Frame, expression: records.NamedExpression) -> Anything:
    value = evaluate(run, frame, expression.value)
    target = frame
    statements.bind(run, target, expression.target, value, expression.value)
    return value


def _formatted(run: Run, frame: Frame, expression: records.Formatted) -> Anything:
    for value in expression.values:
        evaluate(run, frame, value)
    return Opaque()


def _await(run: Run, frame: Frame, expression: records.Await) -> Anything:
    return evaluate(run, frame, expression.value)


def _yield(run: Run, frame: Frame, expression: records.Yield) -> Anything:
    value = None if expression.value is None else evaluate(run, frame, expression.value)
    if not expression.delegates:
        frame.yields.append(value)
    return Opaque()


def _call(run: Run, frame: Frame, expression: records.Call) -> Anything:
    return calls.call_expression(run, frame, expression)


def _starred(run: Run, frame: Frame, expression: records.Starred) -> Anything:
    evaluate(run, frame, expression.value)
    return Opaque()


_ENDS = {"exit", "quit", "_exit", "abort"}


def never_returns(expression: records.Expression) -> bool:
    """Whether a statement such as `sys.exit()` ends the program."""
    match expression:
        case records.Call(function=records.Attribute(value=records.Name(id="sys" | "os"), name=name)):
            return name in _ENDS
        case records.Call(function=records.Name(id="exit" | "quit")):
            return True
    return False


_EVALUATE: dict[type, Callable[[Run, Frame, Any], Anything]] = {
    records.Name: _name,
    records.Attribute: _attribute,
    records.Constant: _constant,
    records.Call: _call,
    records.SliceRange: _slice,
    records.Subscript: _subscript,
    records.BinaryOperation: _binary,
    records.UnaryOperation: _unary,
    records.BooleanOperation: _boolean,
    records.Comparison: _comparison,
    records.Conditional: _conditional,
    records.Lambda: _lambda,
    records.Sequence: _sequence,
    records.Mapping: _mapping,
    records.Comprehension: _comprehension,
    records.Starred: _starred,
    records.NamedExpression: _named,
    records.Formatted: _formatted,
    records.Await: _await,
    records.Yield: _yield,
}
