"""Layers of torch.nn as a program uses them: constructed, put into containers, called; and losses and packing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from rnnshape_guard import layers
from rnnshape_guard.events import (
    Called,
    CellCalled,
    Given,
    Layer,
    LayerBuilt,
    LayerCalled,
    LossCalled,
    PackCalled,
    RecurrentBuilt,
    RecurrentCalled,
    Value,
)
from rnnshape_guard.layers.arguments import Argument, Spec
from rnnshape_guard.shapes.axes import Axis, Role, Shape
from rnnshape_guard.shapes.dims import Dim, compare
from rnnshape_guard.shapes.outcomes import UNKNOWN, Misfit, Operand, Outcome, Packed
from rnnshape_guard.static import calls, conditions, contracts, expressions, iteration, operations, records
from rnnshape_guard.static.joins import join_all
from rnnshape_guard.static.operands import operand, seen
from rnnshape_guard.static.run import Run, Tests
from rnnshape_guard.static.values import Anything, Choice, DictValue, DynamicLayer, LayerObject, ListValue, Opaque

_CONTAINERS: Final = ("Sequential", "ModuleList", "ModuleDict", "ParameterList", "ParameterDict")

_SIZES: Final = frozenset(
    """input_size hidden_size num_layers proj_size in_features out_features num_embeddings embedding_dim in_channels
    out_channels num_features embed_dim num_heads d_model nhead in1_features in2_features num_groups
    num_channels""".split()
)
_FLAGS: Final = frozenset({"bias", "batch_first", "bidirectional"})


def build_layer(
    run: Run,
    path: str,
    arguments: tuple[Anything, ...],
    keywords: dict[str, Anything],
    record: records.Record,
    *,
    is_partial: bool = False,
    places: Mapping[str, Any] | None = None,
) -> Anything:
    """Construct a torch.nn layer."""
    kind = layers.find(path)
    if kind is None:
        return Opaque()
    if kind.name in _CONTAINERS:
        return _build_container(run, kind.name, kind, arguments, keywords, record)
    order = [parameter.name for parameter in kind.parameters if not parameter.keyword_only]
    args = tuple(
        _constructor_operand(run, value, order[at] if at < len(order) else "") for at, value in enumerate(arguments)
    )
    kwargs = {name: _constructor_operand(run, value, name) for name, value in keywords.items()}
    built = layers.build(kind, args, kwargs, partial=is_partial)
    for symbol in built.flags:
        symbol.flag = True
    for symbol in built.positive:
        symbol.positive = True
    if built.spec is None:
        return Opaque()
    where = {
        (order[int(key)] if key.isdigit() and int(key) < len(order) else key): place
        for key, place in (places or _places(run, record)).items()
    }
    layer = Layer(built.spec, _name_of(run, record), run.place(record), _owner(run), where, len(arguments))
    event = RecurrentBuilt if kind.name in layers.RECURRENT else LayerBuilt
    run.emit(event, record, layer=layer, misfits=built.misfits)
    return LayerObject(layer)


def _places(run: Run, record: records.Record) -> dict[str, Any]:
    if not isinstance(record, records.Call):
        return {}
    positional = [one for one in record.arguments if one.keyword is None and not one.star]
    places: dict[str, Any] = {str(at): run.place(one.value) for at, one in enumerate(positional)}
    places |= {one.keyword: run.place(one.value) for one in record.arguments if one.keyword is not None}
    return places


def _name_of(run: Run, record: records.Record) -> str:
    return run.naming[1] if run.naming is not None and run.naming[0] is record else ""


def _owner(run: Run) -> str:
    return run.scope.rpartition(".")[0]


def _constructor_operand(run: Run, value: Anything, name: str) -> Argument:
    if isinstance(value, LayerObject) and isinstance(value.layer.spec, Spec):
        return value.layer.spec
    if isinstance(value, Opaque) and value.tensor is None:
        if name in _FLAGS:
            symbol = value.as_number().symbol
            if symbol is not None:
                symbol.flag = True
                key = conditions.flag_key(symbol)
                truth = run.holds(key)
                if truth is not None:
                    return truth
                if name == "batch_first":
                    run.tests.setdefault(key, Tests(symbol.name)).in_layer = True
            return value.as_number()
        if name in _SIZES:
            return value.as_number() if value.spelling else UNKNOWN
    if name in _FLAGS and isinstance(value, Dim) and value.symbol is not None:
        truth = run.holds(conditions.flag_key(value.symbol))
        if truth is not None:
            return truth
    return operand(value)


def _build_container(
    run: Run,
    name: str,
    kind: Any,
    arguments: tuple[Anything, ...],
    keywords: dict[str, Anything],
    record: records.Record,
) -> LayerObject:
    built = layers.build(kind, (), {}, partial=True)
    children: ListValue | DictValue
    first = arguments[0] if arguments else keywords.get("modules")
    if name in ("ModuleDict", "ParameterDict"):
        children = (
            DictValue(dict(first.items), first.is_open)
            if isinstance(first, DictValue)
            else DictValue({}, first is not None)
        )
        if isinstance(first, ListValue) and first.is_known:
            pairs = [item for item in first.items if isinstance(item, tuple) and len(item) == 2]
            children = DictValue(
                {expressions.plain_key(key): value for key, value in pairs}, len(pairs) < len(first.items)
            )
    elif name == "Sequential":
        if len(arguments) == 1 and isinstance(first, DictValue):
            children = ListValue(list(first.items.values()), Opaque() if first.is_open else None)
        else:
            children = ListValue(list(arguments))
    elif first is None:
        children = ListValue([])
    else:
        children = iteration.listed(run, first, record)
    layer = Layer(built.spec, _name_of(run, record), run.place(record), _owner(run))
    container = LayerObject(layer, children)
    parts = [*children.items, children.tail] if isinstance(children, ListValue) else children.items.values()
    run.placed |= {id(part) for part in parts}
    if name == "Sequential":
        run.containers.append(container)
        run.records[id(container)] = (record, run.frame)
    return container


def call_layer(
    run: Run,
    called: LayerObject,
    arguments: tuple[Anything, ...],
    keywords: dict[str, Anything],
    record: records.Record,
    places: Mapping[str, Any],
    *,
    is_partial: bool = False,
) -> Anything:
    """Call a layer: a container runs its parts in order."""
    if called.children is not None:
        return _call_container(run, called, arguments, keywords, record, places)
    contracts.read_inputs(run, called, arguments, keywords)
    outcome = _outcome(run, called, arguments, keywords, is_partial)
    given = _given(called, arguments, keywords, places)
    result = _conclude(run, called, outcome, given, record)
    contracts.read_outputs(run, called, result)
    return result


def _outcome(
    run: Run, called: LayerObject, arguments: tuple[Anything, ...], keywords: dict[str, Anything], is_partial: bool
) -> Outcome:
    spec: Any = called.layer.spec
    args = tuple(_call_operand(run, value, at, spec.kind) for at, value in enumerate(arguments))
    kwargs = {
        name: _call_operand(run, value, 0 if name in ("input", "query") else 1, spec.kind)
        for name, value in keywords.items()
    }
    return layers.call(spec, args, kwargs, partial=is_partial)


def _given(
    called: LayerObject, arguments: tuple[Anything, ...], keywords: dict[str, Anything], places: Mapping[str, Any]
) -> dict[str, Given]:
    spec: Any = called.layer.spec
    names = [parameter.name for parameter in layers.KINDS[spec.kind].inputs if not parameter.keyword_only]
    return {
        (names[at] if at < len(names) else f"argument {at + 1}"): Given(seen(value), places.get(str(at)))
        for at, value in enumerate(arguments)
    } | {name: Given(seen(value), places.get(name)) for name, value in keywords.items()}


def _conclude(
    run: Run, called: LayerObject, outcome: Outcome, given: dict[str, Given], record: records.Record
) -> Anything:
    spec: Any = called.layer.spec
    event: type[Called] = LayerCalled
    if spec.kind in layers.RECURRENT:
        event = RecurrentCalled
    elif spec.kind in layers.CELLS:
        event = CellCalled
    elif spec.kind.endswith("Loss"):
        return operations.conclude(run, LossCalled, outcome, given, record, name=spec.kind)
    first = given.get("input")
    doubtful = first is not None and isinstance(first.seen, Value) and first.seen.id in run.doubtful
    result = operations.conclude(run, event, outcome, given, record, layer=called.layer)
    if doubtful and spec.kind in layers.RECURRENT and isinstance(result, tuple) and isinstance(result[0], Value):
        run.doubtful.add(result[0].id)
    return result


def call_dynamic(
    run: Run,
    called: DynamicLayer,
    arguments: tuple[Anything, ...],
    keywords: dict[str, Anything],
    record: records.Record,
    places: Mapping[str, Any],
    *,
    is_partial: bool = False,
) -> Anything:
    """Call a layer of dynamic kind: what is wrong for every kind is wrong, and of a state that is a pair for one kind
    and a tensor for another nothing is known."""
    first = called.options[0]
    outcomes = [_outcome(run, option, arguments, keywords, is_partial) for option in called.options]
    misfits = tuple(
        misfit
        for misfit in outcomes[0].misfits
        if all(any(_alike(misfit, other) for other in outcome.misfits) for outcome in outcomes[1:])
    )
    outcome = replace(outcomes[0], misfits=misfits)
    result = _conclude(run, first, outcome, _given(first, arguments, keywords, places), record)
    states = {isinstance(one.result[1], tuple) for one in outcomes if isinstance(one.result, tuple)}
    if len(states) > 1 and isinstance(result, tuple):
        state = result[1]
        pair, alone = (state, state[0]) if isinstance(state, tuple) else ((state, state), state)
        return result[0], Choice((pair, alone), f"{called.word}LSTM")
    return result


def _alike(one: Misfit, other: Misfit) -> bool:
    return (one.fault, one.operand, one.axis) == (other.fault, other.operand, other.axis)


def alike(options: list[Anything], word: str) -> DynamicLayer | None:
    """Recurrent layers that read and give the same, whatever their kind, as one layer of dynamic kind; None where they
    differ, or are something else."""
    layers_of: list[LayerObject] = []
    for option in options:
        match option:
            case DynamicLayer():
                layers_of += option.options
            case LayerObject(children=None, layer=Layer(spec=layers.RecurrentSpec())):
                layers_of.append(option)
            case _:
                return None
    first = layers_of[0].layer.spec
    if not isinstance(first, layers.RecurrentSpec):
        return None
    same = all(_reads_alike(first, option.layer.spec) for option in layers_of[1:])
    return one_of_several(layers_of, word) if same else None


def _reads_alike(one: Any, other: Any) -> bool:
    sizes = (
        (one.input_size, other.input_size),
        (one.output_features, other.output_features),
        (one.states, other.states),
    )
    return layers.settled(one.batch_first) == layers.settled(other.batch_first) and all(
        isinstance(left, Dim) and isinstance(right, Dim) and compare(left, right).equal for left, right in sizes
    )


def one_of_several(built: list[LayerObject], word: str) -> DynamicLayer:
    """A layer of dynamic kind. Whatever kind it will be, its layers, directions and hidden units are one. `word` is how
    the keys of conditions on its kind begin."""
    first: Any = built[0].layer.spec
    for option in built[1:]:
        for name in ("layer", "direction", "hidden", "cell"):
            if hasattr(first, name) and hasattr(option.layer.spec, name):
                vars(option.layer.spec)[name] = getattr(first, name)
    return DynamicLayer(tuple(built), word)


def _call_operand(run: Run, value: Anything, at: int, kind: str) -> Operand:
    if isinstance(value, Opaque) and value.tensor is None and at == 0:
        tensor = value.as_tensor()
        run.doubtful.add(tensor.id)
        return tensor.shape
    if isinstance(value, Choice):
        return _likely(value, kind) if at else _only(value)
    if at == 1 and kind.startswith("LSTM") and isinstance(value, Opaque) and value.tensor is not None:
        # Written of as one tensor, or used like one, it may well be the pair that the call needs.
        return UNKNOWN if value.tensor.id in run.doubtful else value.tensor.shape
    if isinstance(value, tuple):
        return tuple(_call_operand(run, part, 2, kind) for part in value)
    if isinstance(value, ListValue) and value.is_known:
        return tuple(_call_operand(run, part, 2, kind) for part in value.items)
    return operand(value)


def _only(value: Choice) -> Operand:
    """An input that is one tensor or None is that tensor."""
    options = [option for option in value.options if option is not None]
    return operand(options[0]) if len(options) == 1 else UNKNOWN


def _likely(value: Choice, kind: str) -> Operand:
    """An optional state: the one that the program itself makes is the one to judge."""
    options = [option for option in value.options if option is not None and not isinstance(option, Opaque)]
    if len(options) != 1:
        return UNKNOWN
    wanted = tuple if kind.startswith("LSTM") else Value
    return operand(options[0]) if isinstance(options[0], wanted) else UNKNOWN


def _call_container(
    run: Run,
    called: LayerObject,
    arguments: tuple[Anything, ...],
    keywords: dict[str, Anything],
    record: records.Record,
    places: Mapping[str, Any],
) -> Anything:
    spec: Any = called.layer.spec
    run.placed.add(id(called))
    if spec.kind != "Sequential" or len(arguments) != 1 or not isinstance(called.children, ListValue):
        return Opaque()
    value = arguments[0]
    children = called.children
    for child in children.items:
        value = calls.call_value(run, child, (value,), {}, record, places=places)
        places = {"0": run.place(record)}
    if children.tail is not None:
        before = value
        value = calls.call_value(run, children.tail, (before,), {}, record, places=places)
        value = join_all([before, value])
    return value


def parameter_of(holder: LayerObject, name: str) -> Anything:
    """`linear.weight`, `embedding.weight`: a tensor of known sizes; other parameters are tensors of unknown shape."""
    spec: Any = holder.layer.spec
    sizes: tuple[Any, ...] | None = None
    if spec.kind == "Linear":
        sizes = (spec.out_features, spec.in_features) if name == "weight" else (spec.out_features,)
    elif spec.kind == "Embedding" and name == "weight":
        sizes = (spec.num_embeddings, spec.embedding_dim)
    if sizes is None or not all(isinstance(size, Dim) for size in sizes):
        return Value(Shape.unknown())
    words = ("rows", "columns")[: len(sizes)]
    axes = tuple(Axis.new(word, size, kind=Role.FEATURE) for word, size in zip(words, sizes, strict=True))
    return Value(Shape(axes, True, "float"))


def call_loss(
    run: Run,
    path: str,
    arguments: tuple[Anything, ...],
    keywords: dict[str, Anything],
    record: records.Record,
    places: Mapping[str, Any],
    is_partial: bool,
) -> Anything:
    """A loss as a function is the loss layer with the function's options."""
    front, _, short = path.rpartition(".")
    name = layers.FUNCTIONAL_LOSSES.get(short) if front == "torch.nn.functional" else None
    kind = layers.find(f"torch.nn.{name}") if name is not None else None
    if kind is None:
        return None
    inputs = {parameter.name for parameter in kind.inputs}
    options = {key: operand(value) for key, value in keywords.items() if key not in inputs and key != "weight"}
    known = {parameter.name for parameter in kind.parameters}
    built = layers.build(kind, (), {key: value for key, value in options.items() if key in known})
    if built.spec is None:
        return None
    rest = {key: value for key, value in keywords.items() if key in inputs}
    layer = LayerObject(Layer(built.spec, short, run.place(record)))
    return call_layer(run, layer, arguments[: len(inputs)], rest, record, places, is_partial=is_partial)


_POOLS: Final = {
    f"{function}{count}d": f"{layer}{count}d"
    for function, layer in (
        ("max_pool", "MaxPool"),
        ("avg_pool", "AvgPool"),
        ("adaptive_max_pool", "AdaptiveMaxPool"),
        ("adaptive_avg_pool", "AdaptiveAvgPool"),
    )
    for count in (1, 2)
}
_SHARED_OPTIONS: Final = 3
"""As many options of a pool stand in one order in the function and in the layer."""


def call_pool(
    run: Run,
    path: str,
    arguments: tuple[Anything, ...],
    keywords: dict[str, Anything],
    record: records.Record,
    places: Mapping[str, Any],
    is_partial: bool,
) -> Anything:
    """A pool as a function is the pooling layer with the function's options."""
    front, _, short = path.rpartition(".")
    name = _POOLS.get(short) if front in ("torch.nn.functional", "torch") else None
    kind = layers.find(f"torch.nn.{name}") if name is not None else None
    if kind is None or is_partial or len(arguments) > 1 + _SHARED_OPTIONS:
        return None
    options = {key: operand(value, number=True) for key, value in keywords.items() if key != "input"}
    built = layers.build(kind, tuple(operand(value, number=True) for value in arguments[1:]), options)
    if built.spec is None:
        return None
    layer = LayerObject(Layer(built.spec, short, run.place(record)))
    given = {key: value for key, value in keywords.items() if key == "input"}
    return call_layer(run, layer, arguments[:1], given, record, places)


def call_packing(
    run: Run,
    path: str,
    arguments: tuple[Anything, ...],
    keywords: dict[str, Anything],
    record: records.Record,
    places: Mapping[str, Any],
    is_partial: bool,
) -> Anything:
    """pack_padded_sequence and what belongs to it; a value that may be packed is believed to be."""
    short = path.rpartition(".")[2]
    first = arguments[0] if arguments else keywords.get("input", keywords.get("sequence"))
    if is_partial:
        return Opaque()
    if isinstance(first, Choice):
        packed = [option for option in first.options if isinstance(option, Value) and isinstance(option.shape, Packed)]
        first = packed[0] if packed else Opaque()
        arguments = (first, *arguments[1:])
    if isinstance(first, Opaque):
        if short == "pad_packed_sequence":
            return (Value(Shape.unknown(2)), Opaque("lengths"))
        first = first.as_tensor()
        arguments = (first, *arguments[1:])
    if short == "pad_packed_sequence" and isinstance(first, Value) and first.id in run.doubtful:
        return (_padded(first, keywords, arguments), Opaque("lengths"))
    lengths = arguments[1] if len(arguments) > 1 else keywords.get("lengths")
    arguments = tuple(_unlisted(value) for value in arguments)
    keywords = {name: _unlisted(value) for name, value in keywords.items()}
    args = tuple(operand(value, tensor=at == 0) for at, value in enumerate(arguments))
    kwargs = {name: operand(value) for name, value in keywords.items()}
    outcome = layers.FUNCTIONS[path](args, kwargs)
    names = {
        "pack_padded_sequence": ("input", "lengths", "batch_first", "enforce_sorted"),
        "pad_packed_sequence": ("sequence", "batch_first", "padding_value", "total_length"),
    }.get(short, ("sequences", "batch_first"))
    given = {
        names[at]: Given(seen(value), places.get(str(at))) for at, value in enumerate(arguments) if at < len(names)
    } | {name: Given(seen(value), places.get(name)) for name, value in keywords.items()}
    packed = operations.conclude(run, PackCalled, outcome, given, record, name=short)
    if isinstance(packed, Value) and isinstance(packed.shape, Packed) and isinstance(lengths, Opaque):
        _note_lengths(run, lengths, packed.shape.batch)
    return packed


def _note_lengths(run: Run, lengths: Opaque, batch: Axis) -> None:
    """What a batch was packed with is a list of lengths or, should it be used as one, a tensor of one axis."""
    if lengths.tensor is None and lengths.made_of is None and lengths.number is None:
        run.journal.write(lengths, "made_of", (lambda: None, lambda: Value(Shape((batch,), dtype="int"))))


def _unlisted(value: Anything) -> Anything:
    """The tensor whose numbers a list holds: lengths may be given as either."""
    return value.parts.get("listed", value) if isinstance(value, Opaque) else value


def _padded(value: Value, keywords: dict[str, Anything], arguments: tuple[Anything, ...]) -> Value:
    """What pad_packed_sequence makes of something that was taken for a tensor and is packed: only its width is known."""
    last = value.shape.axis(-1) if isinstance(value.shape, Shape) else None
    return Value(Shape((Axis.new("?"), Axis.new("?"), last))) if last is not None else Value(Shape.unknown(2))
