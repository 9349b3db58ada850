"""RSG410: a gather picks along one axis, and of another reads the first entry alone."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import widths, wording
from rnnshape_guard.events import Log, Selected, Value
from rnnshape_guard.findings import Finding, Label
from rnnshape_guard.shapes.axes import Axis, Shape
from rnnshape_guard.shapes.dims import Dim


def check(event: Selected, log: Log) -> Iterator[Finding]:
    """Judge each gather before or behind a recurrent layer: off its own axis, the result has the index's sizes."""
    if event.name != "gather" or event.path:
        return
    value, index, given = event.value("input"), event.value("index"), event.seen("dim")
    along = given.literal if isinstance(given, Dim) else None
    axes = value.axes if value is not None else None
    if value is None or axes is None or index is None or along is None or not -len(axes) <= along < len(axes):
        return
    along %= len(axes)
    for at, axis in enumerate(axes):
        if at != along and _is_width(axis) and _is_one(index, at, len(axes)):
            if widths.on_recurrent_path(event, log):
                yield _finding(event, value, index, along, at)
            return


def _is_width(axis: Axis) -> bool:
    """Whether an axis is the features that a layer makes, and not one of them alone."""
    return any(atom.kind in widths.MADE for atom in axis.atoms) and axis.size.value != 1


def _is_one(index: Value, at: int, rank: int) -> bool:
    """Whether an index has one entry along an axis. It has as many axes as what it picks from, known or not."""
    shape = index.shape
    found = [shape.axis(at), shape.axis(at - rank)] if isinstance(shape, Shape) else []
    return any(axis is not None and axis.size.value == 1 for axis in found)


def _finding(event: Selected, value: Value, index: Value, along: int, at: int) -> Finding:
    given = event.given["index"]
    holder = event.given["input"].text or "x"
    axes = value.axes or ()
    one_too = _is_one(index, along, len(axes))
    remedy = f"expand {given.text} along axis {at}" if one_too else f"{holder}.gather({at}, {given.text})"
    return Finding(
        code="RSG410",
        message=f"{wording.quoted(event.place)} picks along axis {along} and reads only the first of "
        f"{wording.sizes_of(axes[at])} on axis {at}",
        place=event.place,
        primary=f"one entry of axis {at}",
        labels=(Label(given.place, wording.shape(index)),) if given.place is not None else (),
        expected="an index along the axis that it has one entry of, or as wide as what it picks",
        found=wording.shape(index),
        help=remedy,
        subject=frozenset({("gather", event.id)}),
        cause=event.id,
    )
