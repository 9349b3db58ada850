"""RSG304: a view of a state to one row per sample mixes layers and directions of different samples into a row."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.moves import arguments, is_method, is_scrambled, receiver
from rnnshape_guard.checks.reading import is_state, misfits, recurrent_origin
from rnnshape_guard.events import Log, Reshaped, Value
from rnnshape_guard.findings import Because, Finding, Label
from rnnshape_guard.shapes.axes import Role, Shape
from rnnshape_guard.shapes.outcomes import Fault, Misfit


def check(event: Reshaped, log: Log) -> Iterator[Finding]:
    """Judge each view of a state that takes its atoms out of memory order."""
    value = event.value("input")
    if value is None or not isinstance(value.shape, Shape) or not is_state(value.shape) or is_scrambled(value, log):
        return
    for misfit in misfits(event, Fault.SCRAMBLE):
        yield _finding(event, value, misfit, log)
        return


def _finding(event: Reshaped, value: Value, misfit: Misfit, log: Log) -> Finding:
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
        condition=_condition(misfit),
        subject=frozenset({("scramble", event.id)}),
        cause=event.id,
    )


def _remedy(event: Reshaped, value: Value) -> str:
    text = receiver(event)
    if value.axes is None or len(value.axes) != 3 or not is_method(event):
        return f"{text}.transpose(0, 1) first, then reshape"
    return f"{text}.transpose(0, 1).reshape({arguments(event)})"


def _condition(misfit: Misfit) -> str:
    """When there is more than one state to a sample: where nothing says how many, that is the condition."""
    stacked = [atom for atom in (*misfit.wanted, *misfit.skipped) if atom.kind in (Role.LAYER, Role.DIRECTION)]
    stacked = [atom for atom in dict.fromkeys(stacked) if atom.size.value != 1]
    if misfit.condition or any(atom.size.value is not None for atom in stacked):
        return wording.when(misfit.condition)
    return " or ".join(f"{wording.size(atom.size)} > 1" for atom in stacked)
