"""RNNCell, LSTMCell and GRUCell: one step of a sequence. The rules are those of torch/nn/modules/rnn.py."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from rnnshape_guard.layers.arguments import Bound, Flag, Parameter, Reading, Size, Spec
from rnnshape_guard.layers.kinds import DEVICE_AND_DTYPE, LayerKind
from rnnshape_guard.layers.ledger import Ledger
from rnnshape_guard.layers.recurrent import TENSOR_FOR_PAIR
from rnnshape_guard.shapes.axes import Atom, Axis, Rest, Role, Shape
from rnnshape_guard.shapes.dims import Dim
from rnnshape_guard.shapes.outcomes import UNKNOWN, Fault, Named, Operand, Outcome


@dataclass(frozen=True, kw_only=True)
class CellSpec(Spec):
    """A recurrent cell as constructed. Its hidden units keep their identity from step to step."""

    input_size: Size
    hidden_size: Size
    bias: Flag = True

    @cached_property
    def hidden(self) -> Atom:
        """The units of its state."""
        return Atom("hidden", self.hidden_size if isinstance(self.hidden_size, Dim) else None, kind=Role.HIDDEN)


def _read(kind: str, reading: Reading) -> CellSpec:
    bound = reading.bound
    if kind == "RNNCell" and bound["nonlinearity"] not in ("tanh", "relu", UNKNOWN):
        reading.refuse("nonlinearity", "must be 'tanh' or 'relu'")
    return CellSpec(
        kind=kind,
        given=bound.given,
        positional=bound.positional,
        input_size=reading.size("input_size"),
        hidden_size=reading.size("hidden_size"),
        bias=reading.flag("bias"),
    )


def _apply(spec: CellSpec, bound: Bound) -> Outcome:
    """``(batch, input_size)`` and ``(batch, hidden_size)`` to ``(batch, hidden_size)``; an LSTMCell gives
    ``(h_1, c_1)``. A single step may come without its batch."""
    ledger = Ledger(bound)
    shape = ledger.tensor("input", bound["input"], dtype="float")
    before: tuple[Axis | Rest, ...] = (Rest(),)
    batch: Axis | None = None
    rank: int | None = None
    if shape is not None:
        axes = ledger.axes("input", shape, 2, ("batch", "features"), (1, 2))
        if axes is None:
            before = (Axis.new("batch"),)
        else:
            ledger.size("input", -1, spec.input_size, axes[-1].size)
            before, rank = axes[:-1], len(axes)
            batch = axes[0] if rank == 2 else None
    _check_state(spec, bound["hx"], batch, rank, ledger)
    parts = (*before, Axis((spec.hidden,)))
    h_1 = Shape(parts, True, "float")
    return ledger.outcome((h_1, Shape(parts, True, "float")) if spec.kind == "LSTMCell" else h_1)


def _check_state(spec: CellSpec, state: Operand, batch: Axis | None, rank: int | None, ledger: Ledger) -> None:
    if state is None:
        return
    if spec.kind != "LSTMCell":
        _check_one_state("h_0", spec, state, batch, rank, ledger)
        return
    match state:
        case Named(results=(h_0, c_0)) | (h_0, c_0):
            _check_one_state("h_0", spec, h_0, batch, rank, ledger)
            _check_one_state("c_0", spec, c_0, batch, rank, ledger)
        case (h_0, c_0, *_) if rank == 1:
            # Without a batch torch takes the first two, whatever follows.
            _check_one_state("h_0", spec, h_0, None, rank, ledger)
            _check_one_state("c_0", spec, c_0, None, rank, ledger)
        case tuple() | Named():
            ledger.note(Fault.COUNT, "hx", "(h_0, c_0) is needed")
        case Shape():
            ledger.note(Fault.TYPE, "hx", TENSOR_FOR_PAIR)
        case _:
            ledger.tensor("hx", state)


def _check_one_state(
    name: str, spec: CellSpec, state: Operand, batch: Axis | None, rank: int | None, ledger: Ledger
) -> None:
    shape = ledger.tensor(name, state, dtype="float")
    if shape is None or not isinstance(state, Shape):
        return
    if rank is None:
        last = shape.axis(-1)
        if last is not None:
            ledger.size(name, -1, spec.hidden_size, last.size)
        return
    axes = ledger.axes(name, shape, rank, ("batch", "hidden")[-rank:])
    if axes is None:
        return
    if batch is not None:
        ledger.size(name, 0, batch.size, axes[0].size)
    ledger.size(name, rank - 1, spec.hidden_size, axes[-1].size)


_SIZES = (Parameter("input_size"), Parameter("hidden_size"), Parameter("bias", True))
_INPUTS = (Parameter("input"), Parameter("hx", None))

KINDS: tuple[LayerKind[CellSpec], ...] = (
    LayerKind("RNNCell", (*_SIZES, Parameter("nonlinearity", "tanh"), *DEVICE_AND_DTYPE), _INPUTS, _read, _apply),
    LayerKind("LSTMCell", (*_SIZES, *DEVICE_AND_DTYPE), _INPUTS, _read, _apply),
    LayerKind("GRUCell", (*_SIZES, *DEVICE_AND_DTYPE), _INPUTS, _read, _apply),
)
