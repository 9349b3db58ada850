"""RSG707: tensors are multiplied, joined or added whose sizes do not fit each other, or whose axes do not."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Final

from rnnshape_guard.checks import widths, wording
from rnnshape_guard.checks.meetings import meeting, tensors_of
from rnnshape_guard.events import Combined, Computed, Contracted, Given, Log, Value
from rnnshape_guard.findings import Finding, Label
from rnnshape_guard.shapes.axes import Axis, Shape
from rnnshape_guard.shapes.outcomes import Fault, Misfit

_SIZES: Final = frozenset({Fault.SIZE, Fault.BROADCAST, Fault.RANK})


def check(event: Contracted | Combined | Computed, log: Log) -> Iterator[Finding]:
    """Judge each operation on several tensors, if a recurrent layer stands before or behind it."""
    if event.path:
        return
    for misfit in event.misfits:
        if misfit.fault not in _SIZES:
            continue
        tensors = tensors_of(event)
        if len(tensors) < 2 or not (widths.on_recurrent_path(event, log) or widths.in_written_cell(event, log)):
            return
        yield _finding(event, tensors, misfit)
        return
    met = meeting(event)
    if met is not None and widths.on_recurrent_path(event, log):
        yield met


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
