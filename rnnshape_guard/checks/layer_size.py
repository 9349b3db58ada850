"""RSG205: every other layer on a recurrent model's path takes the size that it is given."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import widths, wording
from rnnshape_guard.checks.reading import misfits
from rnnshape_guard.events import CellCalled, LayerCalled, Log, RecurrentCalled
from rnnshape_guard.findings import Finding, Label
from rnnshape_guard.layers import LinearSpec
from rnnshape_guard.shapes.axes import Shape
from rnnshape_guard.shapes.dims import compare
from rnnshape_guard.shapes.outcomes import Fault, Misfit

_SIZES = {
    "Linear": "in_features",
    "LayerNorm": "normalized_shape",
    "RMSNorm": "normalized_shape",
    "BatchNorm1d": "num_features",
    "InstanceNorm1d": "num_features",
    "Conv1d": "in_channels",
    "ConvTranspose1d": "in_channels",
    "GroupNorm": "num_channels",
    "MultiheadAttention": "embed_dim",
    "TransformerEncoderLayer": "d_model",
    "TransformerDecoderLayer": "d_model",
}
"""The argument that a layer's width is."""


def check(call: LayerCalled, log: Log) -> Iterator[Finding]:
    """Judge each layer that no other rule of sizes judges, if a recurrent layer stands before or behind it."""
    if isinstance(call, RecurrentCalled | CellCalled):
        return
    kind = str(getattr(call.layer.spec, "kind", ""))
    for misfit in misfits(call, Fault.SIZE):
        if misfit.axis == -1 and misfit.operand == "input":
            yield from _features(call, kind, misfit, log)
        elif misfit.expected is not None and misfit.found is not None:
            yield from _axis(call, kind, misfit, log)


def _features(call: LayerCalled, kind: str, misfit: Misfit, log: Log) -> Iterator[Finding]:
    for wrong in widths.contradictions(call, _SIZES.get(kind, ""), [misfit]):
        spec = call.layer.spec
        if isinstance(spec, LinearSpec) and widths.source(wrong.value, log) in ("output", "h_n", "c_n"):
            return
        if not widths.on_recurrent_path(call, log):
            return
        remedy = widths.product(wrong.features)
        rest = f", {widths.spelled(spec.out_features)}" if isinstance(spec, LinearSpec) else ""
        yield widths.finding("RSG205", wrong, log, f"nn.{kind}({remedy}{rest})" if remedy else "")


def _axis(call: LayerCalled, kind: str, misfit: Misfit, log: Log) -> Iterator[Finding]:
    """A size on another axis than the last: the channels of a convolution or a norm, the parts of attention."""
    given = call.given.get(misfit.operand)
    value = given.value if given is not None else None
    if given is None or value is None or not isinstance(value.shape, Shape) or misfit.axis is None:
        return
    axis, last = value.shape.axis(misfit.axis), value.shape.axis(-1)
    if axis is None or last is None or misfit.expected is None or not widths.on_recurrent_path(call, log):
        return
    if axis is not last and compare(last.size, misfit.expected).equal:
        return
    takes, brings = wording.size(misfit.expected), wording.sizes_of(axis)
    place = call.layer.argument_places.get(_SIZES.get(kind, ""), call.layer.place)
    yield Finding(
        code="RSG205",
        message=f"{wording.quoted(call.layer)} takes {takes} on axis {misfit.axis}, but {wording.quoted(given)} brings {brings}",
        place=place,
        primary=f"expects {takes}",
        labels=(Label(given.place, wording.shape(value)),) if given.place is not None else (),
        expected=f"{takes} on axis {misfit.axis}",
        found=wording.shape(value),
        condition=wording.when(misfit.condition),
        subject=frozenset(
            {("features", call.layer.id), *(atom.root for atom in axis.atoms if atom.root.kind not in widths.MADE)}
        ),
        cause=call.id,
    )
