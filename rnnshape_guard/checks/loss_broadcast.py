"""RSG705: predictions and targets of a loss have different shapes, and are broadcast against each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rnnshape_guard.checks import wording
from rnnshape_guard.events import Log, LossCalled, Value
from rnnshape_guard.findings import Finding, Label
from rnnshape_guard.shapes.axes import UNIT, Axis, Role, Strength
from rnnshape_guard.shapes.dims import surely_above_one
from rnnshape_guard.shapes.outcomes import Fault

_POINTWISE: Final = frozenset({"MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss"})


def check(call: LossCalled, log: Log) -> Iterator[Finding]:
    """Judge the shapes of each loss that compares number by number."""
    del log
    scores, target = call.value("input"), call.value("target")
    if call.name not in _POINTWISE or scores is None or target is None or scores.axes is None or target.axes is None:
        return
    if _is_number(target.axes) or _is_number(scores.axes):
        return
    refused = any(misfit.fault is Fault.BROADCAST and not misfit.condition for misfit in call.misfits)
    if refused or _stretches(scores.axes, target.axes):
        yield _finding(call, scores, target, refused)


def _is_number(axes: tuple[Axis, ...]) -> bool:
    return all(axis.size.value == 1 for axis in axes)


def _stretches(scores: tuple[Axis, ...], target: tuple[Axis, ...]) -> bool:
    """Whether one of the two is surely repeated along an axis where it has size 1, or none."""
    rank = max(len(scores), len(target))
    left, right = ((UNIT,) * (rank - len(axes)) + axes for axes in (scores, target))
    return any(
        (one.size.value == 1) != (other.size.value == 1) and _is_long(other if one.size.value == 1 else one)
        for one, other in zip(left, right, strict=True)
    )


def _is_long(axis: Axis) -> bool:
    """Whether an axis surely is longer than 1, or is a batch or a sequence, which are written to be."""
    if axis.size.value is not None:
        return axis.size.value > 1
    parts = [atom for atom in axis.atoms if atom.size.value != 1]
    return surely_above_one(axis.size) or any(atom.role(Strength.LAYER) in (Role.BATCH, Role.TIME) for atom in parts)


def _finding(call: LossCalled, scores: Value, target: Value, refused: bool) -> Finding:
    given, wanted = call.given["input"], call.given["target"]
    labels = [Label(one.place, wording.shape(one.value)) for one in (given, wanted) if one.place is not None]
    fate = "do not fit each other" if refused else "are broadcast against each other"
    return Finding(
        code="RSG705",
        message=f"{wording.quoted(given)} {wording.shape(scores)} and {wording.quoted(wanted)} {wording.shape(target)} {fate}",
        place=call.place,
        primary="predictions and targets have different shapes",
        labels=tuple(labels),
        expected=wording.shape(target),
        found=wording.shape(scores),
        help=_remedy(given.text, wanted.text, scores.axes or (), target.axes or ()),
        subject=frozenset({("loss", call.id)}),
        cause=call.id,
    )


def _remedy(scores: str, target: str, left: tuple[Axis, ...], right: tuple[Axis, ...]) -> str:
    if len(left) == len(right) + 1 and left[-1].size.value == 1:
        return f"{scores}.squeeze(-1)"
    if len(right) == len(left) + 1 and right[-1].size.value == 1:
        return f"{target}.squeeze(-1)"
    return "one prediction for each target"
