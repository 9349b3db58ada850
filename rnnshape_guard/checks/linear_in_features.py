"""RSG201: a Linear that reads an RNN's output takes directions·hidden features (or proj_size)."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import widths
from rnnshape_guard.checks.reading import misfits
from rnnshape_guard.events import LayerCalled, Log
from rnnshape_guard.findings import Finding
from rnnshape_guard.layers import LinearSpec
from rnnshape_guard.shapes.outcomes import Fault


def check(call: LayerCalled, log: Log) -> Iterator[Finding]:
    """Judge each Linear whose features still are what a recurrent layer's output brought, alone or joined with others."""
    spec = call.layer.spec
    if not isinstance(spec, LinearSpec):
        return
    for wrong in widths.contradictions(call, "in_features", misfits(call, Fault.SIZE, "input", -1)):
        if widths.source(wrong.value, log) == "output":
            remedy = widths.product(wrong.features)
            help_ = f"nn.Linear({remedy}, {widths.spelled(spec.out_features)})" if remedy else ""
            yield widths.finding("RSG201", wrong, log, help_)
