"""RSG101: what is known of a tensor's axes contradicts the `batch_first` of the recurrent layer that reads it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.layouts import (
    Contradiction,
    contradicted,
    is_callers_choice,
    is_chosen_batch_first,
    is_of_a_base,
    misplaced,
    reasons,
)
from rnnshape_guard.checks.paths import Convolved, convolved, disagreement
from rnnshape_guard.checks.reading import layout, spec_of
from rnnshape_guard.checks.roles import only_atom
from rnnshape_guard.checks.turns import misused_move, turned_back, turned_in_vain
from rnnshape_guard.checks.uses import Use, used_against
from rnnshape_guard.events import Layer, Log, Place, RecurrentCalled
from rnnshape_guard.findings import Because, Finding, Label
from rnnshape_guard.layers import settled
from rnnshape_guard.shapes.axes import Strength


def check(call: RecurrentCalled, log: Log) -> Iterator[Finding]:
    """Judge each call by the axes of its input. Where a permute is to blame, or a misplaced flag, or a state that was
    repeated in front, that is another rule's finding."""
    if turned_in_vain(call, log):
        return
    found = contradicted(call)
    if found is not None and is_of_a_base(found, log):
        return
    if found is not None:
        mixed = disagreement(call, log)
        if misused_move(found, log) is None and misplaced(call) is None and (mixed is None or mixed.turned is None):
            yield replace(_by_evidence(found, turned_back(call, log)), only_seen=is_callers_choice(call))
        return
    use = used_against(call, log)
    if use is not None and misplaced(call) is None and not is_chosen_batch_first(call, log):
        yield replace(_by_use(call, use), only_seen=is_callers_choice(call))
    by = convolved(call, log)
    if use is None and by is not None and misplaced(call) is None:
        yield replace(_by_convolution(call, by), only_seen=is_callers_choice(call))


def _by_evidence(found: Contradiction, is_turned_back: bool) -> Finding:
    """The finding stands at the layout; where the program turns the layer's output, at the call: its input was to be
    turned too."""
    call = found.call
    batch_first = bool(settled(spec_of(call).batch_first))
    read, is_really = ("time", "the batch") if found.batch is not None else ("the batch", "time")
    at = (1 if found.batch is not None else 0) if batch_first else (0 if found.batch is not None else 1)
    given = call.given["input"]
    shape = wording.shape(given.value, Strength.USE)
    labels = () if given.place is None else (Label(given.place, shape),)
    if is_turned_back:
        labels = (Label(place_of_layout(call.layer), _stated(call)),)
    return Finding(
        code="RSG101",
        message=f"{wording.quoted(call.layer)} reads axis {at} of {wording.quoted(given)} as {read}, but it is {is_really}",
        place=call.place if is_turned_back else place_of_layout(call.layer),
        primary=f"reads {expected_layout(batch_first)}" if is_turned_back else _stated(call),
        labels=labels,
        expected=expected_layout(batch_first),
        found=shape,
        because=reasons(found),
        help=f"{given.text or 'x'}.transpose(0, 1)" if is_turned_back else remedy(call),
        subject=found.subject,
        cause=call.id,
    )


def _by_use(call: RecurrentCalled, use: Use) -> Finding:
    batch_first = bool(settled(spec_of(call).batch_first))
    axes = layout(call)
    place: Place = use.event.place
    subject = frozenset(atom.root for axis in axes or () if (atom := only_atom(axis)) is not None)
    return Finding(
        code="RSG101",
        message=(
            f"{wording.quoted(call.layer)} reads axis {use.at} as the batch, but {wording.quoted(place)} takes "
            f"{use.words} along it, as if it were time"
        ),
        place=place_of_layout(call.layer),
        primary=_stated(call),
        labels=(Label(place, f"axis {use.at} is read as time here"),),
        expected=expected_layout(batch_first),
        found=expected_layout(not batch_first),
        because=(Because(f"{wording.quoted(place)} takes {use.words} along axis {use.at}", place),),
        help=remedy(call),
        subject=subject,
        cause=call.id,
    )


def _by_convolution(call: RecurrentCalled, by: Convolved) -> Finding:
    given = call.given["input"]
    batch_first = bool(settled(spec_of(call).batch_first))
    layer, convolution = wording.quoted(call.layer), wording.quoted(by.convolution.layer)
    axes = "height, width" if getattr(by.convolution.layer.spec, "kind", "") == "Conv2d" else "time"
    because = Because(f"{convolution} reads (batch, channel, {axes})", by.convolution.place)
    if by.found is not None:
        at = 1 if batch_first else 0
        return Finding(
            code="RSG101",
            message=f"{layer} reads axis {at} of {wording.quoted(given)} as time, but {convolution} reads it as the batch",
            place=place_of_layout(call.layer),
            primary=f"reads {expected_layout(batch_first)}",
            labels=() if given.place is None else (Label(given.place, expected_layout(not batch_first)),),
            expected=expected_layout(batch_first),
            found=expected_layout(not batch_first),
            because=(because,),
            help=remedy(call),
            subject=by.found.subject,
            cause=call.id,
        )
    read = "the batch" if (by.channels_at == 0) is batch_first else "time"
    turned = "transpose(1, 2)" if batch_first else "permute(2, 0, 1)"
    text = given.text if given.text.isidentifier() else "x"
    return Finding(
        code="RSG101",
        message=f"{layer} reads axis {by.channels_at} of {wording.quoted(given)} as {read}, but it is the channels of {convolution}",
        place=call.place,
        primary=f"reads {expected_layout(batch_first)}",
        labels=(Label(by.convolution.layer.place, "makes (batch, channel, time)"),),
        expected=expected_layout(batch_first),
        found="(batch, channel, time)",
        because=(because,),
        help=f"{text}.{turned}",
        subject=frozenset({("channels", call.layer.id)}),
        cause=call.id,
    )


def _stated(call: RecurrentCalled) -> str:
    spec = spec_of(call)
    by_default = "" if "batch_first" in spec.given else " by default"
    return f"batch_first={settled(spec.batch_first)}{by_default}"


def place_of_layout(layer: Layer) -> Place:
    """Where a layer's layout is decided: at `batch_first`, or where the construction leaves it out."""
    return layer.argument_places.get("batch_first", layer.place.closing)


def expected_layout(batch_first: bool) -> str:
    """The axes that a layer of this layout reads."""
    return "(batch, time, feature)" if batch_first else "(time, batch, feature)"


def remedy(call: RecurrentCalled) -> str:
    """The line of code that lets the layer read its input as it is."""
    spec = spec_of(call)
    written = call.layer.place.text
    wanted = f"batch_first={not settled(spec.batch_first)}"
    given = call.layer.argument_places.get("batch_first")
    if given is None and written.endswith(")") and len(written) <= 100:
        inside = written[:-1].rstrip().rstrip(",")
        return f"{inside}{'' if inside.endswith('(') else ', '}{wanted})"
    return wanted
