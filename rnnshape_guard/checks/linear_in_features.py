"""RSG201: a Linear that reads an RNN's output takes directions·hidden features (or proj_size)."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import widths, wording
from rnnshape_guard.checks.lineage import steps_of
from rnnshape_guard.checks.reading import misfits, recurrent_origin, sized_by
from rnnshape_guard.events import LayerCalled, Log
from rnnshape_guard.findings import Finding, Label, Severity
from rnnshape_guard.layers import LinearSpec
from rnnshape_guard.shapes.dims import Dim, compare
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
    yield from _of_all_steps(call, spec, log)


def _of_all_steps(call: LayerCalled, spec: LinearSpec, log: Log) -> Iterator[Finding]:
    """A Linear for the features of one step that is given those of all steps in a row: it fits a single step alone."""
    value = call.value("input")
    last = value.axes[-1] if value is not None and value.axes else None
    origin = recurrent_origin(value, log) if value is not None else None
    steps = steps_of(origin[0]) if origin is not None and origin[1] == "output" else None
    if value is None or last is None or origin is None or steps is None or not isinstance(spec.in_features, Dim):
        return
    _, time = steps
    others = [atom for atom in last.atoms if atom.root is not time.root]
    if len(others) == len(last.atoms) or not others or time.size.value is not None or call.path:
        return
    if not compare(Dim.product(atom.size for atom in others), spec.in_features).equal:
        return
    row = sized_by(value, last, log)
    given = call.given["input"]
    width = wording.size(spec.in_features)
    yield Finding(
        code="RSG201",
        message=f"{wording.quoted(call.layer)} takes the {width} features of one step, but {wording.quoted(given)} holds those of all steps in a row",
        place=row.place if row is not None else call.place,
        primary=wording.shape(value),
        labels=(Label(call.layer.argument_places.get("in_features", call.layer.place), f"expects {width}"),),
        expected=f"(…, {width})",
        found=wording.shape(value),
        help="read one step, out[:, -1], or build the Linear for the whole row",
        severity=Severity.WARNING,
        condition=f"{wording.quoted(origin[0].given['input'])} has more than one step",
        subject=frozenset({("features", call.layer.id)}),
        cause=call.id,
    )
