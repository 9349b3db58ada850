"""What a selection or reduction takes of which axis, and what becomes of a value: questions of the rules on results."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rnnshape_guard.checks.reading import confirmed, spec_of
from rnnshape_guard.checks.wording import quoted
from rnnshape_guard.events import (
    Called,
    Combined,
    Computed,
    Event,
    LayerCalled,
    Log,
    PackCalled,
    RecurrentCalled,
    Reduced,
    Reordered,
    Reshaped,
    Returned,
    Seen,
    Selected,
    Unpacked,
    Value,
    reads,
    values_in,
)
from rnnshape_guard.layers import settled
from rnnshape_guard.shapes.axes import Atom, Axis, Rest, Role, Shape, Strength
from rnnshape_guard.shapes.dims import Condition, Dim, compare
from rnnshape_guard.shapes.outcomes import Slice

SUMMARIES = frozenset("sum mean max amax min amin logsumexp nansum nanmean median".split())
"""Reductions that make one number of all steps."""


@dataclass(frozen=True, slots=True)
class Pick:
    """One item of a subscript with the axis it stands for, counted from the front."""

    at: int
    axis: Axis
    item: Seen | Slice

    @property
    def number(self) -> int | None:
        """The literal index, where it is one; a slice of the last step alone counts as -1, of the first as 0."""
        match self.item:
            case Dim() as size:
                return size.literal
            case Slice(start=Dim(literal=-1), stop=None, step=None | Dim(literal=1)):
                return -1
            case Slice(start=None | Dim(literal=0), stop=Dim(literal=1), step=None | Dim(literal=1)):
                return 0
        return None


def picks(event: Selected) -> list[Pick]:
    """What a subscript, `select` or `narrow` takes of each axis of a tensor of known rank; nothing where that is not
    known."""
    value = event.value("input")
    axes = value.axes if value is not None else None
    if axes is None:
        return []
    match event.name:
        case "index":
            return _subscript(event, axes)
        case "select":
            return _one(axes, event.given["dim"].seen, event.given["index"].seen)
        case "narrow":
            start, length = event.given["start"].seen, event.given["length"].seen
            item = start if isinstance(length, Dim) and length.literal == 1 else Slice(_dim(start), _dim(length))
            return _one(axes, event.given["dim"].seen, item)
    return []


def _dim(seen: Seen) -> Dim | None:
    return seen if isinstance(seen, Dim) else None


def _one(axes: tuple[Axis, ...], dim: Seen, item: Seen | Slice) -> list[Pick]:
    at = dim.literal if isinstance(dim, Dim) else None
    if at is None or not -len(axes) <= at < len(axes):
        return []
    return [Pick(at % len(axes), axes[at], item)]


def _subscript(event: Selected, axes: tuple[Axis, ...]) -> list[Pick]:
    items = event.given["items"].seen
    if not isinstance(items, tuple):
        return []
    named = [item for item in items if item is not None and item is not ...]
    if any(isinstance(item, tuple | bool | str) or _width(item) != 1 for item in named):
        return []
    found: list[Pick] = []
    at = 0
    for item in items:
        if item is None:
            continue
        if item is ...:
            at = len(axes) - (len(named) - len(found))
            continue
        if not 0 <= at < len(axes):
            return []
        found.append(Pick(at, axes[at], item))
        at += 1
    return found


def _width(item: Seen) -> int | None:
    if isinstance(item, Value):
        return item.shape.rank if isinstance(item.shape, Shape) and item.shape.dtype == "bool" else 1
    return 1


def reduced_axes(event: Reduced | Computed) -> list[Axis]:
    """The axes that a reduction, or a softmax, works along; nothing where that is not known."""
    value = event.value("input")
    axes = value.axes if value is not None else None
    given = event.given.get("dim")
    if axes is None or given is None:
        return []
    dims = given.seen if isinstance(given.seen, tuple) else (given.seen,)
    numbers = [dim.literal if isinstance(dim, Dim) else None for dim in dims]
    if any(number is None or not -len(axes) <= number < len(axes) for number in numbers):
        return []
    return [axes[number] for number in numbers if number is not None]


def uses(value: Value, log: Log) -> list[Event]:
    """The events that read a value itself, other than taking apart the tuple it stands in."""
    return [event for event in log.readers(value) if not (isinstance(event, Unpacked) and event.source is not value)]


def is_used(event: Event, log: Log) -> bool:
    """Whether anything reads what an event made."""
    return any(uses(value, log) for value in values_in(event.result))


def line_of(value: Value, log: Log) -> Iterator[tuple[Value, Event]]:
    """A value's ancestors with their makers as long as each was made from one tensor alone, back to the recurrent call:
    layers that keep axes, reorders, reshapes, elementwise work, and selections; nothing further once tensors are mixed."""
    for ancestor, event in log.past(value):
        yield ancestor, event
        if isinstance(event, RecurrentCalled) or not _of_one(event):
            return


def _of_one(event: Event) -> bool:
    match event:
        case PackCalled(name=name):
            return name == "pad_packed_sequence"
        case Combined():
            return False
        case LayerCalled() | Reordered() | Reshaped() | Selected() | Computed():
            tensors = {value.id for value in reads(event)}
            return len(tensors) == 1
    return False


def output_behind(value: Value, log: Log) -> RecurrentCalled | None:
    """The recurrent call whose output a value is, perhaps padded, reordered, or passed through layers of its own."""
    for ancestor, event in line_of(value, log):
        if isinstance(event, RecurrentCalled):
            return event if ancestor.part == "output" else None
        if isinstance(event, Selected):
            return None
    return None


def steps_of(call: RecurrentCalled) -> tuple[Atom, Atom] | None:
    """The (batch, time) atoms of a recurrent call, as the layer reads them or as they were packed; None where that is
    not known or one of them has size 1."""
    result = call.result
    output = result[0] if isinstance(result, tuple) and result else None
    if not isinstance(output, Value):
        return None
    if not isinstance(output.shape, Shape):
        pair = (output.shape.batch, output.shape.time)
    else:
        axes = output.axes
        batch_first = settled(spec_of(call).batch_first)
        if axes is None or len(axes) != 3 or not isinstance(batch_first, bool):
            return None
        pair = (axes[0], axes[1]) if batch_first else (axes[1], axes[0])
    batch, time = pair[0].atom, pair[1].atom
    if batch is None or time is None or batch.size.value == 1 or time.size.value == 1:
        return None
    return batch, time


def both_directions(call: RecurrentCalled) -> Condition | None:
    """Under which flags a recurrent layer has two directions: ``()`` for always, None for never or not known."""
    directions = spec_of(call).directions
    if not isinstance(directions, Dim):
        return None
    verdict = compare(directions, 1)
    return verdict.condition if verdict.conflicts else None


def holds_directions(axis: Axis | Rest | None) -> bool:
    """Whether an axis still is direction·hidden, whole."""
    return isinstance(axis, Axis) and any(atom.kind is Role.DIRECTION for atom in axis.atoms)


def is_axis(axis: Axis, atom: Atom) -> bool:
    """Whether an axis is an atom, or a part of it that is longer than 1."""
    return axis.atom is not None and axis.atom.root is atom.root and axis.size.value != 1


def contradicted(batch: Atom, time: Atom) -> bool:
    """Whether evidence beyond layers says that an axis taken for the batch is the time, or the other way round."""
    return batch.role(Strength.USE) is Role.TIME or time.role(Strength.WRITTEN) is Role.BATCH


def stated_batch(atom: Atom) -> bool:
    """Whether a program says that an axis is the batch: by evidence of its own, or by writing ``batch_first=True``
    where nothing else speaks (a layer that was told nothing says nothing)."""
    if atom.size.value == 1:
        return False
    if atom.role(Strength.USE) is not None or atom.reasons(Strength.WRITTEN):
        return atom.role(Strength.USE) is Role.BATCH
    return atom.role(Strength.LAYER) is Role.BATCH and any(
        "batch_first=True" in one.text for one in atom.reasons(Strength.LAYER)
    )


def is_settled(event: Event, condition: Condition) -> bool:
    """Whether a finding under a condition may be made of an event: not where the program has branched, perhaps on that
    very condition."""
    return not condition or not event.path


def places_mention(event: Event, word: str) -> bool:
    """Whether a name stands in the arguments of a call."""
    return isinstance(event, Called) and any(word in given.text for given in event.given.values())


# -- the batch read as time ----------------------------------------------------------------------------------------


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
    call = output_behind(value, log) if taken is not None else None
    pair = steps_of(call) if call is not None else None
    if taken is None or call is None or pair is None:
        return None
    batch, time = pair
    time_at = next((at for at, axis in enumerate(axes) if is_axis(axis, time)), None)
    if time_at is None or not is_axis(axes[taken], batch) or contradicted(batch, time):
        return None
    if not (confirmed(batch, Role.BATCH) or confirmed(time, Role.TIME)):
        return None
    pad = reorder = None
    for _, maker in line_of(value, log):
        if isinstance(maker, PackCalled) and pad is None and reorder is None and _turned(maker, call, log):
            pad = maker
        if isinstance(maker, Reordered) and reorder is None:
            reorder = maker
    return BatchRead(event, value, call, batch, time, taken, time_at, pad, reorder)


def _taken(event: Selected | Reduced) -> int | None:
    """The one axis that is read as if it were time."""
    if isinstance(event, Reduced):
        axes = event.value("input").axes if event.value("input") is not None else None  # type: ignore[union-attr]
        along = reduced_axes(event)
        if event.name not in SUMMARIES or axes is None or len(along) != 1:
            return None
        return next(at for at, axis in enumerate(axes) if axis is along[0])
    found = [pick for pick in picks(event) if not _is_whole(pick.item)]
    last = [pick for pick in found if pick.number == -1]
    return last[0].at if len(last) == 1 and all(pick in last or pick.at == 2 for pick in found) else None


def _is_whole(item: Seen | Slice) -> bool:
    return isinstance(item, Slice) and item.start is None and item.stop is None and item.step is None


def _turned(pad: PackCalled, call: RecurrentCalled, log: Log) -> bool:
    """Whether a batch was padded in another layout than it was packed in."""
    pack = pack_of(call, log)
    if pack is None:
        return False
    one, other = batch_first_of(pack), batch_first_of(pad)
    return one is not None and other is not None and one is not other


def pack_of(call: RecurrentCalled, log: Log) -> PackCalled | None:
    """The pack_padded_sequence that a recurrent call's input came from, perhaps through other layers."""
    value = call.value("input")
    for _ in range(8):
        maker = log.maker(value) if value is not None else None
        if isinstance(maker, PackCalled):
            return maker if maker.name == "pack_padded_sequence" else None
        value = maker.value("input") if isinstance(maker, RecurrentCalled) else None
    return None


def batch_first_of(event: PackCalled) -> bool | None:
    """The layout that a pack or pad was told; None where it is not known."""
    given = event.given.get("batch_first")
    if given is None:
        return False
    flag = settled(given.seen) if isinstance(given.seen, bool | Dim) else None
    return flag if isinstance(flag, bool) else None


# -- one step of an output -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StepRead:
    """One step taken of an RNN's output: the ``first``, the ``last``, the last by ``lengths``, or the last of a
    ``padded`` batch. `through_layer`: a layer has mixed the directions before."""

    event: Selected
    value: Value
    call: RecurrentCalled
    step: str
    pad: PackCalled | None = None
    through_layer: bool = False


def step_read(event: Selected, log: Log) -> StepRead | None:
    """What step a selection takes of an output along its time; None if it takes none, or several."""
    value = event.value("input")
    call = output_behind(value, log) if value is not None else None
    pair = steps_of(call) if call is not None else None
    if value is None or call is None or pair is None or contradicted(*pair):
        return None
    pad: PackCalled | None = None
    through = False
    for ancestor, maker in line_of(value, log):
        if isinstance(maker, PackCalled):
            pad = pad or maker
        if isinstance(maker, LayerCalled) and not isinstance(maker, RecurrentCalled):
            before = maker.value("input")
            shapes = [one.shape for one in (before, ancestor) if one is not None and isinstance(one.shape, Shape)]
            through |= (
                len(shapes) == 2 and holds_directions(shapes[0].axis(-1)) and not holds_directions(shapes[1].axis(-1))
            )
    step = _step(event, pair[1], call, log)
    if step == "last" and pad is not None:
        step = "padded"
    return None if step is None else StepRead(event, value, call, step, pad, through)


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
        known |= {one.id for one in values_in(maker.given["lengths"].seen)} if "lengths" in maker.given else set()
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
            other = maker_of.given["other"].seen if "other" in maker_of.given else None
            less_one |= isinstance(other, Dim) and other.literal == 1
        pending += reads(maker_of)
    return less_one and from_known


def output_reads(call: RecurrentCalled, log: Log) -> list[Event]:
    """The events that read the output of a recurrent call, or what keeps its time axis: padding, dropouts, reorders."""
    result = call.result
    first = result[0] if isinstance(result, tuple) and result else None
    found: list[Event] = []
    pending = [first] if isinstance(first, Value) else []
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
        case Computed(result=Value() as made) if _of_one(event) and event.name not in ("softmax", "log_softmax"):
            return made
        case Reshaped(name="contiguous", result=Value() as made):
            return made
    return None


def _only_rescales(event: LayerCalled) -> bool:
    before, after = event.value("input"), event.result
    return before is not None and isinstance(after, Value) and before.axes is not None and before.axes == after.axes


def other_reads(read: StepRead, log: Log) -> list[Event]:
    """What else reads the output that a step was taken of."""
    return [event for event in output_reads(read.call, log) if event is not read.event and not _leads_to(event, read)]


def _leads_to(event: Event, read: StepRead) -> bool:
    """Whether an event made the tensor that the step was taken of (a layer before the selection)."""
    return any(value is read.value for value in values_in(event.result)) and not isinstance(event, Returned)


def states(call: RecurrentCalled) -> tuple[Value, ...]:
    """h_n, and c_n if there is one."""
    result = call.result
    return tuple(values_in(result[1])) if isinstance(result, tuple) and len(result) > 1 else ()


def state_uses(call: RecurrentCalled, log: Log) -> list[Event]:
    """The events that read a final state."""
    return [event for value in states(call) for event in uses(value, log)]


# -- a final state -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StateRead:
    """A selection from a final state: the state as it was indexed, and what was taken of its axis of layers and
    directions, or of its batch."""

    event: Selected
    value: Value
    state: Value
    call: RecurrentCalled
    pick: Pick


def state_read(event: Selected, log: Log) -> StateRead | None:
    """What a selection takes of layer·direction, that axis being whole; None if the tensor is no final state, or
    another axis is cut."""
    found = _of_state(event, log)
    if found is None:
        return None
    value, state, call = found
    for pick in picks(event):
        kinds = {atom.kind for atom in pick.axis.atoms}
        if Role.LAYER in kinds and Role.DIRECTION in kinds:
            return StateRead(event, value, state, call, pick)
    return None


def sample_read(event: Selected, log: Log) -> StateRead | None:
    """A literal index of the batch axis of a state as its RNN returned it, the layers being taken whole."""
    found = _of_state(event, log)
    if found is None or found[0] is not found[1]:
        return None
    value, state, call = found
    axes = value.axes
    chosen = picks(event)
    if axes is None or len(axes) != 3 or len(chosen) < 2 or not _is_whole(chosen[0].item):
        return None
    pick = chosen[1]
    batch = pick.axis.atom
    if (
        pick.at != 1
        or pick.number not in (0, -1)
        or isinstance(pick.item, Slice)
        or batch is None
        or batch.size.value == 1
    ):
        return None
    return StateRead(event, value, state, call, pick)


def _of_state(event: Selected, log: Log) -> tuple[Value, Value, RecurrentCalled] | None:
    """A tensor that is a final state, moved and copied at most, with the state and its call."""
    value = event.value("input")
    if value is None:
        return None
    for ancestor, maker in line_of(value, log):
        if isinstance(maker, RecurrentCalled):
            return (value, ancestor, maker) if ancestor.part in ("h_n", "c_n") else None
        if not (isinstance(maker, Reordered) or (isinstance(maker, Computed) and _of_one(maker)) or _is_copy(maker)):
            return None
    return None


def _is_copy(maker: Event) -> bool:
    return isinstance(maker, Reshaped) and maker.name == "contiguous"


def other_state_reads(read: StateRead, log: Log) -> list[Event]:
    """What else reads the state that a selection was made of: the same selection twice is one."""
    found: list[Event] = []
    pending = [read.state]
    while pending:
        value = pending.pop()
        for event in uses(value, log):
            if value is not read.value and any(made is read.value for made in values_in(event.result)):
                pending += [made for made in values_in(event.result) if made is read.value]
            elif event is not read.event and not _same_pick(event, read, log):
                found.append(event)
    return found


def _same_pick(event: Event, read: StateRead, log: Log) -> bool:
    if not isinstance(event, Selected):
        return False
    other = state_read(event, log)
    return other is not None and other.pick.number is not None and other.pick.number == read.pick.number


def feeds_layer(event: Event, log: Log) -> bool:
    """Whether a layer reads what an event made."""
    result = event.result
    return isinstance(result, Value) and any(isinstance(use, LayerCalled) for use in uses(result, log))
