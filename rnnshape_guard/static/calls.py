"""Calls: of functions and classes of the program, of layers, of tensor operations, of Python's own functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rnnshape_guard import layers, ops
from rnnshape_guard.events import (
    Value,
)
from rnnshape_guard.shapes.axes import Shape
from rnnshape_guard.shapes.dims import Dim
from rnnshape_guard.static import (
    attributes,
    configs,
    contracts,
    expressions,
    fields,
    functions,
    iteration,
    layer_calls,
    methods,
    operations,
    records,
)
from rnnshape_guard.static.builtins import call_builtin
from rnnshape_guard.static.joins import choose, join_all
from rnnshape_guard.static.run import MISSING, Frame, Run
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
    SuperOf,
)

_TRANSPARENT: Final = layers.WRAPPERS | frozenset(
    """torch.nn.Parameter torch.nn.parameter.Parameter torch.autograd.Variable copy.copy copy.deepcopy torch.as_tensor numpy.asarray
    torch.nn.init.xavier_uniform_ torch.nn.init.xavier_normal_ torch.nn.init.orthogonal_ torch.nn.init.uniform_
    torch.nn.init.normal_ torch.nn.init.constant_ torch.nn.init.zeros_ torch.nn.init.kaiming_uniform_
    torch.nn.init.kaiming_normal_""".split()
)
"""Functions that give back their first argument, or something of its shape."""

_WORD_METHODS: Final = (".lower", ".upper", ".strip", ".title")
"""Methods that give the same word for the same unknown word."""

_CERTAIN: Final = frozenset(
    """permute view reshape swapaxes unsqueeze contiguous unbind masked_fill matmul bmm gather index_select dim detach
    view_as expand expand_as cuda squeeze new_zeros new_ones new_full chunk transpose t narrow size softmax log_softmax transpose_ t_
    squeeze_ unsqueeze_ swapaxes_ swapdims_ argsort repeat_interleave ne eq""".split()
)
"""Methods that only a tensor has, or that mean the same where something else has them."""

_POINTWISE: Final = frozenset("float double half long int short clone log log1p exp sqrt abs neg".split())
_POINTWISE_WITH: Final = frozenset("sub add mul div clamp clip".split())
"""Methods that leave a tensor its axes, the second with a number beside it."""

_TURNS_ITSELF: Final = frozenset({"transpose_", "t_", "squeeze_", "unsqueeze_", "swapaxes_", "swapdims_"})
"""Methods after which a tensor has other axes than before."""

# -- the call itself ------------------------------------------------------------------------------------------------


def call_expression(run: Run, frame: Frame, expression: records.Call) -> Anything:
    """Evaluate what is called and with what, and call it."""
    function = expression.function
    if isinstance(function, records.Name) and function.id == "super" and frame.find("super") is not None:
        return _super(run, frame, expression)
    holder: Anything = None
    if isinstance(function, records.Attribute):
        holder = expressions.evaluate(run, frame, function.value)
        called = attributes.attribute(run, holder, function.name, function)
    else:
        called = expressions.evaluate(run, frame, function)
    match called, expression.arguments:
        case External(path="builtins.zip"), (records.Argument(star="*", value=rows),):
            columns = iteration.columns(run, expressions.evaluate(run, frame, rows), expression)
            if columns is not None:
                return columns
    arguments, keywords, places, is_partial = _arguments(run, frame, expression)
    if isinstance(function, records.Attribute) and isinstance(called, Opaque):
        tensor = _as_tensor(run, holder, function.name, arguments, keywords)
        if tensor is not None:
            called = BoundName(tensor, function.name)
        elif isinstance(holder, Opaque) and holder.spelling and _is_pointwise(function.name, arguments):
            return _with_axes_of(holder)
    if (
        isinstance(called, BoundName)
        and isinstance(called.receiver, Value | tuple)
        and isinstance(function, records.Attribute)
    ):
        places = {"self": run.place(function.value), **places}
    result = call_value(run, called, arguments, keywords, expression, is_partial=is_partial, places=places)
    if isinstance(called, BoundName) and called.name in _TURNS_ITSELF and isinstance(called.receiver, Value):
        _rebind(run, frame, called.receiver, result)
    return result


def _rebind(run: Run, frame: Frame, before: Value, after: Anything) -> None:
    """A tensor was turned in place: every name that held it holds it as it is now."""
    current: Frame | None = frame
    while current is not None:
        for name, value in list(current.names.items()):
            if value is before or (isinstance(value, Opaque) and value.tensor is before):
                run.journal.put(current.names, name, after)
        current = current.parent


def _as_tensor(
    run: Run, holder: Anything, name: str, arguments: tuple[Anything, ...], keywords: dict[str, Anything]
) -> Value | None:
    """An unknown value is a tensor where a method is called that only tensors have."""
    if not isinstance(holder, Opaque) or not holder.spelling:
        return None
    if holder.tensor is not None:
        return holder.tensor if ops.find(f"Tensor.{name}") is not None else None
    # A list sorts itself without any argument that stands for itself, and knows other words.
    is_certain = name in _CERTAIN or (name == "sort" and (bool(arguments) or not keywords.keys() <= {"key", "reverse"}))
    if not is_certain or (name == "transpose" and len(arguments) != 2):
        return None
    tensor = holder.as_tensor()
    run.doubtful.add(tensor.id)
    return tensor


def _is_pointwise(name: str, arguments: tuple[Anything, ...]) -> bool:
    if not arguments:
        return name in _POINTWISE
    return name in _POINTWISE_WITH and all(isinstance(one, Dim | float) for one in arguments)


def _with_axes_of(holder: Opaque) -> Opaque:
    """Something unknown that has, if it is a tensor, the axes of another."""
    result = Opaque(holder.spelling)
    result.made_of = (lambda: None, holder.as_tensor)
    return result


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
            return layer_calls.call_layer(run, called, arguments, keywords, record, places, is_partial=is_partial)
        case DynamicLayer():
            return layer_calls.call_dynamic(run, called, arguments, keywords, record, places, is_partial=is_partial)
        case External():
            return _call_external(run, called.path, arguments, keywords, record, places, is_partial)
        case BoundName():
            return methods.call_bound(run, called, arguments, keywords, record, places, is_partial)
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
    operations.hand_over(run, (*arguments, *keywords.values()), record, places)
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
    kinds = [layers.find(option.path) if isinstance(option, External) else None for option in options]
    if len(options) > 1 and None not in kinds:
        built = [
            layer_calls.build_layer(run, option.path, arguments, keywords, record, is_partial=is_partial, places=places)
            for option, kind in zip(options, kinds, strict=True)
            if is_partial or _is_complete(kind, len(arguments), keywords)
        ]
        known = [one for one in built if isinstance(one, LayerObject)]
        return layer_calls.one_of_several(known, called.key or f"kind of {id(record)} is ") if known else Opaque()
    if not options:
        return Opaque()
    alike = layer_calls.alike(options, f"kind of {id(record)} is ")
    if alike is not None:
        return layer_calls.call_dynamic(run, alike, arguments, keywords, record, places, is_partial=is_partial)
    run.branches += 1
    number = run.branches
    results = []
    for side, option in enumerate(options):
        mark = run.journal.mark()
        with run.branch(number, side), run.doubting():
            results.append(call_value(run, option, arguments, keywords, record, is_partial=is_partial, places=places))
        if side < len(options) - 1:
            run.journal.take_back(mark)
    return choose(*results) if not all(isinstance(one, Value | tuple) for one in results) else join_all(results)


def _is_complete(kind: layers.LayerKind[Any] | None, positional: int, keywords: Mapping[str, Anything]) -> bool:
    """Whether a layer can be built of what is given: `getattr(nn, name)()` gives no LSTM, whatever the name."""
    if kind is None:
        return False
    places = [parameter for parameter in kind.parameters if not parameter.keyword_only]
    return all(one.default is not layers.REQUIRED or one.name in keywords for one in places[positional:])


def _super(run: Run, frame: Frame, expression: records.Call) -> Anything:
    arguments = [expressions.evaluate(run, frame, argument.value) for argument in expression.arguments]
    enclosing: Frame | None = frame
    while enclosing is not None and (enclosing.function is None or enclosing.function.owner is None):
        enclosing = enclosing.parent
    owner = enclosing.function.owner if enclosing is not None and enclosing.function is not None else None
    receiver = arguments[1] if len(arguments) > 1 else enclosing.receiver if enclosing is not None else None
    cls = arguments[0] if arguments and isinstance(arguments[0], ClassObject) else owner
    return SuperOf(cls, receiver) if isinstance(cls, ClassObject) and receiver is not None else Opaque()


# -- by name --------------------------------------------------------------------------------------------------------


def external(path: str) -> External:
    """Something of another package, under its canonical name."""
    for short, long in (("torch.nn.functional.", "torch.nn.functional."), ("torch.functional.", "torch.")):
        if path.startswith(short):
            return External(long + path[len(short) :])
    return External(path)


_GENERATORS: Final = {
    "numpy.random.default_rng": "numpy.random.Generator",
    "numpy.random.RandomState": "numpy.random.RandomState",
}
"""What makes a generator of random numbers, and the class it is of: its methods are known by their names alone."""


def _call_external(
    run: Run,
    path: str,
    arguments: tuple[Anything, ...],
    keywords: dict[str, Anything],
    record: records.Record,
    places: Mapping[str, Any],
    is_partial: bool,
) -> Anything:
    short = path.rpartition(".")[2]
    by_fields = fields.call(run, path, arguments, keywords, record, is_partial)
    if by_fields is not MISSING:
        return by_fields
    if path.startswith("builtins."):
        return call_builtin(run, path[9:], arguments, keywords, record)
    if layers.find(path) is not None:
        return layer_calls.build_layer(run, path, arguments, keywords, record, is_partial=is_partial, places=places)
    if path in _TRANSPARENT and arguments and not (short in ("as_tensor", "asarray") and _is_data(arguments[0])):
        return arguments[0]
    if path in contracts.SHAPED and arguments:
        return contracts.shaped(run, arguments[0], record)
    if path in layers.FUNCTIONS:
        return layer_calls.call_packing(run, path, arguments, keywords, record, places, is_partial)
    if path == "functools.partial" and arguments:
        return Partial(arguments[0], arguments[1:], keywords)
    if path in ("collections.OrderedDict", "collections.defaultdict", "types.SimpleNamespace", "argparse.Namespace"):
        return _namespace(run, short, arguments, keywords)
    if path == "argparse.ArgumentParser":
        return configs.Parser()
    if path in _GENERATORS:
        return External(_GENERATORS[path])
    if short in ("zip_longest", "chain", "product", "islice", "tqdm", "trange", "track"):
        return _wrapped_iterable(run, short, arguments, record)
    if path in ("random.sample", "random.choices") and arguments:
        size = arguments[1] if len(arguments) > 1 and short == "sample" else keywords.get("k")
        return configs.drawn(run, arguments[0], size, record)
    if path == "torch.utils.data.DataLoader":
        return configs.load_data(run, arguments, keywords, record)
    if path == "torch.utils.data.TensorDataset":
        return configs.Tensors(arguments)
    loss = layer_calls.call_loss(run, path, arguments, keywords, record, places, is_partial)
    if loss is not None:
        return loss
    pooled = layer_calls.call_pool(run, path, arguments, keywords, record, places, is_partial)
    if pooled is not None:
        return pooled
    operation = ops.find(path)
    if path == "numpy.argsort":  # of arrays as of tensors, with words of its own for how
        operation, keywords = ops.find("torch.argsort"), {}
    if operation is not None and not is_partial:
        return operations.perform(run, operation, arguments, keywords, record, places)
    for value in (*arguments, *keywords.values()):
        if isinstance(value, FunctionObject):
            run.escaped.append(value)
    operations.hand_over(run, (*arguments, *keywords.values()), record, places)
    return Value(Shape.unknown()) if operation is not None else Opaque()


def _is_data(value: Anything) -> bool:
    """Whether a value is a list, or a number, of which a tensor has yet to be made."""
    return isinstance(value, ListValue | tuple | Dim | float)


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
