"""RSG409: a loop counts along one axis of a tensor, and picks along another."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import widths, wording
from rnnshape_guard.checks.picking import Pick, front_picks, is_whole, picks
from rnnshape_guard.checks.recursions import SampleBySample, sample_by_sample
from rnnshape_guard.checks.roles import because_of, only_atom, role_of
from rnnshape_guard.events import Log, Selected
from rnnshape_guard.findings import Finding, Label
from rnnshape_guard.shapes.axes import Atom, Axis, Role, Shape, Strength
from rnnshape_guard.shapes.dims import Dim, resolve
from rnnshape_guard.shapes.outcomes import Slice


def check(event: Selected, log: Log) -> Iterator[Finding]:
    """Judge each subscript by a loop's index, if a recurrent layer or cell stands before or behind it."""
    value = event.value("input")
    if value is None or not isinstance(value.shape, Shape) or event.path:
        return
    recursion = sample_by_sample(event, log)
    if recursion is not None:
        yield _of_recursion(recursion)
        return
    axes = value.axes if value.axes is not None else value.shape.ends()[0]
    found = picks(event) if value.axes is not None else front_picks(event)
    taken = [pick for pick in found if not is_whole(pick.item)]
    if len(taken) != 1:
        return
    pick = taken[0]
    bound = _bound(pick)
    if bound is None or _ends_with(bound, pick.axis):
        return
    meant = [(at, axis) for at, axis in enumerate(axes) if _ends_with(bound, axis)]
    atom = only_atom(pick.axis)
    if len(meant) != 1 or atom is None or not widths.on_recurrent_path(event, log):
        return
    at, axis = meant[0]
    counted = only_atom(axis)
    if counted is None or counted.root is atom.root or _one_size(counted, atom):
        return
    yield _finding(event, pick, at, counted, atom)


def _bound(pick: Pick) -> Dim | None:
    """The size that an index counts to; of a slice, its start."""
    match pick.item:
        case Dim(below=bound) | Slice(start=Dim(below=bound)):
            return bound
    return None


def _ends_with(bound: Dim, axis: Axis) -> bool:
    """Whether a count runs along an axis, by identity: to its end, or to a number before it."""
    distance = resolve(bound - axis.size, numbers=False).literal
    return bound.literal is None and distance is not None and distance <= 0


def _one_size(one: Atom, other: Atom) -> bool:
    """Whether a program says that two axes are equally long: the table of all pairs."""
    return one.size == other.size


def _finding(event: Selected, pick: Pick, counted_at: int, counted: Atom, picked: Atom) -> Finding:
    value = event.value("input")
    text = event.given["input"].text
    words = {Role.TIME: "the steps", Role.BATCH: "the samples"}
    roles = [role_of(atom, Strength.LAYER) for atom in (counted, picked)]
    loop, item = (words.get(role, "") if role is not None else "" for role in roles)
    return Finding(
        code="RSG409",
        message=f"the loop counts along axis {counted_at} of {wording.quoted(text)}{_also(loop)}, but {wording.quoted(event.place)} picks along axis {pick.at}{_also(item)}",
        place=event.place,
        primary=f"axis {pick.at} of {wording.shape(value)}",
        labels=(Label(event.given["input"].place, wording.shape(value)),) if event.given["input"].place else (),
        expected=f"an index of axis {counted_at}",
        found=f"an index of axis {pick.at}",
        because=because_of(counted, picked),
        help=f"{text}[{':, ' * counted_at}t]" if text.isidentifier() else "",
        subject=frozenset({counted.root, picked.root}),
        cause=event.id,
    )


def _of_recursion(found: SampleBySample) -> Finding:
    given = found.event.given["input"]
    steps = next((at for at, axis in enumerate(found.value.axes or ()) if at != found.at), None)
    turned = found.turned
    return Finding(
        code="RSG409",
        message=f"the loop over {wording.quoted(given)} carries its state along axis {found.at}, from sample to sample",
        place=turned.place if turned is not None else found.event.place,
        primary=f"puts the batch on axis {found.at}" if turned is not None else f"axis {found.at} is the batch",
        labels=(
            Label(found.step.place, "reads what it made of the sample before"),
            *((Label(found.event.place, wording.shape(found.value)),) if turned is not None else ()),
        ),
        expected="a loop over the steps",
        found=f"a loop over axis {found.at} of {wording.shape(found.value)}",
        because=wording.because(found.batch, Strength.LAYER),
        help=f"{given.text}.transpose({found.at}, {steps})" if given.text.isidentifier() and turned is None else "",
        subject=frozenset(atom.root for axis in (found.value.axes or ())[:2] for atom in axis.atoms),
        cause=turned.id if turned is not None else found.event.id,
    )


def _also(words: str) -> str:
    return f", {words}" if words else ""
