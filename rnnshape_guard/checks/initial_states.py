"""The initial state that a recurrent call is given, and what is wrong with it: the one judgement of RSG204 and RSG501 to
RSG505, which each report their part of it."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from enum import Enum

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.picking import front_picks, picks
from rnnshape_guard.checks.reading import confirmed, entered, layout, misfits, ranked_by, sized_by, spec_of
from rnnshape_guard.checks.roles import spot
from rnnshape_guard.events import (
    COLLATED,
    Created,
    Event,
    Handed,
    LayerCalled,
    Log,
    Operated,
    Place,
    RecurrentCalled,
    Reordered,
    Selected,
    Value,
    values_in,
)
from rnnshape_guard.findings import Because, Finding, Label
from rnnshape_guard.layers import Size
from rnnshape_guard.shapes.axes import Atom, Axis, Role, Strength
from rnnshape_guard.shapes.dims import Dim, Symbol, compare, divide, resolve, same_size
from rnnshape_guard.shapes.outcomes import Fault, Misfit, Packed, Slice


class Kind(Enum):
    """What is wrong with a state; the first that applies is the one to report."""

    RANK = "rank"
    BATCH_FIRST = "batch first"
    FROM_TIME = "batch size read from the time axis"
    FIXED_BATCH = "fixed batch"
    ORDER = "the samples in another order"
    SIZE = "size"


@dataclass(frozen=True, slots=True)
class State:
    """One tensor of an initial state. `maker` is the recurrent call whose final state it stems from, or the event that
    made it of sizes; None if it came from outside."""

    name: str
    value: Value
    maker: Event | None


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing wrong with one tensor of a state; `axis` is the faulty axis, where it is one."""

    kind: Kind
    call: RecurrentCalled
    state: State
    misfit: Misfit | None = None
    axis: Axis | None = None
    because: tuple[Because, ...] = ()
    certain: bool = True


def states_of(call: RecurrentCalled, log: Log) -> list[State]:
    """The tensors given as ``h_0`` and ``c_0``; none where an LSTM is not given a pair."""
    given = call.given.get("hx")
    values = list(values_in(given.seen)) if given is not None else []
    names = ["h_0", "c_0"] if spec_of(call).kind == "LSTM" else ["h_0"]
    if len(values) != len(names):
        return []
    return [State(name, value, _maker(value, log)) for name, value in zip(names, values, strict=True)]


def _maker(value: Value, log: Log) -> Event | None:
    is_made = True
    for _, event in log.past(value):
        match event:
            case RecurrentCalled():
                return event
            case LayerCalled():
                is_made = False
            case Created():
                return event if is_made else None
    return None


def first_mistake(call: RecurrentCalled, log: Log) -> Mistake | None:
    """The mistake to report of a call's state: the first kind that applies, in h_0 rather than in c_0."""
    if misfits(call, Fault.COUNT):
        return None
    found = [mistake for state in states_of(call, log) for mistake in _mistakes(call, state, log)]
    return min(found, key=lambda one: (list(Kind).index(one.kind), one.state.name == "c_0"), default=None)


def _mistakes(call: RecurrentCalled, state: State, log: Log) -> Iterator[Mistake]:
    yield from (Mistake(Kind.RANK, call, state, one) for one in misfits(call, Fault.RANK, state.name))
    sizes = misfits(call, Fault.SIZE, state.name)
    axes = state.value.axes
    if axes is not None and len(axes) == 3:
        batch, time = _batch_and_time(call)
        if batch is not None and time is not None:
            yield from _misplaced(call, state, axes, batch, time, sizes)
            yield from _fixed(call, state, axes, batch, sizes, log)
            if is_other_order(axes[1], batch):
                yield Mistake(Kind.ORDER, call, state, None, axes[1])
    for misfit in sizes:
        index = misfit.axis if misfit.axis is not None else 0
        axis = state.value.shape.axis(index) if not isinstance(state.value.shape, Packed) else None
        yield Mistake(Kind.SIZE, call, state, misfit, axis)


def _batch_and_time(call: RecurrentCalled) -> tuple[Axis | None, Axis | None]:
    value = call.value("input")
    if value is not None and isinstance(value.shape, Packed):
        return value.shape.batch, value.shape.time
    return layout(call) or (None, None)


def _misplaced(
    call: RecurrentCalled, state: State, axes: tuple[Axis, ...], batch: Axis, time: Axis, sizes: list[Misfit]
) -> Iterator[Mistake]:
    """The batch on the axis of the layers, or the steps on the axis of the batch: by identity, not by value."""
    first, second, _ = axes
    if is_same(second, batch) or not (first.atoms or second.atoms):
        return
    wrong = {misfit.axis: misfit for misfit in sizes}
    states = spec_of(call).states
    is_batch = is_same(first, batch) or (0 in wrong and same_size(first.size, batch.size))
    swapped = 0 in wrong and 1 in wrong and isinstance(states, Dim)
    if swapped and isinstance(states, Dim):
        swapped = compare(first.size, batch.size).equal and compare(second.size, states).equal
    named = _is_named(first.atom, Role.BATCH) and not _is_named(second.atom, Role.BATCH)
    layered = isinstance(states, Dim) and _is_written_as(second, states)
    if is_batch or swapped or ((named or is_same(first, time)) and layered and not is_same(first, second)):
        yield Mistake(Kind.BATCH_FIRST, call, state, wrong.get(0), first)
    elif is_same(second, time) and not confirmed(batch.atom, Role.TIME):
        if confirmed(time.atom, Role.BATCH) and not confirmed(batch.atom, Role.BATCH):
            return  # then it is the layer that reads the axes the wrong way round
        reasons = wording.because(time.atom) if time.atom is not None and confirmed(time.atom, Role.TIME) else ()
        reasons = reasons or (wording.because(batch.atom) if batch.atom is not None else ())
        yield Mistake(Kind.FROM_TIME, call, state, wrong.get(1), second, reasons, bool(reasons))
    elif batch.atom is not None and second.atom is not None and _is_named(second.atom, Role.TIME):
        # The steps come one by one, each with an axis of its own for the time: the whole sequence's is another axis.
        if batch.atom.role(Strength.LAYER) is Role.BATCH and not confirmed(batch.atom, Role.TIME):
            yield Mistake(Kind.FROM_TIME, call, state, wrong.get(1), second, wording.because(second.atom))


def _fixed(
    call: RecurrentCalled, state: State, axes: tuple[Axis, ...], batch: Axis, sizes: list[Misfit], log: Log
) -> Iterator[Mistake]:
    """A batch size that the state brings from elsewhere, and an input with a batch of its own."""
    axis = axes[1]
    if not isinstance(state.maker, Created) or any(symbol.owner is not None for symbol in _symbols_given(axis)):
        return
    misfit = next((one for one in sizes if one.axis == 1), None)
    if misfit is not None:
        yield Mistake(Kind.FIXED_BATCH, call, state, misfit, axis)
    elif batch.atom is not None and not is_same(axis, batch):
        reasons = [one for one in batch.atom.evidence if one.text == COLLATED]
        if reasons and axis.size.value != 1:
            because = tuple(Because("its last batch may be smaller", one.place) for one in reasons[:1])
            yield Mistake(Kind.FIXED_BATCH, call, state, None, axis, because)
        elif axis.size.value != 1 and (chunk := _short_chunk(call, axis.size, batch.atom, log)) is not None:
            yield Mistake(
                Kind.FIXED_BATCH, call, state, None, axis, (Because("the last chunk may be smaller", chunk.place),)
            )
        elif axis.size.value == 1 and _is_many(batch.atom) and is_learned(state, log):
            yield Mistake(Kind.FIXED_BATCH, call, state, None, axis, wording.because(batch.atom))


def _short_chunk(call: RecurrentCalled, size: Dim, batch: Atom, log: Log) -> Selected | None:
    """The subscript that cuts an input out of all samples, ``x[at : at + size]`` in a loop that counts to their end: the
    last chunk is what is left."""
    value = call.value("input")
    for _, event in log.past(value) if value is not None else ():
        if not isinstance(event, Selected):
            continue
        for pick in front_picks(event) or picks(event):
            atom = pick.axis.atom
            match pick.item:
                case Slice(start=Dim(below=Dim() as end) as start, stop=Dim() as stop, step=None):
                    is_chunk = same_size(end, pick.axis.size) and compare(stop - start, size).equal
                    if is_chunk and atom is not None and atom.root is batch.root and divide(end, size) is None:
                        return None if _are_whole(event, end, log) else event
    return None


def _are_whole(chunk: Selected, end: Dim, log: Log) -> bool:
    """Whether a program has thought of the last chunk: it counts up to a whole one, has cut the rest off before, or
    leaves the loop. Code outside of functions may have, too."""
    function, value = entered(chunk, log), chunk.value("input")
    if function is None or end.exact is not end or re.search(r"\b(?:continue|break|except)\b", function.place.text):
        return True
    return value is not None and any(isinstance(event, Selected) for _, event in log.past(value))


def _is_many(atom: Atom) -> bool:
    """Whether a program says that an axis is a batch, and only its meeting this state would make it a batch of one."""
    return atom.role(Strength.WRITTEN) is Role.BATCH and (atom.size.value != 1 or atom.symbol.learned)


def is_learned(state: State, log: Log) -> bool:
    """Whether a state is a parameter of the model, given as it was made: one for all samples."""
    values = [value for value, event in log.past(state.value) if isinstance(event, Created)]
    return any(
        isinstance(event, Handed) and event.place.text.split("(")[0].rpartition(".")[2] == "Parameter"
        for value in values
        for event in log.readers(value)
    )


def _symbols_given(axis: Axis) -> Iterator[Symbol]:
    """The symbols that an axis was sized with."""
    for atom in axis.atoms:
        size = atom.root.symbol.value
        if atom.source is not None:
            yield from atom.root.size.symbols()
        elif size is not None:
            yield from (symbol for symbol in size.symbols())


def is_same(one: Axis, two: Axis) -> bool:
    """Whether two axes are one by identity."""
    return (
        bool(one.atoms)
        and len(one.atoms) == len(two.atoms)
        and all(left.root is right.root for left, right in zip(one.atoms, two.atoms, strict=True))
    )


def is_other_order(one: Axis, two: Axis) -> bool:
    """Whether two axes hold the same samples as often, but one sample after sample and the other copy after copy."""
    left, right = ([atom for atom in axis.atoms if atom.size.value != 1] for axis in (one, two))
    if len(left) != 2 or len(right) != 2 or not compare(one.size, two.size).equal:
        return False
    crossed = left[0].root is right[1].root, left[1].root is right[0].root
    straight = left[0].root is right[0].root, left[1].root is right[1].root
    return any(crossed) and not any(straight)


def _is_named(atom: Atom | None, role: Role) -> bool:
    if atom is None or atom.kind is not None or (atom.size.value == 1 and not atom.symbol.learned):
        return False
    return atom.role() is role


def _is_written_as(axis: Axis, size: Dim) -> bool:
    """Whether an axis was given a size on purpose: the same name, or the same number."""
    return same_size(axis.size, size) or (size.value is not None and axis.size.value == size.value)


# -- saying it --------------------------------------------------------------------------------------------------------


def where(mistake: Mistake, log: Log) -> Place:
    """The line a person would edit: where the faulty axis got its size, or its place."""
    state = mistake.state
    if mistake.kind is Kind.BATCH_FIRST:
        moved = next((event for _, event in log.past(state.value) if isinstance(event, Reordered | Created)), None)
        if moved is not None:
            return moved.place
    if mistake.kind is Kind.RANK:
        event = ranked_by(state.value, log)
    else:
        event = sized_by(state.value, mistake.axis, log) if mistake.axis is not None else state.maker
    shared = mistake.kind is Kind.FIXED_BATCH and is_learned(state, log)
    if isinstance(event, Operated) and not shared:
        brought = _brought(event, mistake.axis, log) if mistake.kind in (Kind.FIXED_BATCH, Kind.FROM_TIME) else None
        return brought or event.place
    given = mistake.call.given["hx"].place
    return given if given is not None else mistake.call.place


def _brought(event: Operated, axis: Axis | None, log: Log) -> Place | None:
    """The argument by which a caller brought the size of an axis to the function that made it."""
    function = entered(event, log)
    atom = axis.atom if axis is not None else None
    if function is None or function.call is None or atom is None:
        return None
    size = atom.symbol.value if atom.symbol.value is not None and atom.symbol.owner is not atom.root else atom.size
    brought = [
        given for given in function.given.values() if isinstance(given.seen, Dim) and same_size(given.seen, size)
    ]
    place = brought[0].place if len(brought) == 1 else None
    return place if place is not None and place.text in function.call.text else None


def finding(code: str, mistake: Mistake, log: Log, message: str, *, primary: str, remedy: str = "") -> Finding:
    """A finding about a state made from sizes, with the other tensor of the pair and the layer as labels."""
    call, state = mistake.call, mistake.state
    place = where(mistake, log)
    labels = [Label(call.layer.place, needs(call))]
    for other in states_of(call, log):
        if other.name != state.name and other.maker is not None and other.maker is not state.maker:
            labels.append(Label(other.maker.place, f"`{other.name}`, made alike"))
    labels.append(Label(call.place, "given here"))
    return Finding(
        code=code,
        message=message,
        place=place,
        primary=primary,
        labels=tuple(label for label in labels if spot(label.place) != spot(place)),
        expected=expected(call),
        found=wording.shape(state.value),
        because=mistake.because,
        help=remedy,
        condition=wording.when(mistake.misfit.condition) if mistake.misfit is not None else "",
        subject=subject(mistake),
        cause=call.id,
    )


def subject(mistake: Mistake) -> frozenset[Hashable]:
    """What is in contradiction: the event that made the state; where the layout is in doubt, the input's axes too."""
    made = mistake.state.maker
    parts: set[Hashable] = {("made", made.id) if isinstance(made, Created) else ("state", mistake.call.layer.id)}
    if not mistake.certain:
        batch, time = _batch_and_time(mistake.call)
        parts |= {atom.root for axis in (batch, time) if axis is not None for atom in axis.atoms}
    return frozenset(parts)


def named(mistake: Mistake) -> str:
    """The state in the user's words, if it is one tensor with a name, else PyTorch's."""
    given = mistake.call.given["hx"]
    return wording.quoted(given) if given.value is not None and given.text.isidentifier() else f"`{mistake.state.name}`"


def needs(call: RecurrentCalled) -> str:
    """What a layer's construction asks of its state: ``2 layers, 1 direction, 128 hidden``."""
    spec = spec_of(call)
    words = [_counted(spec.num_layers, "layer"), _counted(spec.directions, "direction")]
    words += [f"{wording.size(spec.output_size)} hidden" if isinstance(spec.output_size, Dim) else ""]
    return ", ".join(filter(None, words))


def _counted(size: Size, noun: str) -> str:
    number = size.value if isinstance(size, Dim) else None
    return "" if number is None else f"{number} {noun}" + ("" if number == 1 else "s")


def expected(call: RecurrentCalled) -> str:
    """The state that a call needs, as a shape."""
    spec, value = spec_of(call), call.value("input")
    words = [_with_number("layers·directions", spec.states), _with_number("hidden", spec.output_size)]
    if value is None or value.axes is None or len(value.axes) != 2:
        words.insert(1, "batch")
    return f"({', '.join(words)})"


def _with_number(word: str, size: Size) -> str:
    number = size.value if isinstance(size, Dim) else None
    return word if number is None else f"{word} = {number}"


def remade(mistake: Mistake) -> str:
    """The line that makes the state right, where all its sizes can be written down."""
    call = mistake.call
    spec, value, maker = spec_of(call), call.value("input"), mistake.state.maker
    width = spec.hidden_size if mistake.state.name == "c_0" else spec.output_size
    if (
        not isinstance(spec.states, Dim)
        or not isinstance(width, Dim)
        or value is None
        or not isinstance(maker, Created)
    ):
        return ""
    batch, _ = _batch_and_time(call)
    text = call.given["input"].text
    words = [_written(spec.states)]
    if value.axes is not None and batch is not None and text.isidentifier():
        words.append(f"{text}.size({value.axes.index(batch)})")
    elif value.axes is None or len(value.axes) != 2:
        return ""
    words.append(_written(width))
    return f"torch.{maker.name.removeprefix('new_')}({', '.join(words)})" if all(words) else ""


def _written(size: Dim) -> str:
    words = str(size.value) if size.value is not None else str(resolve(size, numbers=False)).replace("·", " * ")
    return "" if "?" in words else words
