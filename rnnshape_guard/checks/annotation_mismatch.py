"""RSG901: an annotation, a contract or `shaped` states other axes than a tensor has."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.statements import Mismatch, Names, statements_before
from rnnshape_guard.checks.widths import features_of
from rnnshape_guard.events import Declared, Event, LayerCalled, LayerDeclared, Log
from rnnshape_guard.findings import Because, Finding, Label
from rnnshape_guard.shapes.axes import Axis, Role


def check(event: Declared | LayerDeclared, log: Log) -> Iterator[Finding]:
    """Judge each statement with the names that the statements of the same call gave before it."""
    match event:
        case LayerDeclared(layer=layer, stated=stated):
            kind = getattr(layer.spec, "kind", "")
            yield Finding(
                code="RSG901",
                message=f"{wording.quoted(layer)} is an nn.{kind}, but its contract is for nn.{stated}",
                place=event.place,
                primary=f"stated for nn.{stated}",
                labels=(Label(layer.place, f"nn.{kind}"),),
                subject=frozenset({("contract", layer.id)}),
                cause=event.id,
            )
        case Declared():
            names = Names()
            for before in statements_before(event, log):
                names.read(before)
            found = names.read(event)
            if found is not None:
                yield _finding(event, found, log)


def _finding(event: Declared, found: Mismatch, log: Log) -> Finding:
    spot = event.spots[found.at] if found.at is not None and found.at < len(event.spots) else event.place
    labels = []
    place = spot
    if event.given is not None:
        is_argument = found.bound is not None and found.bound.given is not None
        if is_argument or _is_refused(event, log):
            place = event.given
        labels.append(Label(spot if place is event.given else event.given, _beside(event, found, place is event.given)))
    because: tuple[Because, ...] = ()
    if found.bound is not None and found.bound is not event:
        because = (Because(f"`{found.name}` is axis {found.bound_at} of {called(found.bound)}", found.bound.place),)
    elif found.axis is not None and place is spot:
        because = _taken_by(event, found.axis, log)
    return Finding(
        code="RSG901",
        message=found.message,
        place=place,
        primary=wording.shape(event.value) if place is event.given else found.primary,
        labels=tuple(labels),
        expected=found.expected,
        found=wording.shape(event.value),
        because=because,
        help=found.help,
        subject=frozenset(_subject(event, found)),
        cause=event.id,
    )


def _taken_by(event: Declared, axis: Axis, log: Log) -> tuple[Because, ...]:
    """The layer that reads a tensor's features, and so says how many there are."""
    if features_of(event.value) is axis:
        for reader in log.readers(event.value):
            if isinstance(reader, LayerCalled) and not reader.misfits and reader.value("input") is event.value:
                words = f"{wording.quoted(reader.layer)} takes {wording.sizes_of(axis)} features"
                return (Because(words, reader.layer.place),)
    return ()


def _beside(event: Declared, found: Mismatch, at_argument: bool) -> str:
    return found.primary if at_argument else wording.shape(event.value)


def called(event: Declared) -> str:
    """What the user calls a tensor that something is stated of."""
    return wording.quoted(event.name) if event.name else "the result"


def _is_refused(event: Declared, log: Log) -> bool:
    """Whether something in the function agrees with the statement, and not with the argument."""
    return any(_refuses(one) for one in log.readers(event.value))


def _refuses(event: Event) -> bool:
    return bool(event.misfits)


def _subject(event: Declared, found: Mismatch) -> Iterator[Hashable]:
    """The axes in contradiction. Sizes that a layer makes belong to many tensors, and are no subject alone."""
    if found.axis is None:
        yield ("stated", event.value.id)
        return
    for axis in (found.axis, found.bound_axis):
        for atom in axis.atoms if axis is not None else ():
            if atom.root.kind in (None, Role.BATCH, Role.TIME):
                yield atom.root
    yield ("stated", event.value.id, found.at)
