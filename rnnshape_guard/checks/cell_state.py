"""RSG802: a cell's state is (batch, hidden): a pair of them for an LSTM cell, one tensor for the others."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.cells import spec_of, stepped_along
from rnnshape_guard.checks.reading import is_of_one_kind, misfits, ranked_by, sized_by
from rnnshape_guard.checks.roles import spot
from rnnshape_guard.events import Called, CellCalled, Log, Operated, Place, Seen, Unpacked, Value, values_in
from rnnshape_guard.findings import Because, Finding, Label
from rnnshape_guard.shapes.axes import Axis, Role
from rnnshape_guard.shapes.dims import Dim
from rnnshape_guard.shapes.outcomes import Fault, Misfit


def check(call: CellCalled, log: Log) -> Iterator[Finding]:
    """Judge the state given to each cell, and how what it returns is taken apart."""
    if misfits(call, Fault.COUNT):
        return
    found = [
        *_single(call),
        *_pair(call),
        *_taken_apart(call, log),
        *_like_a_layer(call, log),
        *_taken_whole(call, log),
        *_shapes(call, log),
    ]
    if found and is_of_one_kind(call, log):
        yield from found


def _shapes(call: CellCalled, log: Log) -> Iterator[Finding]:
    """What is wrong with the shape of the state, once for a pair."""
    each = (finding for name, value in _states(call) for finding in _shape(call, name, value, log))
    yield from itertools.islice(each, 1)


def _states(call: CellCalled) -> list[tuple[str, Value]]:
    given = call.given.get("hx")
    values = list(values_in(given.seen)) if given is not None else []
    names = ["h_0", "c_0"] if spec_of(call).kind == "LSTMCell" else ["h_0"]
    return list(zip(names, values, strict=True)) if len(names) == len(values) else []


def _single(call: CellCalled) -> Iterator[Finding]:
    """One tensor where an LSTM cell needs two."""
    given = call.given.get("hx")
    if given is None or not isinstance(given.seen, Value):
        return
    for misfit in misfits(call, Fault.TYPE, "hx"):
        yield Finding(
            code="RSG802",
            message=f"{wording.quoted(call.layer)} is an LSTM cell and needs (h, c), but is given one tensor, {wording.quoted(given)}",
            place=call.place,
            primary="one state where two are needed",
            labels=(Label(call.layer.place, "an LSTM cell"),),
            expected="((batch, hidden), (batch, hidden))",
            found=wording.shape(given.seen),
            help=f"{call.layer.name or 'cell'}({call.given['input'].text}, ({given.text}, c))",
            condition=wording.when(misfit.condition),
            subject=frozenset({("state", call.layer.id)}),
            cause=call.id,
        )


def _pair(call: CellCalled) -> Iterator[Finding]:
    """A pair where a GRU or RNN cell needs one tensor."""
    given = call.given.get("hx")
    kind = spec_of(call).kind
    if given is None or not isinstance(given.seen, tuple) or kind == "LSTMCell":
        return
    if not misfits(call, Fault.TYPE, "h_0") or not all(isinstance(part, Value) for part in given.seen):
        return
    yield Finding(
        code="RSG802",
        message=f"{wording.quoted(call.layer)} is {wording.article(kind)} and takes one tensor as its state, but is given a tuple of {len(given.seen)}",
        place=call.place,
        primary="a tuple where one tensor is needed",
        labels=(Label(call.layer.place, f"nn.{kind}"),),
        expected="(batch, hidden)",
        found="(h, c)",
        help=f"{call.layer.name or 'cell'}({call.given['input'].text}, h)",
        subject=frozenset({("state", call.layer.id)}),
        cause=call.id,
    )


def _taken_apart(call: CellCalled, log: Log) -> Iterator[Finding]:
    """The one tensor that a GRU or RNN cell returns, unpacked in two."""
    kind = spec_of(call).kind
    if kind == "LSTMCell" or not isinstance(call.result, Value):
        return
    for event in log.readers(call.result):
        if isinstance(event, Unpacked) and event.source is call.result and event.count == 2:
            yield Finding(
                code="RSG802",
                message=f"{wording.quoted(call.layer)} is a {kind} and returns one tensor, but it is unpacked in two",
                place=call.place,
                primary=wording.shape(call.result),
                labels=(Label(call.layer.place, "output and state in one"),),
                expected="(batch, hidden)",
                found="h, c",
                help=f"h = {call.place.text}",
                subject=frozenset({("result", call.layer.id)}),
                cause=call.id,
            )
            return


def _like_a_layer(call: CellCalled, log: Log) -> Iterator[Finding]:
    """``y, (h, c) = cell(...)``: what an LSTM cell returns, taken apart as if an output stood before the state."""
    if not isinstance(call.result, tuple):
        return
    for part in call.result:
        if not isinstance(part, Value) or (part.axes and part.axes[0].size.value == 2):
            continue
        for event in log.readers(part):
            if isinstance(event, Unpacked) and event.source is part and event.count == 2 and not event.path:
                yield Finding(
                    code="RSG802",
                    message=f"{wording.quoted(call.layer)} is an LSTM cell and returns h, c, but it is unpacked "
                    "as output, (h, c)",
                    place=call.place,
                    primary="(h, c)",
                    labels=(Label(call.layer.place, "its output is h"),),
                    expected="(batch, hidden), (batch, hidden)",
                    found="output, (h, c)",
                    help=f"h, c = {call.place.text}",
                    subject=frozenset({("result", call.layer.id)}),
                    cause=call.id,
                )
                return


def _taken_whole(call: CellCalled, log: Log) -> Iterator[Finding]:
    """The pair that an LSTM cell returns, used as one tensor."""
    if not isinstance(call.result, tuple) or not isinstance(call.result[0], Value):
        return
    users = [event for event in log.readers(call.result[0]) if isinstance(event, Called)]
    for user, misfit in [(reader, found) for reader in users for found in reader.misfits]:
        given = user.given.get("hx" if misfit.operand in ("h_0", "c_0") else misfit.operand)
        if misfit.fault is not Fault.TYPE or given is None or not _holds(given.seen, call.result):
            continue
        labels = (Label(call.layer.place, "an LSTM cell"), Label(user.place, "used here"))
        yield Finding(
            code="RSG802",
            message=f"{wording.quoted(call.layer)} is an LSTM cell and returns a pair, but it is used as one tensor",
            place=call.place,
            primary="(h, c)",
            labels=tuple(label for label in labels if spot(label.place) != spot(call.place)),
            expected="(batch, hidden)",
            found="((batch, hidden), (batch, hidden))",
            help=f"h, c = {call.place.text}",
            condition=wording.when(misfit.condition),
            subject=frozenset({("result", call.layer.id)}),
            cause=call.id,
        )
        return


def _holds(seen: Seen, pair: tuple[Seen, ...]) -> bool:
    """Whether an operand is a pair, or holds it where a tensor belongs."""
    if not isinstance(seen, tuple):
        return False
    return seen == pair or any(part == pair for part in seen if isinstance(part, tuple))


def _shape(call: CellCalled, name: str, value: Value, log: Log) -> Iterator[Finding]:
    """A state with another rank, batch or width."""
    maker = log.maker(value)
    for misfit in misfits(call, Fault.RANK, name):
        if isinstance(maker, CellCalled):
            return
        found = misfit.found.value if misfit.found is not None else None
        beside = " or ".join(map(str, misfit.ranks))
        message = f"{_named(call, name)} has {found} axes, but {wording.quoted(call.layer)} needs {beside}: a cell has no layers"
        yield _finding(call, value, misfit, message, _made(call, value, log), log)
    yield from _from_time(call, name, value, log)
    for misfit in misfits(call, Fault.SIZE, name):
        axis = value.axes[misfit.axis] if value.axes is not None and misfit.axis is not None else None
        sizes = f"{wording.size(misfit.found)}" if misfit.found is not None else "?"
        wanted = wording.size(misfit.expected) if misfit.expected is not None else "?"
        is_batch = misfit.axis == 0 and value.axes is not None and len(value.axes) == 2
        message = (
            f"{_named(call, name)} is for a batch of {sizes}, but {wording.quoted(call.given['input'])} brings {wanted}"
            if is_batch
            else f"{_named(call, name)} is {sizes} wide, but {wording.quoted(call.layer)} has hidden_size {wanted}"
        )
        yield _finding(call, value, misfit, message, _made(call, value, log, axis), log)


def _from_time(call: CellCalled, name: str, value: Value, log: Log) -> Iterator[Finding]:
    """A batch size that was read from the axis along which the steps are taken."""
    lost = stepped_along(call, log)
    axes = value.axes
    if lost is None or axes is None or len(axes) != 2 or axes[0].atom is None:
        return
    step, _ = lost
    batch = axes[0].atom
    given = call.value("input")
    ours = given.axes[0].atom if given is not None and given.axes else None
    if batch.root is not step.root or (ours is not None and ours.role() is Role.TIME):
        return
    message = f"the batch size of {_named(call, name)} is the number of time steps"
    yield _finding(call, value, None, message, _made(call, value, log, axes[0]), log, *wording.because(step)[:1])


def _made(call: CellCalled, value: Value, log: Log, axis: Axis | None = None) -> Place:
    """Where a state got an axis, or its number of axes; the argument, where a layer made it."""
    event = sized_by(value, axis, log) if axis is not None else ranked_by(value, log)
    given = call.given["hx"].place
    return event.place if isinstance(event, Operated) else given if given is not None else call.place


def _named(call: CellCalled, name: str) -> str:
    given = call.given["hx"]
    return wording.quoted(given) if given.value is not None and given.text.isidentifier() else f"`{name}`"


def _finding(
    call: CellCalled, value: Value, misfit: Misfit | None, message: str, place: Place, log: Log, *because: Because
) -> Finding:
    width = spec_of(call).hidden_size
    number = width.value if isinstance(width, Dim) else None
    hidden = "hidden" if number is None else f"hidden = {number}"
    maker = log.maker(value)
    return Finding(
        code="RSG802",
        message=message,
        place=place,
        primary=wording.shape(value),
        labels=tuple(
            one
            for one in (Label(call.layer.place, hidden), Label(call.place, "given here"))
            if spot(one.place) != spot(place)
        ),
        expected=f"(batch, {hidden})",
        found=wording.shape(value),
        because=because,
        condition=wording.when(misfit.condition) if misfit is not None else "",
        subject=frozenset({("made", maker.id) if maker is not None else ("state", call.layer.id)}),
        cause=call.id,
    )
