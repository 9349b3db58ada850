"""What Python itself refused: a tuple or packed sequence that was indexed, or asked for a tensor's method.

No tensor operation runs then, so nothing was seen; the line that raised and the names it had tell what was meant.
"""

from __future__ import annotations

import ast
from types import FrameType
from typing import Any, Final

from torch import nn
from torch.nn.utils.rnn import PackedSequence

from rnnshape_guard import ops
from rnnshape_guard.events import OPERATED, Given, Operated, Selected, values_in
from rnnshape_guard.runtime.sources import Spot, scope_of
from rnnshape_guard.runtime.tracer import Tracer
from rnnshape_guard.shapes.outcomes import UNKNOWN, Fault, Misfit

_MISSING: Final = object()


def examine(tracer: Tracer, error: BaseException) -> None:
    """Add the event that an AttributeError or a TypeError of the program stands for, if it is one of shapes."""
    if not isinstance(error, AttributeError | TypeError):
        return
    frame, instruction = _last(error)
    if frame is not None and frame.f_code.co_name == "_call_impl" and isinstance(error, TypeError):
        _not_called(tracer, frame, error)
        return
    if frame is None or tracer.libraries.hold(frame.f_code.co_filename):
        return
    spot = tracer.spots.at(frame.f_code, instruction)
    match spot.node:
        case ast.Attribute(value=holder, attr=name) if isinstance(error, AttributeError):
            operation = ops.find(f"Tensor.{name}")
            if operation is not None:
                kind = OPERATED[operation.kind]
                _refused(tracer, spot, frame, holder, kind, name, {})
        case ast.Subscript(value=holder) if isinstance(error, TypeError):
            items = {"items": Given((), spot.place)}
            _refused(tracer, spot, frame, holder, Selected, "index", items)


def _not_called(tracer: Tracer, frame: FrameType, error: BaseException) -> None:
    """A layer was called with arguments that its forward does not have."""
    live = frame.f_locals
    module, args, kwargs = live.get("self"), live.get("args"), live.get("kwargs")
    trace, caller, instruction = error.__traceback__, None, -1
    while trace is not None:
        if not tracer.libraries.hold(trace.tb_frame.f_code.co_filename):
            caller, instruction = trace.tb_frame, trace.tb_lasti
        trace = trace.tb_next
    if caller is not None and isinstance(module, nn.Module) and isinstance(args, tuple) and isinstance(kwargs, dict):
        tracer.calls.layer_refused(caller, tracer.spots.at(caller.f_code, instruction), module, args, kwargs)


def _last(error: BaseException) -> tuple[FrameType | None, int]:
    """The frame that raised, and its instruction."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return (trace.tb_frame, trace.tb_lasti) if trace is not None else (None, -1)


def _refused(
    tracer: Tracer,
    spot: Spot,
    frame: FrameType,
    holder: ast.expr,
    kind: type[Operated],
    name: str,
    further: dict[str, Given],
) -> None:
    value = _value_of(holder, frame)
    if not isinstance(value, tuple):
        return
    seen = tracer.seen(value)
    if not any(True for _ in values_in(seen)):
        return
    detail = "a PackedSequence" if isinstance(value, PackedSequence) else "a tuple"
    parent = spot.source.parents.get(spot.node) if spot.node is not None else None
    node = parent if isinstance(parent, ast.Call) and parent.func is spot.node else spot.node
    assert node is not None
    misfit = Misfit(fault=Fault.TYPE, operand="input", detail=detail)
    given = {"input": Given(seen, spot.place_of(holder)), **further}
    scope = scope_of(frame.f_code)
    tracer.emit(kind, spot.place_of(node), scope, given=given, name=name, misfits=(misfit,), result=UNKNOWN)


def _value_of(node: ast.expr, frame: FrameType) -> Any:
    """What a name, an attribute or a literal index of one holds; a call is not made again."""
    match node:
        case ast.Name(id=name):
            return frame.f_locals.get(name, frame.f_globals.get(name, _MISSING))
        case ast.Attribute(value=ast.Name() as inner, attr=name):
            holder = _value_of(inner, frame)
            return getattr(holder, "__dict__", {}).get(name, _MISSING)
        case ast.Subscript(value=inner, slice=ast.Constant(value=int() as index)):
            holder = _value_of(inner, frame)
            return holder[index] if type(holder) in (tuple, list) and -len(holder) <= index < len(holder) else _MISSING
    return _MISSING
