"""RSG305: a view, reshape or unflatten asks for sizes that cannot hold the tensor's elements; an expand or repeat names
too few."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.moves import receiver
from rnnshape_guard.checks.reading import misfits
from rnnshape_guard.checks.widths import on_recurrent_path
from rnnshape_guard.events import Log, Reshaped, Value
from rnnshape_guard.findings import Finding, Label
from rnnshape_guard.shapes.axes import Role, Shape
from rnnshape_guard.shapes.dims import Dim, divide, resolve
from rnnshape_guard.shapes.outcomes import Fault, Misfit


def check(event: Reshaped, log: Log) -> Iterator[Finding]:
    """Judge each view whose sizes, multiplied, are not the number of elements."""
    value = event.value("input")
    if value is None or not isinstance(value.shape, Shape):
        return
    yield from _too_few(event, value, log)
    for misfit in misfits(event, Fault.TOTAL):
        name = event.name.rpartition(".")[2]
        given = event.given.get("input")
        expected, found = misfit.expected, misfit.found
        yield Finding(
            code="RSG305",
            message=(
                f"the sizes of this `{name}` cannot hold {wording.quoted(receiver(event))}"
                f"{_forgotten(event, value.shape, misfit)}"
            ),
            place=event.place,
            primary=_elements(event, found),
            labels=() if given is None or given.place is None else (Label(given.place, wording.shape(value)),),
            expected=f"{_number(expected)} elements, {wording.shape(value)}" if expected is not None else "",
            found=_elements(event, found),
            help="let one of the sizes be -1, or name every axis" if not _sizes(event, -1) else "",
            condition=wording.when(misfit.condition),
            subject=frozenset({("total", event.id)}),
            cause=event.id,
        )
        return


def _too_few(event: Reshaped, value: Value, log: Log) -> Iterator[Finding]:
    """An `expand` or `repeat` that names fewer axes than there are."""
    name = event.name.rpartition(".")[2]
    if name not in ("expand", "repeat") or event.path or not on_recurrent_path(event, log):
        return
    for misfit in misfits(event, Fault.COUNT):
        expected, found = misfit.expected, misfit.found
        yield Finding(
            code="RSG305",
            message=f"this `{name}` names {wording.size(found) if found is not None else '?'} axes, but "
            f"{wording.quoted(receiver(event))} has {wording.size(expected) if expected is not None else '?'}",
            place=event.place,
            primary=f"of {wording.shape(value)}",
            expected=f"{wording.size(expected) if expected is not None else '?'} sizes or more",
            found=wording.shape(value),
            subject=frozenset({("total", event.id)}),
            cause=event.id,
        )
        return


def _number(size: Dim) -> str:
    return wording.size(size) if size.value is None else str(size.value)


def _elements(event: Reshaped, found: Dim | None) -> str:
    if found is None:
        return ""
    return f"{_number(found)} elements" if not _sizes(event, -1) else f"rows of {_number(found)}"


def _targets(event: Reshaped) -> tuple[Dim, ...]:
    sizes = next((event.given[name].seen for name in ("size", "shape", "sizes") if name in event.given), ())
    return tuple(size for size in sizes if isinstance(size, Dim)) if isinstance(sizes, tuple) else ()


def _sizes(event: Reshaped, number: int) -> bool:
    """Whether a number stands among the sizes."""
    return any(size.literal == number for size in _targets(event))


def _forgotten(event: Reshaped, shape: Shape, misfit: Misfit) -> str:
    """The layers or directions that the sizes leave out, if that is what is missing."""
    if misfit.expected is None or misfit.found is None:
        return ""
    missing = divide(misfit.expected, misfit.found)
    if missing is None:
        return ""
    named = {symbol for size in _targets(event) for symbol in resolve(size, numbers=False).symbols()}
    for atom in shape.atoms():
        if atom.kind not in (Role.LAYER, Role.DIRECTION) or atom.size.value == 1:
            continue
        is_missing = missing == atom.size or (missing.value is not None and missing.value == atom.size.value)
        if is_missing and named.isdisjoint(resolve(atom.size, numbers=False).symbols()):
            return f": the {atom.kind}s are left out"
    return ""
