"""RSG201: a Linear that reads an RNN's output takes directions·hidden features (or proj_size)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.reading import misfits, recurrent_origin
from rnnshape_guard.events import LayerCalled, Log, Value
from rnnshape_guard.findings import Finding, Label
from rnnshape_guard.layers import LinearSpec
from rnnshape_guard.shapes.axes import Axis, Role, Shape
from rnnshape_guard.shapes.outcomes import Fault, Misfit


def check(call: LayerCalled, log: Log) -> Iterator[Finding]:
    """Judge each Linear whose input's last axis still is what a recurrent layer put there."""
    value = call.value("input")
    if not isinstance(call.layer.spec, LinearSpec) or value is None or not isinstance(value.shape, Shape):
        return
    features = value.shape.axis(-1)
    origin = recurrent_origin(value, log)
    if origin is None or features is None or origin[1] != "output" or not _from_output(features):
        return
    for misfit in misfits(call, Fault.SIZE, "input", -1):
        yield _finding(call, value, features, misfit, log)


def _from_output(features: Axis) -> bool:
    return any(atom.kind in (Role.HIDDEN, Role.DIRECTION) for atom in features.atoms)


def _finding(call: LayerCalled, value: Value, features: Axis, misfit: Misfit, log: Log) -> Finding:
    spec = cast(LinearSpec, call.layer.spec)
    takes = wording.size(misfit.expected) if misfit.expected is not None else "?"
    brings = wording.sizes_of(features)
    given = call.given["input"]
    origin = recurrent_origin(value, log)
    labels = [Label(given.place, f"{wording.shape(value)}")] if given.place is not None else []
    if origin is not None:
        labels.append(Label(origin[0].layer.place, brings))
    return Finding(
        code="RSG201",
        message=f"{wording.quoted(call.layer)} takes {takes} features, but {wording.quoted(given)} brings {brings}",
        place=call.layer.argument_places.get("in_features", call.layer.place),
        primary=f"expects {takes}",
        labels=tuple(labels),
        expected=f"(..., {takes})",
        found=wording.shape(value),
        help=f"nn.Linear({_written(features)}, {wording.size(spec.out_features)})",
        condition=wording.when(misfit.condition),
        subject=frozenset({("features", call.layer.id)}),
        cause=call.id,
    )


def _written(features: Axis) -> str:
    parts = [wording.size(atom.size) for atom in features.atoms if atom.size.value != 1]
    return " * ".join(parts)
