"""RSG603: the lengths given to pack_padded_sequence are not one number for each sample."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.lineage import batch_first_of, is_axis
from rnnshape_guard.checks.orders import LeftSorted, back_beside_sorted, left_sorted, ordered_twice, sorted_alone
from rnnshape_guard.checks.packing_layout import against_its_tensor
from rnnshape_guard.checks.reading import misfits
from rnnshape_guard.events import Computed, Event, Log, PackCalled, Reduced, Reshaped, Selected, Value
from rnnshape_guard.findings import Finding, Label
from rnnshape_guard.shapes.axes import Axis, Shape
from rnnshape_guard.shapes.dims import Dim
from rnnshape_guard.shapes.outcomes import Fault


def check(pack: PackCalled | Selected | Computed, log: Log) -> Iterator[Finding]:
    """Judge the lengths of each pack, and the order in which they and the samples stand."""
    if isinstance(pack, Selected):
        yield from _back_in_order(pack, log)
        return
    if isinstance(pack, Computed):
        yield from _beside_sorted(pack, log)
        return
    if pack.name != "pack_padded_sequence" or "lengths" not in pack.given or any(against_its_tensor(pack)):
        return
    given, value = pack.given["lengths"], pack.value("input")
    lengths = given.value
    layout = _layout(pack, value)
    words = wording.quoted(given)
    if lengths is not None and lengths.axes is not None and misfits(pack, Fault.RANK, "lengths"):
        yield _finding(pack, log, f"{words} has {len(lengths.axes)} axes: lengths are one number for each sample")
    elif lengths is not None and layout is not None and _counts_samples(lengths, layout):
        yield _finding(pack, log, f"{words} has one number for each step, not one for each sample")
    elif misfits(pack, Fault.SIZE, "lengths"):
        misfit = misfits(pack, Fault.SIZE, "lengths")[0]
        found, expected = _size(misfit.found), _size(misfit.expected)
        yield _finding(pack, log, f"there are {found} lengths for {expected} samples")
    elif layout is not None and (cut := _cut_apart(pack, layout[0], log)) is not None:
        finding = _finding(pack, log, f"each part of the batch is packed with {words}, which is of the whole batch")
        yield replace(finding, labels=(Label(cut.place, "the batch is cut here"),))
    elif (sort := sorted_alone(pack, log)) is not None:
        yield _sorted(pack, sort)
    elif (left := left_sorted(pack, log)) is not None:
        yield _left(pack, left, log)


def _sorted(pack: PackCalled, sort: Selected) -> Finding:
    given = pack.given["input"]
    return Finding(
        code="RSG603",
        message=f"{wording.quoted(pack.given['lengths'])} are sorted, but {wording.quoted(given)} is not: "
        "each sample gets another's length",
        place=pack.place,
        primary=f"packs {wording.shape(given.value)} in its own order",
        labels=(Label(sort.place, "the order it gives is used nowhere before"),),
        expected="one length for each sample, in their order",
        found="lengths in falling order",
        help=f"{given.text or 'x'}[order], or the unsorted lengths with enforce_sorted=False",
        subject=frozenset({("lengths", pack.id)}),
        cause=pack.id,
    )


def _beside_sorted(event: Computed, log: Log) -> Iterator[Finding]:
    found = back_beside_sorted(event, log)
    if found is None:
        return
    back, sort = found
    yield Finding(
        code="RSG603",
        message=f"{wording.quoted(event.given['input'])} is back in the order of the input, and is divided by lengths that "
        "stay sorted: each sample gets another's length",
        place=event.place,
        primary="the samples in two orders",
        labels=(Label(sort.place, "sorted here"), Label(back.place, "put back here")),
        expected="one length for each sample, in their order",
        found="lengths in falling order",
        help="put the lengths back by the same index, or divide by those of the input",
        subject=frozenset({("order", event.id)}),
        cause=event.id,
    )


def _left(pack: PackCalled, left: LeftSorted, log: Log) -> Finding:
    maker = next((event for _, event in log.past(left.result) if event.scope == left.sort.scope), None)
    text = maker.place.text if maker is not None else "out"
    undone = f"torch.argsort({left.word})"
    return Finding(
        code="RSG603",
        message=f"{wording.quoted(maker.place) if maker is not None else 'the result'} has the samples in the order of "
        f"their lengths, and `{left.word}` is forgotten: no caller can put them back",
        place=maker.place if maker is not None else pack.place,
        primary="sorted by length",
        labels=(Label(left.sort.place, "sorted here"),),
        expected="the order of the input",
        found="the order of the lengths",
        help=f"{text}[{undone}]" if left.at == 0 and " " not in text else f"index_select({left.at}, {undone})",
        subject=frozenset({("order", left.sort.id)}),
        cause=pack.id,
    )


def _back_in_order(event: Selected, log: Log) -> Iterator[Finding]:
    twice = ordered_twice(event, log)
    if twice is None:
        return
    order, first = twice
    items = event.given["items" if "items" in event.given else "index"]
    word = "order" if event.name == "index" else items.text
    yield Finding(
        code="RSG603",
        message=f"{wording.quoted(event.place)} sorts the batch once more instead of bringing back the input's order",
        place=event.place,
        primary="the order that sorted the batch",
        labels=(Label(first.place, "sorted here"),),
        expected="the order of the input",
        found="sorted twice",
        help=f"torch.argsort({word}) brings back what `{word}` has sorted",
        subject=frozenset({("order", order.id)}),
        cause=event.id,
    )


def _size(dim: Dim | None) -> str:
    return wording.size(dim) if dim is not None else "?"


def _layout(pack: PackCalled, value: Value | None) -> tuple[Axis, Axis] | None:
    """The (batch, time) axes of a pack."""
    axes, batch_first = value.axes if value is not None else None, batch_first_of(pack)
    if axes is None or len(axes) < 2 or batch_first is None:
        return None
    return (axes[0], axes[1]) if batch_first else (axes[1], axes[0])


def _counts_samples(lengths: Value, layout: tuple[Axis, Axis]) -> bool:
    axis = lengths.shape.axis(0) if isinstance(lengths.shape, Shape) and lengths.shape.rank == 1 else None
    batch, time = layout[0].atom, layout[1].atom
    if axis is None or batch is None or time is None or batch.root is time.root:
        return False
    return is_axis(axis, time) and batch.size.value != 1


def _cut_apart(pack: PackCalled, batch: Axis, log: Log) -> Event | None:
    """The event that cut a batch into several parts, if the lengths are, part after part, the same different numbers."""
    value, lengths = pack.value("input"), pack.seen("lengths")
    if value is None or not isinstance(lengths, tuple) or batch.atom is None:
        return None
    numbers = {one.value for one in lengths if isinstance(one, Dim)}
    if len(numbers) < 2 or None in numbers:
        return None
    cut = _cut(value, batch, log)
    for other in log.events[cut.id : pack.id] if cut is not None else ():
        if isinstance(other, PackCalled) and other.name == pack.name and "lengths" in other.given:
            own = other.value("input")
            same = _same_lengths(other.seen("lengths"), lengths)
            if same and own is not None and own is not value and _cut(own, batch, log) is cut:
                return cut
    return None


def _same_lengths(left: object, right: object) -> bool:
    return (
        isinstance(left, tuple)
        and isinstance(right, tuple)
        and [str(one) for one in left] == [str(one) for one in right]
    )


def _cut(value: Value, batch: Axis, log: Log) -> Event | None:
    """The chunk or split that cut the batch."""
    for _, maker in log.past(value):
        if isinstance(maker, Selected) and maker.name in ("chunk", "split", "tensor_split"):
            whole = maker.value("input")
            first = whole.shape.axis(0) if whole is not None and isinstance(whole.shape, Shape) else None
            if (
                first is not None
                and batch.atom is not None
                and first.atom is not None
                and first.atom.root is batch.atom.root
            ):
                return maker
    return None


def _finding(pack: PackCalled, log: Log, message: str) -> Finding:
    lengths = pack.value("lengths")
    maker = _maker(lengths, log) if lengths is not None else None
    at = maker if maker is not None else pack
    value = pack.value("input")
    return Finding(
        code="RSG603",
        message=message,
        place=at.place,
        primary=f"gives {wording.shape(lengths)}" if maker is not None else "",
        labels=(Label(pack.place, f"packs {wording.shape(value)}"),) if maker is not None else (),
        expected="(batch,)",
        found=wording.shape(lengths) if lengths is not None else "",
        help=_remedy(maker, pack),
        subject=frozenset({("lengths", pack.id)}),
        cause=at.id,
    )


def _remedy(maker: Event | None, pack: PackCalled) -> str:
    if isinstance(maker, Reduced):
        holder = maker.given["input"].text
        holder = f"({holder})" if " " in holder and not holder.startswith("(") else holder
        return f"{holder}.{maker.name}(dim={1 if batch_first_of(pack) else 0})"
    return "one length for each sample of the tensor that is packed"


def _maker(lengths: Value, log: Log) -> Event | None:
    """The event that gave the lengths their axes: behind casts and copies."""
    for _, event in log.past(lengths):
        if isinstance(event, Computed) and len(event.given) == 1:
            continue
        if isinstance(event, Reduced | Reshaped):
            return event
        if not isinstance(event, Computed):
            return None
    return None
