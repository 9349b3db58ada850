"""Moved axes: which permute put an axis where it is, and how a move is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rnnshape_guard.events import Called, Given, Log, Operated, RecurrentCalled, Reordered, Value, values_in
from rnnshape_guard.shapes.axes import Axis
from rnnshape_guard.shapes.outcomes import Fault


def mover(value: Value, at: int, fits: Callable[[Axis], bool], log: Log) -> Reordered | None:
    """The last permute before a value, if it brought the axis at `at` there in place of one that fits."""
    if value.axes is None or at >= len(value.axes):
        return None
    axis = value.axes[at]
    for result, event in log.past(value):
        before = first_tensor(event)
        if before is None or before.axes is None or result.axes is None or len(before.axes) != len(result.axes):
            return None
        if result.axes[at].atoms != axis.atoms:
            return None
        if isinstance(event, Reordered):
            was = before.axes[at]
            return event if was.atoms != axis.atoms and fits(was) else None
        if before.axes[at].atoms != axis.atoms or isinstance(event, RecurrentCalled):
            return None
    return None


def bringer(value: Value, at: int, log: Log) -> Reordered | None:
    """The permute that brought the axis at `at` there; None if another kind of event did."""
    if value.axes is None:
        return None
    axis = value.axes[at]
    for result, event in log.past(value):
        before = first_tensor(event)
        if result.axes is None or at >= len(result.axes) or result.axes[at].atoms != axis.atoms:
            return None
        if before is None or before.axes is None or len(before.axes) != len(result.axes):
            return None
        if before.axes[at].atoms != axis.atoms:
            return event if isinstance(event, Reordered) else None
    return None


def first_tensor(event: object) -> Value | None:
    """The first tensor that an event read."""
    if not isinstance(event, Called):
        return None
    return next((value for given in event.given.values() for value in values_in(given.seen)), None)


def is_scrambled(value: Value, log: Log) -> bool:
    """Whether a value was made from one that a view has scrambled: what comes after follows from that."""
    return any(misfit.fault is Fault.SCRAMBLE for _, event in log.past(value) for misfit in event.misfits)


def receiver(event: Operated) -> str:
    """The text of the tensor that an operation was done on."""
    given: Given | None = event.given.get("input")
    return given.text if given is not None and given.text else "x"


def is_method(event: Operated) -> bool:
    """Whether an operation was written as a method of its tensor."""
    return event.place.text.startswith(f"{receiver(event)}.")


def arguments(event: Operated) -> str:
    """The arguments of a method call as written."""
    text = event.place.text
    opening = text.find("(", len(receiver(event)) if is_method(event) else 0)
    return text[opening + 1 : -1] if opening >= 0 and text.endswith(")") else "…"


def order(before: Sequence[Axis], after: Sequence[Axis]) -> tuple[int, ...] | None:
    """The order in which the axes `before` stand in `after`, in one piece each; None if they were cut."""
    left = [atom for axis in after for atom in axis.atoms]
    row: list[int] = []
    while left:
        at = next(
            (at for at, axis in enumerate(before) if axis.atoms and list(axis.atoms) == left[: len(axis.atoms)]), None
        )
        if at is None:
            return None
        row.append(at)
        del left[: len(before[at].atoms)]
    return tuple(row) if sorted(row) == list(range(len(before))) else None
