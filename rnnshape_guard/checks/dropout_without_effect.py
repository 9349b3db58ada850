"""RSG706: an RNN of one layer is given a dropout, which acts between layers only."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import wording
from rnnshape_guard.events import Log, RecurrentBuilt
from rnnshape_guard.findings import Finding, Label
from rnnshape_guard.layers import RecurrentSpec
from rnnshape_guard.shapes.dims import Dim


def check(event: RecurrentBuilt, log: Log) -> Iterator[Finding]:
    """Judge the dropout of each recurrent layer whose one layer is written down."""
    del log
    spec = event.layer.spec
    if not isinstance(spec, RecurrentSpec) or not _is_positive(spec.dropout):
        return
    if not isinstance(spec.num_layers, Dim) or spec.num_layers.literal != 1:
        return
    places = event.layer.argument_places
    if "num_layers" in spec.given and ("num_layers" not in places or places["num_layers"].text != "1"):
        return
    at = places.get("dropout")
    yield Finding(
        code="RSG706",
        message=f"the dropout of {wording.quoted(event.layer)} does nothing: it acts between layers, and there is one",
        place=event.place,
        labels=(Label(at, "drops nothing"),) if at is not None else (),
        expected="num_layers above 1, or no dropout",
        found="num_layers=1",
        help="nn.Dropout on its output",
        subject=frozenset({("dropout", event.layer.id)}),
        cause=event.id,
    )


def _is_positive(dropout: object) -> bool:
    match dropout:
        case float():
            return dropout > 0
        case Dim():
            return dropout.value is not None and dropout.value > 0
    return False
