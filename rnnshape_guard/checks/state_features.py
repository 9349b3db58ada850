"""RSG202: a Linear on a state takes hidden features, on states joined side by side so many times more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rnnshape_guard.checks import widths, wording
from rnnshape_guard.checks.reading import misfits, recurrent_origin, spec_of
from rnnshape_guard.checks.tuples import joined_pair
from rnnshape_guard.events import LayerCalled, Log
from rnnshape_guard.findings import Finding, Label
from rnnshape_guard.layers import LinearSpec
from rnnshape_guard.shapes.axes import Role
from rnnshape_guard.shapes.dims import Dim, compare
from rnnshape_guard.shapes.outcomes import Fault


def check(call: LayerCalled, log: Log) -> Iterator[Finding]:
    """Judge each Linear whose features come from h_n or c_n."""
    spec = call.layer.spec
    if not isinstance(spec, LinearSpec):
        return
    for wrong in widths.contradictions(call, "in_features", misfits(call, Fault.SIZE, "input", -1)):
        if widths.source(wrong.value, log) not in ("h_n", "c_n"):
            continue
        if any(joined_pair(event, log) is not None for _, event in log.past(wrong.value)):
            continue
        remedy = widths.product(wrong.features)
        help_ = f"nn.Linear({remedy}, {widths.spelled(spec.out_features)})" if remedy else ""
        found = widths.finding("RSG202", wrong, log, help_)
        yield _unjoined(found, wrong, log) if _fits_joined(wrong, log) else found


def _fits_joined(wrong: widths.Contradiction, log: Log) -> bool:
    """Whether the layer would fit both directions side by side, and is given one or each by itself."""
    origin = recurrent_origin(wrong.value, log)
    atom = wrong.features.atom
    if origin is None or atom is None or atom.kind is not Role.HIDDEN:
        return False
    both, takes = spec_of(origin[0]).output_features, wrong.misfit.expected
    return isinstance(both, Dim) and takes is not None and compare(both, takes).equal


def _unjoined(found: Finding, wrong: widths.Contradiction, log: Log) -> Finding:
    given = wrong.call.given["input"]
    origin = recurrent_origin(wrong.value, log)
    labels = [
        Label(wrong.call.layer.argument_places.get("in_features", wrong.call.layer.place), f"expects {wrong.takes}")
    ]
    state = "h_n"
    if origin is not None:
        state = origin[1]
        labels.append(Label(origin[0].layer.place, "2 directions, each with its own state"))
    return replace(
        found,
        place=wrong.call.place,
        primary=f"{wording.sizes_of(wrong.features)} features: {wording.quoted(given)} is not joined",
        labels=tuple(labels),
        help=f"torch.cat(({state}[-2], {state}[-1]), dim=-1)",
    )
