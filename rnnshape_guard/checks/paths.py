"""Layers on one path: what an earlier one made of the axes, against how a recurrent layer reads them."""

from __future__ import annotations

from dataclasses import dataclass

from rnnshape_guard.checks.layouts import Contradiction
from rnnshape_guard.checks.reading import layout, spec_of
from rnnshape_guard.checks.roles import only_atom
from rnnshape_guard.events import (
    Combined,
    Event,
    LayerCalled,
    Log,
    RecurrentCalled,
    Reshaped,
    Selected,
    Value,
    values_in,
)
from rnnshape_guard.shapes.axes import Atom, Axis
from rnnshape_guard.shapes.dims import Dim, compare
from rnnshape_guard.shapes.outcomes import Packed


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A call that reads as time what an earlier call on its path made the batch, or the other way round. `turned` is
    the step that put the axes in the wrong order, if it was one that repeats a state; it may have `joined` its copies with
    the batch."""

    earlier: RecurrentCalled
    found: Contradiction
    turned: Reshaped | Combined | None
    joined: bool = False


def disagreement(call: RecurrentCalled, log: Log) -> Disagreement | None:
    """The earlier layer on the path of a call's input that reads the same axes the other way round."""
    axes = layout(call)
    value = call.value("input")
    if axes is None or value is None:
        return None
    as_batch, as_time = only_atom(axes[0]), only_atom(axes[1])
    steps: list[Event] = []
    for ancestor, event in log.past(value):
        if not isinstance(event, RecurrentCalled):
            steps.append(event)
            continue
        is_state = ancestor.part in ("h_n", "c_n")
        batch, time = batch_of(event), time_of(event)
        copies = _repeating(steps) if is_state else None
        if copies is not None and batch is not None and len(axes[1].atoms) > 1 and batch in axes[1].atoms:
            return Disagreement(event, Contradiction(call, batch, None), copies, joined=True)
        found = Contradiction(
            call,
            as_time if as_time is not None and as_time is batch else None,
            as_batch if as_batch is not None and as_batch is time else None,
        )
        if not found.atoms or (event.layer is call.layer):
            return None
        if 1 in (axes[0].size.value, axes[1].size.value) and not _is_one_step(call, time, steps, log):
            # What is left beside an axis of size 1 may be either: utterances, each read whole, are steps of a dialogue.
            return None
        return Disagreement(event, found, _repeating(steps) if is_state else None)
    return None


def _is_one_step(call: RecurrentCalled, time: Atom | None, steps: list[Event], log: Log) -> bool:
    """Whether a call reads one step of an earlier output, and carries its own state from step to step."""
    is_picked = time is not None and any(
        isinstance(step, Selected) and _held(step, time) and not any(_has(one, time) for one in values_in(step.result))
        for step in steps
    )
    return is_picked and any(
        isinstance(event, RecurrentCalled) and event.layer is call.layer
        for state in values_in(call.seen("hx"))
        for _, event in log.past(state)
    )


def _held(step: Selected, atom: Atom) -> bool:
    value = step.value("input")
    return value is not None and _has(value, atom)


def _has(value: Value, atom: Atom) -> bool:
    return any(only_atom(axis) is atom for axis in value.axes or ())


@dataclass(frozen=True, slots=True)
class Convolved:
    """An input that comes from a convolution along time, read as if its axes stood otherwise: batch and time the other
    way round (`found`), or the channels on an axis that is none of features (`channels_at`)."""

    convolution: LayerCalled
    found: Contradiction | None
    channels_at: int = 0


def convolved(call: RecurrentCalled, log: Log) -> Convolved | None:
    """What a convolution on the path of a call's input says against the layer's layout."""
    value, axes = call.value("input"), layout(call)
    if value is None or axes is None:
        return None
    roots = [None if atom is None else atom.root for atom in map(only_atom, value.axes or ())]
    batch, time = only_atom(axes[0]), only_atom(axes[1])
    for ancestor, event in log.past(value):
        if isinstance(event, RecurrentCalled):
            return None
        kind = getattr(event.layer.spec, "kind", "") if isinstance(event, LayerCalled) else ""
        if not isinstance(event, LayerCalled) or kind not in ("Conv1d", "Conv2d"):
            continue
        made = [only_atom(axis) for axis in ancestor.axes or ()]
        if kind == "Conv2d":
            return _of_images(call, event, made, axes[0], time)
        if len(made) != 3 or made[1] is None or made[2] is None:
            return None
        if batch is not None and time is not None and made[0] is not None:
            if (time.root, batch.root) == (made[0].root, made[2].root):
                return Convolved(event, Contradiction(call, time, batch))
        width = spec_of(call).input_size
        is_width = isinstance(width, Dim) and compare(width, made[1].size).equal
        if is_width and roots[2] is made[2].root and made[1].root in roots[:2]:
            return Convolved(event, None, roots.index(made[1].root))
        return None
    return None


def _of_images(
    call: RecurrentCalled, event: LayerCalled, made: list[Atom | None], batch: Axis, time: Atom | None
) -> Convolved | None:
    """Images whose rows or columns become steps: a layer that walks along the images instead, and takes the steps for
    the batch."""
    if len(made) != 4 or made[0] is None or not batch.atoms or time is None:
        return None
    spatial = {atom.root for atom in made[2:] if atom is not None}
    if time.root is made[0].root and all(atom.root in spatial for atom in batch.atoms):
        return Convolved(event, Contradiction(call, time, only_atom(batch)))
    return None


def batch_of(call: RecurrentCalled) -> Atom | None:
    """The axis that a call reads as the batch, also where its input is packed."""
    value = call.value("input")
    if value is not None and isinstance(value.shape, Packed):
        return only_atom(value.shape.batch)
    axes = layout(call)
    return None if axes is None else only_atom(axes[0])


def time_of(call: RecurrentCalled) -> Atom | None:
    """The axis that a call reads as time, where its input is a tensor."""
    axes = layout(call)
    return None if axes is None else only_atom(axes[1])


def _repeating(steps: list[Event]) -> Reshaped | Combined | None:
    for step in steps:
        if isinstance(step, Reshaped | Combined) and step.name.rpartition(".")[2] in (
            "repeat",
            "expand",
            "tile",
            "stack",
        ):
            return step
    return None
