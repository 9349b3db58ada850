"""How an RNN's output is read along its batch and its time."""

from __future__ import annotations

from dataclasses import dataclass

from rnnshape_guard.checks.lineage import (
    batch_first_of,
    beside,
    contradicted,
    holds_directions,
    is_axis,
    is_used,
    line_of,
    of_one,
    output_behind,
    pack_of,
    steps_of,
    uses,
)
from rnnshape_guard.checks.picking import SUMMARIES, is_whole, picks, reduced_axes
from rnnshape_guard.checks.reading import confirmed
from rnnshape_guard.checks.summed_directions import Summed, summed_directions
from rnnshape_guard.checks.wording import quoted
from rnnshape_guard.events import (
    Computed,
    Created,
    Event,
    LayerCalled,
    Log,
    PackCalled,
    RecurrentCalled,
    Reduced,
    Reordered,
    Reshaped,
    Returned,
    Selected,
    Value,
    reads,
    values_in,
)
from rnnshape_guard.layers import LinearSpec
from rnnshape_guard.shapes.axes import Atom, Role, Shape
from rnnshape_guard.shapes.dims import Dim, compare


@dataclass(frozen=True, slots=True)
class BatchRead:
    """An output read along its batch as if that were the time. `pad` is the padding whose layout made the mistake, if
    it was padded in another layout than it was packed; `reorder` the last event that moved its axes, if any did."""

    event: Selected | Reduced
    value: Value
    call: RecurrentCalled
    batch: Atom
    time: Atom
    at: int
    time_at: int
    pad: PackCalled | None
    reorder: Reordered | None

    @property
    def result(self) -> Value | None:
        """What was read."""
        return next(values_in(self.event.result), None)

    @property
    def wanted(self) -> Shape:
        """What will have been meant: the tensor without its time."""
        axes = self.value.axes or ()
        return Shape(tuple(axis for at, axis in enumerate(axes) if at != self.time_at))

    @property
    def fact(self) -> str:
        """The mistake in a sentence."""
        words = quoted(self.event.place)
        if isinstance(self.event, Selected):
            return f"{words} is the last sample of the batch, not the last step"
        return f"{words} goes over the batch, not over time"

    @property
    def remedy(self) -> str:
        """The line that will have been meant."""
        holder = self.event.given["input"].text or "out"
        if isinstance(self.event, Selected):
            return f"{holder}[{':, ' * self.time_at}-1]"
        return f"{holder}.{self.event.name}(dim={self.time_at})"


def batch_read(event: Selected | Reduced, log: Log) -> BatchRead | None:
    """An index -1 or a summary along the batch of an RNN's output, where the tensor's evidence agrees that it is the
    batch; None for anything else."""
    value = event.value("input")
    axes = value.axes if value is not None else None
    if value is None or axes is None or len(axes) != 3 or not is_used(event, log):
        return None
    taken = _taken(event)
    if isinstance(event, Selected) and event.name in ("gather", "take_along_dim"):
        taken = _gathered_along(event, value, log)
    value = _unweighted(event, value, log)
    call = output_behind(value, log) if taken is not None else None
    pair = steps_of(call) if call is not None else None
    if taken is None or call is None or pair is None:
        return None
    batch, time = pair
    time_at = next((at for at, axis in enumerate(axes) if is_axis(axis, time)), None)
    if time_at is None or not is_axis(axes[taken], batch) or contradicted(batch, time):
        return None
    if not (confirmed(batch, Role.BATCH) or confirmed(time, Role.TIME) or _state_is_made_for(call, batch)):
        return None
    pad = reorder = None
    for _, maker in line_of(value, log):
        if isinstance(maker, PackCalled) and pad is None and reorder is None and _turned(maker, call, log):
            pad = maker
        if isinstance(maker, Reordered) and reorder is None:
            reorder = maker
    return BatchRead(event, value, call, batch, time, taken, time_at, pad, reorder)


def _state_is_made_for(call: RecurrentCalled, batch: Atom) -> bool:
    """Whether an initial state was made with the size of an axis as its batch: that is what it is, then."""
    given = call.given.get("hx")
    first = next(values_in(given.seen), None) if given is not None else None
    axes = first.axes if first is not None else None
    made = axes[1].atom if axes is not None and len(axes) == 3 else None
    return made is not None and made.root is batch.root


def _taken(event: Selected | Reduced) -> int | None:
    """The one axis that is read as if it were time."""
    if isinstance(event, Reduced):
        axes = event.value("input").axes if event.value("input") is not None else None  # type: ignore[union-attr]
        along = reduced_axes(event)
        if event.name not in SUMMARIES or axes is None or len(along) != 1:
            return None
        return next(at for at, axis in enumerate(axes) if axis is along[0])
    found = [pick for pick in picks(event) if not is_whole(pick.item)]
    last = [pick for pick in found if pick.number == -1]
    return last[0].at if len(last) == 1 and all(pick in last or pick.at == 2 for pick in found) else None


def _gathered_along(event: Selected, value: Value, log: Log) -> int | None:
    """The axis along which a gather takes the step that lengths, less one, name."""
    given = event.given.get("dim")
    at = given.seen.literal if given is not None and isinstance(given.seen, Dim) else None
    call = output_behind(value, log)
    if at is None or call is None or value.axes is None or not -len(value.axes) <= at < len(value.axes):
        return None
    return at % len(value.axes) if _from_lengths(event, call, log) else None


def _turned(pad: PackCalled, call: RecurrentCalled, log: Log) -> bool:
    """Whether a batch was padded in another layout than it was packed in."""
    pack = pack_of(call, log)
    if pack is None:
        return False
    one, other = batch_first_of(pack), batch_first_of(pad)
    return one is not None and other is not None and one is not other


@dataclass(frozen=True, slots=True)
class CrossedRead:
    """Samples counted along the time of an output, and steps along its batch: ``out[rows, lengths - 1]`` where the
    layout is (time, batch, hidden)."""

    event: Selected
    value: Value
    call: RecurrentCalled
    rows_at: int
    steps_at: int


def _unweighted(event: Selected | Reduced, value: Value, log: Log) -> Value:
    """The output behind a weighted sum over it, axis by axis the same; else the tensor itself."""
    maker = log.maker(value)
    if not isinstance(event, Reduced) or not isinstance(maker, Computed) or maker.name not in ("*", "mul"):
        return value
    whole = [one for one in reads(maker) if one.axes is not None and one.axes == value.axes]
    outputs = [one for one in whole if output_behind(one, log) is not None]
    return outputs[0] if len(outputs) == 1 else value


def crossed_read(event: Selected, log: Log) -> CrossedRead | None:
    """A subscript whose ``arange`` over the batch stands for the time axis, by identity, and whose other index stands
    for the batch."""
    value = event.value("input")
    call = output_behind(value, log) if value is not None and event.name == "index" else None
    pair = steps_of(call) if call is not None else None
    if value is None or call is None or pair is None or contradicted(*pair):
        return None
    batch, time = pair
    indices = [(pick, pick.item) for pick in picks(event) if isinstance(pick.item, Value)]
    rows = [pick for pick, index in indices if is_axis(pick.axis, time) and _counts(index, batch, log)]
    steps = [pick for pick, index in indices if is_axis(pick.axis, batch) and not _counts(index, batch, log)]
    if len(rows) != 1 or len(steps) != 1:
        return None
    return CrossedRead(event, value, call, rows[0].at, steps[0].at)


def _counts(index: Value, atom: Atom, log: Log) -> bool:
    """Whether an index is ``arange`` over an axis."""
    maker = log.maker(index)
    while isinstance(maker, Computed | Reshaped) and of_one(maker):
        maker = log.maker(next(reads(maker)))
    return (
        isinstance(maker, Created)
        and maker.name == "arange"
        and index.axes is not None
        and any(is_axis(axis, atom) for axis in index.axes)
    )


@dataclass(frozen=True, slots=True)
class FeatureRead:
    """The last feature of every step, given to a layer that takes as many features as a step has: the last step of all
    features will have been meant."""

    event: Selected
    value: Value
    call: RecurrentCalled
    at: int
    time_at: int
    reader: LayerCalled


def feature_read(event: Selected, log: Log) -> FeatureRead | None:
    """An index -1 along the features of an output, where a Linear made for these features reads the steps instead."""
    value = event.value("input")
    call = output_behind(value, log) if value is not None else None
    pair = steps_of(call) if call is not None else None
    taken = [pick for pick in picks(event) if not is_whole(pick.item)]
    if value is None or value.axes is None or call is None or pair is None or len(taken) != 1 or event.path:
        return None
    (pick,) = taken
    time_at = next((at for at, axis in enumerate(value.axes) if is_axis(axis, pair[1])), None)
    if time_at is None or pick.number != -1 or not holds_directions(pick.axis):
        return None
    for result in values_in(event.result):
        for reader in uses(result, log):
            spec = reader.layer.spec if isinstance(reader, LayerCalled) else None
            if (
                isinstance(reader, LayerCalled)
                and isinstance(spec, LinearSpec)
                and isinstance(spec.in_features, Dim)
                and compare(spec.in_features, pick.axis.size).equal
            ):
                return FeatureRead(event, value, call, pick.at, time_at, reader)
    return None


# -- one step of an output -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StepRead:
    """One step taken of an RNN's output: the ``first``, the ``last``, the last by ``lengths``, or the last of a
    ``padded`` batch. `mixed`: a layer has mixed the directions before, or they were `summed`."""

    event: Selected
    value: Value
    call: RecurrentCalled
    step: str
    pad: PackCalled | None = None
    mixed: bool = False
    summed: Summed | None = None


def step_read(event: Selected, log: Log) -> StepRead | None:
    """What step a selection takes of an output along its time; None if it takes none, or several."""
    value = event.value("input")
    summed = summed_directions(value, log) if value is not None else None
    output = summed.whole if summed is not None else value
    call = output_behind(output, log) if output is not None else None
    pair = steps_of(call) if call is not None else None
    if value is None or output is None or call is None or pair is None or contradicted(*pair):
        return None
    pad: PackCalled | None = None
    mixed = summed is not None
    for ancestor, maker in line_of(output, log):
        if isinstance(maker, PackCalled):
            pad = pad or maker
        if isinstance(maker, LayerCalled) and not isinstance(maker, RecurrentCalled):
            before = maker.value("input")
            shapes = [one.shape for one in (before, ancestor) if one is not None and isinstance(one.shape, Shape)]
            mixed |= (
                len(shapes) == 2 and holds_directions(shapes[0].axis(-1)) and not holds_directions(shapes[1].axis(-1))
            )
    step = _step(event, pair[1], call, log)
    if step == "last" and pad is not None:
        step = "padded"
    return None if step is None else StepRead(event, value, call, step, pad, mixed, summed)


def _step(event: Selected, time: Atom, call: RecurrentCalled, log: Log) -> str | None:
    if event.name in ("gather", "take_along_dim"):
        return "lengths" if _gathers(event, time) and _from_lengths(event, call, log) else None
    for pick in picks(event):
        if is_axis(pick.axis, time):
            if isinstance(pick.item, Value):
                return "lengths" if _from_lengths(event, call, log) else None
            return {-1: "last", 0: "first"}.get(pick.number) if pick.number is not None else None
    return None


def _gathers(event: Selected, time: Atom) -> bool:
    value, given = event.value("input"), event.given.get("dim")
    at = given.seen.literal if given is not None and isinstance(given.seen, Dim) else None
    axis = value.shape.axis(at) if value is not None and isinstance(value.shape, Shape) and at is not None else None
    return axis is not None and is_axis(axis, time)


def _from_lengths(event: Selected, call: RecurrentCalled, log: Log) -> bool:
    """Whether an index is the lengths less one: those that the batch was packed with, or that padding gave back."""
    known: set[int] = set()
    pack = pack_of(call, log)
    for maker in (pack, *(one for one in log.events[call.id : event.id] if isinstance(one, PackCalled))):
        if maker is None:
            continue
        known |= {one.id for one in values_in(maker.seen("lengths"))}
        if maker.name == "pad_packed_sequence" and isinstance(maker.result, tuple):
            known |= {one.id for one in values_in(maker.result[1])}
    pending = [one for name, given in event.given.items() if name != "input" for one in values_in(given.seen)]
    seen: set[int] = set()
    less_one = False
    from_known = False
    while pending:
        value = pending.pop()
        if value.id in seen:
            continue
        seen.add(value.id)
        from_known |= value.id in known
        maker_of = log.maker(value)
        if maker_of is None or isinstance(maker_of, RecurrentCalled):
            continue
        if isinstance(maker_of, Computed) and maker_of.name in ("-", "sub"):
            other = maker_of.seen("other")
            less_one |= isinstance(other, Dim) and other.literal == 1
        pending += reads(maker_of)
    return less_one and from_known


def output_reads(call: RecurrentCalled, log: Log) -> list[Event]:
    """The events that read the output of a recurrent call, or what keeps its time axis: padding, dropouts, reorders."""
    result = call.result
    first = result[0] if isinstance(result, tuple) and result else None
    return _reads_of(first, log) if isinstance(first, Value) else []


def _reads_of(value: Value, log: Log) -> list[Event]:
    found: list[Event] = []
    pending = [value]
    while pending:
        value = pending.pop()
        for event in uses(value, log):
            further = _kept(event)
            if further is None:
                found.append(event)
            else:
                pending.append(further)
    return found


def _kept(event: Event) -> Value | None:
    """What an event makes of an output that stays an output, axis by axis."""
    match event:
        case PackCalled(name="pad_packed_sequence", result=(Value() as padded, *_)):
            return padded
        case LayerCalled(result=Value() as made) if not isinstance(event, RecurrentCalled) and _only_rescales(event):
            return made
        case Reordered(result=Value() as made):
            return made
        case Computed(result=Value() as made) if of_one(event) and event.name not in ("softmax", "log_softmax"):
            return made
        case Reshaped(name="contiguous", result=Value() as made):
            return made
    return None


def _only_rescales(event: LayerCalled) -> bool:
    before, after = event.value("input"), event.result
    return before is not None and isinstance(after, Value) and before.axes is not None and before.axes == after.axes


def other_reads(read: StepRead, log: Log) -> list[Event]:
    """What else reads the output that a step was taken of, or what a layer made of it."""
    of_total = _reads_of(read.summed.total, log) if read.summed is not None else []
    others = beside(read.event, [*output_reads(read.call, log), *of_total, *uses(read.value, log)])
    return [event for event in others if event is not read.event and not _leads_to(event, read)]


def _leads_to(event: Event, read: StepRead) -> bool:
    """Whether an event made the tensor that the step was taken of (a layer before the selection), or took the directions
    apart that it is the sum of."""
    if read.summed is not None and event in read.summed.by:
        return True
    return any(value is read.value for value in values_in(event.result)) and not isinstance(event, Returned)
