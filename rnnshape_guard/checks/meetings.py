"""Tensors whose sizes fit each other, or may, and whose axes do not: what is one axis meets another one."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Final

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.reading import is_stacked
from rnnshape_guard.events import Combined, Computed, Contracted, Given, Value
from rnnshape_guard.findings import Finding, Label
from rnnshape_guard.shapes.axes import Atom, Axis, Role, Strength
from rnnshape_guard.shapes.dims import Dim, compare, surely_above_one

Operation = Contracted | Combined | Computed

_ARITHMETIC: Final = frozenset(
    "+ - * / // ** add sub subtract mul multiply div divide true_divide pow maximum minimum".split()
)


def meeting(event: Operation) -> Finding | None:
    """What is wrong with the axes that meet in an operation on several tensors, whatever their sizes."""
    crossed = _crossed(event)
    if crossed is not None:
        return _swapped(event, *crossed)
    joined = _joined(event)
    if joined is not None:
        return _samples_among_steps(event, *joined)
    stacked = _stacked(event)
    if stacked is not None:
        return _layers_meet(event, *stacked)
    shifted = _out_of_line(event)
    return _meets_another(event, *shifted) if shifted is not None else None


def tensors_of(event: Operation) -> list[tuple[str, Given, Value]]:
    """The tensors given, under the names that misfits have for them."""
    found: list[tuple[str, Given, Value]] = []
    for name, given in event.given.items():
        if isinstance(given.seen, Value):
            found.append((name, given, given.seen))
        elif isinstance(given.seen, tuple):
            parts = ((f"{name}[{at}]", one) for at, one in enumerate(given.seen))
            found += [(inner, given, one) for inner, one in parts if isinstance(one, Value)]
    return found


def _crossed(event: Operation) -> tuple[Given, Value, Value] | None:
    """Two tensors joined or added whose batch and time stand in opposite orders: what is one of them by identity meets the other."""
    if isinstance(event, Contracted) or (isinstance(event, Combined) and event.name.rpartition(".")[2] == "einsum"):
        return None
    tensors = tensors_of(event)
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


def _swapped(event: Operation, given: Given, one: Value, two: Value) -> Finding:
    return _finding(
        event,
        given,
        two,
        one,
        message=f"{wording.shape(one)} and {wording.shape(two)} meet in `{event.name.rpartition('.')[2]}` with batch and time exchanged",
        primary="axes 0 and 1 are exchanged",
        remedy="move the axes of one of them: .transpose(0, 1)",
        axes=[atom.root for axis in (one.axes or ())[:2] for atom in axis.atoms],
    )


def _joined(event: Operation) -> tuple[Given, Value, Value, int] | None:
    """Two tensors joined along an axis which is the batch of one and the time of the other."""
    if not isinstance(event, Combined) or event.name.rpartition(".")[2] not in ("cat", "concat", "concatenate"):
        return None
    dim = event.seen("dim")
    at = dim.literal if isinstance(dim, Dim) else None
    if at is None:
        return None
    for (_, _, one), (_, given, two) in itertools.permutations(tensors_of(event), 2):
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


def _samples_among_steps(event: Operation, given: Given, one: Value, other: Value, at: int) -> Finding:
    return _finding(
        event,
        given,
        one,
        other,
        message=f"{wording.quoted(event.place)} joins along axis {at} the samples of {wording.shape(one)} to the steps of {wording.shape(other)}",
        primary=f"axis {at} is the batch of one and the time of the other",
        remedy="one step of each sample: .unsqueeze(1) of (batch, features)" if at == 1 else "",
    )


def _out_of_line(event: Operation) -> tuple[Given, Value, Value, Atom, Atom] | None:
    """Two tensors computed with each other that share an axis at different places, counted from the last: what is one
    axis meets another one."""
    if not _is_arithmetic(event):
        return None
    for (_, _, one), (_, given, two) in itertools.permutations(tensors_of(event), 2):
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


def _is_arithmetic(event: Operation) -> bool:
    """Whether an operation computes with the numbers of two tensors, each with each at the same place."""
    return isinstance(event, Computed) and event.name.rpartition(".")[2].rstrip("_") in _ARITHMETIC


def _single(axis: Axis) -> Atom | None:
    """The one atom of an axis that is no unit axis, as it was first."""
    return axis.atom.root if axis.atom is not None and axis.size.value != 1 else None


def _meets_another(event: Operation, given: Given, one: Value, other: Value, atom: Atom, met: Atom) -> Finding:
    names = [wording.atom_name(each) for each in (atom, met)]
    words = f"the {names[0]} of {wording.shape(one)} meets the {names[1]} of {wording.shape(other)}"
    return _finding(
        event,
        given,
        one,
        other,
        message=f"in {wording.quoted(event.place)}, {words}"
        if "?" not in names
        else f"{wording.shape(one)} and {wording.shape(other)} stand out of line in `{event.name}`",
        primary="sizes are compared from the last axis on",
        remedy="an axis of size 1 where the other tensor has one more: .unsqueeze(1)",
        axes=[atom, met],
    )


def _stacked(event: Operation) -> tuple[Given, Value, Value, Role] | None:
    """A state of several layers computed with a tensor that has its samples or steps where the state has its layers."""
    if not _is_arithmetic(event):
        return None
    for state, other in itertools.permutations(tensors_of(event), 2):
        (_, given, one), (_, _, two) = state, other
        if one.axes is None or two.axes is None:
            continue
        for layers, met in zip(reversed(one.axes), reversed(two.axes), strict=False):
            role = met.role(Strength.LAYER)
            if is_stacked(layers) and surely_above_one(layers.size) and role in (Role.BATCH, Role.TIME):
                if met.size.value in (None, layers.size.value):
                    return given, one, two, role
    return None


def _layers_meet(event: Operation, given: Given, state: Value, other: Value, role: Role) -> Finding:
    words = "samples" if role is Role.BATCH else "steps"
    return _finding(
        event,
        given,
        state,
        other,
        message=f"{wording.quoted(given)} holds {wording.shape(state)}: its layers meet the {words} of {wording.shape(other)}",
        primary=f"layers against {words}",
        remedy=f"{given.text}[-1] is the state of the last layer" if given.text.isidentifier() else "",
    )


def _finding(
    event: Operation,
    given: Given,
    found: Value,
    expected: Value,
    *,
    message: str,
    primary: str,
    remedy: str,
    axes: Iterable[Atom] = (),
) -> Finding:
    """That what was `given` has its axes otherwise than what it meets."""
    return Finding(
        code="RSG707",
        message=message,
        place=event.place,
        primary=primary,
        labels=(Label(given.place, wording.shape(found)),) if given.place is not None else (),
        expected=wording.shape(expected),
        found=wording.shape(found),
        help=remedy,
        subject=frozenset({("operands", event.id), *axes}),
        cause=event.id,
    )
