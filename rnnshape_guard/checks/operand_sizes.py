"""RSG707: tensors are multiplied, joined or added whose sizes do not fit each other."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterator
from typing import Final

from rnnshape_guard.checks import widths, wording
from rnnshape_guard.events import Combined, Computed, Contracted, Given, Log, Value
from rnnshape_guard.findings import Finding, Label
from rnnshape_guard.shapes.axes import Axis, Role, Shape, Strength
from rnnshape_guard.shapes.outcomes import Fault, Misfit

_SIZES: Final = frozenset({Fault.SIZE, Fault.BROADCAST, Fault.RANK})


def check(event: Contracted | Combined | Computed, log: Log) -> Iterator[Finding]:
    """Judge each operation on several tensors, if a recurrent layer stands before or behind it."""
    if event.path:
        return
    for misfit in event.misfits:
        if misfit.fault not in _SIZES:
            continue
        tensors = _tensors(event)
        if len(tensors) < 2 or not (widths.on_recurrent_path(event, log) or widths.in_written_cell(event, log)):
            return
        yield _finding(event, tensors, misfit)
        return
    crossed = _crossed(event)
    if crossed is not None and widths.on_recurrent_path(event, log):
        yield _swapped(event, *crossed)


def _crossed(event: Contracted | Combined | Computed) -> tuple[Given, Value, Value] | None:
    """Two tensors joined or added whose batch and time stand in opposite orders: what is one of them by identity meets the other."""
    if isinstance(event, Contracted) or (isinstance(event, Combined) and event.name.rpartition(".")[2] == "einsum"):
        return None
    tensors = _tensors(event)
    for (_, _, one), (_, given, two) in itertools.combinations(tensors, 2):
        if one.axes is None or two.axes is None or len(one.axes) != len(two.axes) or len(one.axes) < 2:
            continue
        first, second = one.axes[0].atom, one.axes[1].atom
        third, fourth = two.axes[0].atom, two.axes[1].atom
        if first is None or second is None or third is None or fourth is None:
            continue
        roles = [atom.role(Strength.LAYER) for atom in (first, second, third, fourth)]
        if {Role.BATCH, Role.TIME} != {*roles} or roles[:2] != roles[:1:-1]:
            continue
        if first.root is not fourth.root and second.root is not third.root:
            continue
        if any(atom.size.value == 1 for atom in (first, second, third, fourth)) or first.root is second.root:
            continue
        return given, one, two
    return None


def _swapped(event: Contracted | Combined | Computed, given: Given, one: Value, two: Value) -> Finding:
    return Finding(
        code="RSG707",
        message=f"{wording.shape(one)} and {wording.shape(two)} meet in `{event.name.rpartition('.')[2]}` with batch and time exchanged",
        place=event.place,
        primary="axes 0 and 1 are exchanged",
        labels=(Label(given.place, wording.shape(two)),) if given.place is not None else (),
        expected=wording.shape(one),
        found=wording.shape(two),
        help="move the axes of one of them: .transpose(0, 1)",
        subject=frozenset(
            {("operands", event.id), *(atom.root for axis in (one.axes or ())[:2] for atom in axis.atoms)}
        ),
        cause=event.id,
    )


def _tensors(event: Contracted | Combined | Computed) -> list[tuple[str, Given, Value]]:
    """The tensors given, under the names that misfits have for them."""
    found: list[tuple[str, Given, Value]] = []
    for name, given in event.given.items():
        if isinstance(given.seen, Value):
            found.append((name, given, given.seen))
        elif isinstance(given.seen, tuple):
            parts = ((f"{name}[{at}]", one) for at, one in enumerate(given.seen))
            found += [(inner, given, one) for inner, one in parts if isinstance(one, Value)]
    return found


def _finding(
    event: Contracted | Combined | Computed, tensors: list[tuple[str, Given, Value]], misfit: Misfit
) -> Finding:
    operation = event.name.rpartition(".")[2]
    wrong = next((value for name, _, value in tensors if name == misfit.operand), tensors[-1][2])
    other = next((value for _, _, value in tensors if value is not wrong), wrong)
    shown = " and ".join(wording.shape(value) for _, _, value in tensors[:3])
    labels: dict[int, Label] = {}
    for _, given, value in tensors[:3]:
        if given.place is not None:
            labels.setdefault(id(given), Label(given.place, wording.shape(value)))
    return Finding(
        code="RSG707",
        message=f"{shown} do not fit each other in `{operation}`{_where(misfit)}",
        place=event.place,
        primary=_words(misfit),
        labels=tuple(labels.values()),
        expected=wording.shape(other),
        found=wording.shape(wrong),
        condition=wording.when(misfit.condition),
        subject=frozenset({("operands", event.id), *_roots(wrong, misfit)}),
        cause=event.id,
    )


def _where(misfit: Misfit) -> str:
    if misfit.expected is None or misfit.found is None:
        return ""
    return f": {wording.size(misfit.expected)} against {wording.size(misfit.found)}"


def _words(misfit: Misfit) -> str:
    match misfit:
        case Misfit(fault=Fault.RANK, ranks=(rank,)):
            return f"needs {rank} axes"
        case Misfit(expected=expected) if expected is not None:
            return f"needs {wording.size(expected)} on axis {misfit.axis}"
        case _:
            return "sizes do not fit"


def _roots(value: Value, misfit: Misfit) -> Iterator[Hashable]:
    """The atoms that contradict, unless layers make such ones: two mistakes may share a layer's width."""
    axis: Axis | None = None
    if isinstance(value.shape, Shape) and misfit.axis is not None:
        axis = value.shape.axis(misfit.axis)
    for atom in axis.atoms if axis is not None else ():
        if atom.root.kind not in widths.MADE:
            yield atom.root
