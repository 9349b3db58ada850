"""Expressions: what each evaluates to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rnnshape_guard import layers, ops
from rnnshape_guard.events import Computed, Contracted, Given, Value
from rnnshape_guard.shapes.axes import Shape
from rnnshape_guard.shapes.dims import Dim
from rnnshape_guard.shapes.outcomes import Slice
from rnnshape_guard.static import (
    attributes,
    calls,
    conditions,
    functions,
    iteration,
    operations,
    records,
    statements,
    subscripts,
)
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
    External,
    Instance,
    ListValue,
    Opaque,
    Results,
    ShapeOf,
)


def evaluate(run: Run, frame: Frame, expression: records.Expression) -> Anything:
    """The value of an expression; Opaque where it is not known."""
    run.steps -= 1
    if run.steps < 0:
        raise OutOfSteps
    return _EVALUATE[type(expression)](run, frame, expression)


# -- names, attributes ----------------------------------------------------------------------------------------------


def _name(run: Run, frame: Frame, expression: records.Name) -> Anything:
    value = frame.find(expression.id)
    if value is not MISSING:
        return chosen(run, value) if type(value) is Choice else value
    if expression.id in BUILTINS:
        return External(f"builtins.{expression.id}")
    module = frame.module
    for star in module.stars:
        path = f"{star.path}.{expression.id}"
        if layers.find(path) is not None or ops.find(path) is not None:
            return External(path)
    value = Opaque(expression.id, f"global {module.prefix}{expression.id}")
    module.names[expression.id] = value
    return value


def chosen(run: Run, value: Choice) -> Anything:
    """One of two values, where the condition that chose between them is known here."""
    holds = run.holds(value.key) if value.key else None
    return value if holds is None else value.options[0 if holds else 1]


def _attribute(run: Run, frame: Frame, expression: records.Attribute) -> Anything:
    return attributes.attribute(run, evaluate(run, frame, expression.value), expression.name, expression)


# -- constants and displays -----------------------------------------------------------------------------------------


def _constant(run: Run, frame: Frame, expression: records.Constant) -> Anything:
    value = expression.value
    return Dim.of(value) if type(value) is int else value


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
            result.tail = any_of(part)
            plain = part.is_known and len(part.items) == 1 and not steps.known
            result.length = steps.length if plain else None
    return result


def _perhaps(part: ListValue) -> ListValue:
    return ListValue([], any_of(part)) if part.items or part.tail is not None else part


def any_of(part: ListValue) -> Anything:
    """What any item of a list is, the list not being empty."""
    items = [*part.items, *([part.tail] if part.tail is not None else [])]
    result = items[0]
    for item in items[1:]:
        result = join(result, item)
    return result


def _joined(left: ListValue, right: ListValue) -> ListValue:
    if left.is_known:
        return ListValue([*left.items, *right.items], right.tail)
    return ListValue(left.items, join(left.tail, any_of(right)) if right.items or right.tail is not None else left.tail)


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
    left, right = _settled(left), _settled(right)
    if type(left) is Dim and type(right) is Dim:
        return _number(operator, left, right)
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
    if not run.constructing and operator in _NUMBERS and (_may_be_either(left) or _may_be_either(right)):
        return _either(run, operator, left, right)
    one, two = as_number(left), as_number(right)
    if one is None or two is None:
        return Opaque()
    return _number(operator, one, two)


def _may_be_either(value: Anything) -> bool:
    """An unknown value that has not been used as a number or as a tensor yet."""
    if not isinstance(value, Opaque) or value.number is not None or value.tensor is not None or not value.spelling:
        return False
    return not isinstance(value.hint, Dim | bool)


def _either(run: Run, operator: str, left: Anything, right: Anything) -> Opaque:
    """Arithmetic on what may be a number or a tensor: a tensor keeps its shape beside a number."""
    result = Opaque(left.spelling if isinstance(left, Opaque) else right.spelling)

    def number() -> Dim | None:
        one, two = as_number(left), as_number(right)
        made = None if one is None or two is None else _number(operator, one, two)
        return made if isinstance(made, Dim) else None

    def tensor() -> Value:
        unknown = [side for side in (left, right) if isinstance(side, Opaque)]
        if len(unknown) == 1 and isinstance(right if unknown[0] is left else left, Dim | bool | float):
            return unknown[0].as_tensor()
        return Value(Shape.unknown())

    result.made_of = (number, tensor)
    return result


def _settled(value: Anything) -> Anything:
    """An unknown value as the number or the tensor it is known to be."""
    if isinstance(value, Opaque):
        if value.tensor is not None:
            return value.tensor
        return value if value.number is None else value.number
    return Opaque() if isinstance(value, BoundName | Results) else value


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
    return ListValue([], any_of(items)) if items.items else items


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
    return operations.conclude(run, kind, outcome, given, record, name=name)


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
        case Dim() | float() if expression.operator == "-":
            return -value
        case Dim() if expression.operator == "+":
            return value
    if expression.operator == "-" and isinstance(value, Opaque) and value.number is not None:
        return -value.number
    if expression.operator == "-" and not run.constructing and _may_be_either(value):
        return _either(run, "*", value, Dim.of(-1))
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
    with run.branch(number, 1), run.knowing(decision.when_true):
        conditions.narrow(run, frame, expression.test, True)
        left = evaluate(run, frame, expression.body)
    run.journal.take_back(mark)
    with run.branch(number, 0), run.knowing(decision.when_false):
        conditions.narrow(run, frame, expression.test, False)
        right = evaluate(run, frame, expression.orelse)
    run.journal.take_back(mark)
    return statements.joined(left, right, decision)


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
    return subscripts.subscript(run, holder, tuple(items), expression.is_tuple, expression)


# -- the rest -------------------------------------------------------------------------------------------------------


def _named(run: Run, frame: Frame, expression: records.NamedExpression) -> Anything:
    value = evaluate(run, frame, expression.value)
    target = frame
    statements.bind(run, target, expression.target, value, expression.value)
    return value


def _formatted(run: Run, frame: Frame, expression: records.Formatted) -> Anything:
    words = [evaluate(run, frame, value) for value in expression.values]
    texts = [str(word.value) if isinstance(word, Dim) and word.value is not None else word for word in words]
    return "".join(texts) if texts and all(isinstance(text, str) for text in texts) else Opaque()


def _await(run: Run, frame: Frame, expression: records.Await) -> Anything:
    return evaluate(run, frame, expression.value)


def _yield(run: Run, frame: Frame, expression: records.Yield) -> Anything:
    value = None if expression.value is None else evaluate(run, frame, expression.value)
    if not expression.delegates:
        frame.yields.append(value)
    operations.hand_over(run, (value,), expression, {})
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
