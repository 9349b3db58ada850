"""Watching one call: tensor operations through a torch-function mode, layers and functions through a profile hook.

Both write the events that the checker writes, from the same `ops` and `layers` run on the live shapes. Whatever goes
wrong in here is our fault and not the program's: it is noted, and the program goes on.
"""

from __future__ import annotations

import ast
import dis
import inspect
import itertools
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final, TypeVar

import torch
from torch import nn
from torch.nn.utils import rnn as packing
from torch.nn.utils.rnn import PackedSequence
from torch.overrides import TorchFunctionMode

from rnnshape_guard import layers, ops
from rnnshape_guard.events import (
    CellCalled,
    Combined,
    Computed,
    Contracted,
    Created,
    Discarded,
    Event,
    FunctionEntered,
    Given,
    Handed,
    Layer,
    LayerBuilt,
    LayerCalled,
    Log,
    LossCalled,
    Operated,
    PackCalled,
    Place,
    RecurrentBuilt,
    RecurrentCalled,
    Reduced,
    Reordered,
    Reshaped,
    Returned,
    Seen,
    Selected,
    Unpacked,
    Value,
    values_in,
)
from rnnshape_guard.ops import Kind
from rnnshape_guard.runtime import functions
from rnnshape_guard.runtime.atlas import Atlas, agreed, agreed_packed, kept, unknown_packed, unknown_shape
from rnnshape_guard.runtime.errors import UserPlace
from rnnshape_guard.runtime.modules import CELLS, RECURRENT, Catalog, LiveLayer, forward_code, forward_codes, kind_of
from rnnshape_guard.runtime.reading import Reader, size_expressions
from rnnshape_guard.runtime.sizes import Size, dim_of, sweep
from rnnshape_guard.runtime.sources import Spot, Spots, scope_of
from rnnshape_guard.shapes.axes import Atom, Evidence, Rest, Role, Shape, Strength
from rnnshape_guard.shapes.dims import Dim, Symbol, compare, resolve
from rnnshape_guard.shapes.outcomes import (
    UNKNOWN,
    Fault,
    Many,
    Misfit,
    Named,
    Operand,
    Outcome,
    Packed,
    Result,
    Slice,
)

EVENTS: Final[dict[Kind, type[Operated]]] = {
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
_OPERATORS: Final[dict[type[ast.operator], str]] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "^",
    ast.MatMult: "@",
}
_PACKING_NAMES: Final = {
    "pack_padded_sequence": ("input", "lengths", "batch_first", "enforce_sorted"),
    "pad_packed_sequence": ("sequence", "batch_first", "padding_value", "total_length"),
}
_SILENT: Final = frozenset({Fault.SCRAMBLE})
_LOUD: Final = frozenset({Fault.SIZE, Fault.RANK, Fault.TOTAL, Fault.BROADCAST, Fault.STRIDES, Fault.AXIS})

MOST_EVENTS: Final = 20_000
"""A call of more is watched no further: a whole training run under one call."""
_STILL_HELD: Final = 2_000

Made = TypeVar("Made", bound=Event)


class Failed:
    """What a call gave that raised; there is one, `FAILED`."""


FAILED: Final = Failed()


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Traced axes and a real tensor that differ: our bug."""

    what: str
    place: UserPlace
    traced: str
    real: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.what} at {self.place}: traced {self.traced}, real {self.real}"


@dataclass(slots=True, eq=False)
class Pending:
    """A call that has begun: what is expected of it, and where it stands."""

    kind: type[Any]
    outcome: Outcome
    given: dict[str, Given]
    spot: Spot
    scope: str
    fields: dict[str, Any]
    bound: Mapping[str, Operand] = field(default_factory=dict)
    made: bool = False
    frame: FrameType | None = None
    names: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Activation:
    """A user's function that is running."""

    frame: FrameType
    scope: str
    is_model: bool = False
    seen: set[ast.stmt] = field(default_factory=set)


class Mode(TorchFunctionMode):
    """Shows every tensor operation of this thread to a tracer."""

    def __init__(self, tracer: Tracer) -> None:
        super().__init__()
        self._tracer = tracer

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        return self._tracer.operate(func, args, kwargs or {})


_here = threading.local()


def current() -> Tracer | None:
    """The tracer of this thread, while a traced call runs."""
    return getattr(_here, "tracer", None)


_LIBRARIES: Final = tuple(
    str(path)
    for path in (
        Path(torch.__file__).parent,
        Path(__file__).parents[1],
        Path(sysconfig.get_path("stdlib")),
        *(
            Path(folder) / name
            for folder in dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib")))
            for name in ("jaxtyping", "beartype", "einops", "numpy", "torch", "functorch", "_pytest", "pluggy")
        ),
    )
)
_TORCH: Final = str(Path(torch.__file__).parent)
_MODULES: Final = tuple(str(path) for path in (Path(torch.__file__).parent / "nn" / "modules").glob("*.py"))
_SURFACE: Final = (
    *_MODULES,
    *(
        str(Path("torch", *words.split("/")))
        for words in "nn/functional.py functional.py _tensor.py overrides.py utils/checkpoint.py nn/parallel/data_parallel.py".split()
    ),
    *("jit_internal.py", "_trace.py", "_contextlib.py", "eval_frame.py", "external_utils.py", "apis.py"),
)
"""Files of torch through which a user's own operations pass; what the others do is their own affair."""
_SITE: Final = tuple({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})


def is_library(filename: str) -> bool:
    """Whether a file is torch's, Python's or another library's that no user edits. An installed package that holds
    somebody's model is the user's."""
    if filename.startswith(_SITE):
        return filename.startswith(_LIBRARIES)
    if filename.startswith("<"):
        from rnnshape_guard.runtime.sources import source_of

        return not source_of(filename).lines
    return filename.startswith(_LIBRARIES)


_RETURNS: Final = frozenset({"RETURN_VALUE", "RETURN_CONST", "INSTRUMENTED_RETURN_VALUE", "INSTRUMENTED_RETURN_CONST"})
_NO_ENTRY: Final = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


class Tracer:
    """The state of one traced call. `token` marks the sizes that were read in it."""

    def __init__(self, words: Mapping[str, tuple[str, ...]] | None = None) -> None:
        self.log = Log()
        self.token = object()
        self.atlas = Atlas()
        self.spots = Spots()
        self.catalog = Catalog(self.spots)
        self.reader = Reader(words or {})
        self.disagreements: list[Disagreement] = []
        self.faults: list[BaseException] = []
        self._layer_codes = forward_codes()
        self._init_codes = _constructors()
        self._packing = {getattr(packing, path.rpartition(".")[2]).__code__: path for path in layers.FUNCTIONS}
        self._einops = _einops_codes()
        self._kinds: dict[CodeType, Callable[[FrameType], None] | None] = {}
        self._library: dict[str, bool] = {}
        self._inner: dict[str, bool] = {}
        self._functions = functions.table()
        self._busy = 0
        self._inside: list[tuple[FrameType, Pending | None]] = []
        self._activations: list[Activation] = []
        self._making: dict[int, tuple[tuple[Any, ...], dict[str, Any]]] = {}
        self._root: FrameType | None = None

    # -- running ---------------------------------------------------------------------------------------------------

    @contextmanager
    def watching(self, function: Callable[..., Any] | None = None) -> Iterator[None]:
        """Everything that happens in this thread inside is seen. If `function`, which is run inside, is a layer's own
        forward, the user's line is the one that called the layer."""
        before = sys.getprofile()
        is_layer = getattr(inspect.unwrap(function), "__code__", None) in self._layer_codes if function else False
        self._root = None if is_layer else sys._getframe()
        _here.tracer = self
        try:
            with Mode(self):
                sys.setprofile(self._profile)
                try:
                    yield
                finally:
                    sys.setprofile(before)
        finally:
            _here.tracer = None
            self._inside.clear()
            self._activations.clear()
            self._root = None

    def fault(self, error: BaseException) -> None:
        """Something went wrong in here."""
        if len(self.faults) < 10:
            self.faults.append(error)

    @contextmanager
    def _own_work(self) -> Iterator[None]:
        """What tensors are asked for inside is our own business."""
        self._busy += 1
        try:
            with torch._C.DisableTorchFunction():
                yield
        finally:
            self._busy -= 1

    # -- tensor operations -----------------------------------------------------------------------------------------

    def operate(self, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Run an operation and note what it does to axes."""
        if self._busy or self._inside:
            return func(*args, **kwargs)
        reads = functions.sizes_read().get(func)
        if reads is not None:
            return self._read_sizes(func, reads, args, kwargs)
        if func in functions.unseen():
            return func(*args, **kwargs)
        pending = None
        try:
            with self._own_work():
                pending = self._before(func, args, kwargs)
        except Exception as error:  # noqa: BLE001 - our own bug must not stop the program
            self.fault(error)
        try:
            result = func(*args, **kwargs)
        except BaseException:
            self._finish(pending, FAILED)
            raise
        self._finish(pending, result)
        return result

    def _finish(self, pending: Pending | None, result: Any) -> None:
        if pending is None:
            return
        try:
            with self._own_work():
                self._conclude(pending, result)
        except Exception as error:  # noqa: BLE001 - as above
            self.fault(error)

    def _before(self, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Pending | None:
        frame = self._caller(sys._getframe(3))
        if frame is None:
            return None
        spot = self.spots.of(frame)
        self._look_above(frame, spot)
        if func is functions.GETITEM:
            return self._subscript(frame, spot, args)
        if func is functions.UNBIND and _is_unpacking(spot):
            return self._unpacking(frame, spot, args[0])
        if func is functions.UNBIND and not isinstance(spot.node, ast.Call):
            return self._rows(frame, spot, args[0])
        loss = functions.losses().get(func)
        if loss is not None:
            return self._loss(frame, spot, loss, args, kwargs)
        known = self._functions.get(func)
        if known is None:
            return self._unknown(frame, spot, func, args, kwargs)
        arguments = list(args)
        if known.swapped and len(arguments) == 2:
            arguments.reverse()
        return self._operation(frame, spot, known.operation, arguments, kwargs)

    def _operation(
        self,
        frame: FrameType,
        spot: Spot,
        operation: ops.Operation,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
    ) -> Pending:
        operands = [self.operand(value) for value in args]
        words = {name: self.operand(value) for name, value in kwargs.items()}
        bound, outcome = ops.perform(operation, operands, words)
        if operation.kind is Kind.RESHAPE and operands:
            named = self._with_names(operation, operands, words, outcome)
            if named is not None:
                bound, outcome = named
        name = operation.name.rpartition(".")[2]
        given, operator = self._given(operation, bound, args, kwargs, spot)
        kind = EVENTS[operation.kind]
        return Pending(
            kind,
            outcome,
            given,
            spot,
            scope_of(frame.f_code),
            {"name": operator or name, "in_place": operation.inplace},
            bound,
            operation.kind is Kind.CREATE,
            names=frame.f_locals,
        )

    def _with_names(
        self, operation: ops.Operation, operands: list[Operand], words: dict[str, Operand], plain: Outcome
    ) -> tuple[ops.Bound, Outcome] | None:
        """A view by plain numbers, read again with each number that only one axis fits standing for that axis: where
        the plain reading would cut a batch, steps or layers into pieces, the number was meant for that axis."""
        shape = operands[0]
        if not isinstance(shape, Shape):
            return None
        cut = _cut(shape, plain)
        if not cut:
            return None
        atoms = list(shape.atoms())

        def meant(operand: Operand) -> Operand:
            if isinstance(operand, tuple):
                return tuple(meant(one) for one in operand)
            if isinstance(operand, Dim) and (number := operand.literal) is not None and number > 1:
                fitting = [atom for atom in atoms if atom.size.value == number]
                return fitting[0].size if len(fitting) == 1 and fitting[0] in cut else operand
            return operand

        named = ops.perform(
            operation, [shape, *(meant(one) for one in operands[1:])], {name: meant(one) for name, one in words.items()}
        )
        return named if any(misfit.fault is Fault.SCRAMBLE for misfit in named[1].misfits) else None

    def _given(
        self,
        operation: ops.Operation,
        bound: Mapping[str, Operand],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        spot: Spot,
    ) -> tuple[dict[str, Given], str]:
        """The arguments by PyTorch's names with their places, and the operator if it was one."""
        order = [parameter.name for parameter in operation.parameters]
        many = next((at for at, parameter in enumerate(operation.parameters) if parameter.many), None)
        places, operator = self._places(spot, len(args))
        given: dict[str, Given] = {}
        for at, value in enumerate(args):
            if many is not None and at >= many:
                break
            if at < len(order):
                given[order[at]] = Given(self.seen(value), places.get(at))
        for name, value in kwargs.items():
            if name in order:
                given[name] = Given(self.seen(value), places.get(name))
        for name, operand in bound.items():
            if name in given and not isinstance(given[name].seen, Value | tuple):
                given[name] = Given(operand, given[name].place)
            elif name not in given:
                at_place = order.index(name) if name in order else None
                given[name] = Given(operand, places.get(at_place) if many is not None and at_place == many else None)
        return given, operator

    def _places(self, spot: Spot, count: int) -> tuple[dict[int | str, UserPlace], str]:
        """Where the arguments of an operation stand, by position and by name, and the operator if it was one."""
        places: dict[int | str, UserPlace] = {}
        match spot.node:
            case ast.BinOp(left=left, op=op, right=right):
                return {0: spot.place_of(left), 1: spot.place_of(right)}, _OPERATORS.get(type(op), "")
            case ast.Compare(left=left, comparators=[right]):
                return {0: spot.place_of(left), 1: spot.place_of(right)}, ""
            case ast.AugAssign(target=left, value=right):
                return {0: spot.place_of(left), 1: spot.place_of(right)}, ""
            case ast.UnaryOp(operand=only):
                return {0: spot.place_of(only)}, ""
            case ast.Attribute(value=holder):
                return {0: spot.place_of(holder)}, ""
            case ast.Subscript(value=holder):
                return {0: spot.place_of(holder)}, ""
            case ast.Call(func=function, args=nodes, keywords=words):
                plain = list(itertools.takewhile(lambda node: not isinstance(node, ast.Starred), nodes))
                shift = 0
                if isinstance(function, ast.Attribute) and len(nodes) + len(words) < max(count, 1) or isinstance(function, ast.Attribute) and self._is_method(function, spot):
                    places[0] = spot.place_of(function.value)
                    shift = 1
                places |= {at + shift: spot.place_of(node) for at, node in enumerate(plain)}
                places |= {word.arg: spot.place_of(word.value) for word in words if word.arg}
        return places, ""

    def _is_method(self, function: ast.Attribute, spot: Spot) -> bool:
        """Whether what is called is a method of a value: not a function of a module such as torch or F."""
        holder = function.value
        while isinstance(holder, ast.Attribute):
            holder = holder.value
        if not isinstance(holder, ast.Name):
            return True
        frame = self._activations[-1].frame if self._activations else None
        names = (frame.f_locals, frame.f_globals) if frame is not None else ()
        for scope in names:
            if holder.id in scope:
                return not inspect.ismodule(scope[holder.id])
        return True

    def _subscript(self, frame: FrameType, spot: Spot, args: Sequence[Any]) -> Pending:
        tensor, key = args
        items = key if isinstance(key, tuple) else (key,)
        value = self.value(tensor)
        operands = tuple(self.operand(item) for item in items)
        assert isinstance(value.shape, Shape)
        outcome = ops.index(value.shape, operands)
        kept_items: Seen = tuple(item if item is ... else self.seen(item) for item in items)
        holder = spot.node.value if isinstance(spot.node, ast.Subscript) else spot.node
        place = spot.place_of(holder) if holder is not None else spot.place
        given = {"input": Given(value, place), "items": Given(kept_items, spot.place)}
        fields = {"name": "index", "in_place": False}
        return Pending(Selected, outcome, given, spot, scope_of(frame.f_code), fields, names=frame.f_locals)

    def _unpacking(self, frame: FrameType, spot: Spot, tensor: torch.Tensor) -> Pending:
        value = self.value(tensor)
        operation = ops.find("Tensor.unbind")
        assert operation is not None
        _, outcome = ops.perform(operation, [value.shape], {})
        targets = spot.node.elts if isinstance(spot.node, ast.Tuple | ast.List) else ()
        fields = {"source": value, "count": len(targets)}
        statement = spot.statement
        if isinstance(statement, ast.Assign):
            spot = replace(spot, node=statement.value)
        return Pending(Unpacked, outcome, {}, spot, scope_of(frame.f_code), fields, names=frame.f_locals)

    def _rows(self, frame: FrameType, spot: Spot, tensor: torch.Tensor) -> Pending:
        """Iterating over a tensor gives what index 0 gives, again and again."""
        value = self.value(tensor)
        assert isinstance(value.shape, Shape)
        results = tuple(ops.index(value.shape, (Dim.of(at),)).result for at in range(len(tensor)))
        given = {"input": Given(value, spot.place), "items": Given((Dim.of(Symbol("?")),), spot.place)}
        fields = {"name": "index", "in_place": False}
        return Pending(Selected, Outcome(results), given, spot, scope_of(frame.f_code), fields, names=frame.f_locals)

    def _unknown(
        self, frame: FrameType, spot: Spot, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Pending | None:
        """An operation that the table does not hold: what it makes is unknown, what it changes is forgotten."""
        name = getattr(func, "__name__", "")
        if name in ("__set__", "__setitem__", "__get__"):
            return None
        given = {str(at): Given(self.seen(value)) for at, value in enumerate((*args, *kwargs.values()))}
        if not any(True for _ in functions.tensors_in((*args, *kwargs.values()))):
            return None
        outcome = Outcome(UNKNOWN)
        return Pending(Handed, outcome, given, spot, scope_of(frame.f_code), {}, names=frame.f_locals)

    def _read_sizes(self, func: Any, reads: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Sizes, each remembering its axis where it is the user's own code that reads it."""
        result = func(*args, **kwargs)
        frame = sys._getframe(3)
        if self.is_library(frame.f_code.co_filename):
            return result
        try:
            with self._own_work():
                return self._marked(frame, reads, result, args, kwargs)
        except Exception as error:  # noqa: BLE001 - as above
            self.fault(error)
            return result

    def _marked(self, frame: FrameType, reads: str, result: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        spot = self.spots.of(frame)
        self._look_above(frame, spot)
        axes = self.value(args[0]).axes
        if axes is None:
            return result
        if reads == "numel":
            return Size(result, Dim.product(axis.size for axis in axes), self.token)
        index = args[1] if len(args) > 1 else kwargs.get("dim")
        self.reader.sizes(spot, axes, index, len(self.log.events))
        if index is not None:
            return Size(result, axes[index].size, self.token)
        return torch.Size([Size(size, axis.size, self.token) for size, axis in zip(result, axes, strict=True)])

    # -- losses ----------------------------------------------------------------------------------------------------

    def _loss(
        self, frame: FrameType, spot: Spot, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Pending | None:
        """A loss as a function is the loss layer with the function's options."""
        kind = layers.KINDS[functions.LOSSES[name]]
        inputs = [parameter.name for parameter in kind.inputs]
        known = {parameter.name for parameter in kind.parameters}
        options = {
            key: self.operand(value) for key, value in kwargs.items() if key in known and key not in (*inputs, "weight")
        }
        built = layers.build(kind, (), options)
        if built.spec is None:
            return None
        values = dict(zip(inputs, args, strict=False)) | {key: kwargs[key] for key in inputs if key in kwargs}
        outcome = layers.call(built.spec, (), {key: self.operand(value) for key, value in values.items()})
        places, _ = self._places(spot, len(args))
        given = {
            key: Given(self.seen(value), places.get(at, places.get(key)))
            for at, (key, value) in enumerate(values.items())
        }
        fields = {"name": kind.name}
        return Pending(LossCalled, outcome, given, spot, scope_of(frame.f_code), fields, names=frame.f_locals)

    # -- Python's calls --------------------------------------------------------------------------------------------

    def _profile(self, frame: FrameType, event: str, arg: Any) -> None:
        if self._busy or event not in ("call", "return"):
            return
        try:
            if event == "call":
                self._called(frame)
            else:
                self._returned(frame, arg)
        except Exception as error:  # noqa: BLE001 - as above
            self.fault(error)

    def _called(self, frame: FrameType) -> None:
        if self._inside:
            return
        code = frame.f_code
        if code in self._kinds:
            action = self._kinds[code]
        else:
            action = self._kinds[code] = self._action_for(code)
        if action is not None:
            with self._own_work():
                action(frame)

    def _action_for(self, code: CodeType) -> Callable[[FrameType], None] | None:
        if code in self._layer_codes:
            return self._layer_called
        if code in self._init_codes:
            return self._layer_building
        if code in self._packing:
            return self._packing_called
        if code in self._einops:
            return self._einops_called
        if self.is_library(code.co_filename) or code.co_flags & _NO_ENTRY:
            return None
        if code.co_name.startswith("<") and code.co_name not in ("<lambda>", "<module>"):
            return None
        return self._function_called

    def _returned(self, frame: FrameType, arg: Any) -> None:
        if self._inside and self._inside[-1][0] is frame:
            _, pending = self._inside.pop()
            if pending is None:
                with self._own_work():
                    self._layer_made(frame, _has_raised(frame))
            else:
                with self._own_work():
                    self._conclude(pending, FAILED if _has_raised(frame) else arg)
            return
        if self._inside:
            return
        if self._activations and self._activations[-1].frame is frame:
            activation = self._activations.pop()
            with self._own_work():
                self._function_returned(activation, arg)

    def _function_called(self, frame: FrameType) -> None:
        code = frame.f_code
        caller = self.user_frame(frame.f_back)
        activation = Activation(frame, scope_of(code))
        called = self.spots.of(caller) if caller is not None else None
        if called is not None and caller is not None:
            self._look_above(caller, called)
        self._activations.append(activation)
        source = self.spots.source(code.co_filename)
        definition = source.functions.get((code.co_firstlineno, code.co_name))
        for root in _models(frame):
            self._register(root)
        if definition is None:
            return
        spot = Spot(source, definition, code.co_firstlineno, code.co_name)
        count = code.co_argcount + code.co_kwonlyargcount
        count += bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
        names = [name for name in code.co_varnames[:count] if name in frame.f_locals]
        values = {name: self.seen(frame.f_locals[name]) for name in names}
        activation.is_model = bool(names) and isinstance(frame.f_locals[names[0]], nn.Module)
        if activation.is_model and not any(one.is_model for one in self._activations[:-1]):
            _measure(values)
        places = _argument_places(definition, called, spot)
        self.emit(
            FunctionEntered,
            spot.place,
            activation.scope,
            given={name: Given(value, places.get(name)) for name, value in values.items()},
            call=called.place if called is not None and isinstance(called.node, ast.Call) else None,
        )
        self.reader.function(spot, definition, values, len(self.log.events))

    def _function_returned(self, activation: Activation, arg: Any) -> None:
        code = activation.frame.f_code
        source = self.spots.source(code.co_filename)
        definition = source.functions.get((code.co_firstlineno, code.co_name))
        result = self.seen(arg)
        if definition is not None and arg is not None:
            spot = Spot(source, definition, code.co_firstlineno, code.co_name)
            if definition.returns is not None and isinstance(result, Value):
                self.reader.declare(result, definition.returns, spot, len(self.log.events))
            self.emit(Returned, spot.place, activation.scope, result=result)
        caller = self.user_frame(activation.frame.f_back)
        if caller is not None and arg is not None and self._activations:
            self._after_statement(self.spots.of(caller), result, caller.f_locals, scope_of(caller.f_code))

    def adopt(self, root: nn.Module) -> None:
        """Note the parts of the model before it is called."""
        self._register(root)

    def sweep(self) -> None:
        """Take the marks off what the modules met on the way have kept."""
        for module in self.catalog.held():
            sweep(module)

    def layer_paths(self) -> dict[int, str]:
        """The path in the model of each layer, by its id in the events."""
        paths = self.catalog.paths
        return {found.layer.id: paths.get(key, "") for key, found in self.catalog.known.items() if found is not None}

    def _register(self, root: nn.Module) -> None:
        if self.catalog.knows(root):
            return
        for found in self.catalog.register(root):
            self._built(found)

    def _built(self, found: LiveLayer) -> None:
        spec: Any = found.layer.spec
        event = RecurrentBuilt if spec.kind in RECURRENT else LayerBuilt
        self.emit(event, found.layer.place, found.layer.owner, layer=found.layer, misfits=found.misfits)

    def _layer_building(self, frame: FrameType) -> None:
        self._inside.append((frame, None))
        module = frame.f_locals.get("self")
        caller = self.user_frame(frame.f_back)
        if isinstance(module, nn.Module) and caller is not None and id(module) not in self.catalog.sites:
            spot = self.spots.of(caller)
            if isinstance(spot.node, ast.Call):
                live = frame.f_locals
                self._making[id(module)] = (live.get("args", ()), dict(live.get("kwargs", {})))
                self.catalog.note_site(module, spot, scope_of(caller.f_code).rpartition(".")[0])

    def _layer_made(self, frame: FrameType, has_raised: bool) -> None:
        """A layer is complete when the constructor of its own kind returns."""
        module = frame.f_locals.get("self")
        if not isinstance(module, nn.Module) or self.catalog.knows(module):
            return
        kind = kind_of(module)
        initializer = getattr(getattr(nn, kind, None), "__init__", None) if kind is not None else None
        if kind is not None and getattr(initializer, "__code__", None) is frame.f_code:
            found = (
                self.catalog.refused(module, kind, *self._making.get(id(module), ((), {})))
                if has_raised
                else self.catalog.find(module)
            )
            if found is not None:
                self._built(found)

    def _layer_called(self, frame: FrameType) -> None:
        module = frame.f_locals.get("self")
        if not isinstance(module, nn.Module):
            return
        kind = kind_of(module)
        if kind is None or forward_code(kind) is not frame.f_code:
            return
        caller = self.user_frame(frame.f_back)
        spot = self.spots.of(caller) if caller is not None else Spot(self.spots.source(""), None, 1, "forward")
        fresh = not self.catalog.knows(module)
        found = self.catalog.find(module, spot)
        if found is None:
            return
        if fresh:
            self._built(found)
        if caller is not None:
            self._look_above(caller, spot)
        live = frame.f_locals
        inputs = [parameter.name for parameter in layers.KINDS[kind].inputs if parameter.name in live]
        while inputs and live[inputs[-1]] is None:
            inputs.pop()
        spec: Any = found.layer.spec
        outcome = layers.call(
            spec, (), {name: self.operand(live[name]) for name in inputs if live[name] is not None}
        )
        places = self._call_places(spot)
        given = {name: Given(self.seen(live[name]), places.get(at, places.get(name))) for at, name in enumerate(inputs)}
        event, fields = _event_of(found.layer, kind)
        scope = scope_of(caller.f_code) if caller is not None else ""
        # To ask a frame for its locals keeps them alive until it ends: not those of whoever made the call.
        names = caller.f_locals if caller is not None and self._root is not None else {}
        self._inside.append((frame, Pending(event, outcome, given, spot, scope, fields, names=names)))

    def layer_refused(
        self, frame: FrameType, spot: Spot, module: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> None:
        """A layer's forward does not take these arguments: Python refused the call."""
        found = self.catalog.find(module, spot)
        kind = kind_of(module)
        if found is None or kind is None:
            return
        operands = tuple(self.operand(value) for value in args)
        spec: Any = found.layer.spec
        outcome = layers.call(spec, operands, {name: self.operand(value) for name, value in kwargs.items()})
        names = [parameter.name for parameter in layers.KINDS[kind].inputs if not parameter.keyword_only]
        places = self._call_places(spot)
        given = {
            (names[at] if at < len(names) else f"argument {at + 1}"): Given(self.seen(value), places.get(at))
            for at, value in enumerate(args)
        } | {name: Given(self.seen(value), places.get(name)) for name, value in kwargs.items()}
        event, fields = _event_of(found.layer, kind)
        self._conclude(Pending(event, outcome, given, spot, scope_of(frame.f_code), fields), FAILED)

    def _call_places(self, spot: Spot) -> dict[int | str, UserPlace]:
        """Where the arguments of a call stand, by position and by name."""
        if not isinstance(spot.node, ast.Call):
            return {}
        plain = itertools.takewhile(lambda node: not isinstance(node, ast.Starred), spot.node.args)
        places: dict[int | str, UserPlace] = {at: spot.place_of(node) for at, node in enumerate(plain)}
        places |= {word.arg: spot.place_of(word.value) for word in spot.node.keywords if word.arg}
        return places

    def _packing_called(self, frame: FrameType) -> None:
        path = self._packing[frame.f_code]
        name = path.rpartition(".")[2]
        caller = self.user_frame(frame.f_back)
        if caller is None:
            return
        spot = self.spots.of(caller)
        self._look_above(caller, spot)
        live = frame.f_locals
        names = frame.f_code.co_varnames[: frame.f_code.co_argcount]
        outcome = layers.FUNCTIONS[path](
            (), {word: self.operand(live[word]) for word in names if _is_given(live[word])}
        )
        places = self._call_places(spot)
        given = {
            word: Given(self.seen(live[word]), places.get(at, places.get(word)))
            for at, word in enumerate(names)
            if at in places or word in places
        }
        fields = {"name": name}
        pending = Pending(PackCalled, outcome, given, spot, scope_of(caller.f_code), fields, names=caller.f_locals)
        self._inside.append((frame, pending))

    def _einops_called(self, frame: FrameType) -> None:
        path = self._einops[frame.f_code]
        caller = self.user_frame(frame.f_back)
        operation = ops.find(path)
        tensor = frame.f_locals.get("tensor")
        if caller is None or operation is None or not isinstance(tensor, torch.Tensor):
            return
        spot = self.spots.of(caller)
        self._look_above(caller, spot)
        live = frame.f_locals
        args = [live[name] for name in ("tensor", "pattern", "reduction") if name in live]
        pending = self._operation(caller, spot, operation, args, dict(live.get("axes_lengths", {})))
        self._inside.append((frame, pending))

    # -- concluding ------------------------------------------------------------------------------------------------

    def emit(self, kind: type[Made], place: Place, scope: str, **fields: Any) -> Made:
        """Add an event to the log."""
        event = kind(id=len(self.log.events), place=place, scope=scope, **fields)
        self.log.add(event)
        if len(self.log.events) == MOST_EVENTS:
            self._close_eyes(place, scope)
        return event

    def _close_eyes(self, place: Place, scope: str) -> None:
        """Enough was seen: whatever is held goes where nobody follows it."""
        self._busy += 1
        held = tuple(value for event in self.log.events[-_STILL_HELD:] for value in values_in(event.result))
        self.log.add(Handed(id=len(self.log.events), place=place, scope=scope, given={"0": Given(held, None)}))

    def _conclude(self, pending: Pending, real: Any) -> None:
        """Believe an outcome as far as the real result bears it out, and note the event."""
        outcome = pending.outcome
        place = pending.spot.place
        failed = real is FAILED
        misfits = outcome.misfits
        if not failed:
            misfits = tuple(one for one in misfits if one.fault in _SILENT)
        for rest, parts in outcome.closes:
            self._close(rest, parts)
        for left, right in outcome.equations if not failed else ():
            self._equate(left, right)
        number = len(self.log.events)
        for learned in outcome.learned:
            learned.atom.learn(Evidence(learned.role, learned.strength, learned.text, place, number))
        is_sure = not outcome.misfits and pending.kind is not Handed
        what = _spelled(pending)
        if failed:
            result: Seen = _without_tensors(outcome.result, number)
        elif pending.kind is RecurrentCalled:
            result = self._state(outcome.result, real, number, place, what, is_sure)
        else:
            result = self._settle(outcome.result, real, number, place, what, is_sure)
        if not failed and len(misfits) < len(outcome.misfits) and any(m.fault in _LOUD for m in outcome.misfits):
            self._disagrees(what, place, "a misfit that torch does not see", real)
        if pending.kind is Unpacked:
            self.emit(Unpacked, place, pending.scope, result=result, **pending.fields)
            return
        fields = {"given": pending.given, **pending.fields}
        self.emit(pending.kind, place, pending.scope, misfits=misfits, result=result, **fields)
        if failed:
            return
        if pending.made and isinstance(result, Value):
            self._read_made(pending, result, number)
        self._after_statement(pending.spot, result, pending.names, pending.scope)

    def _read_made(self, pending: Pending, result: Value, number: int) -> None:
        row = next((pending.bound[name] for name in ("size", "shape") if name in pending.bound), None)
        if isinstance(row, tuple):
            nodes = size_expressions(pending.spot, len(row))
            if nodes:
                self.reader.made(pending.spot, result, list(zip(nodes, row, strict=True)), number)

    def _after_statement(self, spot: Spot, result: Seen, names: Mapping[str, Any], scope: str) -> None:
        """What a statement does with a value: unpacks it, throws it away, keeps it; and what is written beside it."""
        statement = spot.statement
        if statement is None or getattr(statement, "value", None) is not spot.node:
            if statement is not None:
                self.reader.behind(spot, result, names, len(self.log.events))
            return
        if isinstance(statement, ast.Assign):
            for target in statement.targets:
                self._bind(spot, target, result, scope)
        elif isinstance(statement, ast.Expr) and isinstance(result, Value) and spot.node is not None:
            if result.made_by >= 0:
                self.emit(Discarded, spot.place, scope, made_by=result.made_by)
        self.reader.behind(spot, result, names, len(self.log.events))

    def _bind(self, spot: Spot, target: ast.expr, result: Seen, scope: str) -> None:
        match target:
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                if isinstance(result, tuple) and not any(isinstance(one, ast.Starred) for one in targets):
                    self.emit(Unpacked, spot.place, scope, source=result, count=len(targets), result=result)
                    if len(targets) == len(result):
                        for one, part in zip(targets, result, strict=True):
                            self._bind(spot, one, part, scope)
            case ast.Attribute() if isinstance(result, Value | tuple):
                self.emit(Handed, spot.place, scope, given={"0": Given(result, spot.place)})

    def _state(self, result: Result, real: Any, number: int, place: UserPlace, what: str, is_sure: bool) -> Seen:
        """The (output, state) of a recurrent layer, each part named."""
        if not isinstance(result, tuple) or not isinstance(real, tuple) or len(result) != 2 or len(real) != 2:
            return self._settle(result, real, number, place, what, is_sure)
        output = self._settle(result[0], real[0], number, place, what, is_sure, "output")
        match result[1], real[1]:
            case (h_n, c_n), (real_h, real_c):
                return output, (
                    self._settle(h_n, real_h, number, place, what, is_sure, "h_n"),
                    self._settle(c_n, real_c, number, place, what, is_sure, "c_n"),
                )
            case h_n, real_h:
                return output, self._settle(h_n, real_h, number, place, what, is_sure, "h_n")

    def _settle(
        self,
        result: Result | Operand,
        real: Any,
        number: int,
        place: UserPlace,
        what: str,
        is_sure: bool,
        part: str = "",
    ) -> Seen:
        """A real result with the axes that were concluded for it. Where they disagree, ours are dropped."""
        match real:
            case torch.Tensor():
                shape = self._shape_for(result, real, place, what, is_sure)
                value = Value(shape, number, part)
                self.atlas.note(real, value)
                return value
            case PackedSequence():
                packed = result if isinstance(result, Packed) else None
                if packed is not None and not agreed_packed(packed, real):
                    if is_sure:
                        self._disagrees(what, place, str(packed), real.data)
                    packed = None
                value = Value(packed if packed is not None else unknown_packed(real), number, part)
                self.atlas.note_packed(real, value)
                return value
            case tuple() | list():
                parts = _parts(result, len(real))
                return tuple(
                    self._settle(one, item, number, place, what, is_sure, part)
                    for one, item in zip(parts, real, strict=True)
                )
            case dict():
                return tuple(self._settle(UNKNOWN, item, number, place, what, False) for item in real.values())
        return result if isinstance(result, Dim | bool) else self.operand(real)

    def _shape_for(self, result: Any, real: torch.Tensor, place: UserPlace, what: str, is_sure: bool) -> Shape:
        if not isinstance(result, Shape):
            return unknown_shape(real)
        shape = agreed(result, real)
        if shape is not None:
            return shape
        if not is_sure:
            return kept(result, real)
        self._disagrees(what, place, str(result), real)
        return unknown_shape(real)

    def _disagrees(self, what: str, place: UserPlace, traced: str, real: Any) -> None:
        sizes = next((tuple(int(size) for size in one.shape) for one in functions.tensors_in(real)), ())
        if len(self.disagreements) < 20:
            self.disagreements.append(Disagreement(what, place, traced, sizes))

    def _close(self, rest: Rest, parts: tuple[Any, ...]) -> None:
        if rest.parts is None and rest not in parts:
            rest.solve(parts)

    def _equate(self, left: Dim, right: Dim) -> None:
        one, two = resolve(left), resolve(right)
        if compare(one, two).equal:
            return
        for symbol, value in ((one.symbol, two), (two.symbol, one)):
            if symbol is not None and symbol.value is None and symbol.owner is not None:
                if all(other is not symbol for other in value.symbols()):
                    symbol.value = value
                    return

    # -- values ----------------------------------------------------------------------------------------------------

    def value(self, tensor: torch.Tensor) -> Value:
        """The value of a tensor; one that was never seen comes from outside."""
        found = self.atlas.find(tensor)
        if found is None:
            found = Value(unknown_shape(tensor))
            self.atlas.note(tensor, found)
        return found

    def packed(self, packed: PackedSequence) -> Value:
        """The value of a packed sequence."""
        found = self.atlas.find_packed(packed)
        if found is None:
            found = Value(unknown_packed(packed))
            self.atlas.note_packed(packed, found)
        return found

    def operand(self, value: Any) -> Operand:
        """A live value as layers and operations read it."""
        match value:
            case torch.Tensor():
                return self.value(value).shape
            case PackedSequence():
                return self.packed(value).shape
            case bool() | float() | str() | None:
                return value
            case int():
                return dim_of(value, self.token)
            case slice():
                return Slice(*(self.operand(end) for end in (value.start, value.stop, value.step)))
            case tuple() | list():
                return tuple(self.operand(item) for item in value)
        return value if value is ... else UNKNOWN

    def seen(self, value: Any) -> Seen:
        """A live value as events record it: tensors by id, the rest as operands."""
        match value:
            case torch.Tensor():
                return self.value(value)
            case PackedSequence():
                return self.packed(value)
            case tuple() | list():
                return tuple(self.seen(item) for item in value)
            case dict():
                return tuple(self.seen(item) for item in value.values())
        return self.operand(value)

    def look(self, value: Any) -> Value | None:
        """The value of a live object, if it is a tensor."""
        return self.value(value) if isinstance(value, torch.Tensor) else None

    def declare(self, tensor: Any, axes: str, text: str) -> None:
        """Axes that the program states of a tensor."""
        if isinstance(tensor, torch.Tensor):
            with self._own_work():
                frame = self.user_frame(sys._getframe(1))
                if frame is not None:
                    place = self.spots.of(frame).place
                    self.reader.declare_axes(self.value(tensor), axes, text, place, len(self.log.events))

    # -- frames ----------------------------------------------------------------------------------------------------

    def is_library(self, filename: str) -> bool:
        """Whether a file is not the user's; remembered."""
        found = self._library.get(filename)
        if found is None:
            found = self._library[filename] = is_library(filename)
        return found

    def _caller(self, frame: FrameType | None) -> FrameType | None:
        """The user's frame that an operation belongs to; None for what libraries do by themselves (an optimizer's step,
        an initialization), which no program reads as its own."""
        while frame is not None and frame is not self._root:
            filename = frame.f_code.co_filename
            if not self.is_library(filename):
                return frame
            if self._is_inner(filename):
                return None
            frame = frame.f_back
        return None

    def _is_inner(self, filename: str) -> bool:
        found = self._inner.get(filename)
        if found is None:
            found = self._inner[filename] = filename.startswith(_TORCH) and not filename.endswith(_SURFACE)
        return found

    def user_frame(self, frame: FrameType | None) -> FrameType | None:
        """The innermost frame of the user's own code, within the traced call."""
        while frame is not None and frame is not self._root:
            if not self.is_library(frame.f_code.co_filename):
                return frame
            frame = frame.f_back
        return None

    def _look_above(self, frame: FrameType, spot: Spot) -> None:
        """Read what is written above a statement when it is first seen to run, and around those that ran before it
        without any tensor operation."""
        activation = self._activations[-1] if self._activations else None
        statement = spot.statement
        if activation is None or activation.frame is not frame or statement is None or statement in activation.seen:
            return
        names = frame.f_locals
        for earlier in _unseen(statement, spot, activation.seen):
            activation.seen.add(earlier)
            if not spot.source.comments:
                continue
            there = replace(spot, node=earlier)
            self.reader.above(there, names, self.look, len(self.log.events))
            value = getattr(earlier, "value", None)
            if earlier is not statement and isinstance(earlier, ast.Assign) and isinstance(value, ast.expr):
                made = self._bound_now(earlier.targets[0], names)
                self.reader.behind(replace(spot, node=value), made, names, len(self.log.events))

    def _bound_now(self, target: ast.expr, names: Mapping[str, Any]) -> Seen:
        """What a statement that has run has bound its names to."""
        match target:
            case ast.Name(id=name):
                return self.look(names.get(name))
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                return tuple(self._bound_now(one, names) for one in targets)
        return None


def _unseen(statement: ast.stmt, spot: Spot, seen: set[ast.stmt]) -> list[ast.stmt]:
    """A statement and those before it in its function that nobody has looked at, in order."""
    found: list[ast.stmt] = []
    current: ast.AST | None = statement
    while isinstance(current, ast.stmt) and not isinstance(
        current, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    ):
        parent = spot.source.parents.get(current)
        bodies = [getattr(parent, name, None) for name in ("body", "orelse", "finalbody")]
        body = next((body for body in bodies if isinstance(body, list) and current in body), [current])
        before = body[: body.index(current) + 1]
        found += [one for one in reversed(before) if one not in seen]
        current = parent
    return found[::-1]


def _event_of(layer: Layer, kind: str) -> tuple[type[Any], dict[str, Any]]:
    """The event that a call of a layer is, and what it carries."""
    if kind.endswith("Loss"):
        return LossCalled, {"name": kind}
    event = RecurrentCalled if kind in RECURRENT else CellCalled if kind in CELLS else LayerCalled
    return event, {"layer": layer}


def _constructors() -> frozenset[CodeType]:
    found: set[CodeType] = set()
    for name in layers.KINDS:
        code = getattr(getattr(getattr(nn, name, None), "__init__", None), "__code__", None)
        if code is not None:
            found.add(code)
    return frozenset(found)


def _einops_codes() -> dict[CodeType, str]:
    """The functions of einops, if the program has imported it."""
    einops = sys.modules.get("einops")
    return {
        getattr(einops, name).__code__: f"einops.{name}"
        for name in ("rearrange", "reduce", "repeat")
        if hasattr(einops, name)
    }


def _has_raised(frame: FrameType) -> bool:
    """Whether a frame that ends does so by an exception: its last instruction is then not a return."""
    code = frame.f_code.co_code
    return not 0 <= frame.f_lasti < len(code) or dis.opname[code[frame.f_lasti]] not in _RETURNS


def _is_given(value: Any) -> bool:
    return value is not None


def _models(frame: FrameType) -> Iterator[nn.Module]:
    """The modules that a function works on: its first argument, where that is one."""
    code = frame.f_code
    for name in code.co_varnames[: min(code.co_argcount, 1)]:
        value = frame.f_locals.get(name)
        if isinstance(value, nn.Module) and "_modules" in vars(value) and code.co_name != "__init__":
            yield value


def _measure(values: Mapping[str, Seen]) -> None:
    """What a model is given is data: other data may have other sizes."""
    for value in (found for seen in values.values() for found in values_in(seen)):
        for axis in value.axes or ():
            for atom in axis.atoms:
                atom.measured = True


def _argument_places(
    definition: ast.FunctionDef | ast.AsyncFunctionDef, called: Spot | None, spot: Spot
) -> dict[str, UserPlace]:
    """Where the value of each parameter stands: at the call, or as the default."""
    arguments = definition.args
    plain = [*arguments.posonlyargs, *arguments.args]
    defaults = zip(plain[len(plain) - len(arguments.defaults) :], arguments.defaults, strict=True)
    places = {one.arg: spot.place_of(default) for one, default in defaults}
    places |= {
        one.arg: spot.place_of(default)
        for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is not None
    }
    if called is None or not isinstance(called.node, ast.Call):
        return places
    names = [one.arg for one in plain]
    if names and names[0] in ("self", "cls"):
        names = names[1:]
    if not any(isinstance(node, ast.Starred) for node in called.node.args):
        places |= {name: called.place_of(node) for name, node in zip(names, called.node.args, strict=False)}
    return places | {word.arg: called.place_of(word.value) for word in called.node.keywords if word.arg in names}


def _is_unpacking(spot: Spot) -> bool:
    """Whether a tensor is being unpacked into names."""
    return isinstance(spot.node, ast.Tuple | ast.List) and isinstance(spot.node.ctx, ast.Store)


def _cut(shape: Shape, outcome: Outcome) -> list[Atom]:
    """The axes that a view by plain numbers cuts into pieces where nobody would: the batch, the steps, the layers, the
    units of a direction; and any that it loses track of because its sizes follow no order of memory."""
    if not isinstance(outcome.result, Shape):
        return []
    after = list(outcome.result.atoms())
    lost = [atom for atom in shape.atoms() if atom not in after and atom.size.value != 1]
    both_ways = any(atom.kind is Role.DIRECTION and atom.size.value != 1 for atom in shape.atoms())
    whole = {Role.BATCH, Role.TIME, Role.LAYER, Role.DIRECTION, *((Role.HIDDEN,) if both_ways else ())}
    pieces = {atom.source for atom in after}
    return [atom for atom in lost if _role(atom) in whole or atom not in pieces]


def _role(atom: Atom | None) -> Role | None:
    return atom.role(Strength.LAYER) if atom is not None else None


def _parts(result: Any, count: int) -> Sequence[Any]:
    match result:
        case Named():
            parts: Sequence[Any] = result.results
        case Many():
            return [_again(result.item) for _ in range(count)]
        case tuple():
            parts = result
        case _:
            parts = ()
    return parts if len(parts) == count else [UNKNOWN] * count


def _again(item: Operand) -> Operand:
    """One of many like items, with axes of its own where they may differ."""
    return item


def _without_tensors(result: Any, number: int) -> Seen:
    """The result as meant of a call that raised."""
    match result:
        case Shape() | Packed():
            return Value(result, number)
        case Named():
            return tuple(_without_tensors(one, number) for one in result.results)
        case tuple():
            return tuple(_without_tensors(one, number) for one in result)
        case Dim() | bool():
            return result
    return UNKNOWN


def _spelled(pending: Pending) -> str:
    layer = pending.fields.get("layer")
    if isinstance(layer, Layer):
        return f"nn.{getattr(layer.spec, 'kind', '')}"
    return str(pending.fields.get("name", pending.kind.__name__))


__all__ = ["FAILED", "Disagreement", "Misfit", "Tracer", "current"]
