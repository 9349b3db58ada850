"""RSG203: an RNN's input_size is the number of features that its input brings."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import widths
from rnnshape_guard.checks.moves import bringer
from rnnshape_guard.checks.reading import misfits, spec_of
from rnnshape_guard.events import Log, RecurrentCalled
from rnnshape_guard.findings import Finding
from rnnshape_guard.shapes.axes import Role
from rnnshape_guard.shapes.outcomes import Fault


def check(call: RecurrentCalled, log: Log) -> Iterator[Finding]:
    """Judge each call of a recurrent layer whose features have another number than the layer was built for."""
    spec = spec_of(call)
    for wrong in widths.contradictions(call, "input_size", misfits(call, Fault.SIZE, "input", -1)):
        moved = wrong.value.axes is not None and bringer(wrong.value, len(wrong.value.axes) - 1, log) is not None
        if wrong.features.role() in (Role.BATCH, Role.TIME) and moved:
            continue
        remedy = widths.product(wrong.features)
        help_ = f"nn.{spec.kind}({remedy}, {widths.spelled(spec.hidden_size)}, ...)" if remedy else ""
        yield widths.finding("RSG203", wrong, log, help_)
