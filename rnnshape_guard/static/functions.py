"""The program's own functions and classes: defining them, calling them, building objects."""

from __future__ import annotations

from typing import Final

from rnnshape_guard import layers
from rnnshape_guard.events import FunctionEntered, Given, Returned
from rnnshape_guard.static import (
    calls,
    configs,
    contracts,
    evidence,
    expressions,
    fields,
    layer_calls,
    operations,
    records,
    statements,
)
from rnnshape_guard.static.joins import join_all
from rnnshape_guard.static.operands import seen
from rnnshape_guard.static.run import MISSING, Frame, ModuleFrame, NodePlace, Run
from rnnshape_guard.static.values import (
    Anything,
    BoundName,
    ClassObject,
    DictValue,
    External,
    FunctionObject,
    Instance,
    ListValue,
    Method,
    Opaque,
    SuperOf,
)

_DEEPEST_CALL: Final = 14

MODULE_METHODS: Final = frozenset(
    """parameters named_parameters children modules named_modules train eval to cuda cpu float double half apply
    register_buffer register_parameter add_module zero_grad state_dict load_state_dict requires_grad_ share_memory
    register_forward_hook save_hyperparameters log log_dict type extra_repr forward __call__ print""".split()
)


# -- defining ------------------------------------------------------------------------------------------------------


def define(run: Run, frame: Frame, record: records.FunctionDef) -> Anything:
    """A function object. A decorator that is not known to keep the function makes it unknown."""
    contracts.read_definition(run, frame, record)
    decorators = tuple(_decorator(one) for one in record.decorators)
    defaults = {
        parameter.name: expressions.evaluate(run, frame, parameter.default)
        for parameter in record.parameters
        if parameter.default is not None
    }
    function = FunctionObject(
        record, frame, record.name, defaults, frame.receiver if _in_class(frame) else None, decorators
    )
    if frame.function is not None:
        run.escaped.append(function)
    return function


def _in_class(frame: Frame) -> bool:
    return isinstance(frame.receiver, ClassObject) and frame.function is None


def _decorator(expression: records.Expression) -> str:
    match expression:
        case records.Call():
            return _decorator(expression.function)
        case records.Attribute():
            return expression.name
        case records.Name():
            return expression.id
    return ""


def define_lambda(run: Run, frame: Frame, record: records.Lambda) -> FunctionObject:
    """A lambda as a function."""
    defaults = {
        parameter.name: expressions.evaluate(run, frame, parameter.default)
        for parameter in record.parameters
        if parameter.default is not None
    }
    function = FunctionObject(record, frame, "<lambda>", defaults)
    run.escaped.append(function)
    return function


def define_class(run: Run, frame: Frame, record: records.ClassDef) -> ClassObject:
    """A class: its bases evaluated, its body run for its names."""
    bases = tuple(
        expressions.evaluate(run, frame, base.value) for base in record.bases if base.keyword is None and not base.star
    )
    inner = Frame(f"{frame.scope}.{record.name}" if frame.scope else record.name, frame)
    cls = ClassObject(record, frame, record.name, bases, inner.names, run.place(record))
    inner.receiver = cls
    statements.execute(run, inner, record.body)
    if any(_decorator(one) == "dataclass" for one in record.decorators) or _is_tuple(bases):
        fields.declare(cls)
    return cls


def _is_tuple(bases: tuple[Anything, ...]) -> bool:
    return any(isinstance(base, External) and base.path == "typing.NamedTuple" for base in bases)


def kept_state(cls: ClassObject) -> frozenset[str]:
    """The attributes that methods other than the constructor assign: state that outlives a call."""
    if cls.kept is None:
        found: set[str] = set()
        for method in cls.names.values():
            if isinstance(method, FunctionObject) and method.name != "__init__":
                if isinstance(method.record, records.FunctionDef) and method.record.parameters:
                    receiver = method.record.parameters[0].name
                    if method.record.may_assign(receiver):
                        _assigned(method.record.body, receiver, found)
        cls.kept = frozenset(found)
    return cls.kept


def _assigned(body: tuple[records.Statement, ...], receiver: str, found: set[str]) -> None:
    for statement in body:
        targets: list[records.Expression] = []
        match statement:
            case records.Assign():
                targets = list(statement.targets)
            case records.AnnotatedAssign() | records.AugmentedAssign():
                targets = [statement.target]
            case records.If() | records.For() | records.While():
                _assigned(statement.body, receiver, found)
                _assigned(statement.orelse, receiver, found)
            case records.With():
                _assigned(statement.body, receiver, found)
            case records.Try():
                for part in (
                    statement.body,
                    statement.orelse,
                    statement.final,
                    *(body for _, body in statement.handlers),
                ):
                    _assigned(part, receiver, found)
        while targets:
            match targets.pop():
                case records.Sequence(items=items):
                    targets += items
                case records.Attribute(value=records.Name(id=name), name=attribute) if name == receiver:
                    found.add(attribute)


def super_method(holder: SuperOf, name: str) -> Anything:
    """``super().name``: from the classes after the one the call stands in."""
    cls = holder.receiver.cls if isinstance(holder.receiver, Instance) else holder.receiver
    line = list(cls.line()) if isinstance(cls, ClassObject) else []
    after = line[line.index(holder.cls) + 1 :] if holder.cls in line else []
    for one in after:
        if name in one.names:
            found = one.names[name]
            return Method(found, holder.receiver) if isinstance(found, FunctionObject) else found
    return BoundName(holder, name)


# -- calling -------------------------------------------------------------------------------------------------------


def call_function(
    run: Run,
    function: FunctionObject,
    arguments: tuple[Anything, ...],
    keywords: dict[str, Anything],
    record: records.Record,
    *,
    is_partial: bool = False,
) -> Anything:
    """Interpret a call. Recursion and deep nesting give unknown; so does a decorator that may change the function."""
    run.called.add(id(function.record))
    module, steps = function.frame.module, run.steps
    if (
        run.stack.count(function) > 1
        or len(run.stack) >= _DEEPEST_CALL
        or _changes(function)
        or (module is not run.main and _is_exhausted(run, function))
    ):
        operations.hand_over(run, (*arguments, *keywords.values()), record, {})
        return Opaque()
    definition = function.record
    frame = Frame(_scope(function), function.frame, function)
    frame.receiver = arguments[0] if arguments and function.owner is not None else function.frame.receiver
    _bind_parameters(run, frame, function, arguments, keywords, is_partial)
    scope, caller = run.scope, run.frame
    run.scope, run.frame = frame.scope, module
    run.stack.append(function)
    try:
        return _body(run, frame, definition, record, len(arguments), caller)
    finally:
        run.stack.pop()
        run.scope, run.frame = scope, caller
        if module is not run.main:
            run.spent[id(definition)] = run.spent.get(id(definition), 0) + steps - run.steps


_STEPS_ELSEWHERE: Final = 600
"""Steps, in all of one run, of a function of another file that leads to no recurrent layer."""
_STEPS_OF_LEADING: Final = 5_000
"""Steps, in all of one run, of one that does."""


def _is_exhausted(run: Run, function: FunctionObject) -> bool:
    """Whether a function of another file has had its share: what it gives is not followed any more."""
    spent = run.spent.get(id(function.record), 0)
    if spent <= _STEPS_ELSEWHERE or run.project is None:
        return False
    name = function.owner.name if function.owner is not None else function.name
    leads = run.project.leads(function.frame.module.file)
    return name not in leads.own or spent > _STEPS_OF_LEADING


_KEEPING: Final = frozenset(
    """staticmethod classmethod property no_grad inference_mode override torch jit_export ignore abstractmethod
    wraps autocast cached_property setter overload typechecked beartype jaxtyped guard enable_grad final export
    set_grad_enabled script_method auto_move_data torchfunc""".split()
)


def _changes(function: FunctionObject) -> bool:
    return any(name not in _KEEPING for name in function.decorators)


def _scope(function: FunctionObject) -> str:
    return f"{function.owner.name}.{function.name}" if function.owner is not None else function.name


def _body(
    run: Run,
    frame: Frame,
    definition: records.FunctionDef | records.Lambda,
    record: records.Record,
    count: int,
    caller: ModuleFrame,
) -> Anything:
    if isinstance(definition, records.Lambda):
        return expressions.evaluate(run, frame, definition.body)
    places = {one.name: run.place(one.default) for one in definition.parameters if one.default is not None}
    with run.inside(caller):
        call = run.place(record) if isinstance(record, records.Call) else None
        places |= _argument_places(run, definition, record, count)
    entered = run.emit(
        FunctionEntered,
        definition,
        given={name: Given(seen(value), places.get(name)) for name, value in frame.names.items()},
        call=call,
    )
    run.calls.append((entered.id, frame.receiver))
    try:
        return _followed(run, frame, definition, places)
    finally:
        run.calls.pop()


def _followed(run: Run, frame: Frame, definition: records.FunctionDef, places: dict[str, NodePlace]) -> Anything:
    """What a function gives, once its names are bound and its call is noted."""
    contracts.read_arguments(run, frame, definition, places)
    evidence.read_function(run, frame, definition)
    constructing = definition.name in ("__init__", "setup", "build", "_build")
    run.constructing += constructing
    try:
        ending = statements.execute(run, frame, definition.body)
    finally:
        run.constructing -= constructing
    if definition.contents.is_generator:
        return ListValue([], join_all(frame.yields)) if frame.yields else Opaque()
    returns = frame.returns
    if ending == statements.GOES_ON and returns and any(value is not None for value in returns):
        returns = [value for value in returns if value is not None]
    if not returns:
        return None if ending == statements.GOES_ON else Opaque()
    result = join_all(returns)
    contracts.read_result(run, frame, definition, result)
    run.emit(Returned, definition, result=seen(result))
    return result


def _argument_places(
    run: Run, definition: records.FunctionDef, record: records.Record, count: int
) -> dict[str, NodePlace]:
    """Where the values of parameters stand at a call. `count` counts the positional arguments with the receiver, which
    a call does not spell out."""
    if not isinstance(record, records.Call):
        return {}
    places: dict[str, NodePlace] = {}
    positional = [one for one in record.arguments if one.keyword is None]
    if not any(one.star for one in record.arguments):
        names = [one.name for one in definition.parameters if one.kind in ("plain", "positional")]
        shifted = names[count - len(positional) :] if 0 <= count - len(positional) <= 1 else []
        places |= {name: run.place(one.value) for name, one in zip(shifted, positional, strict=False)}
    return places | {one.keyword: run.place(one.value) for one in record.arguments if one.keyword is not None}


def _bind_parameters(
    run: Run,
    frame: Frame,
    function: FunctionObject,
    arguments: tuple[Anything, ...],
    keywords: dict[str, Anything],
    is_partial: bool,
) -> None:
    left = list(arguments)
    named = dict(keywords)
    names = run.journal
    for parameter in function.record.parameters:
        name = parameter.name
        if parameter.kind == "star":
            if name:
                names.put(frame.names, name, tuple(left) if not is_partial else ListValue([], Opaque(name)))
            left = []
        elif parameter.kind == "double star":
            names.put(frame.names, name, DictValue(named, is_partial))
            named = {}
        elif left and parameter.kind in ("plain", "positional"):
            names.put(frame.names, name, configs.named_number(left.pop(0), name))
        elif name in named:
            names.put(frame.names, name, configs.named_number(named.pop(name), name))
        elif is_partial:
            names.put(frame.names, name, unknown_parameter(function, parameter))
        elif name in function.defaults:
            names.put(frame.names, name, configs.named_number(function.defaults[name], name))
        else:
            names.put(frame.names, name, unknown_parameter(function, parameter))


def unknown_parameter(function: FunctionObject, parameter: records.Parameter) -> Opaque:
    """A parameter that nobody has given: one unknown thing, hinted at by its default."""
    origin = f"{function.frame.module.prefix}{_scope(function)}({parameter.name})"
    return Opaque(parameter.name, origin, function.defaults.get(parameter.name))


def symbolic_arguments(function: FunctionObject, *, skip: int = 0) -> tuple[tuple[Anything, ...], dict[str, Anything]]:
    """Unknown arguments for all parameters of a function but the first `skip`."""
    positional: list[Anything] = []
    keywords: dict[str, Anything] = {}
    for at, parameter in enumerate(function.record.parameters):
        if at < skip or parameter.kind in ("star", "double star"):
            continue
        value = unknown_parameter(function, parameter)
        if parameter.kind == "keyword":
            keywords[parameter.name] = value
        else:
            positional.append(value)
    return tuple(positional), keywords


# -- objects -------------------------------------------------------------------------------------------------------


def construct(
    run: Run,
    cls: ClassObject,
    arguments: tuple[Anything, ...],
    keywords: dict[str, Anything],
    record: records.Record,
    *,
    is_partial: bool = False,
) -> Instance:
    """Build an object: its `__init__` on these arguments, or the fields of a dataclass."""
    name = run.naming[1] if run.naming is not None and run.naming[0] is record else ""
    instance = Instance(cls, name or "self")
    run.instances.append(instance)
    instance.opaque.origin = f"{cls.key}.self"
    instance.opaque.spelling = "self"
    initializer = cls.find("__init__")
    if isinstance(initializer, FunctionObject):
        call_function(run, initializer, (instance, *arguments), keywords, record, is_partial=is_partial)
    else:
        _build_base(run, instance, arguments, keywords, record, is_partial)
    setup = cls.find("setup") if not isinstance(initializer, FunctionObject) else None
    if isinstance(setup, FunctionObject):
        call_function(run, setup, (instance,), {}, record, is_partial=True)
    return instance


def _build_base(
    run: Run,
    instance: Instance,
    arguments: tuple[Anything, ...],
    keywords: dict[str, Anything],
    record: records.Record,
    is_partial: bool,
) -> None:
    names = fields.of(instance.cls)
    if names is not None:
        fields.fill(run, instance, names, arguments, keywords, record, is_partial)
        return
    build_layer_base(run, instance, arguments, keywords, record, is_partial)


def build_layer_base(
    run: Run,
    instance: Instance,
    arguments: tuple[Anything, ...],
    keywords: dict[str, Anything],
    record: records.Record,
    is_partial: bool,
) -> None:
    """A class that derives from a torch layer is such a layer, built with these arguments."""
    for base in instance.cls.roots():
        if isinstance(base, External) and layers.find(base.path) is not None:
            layer = layer_calls.build_layer(run, base.path, arguments, keywords, record, is_partial=is_partial)
            instance.layer = layer
            return


def call_instance(
    run: Run,
    instance: Instance,
    arguments: tuple[Anything, ...],
    keywords: dict[str, Anything],
    record: records.Record,
    *,
    is_partial: bool = False,
) -> Anything:
    """``instance(…)``: its forward if it is a module, else its `__call__`."""
    instance.used = True
    for name in ("forward", "__call__"):
        method = instance.attributes.get(name, MISSING)
        if method is MISSING:
            method = instance.cls.find(name)
        if isinstance(method, FunctionObject):
            return call_function(run, method, (instance, *arguments), keywords, record, is_partial=is_partial)
        if isinstance(method, Method):
            return calls.call_value(run, method, arguments, keywords, record, is_partial=is_partial)
    if instance.layer is not None:
        return calls.call_value(run, instance.layer, arguments, keywords, record, is_partial=is_partial)
    operations.hand_over(run, (*arguments, *keywords.values()), record, {})
    return Opaque()
