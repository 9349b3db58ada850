"""Use is evidence too: the last step, or the mean over the steps, taken along an axis says that it is time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rnnshape_guard.checks.picking import SUMMARIES, is_whole, picks, reduced_axes
from rnnshape_guard.checks.reading import is_state, layout
from rnnshape_guard.checks.roles import only_atom, role_of
from rnnshape_guard.events import (
    Computed,
    Event,
    LayerCalled,
    Log,
    RecurrentCalled,
    Reduced,
    Reordered,
    Selected,
    Value,
    values_in,
)
from rnnshape_guard.layers import LinearSpec
from rnnshape_guard.layers.pooling import AdaptivePoolSpec, PoolSpec
from rnnshape_guard.shapes.axes import Atom, Rest, Role, Shape, Strength
from rnnshape_guard.shapes.dims import Dim


@dataclass(frozen=True, slots=True)
class Use:
    """A reading of a layer's output along one axis: the last entry, a summary over all, a pool along it, or weights that
    add up to 1 along it."""

    event: Selected | Reduced | LayerCalled | Computed
    value: Value
    at: int
    words: str


def uses(call: RecurrentCalled, log: Log, depth: int = 5) -> Iterator[Use]:
    """Where the output of a call is read at its last entry, or summed up, along one of its first two axes."""
    output = next(iter(call.result), None) if isinstance(call.result, tuple) else None
    if not isinstance(output, Value) or not isinstance(output.shape, Shape):
        return
    for event in log.future(output, depth):
        if event.entry == call.entry and isinstance(event, LayerCalled | Computed):
            yield from _weighed_or_pooled(event, log)
        if not isinstance(event, Selected | Reduced) or event.entry != call.entry:
            continue
        value = event.value("input")
        at = axis_read(event)
        if value is None or at is None or value.axes is None or len(value.axes) != 3 or _is_state(value):
            continue
        if isinstance(event, Reduced) and not (_still_output(value) or _scored_in_a_model(event, value, log)):
            continue
        words = "its last entry" if isinstance(event, Selected) else f"the {event.name.rpartition('.')[2]}"
        yield Use(event, value, at, words)


def _is_state(value: Value) -> bool:
    return isinstance(value.shape, Shape) and is_state(value.shape)


def _still_output(value: Value) -> bool:
    last = value.axes[-1] if value.axes else None
    return last is not None and any(atom.kind is Role.HIDDEN for atom in last.atoms)


def _weighed_or_pooled(event: LayerCalled | Computed, log: Log) -> Iterator[Use]:
    """A pool along the last of (batch, channel, time), and a softmax of the one score that a Linear gives each step."""
    value = event.value("input")
    axes = value.axes if value is not None else None
    if value is None or axes is None or len(axes) != 3:
        return
    if isinstance(event, LayerCalled):
        spec = event.layer.spec
        if isinstance(spec, AdaptivePoolSpec | PoolSpec) and spec.kind.endswith("Pool1d"):
            yield Use(event, value, 2, "a pool")
        return
    dim = event.seen("dim")
    at = dim.literal if isinstance(dim, Dim) else None
    scorer = log.maker(value)
    is_score = isinstance(scorer, LayerCalled) and isinstance(scorer.layer.spec, LinearSpec)
    if event.name == "softmax" and is_score and axes[2].size.value == 1 and at is not None and at % 3 < 2:
        yield Use(event, value, at % 3, "a softmax")


def _scored_in_a_model(event: Reduced, value: Value, log: Log) -> bool:
    """Whether a model's own forward sums up what a Linear made of each step; elsewhere a mean over the batch is
    bookkeeping."""
    maker = log.maker(value)
    is_scores = isinstance(maker, LayerCalled) and isinstance(maker.layer.spec, LinearSpec)
    return is_scores and event.scope.rpartition(".")[2] == "forward"


def axis_read(event: Selected | Reduced) -> int | None:
    """The axis along which an event takes the last entry (of the axes before the last, of no other), or a summary."""
    value = event.value("input")
    axes = value.axes if value is not None else None
    if axes is None:
        return None
    if isinstance(event, Selected):
        taken = [pick for pick in picks(event) if not is_whole(pick.item) and pick.at < len(axes) - 1]
        return taken[0].at if len(taken) == 1 and taken[0].number == -1 else None
    along = reduced_axes(event) if event.name in SUMMARIES else []
    return next((at for at, axis in enumerate(axes) if axis is along[0]), None) if len(along) == 1 else None


def used_against(call: RecurrentCalled, log: Log) -> Use | None:
    """A use that contradicts the layout of a call of which nothing else says what its axes are."""
    axes = layout(call)
    if axes is None or any(axis.size.value == 1 for axis in axes):
        return None
    batch, time = only_atom(axes[0]), only_atom(axes[1])
    if batch is None or time is None or role_of(batch) is not None or role_of(time) is not None:
        return None
    if _state_agrees(call, batch):
        return None
    against: Use | None = None
    for use in uses(call, log):
        atom = only_atom(use.value.axes[use.at]) if use.value.axes else None
        if atom is time:
            return None
        if (
            atom is batch
            and against is None
            and (_is_pool(use) or not any(isinstance(step, Reordered) for step in _between(use, call, log)))
        ):
            against = use
    if against is None or not (_rank_is_sure(call, against, log) or _rank_is_sure_beside(call, log)):
        return None
    return against


def _rank_is_sure_beside(call: RecurrentCalled, log: Log) -> bool:
    """Whether the same tensor goes into a layer elsewhere too, and what is made of it there needs three axes."""
    value = call.value("input")
    return value is not None and any(
        isinstance(other, RecurrentCalled)
        and other.entry == call.entry
        and other is not call
        and not other.path
        and any(not use.event.path and _rank_is_sure(other, use, log) for use in uses(other, log))
        for other in log.readers(value)
    )


def _is_pool(use: Use) -> bool:
    """Whether it is a pool, which wants its steps last: the permute before it is meant."""
    return isinstance(use.event, LayerCalled)


def _state_agrees(call: RecurrentCalled, batch: Atom) -> bool:
    """Whether a state was made for the axis that the layer reads as the batch."""
    given = call.given.get("hx")
    states = given.seen if given is not None else None
    first = states[0] if isinstance(states, tuple) and states else states
    axes = first.axes if isinstance(first, Value) else None
    made = axes[1].atom if axes is not None and len(axes) == 3 else None
    return made is not None and made.root is batch.root


def _between(use: Use, call: RecurrentCalled, log: Log) -> Iterator[Event]:
    for _, event in log.past(use.value):
        if event is call:
            return
        yield event


def rank_is_known(call: RecurrentCalled) -> bool:
    """Whether something but the layer says that its input has three axes: a layer takes one sequence of two as well."""
    value = call.value("input")
    if value is None or value.axes is None or not isinstance(value.shape, Shape):
        return False
    if not any(isinstance(part, Rest) for part in value.shape.stored):
        return True
    return any(
        evidence.strength <= Strength.USE for axis in value.axes for atom in axis.atoms for evidence in atom.evidence
    )


def _fits_linear(reader: Event) -> bool:
    """Whether a Linear reads the hidden units of what is left: of a single sequence they would be gone."""
    return isinstance(reader, LayerCalled) and isinstance(reader.layer.spec, LinearSpec) and not reader.misfits


def _rank_is_sure(call: RecurrentCalled, use: Use, log: Log) -> bool:
    if rank_is_known(call):
        return True
    if isinstance(use.event, Reduced):
        # Of a single sequence axis 1 would be the features: nobody sums those up.
        return use.at == 1 or any(
            _fits_linear(reader) for value in values_in(use.event.result) for reader in log.readers(value)
        )
    if isinstance(use.event, LayerCalled | Computed):
        return use.at > 0  # a pool of three axes; weights along axis 1, where one sequence has its only score
    items = use.event.given["items"].seen if "items" in use.event.given else ()
    return use.at == 1 or (isinstance(items, tuple) and len(items) == 3)
