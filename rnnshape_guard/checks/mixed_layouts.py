"""RSG103: two layers on one path, one of them recurrent, disagree about which axis is the batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rnnshape_guard.checks import attention_layouts, wording
from rnnshape_guard.checks.cells import crossed
from rnnshape_guard.checks.layout_mismatch import expected_layout, place_of_layout, remedy
from rnnshape_guard.checks.layouts import contradicted, is_callers_choice, misplaced
from rnnshape_guard.checks.paths import Disagreement, disagreement
from rnnshape_guard.checks.reading import layout, spec_of
from rnnshape_guard.checks.roles import role_of
from rnnshape_guard.checks.turns import misused_move, turned_in_vain
from rnnshape_guard.events import CellCalled, LayerCalled, Log, RecurrentCalled, Reordered, Selected
from rnnshape_guard.findings import Because, Finding, Label
from rnnshape_guard.layers import settled


def check(call: LayerCalled, log: Log) -> Iterator[Finding]:
    """Judge each call of a recurrent layer whose input comes from another one, and each attention beside one. Where other evidence says which axis is the batch,
    the layer that is wrong about it is RSG101; a state that was repeated in the wrong place is wrong in any case."""
    if isinstance(call, CellCalled):
        yield from _crossed(call, log)
        return
    if not isinstance(call, RecurrentCalled):
        yield from attention_layouts.mixed(call, log)
        return
    mixed = disagreement(call, log)
    if mixed is None or turned_in_vain(call, log):
        return
    if mixed.turned is not None:
        yield replace(_repeated(call, mixed), only_seen=is_callers_choice(call))
        return
    known = contradicted(call) is not None or contradicted(mixed.earlier) is not None
    if known or any(role_of(atom) is not None for atom in mixed.found.atoms) or misplaced(call) is not None:
        return
    if misused_move(mixed.found, log, mixed.earlier) is None:
        is_choice = is_callers_choice(call) or is_callers_choice(mixed.earlier)
        yield replace(_mixed(call, mixed), only_seen=is_choice)


def _mixed(call: RecurrentCalled, mixed: Disagreement) -> Finding:
    given = call.given["input"]
    batch_first = bool(settled(spec_of(call).batch_first))
    return Finding(
        code="RSG103",
        message=(
            f"{wording.quoted(call.layer)} reads axis {_at(call, mixed)} of {wording.quoted(given)} as "
            f"{_roles(mixed)[1]}, but {_apart(mixed.earlier, call)} made it {_roles(mixed)[0]}"
        ),
        place=place_of_layout(call.layer),
        primary=f"reads {expected_layout(batch_first)}",
        labels=(
            Label(place_of_layout(mixed.earlier.layer), _stated(mixed.earlier)),
            *(() if given.place is None else (Label(given.place, expected_layout(not batch_first)),)),
        ),
        expected=expected_layout(batch_first),
        found=expected_layout(not batch_first),
        because=(
            Because(f"{wording.quoted(mixed.earlier.layer)} has {_stated(mixed.earlier)}", mixed.earlier.layer.place),
        ),
        help=remedy(call),
        subject=mixed.found.subject,
        cause=call.id,
    )


def _crossed(call: CellCalled, log: Log) -> Iterator[Finding]:
    """A cell in a loop over what a recurrence before it took for the batch."""
    found = crossed(call, log)
    if found is None or call.path or any(role_of(atom) is not None for atom in (found.steps, found.rows)):
        return
    blamed: Reordered | Selected = found.turned or found.taken
    source = found.taken.value("input")
    again = found.earlier.place.spot == call.place.spot
    yield Finding(
        code="RSG103",
        message=(
            f"{wording.quoted(call.place)} takes its steps along the axis that "
            f"{'a layer before it' if again else wording.quoted(found.earlier.place)} read as the batch"
        ),
        place=blamed.place,
        primary="turns the axes" if found.turned is not None else f"one step of {wording.shape(source)}",
        labels=(
            *(() if again else (Label(found.earlier.place, "takes its steps along the other axis"),)),
            Label(call.place, "takes its steps along what was the batch"),
        ),
        expected="one axis for the steps of both",
        found="steps along one axis, then along the other",
        help="hand on what the first one makes in the layout that the next one reads",
        subject=frozenset({found.steps.root, found.rows.root}),
        cause=blamed.id,
        condition="there are several layers" if again else "",
    )


def _apart(earlier: RecurrentCalled, call: RecurrentCalled) -> str:
    """An earlier layer by its name, and by its class where the later one has the same name."""
    name, owner = wording.quoted(earlier.layer), earlier.layer.owner
    return f"{name} of {owner}" if owner and name == wording.quoted(call.layer) else name


def _repeated(call: RecurrentCalled, mixed: Disagreement) -> Finding:
    assert mixed.turned is not None
    batch_first = bool(settled(spec_of(call).batch_first))
    how = mixed.turned.name.rpartition(".")[2]
    front = "in front of" if batch_first else "behind"
    return Finding(
        code="RSG103",
        message=(
            f"{wording.quoted(mixed.turned.place)} puts the steps {front} the batch, but "
            if not mixed.joined
            else f"{wording.quoted(mixed.turned.place)} puts the copies of all samples into one row, and "
        )
        + f"{wording.quoted(call.layer)} with batch_first={batch_first} reads {expected_layout(batch_first)}",
        place=mixed.turned.place,
        primary="steps·batch on one axis" if mixed.joined else expected_layout(not batch_first),
        labels=(Label(place_of_layout(call.layer), f"reads {expected_layout(batch_first)}"),),
        expected=expected_layout(batch_first),
        found=wording.shape(call.value("input")) if mixed.joined else expected_layout(not batch_first),
        because=(
            Because(f"axis 1 of a state of {wording.quoted(mixed.earlier.layer)} is the batch", mixed.earlier.place),
        ),
        help=(
            f"h_n[-1].unsqueeze(1).{how}(…), with the steps on axis 1"
            if batch_first
            else f"h_n[-1].unsqueeze(0).{how}(…), with the steps on axis 0"
        ),
        subject=mixed.found.subject,
        cause=mixed.turned.id,
    )


def _at(call: RecurrentCalled, mixed: Disagreement) -> int:
    axes = layout(call)
    first = call.value("input")
    wrong = mixed.found.atoms[0]
    for at, axis in enumerate(first.axes or () if first is not None and axes is not None else ()):
        if wrong in axis.atoms:
            return at
    return 0


def _roles(mixed: Disagreement) -> tuple[str, str]:
    return ("the batch", "time") if mixed.found.batch is not None else ("time", "the batch")


def _stated(call: RecurrentCalled) -> str:
    spec = spec_of(call)
    return f"batch_first={bool(settled(spec.batch_first))}" + ("" if "batch_first" in spec.given else " by default")
