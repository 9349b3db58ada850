"""RSG501: an initial state is (layers·directions, batch, hidden), or (layers·directions, hidden) for one sequence."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import initial_states, wording
from rnnshape_guard.checks.initial_states import Kind, Mistake
from rnnshape_guard.checks.reading import spec_of
from rnnshape_guard.events import Log, RecurrentCalled
from rnnshape_guard.findings import Finding


def check(call: RecurrentCalled, log: Log) -> Iterator[Finding]:
    """Judge each state that is no other layer's final state."""
    mistake = initial_states.first_mistake(call, log)
    if (
        mistake is None
        or mistake.kind not in (Kind.SIZE, Kind.RANK)
        or isinstance(mistake.state.maker, RecurrentCalled)
    ):
        return
    yield initial_states.finding(
        "RSG501",
        mistake,
        log,
        _message(mistake),
        primary=wording.shape(mistake.state.value),
        remedy=initial_states.remade(mistake),
    )


def _message(mistake: Mistake) -> str:
    call, state, misfit = mistake.call, mistake.state, mistake.misfit
    layer, name = wording.quoted(call.layer), initial_states.named(mistake)
    assert misfit is not None
    if mistake.kind is Kind.RANK:
        found = misfit.found.value if misfit.found is not None else None
        wanted = " or ".join(map(str, misfit.ranks))
        return f"{name} has {found} axes, but {layer} needs {wanted} beside {wording.quoted(call.given['input'])}"
    found_size = wording.size(misfit.found) if misfit.found is not None else "?"
    expected = wording.size(misfit.expected) if misfit.expected is not None else "?"
    match misfit.axis:
        case 0:
            return f"{name} begins with {found_size}, but {layer} has layers·directions = {expected}"
        case 1 if state.value.axes is not None and len(state.value.axes) == 3:
            return f"{name} is for a batch of {found_size}, but {wording.quoted(call.given['input'])} brings {expected}"
    width = (
        "hidden_size" if spec_of(call).output_size == spec_of(call).hidden_size or state.name == "c_0" else "proj_size"
    )
    return f"{name} is {found_size} wide, but {layer} has {width} {expected}"
