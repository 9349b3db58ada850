"""RSG302: a permute or transpose names too few or too many axes, one twice, or one that the tensor does not have."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.moves import first_tensor, receiver
from rnnshape_guard.checks.uses import rank_is_known
from rnnshape_guard.events import Log, RecurrentCalled, Reordered, Reshaped, Value
from rnnshape_guard.findings import Because, Finding, Label
from rnnshape_guard.shapes.axes import Rest, Shape, Strength
from rnnshape_guard.shapes.outcomes import Fault, Misfit

_FAULTS = (Fault.COUNT, Fault.AXIS, Fault.REPEATED, Fault.RANK)


def check(move: Reordered, log: Log) -> Iterator[Finding]:
    """Judge each reordering by what the operation itself refuses; a rank that only a recurrent layer suggests counts
    for nothing, since it takes a sequence without a batch as well."""
    misfit = next((one for one in move.misfits if one.fault in _FAULTS), None)
    value = move.value("input")
    if misfit is None or (misfit.fault is not Fault.REPEATED and not (value is not None and _is_sure(value, log))):
        return
    rank = value.shape.rank if value is not None and hasattr(value.shape, "rank") else None
    name = move.name.rpartition(".")[2]
    given = move.given.get("input")
    maker = log.maker(value) if value is not None else None
    yield Finding(
        code="RSG302",
        message=_message(move, misfit, name, rank),
        place=move.place,
        primary=_primary(misfit, name),
        labels=()
        if given is None or given.place is None or value is None
        else (Label(given.place, wording.shape(value)),),
        expected=_allowed(misfit, rank, name),
        found=wording.shape(value) if value is not None else "",
        because=() if maker is None else (Because(f"{wording.quoted(receiver(move))} was made here", maker.place),),
        help=_help(move, misfit, name, rank),
        subject=frozenset({("rank", move.id)}),
        cause=move.id,
    )


def _is_sure(value: Value, log: Log) -> bool:
    source = value
    for _, event in log.past(value):
        if isinstance(event, RecurrentCalled):
            return rank_is_known(event)
        if isinstance(event, Reshaped) and _may_drop_more(event):
            return False
        source = first_tensor(event) or source
    return not _is_only_written(source)


def _may_drop_more(event: Reshaped) -> bool:
    """Whether it is a `squeeze()` of a tensor with an axis of unknown size: it may be meant to go."""
    value, dim = event.value("input"), event.given.get("dim")
    if event.name.rpartition(".")[2] != "squeeze" or (dim is not None and dim.seen is not None):
        return False
    return value is None or value.axes is None or any(axis.size.value is None for axis in value.axes)


def _is_only_written(value: Value) -> bool:
    """Whether nothing but a comment or docstring tells a tensor's rank."""
    if not isinstance(value.shape, Shape) or not any(isinstance(part, Rest) for part in value.shape.stored):
        return False
    strengths = {evidence.strength for atom in value.shape.atoms() for evidence in atom.evidence}
    return Strength.WRITTEN in strengths and min(strengths) is Strength.WRITTEN


def _message(move: Reordered, misfit: Misfit, name: str, rank: int | None) -> str:
    tensor = wording.quoted(receiver(move))
    has = (
        f"{tensor} has {rank} {'axis' if rank == 1 else 'axes'}"
        if rank is not None
        else f"{tensor} has another number of axes"
    )
    match misfit.fault:
        case Fault.REPEATED:
            return f"`{name}` names axis {misfit.axis} twice"
        case Fault.COUNT if misfit.found is not None:
            return f"{has}, but `{name}` names {wording.size(misfit.found)}"
        case Fault.RANK:
            return f"{has}, but `{name}` takes at most 2"
    return f"{has}, but `{name}` names axis {misfit.axis}"


def _primary(misfit: Misfit, name: str) -> str:
    match misfit.fault:
        case Fault.REPEATED:
            return f"axis {misfit.axis} twice"
        case Fault.COUNT if misfit.found is not None:
            return f"{wording.size(misfit.found)} axes"
        case Fault.AXIS:
            return f"axis {misfit.axis}"
    return name


def _allowed(misfit: Misfit, rank: int | None, name: str) -> str:
    if rank is None or misfit.fault is Fault.REPEATED:
        return ""
    if misfit.fault is Fault.AXIS:
        return f"axes {-rank} to {rank - 1}"
    return f"{rank} axes" if name == "permute" else ""


def _help(move: Reordered, misfit: Misfit, name: str, rank: int | None) -> str:
    if misfit.fault is Fault.RANK:
        return f"{receiver(move)}.transpose(-2, -1)"
    if misfit.fault is Fault.REPEATED:
        return "name each axis once"
    if name == "permute" and rank == 3 and misfit.fault is Fault.COUNT:
        return f"{receiver(move)}.permute(1, 0, 2)"
    if rank == 2:
        return f"{receiver(move)}.transpose(0, 1)"
    return ""
