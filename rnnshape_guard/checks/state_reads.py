"""How a final state is read along its layers, directions and batch."""

from __future__ import annotations

from dataclasses import dataclass

from rnnshape_guard.checks.lineage import (
    beside,
    line_of,
    of_one,
    uses,
)
from rnnshape_guard.checks.picking import Pick, is_whole, picks
from rnnshape_guard.events import (
    Computed,
    Event,
    LayerCalled,
    Log,
    RecurrentCalled,
    Reordered,
    Reshaped,
    Selected,
    Value,
    values_in,
)
from rnnshape_guard.shapes.axes import Role
from rnnshape_guard.shapes.dims import Dim, surely_above_one
from rnnshape_guard.shapes.outcomes import Slice


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
    if axes is None or len(axes) != 3 or len(chosen) < 2 or not is_whole(chosen[0].item):
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


def is_order_of_samples(read: StateRead) -> bool:
    """Whether the layers and directions, as the RNN returned them, are picked by an index that is as long as the batch,
    by identity: the way back from sorted samples."""
    axes, index = read.value.axes, read.pick.item
    if read.value is not read.state or axes is None or len(axes) != 3 or not isinstance(index, Value):
        return False
    batch = axes[1].atom
    along = index.axes[0].atom if index.axes is not None and len(index.axes) == 1 else None
    if batch is None or along is None or batch.size.value == 1:
        return False
    return along.root is batch.root


def unsqueezed_state(event: Reshaped, log: Log) -> tuple[Value, RecurrentCalled] | None:
    """A final state with more than one layer or direction, of which ``squeeze(0)`` is to make one; with its call."""
    dim = event.given.get("dim")
    if event.name not in ("squeeze", "squeeze_") or dim is None or not isinstance(dim.seen, Dim):
        return None
    found = _of_state(event, log)
    if found is None or found[0] is not found[1] or dim.seen.literal not in (0, -3):
        return None
    value, _, call = found
    axes = value.axes
    return (value, call) if axes is not None and len(axes) == 3 and surely_above_one(axes[0].size) else None


def _of_state(event: Selected | Reshaped, log: Log) -> tuple[Value, Value, RecurrentCalled] | None:
    """A tensor that is a final state, moved and copied at most, with the state and its call."""
    value = event.value("input")
    if value is None:
        return None
    for ancestor, maker in line_of(value, log):
        if isinstance(maker, RecurrentCalled):
            return (value, ancestor, maker) if ancestor.part in ("h_n", "c_n") else None
        if not (isinstance(maker, Reordered) or (isinstance(maker, Computed) and of_one(maker)) or _is_copy(maker)):
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
    return beside(read.event, found)


def _same_pick(event: Event, read: StateRead, log: Log) -> bool:
    number = _number(event, log)
    return number is not None and number == read.pick.number


def _number(event: Event, log: Log) -> int | None:
    read = state_read(event, log) if isinstance(event, Selected) else None
    return read.pick.number if read is not None else None


def numbers_read(read: StateRead, log: Log) -> set[int] | None:
    """The literal places that are read of a state's layers and directions; None if it is read in another way too."""
    numbers = [_number(event, log) for event in beside(read.event, uses(read.state, log))]
    return {number for number in numbers if number is not None} if None not in numbers else None


def feeds_layer(event: Event, log: Log) -> bool:
    """Whether a layer reads what an event made."""
    result = event.result
    return isinstance(result, Value) and any(isinstance(use, LayerCalled) for use in uses(result, log))
