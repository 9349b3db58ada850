"""RSG601: a batch is packed or padded with another layout than it has, or than what follows needs."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.lineage import batch_first_of
from rnnshape_guard.checks.output_reads import BatchRead, batch_read
from rnnshape_guard.events import Log, PackCalled, Reduced, Selected
from rnnshape_guard.findings import Because, Finding, Label
from rnnshape_guard.shapes.axes import Atom, Evidence, Role, Strength


def check(event: PackCalled | Selected | Reduced, log: Log) -> Iterator[Finding]:
    """Judge each pack against what is known of its tensor, and each pad against what its result is read as."""
    if isinstance(event, PackCalled):
        if event.name == "pack_padded_sequence":
            yield from against_its_tensor(event)
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
