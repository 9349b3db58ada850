"""Python's own calls, seen through a profile hook: functions, layers and their making, packing, einops."""

from __future__ import annotations

import ast
import dis
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import nn
from torch.nn.utils import rnn as packing

from rnnshape_guard import layers, ops
from rnnshape_guard.events import (
    FunctionEntered,
    Given,
    LayerBuilt,
    PackCalled,
    RecurrentBuilt,
    Returned,
    Seen,
    Value,
    values_in,
)
from rnnshape_guard.runtime.concluding import FAILED
from rnnshape_guard.runtime.modules import LiveLayer, forward_code, forward_codes, kind_of
from rnnshape_guard.runtime.pending import Pending, begun, call_places, event_of, parameter_places
from rnnshape_guard.runtime.sources import Spot, scope_of

if TYPE_CHECKING:
    from rnnshape_guard.runtime.tracer import Tracer

_RETURNS: Final = frozenset({"RETURN_VALUE", "RETURN_CONST", "INSTRUMENTED_RETURN_VALUE", "INSTRUMENTED_RETURN_CONST"})
_NO_ENTRY: Final = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


@dataclass(slots=True, eq=False)
class Activation:
    """A user's function that is running."""

    frame: FrameType
    scope: str
    is_model: bool = False
    seen: set[ast.stmt] = field(default_factory=set)


class LocalNames(Mapping[str, Any]):
    """The local names of a frame, asked for only when somebody reads them: what was asked for is kept alive until the
    function ends."""

    def __init__(self, frame: FrameType) -> None:
        self._frame = frame

    def __getitem__(self, name: str) -> Any:
        return self._frame.f_locals[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._frame.f_locals)

    def __len__(self) -> int:
        return len(self._frame.f_locals)


class Calls:
    """What a tracer makes of Python's calls. `activations` are the user's functions that are running."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self.activations: list[Activation] = []
        self._layer_codes = forward_codes()
        self._init_codes = _constructors()
        self._packing = {getattr(packing, path.rpartition(".")[2]).__code__: path for path in layers.FUNCTIONS}
        self._einops = _einops_codes()
        self._actions: dict[int, tuple[CodeType, Callable[[FrameType], None] | None]] = {}
        self._inside: list[tuple[FrameType, Pending | None]] = []
        self._making: dict[int, tuple[tuple[Any, ...], dict[str, Any]]] = {}

    @property
    def is_inside(self) -> bool:
        """Whether a layer, a packing function or a constructor is at work, whose own operations are not looked at."""
        return bool(self._inside)

    @property
    def awaited(self) -> FrameType | None:
        """The frame whose end is of interest next."""
        if self._inside:
            return self._inside[-1][0]
        return self.activations[-1].frame if self.activations else None

    def forget(self) -> None:
        """Let go of all frames."""
        self._inside.clear()
        self.activations.clear()

    def names_of(self, frame: FrameType) -> Mapping[str, Any]:
        """The names of a function that was entered under the tracer's eyes.

        To ask a frame for its locals keeps them alive until it ends: that is no matter within the traced call, but not to
        be done to whoever made it.
        """
        return LocalNames(frame) if any(one.frame is frame for one in self.activations) else {}

    def called(self, frame: FrameType) -> None:
        """A Python function is entered."""
        if self._inside:
            return
        # By identity: a code object takes long to hash. It is held, so that its identity stays its own.
        known = self._actions.get(id(frame.f_code))
        if known is None:
            known = self._actions[id(frame.f_code)] = frame.f_code, self._action_for(frame.f_code)
        action = known[1]
        if action is not None:
            with self._tracer.own_work():
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
        if self._tracer.libraries.hold(code.co_filename) or code.co_flags & _NO_ENTRY:
            return None
        if code.co_name.startswith("<") and code.co_name not in ("<lambda>", "<module>"):
            return None
        return self._function_called

    def returned(self, frame: FrameType, arg: Any) -> None:
        """A Python function ends, with a value or by an exception."""
        if self._inside and self._inside[-1][0] is frame:
            _, pending = self._inside.pop()
            if pending is None:
                with self._tracer.own_work():
                    self._layer_made(frame, _has_raised(frame))
            else:
                with self._tracer.own_work():
                    self._tracer.conclusions.conclude(pending, FAILED if _has_raised(frame) else arg)
            return
        if self._inside:
            return
        if self.activations and self.activations[-1].frame is frame:
            activation = self.activations.pop()
            with self._tracer.own_work():
                self._function_returned(activation, arg)

    def _function_called(self, frame: FrameType) -> None:
        code = frame.f_code
        caller = self._tracer.libraries.user_frame(frame.f_back)
        activation = Activation(frame, scope_of(code))
        called = self._tracer.spots.of(caller) if caller is not None else None
        if called is not None and caller is not None:
            self._tracer.look_above(caller, called)
        self.activations.append(activation)
        source = self._tracer.spots.source(code.co_filename)
        definition = source.functions.get((code.co_firstlineno, code.co_name))
        for root in _models(frame):
            self.register(root)
        if definition is None:
            return
        spot = Spot(source, definition, code.co_firstlineno, code.co_name)
        count = code.co_argcount + code.co_kwonlyargcount
        count += bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
        names = [name for name in code.co_varnames[:count] if name in frame.f_locals]
        values = {name: self._tracer.seen(frame.f_locals[name]) for name in names}
        activation.is_model = bool(names) and isinstance(frame.f_locals[names[0]], nn.Module)
        if activation.is_model and not any(one.is_model for one in self.activations[:-1]):
            _measure(values)
        places = parameter_places(definition, called, spot)
        self._tracer.emit(
            FunctionEntered,
            spot.place,
            activation.scope,
            given={name: Given(value, places.get(name)) for name, value in values.items()},
            call=called.place if called is not None and isinstance(called.node, ast.Call) else None,
        )
        self._tracer.reader.function(spot, definition, values, len(self._tracer.log.events))

    def _function_returned(self, activation: Activation, arg: Any) -> None:
        code = activation.frame.f_code
        source = self._tracer.spots.source(code.co_filename)
        definition = source.functions.get((code.co_firstlineno, code.co_name))
        result = self._tracer.seen(arg)
        if definition is not None and arg is not None:
            spot = Spot(source, definition, code.co_firstlineno, code.co_name)
            if definition.returns is not None and isinstance(result, Value):
                self._tracer.reader.declare(result, definition.returns, spot, len(self._tracer.log.events))
            self._tracer.emit(Returned, spot.place, activation.scope, result=result)
        caller = self._tracer.libraries.user_frame(activation.frame.f_back)
        if caller is not None and arg is not None and self.activations:
            self._tracer.conclusions.after_statement(
                self._tracer.spots.of(caller), result, self.names_of(caller), scope_of(caller.f_code)
            )

    def register(self, root: nn.Module) -> None:
        """Note a model's layers, those that are not known yet as built."""
        if self._tracer.catalog.knows(root):
            return
        for found in self._tracer.catalog.register(root):
            self._built(found)

    def _built(self, found: LiveLayer) -> None:
        spec: Any = found.layer.spec
        event = RecurrentBuilt if spec.kind in layers.RECURRENT else LayerBuilt
        self._tracer.emit(event, found.layer.place, found.layer.owner, layer=found.layer, misfits=found.misfits)

    def _layer_building(self, frame: FrameType) -> None:
        self._inside.append((frame, None))
        module = frame.f_locals.get("self")
        caller = self._tracer.libraries.user_frame(frame.f_back)
        if isinstance(module, nn.Module) and caller is not None and id(module) not in self._tracer.catalog.sites:
            spot = self._tracer.spots.of(caller)
            if isinstance(spot.node, ast.Call):
                live = frame.f_locals
                self._making[id(module)] = (live.get("args", ()), dict(live.get("kwargs", {})))
                self._tracer.catalog.note_site(module, spot, scope_of(caller.f_code).rpartition(".")[0])

    def _layer_made(self, frame: FrameType, has_raised: bool) -> None:
        """A layer is complete when the constructor of its own kind returns."""
        module = frame.f_locals.get("self")
        if not isinstance(module, nn.Module) or self._tracer.catalog.knows(module):
            return
        kind = kind_of(module)
        initializer = getattr(getattr(nn, kind, None), "__init__", None) if kind is not None else None
        if kind is not None and getattr(initializer, "__code__", None) is frame.f_code:
            found = (
                self._tracer.catalog.refused(module, kind, *self._making.get(id(module), ((), {})))
                if has_raised
                else self._tracer.catalog.find(module)
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
        caller = self._tracer.libraries.user_frame(frame.f_back)
        spot = (
            self._tracer.spots.of(caller)
            if caller is not None
            else Spot(self._tracer.spots.source(""), None, 1, "forward")
        )
        fresh = not self._tracer.catalog.knows(module)
        found = self._tracer.catalog.find(module, spot)
        if found is None:
            return
        if fresh:
            self._built(found)
        if caller is not None:
            self._tracer.look_above(caller, spot)
        live = frame.f_locals
        inputs = [parameter.name for parameter in layers.KINDS[kind].inputs if parameter.name in live]
        while inputs and live[inputs[-1]] is None:
            inputs.pop()
        spec: Any = found.layer.spec
        outcome = layers.call(
            spec, (), {name: self._tracer.operand(live[name]) for name in inputs if live[name] is not None}
        )
        places = call_places(spot)
        given = {
            name: Given(self._tracer.seen(live[name]), places.get(at, places.get(name)))
            for at, name in enumerate(inputs)
        }
        event, fields = event_of(found.layer, kind)
        scope = scope_of(caller.f_code) if caller is not None else ""
        names = self.names_of(caller) if caller is not None else {}
        self._inside.append((frame, Pending(event, outcome, given, spot, scope, fields, names=names)))

    def layer_refused(
        self, frame: FrameType, spot: Spot, module: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> None:
        """A layer's forward does not take these arguments: Python refused the call."""
        found = self._tracer.catalog.find(module, spot)
        kind = kind_of(module)
        if found is None or kind is None:
            return
        operands = tuple(self._tracer.operand(value) for value in args)
        spec: Any = found.layer.spec
        outcome = layers.call(spec, operands, {name: self._tracer.operand(value) for name, value in kwargs.items()})
        names = [parameter.name for parameter in layers.KINDS[kind].inputs if not parameter.keyword_only]
        places = call_places(spot)
        given = {
            (names[at] if at < len(names) else f"argument {at + 1}"): Given(self._tracer.seen(value), places.get(at))
            for at, value in enumerate(args)
        } | {name: Given(self._tracer.seen(value), places.get(name)) for name, value in kwargs.items()}
        event, fields = event_of(found.layer, kind)
        self._tracer.conclusions.conclude(Pending(event, outcome, given, spot, scope_of(frame.f_code), fields), FAILED)

    def _packing_called(self, frame: FrameType) -> None:
        path = self._packing[frame.f_code]
        name = path.rpartition(".")[2]
        caller = self._tracer.libraries.user_frame(frame.f_back)
        if caller is None:
            return
        spot = self._tracer.spots.of(caller)
        self._tracer.look_above(caller, spot)
        live = frame.f_locals
        names = frame.f_code.co_varnames[: frame.f_code.co_argcount]
        outcome = layers.FUNCTIONS[path](
            (), {word: self._tracer.operand(live[word]) for word in names if _is_given(live[word])}
        )
        places = call_places(spot)
        given = {
            word: Given(self._tracer.seen(live[word]), places.get(at, places.get(word)))
            for at, word in enumerate(names)
            if at in places or word in places
        }
        self._inside.append((frame, begun(PackCalled, outcome, given, caller, spot, self.names_of(caller), name=name)))

    def _einops_called(self, frame: FrameType) -> None:
        path = self._einops[frame.f_code]
        caller = self._tracer.libraries.user_frame(frame.f_back)
        operation = ops.find(path)
        tensor = frame.f_locals.get("tensor")
        if caller is None or operation is None or not isinstance(tensor, torch.Tensor):
            return
        spot = self._tracer.spots.of(caller)
        self._tracer.look_above(caller, spot)
        live = frame.f_locals
        args = [live[name] for name in ("tensor", "pattern", "reduction") if name in live]
        pending = self._tracer.operations.operation(caller, spot, operation, args, dict(live.get("axes_lengths", {})))
        self._inside.append((frame, pending))


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
