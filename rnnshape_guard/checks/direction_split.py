"""RSG407: the directions of an output are split with the direction axis on the wrong side of the hidden units."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.lineage import uses
from rnnshape_guard.checks.reading import misfits, recurrent_origin
from rnnshape_guard.events import Log, Reduced, Reshaped, Value
from rnnshape_guard.findings import Finding, Label
from rnnshape_guard.shapes.axes import Atom, Role
from rnnshape_guard.shapes.outcomes import Fault, Misfit

_SIDES = {Role.DIRECTION, Role.HIDDEN}


def check(event: Reshaped, log: Log) -> Iterator[Finding]:
    """Judge each view that takes the hidden units of an output out before its directions."""
    for misfit in misfits(event, Fault.SCRAMBLE):
        if splits_directions(misfit) and not _pools_pairs(event, log):
            yield _finding(event, misfit, log)
            return


def splits_directions(misfit: Misfit) -> bool:
    """Whether a view confuses directions and hidden units, and nothing else."""
    return {atom.kind for atom in (*misfit.wanted, *misfit.skipped)} == _SIDES


def _pools_pairs(event: Reshaped, log: Log) -> bool:
    """A maximum over neighbouring units, as a maxout takes it, needs no directions."""
    result = event.result
    readers = uses(result, log) if isinstance(result, Value) else []
    return bool(readers) and all(isinstance(one, Reduced) and one.name in ("max", "amax") for one in readers)


def _finding(event: Reshaped, misfit: Misfit, log: Log) -> Finding:
    value = event.value("input")
    origin = recurrent_origin(value, log) if value is not None else None
    atoms: tuple[Atom, ...] = (*misfit.wanted, *misfit.skipped)
    hidden = next((wording.size(atom.size) for atom in atoms if atom.kind is Role.HIDDEN), "hidden")
    return Finding(
        code="RSG407",
        message=f"{wording.quoted(event.place)} splits direction·hidden the wrong way round",
        place=event.place,
        primary=f"takes ({hidden}, 2)",
        labels=(Label(origin[0].layer.place, "2 directions"),) if origin is not None else (),
        expected=f"(..., 2, {hidden})",
        found=f"(..., {hidden}, 2)",
        help=f"split as 2, {hidden}: all forward units stand before all reverse units",
        condition=wording.when(misfit.condition),
        subject=frozenset(atom.root for atom in atoms),
        cause=origin[0].id if origin is not None else event.id,
    )
