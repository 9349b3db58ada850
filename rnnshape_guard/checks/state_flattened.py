"""RSG304: a view of a state to one row per sample mixes layers and directions of different samples into a row."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.moves import arguments, is_method, is_scrambled, receiver
from rnnshape_guard.checks.reading import is_state, misfits, recurrent_origin
from rnnshape_guard.events import Log, Reshaped, Value
from rnnshape_guard.findings import Because, Finding, Label
from rnnshape_guard.shapes.axes import Atom, Role, Shape
from rnnshape_guard.shapes.dims import Condition
from rnnshape_guard.shapes.outcomes import Fault


def check(event: Reshaped, log: Log) -> Iterator[Finding]:
    """Judge each view of a state that takes its atoms out of memory order."""
    value = event.value("input")
    if value is None or not isinstance(value.shape, Shape) or not is_state(value.shape) or is_scrambled(value, log):
        return
    for misfit in misfits(event, Fault.SCRAMBLE):
        yield _finding(event, value, _condition((*misfit.wanted, *misfit.skipped), misfit.condition), log)
        return
    if not event.misfits and _names_the_batch(event, value):
        yield _finding(event, value, _condition(value.axes[0].atoms if value.axes else (), ()), log)


def _names_the_batch(event: Reshaped, value: Value) -> bool:
    """Whether the first axis of a view is named as the batch, while the first of the state is its layers."""
    result = event.result if isinstance(event.result, Value) else None
    if value.axes is None or len(value.axes) != 3 or result is None or not result.axes:
        return False
    first = value.axes[0]
    is_stacked = first.size.value != 1 and all(atom.kind in (Role.LAYER, Role.DIRECTION) for atom in first.atoms)
    return is_stacked and result.axes[0].role() is Role.BATCH


def _finding(event: Reshaped, value: Value, condition: str, log: Log) -> Finding:
    given = event.given.get("input")
    result = event.result if isinstance(event.result, Value) else None
    origin = recurrent_origin(value, log)
    because = () if origin is None else (Because(f"a state of {wording.quoted(origin[0].layer)}", origin[0].place),)
    return Finding(
        code="RSG304",
        message=(
            f"{wording.quoted(event.place)} mixes samples: {wording.quoted(receiver(event))} holds "
            f"{wording.shape(value)}, and a view moves no data"
        ),
        place=event.place,
        primary="rows of several samples",
        labels=() if given is None or given.place is None else (Label(given.place, wording.shape(value)),),
        expected=wording.shape(result),
        found=wording.shape(value),
        because=because,
        help=_remedy(event, value),
        condition=condition,
        subject=frozenset({("scramble", event.id)}),
        cause=event.id,
    )


def _remedy(event: Reshaped, value: Value) -> str:
    text = receiver(event)
    if value.axes is None or len(value.axes) != 3 or not is_method(event):
        return f"{text}.transpose(0, 1) first, then reshape"
    return f"{text}.transpose(0, 1).reshape({arguments(event)})"


def _condition(atoms: tuple[Atom, ...], condition: Condition) -> str:
    """When there is more than one state to a sample: where nothing says how many, that is the condition."""
    stacked = [atom for atom in atoms if atom.kind in (Role.LAYER, Role.DIRECTION)]
    stacked = [atom for atom in dict.fromkeys(stacked) if atom.size.value != 1]
    if condition or any(atom.size.value is not None for atom in stacked):
        return wording.when(condition)
    return " or ".join(f"{wording.size(atom.size)} > 1" for atom in stacked)
