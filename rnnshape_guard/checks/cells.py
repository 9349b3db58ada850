"""What the rules on cells ask: a cell's spec, and the axis along which its steps are taken."""

from __future__ import annotations

from typing import cast

from rnnshape_guard.events import CellCalled, Computed, LayerCalled, Log, Reshaped, Selected, reads
from rnnshape_guard.layers.cells import CellSpec
from rnnshape_guard.shapes.axes import Atom


def spec_of(call: CellCalled) -> CellSpec:
    """The spec of a cell that was called."""
    return cast(CellSpec, call.layer.spec)


def stepped_along(call: CellCalled, log: Log) -> tuple[Atom, Selected] | None:
    """The axis that an index, a loop, or a split into single steps took away to make the cell's step, with the event
    that took it."""
    value = call.value("input")
    if value is None or value.axes is None or len(value.axes) != 2:
        return None
    for step, event in log.past(value):
        if step.axes is None or isinstance(event, Reshaped) and event.name.rpartition(".")[2] == "squeeze":
            continue
        if (
            isinstance(event, LayerCalled | Computed)
            and len(step.axes) == 2
            and step.axes[0].atoms == value.axes[0].atoms
        ):
            continue
        if not isinstance(event, Selected):
            return None
        before = event.value("input")
        axes = before.axes if before is not None else None
        if axes is None or len(axes) != 3 or any(axis.size.value == 1 for axis in axes[:-1]):
            continue
        kept = {axis.atoms for axis in step.axes}
        gone = [axis for axis in axes if axis.atoms not in kept]
        atom = gone[0].atom if len(gone) == 1 else None
        return (atom, event) if atom is not None else None
    return None


def is_carried(call: CellCalled, log: Log) -> bool:
    """Whether a cell is given a state that it made itself, a step before."""
    return any(
        isinstance(event, CellCalled) and event.layer.id == call.layer.id
        for given in reads(call)
        if given is not call.value("input")
        for _, event in log.past(given)
    )
