"""RSG304: a view of a state to one row per sample mixes layers and directions of different samples into a row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.moves import arguments, is_method, is_scrambled, receiver
from rnnshape_guard.checks.reading import is_stacked, is_state, misfits, recurrent_origin
from rnnshape_guard.events import (
    Computed,
    Event,
    LayerCalled,
    Log,
    LossCalled,
    Reduced,
    Reshaped,
    Returned,
    Unpacked,
    Value,
    values_in,
)
from rnnshape_guard.findings import Because, Finding, Label
from rnnshape_guard.shapes.axes import Atom, Axis, Role, Shape
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
    if event.misfits or value.axes is None:
        return
    condition = _condition(value.axes[0].atoms, ())
    if _names_the_batch(event, value):
        yield _finding(event, value, condition, log)
    elif _is_one_answer_per_row(event, value, log):
        yield _several_answers(event, value, value.axes, condition, log)


def _names_the_batch(event: Reshaped, value: Value) -> bool:
    """Whether the first axis of a view is named as the batch, while the first of the state is its layers."""
    result = event.result if isinstance(event.result, Value) else None
    if value.axes is None or len(value.axes) != 3 or result is None or not result.axes:
        return False
    return is_stacked(value.axes[0]) and result.axes[0].role() is Role.BATCH


def _is_one_answer_per_row(event: Reshaped, value: Value, log: Log) -> bool:
    """Whether a view to one row for each layer and sample is taken for one row for each sample: every row is made an
    answer of its own, which a model gives back or a loss compares, and nobody parts the layers from the samples again."""
    result = event.result if isinstance(event.result, Value) else None
    if value.axes is None or len(value.axes) != 3 or result is None or not result.axes or len(result.axes) != 2:
        return False
    layers, batch, _ = value.axes
    rows = (*layers.atoms, *batch.atoms)
    if not is_stacked(layers) or result.axes[0].atoms != rows:
        return False
    uses = [use for use in log.future(result, depth=12) if not isinstance(use, Unpacked)]
    if not all(isinstance(use, LayerCalled | Computed | Reduced | LossCalled | Returned) for use in uses):
        return False
    answers = [use for use in uses if isinstance(use, LayerCalled)]
    ends = [use for use in uses if isinstance(use, LossCalled) or _gives_back(use, rows)]
    return bool(answers) and bool(ends)


def _gives_back(use: Event, rows: tuple[Atom, ...]) -> bool:
    """Whether a model gives back a tensor with these rows."""
    return (
        isinstance(use, Returned)
        and use.scope.endswith(".forward")
        and any(given.axes and given.axes[0].atoms == rows for given in values_in(use.result))
    )


def _several_answers(event: Reshaped, value: Value, axes: tuple[Axis, ...], condition: str, log: Log) -> Finding:
    layers, batch, hidden = axes
    text = receiver(event)
    is_one_way = all(atom.kind is Role.LAYER or atom.size.value == 1 for atom in layers.atoms)
    return replace(
        _finding(event, value, condition, log),
        message=(
            f"{wording.quoted(event.place)} makes a row of each of the {wording.size(layers.size)} states of a sample, "
            f"so every sample gets {wording.size(layers.size)} answers"
        ),
        primary=f"{wording.size(layers.size)} rows for each sample",
        expected=wording.shape(Shape((batch, hidden))),
        found=wording.shape(event.result if isinstance(event.result, Value) else None),
        help=f"{text}[-1]" if is_one_way else f"torch.cat(({text}[-2], {text}[-1]), dim=1)",
    )


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
