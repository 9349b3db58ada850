"""Which axis a recurrent layer reads as the batch, held against what is known of the axes.

What is known comes from annotations, from code and from written shapes; from another layer's own layout; and from use:
the last step, or the mean over the steps, taken along the axis that the layer calls the batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from rnnshape_guard.checks.reading import layout, spec_of
from rnnshape_guard.events import (
    Combined,
    Discarded,
    Event,
    LayerCalled,
    Log,
    RecurrentBuilt,
    RecurrentCalled,
    Reduced,
    Reordered,
    Reshaped,
    Selected,
    Value,
    reads,
    values_in,
)
from rnnshape_guard.findings import Because
from rnnshape_guard.layers import LinearSpec, RecurrentSpec, settled
from rnnshape_guard.shapes.axes import Atom, Axis, Rest, Role, Shape, Strength
from rnnshape_guard.shapes.dims import Dim, compare
from rnnshape_guard.shapes.outcomes import Packed, Slice

_SUMMARIES = frozenset({"sum", "mean", "max", "amax"})


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A call whose layer reads an axis as what it is not: the batch as time, time as the batch, or both."""

    call: RecurrentCalled
    batch: Atom | None
    time: Atom | None

    @property
    def atoms(self) -> tuple[Atom, ...]:
        """The axes in contradiction."""
        return tuple(atom for atom in (self.batch, self.time) if atom is not None)

    @property
    def subject(self) -> frozenset[Atom]:
        """What findings about this contradiction share."""
        return frozenset(atom.root for atom in self.atoms)


def contradicted(call: RecurrentCalled) -> Contradiction | None:
    """What annotations, code and written shapes hold against the layout in which a layer reads its input."""
    axes = layout(call)
    if axes is None:
        return None
    as_batch, as_time = only_atom(axes[0]), only_atom(axes[1])
    roles = role_of(as_batch), role_of(as_time)
    if roles[0] is Role.BATCH or roles[1] is Role.TIME:
        return None
    batch = as_time if roles[1] is Role.BATCH else None
    time = as_batch if roles[0] is Role.TIME else None
    return Contradiction(call, batch, time) if batch is not None or time is not None else None


def confirmed(call: RecurrentCalled) -> bool:
    """Whether annotations, code or written shapes agree with the layout in which a layer reads its input."""
    axes = layout(call)
    if axes is None:
        return False
    roles = role_of(only_atom(axes[0])), role_of(only_atom(axes[1]))
    return (
        (roles[0] is Role.BATCH or roles[1] is Role.TIME) and roles[0] is not Role.TIME and roles[1] is not Role.BATCH
    )


def only_atom(axis: Axis) -> Atom | None:
    """The one atom of an axis once its parts of size 1 are left out."""
    atoms = [atom for atom in axis.atoms if atom.size.value != 1]
    return atoms[0] if len(atoms) == 1 else None


def role_of(atom: Atom | None, weakest: Strength = Strength.USE) -> Role | None:
    """The role of an atom, if there is one."""
    return None if atom is None else atom.role(weakest)


# -- the move that is to blame ---------------------------------------------------------------------------------------


def misused_move(found: Contradiction, log: Log) -> Reordered | None:
    """The permute without which the layer would have met its axes where it reads them, or the one that moves nothing
    where a move was needed. Where `batch_first` was left out, a move tells what was meant better than the default does."""
    value = found.call.value("input")
    axes = layout(found.call)
    if value is None or value.axes is None or axes is None:
        return None
    batch_at, time_at = (0, 1) if settled(spec_of(found.call).batch_first) else (1, 0)
    for moved, event in log.past(value):
        if not isinstance(event, Reordered):
            if not _keeps_axes(event, moved):
                return None
            continue
        before = event.value("input")
        if before is None or before.axes is None or len(before.axes) != 3 or moved.axes is None:
            return None
        if [axis.atoms for axis in before.axes] == [axis.atoms for axis in moved.axes]:
            return event
        if "batch_first" not in spec_of(found.call).given:
            return None
        if before.axes[2].atoms != moved.axes[2].atoms:
            return None
        at_batch, at_time = only_atom(before.axes[batch_at]), only_atom(before.axes[time_at])
        is_right = (found.batch is None or at_batch is found.batch) and (found.time is None or at_time is found.time)
        known_before = any(reason.when <= event.id for atom in found.atoms for reason in atom.reasons())
        return event if is_right and known_before else None
    return None


def turned_in_vain(call: RecurrentCalled, log: Log) -> bool:
    """Whether the input of a call, or what it was made of, was to be turned by a permute whose result is thrown away."""
    value = call.value("input")
    if value is None:
        return False
    line = [value]
    for ancestor, event in log.past(value):
        if isinstance(event, RecurrentCalled):
            break
        line += [ancestor, *reads(event)]
    thrown = _thrown_away(log, len(log.events))
    return any(
        isinstance(reader, Reordered) and reader.id in thrown and reader.id < call.id
        for one in line
        for reader in log.readers(one)
    )


@lru_cache(maxsize=2)
def _thrown_away(log: Log, length: int) -> frozenset[int]:
    del length
    return frozenset(event.made_by for event in log.all(Discarded))


def _keeps_axes(event: Event, result: Value) -> bool:
    """Whether an event leaves the order of the leading axes as it is: what it made begins as what it was made from."""
    before = next((given.value for given in getattr(event, "given", {}).values() if given.value is not None), None)
    if before is None or before.axes is None or result.axes is None or isinstance(event, RecurrentCalled):
        return False
    return [axis.atoms for axis in before.axes[:2]] == [axis.atoms for axis in result.axes[:2]]


# -- use is evidence too ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Use:
    """A reading of a layer's output along one axis: the last entry, or a summary over all."""

    event: Selected | Reduced
    value: Value
    at: int
    words: str


def uses(call: RecurrentCalled, log: Log, depth: int = 5) -> Iterator[Use]:
    """Where the output of a call is read at its last entry, or summed up, along one of its first two axes."""
    output = next(iter(call.result), None) if isinstance(call.result, tuple) else None
    if not isinstance(output, Value) or not isinstance(output.shape, Shape):
        return
    for event in log.future(output, depth):
        if not isinstance(event, Selected | Reduced) or event.entry != call.entry:
            continue
        value = event.value("input")
        at = axis_read(event)
        if value is None or at is None or value.axes is None or len(value.axes) != 3:
            continue
        if not _still_output(value):
            continue
        words = "its last entry" if isinstance(event, Selected) else f"the {event.name.rpartition('.')[2]}"
        yield Use(event, value, at, words)


def _still_output(value: Value) -> bool:
    last = value.axes[-1] if value.axes else None
    return last is not None and any(atom.kind is Role.HIDDEN for atom in last.atoms)


def axis_read(event: Selected | Reduced) -> int | None:
    """The axis along which an event takes the last entry (and nothing else), or a sum, mean or maximum."""
    if isinstance(event, Selected):
        items = event.given["items"].seen if event.name == "index" and "items" in event.given else None
        return _last_entry(items) if isinstance(items, tuple) else None
    if event.name.rpartition(".")[2] not in _SUMMARIES or "dim" not in event.given:
        return None
    dim = event.given["dim"].seen
    if isinstance(dim, tuple) and len(dim) == 1:
        dim = dim[0]
    number = dim.value if isinstance(dim, Dim) else None
    value = event.value("input")
    if number is None or value is None or value.axes is None:
        return None
    return number if number >= 0 else number + len(value.axes)


def _last_entry(items: tuple[object, ...]) -> int | None:
    """``[:, -1]``, ``[-1]``, ``[:, -1, :]``: where -1 stands, if all else is taken whole."""
    found: int | None = None
    for at, item in enumerate(items):
        if isinstance(item, Slice) and item == Slice():
            continue
        if found is None and isinstance(item, Dim) and item.literal == -1:
            found = at
            continue
        return None
    return found


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
            and not any(isinstance(step, Reordered) for step in _between(use, call, log))
        ):
            against = use
    return against if against is not None and _rank_is_sure(call, against, log) else None


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
        return any(_fits_linear(reader) for value in values_in(use.event.result) for reader in log.readers(value))
    items = use.event.given["items"].seen
    return isinstance(items, tuple) and (len(items) == 3 or use.at == 1)


# -- two layers on one path ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A call that reads as time what an earlier call on its path made the batch, or the other way round. `turned` is
    the step that put the axes in the wrong order, if it was one that repeats a state."""

    earlier: RecurrentCalled
    found: Contradiction
    turned: Reshaped | Combined | None


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
        batch, time = batch_of(event), _time_of(event)
        found = Contradiction(
            call,
            as_time if as_time is not None and as_time is batch else None,
            as_batch if as_batch is not None and as_batch is time else None,
        )
        if not found.atoms or (event.layer is call.layer):
            return None
        return Disagreement(event, found, _repeating(steps) if is_state else None)
    return None


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
        if not isinstance(event, LayerCalled) or getattr(event.layer.spec, "kind", "") != "Conv1d":
            continue
        made = [only_atom(axis) for axis in ancestor.axes or ()]
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


def batch_of(call: RecurrentCalled) -> Atom | None:
    """The axis that a call reads as the batch, also where its input is packed."""
    value = call.value("input")
    if value is not None and isinstance(value.shape, Packed):
        return only_atom(value.shape.batch)
    axes = layout(call)
    return None if axes is None else only_atom(axes[0])


def _time_of(call: RecurrentCalled) -> Atom | None:
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


# -- what is reported about a construction -----------------------------------------------------------------------------


@lru_cache(maxsize=2)
def _judged(log: Log, length: int) -> frozenset[object]:
    del length
    return frozenset(
        key(call.layer.place)
        for call in log.all(RecurrentCalled)
        if contradicted(call) is not None
        or used_against(call, log) is not None
        or _is_mixed(call, log)
        or _is_convolved(call, log)
    )


def _is_mixed(call: RecurrentCalled, log: Log) -> bool:
    found = disagreement(call, log)
    return found is not None and found.turned is None


def _is_convolved(call: RecurrentCalled, log: Log) -> bool:
    by = convolved(call, log)
    return by is not None and by.found is not None


def is_judged(built: RecurrentBuilt, log: Log) -> bool:
    """Whether some call of a layer built at this place contradicts its layout, or a flag of it stands where it means
    nothing."""
    return misplaced(built) in ("num_layers", "nonlinearity") or key(built.layer.place) in _judged(log, len(log.events))


def key(place: object) -> object:
    """What two places have in common that are the same place, whatever a driver means by one."""
    return getattr(place, "node", place)


def misplaced(built_or_called: RecurrentBuilt | RecurrentCalled) -> str | None:
    """The parameter on which a positional ``True`` landed that was meant for `batch_first`."""
    layer = built_or_called.layer
    spec = layer.spec
    if not isinstance(spec, RecurrentSpec) or "batch_first" in spec.given:
        return None
    for name in ("num_layers", "nonlinearity", "bias"):
        place = layer.argument_places.get(name)
        if name in spec.positional and place is not None and place.text == "True":
            return name
    return None


def reasons(found: Contradiction) -> tuple[Because, ...]:
    """The evidence for what the axes of a contradiction are, at most three lines."""
    return because_of(*found.atoms)


def because_of(*atoms: Atom) -> tuple[Because, ...]:
    """The evidence for the roles of atoms: one line for each place, at most three."""
    lines: dict[object, Because] = {}
    for atom in atoms:
        for reason in atom.reasons():
            says_all = reason.strength in (Strength.DECLARED, Strength.WRITTEN)
            text = reason.text if says_all else f"{reason.text}: {reason.role}"
            lines.setdefault(
                (key(reason.place), reason.text) if reason.place is not None else reason.text,
                Because(text, reason.place),
            )
    return tuple(lines.values())[:3]
