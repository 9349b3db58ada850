"""RSG305: a view, reshape or unflatten asks for sizes that cannot hold the tensor's elements."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.moves import receiver
from rnnshape_guard.checks.reading import misfits
from rnnshape_guard.events import Log, Reshaped
from rnnshape_guard.findings import Finding, Label
from rnnshape_guard.shapes.axes import Role, Shape
from rnnshape_guard.shapes.dims import Dim, divide
from rnnshape_guard.shapes.outcomes import Fault


def check(event: Reshaped, log: Log) -> Iterator[Finding]:
    """Judge each view whose sizes, multiplied, are not the number of elements."""
    value = event.value("input")
    if value is None or not isinstance(value.shape, Shape):
        return
    for misfit in misfits(event, Fault.TOTAL):
        name = event.name.rpartition(".")[2]
        given = event.given.get("input")
        expected, found = misfit.expected, misfit.found
        forgotten = _forgotten(value.shape, expected, found)
        yield Finding(
            code="RSG305",
            message=f"the sizes of this `{name}` cannot hold {wording.quoted(receiver(event))}{forgotten}",
            place=event.place,
            primary=f"{wording.size(found)} elements" if found is not None and not _has_rest(event) else "",
            labels=() if given is None or given.place is None else (Label(given.place, wording.shape(value)),),
            expected=f"{wording.size(expected)} elements, {wording.shape(value)}" if expected is not None else "",
            found=f"{wording.size(found)} elements" if found is not None else "",
            help="let one of the sizes be -1, or name every axis",
            condition=wording.when(misfit.condition),
            subject=frozenset({("total", event.id)}),
            cause=event.id,
        )
        return


def _has_rest(event: Reshaped) -> bool:
    sizes = next((event.given[name].seen for name in ("size", "shape", "sizes") if name in event.given), ())
    return isinstance(sizes, tuple) and any(isinstance(size, Dim) and size.literal == -1 for size in sizes)


def _forgotten(shape: Shape, expected: Dim | None, found: Dim | None) -> str:
    """The layers or directions that the sizes leave out, if that is what is missing."""
    if expected is None or found is None:
        return ""
    missing = divide(expected, found)
    for atom in shape.atoms():
        if missing is not None and atom.kind in (Role.LAYER, Role.DIRECTION) and atom.size.value != 1:
            if missing == atom.size or (missing.value is not None and missing.value == atom.size.value):
                return f": the {atom.kind}s are left out"
    return ""
