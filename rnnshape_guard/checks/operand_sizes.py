"""RSG707: tensors are multiplied, joined or added whose sizes do not fit each other."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterator
from typing import Final

from rnnshape_guard.checks import widths, wording
from rnnshape_guard.checks.reading import is_stacked
from rnnshape_guard.events import Combined, Computed, Contracted, Given, Log, Value
from rnnshape_guard.findings import Finding, Label
from rnnshape_guard.shapes.axes import Atom, Axis, Role, Shape, Strength
from rnnshape_guard.shapes.dims import Dim, compare, surely_above_one
from rnnshape_guard.shapes.outcomes import Fault, Misfit

_ARITHMETIC: Final = frozenset(
    "+ - * / // ** add sub subtract mul multiply div divide true_divide pow maximum minimum".split()
)
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
    joined = _joined(event)
    if joined is not None and widths.on_recurrent_path(event, log):
        yield _samples_among_steps(event, *joined)
        return
    stacked = _stacked(event)
    if stacked is not None:
        yield _layers_meet(event, *stacked)
        return
    shifted = _out_of_line(event)
    if shifted is not None and widths.on_recurrent_path(event, log):
        yield _meets_another(event, *shifted)


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


def _joined(event: Contracted | Combined | Computed) -> tuple[Given, Value, Value, int] | None:
    """Two tensors joined along an axis which is the batch of one and the time of the other."""
    if not isinstance(event, Combined) or event.name.rpartition(".")[2] not in ("cat", "concat", "concatenate"):
        return None
    dim = event.seen("dim")
    at = dim.literal if isinstance(dim, Dim) else None
    if at is None:
        return None
    for (_, _, one), (_, given, two) in itertools.permutations(_tensors(event), 2):
        if (
            one.axes is None
            or two.axes is None
            or len(one.axes) != len(two.axes)
            or not -len(one.axes) <= at < len(one.axes)
        ):
            continue
        time, batch = one.axes[at].atom, two.axes[at].atom
        if time is None or batch is None or 1 in (time.size.value, batch.size.value):
            continue
        if time.role() is Role.TIME and batch.role() is Role.BATCH:
            return given, two, one, at % len(one.axes)
    return None


def _samples_among_steps(
    event: Contracted | Combined | Computed, given: Given, one: Value, other: Value, at: int
) -> Finding:
    return Finding(
        code="RSG707",
        message=f"{wording.quoted(event.place)} joins along axis {at} the samples of {wording.shape(one)} to the steps of {wording.shape(other)}",
        place=event.place,
        primary=f"axis {at} is the batch of one and the time of the other",
        labels=(Label(given.place, wording.shape(one)),) if given.place is not None else (),
        expected=wording.shape(other),
        found=wording.shape(one),
        help="one step of each sample: .unsqueeze(1) of (batch, features)" if at == 1 else "",
        subject=frozenset({("operands", event.id)}),
        cause=event.id,
    )


def _out_of_line(event: Contracted | Combined | Computed) -> tuple[Given, Value, Value, Atom, Atom] | None:
    """Two tensors computed with each other that share an axis at different places, counted from the last: what is one
    axis meets another one."""
    if not _is_arithmetic(event):
        return None
    for (_, _, one), (_, given, two) in itertools.permutations(_tensors(event), 2):
        if one.axes is None or two.axes is None:
            continue
        ours = [_single(axis) for axis in reversed(one.axes)]
        theirs = [_single(axis) for axis in reversed(two.axes)]
        for at, atom in enumerate(theirs):
            if atom is None or theirs.count(atom) > 1 or ours.count(atom) != 1 or at >= len(ours):
                continue
            met = ours[at]
            if met is None or met is atom or atom.kind is not None or met.kind is not None:
                continue
            if not _are_alike(atom, met):
                return given, two, one, atom, met
    return None


def _are_alike(one: Atom, other: Atom) -> bool:
    """Whether a program itself makes two axes equally long: then they are rows and columns of a table of all pairs. That
    an operation asks for it says nothing."""
    return compare(one.size, other.size).equal and not (one.symbol.learned or other.symbol.learned)


def _is_arithmetic(event: Contracted | Combined | Computed) -> bool:
    """Whether an operation computes with the numbers of two tensors, each with each at the same place."""
    return isinstance(event, Computed) and event.name.rpartition(".")[2].rstrip("_") in _ARITHMETIC


def _single(axis: Axis) -> Atom | None:
    """The one atom of an axis that is no unit axis, as it was first."""
    return axis.atom.root if axis.atom is not None and axis.size.value != 1 else None


def _meets_another(
    event: Contracted | Combined | Computed, given: Given, one: Value, other: Value, atom: Atom, met: Atom
) -> Finding:
    names = [wording.atom_name(each) for each in (atom, met)]
    words = f"the {names[0]} of {wording.shape(one)} meets the {names[1]} of {wording.shape(other)}"
    return Finding(
        code="RSG707",
        message=f"in {wording.quoted(event.place)}, {words}"
        if "?" not in names
        else f"{wording.shape(one)} and {wording.shape(other)} stand out of line in `{event.name}`",
        place=event.place,
        primary="sizes are compared from the last axis on",
        labels=(Label(given.place, wording.shape(one)),) if given.place is not None else (),
        expected=wording.shape(other),
        found=wording.shape(one),
        help="an axis of size 1 where the other tensor has one more: .unsqueeze(1)",
        subject=frozenset({("operands", event.id), atom, met}),
        cause=event.id,
    )


def _stacked(event: Contracted | Combined | Computed) -> tuple[Given, Value, Value, Role] | None:
    """A state of several layers computed with a tensor that has its samples or steps where the state has its layers."""
    if not _is_arithmetic(event):
        return None
    for state, other in itertools.permutations(_tensors(event), 2):
        (_, given, one), (_, _, two) = state, other
        if one.axes is None or two.axes is None:
            continue
        for layers, met in zip(reversed(one.axes), reversed(two.axes), strict=False):
            role = met.role(Strength.LAYER)
            if is_stacked(layers) and surely_above_one(layers.size) and role in (Role.BATCH, Role.TIME):
                if met.size.value in (None, layers.size.value):
                    return given, one, two, role
    return None


def _layers_meet(
    event: Contracted | Combined | Computed, given: Given, state: Value, other: Value, role: Role
) -> Finding:
    words = "samples" if role is Role.BATCH else "steps"
    return Finding(
        code="RSG707",
        message=f"{wording.quoted(given)} holds {wording.shape(state)}: its layers meet the {words} of {wording.shape(other)}",
        place=event.place,
        primary=f"layers against {words}",
        labels=(Label(given.place, wording.shape(state)),) if given.place is not None else (),
        expected=wording.shape(other),
        found=wording.shape(state),
        help=f"{given.text}[-1] is the state of the last layer" if given.text.isidentifier() else "",
        subject=frozenset({("operands", event.id)}),
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
