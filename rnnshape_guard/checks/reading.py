"""Questions that several checks ask of a log: where a value comes from, which axis a layer reads as what."""

from __future__ import annotations

from typing import cast

from rnnshape_guard.checks.roles import spot
from rnnshape_guard.events import (
    Called,
    Event,
    FunctionEntered,
    LayerBuilt,
    LayerCalled,
    Log,
    Operated,
    RecurrentCalled,
    Value,
    reads,
)
from rnnshape_guard.layers import RecurrentSpec, settled
from rnnshape_guard.shapes.axes import Atom, Axis, Role, Shape, Strength
from rnnshape_guard.shapes.outcomes import Fault, Misfit


def spec_of(call: RecurrentCalled) -> RecurrentSpec:
    """The spec of a recurrent layer that was called."""
    return cast(RecurrentSpec, call.layer.spec)


def misfits(call: Called, fault: Fault, operand: str | None = None, axis: int | None = None) -> list[Misfit]:
    """The misfits of a call of one kind, perhaps of one operand and axis only."""
    return [
        misfit
        for misfit in call.misfits
        if misfit.fault is fault
        and (operand is None or misfit.operand == operand)
        and (axis is None or misfit.axis == axis)
    ]


def recurrent_origin(value: Value, log: Log) -> tuple[RecurrentCalled, str] | None:
    """The nearest recurrent call that a value was made from, along the first operand of each operation, and which of
    its results (``output``, ``h_n``, ``c_n``) the value stems from."""
    for ancestor, event in log.past(value):
        if isinstance(event, RecurrentCalled):
            return event, ancestor.part
    return None


def layout(call: RecurrentCalled) -> tuple[Axis, Axis] | None:
    """The (batch, time) axes of a recurrent call as the layer reads them; None if it is unbatched, packed, or its
    layout is not known."""
    value = call.value("input")
    batch_first = settled(spec_of(call).batch_first)
    if value is None or not isinstance(value.shape, Shape) or not isinstance(batch_first, bool):
        return None
    axes = value.axes
    if axes is None or len(axes) != 3:
        return None
    return (axes[0], axes[1]) if batch_first else (axes[1], axes[0])


def is_state(shape: Shape) -> bool:
    """Whether a tensor still has the layer axis of a recurrent state."""
    return any(atom.kind is Role.LAYER for atom in shape.atoms())


def is_stacked(axis: Axis) -> bool:
    """Whether an axis is that of layers and directions, of which there may be several."""
    return axis.size.value != 1 and all(atom.kind in (Role.LAYER, Role.DIRECTION) for atom in axis.atoms)


def confirmed(atom: Atom | None, role: Role, weakest: Strength = Strength.USE) -> bool:
    """Whether evidence no weaker than `weakest` says that an atom has a role."""
    return atom is not None and atom.size.value != 1 and atom.role(weakest) is role


def entered(event: Event, log: Log) -> FunctionEntered | None:
    """The entering of the function that an event happened in."""
    for before in reversed(log.events[: event.id]):
        if before.entry != event.entry:
            return None
        if isinstance(before, FunctionEntered) and before.scope == event.scope:
            return before
    return None


def sized_by(value: Value, axis: Axis, log: Log) -> Event | None:
    """The event that gave a tensor an axis: behind it the axis is there, in what it read it was not; None for an axis
    that came from outside."""
    maker = log.maker(value)
    while maker is not None:
        before = next(iter(reads(maker)), None)
        axes = before.axes if before is not None else None
        if before is None or axes is None or all(one.atoms != axis.atoms for one in axes):
            return maker
        maker = log.maker(before)
    return None


def ranked_by(value: Value, log: Log) -> Event | None:
    """The event that gave a tensor its number of axes; None for one from outside."""
    maker = log.maker(value)
    while isinstance(maker, Operated):
        before = next(iter(reads(maker)), None)
        if before is None or before.axes is None or value.axes is None or len(before.axes) != len(value.axes):
            return maker
        maker = log.maker(before)
    return maker


def is_of_one_kind(call: LayerCalled, log: Log) -> bool:
    """Whether it surely is a layer of this kind that is called here: not one of several that a program chooses between
    where it builds them or where it calls them."""
    kind, built_at, called_at = getattr(call.layer.spec, "kind", None), spot(call.layer.place), spot(call.place)
    for event in log.events:
        match event:
            case LayerBuilt() if event.entry == call.entry and spot(event.layer.place) == built_at:
                pass
            case LayerCalled() if event.entry == call.entry and spot(event.place) == called_at:
                pass
            case _:
                continue
        if event.layer.id != call.layer.id and getattr(event.layer.spec, "kind", None) != kind:
            return False
    return True
