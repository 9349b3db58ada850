"""RNN, LSTM and GRU: the layers that read a whole sequence.

The rules are those of torch/nn/modules/rnn.py (`RNNBase.check_input`, `check_hidden_size` and the three `forward`),
and, for a packed LSTM, which Python does not check, those that its kernel turns out to have.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from rnnshape_guard.layers.arguments import Bound, Flag, Parameter, Reading, Size, Spec, as_size, settled
from rnnshape_guard.layers.kinds import DEVICE_AND_DTYPE, LayerKind
from rnnshape_guard.layers.ledger import Ledger
from rnnshape_guard.layers.memory import batch_over_time
from rnnshape_guard.shapes.axes import Atom, Axis, Rest, Role, Shape, Strength
from rnnshape_guard.shapes.dims import ONE, ZERO, Dim, compare, surely_positive
from rnnshape_guard.shapes.outcomes import UNKNOWN, Fault, Many, Named, Operand, Outcome, Packed, Result

TENSOR_FOR_PAIR = "a tensor where (h_0, c_0) is needed"
"""The detail of the misfit where an LSTM is given one state."""


@dataclass(frozen=True, kw_only=True)
class RecurrentSpec(Spec):
    """An RNN, LSTM or GRU as constructed. Its layers, directions and hidden units keep their identity from call to call."""

    input_size: Size
    hidden_size: Size
    num_layers: Size = ONE
    bias: Flag = True
    batch_first: Flag = False
    dropout: Operand = 0.0
    bidirectional: Flag = False
    proj_size: Size = ZERO

    @property
    def directions(self) -> Size:
        """How many ways the sequence is read: 1 or 2, ``1 + b`` for a flag b."""
        ways = as_size(settled(self.bidirectional))
        return ways + 1 if isinstance(ways, Dim) else UNKNOWN

    @property
    def output_size(self) -> Size:
        """Features of h_n, and of the output for each direction: the projection's if there is one."""
        if not isinstance(self.proj_size, Dim):
            return UNKNOWN
        if self.proj_size.value == 0:
            return self.hidden_size
        return self.proj_size if surely_positive(self.proj_size) else UNKNOWN

    @property
    def states(self) -> Size:
        """The size of the first axis of h_n: layers · directions."""
        return _product(self.num_layers, self.directions)

    @property
    def output_features(self) -> Size:
        """The width of the output: directions · hidden."""
        return _product(self.directions, self.output_size)

    @cached_property
    def layer(self) -> Atom:
        """The axis of the layers in h_n."""
        return _atom("layers", self.num_layers, Role.LAYER)

    @cached_property
    def direction(self) -> Atom:
        """The axis of the directions, in h_n behind the layers, in the output before the hidden units."""
        return _atom("directions", self.directions, Role.DIRECTION)

    @cached_property
    def hidden(self) -> Atom:
        """The units of h_n and of the output."""
        return _atom("hidden", self.output_size, Role.HIDDEN)

    @cached_property
    def cell(self) -> Atom:
        """The units of c_n: those of h_n, unless h_n is a projection of them."""
        if isinstance(self.proj_size, Dim) and self.proj_size.value == 0:
            return self.hidden
        return _atom("cell", self.hidden_size, Role.HIDDEN)


def _atom(name: str, size: Size, kind: Role) -> Atom:
    return Atom(name, size if isinstance(size, Dim) else None, kind=kind)


def _product(left: Size, right: Size) -> Size:
    return left * right if isinstance(left, Dim) and isinstance(right, Dim) else UNKNOWN


# -- construction ----------------------------------------------------------------------------------------------------


def read(kind: str, reading: Reading) -> RecurrentSpec:
    """The spec of a constructor's arguments."""
    bound = reading.bound
    hidden_size = reading.size("hidden_size", 1)
    proj_size: Size = ZERO
    if kind == "LSTM":
        proj_size = reading.size("proj_size", sizes=False)
        _check_projection(reading, hidden_size, proj_size)
    elif "proj_size" in bound.given - bound.positional:
        reading.refuse("proj_size", "only an LSTM has a projection", Fault.TYPE)
    if kind == "RNN" and bound["nonlinearity"] not in ("tanh", "relu", UNKNOWN):
        reading.refuse("nonlinearity", "must be 'tanh' or 'relu'")
    if isinstance(bound["num_layers"], bool):
        reading.refuse("num_layers", "must be an integer", Fault.TYPE)
    _check_dropout(reading)
    return RecurrentSpec(
        kind=kind,
        given=bound.given,
        positional=bound.positional,
        input_size=reading.size("input_size", 1),
        hidden_size=hidden_size,
        num_layers=reading.size("num_layers", 1),
        bias=reading.flag("bias", strict=True),
        batch_first=reading.flag("batch_first", strict=True),
        dropout=bound["dropout"],
        bidirectional=reading.flag("bidirectional", strict=True),
        proj_size=proj_size,
    )


def _check_projection(reading: Reading, hidden_size: Size, proj_size: Size) -> None:
    if not isinstance(proj_size, Dim) or not isinstance(hidden_size, Dim):
        return
    found, limit = proj_size.value, hidden_size.value
    too_wide = found >= limit if found is not None and limit is not None else compare(proj_size, hidden_size).equal
    if too_wide:
        reading.refuse("proj_size", "must be smaller than hidden_size", expected=hidden_size, found=proj_size)


def _check_dropout(reading: Reading) -> None:
    match reading.bound["dropout"]:
        case bool():
            reading.refuse("dropout", "must be a number from 0 to 1", Fault.TYPE)
        case float(rate) if not 0 <= rate <= 1:
            reading.refuse("dropout", "must be a number from 0 to 1")
        case Dim(value=int(rate)) if not 0 <= rate <= 1:
            reading.refuse("dropout", "must be a number from 0 to 1")
        case None | str() | tuple():
            reading.refuse("dropout", "must be a number from 0 to 1", Fault.TYPE)
        case _:
            pass


# -- the call --------------------------------------------------------------------------------------------------------


def apply(spec: RecurrentSpec, bound: Bound) -> Outcome:
    """``output, h_n = rnn(input, h_0)``; for an LSTM ``output, (h_n, c_n) = lstm(input, (h_0, c_0))``."""
    ledger = Ledger(bound)
    match bound["input"]:
        case Packed() as packed:
            return _packed(spec, packed, bound["hx"], ledger)
        case Shape(perhaps_packed=True, rank=None) as steps:
            return _unknown(spec, steps, bound["hx"], ledger)
        case value:
            shape = ledger.tensor("input", value, dtype="float")
    if shape is None:
        return _unknown(spec, None, bound["hx"], ledger)
    if shape.rank == 2 or (shape.rank is None and shape.least_rank <= 2 and _is_unbatched(bound["hx"])):
        return _unbatched(spec, shape, bound["hx"], ledger)
    return _batched(spec, shape, bound["hx"], ledger)


def _batched(spec: RecurrentSpec, shape: Shape, state: Operand, ledger: Ledger) -> Outcome:
    batch_first = settled(spec.batch_first)
    names = ("batch", "time", "features") if batch_first is True else ("time", "batch", "features")
    if not isinstance(batch_first, bool):
        names = ("axis0", "axis1", "features")
    axes = ledger.axes("input", shape, 3, names, (2, 3))
    if axes is None:
        axes = tuple(Axis.new(name) for name in names)
    else:
        ledger.size("input", -1, spec.input_size, axes[2].size)
    batch: Axis | None = None
    output = Shape((axes[0], axes[1], _output_axis(spec)), None, "float")
    if isinstance(batch_first, bool):
        batch, time = (axes[0], axes[1]) if batch_first else (axes[1], axes[0])
        _needs_steps(time, ledger)
        for place, role in enumerate((Role.BATCH, Role.TIME) if batch_first else (Role.TIME, Role.BATCH)):
            words = f"nn.{spec.kind}(batch_first={batch_first}) reads axis {place} as {role}"
            ledger.learn(axes[place], role, Strength.LAYER, words)
        made = (_output_axis(spec),)
        batch = _in_parts(batch, state)
        output = (
            batch_over_time(batch, time, made, "float") if batch_first else Shape((time, batch, *made), True, "float")
        )
    _check_state(spec, state, batch, 3, ledger)
    return ledger.outcome((output, _final_state(spec, (batch or Axis.new("batch"),))))


def _in_parts(batch: Axis, state: Operand) -> Axis:
    """The batch as the state has it, where the state tells of what parts its samples are (the beams of each sentence, in
    which order) and the input only how many there are."""
    first = state[0] if isinstance(state, tuple) and state else state
    axes = first.axes if isinstance(first, Shape) else None
    if axes is None or len(axes) != 3 or batch.atom is None or batch.atom.source is not None:
        return batch
    parts = axes[1]
    several = sum(atom.size.value != 1 for atom in parts.atoms) > 1
    return parts if several and compare(parts.size, batch.size).equal else batch


def _unbatched(spec: RecurrentSpec, shape: Shape, state: Operand, ledger: Ledger) -> Outcome:
    axes = ledger.axes("input", shape, 2, ("time", "features"))
    assert axes is not None
    time, features = axes
    ledger.size("input", -1, spec.input_size, features.size)
    _needs_steps(time, ledger)
    words = f"nn.{spec.kind} reads a tensor of two axes as one sequence: axis 0 is time"
    ledger.learn(time, Role.TIME, Strength.LAYER, words)
    _check_state(spec, state, None, 2, ledger)
    output = Shape((time, _output_axis(spec)), True, "float")
    return ledger.outcome((output, _final_state(spec, ())))


def _packed(spec: RecurrentSpec, packed: Packed, state: Operand, ledger: Ledger) -> Outcome:
    axes = ledger.axes("input", Shape((packed.batch, packed.time, *packed.features)), 3, ("batch", "time", "features"))
    if axes is not None:
        ledger.size("input", -1, spec.input_size, axes[2].size)
    _check_state(spec, state, packed.batch, 3, ledger)
    output = Packed(packed.batch, packed.time, (_output_axis(spec),), "float", packed.lengths, packed.sorted)
    return ledger.outcome((output, _final_state(spec, (packed.batch,))))


def _unknown(spec: RecurrentSpec, steps: Shape | None, state: Operand, ledger: Ledger) -> Outcome:
    """An input that may be batched, unbatched or packed: the features are known, and that states begin with the layers."""
    if steps is not None and (end := steps.axis(-1)) is not None:
        ledger.size("input", -1, spec.input_size, end.size)
    _check_state(spec, state, None, None, ledger)
    output = Shape((Rest(1), _output_axis(spec)), None, "float", perhaps_packed=True)
    return ledger.outcome((output, _final_state(spec, (Rest(),))))


def _output_axis(spec: RecurrentSpec) -> Axis:
    return Axis((spec.direction, spec.hidden))


def _final_state(spec: RecurrentSpec, batch: tuple[Axis | Rest, ...]) -> Result:
    first = Axis((spec.layer, spec.direction))
    h_n = Shape((first, *batch, Axis((spec.hidden,))), True, "float")
    if spec.kind != "LSTM":
        return h_n
    return h_n, Shape((first, *batch, Axis((spec.cell,))), True, "float")


def _needs_steps(time: Axis, ledger: Ledger) -> None:
    if time.size.value == 0:
        ledger.note(Fault.VALUE, "input", "has no time steps")


# -- the initial state -----------------------------------------------------------------------------------------------


def _check_state(spec: RecurrentSpec, state: Operand, batch: Axis | None, rank: int | None, ledger: Ledger) -> None:
    """The initial state is ``(layers·directions, batch, hidden)``, never batch-first; `rank` is None if the input may
    be unbatched."""
    if state is None:
        return
    if spec.kind != "LSTM":
        _check_one_state("h_0", spec, spec.output_size, state, batch, rank, ledger)
        return
    match state:
        case Named(results=(h_0, c_0)) | (h_0, c_0):
            _check_one_state("h_0", spec, spec.output_size, h_0, batch, rank, ledger)
            _check_one_state("c_0", spec, spec.hidden_size, c_0, batch, rank, ledger)
        case tuple() | Named():
            ledger.note(Fault.COUNT, "hx", "(h_0, c_0) is needed")
        case Shape():
            ledger.note(Fault.TYPE, "hx", TENSOR_FOR_PAIR)
        case Many() | float() | Dim() | str() | bool() | Packed():
            ledger.tensor("hx", state)
        case _:
            pass


def _is_unbatched(state: Operand) -> bool:
    """Whether a state says that there is no batch: it has two axes."""
    match state:
        case (Shape(rank=rank), Shape()) | Shape(rank=rank):
            return rank == 2
        case _:
            return False


def _check_one_state(
    name: str, spec: RecurrentSpec, width: Size, state: Operand, batch: Axis | None, rank: int | None, ledger: Ledger
) -> None:
    shape = ledger.tensor(name, state, dtype="float")
    if shape is None or not isinstance(state, Shape):
        return
    if rank is None:
        _check_state_ends(name, spec, width, shape, ledger)
        return
    axes = ledger.axes(name, shape, rank, ("layers", "batch", "hidden") if rank == 3 else ("layers", "hidden"))
    if axes is None:
        return
    ledger.size(name, 0, spec.states, axes[0].size)
    if batch is not None:
        ledger.size(name, 1, batch.size, axes[1].size)
    ledger.size(name, rank - 1, width, axes[-1].size)


def _check_state_ends(name: str, spec: RecurrentSpec, width: Size, shape: Shape, ledger: Ledger) -> None:
    if shape.rank is not None and shape.rank not in (2, 3):
        ledger.rank(name, shape, (2, 3))
        return
    front, back = shape.ends()
    axes = shape.axes
    if front:
        ledger.size(name, 0, spec.states, front[0].size)
    last = axes[-1] if axes else back[-1] if back else None
    if last is not None:
        ledger.size(name, -1, width, last.size)


# -- the kinds -------------------------------------------------------------------------------------------------------

_SIZES = (Parameter("input_size"), Parameter("hidden_size"), Parameter("num_layers", ONE))
_OPTIONS = (
    Parameter("bias", True),
    Parameter("batch_first", False),
    Parameter("dropout", 0.0),
    Parameter("bidirectional", False),
    Parameter("proj_size", ZERO),
    *DEVICE_AND_DTYPE,
)
_INPUTS = (Parameter("input"), Parameter("hx", None))

KINDS: tuple[LayerKind[RecurrentSpec], ...] = (
    LayerKind("RNN", (*_SIZES, Parameter("nonlinearity", "tanh"), *_OPTIONS), _INPUTS, read, apply),
    LayerKind("LSTM", (*_SIZES, *_OPTIONS), _INPUTS, read, apply),
    LayerKind("GRU", (*_SIZES, *_OPTIONS), _INPUTS, read, apply),
)
