"""RSG601: a batch is packed or padded with another layout than it has, or than what follows needs."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.lineage import batch_first_of
from rnnshape_guard.checks.output_reads import BatchRead, batch_read
from rnnshape_guard.checks.reading import spec_of
from rnnshape_guard.checks.uses import axis_read
from rnnshape_guard.events import (
    Computed,
    Event,
    Log,
    Operated,
    PackCalled,
    RecurrentCalled,
    Reduced,
    Selected,
    Value,
    values_in,
)
from rnnshape_guard.findings import Because, Finding, Label
from rnnshape_guard.layers import settled
from rnnshape_guard.shapes.axes import Atom, Axis, Evidence, Role, Strength
from rnnshape_guard.shapes.dims import Dim


def check(event: PackCalled | Selected | Reduced, log: Log) -> Iterator[Finding]:
    """Judge each pack against what is known of its tensor, and each pad against what its result is read as."""
    if isinstance(event, PackCalled):
        if event.name == "pack_padded_sequence":
            found = list(against_its_tensor(event))
            yield from found or _against_its_layer(event, log)
        return
    read = batch_read(event, log)
    if read is not None and read.pad is not None:
        yield _against_its_reading(read, read.pad)


def against_its_tensor(pack: PackCalled) -> Iterator[Finding]:
    """A pack whose batch is, by the tensor's own evidence, the time."""
    value, batch_first = pack.value("input"), batch_first_of(pack)
    axes = value.axes if value is not None else None
    if value is None or axes is None or len(axes) < 2 or batch_first is None:
        return
    batch, time = (axes[0].atom, axes[1].atom) if batch_first else (axes[1].atom, axes[0].atom)
    if batch is None or time is None or batch.size.value == 1 or time.size.value == 1:
        return
    of_batch, of_time = _apart(batch, pack), _apart(time, pack)
    reasons = [one for one in of_batch if one.role is Role.TIME] or [one for one in of_time if one.role is Role.BATCH]
    agreeing = [one for one in of_batch if one.role is Role.BATCH] + [one for one in of_time if one.role is Role.TIME]
    if not reasons or agreeing:
        return
    given = pack.given["input"]
    layout = "(batch, time, ...)" if batch_first else "(time, batch, ...)"
    other = "(time, batch, ...)" if batch_first else "(batch, time, ...)"
    place = pack.given["batch_first"].place if "batch_first" in pack.given else None
    yield Finding(
        code="RSG601",
        message=f"{wording.quoted(given)} is packed as {layout}, but it is {other}",
        place=pack.place,
        primary="batch_first=True" if batch_first else "batch_first is False unless it is given",
        labels=(Label(place, "reads axis 0 as the batch"),) if place is not None and batch_first else (),
        expected=f"{layout} for batch_first={batch_first}",
        found=other,
        because=tuple(Because(f"{one.text}: {one.role}", one.place) for one in reasons[:2]),
        help=f"pack_padded_sequence({given.text}, ..., batch_first={not batch_first})",
        subject=frozenset({batch.root, ("pack", pack.id)}),
        cause=pack.id,
    )


def _against_its_layer(pack: PackCalled, log: Log) -> Iterator[Finding]:
    """A pack, and a pad, whose layout nobody stated, around a layer that is stated to have the batch first, where what
    comes out is summed up, weighed or read at its end along the axis that was packed as the batch."""
    value = pack.value("input")
    axes = value.axes if value is not None else None
    if axes is None or len(axes) != 3 or _is_stated(pack) or not isinstance(pack.result, Value):
        return
    time, batch = axes[0].atom, axes[1].atom
    calls = [event for event in log.readers(pack.result) if isinstance(event, RecurrentCalled)]
    if time is None or batch is None or len(calls) != 1 or settled(spec_of(calls[0]).batch_first) is not True:
        return
    if any(_said(atom) for atom in (time, batch)):
        return
    uses = _uses_along(batch, time, calls[0], log)
    if not uses:
        return
    given, use = pack.given["input"], uses[0]
    yield Finding(
        code="RSG601",
        message=f"{wording.quoted(given)} is packed as (time, batch, ...), but {wording.quoted(use.place)} takes axis 1 for the time",
        place=pack.place,
        primary="batch_first is False unless it is given",
        labels=(Label(use.place, "along axis 1"), Label(calls[0].layer.place, "batch_first=True")),
        expected="(time, batch, ...) for batch_first=False",
        found="(batch, time, ...)",
        help=f"pack_padded_sequence({given.text}, ..., batch_first=True), and the same for pad_packed_sequence",
        subject=frozenset({batch.root, ("pack", pack.id), *(("read", one.id) for one in uses)}),
        cause=pack.id,
    )


def _uses_along(batch: Atom, time: Atom, call: RecurrentCalled, log: Log) -> list[Operated]:
    """What is made along the axis that was packed as the batch, and would be made along the time; nothing if anything
    is made along what was packed as the time."""
    output = next(values_in(call.result), None)
    found: list[Operated] = []
    for pad in log.readers(output) if output is not None else ():
        padded = next(values_in(pad.result), None)
        if not isinstance(pad, PackCalled) or _is_stated(pad) or padded is None:
            continue
        for event in log.future(padded, depth=12):
            axis = _read_along(event)
            if axis is None or not isinstance(event, Operated):
                continue
            if axis.atoms == (time,):
                return []
            if axis.atoms == (batch,):
                found.append(event)
    return found


def _read_along(event: Event) -> Axis | None:
    """The axis along which an event sums up, weighs, or takes the last entry."""
    if not isinstance(event, Reduced | Selected | Computed):
        return None
    value = event.value("input")
    axes = value.axes if value is not None else None
    if axes is None:
        return None
    if isinstance(event, Computed):
        dim = event.seen("dim")
        at = dim.literal if isinstance(dim, Dim) and event.name == "softmax" else None
    else:
        at = axis_read(event)
    return axes[at] if at is not None and -len(axes) <= at < len(axes) else None


def _is_stated(packing: PackCalled) -> bool:
    """Whether a pack or pad says which axis is the batch."""
    given = packing.given.get("batch_first")
    return given is not None and given.place is not None


def _said(atom: Atom) -> bool:
    """Whether anybody but packing and layers said what an axis is."""
    return any(
        one.strength < Strength.LAYER and not one.text.startswith(("pack_padded_sequence(", "pad_packed_sequence("))
        for one in atom.evidence
    )


def _apart(atom: Atom, pack: PackCalled) -> list[Evidence]:
    """The evidence of the strongest class that was there before a pack and comes neither from packing nor from a
    layer's own layout. What a program calls the axes afterwards, it says of what became of them."""
    own = [
        one
        for one in atom.evidence
        if one.strength < Strength.LAYER
        and one.when <= pack.id
        and not one.text.startswith(("pack_padded_sequence(", "pad_packed_sequence("))
    ]
    strongest = min((one.strength for one in own), default=None)
    found = [one for one in own if one.strength == strongest]
    return found if len({one.role for one in found}) == 1 else []


def _against_its_reading(read: BatchRead, pad: PackCalled) -> Finding:
    batch_first = batch_first_of(pad)
    return Finding(
        code="RSG601",
        message=f"the batch is padded to {'(batch, time, ...)' if batch_first else '(time, batch, ...)'}, "
        f"and {wording.quoted(read.event.place)} reads axis {read.at} as the time",
        place=pad.place,
        primary=f"gives {wording.shape(read.value)}",
        labels=(Label(read.event.place, f"axis {read.at} is the batch"),),
        expected="(time, batch, ...)" if batch_first else "(batch, time, ...)",
        found=wording.shape(read.value),
        because=(Because("it was packed the other way round", read.call.place),),
        help=f"{pad.place.text.split('(', 1)[0]}({pad.given['sequence'].text}, batch_first={not batch_first})",
        subject=frozenset({("pad", pad.id)}),
        cause=pad.id,
    )
