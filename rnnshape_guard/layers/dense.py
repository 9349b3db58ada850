"""Layers over the last axis: Linear, LazyLinear, Bilinear."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from rnnshape_guard.layers.arguments import Bound, Flag, Parameter, Reading, Size, Spec
from rnnshape_guard.layers.kinds import DEVICE_AND_DTYPE, INPUT, LayerKind
from rnnshape_guard.layers.ledger import Ledger
from rnnshape_guard.shapes.axes import Atom, Axis, Rest, Role, Shape
from rnnshape_guard.shapes.dims import Dim
from rnnshape_guard.shapes.outcomes import UNKNOWN, Fault, Outcome, Packed


def feature_atom(size: Size, name: str = "features") -> Atom:
    """The features that a layer makes."""
    return Atom(name, size if isinstance(size, Dim) else None, kind=Role.FEATURE)


# -- Linear ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class LinearSpec(Spec):
    """Linear or LazyLinear (whose `in_features` is unknown) as constructed."""

    in_features: Size
    out_features: Size
    bias: Flag = True

    @cached_property
    def features(self) -> Atom:
        """The axis it makes."""
        return feature_atom(self.out_features)


def _read_linear(kind: str, reading: Reading) -> LinearSpec:
    return LinearSpec(
        kind=kind,
        given=reading.bound.given,
        positional=reading.bound.positional,
        in_features=reading.size("in_features") if kind == "Linear" else UNKNOWN,
        out_features=reading.size("out_features"),
        bias=reading.flag("bias"),
    )


def _apply_linear(spec: LinearSpec, bound: Bound) -> Outcome:
    """``(..., in_features)`` to ``(..., out_features)``: every axis but the last is kept."""
    ledger = Ledger(bound)
    made = Axis((spec.features,))
    match bound["input"]:
        case Packed() as packed:
            ledger.tensor("input", packed)
            return ledger.outcome(replace(packed, features=(*packed.features[:-1], made), dtype="float"))
        case value:
            shape = ledger.tensor("input", value, dtype="float")
    if shape is None:
        return ledger.outcome(Shape((Rest(), made), None, "float"))
    split = ledger.last(shape, "features")
    if split is None:
        ledger.note(Fault.RANK, "input", "needs at least one axis")
        return ledger.outcome(Shape((made,), True, "float"))
    before, last = split
    ledger.size("input", -1, spec.in_features, last.size)
    return ledger.outcome(Shape((*before, made), True, "float"))


# -- Bilinear --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class BilinearSpec(Spec):
    """Bilinear as constructed."""

    in1_features: Size
    in2_features: Size
    out_features: Size

    @cached_property
    def features(self) -> Atom:
        """The axis it makes."""
        return feature_atom(self.out_features)


def _read_bilinear(kind: str, reading: Reading) -> BilinearSpec:
    return BilinearSpec(
        kind=kind,
        given=reading.bound.given,
        positional=reading.bound.positional,
        in1_features=reading.size("in1_features", 1),
        in2_features=reading.size("in2_features"),
        out_features=reading.size("out_features"),
    )


def _apply_bilinear(spec: BilinearSpec, bound: Bound) -> Outcome:
    """``(*, in1)`` and ``(*, in2)`` to ``(*, out)``, with the same axes before the features."""
    ledger = Ledger(bound)
    made = Axis((spec.features,))
    before: tuple[Axis | Rest, ...] = (Rest(),)
    rows: list[tuple[Axis | Rest, ...]] = []
    for name, wanted in (("input1", spec.in1_features), ("input2", spec.in2_features)):
        shape = ledger.tensor(name, bound[name], dtype="float")
        split = ledger.last(shape, "features") if shape is not None else None
        if split is not None:
            ledger.size(name, -1, wanted, split[1].size)
            rows.append(split[0])
        elif shape is not None:
            ledger.note(Fault.RANK, name, "needs at least one axis")
    if rows:
        before = rows[0]
    if len(rows) == 2 and not any(isinstance(part, Rest) for row in rows for part in row):
        _same_rows(rows[0], rows[1], ledger)
    return ledger.outcome(Shape((*before, made), True, "float"))


def _same_rows(first: tuple[Axis | Rest, ...], second: tuple[Axis | Rest, ...], ledger: Ledger) -> None:
    if len(first) != len(second):
        ledger.rank("input2", Shape((*second, Axis())), (len(first) + 1,))
        return
    for place, (expected, found) in enumerate(zip(first, second, strict=True)):
        if isinstance(expected, Axis) and isinstance(found, Axis):
            ledger.size("input2", place, expected.size, found.size)


# -- the kinds -------------------------------------------------------------------------------------------------------

_OUT = (Parameter("out_features"), Parameter("bias", True), *DEVICE_AND_DTYPE)

KINDS: tuple[LayerKind[LinearSpec] | LayerKind[BilinearSpec], ...] = (
    LayerKind("Linear", (Parameter("in_features"), *_OUT), INPUT, _read_linear, _apply_linear),
    LayerKind("LazyLinear", _OUT, INPUT, _read_linear, _apply_linear),
    LayerKind(
        "Bilinear",
        (Parameter("in1_features"), Parameter("in2_features"), *_OUT),
        (Parameter("input1"), Parameter("input2")),
        _read_bilinear,
        _apply_bilinear,
    ),
)
