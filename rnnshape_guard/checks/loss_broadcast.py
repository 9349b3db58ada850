"""RSG705: predictions and targets of a loss have different shapes, and are broadcast against each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.reading import recurrent_origin, sized_by
from rnnshape_guard.events import Computed, LayerCalled, Log, LossCalled, Value
from rnnshape_guard.findings import Finding, Label
from rnnshape_guard.shapes.axes import UNIT, Axis, Role, Strength
from rnnshape_guard.shapes.dims import surely_above_one
from rnnshape_guard.shapes.outcomes import Fault

_POINTWISE: Final = frozenset({"MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss"})
_STRICT: Final = frozenset({"BCELoss", "BCEWithLogitsLoss"})


def check(call: LossCalled | Computed, log: Log) -> Iterator[Finding]:
    """Judge the shapes of each loss that compares number by number, also where it is written out."""
    if isinstance(call, Computed):
        yield from _by_hand(call, log)
        return
    scores, target = call.value("input"), call.value("target")
    if scores is None or target is None or scores.axes is None or target.axes is None:
        return
    if call.name in _STRICT:
        if any(misfit.fault in (Fault.RANK, Fault.SIZE) and not misfit.condition for misfit in call.misfits):
            yield _finding(call, scores, target, "do not fit each other")
        return
    if call.name not in _POINTWISE or _is_number(target.axes) or _is_number(scores.axes):
        return
    if any(misfit.fault is Fault.BROADCAST and not misfit.condition for misfit in call.misfits):
        yield _finding(call, scores, target, "do not fit each other")
    elif _stretches(scores.axes, target.axes):
        yield _finding(call, scores, target, _BROADCAST)


_BROADCAST: Final = "are broadcast against each other"


def _by_hand(call: Computed, log: Log) -> Iterator[Finding]:
    """``prediction - target``, where a layer for one number left an axis of size 1 that the target has not. An axis that
    a program made itself, and two tensors of one prediction, are tables that are meant."""
    pair = [(name, call.value(name)) for name in ("input", "other")]
    match sorted(((len(one.axes), name, one) for name, one in pair if one is not None and one.axes is not None)):
        case [(less, _, short), (more, name, long)] if less >= 1 and more == less + 1:
            pass
        case _:
            return
    column, row = long.axes or (), short.axes or ()
    if column[-1].size.value != 1 or not all(map(_are_one, column[:-1], row)) or not _is_long(row[-1]):
        return
    origin, other = recurrent_origin(long, log), recurrent_origin(short, log)
    if origin is None or (other is not None and other[0] is origin[0]):
        return
    if isinstance(sized_by(long, column[-1], log), LayerCalled):
        wanted = "other" if name == "input" else "input"
        yield _finding(call, long, short, _BROADCAST, name, wanted)


def _are_one(one: Axis, other: Axis) -> bool:
    """Whether two axes are one by identity, or both the batch, or both the steps."""
    left, right = one.atom, other.atom
    if left is None or right is None:
        return False
    role = left.role(Strength.LAYER)
    return left.root is right.root or (role in (Role.BATCH, Role.TIME) and role is right.role(Strength.LAYER))


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


def _finding(
    call: LossCalled | Computed, scores: Value, target: Value, fate: str, left: str = "input", right: str = "target"
) -> Finding:
    given, wanted = call.given[left], call.given[right]
    labels = [Label(one.place, wording.shape(one.value)) for one in (given, wanted) if one.place is not None]
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
