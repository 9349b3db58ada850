"""Normalization: over the batch, over trailing axes, over groups of channels, over each sample."""

from __future__ import annotations

from dataclasses import dataclass

from rnnshape_guard.layers.arguments import Bound, Flag, Parameter, Reading, Size, Spec, settled
from rnnshape_guard.layers.kinds import DEVICE_AND_DTYPE, INPUT, LayerKind
from rnnshape_guard.layers.ledger import Ledger
from rnnshape_guard.layers.memory import fresh
from rnnshape_guard.layers.windows import axis_names
from rnnshape_guard.shapes.axes import Axis, Rest, Shape
from rnnshape_guard.shapes.dims import Dim
from rnnshape_guard.shapes.outcomes import UNKNOWN, Fault, Many, Outcome


@dataclass(frozen=True, kw_only=True)
class ChannelNormSpec(Spec):
    """BatchNorm or InstanceNorm as constructed. `is_checked` tells whether torch compares `num_features` with the
    input: it doesn't where there are neither weights nor running statistics."""

    num_features: Size
    is_checked: Flag = True
    track_running_stats: Flag = True


@dataclass(frozen=True, kw_only=True)
class TrailingNormSpec(Spec):
    """LayerNorm or RMSNorm as constructed; `normalized_shape` is None where not even its length is known."""

    normalized_shape: tuple[Size, ...] | None


@dataclass(frozen=True, kw_only=True)
class GroupNormSpec(Spec):
    """GroupNorm as constructed."""

    num_groups: Size
    num_channels: Size


# -- BatchNorm and InstanceNorm --------------------------------------------------------------------------------------


def _read_channels(kind: str, reading: Reading) -> ChannelNormSpec:
    weights, statistics = reading.flag("affine"), reading.flag("track_running_stats")
    known = isinstance(weights, bool) and isinstance(statistics, bool)
    return ChannelNormSpec(
        kind=kind,
        given=reading.bound.given,
        positional=reading.bound.positional,
        num_features=UNKNOWN if kind.startswith("Lazy") else reading.size("num_features"),
        is_checked=bool(weights) or bool(statistics) if known else weights is True or statistics is True or UNKNOWN,
        track_running_stats=statistics,
    )


def _apply_channels(spec: ChannelNormSpec, bound: Bound) -> Outcome:
    """``(batch, features, ...)``, features at axis 1: every axis is kept. An InstanceNorm takes a sample without its
    batch, a BatchNorm1d takes a batch without a length."""
    ledger = Ledger(bound)
    shape = ledger.tensor("input", bound["input"], dtype="float")
    if shape is None:
        return ledger.outcome(Shape.unknown(dtype="float"))
    count = int(spec.kind[-2])
    is_instance = "Instance" in spec.kind
    ranks = (count + 1, count + 2) if is_instance or count == 1 else (count + 2,)
    if shape.rank is None and count == 1 and not is_instance:
        return _open(spec, shape, ledger)
    axes = ledger.axes("input", shape, count + 2, ("batch", "channels", *axis_names(count)), ranks)
    if axes is None:
        return ledger.outcome(Shape(shape.stored, None, "float"))
    place = 0 if is_instance and len(axes) == count + 1 else 1
    _check_features(spec, axes[place], place, ledger)
    alone = Dim.product(axis.size for axis in axes[place + 1 :]).value == 1
    if is_instance and alone and settled(spec.track_running_stats) is False:
        ledger.note(Fault.VALUE, "input", "has a single value in each channel")
    return ledger.outcome(fresh(shape, axes))


def _open(spec: ChannelNormSpec, shape: Shape, ledger: Ledger) -> Outcome:
    """A BatchNorm1d of a tensor with two axes or three: only its second axis, if named, can be judged."""
    if shape.least_rank > 3:
        ledger.rank("input", shape, (2, 3))
    front, _ = shape.ends()
    if len(front) > 1:
        _check_features(spec, front[1], 1, ledger)
    return ledger.outcome(fresh(shape, shape.stored))


def _check_features(spec: ChannelNormSpec, axis: Axis, place: int, ledger: Ledger) -> None:
    if settled(spec.is_checked) is True:
        ledger.size("input", place, spec.num_features, axis.size)


# -- LayerNorm and RMSNorm -------------------------------------------------------------------------------------------


def _read_trailing(kind: str, reading: Reading) -> TrailingNormSpec:
    operand = reading.bound["normalized_shape"]
    sizes: tuple[Size, ...] | None
    match operand:
        case tuple():
            sizes = tuple(reading.as_size("normalized_shape", size) for size in operand)
        case Dim():
            sizes = (reading.size("normalized_shape"),)
        case Many() | Shape():
            sizes = None
        case _:
            sizes = None
            reading.size("normalized_shape")
    return TrailingNormSpec(
        kind=kind, given=reading.bound.given, positional=reading.bound.positional, normalized_shape=sizes
    )


def _apply_trailing(spec: TrailingNormSpec, bound: Bound) -> Outcome:
    """The last axes must have the normalized sizes; every axis is kept."""
    ledger = Ledger(bound)
    shape = ledger.tensor("input", bound["input"], dtype="float")
    if shape is None:
        return ledger.outcome(Shape.unknown(dtype="float"))
    sizes = spec.normalized_shape
    if sizes is None:
        return ledger.outcome(Shape(shape.stored, True, "float"))
    if shape.rank is not None and shape.rank < len(sizes):
        ledger.note(Fault.RANK, "input", f"needs at least {len(sizes)} axes")
        return ledger.outcome(Shape(shape.stored, True, "float"))
    if len(sizes) == 1 and (split := ledger.last(shape, "features")) is not None:
        before, last = split
        ledger.size("input", -1, sizes[0], last.size)
        return ledger.outcome(Shape((*before, last), True, "float"))
    for back, size in enumerate(reversed(sizes), 1):
        axis = shape.axis(-back)
        if axis is not None:
            ledger.size("input", -back, size, axis.size)
    return ledger.outcome(Shape(shape.stored, True, "float"))


# -- GroupNorm -------------------------------------------------------------------------------------------------------


def _read_groups(kind: str, reading: Reading) -> GroupNormSpec:
    groups, channels = reading.size("num_groups", 1), reading.size("num_channels")
    if isinstance(groups, Dim) and isinstance(channels, Dim):
        count, total = groups.value, channels.value
        if count is not None and count > 0 and total is not None and total % count:
            reading.refuse("num_channels", "must be divisible by num_groups", expected=groups, found=channels)
    return GroupNormSpec(
        kind=kind,
        given=reading.bound.given,
        positional=reading.bound.positional,
        num_groups=groups,
        num_channels=channels,
    )


def _apply_groups(spec: GroupNormSpec, bound: Bound) -> Outcome:
    """``(batch, channels, ...)``: every axis is kept."""
    ledger = Ledger(bound)
    shape = ledger.tensor("input", bound["input"], dtype="float")
    if shape is None:
        return ledger.outcome(Shape((Rest(2),), None, "float"))
    if shape.rank is not None and shape.rank < 2:
        ledger.note(Fault.RANK, "input", "needs at least two axes")
    elif (channels := shape.axis(1)) is not None:
        ledger.size("input", 1, spec.num_channels, channels.size)
    return ledger.outcome(fresh(shape, shape.stored))


# -- the kinds -------------------------------------------------------------------------------------------------------

_EPSILON = Parameter("eps", 1e-05)
_MOMENTUM = Parameter("momentum", 0.1)
_FEATURES = Parameter("num_features")


def _channel_kinds(count: int) -> tuple[LayerKind[ChannelNormSpec], ...]:
    batch = (
        _EPSILON,
        _MOMENTUM,
        Parameter("affine", True),
        Parameter("track_running_stats", True),
        *DEVICE_AND_DTYPE,
        Parameter("bias", True, keyword_only=True),
    )
    instance = (
        _EPSILON,
        _MOMENTUM,
        Parameter("affine", False),
        Parameter("track_running_stats", False),
        *DEVICE_AND_DTYPE,
        Parameter("bias", False, keyword_only=True),
    )
    return (
        LayerKind(f"BatchNorm{count}d", (_FEATURES, *batch), INPUT, _read_channels, _apply_channels),
        LayerKind(f"LazyBatchNorm{count}d", batch, INPUT, _read_channels, _apply_channels),
        LayerKind(f"InstanceNorm{count}d", (_FEATURES, *instance), INPUT, _read_channels, _apply_channels),
        LayerKind(f"LazyInstanceNorm{count}d", instance, INPUT, _read_channels, _apply_channels),
    )


_SHAPE = Parameter("normalized_shape")

KINDS: tuple[LayerKind[ChannelNormSpec] | LayerKind[TrailingNormSpec] | LayerKind[GroupNormSpec], ...] = (
    *_channel_kinds(1),
    *_channel_kinds(2),
    *_channel_kinds(3),
    LayerKind(
        "LayerNorm",
        (_SHAPE, _EPSILON, Parameter("elementwise_affine", True), Parameter("bias", True), *DEVICE_AND_DTYPE),
        INPUT,
        _read_trailing,
        _apply_trailing,
    ),
    LayerKind(
        "RMSNorm",
        (_SHAPE, Parameter("eps", None), Parameter("elementwise_affine", True), *DEVICE_AND_DTYPE),
        INPUT,
        _read_trailing,
        _apply_trailing,
    ),
    LayerKind(
        "GroupNorm",
        (
            Parameter("num_groups"),
            Parameter("num_channels"),
            _EPSILON,
            Parameter("affine", True),
            *DEVICE_AND_DTYPE,
            Parameter("bias", True, keyword_only=True),
        ),
        INPUT,
        _read_groups,
        _apply_groups,
    ),
)
