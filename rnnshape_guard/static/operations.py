"""Tensor operations as a program uses them: from arguments to operands, from outcomes to values and events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final

from rnnshape_guard import ops
from rnnshape_guard.events import (
    OPERATED,
    WRITTEN,
    Computed,
    Given,
    Handed,
    RecurrentCalled,
    Seen,
    Selected,
    Value,
    values_in,
)
from rnnshape_guard.ops import Kind
from rnnshape_guard.shapes.axes import Shape
from rnnshape_guard.shapes.dims import Dim
from rnnshape_guard.shapes.outcomes import UNKNOWN, Fault, Misfit, Operand, Outcome, Packed
from rnnshape_guard.static import evidence, records
from rnnshape_guard.static.operands import operand, seen, state_value, value_of
from rnnshape_guard.static.run import Run
from rnnshape_guard.static.values import Anything, ListValue, Opaque


def conclude(
    run: Run,
    kind: type[Any],
    outcome: Outcome,
    given: Mapping[str, Given],
    record: records.Record,
    **fields: Any,
) -> Anything:
    """Believe an outcome: learn from it, note the event, and give its result as a value."""
    for rest, parts in outcome.closes:
        run.close(rest, parts)
    for left, right in outcome.equations:
        run.equate(left, right)
    if outcome.learned:
        run.learn(outcome.learned, run.place(record))
    number = run.next_event
    result = state_value(outcome.result, number) if kind is RecurrentCalled else value_of(outcome.result, number)
    made = seen(result)
    run.emit(kind, record, given=given, misfits=outcome.misfits, result=made, **fields)
    if run.arrays and any(value.id in run.arrays for one in given.values() for value in values_in(one.seen)):
        run.arrays.update(value.id for value in values_in(made))
    return result


def perform(
    run: Run,
    operation: ops.Operation,
    arguments: tuple[Anything, ...],
    keywords: dict[str, Anything],
    record: records.Record,
    places: Mapping[str, Any],
) -> Anything:
    """A tensor operation by its name."""
    takes_sizes = operation.kind in (Kind.RESHAPE, Kind.CREATE)
    makes = operation.kind is Kind.CREATE
    args: list[Operand] = []
    for at, value in enumerate(arguments):
        alone = len(arguments) - (0 if makes else 1) == 1
        if at == 0 and not makes:
            args.append(_first_operand(run, value))
        else:
            may_be_row = alone and isinstance(value, Opaque) and not _is_counted(value)
            args.append(operand(value, number=takes_sizes and not may_be_row))
    kwargs = {name: operand(value, number=takes_sizes) for name, value in keywords.items()}
    bound, outcome = ops.perform(operation, args, kwargs)
    given = _given(operation, bound, arguments, keywords, places)
    result = conclude(
        run, OPERATED[operation.kind], outcome, given, record, name=short_name(operation), in_place=operation.inplace
    )
    if operation.name.startswith("numpy."):
        run.arrays.update(value.id for value in values_in(seen(result)))
    elif operation.name.startswith("torch."):
        run.arrays.difference_update(value.id for value in values_in(seen(result)))
    if makes:
        evidence.read_made(run, result, arguments, keywords, record)
    elif operation.kind is Kind.RESHAPE and short_name(operation) in ("view", "reshape"):
        evidence.read_viewed(run, result, record)
    return result


def short_name(operation: ops.Operation) -> str:
    """PyTorch's word for an operation, whether it was called as a function or a method."""
    return operation.name.rpartition(".")[2]


_UNLIKE: Final = frozenset("min max repeat cumsum cumprod".split())
"""Methods of arrays that do something else than the tensors' methods of the same name."""


def method(run: Run, receiver: Value, name: str) -> ops.Operation | None:
    """The operation that a method of a tensor, or of a NumPy array, is."""
    if name in _UNLIKE and receiver.id in run.arrays:
        return ops.find(f"numpy.{name}")
    return ops.find(f"Tensor.{name}")


def _is_counted(value: Opaque) -> bool:
    """Whether a parameter is a number by its default."""
    return isinstance(value.hint, Dim) and not isinstance(value.hint, bool)


def _first_operand(run: Run, value: Anything) -> Operand:
    if isinstance(value, Opaque) and value.tensor is None and (value.spelling or value.made_of is not None):
        tensor = value.as_tensor()
        run.doubtful.add(tensor.id)
        return tensor.shape
    if isinstance(value, ListValue | tuple):
        return operand(value, tensor=True)
    return operand(value)


def _given(
    operation: ops.Operation,
    bound: Mapping[str, Operand],
    arguments: tuple[Anything, ...],
    keywords: dict[str, Anything],
    places: Mapping[str, Any],
) -> dict[str, Given]:
    """The arguments by PyTorch's names, with tensors as values and with their places."""
    order, many = _order(operation)
    shift = 1 if "self" in places else 0
    given: dict[str, Given] = {}
    for at, value in enumerate(arguments):
        if many is not None and at >= many:
            break
        if at < len(order):
            place = places.get("self") if shift and at == 0 else places.get(str(at - shift))
            given[order[at]] = Given(seen(value), place)
    for name, value in keywords.items():
        given[name] = Given(seen(value), places.get(name))
    for name, value in bound.items():
        if name in given and not isinstance(given[name].seen, Value | tuple):
            given[name] = Given(value, given[name].place)
        elif name not in given:
            is_many = many is not None and name == order[many]
            place = places.get(str((many or 0) - shift)) if is_many else None
            tensors = tuple(seen(one) for one in arguments[many:] if is_many)
            given[name] = Given(tensors if any(isinstance(one, Value) for one in tensors) else value, place)
    return given


@cache
def _order(operation: ops.Operation) -> tuple[tuple[str, ...], int | None]:
    """The names of an operation's parameters, and the place of the one that takes many."""
    many = next((at for at, parameter in enumerate(operation.parameters) if parameter.many), None)
    return tuple(parameter.name for parameter in operation.parameters), many


def hand_over(run: Run, values: Iterable[Anything], record: records.Record, places: Mapping[str, Any]) -> None:
    """Note that tensors go where nobody follows them."""
    handed = [seen(value) for value in values]
    if any(True for one in handed for _ in values_in(one)):
        given = {str(at): Given(one, places.get(str(at))) for at, one in enumerate(handed)}
        run.emit(Handed, record, given=given)


def rank_of(run: Run, value: Value, record: records.Record) -> Anything:
    """The number of axes of a tensor; that a program asks for it, where it is not known, is worth noting."""
    rank = value.shape.rank if isinstance(value.shape, Shape) else None
    if rank is not None:
        return Dim.of(rank)
    run.emit(Computed, record, given={"input": Given(value, run.place(record))}, name="dim")
    return Opaque("dim")


def operate_tensor(run: Run, name: str, value: Value, record: records.Record, *further: Anything) -> Anything:
    """A method of a tensor, called by the interpreter itself."""
    operation = ops.find(f"Tensor.{name}")
    if operation is None:
        return Opaque()
    return perform(run, operation, (value, *further), {}, record, {"self": run.place(record)})


def operate_quietly(run: Run, name: str, value: Value, *further: Anything) -> Anything:
    """A method of a tensor that leaves no event: reading sizes."""
    operation = ops.find(f"Tensor.{name}")
    if operation is None:
        return Opaque()
    _, outcome = ops.perform(operation, [value.shape, *further], {})
    for rest, parts in outcome.closes:
        run.close(rest, parts)
    return value_of(outcome.result, -1)


def subscript_tensor(run: Run, value: Value, items: tuple[Anything, ...], record: records.Record) -> Anything:
    """``value[items]`` of a tensor."""
    if isinstance(value.shape, Packed):
        return _subscript_packed(run, value, items, record)
    operands = tuple(operand(item) for item in items)
    outcome = ops.index(value.shape, operands)
    holder = record.value if isinstance(record, records.Subscript) else record
    kept: Seen = tuple(item if item is ... else seen(item) for item in items)
    given = {"input": Given(value, run.place(holder)), "items": Given(kept, run.place(record))}
    return conclude(run, Selected, outcome, given, record, name="index")


def write_items(
    run: Run, holder: Value, items: tuple[Anything, ...], value: Anything, record: records.Subscript
) -> None:
    """``holder[items] = value``: the tensor stays what it is."""
    kept: Seen = tuple(item if item is ... else seen(item) for item in items)
    given = {
        "input": Given(holder, run.place(record.value)),
        "items": Given(kept, run.place(record)),
        "value": Given(seen(value)),
    }
    run.emit(Selected, record, given=given, name=WRITTEN, in_place=True)


def _subscript_packed(run: Run, value: Value, items: tuple[Anything, ...], record: records.Record) -> Anything:
    """A packed sequence is a tuple: its first item is the numbers of all steps."""
    if len(items) != 1 or items[0] is None or items[0] is ...:
        return refuse_items(run, value, items, record)
    first = isinstance(items[0], Dim) and items[0].value == 0
    return Value(Shape.unknown()) if first else Opaque()


def refuse_items(run: Run, holder: Anything, items: Anything, record: records.Record) -> Anything:
    """``holder[items]`` where only a tensor has such items, and the holder is none."""
    detail = "a PackedSequence" if isinstance(holder, Value) else "a tuple"
    outcome = Outcome(UNKNOWN, (Misfit(fault=Fault.TYPE, operand="input", detail=detail),))
    place = run.place(record.value if isinstance(record, records.Subscript) else record)
    kept = tuple(item if item is ... else seen(item) for item in (items if isinstance(items, tuple) else (items,)))
    given = {"input": Given(seen(holder), place), "items": Given(kept, run.place(record))}
    return conclude(run, Selected, outcome, given, record, name="index")


def refuse_attribute(run: Run, holder: Anything, name: str, record: records.Record) -> Anything:
    """``holder.name`` where only a tensor has it, and the holder is a tuple."""
    kept = seen(holder)
    if not any(True for _ in values_in(kept)):
        return Opaque(name)
    outcome = Outcome(UNKNOWN, (Misfit(fault=Fault.TYPE, operand="input", detail="a tuple"),))
    place = run.place(record.value if isinstance(record, records.Attribute) else record)
    return conclude(run, Computed, outcome, {"input": Given(kept, place)}, record, name=name)


def unpack_tensor(run: Run, value: Value, count: int, record: records.Record) -> list[Anything]:
    """Unpacking a tensor gives its rows; a packed sequence gives its parts."""
    if isinstance(value.shape, Packed):
        return [Value(Shape.unknown()) if at == 0 else Opaque() for at in range(count)]
    return [value_of(ops.index(value.shape, (Dim.of(at),)).result, value.made_by) for at in range(count)]
