"""RSG501: an initial state is (layers·directions, batch, hidden), or (layers·directions, hidden) for one sequence."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import initial_states, wording
from rnnshape_guard.checks.initial_states import Kind, Mistake
from rnnshape_guard.checks.reading import entered, is_of_one_kind, layout, misfits, spec_of
from rnnshape_guard.checks.tuples import state_pair
from rnnshape_guard.events import Log, RecurrentCalled, Value
from rnnshape_guard.findings import Finding, Label
from rnnshape_guard.layers import settled
from rnnshape_guard.shapes.outcomes import Fault


def check(call: RecurrentCalled, log: Log) -> Iterator[Finding]:
    """Judge each state that is no other layer's final state, and the rank of one that a layer carries from step to step."""
    yield from _pair(call, log)
    maker = _gives_steps(call, log)
    if maker is not None:
        yield _outputs(call, maker, log)
        return
    mistake = initial_states.first_mistake(call, log)
    if (
        mistake is None
        or mistake.kind not in (Kind.SIZE, Kind.RANK)
        or (isinstance(mistake.state.maker, RecurrentCalled) and not _is_carried(mistake))
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


def _gives_steps(call: RecurrentCalled, log: Log) -> RecurrentCalled | None:
    """The call whose outputs of all steps, with the batch first, are given as the state: they have no axis of layers."""
    value = call.value("hx")
    maker = log.maker(value) if value is not None else None
    if value is None or value.part != "output" or not isinstance(maker, RecurrentCalled) or call.path:
        return None
    pair = layout(maker)
    if pair is None or settled(spec_of(maker).batch_first) is not True or not is_of_one_kind(call, log):
        return None
    many = [axis for axis in pair if axis.size.value != 1 or any(atom.symbol.learned for atom in axis.atoms)]
    return maker if len(many) == 2 else None


def _outputs(call: RecurrentCalled, maker: RecurrentCalled, log: Log) -> Finding:
    given = call.given["hx"]
    function = entered(call, log)
    named = function.given.get(given.text) if function is not None else None
    place = (
        named.place
        if named is not None and named.place is not None and function is not None and function.call is not None
        else None
    )
    return Finding(
        code="RSG501",
        message=f"{wording.quoted(given)} holds the outputs of {wording.quoted(maker.layer)} for all steps, and is no initial state",
        place=place or given.place or call.place,
        primary="(batch, time, hidden)",
        labels=tuple(
            Label(one, text) for one, text in ((given.place, "given as h_0"), (maker.place, "output, h_n")) if one
        ),
        expected="(layers·directions, batch, hidden)",
        found="(batch, time, hidden)",
        help="the state is the second result: output, h_n",
        subject=frozenset({("state", call.layer.id)}),
        cause=call.id,
    )


def _is_carried(mistake: Mistake) -> bool:
    """Whether the layer's own state of the step before meets an input of another rank: it is the input that has lost
    its axis of steps on the way round."""
    maker = mistake.state.maker
    is_own = isinstance(maker, RecurrentCalled) and maker.layer.id == mistake.call.layer.id
    return is_own and mistake.kind is Kind.RANK


def _pair(call: RecurrentCalled, log: Log) -> Iterator[Finding]:
    """A pair of tensors for a layer whose state is one; the pair that an LSTM returned is RSG405's."""
    given = call.given.get("hx")
    kind = spec_of(call).kind
    if given is None or not isinstance(given.seen, tuple) or kind == "LSTM":
        return
    if not all(isinstance(part, Value) for part in given.seen) or state_pair(given.seen, log) is not None:
        return
    if not misfits(call, Fault.TYPE, "h_0") or not is_of_one_kind(call, log):
        return
    shown = ", ".join(wording.shape(part) for part in given.seen if isinstance(part, Value))
    yield Finding(
        code="RSG501",
        message=f"{wording.quoted(call.layer)} is {wording.article(kind)}, whose state is one tensor, but is given a tuple of {len(given.seen)}",
        place=call.place,
        primary="a tuple where one tensor is needed",
        labels=(Label(call.layer.place, f"nn.{kind}"),),
        expected="(layers·directions, batch, hidden)",
        found=f"({shown})",
        help=f"{call.layer.name or kind.lower()}({call.given['input'].text}, h_0)",
        subject=frozenset({("state", call.layer.id)}),
        cause=call.id,
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
