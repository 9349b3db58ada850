"""Attention on the path of a recurrent layer: which axis it reads as the batch, against what is known of its inputs."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.layout_mismatch import expected_layout, place_of_layout
from rnnshape_guard.checks.paths import batch_of, time_of
from rnnshape_guard.checks.reading import recurrent_origin
from rnnshape_guard.checks.roles import because_of, only_atom, role_of
from rnnshape_guard.checks.widths import on_recurrent_path
from rnnshape_guard.events import Layer, LayerBuilt, LayerCalled, Log, Place, RecurrentCalled, Reordered, Value
from rnnshape_guard.findings import Because, Finding, Label
from rnnshape_guard.layers import settled
from rnnshape_guard.layers.attention import AttentionSpec, TransformerSpec
from rnnshape_guard.shapes.axes import Atom, Role

_SEQUENCES = ("query", "key", "value", "src", "tgt", "memory")
_REPEATED = {"TransformerEncoder": "TransformerEncoderLayer", "TransformerDecoder": "TransformerDecoderLayer"}


def mixed(call: LayerCalled, log: Log) -> Iterator[Finding]:
    """The first input whose batch an attention reads as time, or the other way round: by the evidence for its axes or,
    where there is none, by the layout of the recurrent layer that it comes from."""
    spec = call.layer.spec
    if not isinstance(spec, AttentionSpec | TransformerSpec):
        return
    batch_first = settled(spec.batch_first)
    if not isinstance(batch_first, bool):
        return
    for name in _SEQUENCES:
        value = call.value(name)
        axes = value.axes if value is not None else None
        if value is None or axes is None or len(axes) != 3:
            continue
        batch, time = map(only_atom, axes[:2] if batch_first else axes[1::-1])
        if batch is None or time is None:
            continue  # what is left beside an axis of size 1 may be either
        finding = _judged(call, name, value, batch, time, batch_first, log)
        if finding is not None:
            yield finding
            return


def _judged(
    call: LayerCalled, name: str, value: Value, batch: Atom, time: Atom, batch_first: bool, log: Log
) -> Finding | None:
    roles = role_of(batch), role_of(time)
    if Role.BATCH in roles or Role.TIME in roles:
        if roles[0] is Role.BATCH or roles[1] is Role.TIME or not on_recurrent_path(call, log):
            return None
        because = because_of(batch, time)
        maker = None
    else:
        origin = recurrent_origin(value, log)
        maker = origin[0] if origin is not None else None
        if maker is None or any(roles) or not (time is batch_of(maker) or batch is time_of(maker)):
            return None
        because = (Because(f"{wording.quoted(maker.layer)} has {_stated(maker.layer)}", maker.layer.place),)
    is_batch = roles[1] is Role.BATCH or (maker is not None and time is batch_of(maker))
    read, is_really = ("time", "the batch") if is_batch else ("the batch", "time")
    known = f"it is {is_really}" if maker is None else f"{wording.quoted(maker.layer)} made it {is_really}"
    at = (1 if is_batch else 0) if batch_first else (0 if is_batch else 1)
    given = call.given[name]
    moved = _moved(call.layer, value, batch, time, batch_first, log)
    place = _place(call, log)
    return Finding(
        code="RSG103",
        message=f"{wording.quoted(call.layer)} reads axis {at} of {wording.quoted(given)} as {read}, but {known}",
        place=place if moved is None else moved.place,
        primary=f"{expected_layout(batch_first)} is read" if moved is None else "puts the axes in the wrong order",
        labels=() if given.place is None else (Label(given.place, expected_layout(not batch_first)),),
        expected=expected_layout(batch_first),
        found=expected_layout(not batch_first),
        because=because,
        help=f"batch_first={not batch_first}" if moved is None else "",
        subject=frozenset({("layout", call.layer.id)} if maker is None else {batch.root, time.root}),
        cause=call.id if moved is None else moved.id,
        only_seen=place.text not in ("True", "False") and "batch_first" in call.layer.argument_places,
    )


def _stated(layer: Layer) -> str:
    spec = layer.spec
    told = "batch_first" in getattr(spec, "given", ())
    return f"batch_first={bool(settled(getattr(spec, 'batch_first', False)))}" + ("" if told else " by default")


def _place(call: LayerCalled, log: Log) -> Place:
    """Where the layout is decided: for a stack, in the construction of the layer that it repeats."""
    repeated = _REPEATED.get(getattr(call.layer.spec, "kind", ""))
    if repeated is not None:
        built = [
            event.layer
            for event in log.all(LayerBuilt)
            if getattr(event.layer.spec, "kind", "") == repeated and event.layer.owner == call.layer.owner
        ]
        if len({layer.place for layer in built}) == 1:
            return place_of_layout(built[0])
    return place_of_layout(call.layer)


def _moved(layer: Layer, value: Value, batch: Atom, time: Atom, batch_first: bool, log: Log) -> Reordered | None:
    """The permute without which an attention that was told its layout would have met its axes where it reads them."""
    if "batch_first" not in getattr(layer.spec, "given", ()):
        return None
    for _, event in log.past(value):
        if isinstance(event, RecurrentCalled):
            return None
        before = event.value("input") if isinstance(event, Reordered) else None
        if isinstance(event, Reordered) and before is not None and before.axes is not None and len(before.axes) == 3:
            first, second = map(only_atom, before.axes[:2])
            return event if (first, second) == ((time, batch) if batch_first else (batch, time)) else None
    return None
