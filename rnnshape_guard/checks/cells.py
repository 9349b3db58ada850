"""What the rules on cells ask: a cell's spec, and the axis along which its steps are taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from rnnshape_guard.checks.paths import batch_of, time_of
from rnnshape_guard.events import (
    CellCalled,
    Computed,
    LayerCalled,
    Log,
    RecurrentCalled,
    Reordered,
    Reshaped,
    Selected,
    Value,
    reads,
)
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


@dataclass(frozen=True, slots=True)
class Crossed:
    """A cell whose steps are what an `earlier` recurrence on its path took for the samples, and whose samples are the
    steps of that one. `taken` is where a step is taken, `turned` the last event that moved the axes between the two."""

    earlier: CellCalled | RecurrentCalled
    taken: Selected
    steps: Atom
    rows: Atom
    turned: Reordered | None


def crossed(call: CellCalled, log: Log) -> Crossed | None:
    """The recurrence before a cell that runs along the other one of the same two axes: together they leave no batch."""
    value, lost = call.value("input"), stepped_along(call, log)
    rows = value.axes[0].atom if value is not None and value.axes else None
    if lost is None or rows is None or rows.size.value == 1 or not is_carried(call, log):
        return None
    steps, taken = lost
    source, turned = taken.value("input"), None
    for made, event in log.past(source) if source is not None else ():
        if isinstance(event, Reordered) and turned is None:
            turned = event
        if not isinstance(event, CellCalled | RecurrentCalled):
            continue
        pair = _axes_of(event, made, log)
        roots = None if pair is None else tuple(atom.root for atom in pair)
        return Crossed(event, taken, steps, rows, turned) if roots == (steps.root, rows.root) else None
    return None


def _axes_of(event: CellCalled | RecurrentCalled, made: Value, log: Log) -> tuple[Atom, Atom] | None:
    """What a recurrence took for the (batch, time), where it gives on all its steps."""
    if isinstance(event, RecurrentCalled):
        batch, time = (batch_of(event), time_of(event)) if made.part == "output" else (None, None)
    else:
        value, lost = event.value("input"), stepped_along(event, log)
        batch = value.axes[0].atom if value is not None and value.axes else None
        is_loop = any(
            other.layer.id == event.layer.id and other.place.spot == event.place.spot and is_carried(other, log)
            for other in log.all(CellCalled)
        )
        time = lost[0] if lost is not None and is_loop else None
    return (batch, time) if batch is not None and time is not None else None
