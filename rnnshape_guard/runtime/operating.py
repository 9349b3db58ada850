"""Tensor operations as a running program uses them: from live arguments to what is expected of the call."""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import FrameType
from typing import TYPE_CHECKING, Any

import torch

from rnnshape_guard import layers, ops
from rnnshape_guard.events import OPERATED, Given, Handed, LossCalled, Seen, Selected, Unpacked, Value
from rnnshape_guard.ops import Kind
from rnnshape_guard.runtime import functions
from rnnshape_guard.runtime.pending import Pending, begun, operand_places
from rnnshape_guard.runtime.sizes import Size
from rnnshape_guard.runtime.sources import Spot
from rnnshape_guard.shapes.axes import Atom, Role, Shape, Strength
from rnnshape_guard.shapes.dims import Dim, Symbol
from rnnshape_guard.shapes.outcomes import UNKNOWN, Fault, Operand, Outcome

if TYPE_CHECKING:
    from rnnshape_guard.runtime.tracer import Tracer


class Operations:
    """What a tracer makes of the functions that torch hands to its mode."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._known = functions.table()

    def begin(self, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Pending | None:
        """What is expected of a call that torch is about to make; None where nothing is to be noted."""
        frame = self._tracer.libraries.caller(sys._getframe(3))
        if frame is None:
            return None
        spot = self._tracer.spots.of(frame)
        self._tracer.look_above(frame, spot)
        if func is functions.GETITEM:
            return self._subscript(frame, spot, args)
        if func is functions.UNBIND and _is_unpacking(spot):
            return self._unpacking(frame, spot, args[0])
        if func is functions.UNBIND and not isinstance(spot.node, ast.Call):
            return self._rows(frame, spot, args[0])
        loss = functions.losses().get(func)
        if loss is not None:
            return self._loss(frame, spot, loss, args, kwargs)
        known = self._known.get(func)
        if known is None:
            return self._unknown(frame, spot, func, args, kwargs)
        arguments = list(args)
        if known.swapped and len(arguments) == 2:
            arguments.reverse()
        return self.operation(frame, spot, known.operation, arguments, kwargs)

    def operation(
        self,
        frame: FrameType,
        spot: Spot,
        operation: ops.Operation,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
    ) -> Pending:
        """What is expected of an operation of the table."""
        operands = [self._tracer.operand(value) for value in args]
        words = {name: self._tracer.operand(value) for name, value in kwargs.items()}
        bound, outcome = ops.perform(operation, operands, words)
        if operation.kind is Kind.RESHAPE and operands:
            named = self._with_names(operation, operands, words, outcome)
            if named is not None:
                bound, outcome = named
        name = operation.name.rpartition(".")[2]
        given, operator = self._given(operation, bound, args, kwargs, frame, spot)
        pending = begun(
            OPERATED[operation.kind],
            outcome,
            given,
            frame,
            spot,
            self._tracer.calls.names_of(frame),
            name=operator or name,
            in_place=operation.inplace,
        )
        pending.bound, pending.made = bound, operation.kind is Kind.CREATE
        return pending

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
        frame: FrameType,
        spot: Spot,
    ) -> tuple[dict[str, Given], str]:
        """The arguments by PyTorch's names with their places, and the operator if it was one."""
        order = [parameter.name for parameter in operation.parameters]
        many = next((at for at, parameter in enumerate(operation.parameters) if parameter.many), None)
        places, operator = operand_places(spot, frame, len(args))
        given: dict[str, Given] = {}
        for at, value in enumerate(args):
            if many is not None and at >= many:
                break
            if at < len(order):
                given[order[at]] = Given(self._tracer.seen(value), places.get(at))
        for name, value in kwargs.items():
            if name in order:
                given[name] = Given(self._tracer.seen(value), places.get(name))
        for name, operand in bound.items():
            if name in given and not isinstance(given[name].seen, Value | tuple):
                given[name] = Given(operand, given[name].place)
            elif name not in given:
                at_place = order.index(name) if name in order else None
                given[name] = Given(operand, places.get(at_place) if many is not None and at_place == many else None)
        return given, operator

    def _subscript(self, frame: FrameType, spot: Spot, args: Sequence[Any]) -> Pending:
        tensor, key = args
        items = key if isinstance(key, tuple) else (key,)
        value = self._tracer.value(tensor)
        operands = tuple(self._tracer.operand(item) for item in items)
        assert isinstance(value.shape, Shape)
        outcome = ops.index(value.shape, operands)
        kept_items: Seen = tuple(item if item is ... else self._tracer.seen(item) for item in items)
        holder = spot.node.value if isinstance(spot.node, ast.Subscript) else spot.node
        place = spot.place_of(holder) if holder is not None else spot.place
        given = {"input": Given(value, place), "items": Given(kept_items, spot.place)}
        return begun(
            Selected, outcome, given, frame, spot, self._tracer.calls.names_of(frame), name="index", in_place=False
        )

    def _unpacking(self, frame: FrameType, spot: Spot, tensor: torch.Tensor) -> Pending:
        value = self._tracer.value(tensor)
        operation = ops.find("Tensor.unbind")
        assert operation is not None
        _, outcome = ops.perform(operation, [value.shape], {})
        targets = spot.node.elts if isinstance(spot.node, ast.Tuple | ast.List) else ()
        fields = {"source": value, "count": len(targets)}
        statement = spot.statement
        if isinstance(statement, ast.Assign):
            spot = replace(spot, node=statement.value)
        return begun(Unpacked, outcome, {}, frame, spot, self._tracer.calls.names_of(frame), **fields)

    def _rows(self, frame: FrameType, spot: Spot, tensor: torch.Tensor) -> Pending:
        """Iterating over a tensor gives what index 0 gives, again and again."""
        value = self._tracer.value(tensor)
        assert isinstance(value.shape, Shape)
        results = tuple(ops.index(value.shape, (Dim.of(at),)).result for at in range(len(tensor)))
        given = {"input": Given(value, spot.place), "items": Given((Dim.of(Symbol("?")),), spot.place)}
        return begun(
            Selected,
            Outcome(results),
            given,
            frame,
            spot,
            self._tracer.calls.names_of(frame),
            name="index",
            in_place=False,
        )

    def _unknown(
        self, frame: FrameType, spot: Spot, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Pending | None:
        """An operation that the table does not hold: what it makes is unknown, what it changes is forgotten."""
        name = getattr(func, "__name__", "")
        if name in ("__set__", "__setitem__", "__get__"):
            return None
        given = {str(at): Given(self._tracer.seen(value)) for at, value in enumerate((*args, *kwargs.values()))}
        if not any(True for _ in functions.tensors_in((*args, *kwargs.values()))):
            return None
        return begun(Handed, Outcome(UNKNOWN), given, frame, spot, self._tracer.calls.names_of(frame))

    def marked(self, frame: FrameType, reads: str, result: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Sizes that were read, each with the axis it is the size of."""
        spot = self._tracer.spots.of(frame)
        self._tracer.look_above(frame, spot)
        axes = self._tracer.value(args[0]).axes
        if axes is None:
            return result
        if reads == "numel":
            return Size(result, Dim.product(axis.size for axis in axes), self._tracer.token)
        index = args[1] if len(args) > 1 else kwargs.get("dim")
        self._tracer.reader.sizes(spot, axes, index, len(self._tracer.log.events))
        if index is not None:
            return Size(result, axes[index].size, self._tracer.token)
        return torch.Size([Size(size, axis.size, self._tracer.token) for size, axis in zip(result, axes, strict=True)])

    def _loss(
        self, frame: FrameType, spot: Spot, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Pending | None:
        """A loss as a function is the loss layer with the function's options."""
        kind = layers.KINDS[layers.FUNCTIONAL_LOSSES[name]]
        inputs = [parameter.name for parameter in kind.inputs]
        known = {parameter.name for parameter in kind.parameters}
        options = {
            key: self._tracer.operand(value)
            for key, value in kwargs.items()
            if key in known and key not in (*inputs, "weight")
        }
        built = layers.build(kind, (), options)
        if built.spec is None:
            return None
        values = dict(zip(inputs, args, strict=False)) | {key: kwargs[key] for key in inputs if key in kwargs}
        outcome = layers.call(built.spec, (), {key: self._tracer.operand(value) for key, value in values.items()})
        places, _ = operand_places(spot, frame, len(args))
        given = {
            key: Given(self._tracer.seen(value), places.get(at, places.get(key)))
            for at, (key, value) in enumerate(values.items())
        }
        return begun(LossCalled, outcome, given, frame, spot, self._tracer.calls.names_of(frame), name=kind.name)


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
