"""RSG301: a permute or transpose moves an axis that what follows needs where it was, or moves nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.layout_mismatch import expected_layout
from rnnshape_guard.checks.layouts import Contradiction, contradicted, is_callers_choice, reasons
from rnnshape_guard.checks.moves import bringer, mover, receiver
from rnnshape_guard.checks.paths import disagreement
from rnnshape_guard.checks.reading import layout, misfits, spec_of
from rnnshape_guard.checks.roles import because_of, only_atom, role_of, spot
from rnnshape_guard.checks.turns import misused_move, turned_in_vain
from rnnshape_guard.checks.uses import axis_read, uses
from rnnshape_guard.events import LayerCalled, Log, RecurrentCalled, Reordered, Selected, Value, values_in
from rnnshape_guard.findings import Because, Finding, Label
from rnnshape_guard.layers import settled
from rnnshape_guard.shapes import vocabulary
from rnnshape_guard.shapes.axes import Axis, Role, Strength
from rnnshape_guard.shapes.dims import Dim, compare
from rnnshape_guard.shapes.outcomes import Fault

_WIDTHS = frozenset({Role.FEATURE, Role.HIDDEN, Role.CHANNEL, Role.DIRECTION})


def check(call: LayerCalled, log: Log) -> Iterator[Finding]:
    """Judge the permutes in front of a layer, and those between a recurrent layer and the reading of its output."""
    found = _before_features(call, log)
    if isinstance(call, RecurrentCalled):
        in_vain = turned_in_vain(call, log)
        layouts = None if in_vain else _before_layout(call, log) or _before_use(call, log) or _before_state(call, log)
        found = layouts or found
    if found is not None:
        yield replace(found, only_seen=is_callers_choice(call)) if isinstance(call, RecurrentCalled) else found


# -- batch and time ----------------------------------------------------------------------------------------------------


def _before_layout(call: RecurrentCalled, log: Log) -> Finding | None:
    found = contradicted(call)
    earlier: RecurrentCalled | None = None
    because = () if found is None else reasons(found)
    if found is None:
        mixed = disagreement(call, log)
        if mixed is None or mixed.turned is not None or contradicted(mixed.earlier) is not None:
            return None
        if any(role_of(atom) is not None for atom in mixed.found.atoms):
            return None
        found, earlier = mixed.found, mixed.earlier
        because = (Because(f"{wording.quoted(mixed.earlier.layer)} made these axes", mixed.earlier.layer.place),)
    move = misused_move(found, log, earlier)
    if move is None:
        return None
    batch_first = bool(settled(spec_of(call).batch_first))
    needs = f"{wording.quoted(call.layer)} with batch_first={batch_first} reads {expected_layout(batch_first)}"
    if _moves_nothing(move):
        message = f"{wording.quoted(move.place)} leaves the axes as they are, but {needs}"
        help_ = f"{receiver(move)}.transpose(0, 1)"
    else:
        message = f"{wording.quoted(move.place)} makes it {_layout_of(move, found)}, but {needs}"
        help_ = f"leave the axes as they are: {receiver(move)}"
    return _finding(move, call, message, expected_layout(batch_first), because, help_, found)


def _before_state(call: RecurrentCalled, log: Log) -> Finding | None:
    """The final state is turned, and then its last row is taken as if layers still stood in front."""
    for state in values_in(call.result):
        if state.part not in ("h_n", "c_n") or state.axes is None or len(state.axes) != 3:
            continue
        layers, batch = state.axes[0], only_atom(state.axes[1])
        for event in log.future(state, 3):
            value = event.value("input") if isinstance(event, Selected) else None
            if not isinstance(event, Selected) or value is None or value.axes is None or axis_read(event) != 0:
                continue
            if len(value.axes) != 3 or batch is None or only_atom(value.axes[0]) is not batch:
                continue
            move = mover(value, 0, _same_as(layers), log)
            if move is not None:
                message = (
                    f"{wording.quoted(event.place)} is the last sample: {wording.quoted(move.place)} has put the batch "
                    f"where the layers were"
                )
                because = (Because(f"a state of {wording.quoted(call.layer)}", call.place),)
                help_ = f"leave the axes as they are: {receiver(move)}[-1]"
                return _finding(move, event, message, "", because, help_, Contradiction(call, batch, None))
    return None


def _same_as(axis: Axis) -> Callable[[Axis], bool]:
    return lambda other: other.atoms == axis.atoms


def _moves_nothing(move: Reordered) -> bool:
    before, after = move.value("input"), move.result
    if before is None or not isinstance(after, Value) or before.axes is None or after.axes is None:
        return False
    return [axis.atoms for axis in before.axes] == [axis.atoms for axis in after.axes]


def _layout_of(move: Reordered, found: Contradiction) -> str:
    return wording.shape(move.result if isinstance(move.result, Value) else None, Strength.USE)


def _before_use(call: RecurrentCalled, log: Log) -> Finding | None:
    """The output of a layer is turned, and then its last step is taken from the axis where the steps were."""
    axes = layout(call)
    if axes is None or contradicted(call) is not None:
        return None
    batch, time = only_atom(axes[0]), only_atom(axes[1])
    if batch is None or time is None:
        return None
    for use in uses(call, log):
        if use.value.axes is None or only_atom(use.value.axes[use.at]) is not batch:
            continue
        move = mover(use.value, use.at, lambda axis: only_atom(axis) is time, log)
        if move is not None:
            message = (
                f"{wording.quoted(use.event.place)} takes {use.words} along the batch, which "
                f"{wording.quoted(move.place)} has put where the steps were"
            )
            found = Contradiction(call, batch, time)
            because = reasons(found) or (
                Because(f"{wording.quoted(call.layer)} reads the batch there", call.layer.place),
            )
            help_ = f"leave the axes as they are: {receiver(move)}"
            return _finding(move, use.event, message, "", because, help_, found)
    return None


# -- features ----------------------------------------------------------------------------------------------------------


def _before_features(call: LayerCalled, log: Log) -> Finding | None:
    """A permute took away the axis that a layer reads as its features or channels."""
    value = call.value("input")
    if value is None or value.axes is None:
        return None
    for misfit in misfits(call, Fault.SIZE, "input"):
        if misfit.axis is None or misfit.expected is None or misfit.condition:
            continue
        at = misfit.axis % len(value.axes)
        move = mover(value, at, _of_size(misfit.expected), log)
        if move is None and any(_of_size(misfit.expected)(axis) for axis in value.axes):
            move = bringer(value, at, log)
        if move is not None:
            return _features(call, value, at, move, misfit.expected.value)
    width_at = _features_at(call, value)
    if width_at is None or call.misfits or _role(value.axes[width_at]) not in (Role.TIME, Role.BATCH):
        return None
    move = mover(value, width_at, lambda was: _role(was) in _WIDTHS and _may_be_read(was, call), log)
    return None if move is None else _features(call, value, width_at, move)


def _may_be_read(was: Axis, call: LayerCalled) -> bool:
    """Whether a layer could read as its features the axis that stood there before: not where that has a size of its own,
    nor where the layer is built for the number of steps by name."""
    width = getattr(call.layer.spec, "input_size", getattr(call.layer.spec, "in_channels", None))
    atom = only_atom(was)
    if isinstance(width, Dim) and width.symbol is not None and vocabulary.role_of(width.symbol.name) is Role.TIME:
        return False
    if not isinstance(width, Dim) or atom is None or atom.symbol.value is None:
        return True
    return compare(was.size, width).equal


def _role(axis: Axis) -> Role | None:
    return role_of(only_atom(axis))


def _of_size(expected: Dim) -> Callable[[Axis], bool]:
    return lambda axis: compare(axis.size, expected).equal


def _features_at(call: LayerCalled, value: Value) -> int | None:
    """The axis of a three-dimensional input that a layer reads as features or channels."""
    if value.axes is None or len(value.axes) != 3:
        return None
    kind = getattr(call.layer.spec, "kind", "")
    if isinstance(call, RecurrentCalled):
        return 2
    return 1 if kind == "Conv1d" else None


def _features(call: LayerCalled, value: Value, at: int, move: Reordered, width: int | None = None) -> Finding:
    axis = (value.axes or ())[at]
    before = move.value("input")
    was = before.axes[at] if before is not None and before.axes is not None else axis
    atoms = [atom for atom in (only_atom(axis), only_atom(was)) if atom is not None]
    what = "channels" if at == 1 else "features"
    layer = wording.quoted(call.layer)
    width = was.size.value if width is None else width
    many = "" if width is None else f"{width} "
    given = call.given["input"]
    own = spot(call.place)
    return Finding(
        code="RSG301",
        message=f"{wording.quoted(move.place)} moves away the {many}{what} that {layer} reads on axis {at}",
        place=move.place,
        primary=f"axis {at} is now {_described(axis, own)}",
        labels=() if given.place is None else (Label(given.place, f"axis {at} is read as {what} here"),),
        expected=f"{many}{what} on axis {at}",
        found=f"{_described(axis, own)} on axis {at}",
        because=tuple(one for one in because_of(*atoms) if spot(one.place) != own),
        help=f"leave the axes as they are: {receiver(move)}",
        subject=frozenset({*(atom.root for atom in atoms), ("features", call.layer.id)}),
        cause=move.id,
    )


def _described(axis: Axis, reader: object) -> str:
    """An axis by its role and size; what the reading layer itself takes it for does not count."""
    atom = only_atom(axis)
    said = [one for one in (atom.reasons() if atom is not None else ()) if spot(one.place) != reader]
    value = axis.size.value
    if said:
        return str(said[0].role) + ("" if value is None else f" = {value}")
    return "another axis" if value is None else str(value)


def _finding(
    move: Reordered,
    reader: LayerCalled | object,
    message: str,
    expected: str,
    because: tuple[Because, ...],
    help_: str,
    found: Contradiction,
) -> Finding:
    place = getattr(reader, "place", None)
    result = move.result if isinstance(move.result, Value) else None
    return Finding(
        code="RSG301",
        message=message,
        place=move.place,
        primary=wording.shape(result, Strength.USE),
        labels=() if place is None else (Label(place, "is read here"),),
        expected=expected,
        found=wording.shape(result, Strength.USE) if expected else "",
        because=because,
        help=help_,
        subject=found.subject,
        cause=move.id,
    )
