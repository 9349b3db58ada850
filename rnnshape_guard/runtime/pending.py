"""Calls that have begun and are not concluded yet, and the places of what they were given."""

from __future__ import annotations

import ast
import inspect
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Final

from rnnshape_guard import layers
from rnnshape_guard.events import (
    CellCalled,
    Given,
    Layer,
    LayerCalled,
    LossCalled,
    RecurrentCalled,
)
from rnnshape_guard.runtime.errors import UserPlace
from rnnshape_guard.runtime.sources import Spot, scope_of
from rnnshape_guard.shapes.outcomes import Operand, Outcome

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

Places = dict[int | str, UserPlace]
"""Where arguments stand, by position and by name."""


@dataclass(slots=True, eq=False)
class Pending:
    """A call that has begun: the event it will be, what is expected of it, what it was given and where it stands.

    `names` are those of the function it stands in; `bound` the arguments by PyTorch's names; `made` says that it makes a
    tensor from sizes.
    """

    kind: type[Any]
    outcome: Outcome
    given: dict[str, Given]
    spot: Spot
    scope: str
    fields: dict[str, Any]
    names: Mapping[str, Any] = field(default_factory=dict)
    bound: Mapping[str, Operand] = field(default_factory=dict)
    made: bool = False

    @property
    def word(self) -> str:
        """What is called, in a word."""
        layer = self.fields.get("layer")
        if isinstance(layer, Layer):
            return f"nn.{getattr(layer.spec, 'kind', '')}"
        return str(self.fields.get("name", self.kind.__name__))


def begun(
    kind: type[Any],
    outcome: Outcome,
    given: dict[str, Given],
    frame: FrameType,
    spot: Spot,
    names: Mapping[str, Any],
    **fields: Any,
) -> Pending:
    """A call that begins in a frame."""
    return Pending(kind, outcome, given, spot, scope_of(frame.f_code), fields, names)


def event_of(layer: Layer, kind: str) -> tuple[type[Any], dict[str, Any]]:
    """The event that a call of a layer is, and what it carries."""
    if kind.endswith("Loss"):
        return LossCalled, {"name": kind}
    event = RecurrentCalled if kind in layers.RECURRENT else CellCalled if kind in layers.CELLS else LayerCalled
    return event, {"layer": layer}


def call_places(spot: Spot) -> Places:
    """Where the arguments of a call stand."""
    if not isinstance(spot.node, ast.Call):
        return {}
    plain = itertools.takewhile(lambda node: not isinstance(node, ast.Starred), spot.node.args)
    places: Places = {at: spot.place_of(node) for at, node in enumerate(plain)}
    return places | {word.arg: spot.place_of(word.value) for word in spot.node.keywords if word.arg}


def operand_places(spot: Spot, frame: FrameType, count: int) -> tuple[Places, str]:
    """Where the operands of a tensor operation stand, the tensor of a method first; and the operator if it was one.

    `count` is how many positional arguments torch was given.
    """
    match spot.node:
        case ast.BinOp(left=left, op=op, right=right):
            return {0: spot.place_of(left), 1: spot.place_of(right)}, _OPERATORS.get(type(op), "")
        case ast.Compare(left=left, comparators=[right]) | ast.AugAssign(target=left, value=right):
            return {0: spot.place_of(left), 1: spot.place_of(right)}, ""
        case ast.UnaryOp(operand=only) | ast.Attribute(value=only) | ast.Subscript(value=only):
            return {0: spot.place_of(only)}, ""
        case ast.Call(func=ast.Attribute() as function, args=nodes, keywords=words) if len(nodes) + len(
            words
        ) < count or _is_method(function, frame):
            places: Places = {0: spot.place_of(function.value)}
            for at, place in call_places(spot).items():
                places[at + 1 if isinstance(at, int) else at] = place
            return places, ""
    return call_places(spot), ""


def _is_method(function: ast.Attribute, frame: FrameType) -> bool:
    """Whether what is called is a method of a value: not a function of a module such as torch or F."""
    holder = function.value
    while isinstance(holder, ast.Attribute):
        holder = holder.value
    if not isinstance(holder, ast.Name) or holder.id in frame.f_code.co_varnames:
        return True
    return not inspect.ismodule(frame.f_globals.get(holder.id))


def parameter_places(
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
