"""RSG307: ``squeeze()`` without an axis also drops the batch when it holds one sample."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.moves import receiver
from rnnshape_guard.events import Computed, Event, Log, LossCalled, Reshaped, Selected, Value, reads, values_in
from rnnshape_guard.findings import Finding, Severity
from rnnshape_guard.shapes.axes import Atom, Axis, Role, Strength
from rnnshape_guard.shapes.dims import resolve


def check(event: Reshaped, log: Log) -> Iterator[Finding]:
    """Judge each ``squeeze()`` of a tensor of known rank with an axis of size 1, which is meant to go, and another whose
    size nobody knows."""
    value = event.value("input")
    if value is None or value.axes is None or not _drops_all(event):
        return
    batch = next((at for at, axis in enumerate(value.axes) if _may_be_one(axis, Role.BATCH)), None)
    units = [at for at, axis in enumerate(value.axes) if axis.size.value == 1 and at != batch]
    if not units:
        return
    others = [at for at, axis in enumerate(value.axes) if _may_be_one(axis, None)]
    if (batch is None and not others) or _is_matched(event, log):
        return
    if _is_asked_for(event, log) or _picks_steps(event, log):
        return
    yield _finding(event, value, units, batch, others)


def _drops_all(event: Event | None) -> bool:
    """Whether it is a ``squeeze()`` of no axis in particular."""
    if not isinstance(event, Reshaped) or event.name.rpartition(".")[2] not in ("squeeze", "squeeze_"):
        return False
    dim = event.given.get("dim")
    return dim is None or dim.seen is None


def _is_matched(event: Reshaped, log: Log) -> bool:
    """Whether what is left is only compared with what another ``squeeze()`` left: both lose a batch of one."""
    uses = [use for value in values_in(event.result) for use in log.readers(value)]
    return bool(uses) and all(
        isinstance(use, LossCalled)
        and any(_drops_all(maker) for one in reads(use) if (maker := log.maker(one)) is not event)
        for use in uses
    )


def _is_asked_for(event: Reshaped, log: Log) -> bool:
    """Whether the program asks how many axes what is made of the result has: then it is ready for one axis less."""
    return any(
        isinstance(use, Computed) and use.name == "dim"
        for value in values_in(event.result)
        for use in log.future(value)
    )


def _picks_steps(event: Reshaped, log: Log) -> bool:
    """Whether what is left picks along an axis behind the batch: ``x[:, scores.squeeze() > 0]`` is of one sample alone,
    and means to lose its axis."""
    left = list(values_in(event.result))
    compared = [
        one
        for value in left
        for use in log.readers(value)
        if isinstance(use, Computed)
        for one in values_in(use.result)
    ]
    masks = {one.id for one in (*left, *compared)}
    for value in (*left, *compared):
        for use in log.readers(value):
            items = use.seen("items") if isinstance(use, Selected) else ()
            if isinstance(items, tuple) and any(isinstance(one, Value) and one.id in masks for one in items[1:]):
                return True
    return False


def _may_be_one(axis: Axis, role: Role | None) -> bool:
    """Whether an axis is of a size that only the data decides, and has a role."""
    atom = axis.atom
    if atom is None or atom.kind is not None:
        return False
    if _is_known(atom) and not (atom.measured and role is Role.BATCH):
        return False
    return atom.role(Strength.LAYER) is role


def _is_known(atom: Atom) -> bool:
    """Whether the size of an axis is a number, or one that the program has made: not that of another axis of the data."""
    if atom.size.value is not None or atom.symbol.value is None:
        return atom.size.value is not None
    symbol = resolve(atom.symbol.value, numbers=False).symbol
    return symbol is None or symbol.owner is None


def _finding(event: Reshaped, value: Value, units: list[int], batch: int | None, others: list[int]) -> Finding:
    at = batch if batch is not None else others[0]
    axis = "the batch" if batch is not None else f"axis {at}"
    atom = (value.axes or ())[at].atom
    dims = [unit - len(value.axes or ()) if unit == len(value.axes or ()) - 1 else unit for unit in units]
    wanted = str(dims[0]) if len(dims) == 1 else f"({', '.join(map(str, dims))})"
    return Finding(
        code="RSG307",
        message=f"`squeeze()` of {wording.quoted(receiver(event))} also drops {axis} when its size is 1",
        place=event.place,
        primary=wording.shape(value),
        because=wording.because(atom, Strength.LAYER) if atom is not None else (),
        help=f"{receiver(event)}.squeeze({wanted})",
        severity=None if batch is not None else Severity.NOTE,
        subject=frozenset({("squeeze", event.id)}),
        cause=event.id,
    )
