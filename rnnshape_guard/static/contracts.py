"""What annotations and contracts state of tensors: read from the program's own words, noted as `Declared` events.

    def forward(self, x: Float[Tensor, "batch time word"]) -> Float[Tensor, "batch 2*hidden"]:
        out: Float[Tensor, "batch time 2*hidden"] = self.lstm(x)[0]

An annotation is read into a form; where a value meets its form, an event says so and the value's axes take what the
annotation says of them as evidence. Annotations of other libraries, unions of several tensors and strings inside quotes
say nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from rnnshape_guard.events import Declared, LayerDeclared, Misnoted, Value
from rnnshape_guard.shapes.annotations import AxisSpec, NotationError, parse_axes, parse_contract
from rnnshape_guard.shapes.axes import Shape
from rnnshape_guard.shapes.dims import Dim
from rnnshape_guard.shapes.outcomes import Packed
from rnnshape_guard.static import evidence, records
from rnnshape_guard.static.run import MISSING, Frame, NodePlace, Run
from rnnshape_guard.static.values import (
    Anything,
    ArrayType,
    Choice,
    External,
    Instance,
    LayerObject,
    ListValue,
    ModuleObject,
    Opaque,
    Results,
)

_KINDS: Final = frozenset(
    """Float Float8e4m3b11fnuz Float8e4m3fn Float8e4m3fnuz Float8e5m2 Float8e5m2fnuz Float16 Float32 Float64 BFloat16
    Int Int2 Int4 Int8 Int16 Int32 Int64 UInt UInt2 UInt4 UInt8 UInt16 UInt32 UInt64 Integer Bool Num Real Inexact
    Complex Complex64 Complex128 Shaped Key""".split()
)
"""jaxtyping's words for the numbers of a tensor."""

_LAYERS: Final = frozenset({"RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell"})
RECURRENT: Final = ("rnnshape_guard.Recurrent", "rnnshape_guard.runtime.contracts.Recurrent")
SHAPED: Final = ("rnnshape_guard.shaped", "rnnshape_guard.runtime.contracts.shaped")
"""The names of the two contracts."""


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One tensor. `is_contract` says whether it is compared with what the program makes; else it is evidence alone.
    `optional` ones may be None instead."""

    text: str
    axes: tuple[AxisSpec, ...]
    record: records.Expression
    kind: str = ""
    is_contract: bool = True
    optional: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Fixed:
    """``tuple[X, Y]``."""

    items: tuple[Form, ...]
    optional: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Each:
    """``list[X]``, ``tuple[X, ...]``."""

    item: Form
    optional: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class LayerForm:
    """``Recurrent[nn.LSTM, "batch time word -> batch time hidden"]``: rows for what goes in and what comes out."""

    kind: str
    inputs: tuple[Row, ...]
    outputs: tuple[Row, ...]
    record: records.Expression


Form = Row | Fixed | Each | LayerForm | None


# -- reading ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Problem:
    """A string that can't be read."""

    record: records.Expression
    text: str
    error: NotationError


def read(run: Run, frame: Frame, annotation: records.Expression) -> Form:
    """The form of an annotation; None where it says nothing. A string in it that can't be read is noted."""
    if id(annotation) not in run.forms:
        problems: list[_Problem] = []
        run.forms[id(annotation)] = (_read(frame, annotation, problems), problems)
    return _known(run, annotation)


def _known(run: Run, record: records.Expression) -> Form:
    form: Form
    form, problems = run.forms[id(record)]
    for problem in problems:
        offset = problem.error.offset
        spot = NodePlace(problem.record.at, run.positions, within=(offset, offset + 1))
        run.emit(Misnoted, problem.record, text=problem.text, message=problem.error.message, spot=spot)
    return form


def _read(frame: Frame, annotation: records.Expression, problems: list[_Problem]) -> Form:
    match annotation:
        case records.Name() | records.Attribute():
            alias = _value_of(frame, annotation)
            return _array(alias.path, alias.record, problems) if isinstance(alias, ArrayType) else None
        case records.BinaryOperation(operator="|", left=left, right=right):
            return _either(frame, (left, right), problems)
        case records.Subscript(value=head):
            return _subscripted(frame, annotation, _path(frame, head), problems)
    return None


def _subscripted(frame: Frame, annotation: records.Subscript, path: str, problems: list[_Problem]) -> Form:
    front, _, short = path.rpartition(".")
    if short in _KINDS:
        return _array(path, annotation, problems)
    if path in RECURRENT:
        return _layer(frame, annotation, problems)
    match short, annotation.items:
        case "Optional", (item,):
            return _optional(_read(frame, item, problems))
        case "Union", items:
            return _either(frame, items, problems)
        case "Annotated", (item, records.Constant(value=str() as text)) if _last(item).endswith("Tensor"):
            return _evidence_alone(text, annotation)
        case (("Annotated" | "Final" | "ClassVar"), (item, *_)):
            return _read(frame, item, problems)
        case (("tuple" | "Tuple"), (item, records.Constant(value=rest))) if rest is ...:
            return _each(_read(frame, item, problems))
        case (("tuple" | "Tuple"), items) if front in ("", "builtins", "typing"):
            forms = tuple(_read(frame, item, problems) for item in items)
            return Fixed(forms) if any(forms) else None
        case (("list" | "List" | "Sequence"), (item,)):
            return _each(_read(frame, item, problems))
    return None


def _each(form: Form) -> Form:
    return None if form is None else Each(form)


def _array(path: str, annotation: records.Subscript, problems: list[_Problem]) -> Form:
    """``Float[Tensor, "batch time"]``; one of another library is evidence, one of another library's arrays nothing."""
    match annotation.items:
        case (array, records.Constant(value=str() as text) as record) if not _last(array).startswith("ndarray"):
            if not path.startswith("jaxtyping."):
                return _evidence_alone(text, record)
            try:
                return Row(text, parse_axes(text), record, path.rpartition(".")[2])
            except NotationError as error:
                problems.append(_Problem(record, text, error))
    return None


def _evidence_alone(text: str, record: records.Expression) -> Form:
    try:
        return Row(text, parse_axes(text), record, is_contract=False)
    except NotationError:
        return None


def _either(frame: Frame, options: Sequence[records.Expression], problems: list[_Problem]) -> Form:
    """A union of one form and None is that form, or None; of others nothing is said."""
    rest = [one for one in options if not (isinstance(one, records.Constant) and one.value is None)]
    forms = [_read(frame, one, problems) for one in rest]
    return _optional(forms[0]) if len(forms) == 1 and len(rest) < len(options) else None


def _optional(form: Form) -> Form:
    return replace(form, optional=True) if isinstance(form, Row | Fixed | Each) else form


def _layer(frame: Frame, annotation: records.Subscript, problems: list[_Problem]) -> Form:
    match annotation.items:
        case (kind, records.Constant(value=str() as text) as record):
            name = _path(frame, kind).rpartition(".")[2]
        case _:
            return None
    if name not in _LAYERS:
        return None
    states = 2 if name.startswith("LSTM") else 1
    is_cell = name.endswith("Cell")
    try:
        contract = parse_contract(text)
        inputs = _rows(record, contract.inputs, 1 + states, states, "takes an input and a state")
        gives = "gives its state" if is_cell else "gives an output and a state"
        outputs = _rows(record, contract.outputs, states if is_cell else 1 + states, states, gives)
    except NotationError as error:
        problems.append(_Problem(record, text, error))
        return None
    return LayerForm(name, inputs, outputs, record)


def _rows(
    record: records.Expression, rows: tuple[tuple[AxisSpec, ...], ...], most: int, states: int, words: str
) -> tuple[Row, ...]:
    """Rows of a contract; where an LSTM's states share one row, it stands for h and c alike."""
    if len(rows) > most:
        raise NotationError(f"a tensor too many: the layer {words}", rows[most][0].offset)
    forms = tuple(Row(" ".join(axis.text for axis in row), row, record) for row in rows)
    return (*forms, forms[-1]) if states == 2 and len(forms) == most - 1 else forms


def _path(frame: Frame, expression: records.Expression) -> str:
    """The full name of something of another package, or a plain name that the program does not define."""
    value = _value_of(frame, expression)
    if isinstance(value, Choice):  # imported for type checkers alone
        value = next((one for one in value.options if isinstance(one, External)), None)
    if isinstance(value, External):
        return value.path
    return expression.id if isinstance(expression, records.Name) and value is MISSING else ""


def _value_of(frame: Frame, expression: records.Expression) -> Anything:
    match expression:
        case records.Name(id=name):
            return frame.find(name)
        case records.Attribute(value=inner, name=name):
            holder = _value_of(frame, inner)
            if isinstance(holder, ModuleObject):
                return holder.member(name)
            return External(f"{holder.path}.{name}") if isinstance(holder, External) else None
    return None


def _last(expression: records.Expression) -> str:
    match expression:
        case records.Name(id=name) | records.Attribute(name=name):
            return name
    return ""


# -- where values meet their forms -----------------------------------------------------------------------------------


def read_definition(run: Run, frame: Frame, definition: records.FunctionDef) -> None:
    """Read the annotations of a function where it is defined."""
    for parameter in definition.parameters:
        if parameter.annotation is not None:
            read(run, frame, parameter.annotation)
    if definition.returns is not None:
        read(run, frame, definition.returns)


def read_arguments(run: Run, frame: Frame, definition: records.FunctionDef, places: Mapping[str, NodePlace]) -> None:
    """What a function's annotations say of its arguments. `places` are those of the arguments at a visible call."""
    defaults = {run.place(one.default).key for one in definition.parameters if one.default is not None}
    for parameter in definition.parameters:
        if parameter.annotation is None or parameter.kind in ("star", "double star"):
            continue
        form = read(run, frame, parameter.annotation)
        given = places.get(parameter.name)
        if given is not None and given.key in defaults:
            given = None
        _declare(run, frame, form, frame.names.get(parameter.name), parameter.name, _current(run), given)


def read_result(run: Run, frame: Frame, definition: records.FunctionDef, result: Anything) -> None:
    """What a function's annotation says of its result."""
    if definition.returns is not None and result is not None:
        _declare(run, frame, read(run, frame, definition.returns), result, "", _current(run))


def read_assignment(run: Run, frame: Frame, statement: records.AnnotatedAssign, name: str, value: Anything) -> None:
    """What the annotation of a variable or an attribute says of the value it is given."""
    form = read(run, frame, statement.annotation)
    if isinstance(form, LayerForm):
        _hold(run, form, value, frame.receiver)
    else:
        _declare(run, frame, form, value, name, _current(run))


def read_attribute(run: Run, holder: Instance, name: str, value: Anything) -> None:
    """What the body of a class says of a layer that an attribute is given."""
    for cls in holder.cls.line():
        if name in cls.annotations:
            form, _ = run.forms.get(id(cls.annotations[name]), (None, ()))
            if isinstance(form, LayerForm):
                with run.inside(cls.frame.module):
                    _hold(run, form, value, holder)
            return


def shaped(run: Run, value: Anything, record: records.Record) -> Anything:
    """``shaped(x, "batch time 2*hidden")`` gives back what it is given."""
    match record:
        case records.Call(arguments=(first, records.Argument(value=records.Constant(value=str() as text) as stated))):
            pass
        case _:
            return value
    if id(stated) not in run.forms:
        try:
            run.forms[id(stated)] = (Row(text, parse_axes(text), stated), ())
        except NotationError as error:
            run.forms[id(stated)] = (None, (_Problem(stated, text, error),))
    name = run.place(first.value).text
    _declare(run, None, _known(run, stated), value, name, _current(run), word="stated")
    return value


def _current(run: Run) -> int:
    return run.calls[-1][0] if run.calls else -1


def _declare(
    run: Run,
    frame: Frame | None,
    form: Form,
    value: Anything,
    name: str,
    call: int,
    given: NodePlace | None = None,
    word: str = "annotated",
) -> None:
    match form:
        case Row():
            _declare_row(run, frame, form, value, name, call, given, word)
        case Fixed(items=items, optional=optional):
            for at, part in enumerate(_parts(value, len(items), optional)):
                _declare(run, frame, items[at], part, f"{name}[{at}]" if name else "", call, None, word)
        case Each(item=item, optional=optional):
            known = value.items if isinstance(value, ListValue) else value if isinstance(value, tuple) else ()
            for at, part in enumerate(known):
                _declare(run, frame, item, part, f"{name}[{at}]" if name else "", call, None, word)


def _parts(value: Anything, count: int, optional: bool) -> Sequence[Anything]:
    match value:
        case tuple() if len(value) == count:
            return value
        case Results() if len(value.values) == count:
            return value.values
        case Opaque() if value.spelling and not optional and value.tensor is None:
            return [value.part(("item", at), f"{value.spelling}[{at}]") for at in range(count)]
    return ()


def _declare_row(
    run: Run,
    frame: Frame | None,
    form: Row,
    value: Anything,
    name: str,
    call: int,
    given: NodePlace | None = None,
    word: str = "annotated",
) -> None:
    if isinstance(value, Opaque) and form.optional and value.tensor is None:
        return
    evidence.read_declared(run, value, form.axes, f'{word} "{form.text}"', form.record)
    tensor = value.tensor if isinstance(value, Opaque) else value
    if form.is_contract and isinstance(tensor, Value) and isinstance(tensor.shape, Shape) and not run.uncertain:
        run.emit(
            Declared,
            form.record,
            value=tensor,
            text=form.text,
            axes=form.axes,
            name=name,
            dtype=form.kind,
            call=call,
            spots=tuple(_spot(run, form.record, axis) for axis in form.axes),
            given=given,
            sizes=_references(frame, form.axes) if frame is not None else {},
        )


def _spot(run: Run, record: records.Expression, axis: AxisSpec) -> NodePlace:
    return NodePlace(record.at, run.positions, within=(axis.offset, axis.offset + len(axis.text)))


def _references(frame: Frame, axes: Sequence[AxisSpec]) -> dict[str, Dim]:
    """The sizes that ``{self.hidden}`` and ``{hidden}`` stand for, where they are known."""
    found = {}
    for axis in axes:
        for reference in axis.size.references if axis.size is not None else ():
            words = reference.split(".")
            value = frame.find(words[0])
            for word in words[1:]:
                value = value.attributes.get(word) if isinstance(value, Instance) else None
            size = value.number if isinstance(value, Opaque) else value
            if isinstance(size, Dim):
                found[reference] = size
    return found


# -- contracts of layers ---------------------------------------------------------------------------------------------


def _hold(run: Run, form: LayerForm, value: Anything, holder: Anything) -> None:
    """A layer is held to a contract from here on; so is each layer of a list."""
    match value:
        case LayerObject(children=None, layer=layer):
            kind = getattr(layer.spec, "kind", "")
            run.contracts[layer.id] = (form, holder)
            if kind in _LAYERS and kind != form.kind:
                run.emit(LayerDeclared, form.record, layer=layer, stated=form.kind)
        case LayerObject(children=ListValue() as children):
            for one in (*children.items, children.tail):
                _hold(run, form, one, holder)


def _call_of(run: Run, holder: Anything) -> int:
    """The call whose names a layer's contract joins: the forward of the object that has the layer, else its outermost."""
    own = [call for call, receiver in run.calls if receiver is holder]
    forwards = [call for call in own if run.log.events[call].scope.endswith(".forward")]
    return forwards[-1] if forwards else own[0] if own else _current(run)


def read_inputs(run: Run, layer: LayerObject, arguments: Sequence[Anything], keywords: Mapping[str, Anything]) -> None:
    """What a layer's contract says of what it is given."""
    form, holder = run.contracts.get(layer.layer.id, (None, None))
    if form is None or getattr(layer.layer.spec, "kind", "") != form.kind:
        return
    first = arguments[0] if arguments else keywords.get("input")
    state = arguments[1] if len(arguments) > 1 else keywords.get("hx")
    states = state if isinstance(state, tuple) else (state,)
    if form.kind.startswith("LSTM") and len(states) != 2:
        states = ()
    _compare(run, layer, form.inputs[1:], states, ("h_0", "c_0"), _call_of(run, holder))
    _compare(run, layer, form.inputs[:1], (first,), ("input",), _call_of(run, holder))


def read_outputs(run: Run, layer: LayerObject, result: Anything) -> None:
    """What a layer's contract says of what it gives. States come first: they name the hidden size as it is."""
    form, holder = run.contracts.get(layer.layer.id, (None, None))
    if form is None or getattr(layer.layer.spec, "kind", "") != form.kind:
        return
    call = _call_of(run, holder)
    if form.kind.endswith("Cell"):
        results = result if isinstance(result, tuple) else (result,)
        _compare(run, layer, form.outputs, results, ("h_1", "c_1"), call)
    elif isinstance(result, tuple) and len(result) == 2:
        states = result[1] if isinstance(result[1], tuple) else (result[1],)
        _compare(run, layer, form.outputs[1:], states, ("h_n", "c_n"), call)
        _compare(run, layer, form.outputs[:1], (result[0],), ("output",), call)


def _compare(
    run: Run, layer: LayerObject, rows: Sequence[Row], values: Sequence[Anything], names: Sequence[str], call: int
) -> None:
    path = layer.layer.name.removeprefix("self.")
    batch_first = getattr(layer.layer.spec, "batch_first", None)
    for row, value, name in zip(rows, values, names, strict=False):
        padded = _padded(value, batch_first) if isinstance(value, Value) else value
        if isinstance(padded, Value | Opaque):
            _declare_row(run, None, row, padded, f"{path}: {name}", call, None, "stated")


def _padded(value: Value, batch_first: object) -> Value:
    """A packed sequence as if it were padded, in the layer's own layout."""
    match value.shape, batch_first:
        case Packed(batch=batch, time=time, features=features), bool():
            first = (batch, time) if batch_first else (time, batch)
            return Value(Shape((*first, *features)), value.made_by, value.part)
    return value
