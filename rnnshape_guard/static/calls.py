"""Calls: of functions and classes of the program, of layers, of tensor operations, of Python's own functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rnnshape_guard import layers, ops
from rnnshape_guard.events import (
    CellCalled,
    Called,
    Combined,
    Computed,
    Contracted,
    Created,
    Given,
    Layer,
    LayerBuilt,
    LayerCalled,
    LossCalled,
    Operated,
    PackCalled,
    RecurrentBuilt,
    RecurrentCalled,
    Reduced,
    Reordered,
    Reshaped,
    Selected,
    Seen,
    Value,
)
from rnnshape_guard.ops import Kind
from rnnshape_guard.shapes.axes import Axis, Role, Shape
from rnnshape_guard.shapes.dims import Dim
from rnnshape_guard.shapes.outcomes import UNKNOWN, Fault, Misfit, Operand, Outcome, Packed
from rnnshape_guard.static import configs, evidence, expressions, functions, iteration, records
from rnnshape_guard.static.builtins import BUILTINS, call_builtin
from rnnshape_guard.static.joins import choose, join_all
from rnnshape_guard.static.operands import operand, seen, state_value, value_of
from rnnshape_guard.static.run import Frame, Run
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
    Partial,
    ShapeOf,
    SuperOf,
)

RECURRENT: Final = ("RNN", "LSTM", "GRU")
_CELLS: Final = ("RNNCell", "LSTMCell", "GRUCell")
_CONTAINERS: Final = ("Sequential", "ModuleList", "ModuleDict", "ParameterList", "ParameterDict")

_EVENTS: Final[dict[Kind, type[Operated]]] = {
    Kind.REORDER: Reordered,
    Kind.RESHAPE: Reshaped,
    Kind.SELECT: Selected,
    Kind.COMBINE: Combined,
    Kind.REDUCE: Reduced,
    Kind.CREATE: Created,
    Kind.ELEMENTWISE: Computed,
    Kind.CONTRACT: Contracted,
    Kind.MEASURE: Computed,
}

_TRANSPARENT: Final = frozenset(
    """torch.nn.Parameter torch.nn.parameter.Parameter torch.autograd.Variable torch.nn.utils.weight_norm
    torch.nn.utils.spectral_norm torch.nn.utils.parametrizations.weight_norm torch.compile torch.jit.script
    torch.nn.DataParallel torch.nn.parallel.DistributedDataParallel copy.copy copy.deepcopy torch.as_tensor
    torch.nn.utils.parametrizations.orthogonal torch.nn.init.xavier_uniform_ torch.nn.init.xavier_normal_
    torch.nn.init.orthogonal_ torch.nn.init.uniform_ torch.nn.init.normal_ torch.nn.init.constant_
    torch.nn.init.zeros_ torch.nn.init.kaiming_uniform_ torch.nn.init.kaiming_normal_""".split()
)
"""Functions that give back their first argument, or something of its shape."""

_CERTAIN: Final = frozenset(
    """permute view unsqueeze contiguous unbind masked_fill matmul bmm gather index_select dim detach view_as expand
    expand_as cuda squeeze new_zeros new_ones new_full chunk transpose t narrow size softmax log_softmax""".split()
)
"""Methods that only a tensor has, or that mean the same where something else has them."""

_SIZES: Final = frozenset(
    """input_size hidden_size num_layers proj_size in_features out_features num_embeddings embedding_dim in_channels
    out_channels num_features embed_dim num_heads d_model nhead in1_features in2_features num_groups
    num_channels""".split()
)
_FLAGS: Final = frozenset({"bias", "batch_first", "bidirectional"})

_SAME_OBJECT: Final = frozenset(
    """to cuda cpu float double half train eval requires_grad_ apply share_memory type bfloat16 compile""".split()
)


# -- the call itself ------------------------------------------------------------------------------------------------


def call_expression(run: Run, frame: Frame, expression: records.Call) -> Anything:
    """Evaluate what is called and with what, and call it."""
    function = expression.function
    if isinstance(function, records.Name) and function.id == "super" and frame.find("super") is not None:
        return _super(run, frame, expression)
    called = expressions.evaluate(run, frame, function)
    arguments, keywords, places, is_partial = _arguments(run, frame, expression)
    if isinstance(function, records.Attribute) and isinstance(called, Opaque):
        holder = expressions.evaluate(run, frame, function.value) if _is_plain(function.value) else None
        tensor = _as_tensor(run, holder, function.name, arguments)
        if tensor is not None:
            called = BoundName(tensor, function.name)
    if isinstance(called, BoundName) and isinstance(called.receiver, Value | tuple) and isinstance(function, records.Attribute):
        places = {"self": run.place(function.value), **places}
    return call_value(run, called, arguments, keywords, expression, is_partial=is_partial, places=places)


def _is_plain(expression: records.Expression) -> bool:
    """Whether evaluating twice is harmless."""
    match expression:
        case records.Name():
            return True
        case records.Attribute():
            return _is_plain(expression.value)
        case records.Subscript():
            return _is_plain(expression.value) and all(isinstance(item, records.Constant) for item in expression.items)
    return False


def _as_tensor(run: Run, holder: Anything, name: str, arguments: tuple[Anything, ...]) -> Value | None:
    """An unknown value is a tensor where a method is called that only tensors have."""
    if not isinstance(holder, Opaque) or not holder.spelling:
        return None
    if holder.tensor is not None:
        return holder.tensor if ops.find(f"Tensor.{name}") is not None else None
    if name not in _CERTAIN or (name == "transpose" and len(arguments) != 2):
        return None
    tensor = holder.as_tensor()
    run.doubtful.add(tensor.id)
    return tensor


def _arguments(
    run: Run, frame: Frame, expression: records.Call
) -> tuple[tuple[Anything, ...], dict[str, Anything], dict[str, Any], bool]:
    arguments: list[Anything] = []
    keywords: dict[str, Anything] = {}
    places: dict[str, Any] = {}
    is_partial = False
    for argument in expression.arguments:
        value = expressions.evaluate(run, frame, argument.value)
        if argument.star == "*":
            known = expressions.spread(run, value, argument.value)
            is_partial |= known is None
            arguments += known or []
        elif argument.star == "**":
            if isinstance(value, DictValue):
                keywords.update({key: one for key, one in value.items.items() if isinstance(key, str)})
                is_partial |= value.is_open
            else:
                is_partial = True
        elif argument.keyword is not None:
            keywords[argument.keyword] = value
            places[argument.keyword] = run.place(argument.value)
        else:
            places[str(len(arguments))] = run.place(argument.value)
            arguments.append(value)
    return tuple(arguments), keywords, places, is_partial


def call_value(
    run: Run,
    called: Anything,
    arguments: tuple[Anything, ...],
    keywords: dict[str, Anything],
    record: records.Record,
    *,
    is_partial: bool = False,
    places: Mapping[str, Any] | None = None,
) -> Anything:
    """Call a value. `places` maps argument positions ("0", "1", …) and keywords to where they stand."""
    places = places or {}
    match called:
        case FunctionObject():
            return functions.call_function(run, called, arguments, keywords, record, is_partial=is_partial)
        case Method():
            given = (called.receiver, *arguments)
            return functions.call_function(run, called.function, given, keywords, record, is_partial=is_partial)
        case ClassObject():
            return functions.construct(run, called, arguments, keywords, record, is_partial=is_partial)
        case Instance():
            return functions.call_instance(run, called, arguments, keywords, record, is_partial=is_partial)
        case LayerObject():
            return call_layer(run, called, arguments, keywords, record, places, is_partial=is_partial)
        case DynamicLayer():
            return choose(
                *(call_layer(run, one, arguments, keywords, record, places, is_partial=is_partial) for one in called.options)
            )
        case External():
            return _call_external(run, called.path, arguments, keywords, record, places, is_partial)
        case BoundName():
            return _call_bound(run, called, arguments, keywords, record, places, is_partial)
        case Partial():
            merged = {**called.keywords, **keywords}
            return call_value(
                run, called.function, (*called.arguments, *arguments), merged, record, is_partial=is_partial
            )
        case Choice():
            return _call_choice(run, called, arguments, keywords, record, places, is_partial)
    for value in (*arguments, *keywords.values()):
        if isinstance(value, FunctionObject):
            run.escaped.append(value)
    return Opaque()


def _call_choice(
    run: Run,
    called: Choice,
    arguments: tuple[Anything, ...],
    keywords: dict[str, Anything],
    record: records.Record,
    places: Mapping[str, Any],
    is_partial: bool,
) -> Anything:
    """Each thing that may be called is called; constructing one of several layers gives a layer of dynamic kind."""
    options = [option for option in called.options if option is not None]
    if len(options) > 1 and all(isinstance(option, External) and layers.find(option.path) for option in options):
        built = [
            build_layer(run, option.path, arguments, keywords, record, is_partial=is_partial, places=places)
            for option in options
        ]
        return DynamicLayer(tuple(one for one in built if isinstance(one, LayerObject)))
    if not options:
        return Opaque()
    run.branches += 1
    number = run.branches
    results = []
    for side, option in enumerate(options):
        mark = run.journal.mark()
        with run.branch(number, side):
            results.append(
                call_value(run, option, arguments, keywords, record, is_partial=is_partial, places=places)
            )
        if side < len(options) - 1:
            run.journal.undo(mark)
    return choose(*results) if not all(isinstance(one, Value | tuple) for one in results) else join_all(results)


def _super(run: Run, frame: Frame, expression: records.Call) -> Anything:
    arguments = [expressions.evaluate(run, frame, argument.value) for argument in expression.arguments]
    enclosing: Frame | None = frame
    while enclosing is not None and (enclosing.function is None or enclosing.function.owner is None):
        enclosing = enclosing.parent
    owner = enclosing.function.owner if enclosing is not None and enclosing.function is not None else None
    receiver = arguments[1] if len(arguments) > 1 else enclosing.receiver if enclosing is not None else None
    cls = arguments[0] if arguments and isinstance(arguments[0], ClassObject) else owner
    return SuperOf(cls, receiver) if isinstance(cls, ClassObject) and receiver is not None else Opaque()


# -- layers ---------------------------------------------------------------------------------------------------------


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
    event = RecurrentBuilt if kind.name in RECURRENT else LayerBuilt
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


def _constructor_operand(run: Run, value: Anything, name: str) -> Operand:
    if isinstance(value, Opaque) and value.tensor is None:
        if name in _FLAGS:
            symbol = value.as_number().symbol
            if symbol is not None:
                symbol.flag = True
                truth = run.assumed.get(f"flag:{symbol.name}")
                if name == "batch_first" or truth is not None:
                    run.test(f"flag:{symbol.name}", symbol.name, symbol)
                    run.tests[f"flag:{symbol.name}"].in_layer = True
                if truth is not None:
                    return truth
            return value.as_number()
        if name in _SIZES:
            return value.as_number() if value.spelling else UNKNOWN
    if name in _FLAGS and isinstance(value, Dim) and value.symbol is not None:
        truth = run.assumed.get(f"flag:{value.symbol.name}")
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
        children = DictValue(dict(first.items), first.is_open) if isinstance(first, DictValue) else DictValue({}, first is not None)
        if isinstance(first, ListValue) and first.is_known:
            pairs = [item for item in first.items if isinstance(item, tuple) and len(item) == 2]
            children = DictValue({expressions.plain_key(key): value for key, value in pairs}, len(pairs) < len(first.items))
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
    return LayerObject(layer, children)


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
    spec: Any = called.layer.spec
    kind = spec.kind
    if called.children is not None:
        return _call_container(run, called, arguments, keywords, record, places)
    parameters = layers.KINDS[kind].inputs
    names = [parameter.name for parameter in parameters if not parameter.keyword_only]
    args = tuple(_call_operand(run, value, at, kind) for at, value in enumerate(arguments))
    kwargs = {
        name: _call_operand(run, value, 0 if name in ("input", "query") else 1, kind) for name, value in keywords.items()
    }
    outcome = layers.call(spec, args, kwargs, partial=is_partial)
    given = {
        (names[at] if at < len(names) else f"argument {at + 1}"): Given(seen(value), places.get(str(at)))
        for at, value in enumerate(arguments)
    } | {name: Given(seen(value), places.get(name)) for name, value in keywords.items()}
    event: type[Called] = LayerCalled
    if kind in RECURRENT:
        event = RecurrentCalled
    elif kind in _CELLS:
        event = CellCalled
    elif kind.endswith("Loss"):
        return conclude(run, LossCalled, outcome, given, record, name=kind)
    first = given.get("input")
    doubtful = first is not None and isinstance(first.seen, Value) and first.seen.id in run.doubtful
    result = conclude(run, event, outcome, given, record, layer=called.layer)
    if doubtful and kind in RECURRENT and isinstance(result, tuple) and isinstance(result[0], Value):
        run.doubtful.add(result[0].id)
    return result


def _call_operand(run: Run, value: Anything, at: int, kind: str) -> Operand:
    if isinstance(value, Opaque) and value.tensor is None and at == 0:
        tensor = value.as_tensor()
        run.doubtful.add(tensor.id)
        return tensor.shape
    if isinstance(value, Choice):
        return _likely(value, kind)
    if isinstance(value, tuple):
        return tuple(_call_operand(run, part, 1, kind) for part in value)
    if isinstance(value, ListValue) and value.is_known:
        return tuple(_call_operand(run, part, 1, kind) for part in value.items)
    return operand(value)


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
    if spec.kind != "Sequential" or len(arguments) != 1 or not isinstance(called.children, ListValue):
        return Opaque()
    value = arguments[0]
    children = called.children
    for child in children.items:
        value = call_value(run, child, (value,), {}, record, places=places)
        places = {"0": run.place(record)}
    if children.tail is not None:
        before = value
        value = call_value(run, children.tail, (before,), {}, record, places=places)
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


# -- operations -----------------------------------------------------------------------------------------------------


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
    run.learn(outcome.learned, run.place(record))
    number = run.next_event
    result = state_value(outcome.result, number) if kind is RecurrentCalled else value_of(outcome.result, number)
    run.emit(kind, record, given=given, misfits=outcome.misfits, result=seen(result), **fields)
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
            args.append(operand(value, number=takes_sizes and not (alone and isinstance(value, Opaque))))
    kwargs = {name: operand(value, number=takes_sizes) for name, value in keywords.items()}
    bound, outcome = ops.perform(operation, args, kwargs)
    given = _given(operation, bound, arguments, keywords, places)
    result = conclude(
        run, _EVENTS[operation.kind], outcome, given, record, name=_short(operation), in_place=operation.inplace
    )
    if makes:
        evidence.read_made(run, result, arguments, keywords, record)
    return result


def _short(operation: ops.Operation) -> str:
    """PyTorch's word for an operation, whether it was called as a function or a method."""
    return operation.name.rpartition(".")[2]


def _first_operand(run: Run, value: Anything) -> Operand:
    if isinstance(value, Opaque) and value.tensor is None and value.spelling:
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
    order = [parameter.name for parameter in operation.parameters]
    shift = 1 if "self" in places else 0
    given: dict[str, Given] = {}
    many = next((at for at, parameter in enumerate(operation.parameters) if parameter.many), None)
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
            place = places.get(str(many - shift)) if many is not None and name == order[many] else None
            given[name] = Given(value, place)
    return given


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
        return Value(Shape.unknown()) if items and isinstance(items[0], Dim) and items[0].value == 0 else Opaque()
    operands = tuple(operand(item) for item in items)
    outcome = ops.index(value.shape, operands)
    holder = record.value if isinstance(record, records.Subscript) else record
    kept: Seen = tuple(item if item is ... else seen(item) for item in items)
    given = {"input": Given(value, run.place(holder)), "items": Given(kept, run.place(record))}
    return conclude(run, Selected, outcome, given, record, name="index")


def unpack_tensor(run: Run, value: Value, count: int, record: records.Record) -> list[Anything]:
    """Unpacking a tensor gives its rows; a packed sequence gives its parts."""
    if isinstance(value.shape, Packed):
        return [Value(Shape.unknown()) if at == 0 else Opaque() for at in range(count)]
    return [value_of(ops.index(value.shape, (Dim.of(at),)).result, value.made_by) for at in range(count)]


# -- by name --------------------------------------------------------------------------------------------------------


def external(path: str) -> External:
    """Something of another package, under its canonical name."""
    for short, long in (("torch.nn.functional.", "torch.nn.functional."), ("torch.functional.", "torch.")):
        if path.startswith(short):
            return External(long + path[len(short) :])
    return External(path)


def _call_external(
    run: Run,
    path: str,
    arguments: tuple[Anything, ...],
    keywords: dict[str, Anything],
    record: records.Record,
    places: Mapping[str, Any],
    is_partial: bool,
) -> Anything:
    if path.startswith("builtins."):
        return call_builtin(run, path[9:], arguments, keywords, record)
    if layers.find(path) is not None:
        return build_layer(run, path, arguments, keywords, record, is_partial=is_partial, places=places)
    if path in _TRANSPARENT and arguments:
        return arguments[0]
    if path in layers.FUNCTIONS:
        return _call_packing(run, path, arguments, keywords, record, places, is_partial)
    short = path.rpartition(".")[2]
    if path == "functools.partial" and arguments:
        return Partial(arguments[0], arguments[1:], keywords)
    if path in ("collections.OrderedDict", "collections.defaultdict", "types.SimpleNamespace", "argparse.Namespace"):
        return _namespace(run, short, arguments, keywords)
    if path == "argparse.ArgumentParser":
        return configs.Parser()
    if short in ("zip_longest", "chain", "product", "islice", "tqdm", "trange", "track"):
        return _wrapped_iterable(run, short, arguments, record)
    if path == "torch.utils.data.DataLoader":
        return configs.load_data(arguments, keywords, record)
    if path == "torch.utils.data.TensorDataset":
        return configs.Tensors(arguments)
    loss = _functional_loss(run, path, arguments, keywords, record, places, is_partial)
    if loss is not None:
        return loss
    operation = ops.find(path)
    if operation is not None and not is_partial:
        return perform(run, operation, arguments, keywords, record, places)
    for value in (*arguments, *keywords.values()):
        if isinstance(value, FunctionObject):
            run.escaped.append(value)
    return Value(Shape.unknown()) if operation is not None else Opaque()


_LOSSES: Final = {
    "cross_entropy": "CrossEntropyLoss",
    "nll_loss": "NLLLoss",
    "mse_loss": "MSELoss",
    "l1_loss": "L1Loss",
    "smooth_l1_loss": "SmoothL1Loss",
    "huber_loss": "HuberLoss",
    "binary_cross_entropy": "BCELoss",
    "binary_cross_entropy_with_logits": "BCEWithLogitsLoss",
    "kl_div": "KLDivLoss",
    "ctc_loss": "CTCLoss",
}


def _functional_loss(
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
    name = _LOSSES.get(short) if front == "torch.nn.functional" else None
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


def _call_packing(
    run: Run,
    path: str,
    arguments: tuple[Anything, ...],
    keywords: dict[str, Anything],
    record: records.Record,
    places: Mapping[str, Any],
    is_partial: bool,
) -> Anything:
    short = path.rpartition(".")[2]
    first = arguments[0] if arguments else keywords.get("input", keywords.get("sequence"))
    if is_partial:
        return Opaque()
    if isinstance(first, Opaque):
        if short == "pad_packed_sequence":
            return (Value(Shape.unknown(2)), Opaque("lengths"))
        first = first.as_tensor()
        arguments = (first, *arguments[1:])
    if short == "pad_packed_sequence" and isinstance(first, Value) and first.id in run.doubtful:
        return (_padded(first, keywords, arguments), Opaque("lengths"))
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
    return conclude(run, PackCalled, outcome, given, record, name=short)


def _padded(value: Value, keywords: dict[str, Anything], arguments: tuple[Anything, ...]) -> Value:
    """What pad_packed_sequence makes of something that was taken for a tensor and is packed: only its width is known."""
    last = value.shape.axis(-1) if isinstance(value.shape, Shape) else None
    return Value(Shape((Axis.new("?"), Axis.new("?"), last))) if last is not None else Value(Shape.unknown(2))


def _namespace(run: Run, short: str, arguments: tuple[Anything, ...], keywords: dict[str, Anything]) -> Anything:
    if short in ("SimpleNamespace", "Namespace"):
        return configs.namespace(keywords)
    items: dict[Any, Anything] = {}
    is_open = short == "defaultdict"
    for argument in arguments[:1]:
        if isinstance(argument, ListValue) and argument.is_known:
            for pair in argument.items:
                if isinstance(pair, tuple) and len(pair) == 2:
                    items[expressions.plain_key(pair[0])] = pair[1]
        elif isinstance(argument, DictValue):
            items.update(argument.items)
        else:
            is_open = True
    return DictValue({**items, **keywords}, is_open)


def _wrapped_iterable(run: Run, short: str, arguments: tuple[Anything, ...], record: records.Record) -> Anything:
    if short == "trange" and arguments:
        return call_builtin(run, "range", arguments, {}, record)
    if short in ("tqdm", "track") and arguments:
        return arguments[0]
    if short == "zip_longest":
        return iteration.zipped(run, list(arguments), record)
    return Opaque()


# -- bound names ----------------------------------------------------------------------------------------------------


def _call_bound(
    run: Run,
    called: BoundName,
    arguments: tuple[Anything, ...],
    keywords: dict[str, Anything],
    record: records.Record,
    places: Mapping[str, Any],
    is_partial: bool,
) -> Anything:
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
    return conclude(run, _EVENTS[operation.kind], outcome, given, record, name=_short(operation))


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
        return receiver if name in _SAME_OBJECT | {"pin_memory"} else Opaque()
    if name == "size":
        if not arguments and not keywords:
            return ShapeOf(receiver)
        index = arguments[0] if arguments else keywords.get("dim")
        number = index.value if isinstance(index, Dim) else None
        return Opaque("size") if number is None else expressions.size_at(run, receiver, number)
    if name in ("dim", "ndimension"):
        rank = receiver.shape.rank
        return Opaque("dim") if rank is None else Dim.of(rank)
    if name in ("backward", "register_hook", "retain_grad", "numpy", "tolist", "item"):
        return receiver if name == "numpy" else Opaque()
    operation = ops.find(f"Tensor.{name}")
    if operation is None or is_partial:
        return Opaque()
    result = perform(run, operation, (receiver, *arguments), keywords, record, places)
    if receiver.id in run.doubtful and isinstance(result, Value) and name in ("to", "float", "cuda", "contiguous"):
        run.doubtful.add(result.id)
    return result


def _call_list(run: Run, receiver: ListValue, name: str, arguments: tuple[Anything, ...], record: records.Record) -> Anything:
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
            run.journal.write(receiver, "tail", more.tail if receiver.tail is None else join_all([receiver.tail, more.tail]))
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
            pairs: list[Anything] = [(Dim.of(key) if type(key) is int else key, value) for key, value in receiver.items.items()]
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
        return call_layer(run, receiver, arguments, keywords, record, places, is_partial=is_partial)
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
        return call_layer(run, instance.layer, arguments, keywords, record, places, is_partial=is_partial)
    if name in functions.MODULE_METHODS:
        return _call_instance_method(run, instance, name, arguments, keywords, record, places, is_partial)
    return Opaque()
