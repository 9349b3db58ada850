"""Layers that keep every axis: activations, dropouts, Identity; softmaxes along an axis; GLU, which halves one."""

from __future__ import annotations

from dataclasses import dataclass
from types import EllipsisType
from typing import cast

from rnnshape_guard.layers.arguments import Bound, Parameter, Reading, Size, Spec
from rnnshape_guard.layers.kinds import DEVICE_AND_DTYPE, INPUT, LayerKind
from rnnshape_guard.layers.ledger import Ledger
from rnnshape_guard.layers.memory import fresh, like
from rnnshape_guard.shapes.axes import Axis, Shape
from rnnshape_guard.shapes.dims import ONE, Dim, divide
from rnnshape_guard.shapes.outcomes import UNKNOWN, Fault, Misfit, Operand, Outcome, Packed, Result, Slice, Unknown


@dataclass(frozen=True, kw_only=True)
class ActivationSpec(Spec):
    """A layer that works on each number by itself: an activation, or Identity."""


@dataclass(frozen=True, kw_only=True)
class DropoutSpec(Spec):
    """A dropout as constructed."""

    p: Operand = 0.5


@dataclass(frozen=True, kw_only=True)
class SoftmaxSpec(Spec):
    """A softmax or GLU as constructed; a `dim` of None lets torch guess."""

    dim: Size | None = None


@dataclass(frozen=True, kw_only=True)
class PReLUSpec(Spec):
    """PReLU as constructed: one slope, or one for each channel."""

    num_parameters: Size = ONE


# -- activations -----------------------------------------------------------------------------------------------------


def _read_activation(kind: str, reading: Reading) -> ActivationSpec:
    return ActivationSpec(kind=kind, given=reading.bound.given, positional=reading.bound.positional)


def _apply_identity(spec: ActivationSpec, bound: Bound) -> Outcome:
    """Whatever comes goes."""
    ledger = Ledger(bound)
    match bound["input"]:
        case float() | Slice() | EllipsisType():
            return ledger.outcome(UNKNOWN)
        case value:
            return ledger.outcome(cast(Result, value))


def _apply_activation(spec: ActivationSpec, bound: Bound) -> Outcome:
    """``(*)`` to ``(*)``."""
    ledger = Ledger(bound)
    value = bound["input"]
    shape = ledger.tensor("input", value)
    if shape is None:
        return ledger.outcome(_meant(value))
    if spec.kind in _OWN_MEMORY:
        return ledger.outcome(fresh(shape, shape.stored))
    return ledger.outcome(like(shape, _float(shape)))


_OWN_MEMORY = frozenset({"LogSigmoid", "RReLU"})
"""Activations that do not follow the order of their input's memory (RReLU while it trains)."""


def _float(shape: Shape) -> str | None:
    return "float" if shape.dtype == "float" else None


def _meant(value: Operand) -> Packed | Shape:
    """What comes out where no tensor goes in: a packed batch will have been meant to stay one."""
    return value if isinstance(value, Packed) else Shape.unknown(dtype="float")


# -- dropouts --------------------------------------------------------------------------------------------------------


def _read_dropout(kind: str, reading: Reading) -> DropoutSpec:
    rate = reading.bound["p"]
    match rate:
        case float() if not 0 <= rate <= 1:
            reading.refuse("p", "must be from 0 to 1")
        case Dim(value=int(number)) if not 0 <= number <= 1:
            reading.refuse("p", "must be from 0 to 1")
        case None | str() | tuple() | Shape():
            reading.refuse("p", "must be a number", Fault.TYPE)
        case _:
            pass
    return DropoutSpec(kind=kind, given=reading.bound.given, positional=reading.bound.positional, p=rate)


def _apply_dropout(spec: DropoutSpec, bound: Bound) -> Outcome:
    """``(*)`` to ``(*)``; those that drop whole channels need axes for them, and Dropout1d takes no more than three."""
    ledger = Ledger(bound)
    value = bound["input"]
    shape = ledger.tensor("input", value)
    if shape is None:
        return ledger.outcome(_meant(value))
    if spec.kind == "Dropout1d" and (shape.least_rank > 3 or shape.rank in (0, 1)):
        ledger.rank("input", shape, (2, 3))
    elif shape.rank is not None and shape.rank < (least := _LEAST_RANK.get(spec.kind, 0)):
        ledger.note(Fault.RANK, "input", f"needs at least {least} axes")
    return ledger.outcome(like(shape, _float(shape)))


_LEAST_RANK = {"Dropout2d": 2, "Dropout3d": 1, "FeatureAlphaDropout": 2}
"""Those that drop whole channels need axes to tell them by (Dropout3d adds one itself)."""


# -- softmaxes -------------------------------------------------------------------------------------------------------


def _read_softmax(kind: str, reading: Reading) -> SoftmaxSpec:
    match reading.bound["dim"]:
        case None:
            dim: Size | None = None
        case bool() as truth:
            dim = Dim.of(int(truth))
        case Dim() as axis:
            dim = axis
        case Unknown():
            dim = UNKNOWN
        case _:
            reading.refuse("dim", "must be an axis", Fault.TYPE)
            dim = UNKNOWN
    return SoftmaxSpec(kind=kind, given=reading.bound.given, positional=reading.bound.positional, dim=dim)


def _apply_softmax(spec: SoftmaxSpec, bound: Bound) -> Outcome:
    """``(*)`` to ``(*)``, along `dim`; without one, torch takes axis 0 of tensors of 0, 1 and 3 axes, else axis 1."""
    ledger = Ledger(bound)
    shape = ledger.tensor("input", bound["input"], dtype="float")
    if shape is None:
        return ledger.outcome(Shape.unknown(dtype="float"))
    _axis(spec.dim, shape, ledger)
    return ledger.outcome(Shape(shape.stored, True, "float"))


def _axis(dim: Size | None, shape: Shape, ledger: Ledger) -> int | None:
    """The index of the axis meant, counted from the front; None where it is not known, or out of range (noted)."""
    index = dim.value if isinstance(dim, Dim) else None
    rank = shape.rank
    if index is None or rank is None:
        return None
    span = max(rank, 1)
    if not -span <= index < span:
        ledger.misfits.append(Misfit(fault=Fault.AXIS, operand="input", axis=index, found=Dim.of(rank)))
        return None
    return index % span


def _apply_softmax2d(spec: ActivationSpec, bound: Bound) -> Outcome:
    """``(batch, channels, height, width)``; the batch may be left out."""
    ledger = Ledger(bound)
    shape = ledger.tensor("input", bound["input"], dtype="float")
    if shape is None:
        return ledger.outcome(Shape.unknown(3, dtype="float"))
    if shape.least_rank > 4 or (shape.rank is not None and shape.rank < 3):
        ledger.rank("input", shape, (3, 4))
    return ledger.outcome(Shape(shape.stored, True, "float"))


# -- GLU and PReLU ---------------------------------------------------------------------------------------------------


def _apply_glu(spec: SoftmaxSpec, bound: Bound) -> Outcome:
    """One axis is halved: one half gates the other."""
    ledger = Ledger(bound)
    shape = ledger.tensor("input", bound["input"], dtype="float")
    if shape is None:
        return ledger.outcome(Shape.unknown(1, dtype="float"))
    if shape.rank == 0:
        ledger.note(Fault.RANK, "input", "needs at least one axis")
        return ledger.outcome(Shape.unknown(1, dtype="float"))
    if isinstance(spec.dim, Dim) and spec.dim.value == -1 and shape.rank is None:
        split = ledger.last(shape, "features")
        if split is not None:
            before, last = split
            return ledger.outcome(fresh(shape, (*before, _halved(last, -1, ledger))))
    place = _axis(spec.dim, shape, ledger)
    if place is None or shape.axes is None:
        return ledger.outcome(Shape.unknown(shape.least_rank, dtype="float"))
    axes = shape.axes
    return ledger.outcome(fresh(shape, (*axes[:place], _halved(axes[place], place, ledger), *axes[place + 1 :])))


def _halved(axis: Axis, place: int, ledger: Ledger) -> Axis:
    size = axis.size
    if (value := size.value) is not None and value % 2:
        ledger.misfits.append(
            Misfit(fault=Fault.VALUE, operand="input", axis=place, found=size, detail="must be even to be halved")
        )
    name = axis.atom.name if axis.atom else "features"
    return Axis.new(name, divide(size, 2), source=axis.atom)


def _read_prelu(kind: str, reading: Reading) -> PReLUSpec:
    return PReLUSpec(
        kind=kind,
        given=reading.bound.given,
        positional=reading.bound.positional,
        num_parameters=reading.size("num_parameters", 1),
    )


def _apply_prelu(spec: PReLUSpec, bound: Bound) -> Outcome:
    """``(*)`` to ``(*)``; several slopes belong to the channels of axis 1."""
    ledger = Ledger(bound)
    shape = ledger.tensor("input", bound["input"], dtype="float")
    if shape is None:
        return ledger.outcome(Shape.unknown(dtype="float"))
    slopes = spec.num_parameters
    count = slopes.value if isinstance(slopes, Dim) else None
    if count is not None and count != 1:
        if shape.rank == 0:
            ledger.note(Fault.RANK, "input", "needs at least one axis")
        channels = ONE if shape.rank == 1 else axis.size if (axis := shape.axis(1)) is not None else None
        if channels is not None:
            ledger.size("input", 1, slopes, channels)
    return ledger.outcome(like(shape, "float"))


# -- the kinds -------------------------------------------------------------------------------------------------------

_INPLACE = Parameter("inplace", False)

_ACTIVATIONS: dict[str, tuple[Parameter, ...]] = {
    "CELU": (Parameter("alpha", 1.0), _INPLACE),
    "ELU": (Parameter("alpha", 1.0), _INPLACE),
    "GELU": (Parameter("approximate", "none"),),
    "Hardshrink": (Parameter("lambd", 0.5),),
    "Hardsigmoid": (_INPLACE,),
    "Hardswish": (_INPLACE,),
    "Hardtanh": (
        Parameter("min_val", -1.0),
        Parameter("max_val", 1.0),
        _INPLACE,
        Parameter("min_value", None),
        Parameter("max_value", None),
    ),
    "LeakyReLU": (Parameter("negative_slope", 0.01), _INPLACE),
    "LogSigmoid": (),
    "Mish": (_INPLACE,),
    "ReLU": (_INPLACE,),
    "RReLU": (Parameter("lower", 1.0 / 8), Parameter("upper", 1.0 / 3), _INPLACE),
    "ReLU6": (_INPLACE,),
    "SELU": (_INPLACE,),
    "SiLU": (_INPLACE,),
    "Sigmoid": (),
    "Softplus": (Parameter("beta", 1.0), Parameter("threshold", 20.0)),
    "Softshrink": (Parameter("lambd", 0.5),),
    "Softsign": (),
    "Tanh": (),
    "Tanhshrink": (),
    "Threshold": (Parameter("threshold"), Parameter("value"), _INPLACE),
}
_DROPOUTS = ("Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout")
_SOFTMAXES = ("Softmax", "LogSoftmax", "Softmin")

KINDS: tuple[
    LayerKind[ActivationSpec] | LayerKind[DropoutSpec] | LayerKind[SoftmaxSpec] | LayerKind[PReLUSpec], ...
] = (
    *(
        LayerKind(name, parameters, INPUT, _read_activation, _apply_activation)
        for name, parameters in _ACTIVATIONS.items()
    ),
    *(LayerKind(name, (Parameter("p", 0.5), _INPLACE), INPUT, _read_dropout, _apply_dropout) for name in _DROPOUTS),
    *(LayerKind(name, (Parameter("dim", None),), INPUT, _read_softmax, _apply_softmax) for name in _SOFTMAXES),
    LayerKind("Identity", (), INPUT, _read_activation, _apply_identity, any_arguments=True),
    LayerKind("Softmax2d", (), INPUT, _read_activation, _apply_softmax2d),
    LayerKind("GLU", (Parameter("dim", Dim.of(-1)),), INPUT, _read_softmax, _apply_glu),
    LayerKind(
        "PReLU",
        (Parameter("num_parameters", ONE), Parameter("init", 0.25), *DEVICE_AND_DTYPE),
        INPUT,
        _read_prelu,
        _apply_prelu,
    ),
)
