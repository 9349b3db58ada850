"""RSG701: a cross entropy is given scores whose class axis is not the second, a CTC loss scores whose time axis is not the
first, or scores and targets don't belong together."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import wording
from rnnshape_guard.events import Given, Log, LossCalled, Reshaped, Value
from rnnshape_guard.findings import Finding, Label
from rnnshape_guard.shapes.axes import Atom, Axis, Role, Shape, Strength
from rnnshape_guard.shapes.dims import Condition, compare
from rnnshape_guard.shapes.outcomes import Fault

_OVER_CLASSES = frozenset({"CrossEntropyLoss", "NLLLoss"})
_FLATTENING = frozenset({"view", "reshape", "flatten", "ravel"})
Axes = tuple[Axis, ...]


def check(call: LossCalled, log: Log) -> Iterator[Finding]:
    """Judge the axes of scores and targets of each loss over classes."""
    if call.name == "CTCLoss":
        yield from _ctc(call)
        return
    scores, target = call.value("input"), call.value("target")
    if call.name not in _OVER_CLASSES or scores is None or target is None:
        return
    if scores.axes is None or target.axes is None:
        return
    wrong = [
        misfit for misfit in call.misfits if misfit.fault in (Fault.SIZE, Fault.RANK) and misfit.operand == "target"
    ]
    if _classes_last(scores.axes, target.axes) and (wrong or _steps_as_classes(scores.axes, target.axes)):
        yield _last(call, scores.axes, wrong[0].condition if wrong else ())
    elif wrong:
        yield _apart(call, scores.axes, target.axes, wrong[0].condition)
    elif (
        _in_another_order(scores.axes, target.axes)
        or _crossed(scores.axes, target.axes)
        or _begun_otherwise(scores.axes, _first_of(target, log))
    ):
        yield _turned(call)


def _classes_last(scores: Axes, target: Axes) -> bool:
    """Whether targets fit scores ``(batch, ..., classes)``: axis by axis, all but the last."""
    return (
        len(scores) >= 3
        and len(target) == len(scores) - 1
        and all(_same(one, other) for one, other in zip(scores[:-1], target, strict=True))
    )


def _same(one: Axis, other: Axis) -> bool:
    """Whether two axes are one, or of one size."""
    return compare(one.size, other.size).equal or _is_one(one, other, Role.BATCH, Role.TIME)


def _is_one(one: Axis, other: Axis, *roles: Role) -> bool:
    """Whether two axes are one by identity, or both have one of these roles, the targets' by more than a layer's word."""
    left, right = one.atom, other.atom
    if left is None or right is None or 1 in (one.size.value, other.size.value):
        return left is not None and right is not None and left.root is right.root
    return left.root is right.root or (left.role(Strength.LAYER) is right.role() and right.role() in roles)


def _steps_as_classes(scores: Axes, target: Axes) -> bool:
    """Whether the axis in the classes' place is one of the target's own: its steps."""
    return scores[1].size.value != 1 and _is_one(scores[1], target[1], Role.TIME)


def _in_another_order(scores: Axes, target: Axes) -> bool:
    """Whether scores ``(batch·time, classes)`` meet targets ``(time·batch)``, or the other way round."""
    if len(scores) != 2 or len(target) != 1:
        return False
    left, right = ([atom for atom in axis.atoms if atom.size.value != 1] for axis in (scores[0], target[0]))
    if len(left) != 2 or len(right) != 2:
        return False
    if left[0].root is right[1].root and left[1].root is right[0].root:
        return left[0].root is not left[1].root
    roles = [[atom.role() for atom in atoms] for atoms in (left, right)]
    return {*roles[0]} == {Role.BATCH, Role.TIME} and roles[0] == roles[1][::-1]


def _begun_otherwise(scores: Axes, first: Atom | None) -> bool:
    """Whether scores ``(time·batch, classes)`` meet targets that were flattened from ``(batch, ...)``: of so many rows
    they have other axes behind it, and the batch moves slowest whichever these are."""
    atoms = [atom for atom in scores[0].atoms if atom.size.value != 1]
    if first is None or len(scores) != 2 or len(atoms) != 2:
        return False
    if first.root is atoms[1].root:
        return first.root is not atoms[0].root
    return first.role() is Role.BATCH and [atom.role() for atom in atoms] == [Role.TIME, Role.BATCH]


def _first_of(target: Value, log: Log) -> Atom | None:
    """The first axis of what a target was flattened from, where the axes behind it are not known."""
    maker = log.maker(target)
    before = maker.value("input") if isinstance(maker, Reshaped) and maker.name in _FLATTENING else None
    if before is None or not isinstance(before.shape, Shape) or before.shape.rank is not None:
        return None
    axis = before.shape.axis(0)
    return axis.atom if axis is not None and target.axes is not None and len(target.axes) == 1 else None


def _crossed(scores: Axes, target: Axes) -> bool:
    """Whether scores ``(time, classes, batch)`` meet targets ``(batch, time)``, or the other way round."""
    if len(scores) != 3 or len(target) != 2 or any(axis.size.value == 1 for axis in (*scores, *target)):
        return False
    ours = [axis.atom.role(Strength.LAYER) if axis.atom is not None else None for axis in (scores[0], scores[2])]
    theirs = [axis.atom.role() if axis.atom is not None else None for axis in target]
    return {*ours} == {Role.BATCH, Role.TIME} and ours == theirs[::-1]


def _ctc(call: LossCalled) -> Iterator[Finding]:
    """Log-probabilities ``(batch, time, classes)`` where CTC wants ``(time, batch, classes)``."""
    scores = call.value("log_probs")
    axes = scores.axes if scores is not None else None
    if scores is None or axes is None or len(axes) != 3 or 1 in (axes[0].size.value, axes[1].size.value):
        return
    roles = [axis.atom.role(Strength.LAYER) if axis.atom is not None else None for axis in axes[:2]]
    if roles != [Role.BATCH, Role.TIME]:
        return
    given = call.given["log_probs"]
    yield Finding(
        code="RSG701",
        message=f"{wording.quoted(given)} has the batch first, and CTCLoss takes the time first",
        place=call.place,
        primary="reads (time, batch, classes)",
        labels=(Label(given.place, wording.shape(scores)),) if given.place is not None else (),
        expected="(time, batch, classes)",
        found=wording.shape(scores),
        help=f"{given.text or 'log_probs'}.transpose(0, 1)",
        subject=frozenset({("loss", call.id), *(axis.atom.root for axis in axes[:2] if axis.atom is not None)}),
        cause=call.id,
    )


def _turned(call: LossCalled) -> Finding:
    given, target = _texts(call)
    return Finding(
        code="RSG701",
        message=f"{wording.quoted(given)} and {wording.quoted(target)} were flattened in different orders: "
        "scores meet the targets of other samples",
        place=call.place,
        primary="scores and targets do not belong together",
        labels=_labels(given, target),
        expected=wording.shape(target.value),
        found=wording.shape(given.value),
        help="transpose(0, 1) on one of the two before it is flattened",
        subject=frozenset({("loss", call.id)}),
        cause=call.id,
    )


def _texts(call: LossCalled) -> tuple[Given, Given]:
    return call.given["input"], call.given["target"]


def _last(call: LossCalled, scores: Axes, condition: Condition) -> Finding:
    given, target = _texts(call)
    moved = "transpose(1, 2)" if len(scores) == 3 else "movedim(-1, 1)"
    return Finding(
        code="RSG701",
        message=f"{wording.quoted(given)} has its classes last, and {call.name} takes axis 1 for the classes",
        place=call.place,
        primary=f"compares {wording.axis_name(scores[1])} with classes",
        labels=_labels(given, target),
        expected="(batch, classes, ...)",
        found=wording.shape(given.value),
        help=f"{given.text or 'scores'}.{moved}",
        condition=wording.when(condition),
        subject=frozenset({("loss", call.id)}),
        cause=call.id,
    )


def _apart(call: LossCalled, scores: Axes, target: Axes, condition: Condition) -> Finding:
    given, wanted = _texts(call)
    flattened = len(scores) == 2 and len(target) > 1 and len(scores[0].atoms) == len(target)
    expected = (
        "("
        + ", ".join(wording.axis_name(axis) for axis in (scores[0], *scores[2:]))
        + ("," if len(scores) == 2 else "")
        + ")"
    )
    return Finding(
        code="RSG701",
        message=f"{wording.quoted(given)} is {wording.shape(given.value)}, and the targets {wording.quoted(wanted)} are "
        f"{wording.shape(wanted.value)}",
        place=call.place,
        primary="scores and targets do not belong together",
        labels=_labels(given, wanted),
        expected=expected,
        found=wording.shape(wanted.value),
        help=f"{wanted.text or 'target'}.reshape(-1)" if flattened else f"targets {expected} for these scores",
        condition=wording.when(condition),
        subject=frozenset({("loss", call.id)}),
        cause=call.id,
    )


def _labels(scores: Given, target: Given) -> tuple[Label, ...]:
    return tuple(Label(one.place, wording.shape(one.value)) for one in (scores, target) if one.place is not None)
