"""RSG204: a decoder that starts from an encoder's state has the encoder's layers, directions and hidden size."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import initial_states, widths, wording
from rnnshape_guard.checks.argument_order import Crossed, crossed
from rnnshape_guard.checks.initial_states import Kind, Mistake
from rnnshape_guard.checks.reading import layout, sized_by, spec_of
from rnnshape_guard.checks.roles import spot
from rnnshape_guard.events import Layer, LayerCalled, Log, Place, RecurrentCalled
from rnnshape_guard.findings import Finding, Label
from rnnshape_guard.layers import Size
from rnnshape_guard.shapes.axes import Role
from rnnshape_guard.shapes.dims import Dim, compare


def check(call: RecurrentCalled, log: Log) -> Iterator[Finding]:
    """Judge each state that stems from another recurrent call."""
    mistake = initial_states.first_mistake(call, log)
    if mistake is None or not isinstance(mistake.state.maker, RecurrentCalled) or mistake.misfit is None:
        return
    encoder = mistake.state.maker
    if mistake.kind not in (Kind.SIZE, Kind.RANK) or encoder.layer.id == call.layer.id:
        return
    if mistake.misfit.axis == 1 and mistake.kind is Kind.SIZE and not _is_a_step(call):
        return
    swapped = _swapped(mistake, encoder, log)
    place = swapped.place if swapped is not None else _where(mistake, encoder, log)
    labels = (
        Label(encoder.layer.place, initial_states.needs(encoder)),
        Label(call.layer.place, initial_states.needs(call)),
        Label(call.place, "the state is given here"),
    )
    yield Finding(
        code="RSG204",
        message=_message(mistake, encoder),
        place=place,
        primary=swapped.fact
        if swapped is not None
        else wording.shape(mistake.state.value)
        if place is not call.layer.place
        else initial_states.needs(call),
        labels=tuple(label for label in labels if spot(label.place) != spot(place)),
        expected=initial_states.expected(call),
        found=wording.shape(mistake.state.value),
        help=_remedy(mistake),
        condition=wording.when(mistake.misfit.condition),
        subject=frozenset({("state", call.layer.id)}),
        cause=call.id,
    )


def _swapped(mistake: Mistake, encoder: RecurrentCalled, log: Log) -> Crossed | None:
    """The arguments that were swapped where an encoder or a decoder was built, if its width is wrong."""
    assert mistake.misfit is not None
    if mistake.kind is not Kind.SIZE or mistake.misfit.axis != 2 or mistake.misfit.condition:
        return None
    return crossed(encoder.layer, log) or crossed(mistake.call.layer, log)


def _is_a_step(call: RecurrentCalled) -> bool:
    """Whether a decoder is given one step whose axis of size 1 it takes for the batch."""
    axes = layout(call)
    return axes is not None and axes[0].size.value == 1 and axes[1].size.value != 1


def _message(mistake: Mistake, encoder: RecurrentCalled) -> str:
    misfit = mistake.misfit
    assert misfit is not None
    decoder, source = _told_apart(mistake.call.layer, encoder.layer)
    found = wording.size(misfit.found) if misfit.found is not None else "?"
    expected = wording.size(misfit.expected) if misfit.expected is not None else "?"
    if mistake.kind is Kind.RANK:
        ranks = " or ".join(map(str, misfit.ranks))
        return f"{decoder} needs a state of {ranks} axes, but that of {source} comes with {found}"
    if misfit.axis == 1:
        step = wording.quoted(mistake.call.given["input"])
        return f"{decoder} reads a batch of {expected} in {step}, but the state of {source} is for a batch of {found}"
    if misfit.axis == 0:
        return f"{decoder} has layers·directions = {expected}, but the state of {source} comes with {found}"
    return f"{decoder} has hidden_size {expected}, but the state of {source} is {found} wide"


def _told_apart(decoder: Layer, encoder: Layer) -> tuple[str, str]:
    """Both layers in the user's words, with their classes where one name stands for both."""
    names = wording.quoted(decoder), wording.quoted(encoder)
    if names[0] != names[1] or decoder.owner == encoder.owner:
        return names
    return f"{names[0]} of `{decoder.owner}`", f"{names[1]} of `{encoder.owner}`"


def _remedy(mistake: Mistake) -> str:
    misfit = mistake.misfit
    if misfit is None or misfit.axis != 0 or misfit.expected is None or misfit.found is None:
        return ""
    if mistake.axis is not None and wording.directions(mistake.axis):
        return (
            "join the directions first: torch.cat((h_n[0::2], h_n[1::2]), dim=-1), and a Linear to the decoder's width"
        )
    rows = misfit.expected.value
    return f"one row for each layer: .repeat({rows}, 1, 1)" if misfit.found.value == 1 and rows is not None else ""


def _where(mistake: Mistake, encoder: RecurrentCalled, log: Log) -> Place:
    """The decoder's construction where its layers or width are wrong; the call where directions or axes are; and where the state
    was changed on the way to another number of rows though the layers agree, that change."""
    call, misfit = mistake.call, mistake.misfit
    assert misfit is not None
    ours, theirs = spec_of(call), spec_of(encoder)
    places = call.layer.argument_places
    if mistake.kind is Kind.RANK or misfit.axis == 1:
        return call.place
    if misfit.axis == 0:
        changed = sized_by(mistake.state.value, mistake.axis, log) if mistake.axis is not None else None
        if _differ(theirs.num_layers, ours.num_layers):
            return places.get("num_layers", call.layer.place)
        return changed.place if changed is not None and changed is not encoder else call.place
    bridge = sized_by(mistake.state.value, mistake.axis, log) if mistake.axis is not None else None
    if isinstance(bridge, LayerCalled) and bridge is not encoder:
        return bridge.layer.argument_places.get("out_features", bridge.layer.place)
    number = widths.given_number(call, "hidden_size", misfit, encoder.layer, log)
    if number is not None:
        return number
    is_joined = mistake.axis is not None and any(atom.kind is Role.DIRECTION for atom in mistake.axis.atoms)
    return call.place if is_joined else places.get("hidden_size", call.layer.place)


def _differ(one: Size, two: Size) -> bool:
    return isinstance(one, Dim) and isinstance(two, Dim) and compare(one, two).conflicts
