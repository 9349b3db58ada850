"""What came of a call: the real result with the axes that were concluded for it, the event, and what the statement does
with it."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import torch
from torch.nn.utils.rnn import PackedSequence

from rnnshape_guard.events import Discarded, Given, Handed, RecurrentCalled, Seen, Unpacked, Value
from rnnshape_guard.runtime import functions
from rnnshape_guard.runtime.atlas import agreed, agreed_packed, kept, unknown_packed, unknown_shape
from rnnshape_guard.runtime.errors import UserPlace
from rnnshape_guard.runtime.pending import Pending
from rnnshape_guard.runtime.reading import size_expressions
from rnnshape_guard.runtime.sources import Spot
from rnnshape_guard.shapes.axes import Axis, Evidence, Rest, Shape
from rnnshape_guard.shapes.dims import Dim, compare, resolve
from rnnshape_guard.shapes.outcomes import UNKNOWN, Fault, Many, Named, Operand, Packed, Result

if TYPE_CHECKING:
    from rnnshape_guard.runtime.tracer import Tracer

_SILENT: Final = frozenset({Fault.SCRAMBLE})
_LOUD: Final = frozenset({Fault.SIZE, Fault.RANK, Fault.TOTAL, Fault.BROADCAST, Fault.STRIDES, Fault.AXIS})
_MOST_DISAGREEMENTS: Final = 20


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


class Conclusions:
    """Turns calls that are over into values and events."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def conclude(self, pending: Pending, real: Any) -> None:
        """Believe an outcome as far as the real result bears it out, and note the event."""
        outcome = pending.outcome
        place = pending.spot.place
        failed = real is FAILED
        misfits = outcome.misfits
        if not failed:
            misfits = tuple(one for one in misfits if one.fault in _SILENT)
        for rest, parts in outcome.closes:
            _close(rest, parts)
        for left, right in outcome.equations if not failed else ():
            _equate(left, right)
        number = len(self._tracer.log.events)
        for learned in outcome.learned:
            learned.atom.learn(Evidence(learned.role, learned.strength, learned.text, place, number))
        is_sure = not outcome.misfits and pending.kind is not Handed
        what = pending.word
        if failed:
            result: Seen = _without_tensors(outcome.result, number)
        elif pending.kind is RecurrentCalled:
            result = self._state(outcome.result, real, number, place, what, is_sure)
        else:
            result = self._settle(outcome.result, real, number, place, what, is_sure)
        if not failed and len(misfits) < len(outcome.misfits) and any(m.fault in _LOUD for m in outcome.misfits):
            self._disagrees(what, place, "a misfit that torch does not see", real)
        if pending.kind is Unpacked:
            self._tracer.emit(Unpacked, place, pending.scope, result=result, **pending.fields)
            return
        fields = {"given": pending.given, **pending.fields}
        self._tracer.emit(pending.kind, place, pending.scope, misfits=misfits, result=result, **fields)
        if failed:
            return
        if pending.made and isinstance(result, Value):
            self._read_made(pending, result, number)
        self.after_statement(pending.spot, result, pending.names, pending.scope)

    def _read_made(self, pending: Pending, result: Value, number: int) -> None:
        row = next((pending.bound[name] for name in ("size", "shape") if name in pending.bound), None)
        if isinstance(row, tuple):
            nodes = size_expressions(pending.spot, len(row))
            if nodes:
                self._tracer.reader.made(pending.spot, result, list(zip(nodes, row, strict=True)), number)

    def after_statement(self, spot: Spot, result: Seen, names: Mapping[str, Any], scope: str) -> None:
        """What a statement does with a value: unpacks it, throws it away, keeps it; and what is written beside it."""
        statement = spot.statement
        if statement is None or getattr(statement, "value", None) is not spot.node:
            if statement is not None:
                self._tracer.reader.behind(spot, result, names, len(self._tracer.log.events))
            return
        if isinstance(statement, ast.Assign):
            for target in statement.targets:
                self._bind(spot, target, result, scope)
        elif isinstance(statement, ast.Expr) and isinstance(result, Value) and spot.node is not None:
            if result.made_by >= 0:
                self._tracer.emit(Discarded, spot.place, scope, made_by=result.made_by)
        self._tracer.reader.behind(spot, result, names, len(self._tracer.log.events))

    def _bind(self, spot: Spot, target: ast.expr, result: Seen, scope: str) -> None:
        match target:
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                if isinstance(result, tuple) and not any(isinstance(one, ast.Starred) for one in targets):
                    self._tracer.emit(Unpacked, spot.place, scope, source=result, count=len(targets), result=result)
                    if len(targets) == len(result):
                        for one, part in zip(targets, result, strict=True):
                            self._bind(spot, one, part, scope)
            case ast.Attribute() if isinstance(result, Value | tuple):
                self._tracer.emit(Handed, spot.place, scope, given={"0": Given(result, spot.place)})

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
                self._tracer.atlas.note(real, value)
                return value
            case PackedSequence():
                packed = result if isinstance(result, Packed) else None
                if packed is not None and not agreed_packed(packed, real):
                    if is_sure:
                        self._disagrees(what, place, str(packed), real.data)
                    packed = None
                value = Value(packed if packed is not None else unknown_packed(real), number, part)
                self._tracer.atlas.note_packed(real, value)
                return value
            case tuple() | list():
                parts = _parts(result, len(real))
                return tuple(
                    self._settle(one, item, number, place, what, is_sure, part)
                    for one, item in zip(parts, real, strict=True)
                )
            case dict():
                return tuple(self._settle(UNKNOWN, item, number, place, what, False) for item in real.values())
        return result if isinstance(result, Dim | bool) else self._tracer.operand(real)

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
        if len(self._tracer.disagreements) < 20:
            self._tracer.disagreements.append(Disagreement(what, place, traced, sizes))


def _close(rest: Rest, parts: tuple[Any, ...]) -> None:
    if rest.parts is None and rest not in parts:
        rest.solve(parts)


def _equate(left: Dim, right: Dim) -> None:
    one, two = resolve(left), resolve(right)
    if compare(one, two).equal:
        return
    for symbol, value in ((one.symbol, two), (two.symbol, one)):
        if symbol is not None and symbol.value is None and symbol.owner is not None:
            if all(other is not symbol for other in value.symbols()):
                symbol.value = value
                return


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
    """One of many like items: an axis whose size is not known may have another in each."""
    if not isinstance(item, Shape) or item.axes is None:
        return item
    row = tuple(
        Axis.new(atom.name, source=atom) if (atom := axis.atom) is not None and axis.size.value is None else axis
        for axis in item.axes
    )
    return Shape(row, None, item.dtype)


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
