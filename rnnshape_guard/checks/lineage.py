"""What a tensor was made from and what becomes of it, back to the recurrent call it stems from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rnnshape_guard.checks.reading import spec_of
from rnnshape_guard.events import (
    Combined,
    Computed,
    Event,
    LayerCalled,
    Log,
    PackCalled,
    RecurrentCalled,
    Reordered,
    Reshaped,
    Returned,
    Selected,
    Unpacked,
    Value,
    reads,
    values_in,
)
from rnnshape_guard.layers import settled
from rnnshape_guard.shapes.axes import Atom, Axis, Rest, Role, Shape, Strength
from rnnshape_guard.shapes.dims import Condition, Dim, compare


def uses(value: Value, log: Log) -> list[Event]:
    """The events that read a value itself, other than taking apart the tuple it stands in."""
    return [event for event in log.readers(value) if not (isinstance(event, Unpacked) and event.source is not value)]


def beside(event: Event, others: Iterable[Event]) -> list[Event]:
    """Those of other events that happen beside an event: not in the other branch of a condition, and not the return of
    a function that only handed a value on to where the event is."""
    sides = dict(event.path)
    return [
        other
        for other in others
        if all(sides.get(branch, side) == side for branch, side in other.path)
        and not (isinstance(other, Returned) and other.id < event.id)
    ]


def is_used(event: Event, log: Log) -> bool:
    """Whether anything reads what an event made. What is made in one branch of a condition may be read under the name
    that it shares with the other's."""
    return bool(event.path) or any(uses(value, log) for value in values_in(event.result))


def line_of(value: Value, log: Log) -> Iterator[tuple[Value, Event]]:
    """A value's ancestors with their makers as long as each was made from one tensor alone, back to the recurrent call:
    layers that keep axes, reorders, reshapes, elementwise work, and selections; nothing further once tensors are mixed."""
    for ancestor, event in log.past(value):
        yield ancestor, event
        if isinstance(event, RecurrentCalled) or not of_one(event):
            return


def of_one(event: Event) -> bool:
    """Whether an event makes one tensor of one other."""
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
    not known, one of them has size 1, or both are parts of one axis that nothing is known of."""
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
    if batch.root is time.root:
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
    return batch.role(Strength.USE) is Role.TIME or time.role(Strength.USE) is Role.BATCH


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


def states(call: RecurrentCalled) -> tuple[Value, ...]:
    """h_n, and c_n if there is one."""
    result = call.result
    return tuple(values_in(result[1])) if isinstance(result, tuple) and len(result) > 1 else ()


def state_uses(call: RecurrentCalled, log: Log) -> list[Event]:
    """The events that read a final state."""
    return [event for value in states(call) for event in uses(value, log)]
