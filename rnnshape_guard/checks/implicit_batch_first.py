"""RSG102: a recurrent layer is built without saying which axis of its input is the batch."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.layouts import contradicted, misplaced
from rnnshape_guard.checks.paths import convolved, disagreement
from rnnshape_guard.checks.roles import spot
from rnnshape_guard.checks.uses import used_against
from rnnshape_guard.events import Log, RecurrentBuilt, RecurrentCalled
from rnnshape_guard.findings import Finding
from rnnshape_guard.layers import RecurrentSpec, settled
from rnnshape_guard.shapes.outcomes import Packed


def check(built: RecurrentBuilt, log: Log) -> Iterator[Finding]:
    """Judge each construction that leaves `batch_first` out and that no rule holds to be wrong about it."""
    spec = built.layer.spec
    if not isinstance(spec, RecurrentSpec) or "batch_first" in spec.given or settled(spec.batch_first) is not False:
        return
    if _is_judged(built, log) or _only_packed(built, log):
        return
    yield Finding(
        code="RSG102",
        message=f"{wording.quoted(built.layer)} does not say which axis of its input is the batch",
        place=built.layer.place,
        primary="batch_first=False by default: (time, batch, feature)",
        help="state it: batch_first=True for (batch, time, feature), batch_first=False for (time, batch, feature)",
        subject=frozenset({("implicit", built.layer.id)}),
        cause=built.id,
    )


def _only_packed(built: RecurrentBuilt, log: Log) -> bool:
    """Whether every call that is seen gives the layer a packed sequence, which has no layout."""
    calls = [call for call in log.all(RecurrentCalled) if spot(call.layer.place) == spot(built.layer.place)]
    values = [call.value("input") for call in calls]
    return bool(calls) and all(value is not None and isinstance(value.shape, Packed) for value in values)


@lru_cache(maxsize=2)
def _judged(log: Log, length: int) -> frozenset[object]:
    del length
    return frozenset(
        spot(call.layer.place)
        for call in log.all(RecurrentCalled)
        if contradicted(call) is not None
        or used_against(call, log) is not None
        or _is_mixed(call, log)
        or _is_convolved(call, log)
    )


def _is_mixed(call: RecurrentCalled, log: Log) -> bool:
    found = disagreement(call, log)
    return found is not None and found.turned is None


def _is_convolved(call: RecurrentCalled, log: Log) -> bool:
    by = convolved(call, log)
    return by is not None and by.found is not None


def _is_judged(built: RecurrentBuilt, log: Log) -> bool:
    """Whether some call of a layer built at this place contradicts its layout, or a flag of it stands where it means
    nothing."""
    return misplaced(built) in ("num_layers", "nonlinearity") or spot(built.layer.place) in _judged(
        log, len(log.events)
    )
