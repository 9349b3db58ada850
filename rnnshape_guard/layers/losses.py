"""Losses: a prediction and a target become a scalar, or with ``reduction='none'`` one number for each target.

The pointwise losses broadcast in torch, with a warning at most: no misfit, however wrong the number may be. Those that
refuse other sizes (BCELoss, BCEWithLogitsLoss) and those over classes do raise. Rules: aten's Loss*.cpp and
torch/nn/functional.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rnnshape_guard.layers.arguments import Bound, Parameter, Reading, Spec
from rnnshape_guard.layers.kinds import LayerKind
from rnnshape_guard.layers.ledger import Ledger
from rnnshape_guard.shapes.axes import UNIT, Axis, Shape
from rnnshape_guard.shapes.dims import Dim, compare
from rnnshape_guard.shapes.outcomes import UNKNOWN, Fault, Misfit, Operand, Outcome, Unknown


@dataclass(frozen=True, kw_only=True)
class LossSpec(Spec):
    """A loss as constructed. `reduction` is 'none', 'mean', 'sum', 'batchmean' or UNKNOWN; `classes` is how many class
    weights were given, where that is known."""

    reduction: str | Unknown
    classes: Dim | None = None


# -- construction ----------------------------------------------------------------------------------------------------


def _read(kind: str, reading: Reading) -> LossSpec:
    bound = reading.bound
    weight = bound.values.get("weight")
    classes = None
    if kind in _OVER_CLASSES and isinstance(weight, Shape) and weight.rank == 1 and weight.axes:
        classes = weight.axes[0].size
    return LossSpec(
        kind=kind,
        given=bound.given,
        positional=bound.positional,
        reduction=_reduction(kind, reading),
        classes=classes,
    )


def _reduction(kind: str, reading: Reading) -> str | Unknown:
    """The reduction, with what the old arguments `size_average` and `reduce` make of it."""
    old = [reading.bound.values.get(name) for name in ("size_average", "reduce")]
    if any(flag is not None for flag in old):
        averages, reduces = (True if flag is None else flag for flag in old)
        if not isinstance(averages, bool) or not isinstance(reduces, bool):
            return UNKNOWN
        return "none" if not reduces else "mean" if averages else "sum"
    words = ("none", "mean", "sum", "batchmean") if kind == "KLDivLoss" else ("none", "mean", "sum")
    match reading.bound["reduction"]:
        case str() as word if word in words:
            return word
        case Unknown():
            return UNKNOWN
        case _:
            reading.refuse("reduction", "must be " + " or ".join(repr(word) for word in words))
            return UNKNOWN


def _reduced(spec: LossSpec, each: Shape) -> Shape:
    """The loss of what each target costs."""
    if spec.reduction == "none":
        return each
    return Shape.unknown(dtype="float") if isinstance(spec.reduction, Unknown) else Shape((), True, "float")


# -- pointwise losses ------------------------------------------------------------------------------------------------


def _apply_pointwise(spec: LossSpec, bound: Bound) -> Outcome:
    """``(*)`` and ``(*)``; sizes of 1 and absent leading axes stretch, silently."""
    ledger = Ledger(bound)
    scores = ledger.tensor("input", bound["input"], dtype="float" if spec.kind == "KLDivLoss" else None)
    target = ledger.tensor("target", bound["target"], dtype="float" if spec.kind == "KLDivLoss" else None)
    if scores is None or target is None or scores.axes is None or target.axes is None:
        return ledger.outcome(_reduced(spec, Shape.unknown(dtype="float")))
    contiguous = True if scores.contiguous is True and target.contiguous is True else None
    return ledger.outcome(_reduced(spec, Shape(_broadcast(scores.axes, target.axes, ledger), contiguous, "float")))


def _broadcast(scores: tuple[Axis, ...], target: tuple[Axis, ...], ledger: Ledger) -> tuple[Axis, ...]:
    rank = max(len(scores), len(target))
    left, right = ((UNIT,) * (rank - len(axes)) + axes for axes in (scores, target))
    return tuple(
        _stretched(one, other, place - rank, ledger) for place, (one, other) in enumerate(zip(left, right, strict=True))
    )


def _stretched(scores: Axis, target: Axis, place: int, ledger: Ledger) -> Axis:
    if target.size.value == 1:
        return scores
    if scores.size.value == 1:
        return target
    comparison = compare(scores.size, target.size)
    if comparison.conflicts:
        ledger.misfits.append(
            Misfit(
                fault=Fault.BROADCAST,
                operand="target",
                axis=place,
                expected=scores.size,
                found=target.size,
                condition=comparison.condition,
            )
        )
    return scores


def _apply_strict(spec: LossSpec, bound: Bound) -> Outcome:
    """``(*)`` and ``(*)``, the same sizes, both of them fractions."""
    ledger = Ledger(bound)
    scores = ledger.tensor("input", bound["input"], dtype="float")
    target = ledger.tensor("target", bound["target"], dtype="float")
    if scores is None or target is None or scores.axes is None or target.axes is None:
        return ledger.outcome(_reduced(spec, Shape.unknown(dtype="float")))
    _same_axes(scores, target, ledger)
    contiguous = True if scores.contiguous is True and target.contiguous is True else None
    return ledger.outcome(_reduced(spec, Shape(scores.axes, contiguous, "float")))


def _same_axes(scores: Shape, target: Shape, ledger: Ledger) -> None:
    if scores.axes is None or target.axes is None:
        return
    if len(scores.axes) != len(target.axes):
        ledger.rank("target", target, (len(scores.axes),))
        return
    for place, (expected, found) in enumerate(zip(scores.axes, target.axes, strict=True)):
        ledger.size("target", place, expected.size, found.size)


# -- losses over classes ---------------------------------------------------------------------------------------------

_OVER_CLASSES = frozenset({"CrossEntropyLoss", "NLLLoss"})


def _apply_classes(spec: LossSpec, bound: Bound) -> Outcome:
    """Scores ``(batch, classes, *)`` and indices ``(batch, *)``; CrossEntropyLoss also takes probabilities, of the
    scores' own sizes. Without a batch, ``(classes)`` and ``()``."""
    ledger = Ledger(bound)
    scores = ledger.tensor("input", bound["input"], dtype="float")
    target = ledger.tensor("target", bound["target"])
    if scores is None or scores.axes is None:
        return ledger.outcome(_reduced(spec, Shape.unknown(dtype="float")))
    axes = scores.axes
    if not axes:
        ledger.note(Fault.RANK, "input", "needs at least one axis")
        return ledger.outcome(_reduced(spec, Shape((), True, "float")))
    _check_weights(spec, axes, ledger)
    each = Shape((*axes[:1], *axes[2:]) if len(axes) > 1 else (), True if scores.contiguous is True else None, "float")
    if target is not None and target.axes is not None:
        _check_target(spec, scores, target, ledger)
    return ledger.outcome(_reduced(spec, each))


def _check_weights(spec: LossSpec, axes: tuple[Axis, ...], ledger: Ledger) -> None:
    if spec.classes is not None:
        ledger.size("weight", 0, axes[1 if len(axes) > 1 else 0].size, spec.classes)


def _check_target(spec: LossSpec, scores: Shape, target: Shape, ledger: Ledger) -> None:
    outputs, truths = scores.axes or (), target.axes or ()
    takes_probabilities = spec.kind == "CrossEntropyLoss"
    if takes_probabilities and len(truths) == len(outputs) and target.dtype not in ("int", "bool"):
        _same_axes(scores, target, ledger)
        return
    if target.dtype in ("float", "bool"):
        ledger.note(Fault.DTYPE, "target", "holds no integers where class indices are needed")
    if len(outputs) == len(truths) == 1 and truths[0].size.value == 1:
        if takes_probabilities and outputs[0].size.value == 1:
            ledger.note(Fault.DTYPE, "target", "holds integers where probabilities are needed")
        return
    if len(truths) != len(outputs) - 1:
        ranks = (len(outputs) - 1, len(outputs)) if takes_probabilities else (len(outputs) - 1,)
        ledger.rank("target", target, ranks)
        return
    for place, found in enumerate(truths):
        ledger.size("target", place, outputs[place if place == 0 else place + 1].size, found.size)


# -- CTC -------------------------------------------------------------------------------------------------------------


def _apply_ctc(spec: LossSpec, bound: Bound) -> Outcome:
    """``(time, batch, classes)`` against ``(batch, labels)``, or all labels in a row, and a length for each sample; a
    sample may come without its batch."""
    ledger = Ledger(bound)
    scores = ledger.tensor("log_probs", bound["log_probs"], dtype="float")
    targets = ledger.tensor("targets", bound["targets"])
    if scores is None:
        return ledger.outcome(_reduced(spec, Shape.unknown(dtype="float")))
    axes = ledger.axes("log_probs", scores, 3, ("time", "batch", "classes"), (2, 3))
    if axes is None:
        return ledger.outcome(_reduced(spec, Shape.unknown(dtype="float")))
    if len(axes) == 2:
        return ledger.outcome(_reduced(spec, Shape((), True, "float")))
    batch = axes[1]
    if targets is not None and targets.axes is not None:
        if len(targets.axes) not in (1, 2):
            ledger.rank("targets", targets, (1, 2))
        elif len(targets.axes) == 2:
            ledger.size("targets", 0, batch.size, targets.axes[0].size)
    for name in ("input_lengths", "target_lengths"):
        count = _count(bound[name])
        if count is not None:
            ledger.size(name, 0, batch.size, count)
    _check_lengths(bound["input_lengths"], axes[0], ledger)
    return ledger.outcome(_reduced(spec, Shape((batch,), True, "float")))


def _count(lengths: Operand) -> Dim | None:
    match lengths:
        case Shape(axes=(only,)):
            return only.size
        case tuple():
            return Dim.of(len(lengths))
        case _:
            return None


def _check_lengths(lengths: Operand, time: Axis, ledger: Ledger) -> None:
    steps = time.size.value
    if not isinstance(lengths, tuple) or steps is None:
        return
    values = [length.value for length in lengths if isinstance(length, Dim)]
    if any(value is not None and value > steps for value in values):
        ledger.note(Fault.VALUE, "input_lengths", "must not be longer than the time axis")


# -- the kinds -------------------------------------------------------------------------------------------------------

_OLD = (Parameter("size_average", None), Parameter("reduce", None))
_REDUCTION = Parameter("reduction", "mean")
_WEIGHT = Parameter("weight", None)
_PLAIN = (*_OLD, _REDUCTION)
_INPUTS = (Parameter("input"), Parameter("target"))
_INDEX = Parameter("ignore_index", Dim.of(-100))
_CTC_INPUTS = (
    Parameter("log_probs"),
    Parameter("targets"),
    Parameter("input_lengths"),
    Parameter("target_lengths"),
)

KINDS: tuple[LayerKind[LossSpec], ...] = (
    LayerKind("MSELoss", _PLAIN, _INPUTS, _read, _apply_pointwise),
    LayerKind("L1Loss", _PLAIN, _INPUTS, _read, _apply_pointwise),
    LayerKind("SmoothL1Loss", (*_PLAIN, Parameter("beta", 1.0)), _INPUTS, _read, _apply_pointwise),
    LayerKind("HuberLoss", (_REDUCTION, Parameter("delta", 1.0)), _INPUTS, _read, _apply_pointwise),
    LayerKind("KLDivLoss", (*_PLAIN, Parameter("log_target", False)), _INPUTS, _read, _apply_pointwise),
    LayerKind("BCELoss", (_WEIGHT, *_PLAIN), _INPUTS, _read, _apply_strict),
    LayerKind("BCEWithLogitsLoss", (_WEIGHT, *_PLAIN, Parameter("pos_weight", None)), _INPUTS, _read, _apply_strict),
    LayerKind(
        "CrossEntropyLoss",
        (_WEIGHT, _OLD[0], _INDEX, _OLD[1], _REDUCTION, Parameter("label_smoothing", 0.0)),
        _INPUTS,
        _read,
        _apply_classes,
    ),
    LayerKind("NLLLoss", (_WEIGHT, _OLD[0], _INDEX, _OLD[1], _REDUCTION), _INPUTS, _read, _apply_classes),
    LayerKind(
        "CTCLoss",
        (Parameter("blank", Dim.of(0)), _REDUCTION, Parameter("zero_infinity", False)),
        _CTC_INPUTS,
        _read,
        _apply_ctc,
    ),
)

FUNCTIONAL_LOSSES: Final = {
    "cross_entropy": "CrossEntropyLoss",
    "nll_loss": "NLLLoss",
    "mse_loss": "MSELoss",
    "l1_loss": "L1Loss",
    "smooth_l1_loss": "SmoothL1Loss",
    "huber_loss": "HuberLoss",
    "binary_cross_entropy": "BCELoss",
    "binary_cross_entropy_with_logits": "BCEWithLogitsLoss",
    "kl_div": "KLDivLoss",
    "ctc_loss": "CTCLoss",
}
"""Losses as functions, with the layer that each is."""
