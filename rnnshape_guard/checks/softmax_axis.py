"""RSG702: a softmax is taken over the batch, over the steps where it scores classes, or over an axis of size 1."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.lineage import contradicted, stated_batch, steps_of
from rnnshape_guard.checks.reading import is_stacked, recurrent_origin
from rnnshape_guard.checks.uses import rank_is_known, uses
from rnnshape_guard.events import (
    CellCalled,
    Computed,
    Contracted,
    LayerCalled,
    Log,
    PackCalled,
    RecurrentCalled,
    Reordered,
    Reshaped,
    Value,
    reads,
    values_in,
)
from rnnshape_guard.findings import Because, Finding, Label
from rnnshape_guard.layers import LinearSpec
from rnnshape_guard.layers.elementwise import SoftmaxSpec
from rnnshape_guard.shapes.axes import Atom, Axis, Role, Shape, Strength
from rnnshape_guard.shapes.dims import Dim

_SOFTMAXES: Final = frozenset({"softmax", "log_softmax", "softmin", "Softmax", "LogSoftmax", "Softmin"})


def check(event: Computed | LayerCalled, log: Log) -> Iterator[Finding]:
    """Judge the axis of each softmax, as a function or a layer."""
    name, dim = _softmax(event)
    value = event.value("input")
    axes = value.axes if value is not None else None
    if name not in _SOFTMAXES or value is None or not axes or len(axes) < 2:
        return
    at = dim.literal if isinstance(dim, Dim) else (0 if len(axes) == 3 else 1) if dim is None else None
    if at is None or not -len(axes) <= at < len(axes):
        return
    at %= len(axes)
    if not _is_of_a_recurrent(value, log) or (is_stacked(axes[0]) and not value.part):
        return  # with the layers of a state in it, something was wrong before
    axis, implicit = axes[at], dim is None
    if axis.atom is not None and stated_batch(axis.atom):
        alone = sum(any(stated_batch(atom) for atom in one.atoms) for one in axes) == 1
        if alone and not _is_summed_along(event, axis.atom, log):
            yield _over_batch(event, value, axes, at, implicit)
    elif axis.atom is not None and _steps_are_read_elsewhere(value, axis.atom, log):
        yield _over_batch(event, value, axes, at, implicit)
    elif (scorer := _scorer(value, axes, at, log)) is not None:
        yield _over_one(event, value, axes, at, scorer)
    elif (classifier := _classifier(name, value, axes, at, log)) is not None and _is_never_last(value, dim, log):
        yield _beside_classes(event, value, axes, at, classifier)


def _is_summed_along(event: Computed | LayerCalled, batch: Atom, log: Log) -> bool:
    """Whether a matrix product adds up what is weighed along the very axis that only a comment on what came of it later
    calls the batch: two lines of code agree on what it is, and the comment speaks of something else."""
    if any(one.strength is not Strength.WRITTEN or one.when <= event.id for one in batch.reasons(Strength.WRITTEN)):
        return False
    for one in values_in(event.result):
        for product in log.future(one, 2):
            operands = list(reads(product)) if isinstance(product, Contracted) and product.name in _PRODUCTS else []
            found = [_axis(operand, at) for operand, at in zip(operands, (-1, -2), strict=False)]
            if any(axis is not None and axis.atom is not None and axis.atom.root is batch.root for axis in found):
                return True
    return False


_PRODUCTS: Final = frozenset({"bmm", "matmul", "@"})


def _axis(operand: Value, at: int) -> Axis | None:
    return operand.shape.axis(at) if isinstance(operand.shape, Shape) else None


def _softmax(event: Computed | LayerCalled) -> tuple[str, object]:
    if isinstance(event, LayerCalled):
        spec = event.layer.spec
        return (spec.kind, spec.dim) if isinstance(spec, SoftmaxSpec) else ("", None)
    given = event.given.get("dim")
    return event.name, given.seen if given is not None else None


def _scorer(value: Value, axes: tuple[Axis, ...], at: int, log: Log) -> LayerCalled | None:
    """The Linear whose single unit a softmax goes over, as it is written in the program."""
    if at != len(axes) - 1 or not any(axis.size.value != 1 for axis in axes):
        return None
    for _, maker in log.past(value):
        if isinstance(maker, LayerCalled) and isinstance(maker.layer.spec, LinearSpec):
            size = maker.layer.spec.out_features
            own = maker.result
            same = isinstance(own, Value) and own.axes is not None and own.axes[-1:] == axes[-1:]
            return maker if same and isinstance(size, Dim) and size.literal == 1 and _is_written(maker) else None
        if isinstance(maker, LayerCalled) and maker.value("input") is None:
            return None
    return None


def _is_of_a_recurrent(value: Value, log: Log) -> bool:
    """Whether a tensor stems from a recurrent layer or cell: from its call, or by the hidden units that it once had."""
    return any(
        isinstance(event, RecurrentCalled | CellCalled)
        or any(atom.kind is Role.HIDDEN for one in values_in(tuple(reads(event))) for atom in _last(one))
        for _, event in log.past(value)
    )


def _is_never_last(value: Value, dim: object, log: Log) -> bool:
    """Whether an axis is not the last one however many there are: a single sequence has one axis less than a batch, and
    where only the layer says that there are three, axis 1 may be its last."""
    origin = recurrent_origin(value, log)
    named = dim.literal if isinstance(dim, Dim) else None
    if origin is None or (named is not None and named <= 0):
        return True
    return rank_is_known(origin[0]) or any(isinstance(event, PackCalled) for _, event in log.past(value))


def _steps_are_read_elsewhere(value: Value, batch: Atom, log: Log) -> bool:
    """Whether an axis is what a layer reads as the batch, and its output is summed up or read at its end along the other:
    then the layer is right."""
    origin = recurrent_origin(value, log)
    pair = steps_of(origin[0]) if origin is not None else None
    if origin is None or pair is None or pair[0].root is not batch.root or contradicted(*pair):
        return False
    read = [use.value.axes[use.at].atom for use in uses(origin[0], log) if use.value.axes is not None]
    return any(atom is not None and atom.root is pair[1].root for atom in read)


def _last(value: Value) -> tuple[Atom, ...]:
    return value.axes[-1].atoms if value.axes else ()


def _classifier(name: str, value: Value, axes: tuple[Axis, ...], at: int, log: Log) -> LayerCalled | None:
    """The Linear whose scores of several classes stand on the last axis, where their logarithms are normalized over
    another. A plain softmax may weigh the steps, once for each unit."""
    if name not in ("log_softmax", "LogSoftmax") or at == len(axes) - 1 or axes[at].size.value == 1:
        return None
    for made, maker in log.past(value):
        if isinstance(maker, LayerCalled):
            spec = maker.layer.spec
            whole = isinstance(spec, LinearSpec) and made.axes is not None and made.axes[-1:] == axes[-1:]
            return maker if whole and axes[-1].size.value != 1 else None
        if not isinstance(maker, Computed | Reshaped | Reordered):
            return None
    return None


def _is_written(scorer: LayerCalled) -> bool:
    """Whether the one unit stands in the layer's construction: an option may have another value elsewhere."""
    place = scorer.layer.argument_places.get("out_features")
    return place is not None and place.text == "1"


def _better(axes: tuple[Axis, ...], at: int) -> int | None:
    """The axis that will have been meant: the time, if there is one."""
    found = [index for index, axis in enumerate(axes) if index != at and _role(axis) is Role.TIME]
    return found[0] if len(found) == 1 else None


def _role(axis: Axis) -> Role | None:
    roles = {atom.root.role() or atom.root.role(Strength.LAYER) for atom in axis.atoms if atom.size.value != 1}
    return roles.pop() if len(roles) == 1 else None


def _over_batch(
    event: Computed | LayerCalled, value: Value, axes: tuple[Axis, ...], at: int, implicit: bool
) -> Finding:
    atom = axes[at].atom
    assert atom is not None
    better = _better(axes, at)
    fact = "is left to choose its axis and takes" if implicit else "goes over"
    reasons = wording.because(atom) or tuple(
        Because(one.text, one.place) for one in atom.evidence if one.role is Role.BATCH
    )
    return Finding(
        code="RSG702",
        message=f"{wording.quoted(event.place)} {fact} axis {at}, the batch",
        place=event.place,
        primary="weights of different samples add up to 1",
        labels=_label(event, value),
        expected=f"dim={better if better is not None else len(axes) - 1}",
        found=f"dim={at} of {wording.shape(value)}",
        because=reasons[:2],
        help=f"dim={better if better is not None else -1}",
        subject=frozenset({("softmax", event.id), atom.root}),
        cause=event.id,
    )


def _over_one(
    event: Computed | LayerCalled, value: Value, axes: tuple[Axis, ...], at: int, scorer: LayerCalled
) -> Finding:
    better = _better(axes, at)
    return Finding(
        code="RSG702",
        message=f"{wording.quoted(event.place)} goes over an axis of size 1: every weight is 1",
        place=event.place,
        primary=f"axis {at} of {wording.shape(value)}",
        labels=(Label(scorer.layer.place, f"{wording.quoted(scorer.layer)} gives one unit"),),
        expected=f"dim={better}" if better is not None else "an axis of several weights",
        found=f"dim={at} of {wording.shape(value)}",
        help=f"dim={better}" if better is not None else "the axis of the steps",
        subject=frozenset({("softmax", event.id)}),
        cause=event.id,
    )


def _beside_classes(
    event: Computed | LayerCalled, value: Value, axes: tuple[Axis, ...], at: int, classifier: LayerCalled
) -> Finding:
    role = _role(axes[at])
    what = (
        {Role.TIME: "the steps", Role.BATCH: "the samples"}.get(role, "not the classes") if role else "not the classes"
    )
    last = len(axes) - 1
    return Finding(
        code="RSG702",
        message=f"{wording.quoted(event.place)} goes over axis {at}, {what}: the classes are on axis {last}",
        place=event.place,
        primary=f"axis {at} of {wording.shape(value)}",
        labels=(Label(classifier.layer.place, f"{wording.quoted(classifier.layer)} puts the classes last"),),
        expected=f"dim={last}",
        found=f"dim={at} of {wording.shape(value)}",
        help="dim=-1",
        subject=frozenset({("softmax", event.id)}),
        cause=event.id,
    )


def _label(event: Computed | LayerCalled, value: Value) -> tuple[Label, ...]:
    place = event.given["input"].place
    return (Label(place, wording.shape(value)),) if place is not None else ()
