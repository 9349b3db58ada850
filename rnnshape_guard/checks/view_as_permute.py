"""RSG303: a view or reshape gives the sizes of turned axes, but the data stays where it was."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.moves import arguments, is_method, is_scrambled, order, receiver
from rnnshape_guard.checks.reading import is_state, misfits
from rnnshape_guard.checks.roles import because_of, role_of
from rnnshape_guard.events import Log, Reshaped, Selected, Value
from rnnshape_guard.findings import Finding
from rnnshape_guard.shapes.axes import Atom, Axis, Role, Shape, Strength
from rnnshape_guard.shapes.dims import Dim, surely_above_one
from rnnshape_guard.shapes.outcomes import Fault


def check(event: Reshaped, log: Log) -> Iterator[Finding]:
    """Judge each view that takes atoms out of memory order. States are RSG304; the two directions of an output, cut the
    wrong way round, are RSG407."""
    value = event.value("input")
    if value is None or not isinstance(value.shape, Shape) or is_state(value.shape) or is_scrambled(value, log):
        return
    for misfit in misfits(event, Fault.SCRAMBLE):
        atoms = (*misfit.wanted, *misfit.skipped)
        if all(atom.kind in (Role.DIRECTION, Role.HIDDEN) for atom in atoms) or _is_shuffle(value, atoms):
            continue
        named = _sizes_named(event)
        if _may_be_another(misfit.wanted) or not all(_is_known(atom) or atom in named for atom in atoms):
            continue
        if _is_shear(event, value, atoms, log):
            continue
        yield _finding(event, value, atoms, wording.when(misfit.condition))
        return
    swapped = _swapped_by_name(event, value)
    if swapped:
        yield _finding(event, value, swapped, "")


def _is_shuffle(value: Value, atoms: tuple[Atom, ...]) -> bool:
    """Whether all happens inside one axis that holds neither batch nor time: groups of channels are shuffled so."""
    inside = next((axis for axis in value.axes or () if all(atom in axis.atoms for atom in atoms)), None)
    return inside is not None and not any(role_of(atom, Strength.LAYER) in (Role.BATCH, Role.TIME) for atom in atoms)


def _is_shear(event: Reshaped, value: Value, atoms: tuple[Atom, ...], log: Log) -> bool:
    """Whether this is half of a shear: a matrix that one row or column was added to is viewed by turned sizes, cut, and
    viewed back, which moves each row one step further than the last. Attention shifts relative positions so."""
    maker = log.maker(value)
    if isinstance(maker, Selected):
        laid_out = maker.value("input")
        if laid_out is not None and isinstance(log.maker(laid_out), Reshaped) and _is_cut(laid_out, value, atoms):
            return True
    result = event.result
    return isinstance(result, Value) and any(
        isinstance(cut, Selected)
        and isinstance(cut.result, Value)
        and _is_cut(result, cut.result, atoms)
        and any(isinstance(back, Reshaped) for back in log.readers(cut.result))
        for cut in log.readers(result)
    )


def _is_cut(whole: Value, part: Value, atoms: tuple[Atom, ...]) -> bool:
    """Whether one of some axes is shorter in a part of a tensor that has all of its axes."""
    before, after = whole.axes, part.axes
    if before is None or after is None or len(before) != len(after):
        return False
    held = {atom for axis in before for atom in axis.atoms}
    return any(atom.source in held and {atom, atom.source} & {*atoms} for axis in after for atom in axis.atoms)


def _is_known(atom: Atom) -> bool:
    """Whether something is known of an axis: one of unknown size that nobody has named may be 1."""
    return role_of(atom, Strength.LAYER) is not None or atom.symbol.value is not None


def _sizes_named(event: Reshaped) -> set[Atom]:
    """The axes whose own sizes are named in a view."""
    found: set[Atom] = set()
    for given in event.given.values():
        sizes = given.seen if isinstance(given.seen, tuple) else ()
        for size in sizes:
            if isinstance(size, Dim):
                found |= {symbol.owner for symbol in size.symbols() if isinstance(symbol.owner, Atom)}
    return found


def _swapped_by_name(event: Reshaped, value: Value) -> tuple[Atom, ...]:
    """Batch and time, where they are known to stand in one order and parameters name them in the other."""
    result = event.result if isinstance(event.result, Value) else None
    if event.misfits or value.axes is None or result is None or result.axes is None:
        return ()
    if len(value.axes) < 2 or len(result.axes) < 2 or any(axis.size.value == 1 for axis in result.axes[:2]):
        return ()
    if value.axes[0].size.value == 1 or (value.axes[1].size.value == 1 and value.axes[1].role() is not None):
        return ()
    before = [axis.role() for axis in value.axes[:2]]
    after = [axis.role() for axis in result.axes[:2]]
    second = result.axes[1].role(Strength.LAYER)
    if before[0] is Role.BATCH and before[1] is None and (after[0], second) == (Role.TIME, Role.BATCH):
        # The batch is the slowest in memory and stays so: nothing can come to stand in front of it.
        return (*value.axes[0].atoms, *(atom for axis in result.axes[:2] for atom in axis.atoms))
    if _layers_before_batch(value.axes, result.axes):
        return (*value.axes[0].atoms, *(atom for axis in result.axes[:2] for atom in axis.atoms))
    if {*before} != {Role.BATCH, Role.TIME} or after != before[::-1]:
        return ()
    return tuple(atom for axis in value.axes[:2] for atom in axis.atoms)


def _layers_before_batch(before: tuple[Axis, ...], after: tuple[Axis, ...]) -> bool:
    """Whether a view of as many axes puts an axis that is surely longer than 1 in front of the batch, which is the
    slowest in memory: the states of samples, kept batch first, made into those of layers."""
    return (
        len(before) == len(after) >= 3
        and before[0].role() is Role.BATCH
        and before[1].role() in (None, Role.LAYER)
        and after[0].role() in (None, Role.LAYER)
        and _is_batch(after[1])
        and surely_above_one(after[0].size)
    )


def _is_batch(axis: Axis) -> bool:
    """Whether an axis is the batch, or was sized by the batch of another tensor."""
    size = axis.atom.symbol.value if axis.atom is not None else None
    symbol = size.symbol if size is not None else None
    owner = symbol.owner if symbol is not None else None
    return axis.role() is Role.BATCH or (isinstance(owner, Atom) and owner.role() is Role.BATCH)


def _may_be_another(wanted: tuple[Atom, ...]) -> bool:
    """Whether a product was found in pieces of which one is known by a number or a parameter alone: it may as well be
    meant as a part of the axis in between."""
    return len(wanted) > 1 and any(
        atom.symbol.value is not None
        and all(symbol.owner is None for symbol in atom.symbol.value.symbols())
        and role_of(atom) not in (Role.BATCH, Role.TIME)
        for atom in wanted
    )


def _finding(event: Reshaped, value: Value, atoms: tuple[Atom, ...], condition: str) -> Finding:
    name = event.name.rpartition(".")[2]
    result = event.result if isinstance(event.result, Value) else None
    return Finding(
        code="RSG303",
        message=(
            f"{wording.quoted(event.place)} makes {wording.shape(result)} of {wording.quoted(receiver(event))}, "
            f"which holds {wording.shape(value)}: `{name}` moves no data"
        ),
        place=event.place,
        primary=f"cuts {wording.shape(value)} into {wording.shape(result)}",
        expected=wording.shape(value),
        found=wording.shape(result),
        because=because_of(*atoms),
        help=moved(event, value),
        condition=condition,
        subject=frozenset({("scramble", event.id)}),
        cause=event.id,
    )


def moved(event: Reshaped, value: Value) -> str:
    """The same sizes by a move: ``x.permute(1, 0, 2)``, with a reshape behind it where axes are joined."""
    result = event.result if isinstance(event.result, Value) else None
    if value.axes is None or result is None or result.axes is None:
        return "permute the axes first, then reshape"
    if any(len([atom for atom in axis.atoms if atom.size.value != 1]) > 1 for axis in value.axes):
        return "take the joined axes apart in the order in which memory holds them, then permute"
    places = order(value.axes, result.axes)
    if places is None:
        return "permute the axes first, then reshape"
    permuted = f"{receiver(event)}.permute({', '.join(map(str, places))})"
    if len(places) == len(result.axes):
        return permuted
    return f"{permuted}.reshape({arguments(event) if is_method(event) else '…'})"
