"""Which axis a recurrent layer reads as the batch, held against what annotations, code and written shapes say."""

from __future__ import annotations

from dataclasses import dataclass

from rnnshape_guard.checks.reading import layout
from rnnshape_guard.checks.roles import because_of, only_atom, role_of
from rnnshape_guard.events import Log, RecurrentBuilt, RecurrentCalled, Reordered
from rnnshape_guard.findings import Because
from rnnshape_guard.layers import RecurrentSpec, settled
from rnnshape_guard.shapes.axes import Atom, Role


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A call whose layer reads an axis as what it is not: the batch as time, time as the batch, or both."""

    call: RecurrentCalled
    batch: Atom | None
    time: Atom | None

    @property
    def atoms(self) -> tuple[Atom, ...]:
        """The axes in contradiction."""
        return tuple(atom for atom in (self.batch, self.time) if atom is not None)

    @property
    def subject(self) -> frozenset[Atom]:
        """What findings about this contradiction share."""
        return frozenset(atom.root for atom in self.atoms)


def contradicted(call: RecurrentCalled) -> Contradiction | None:
    """What annotations, code and written shapes hold against the layout in which a layer reads its input."""
    axes = layout(call)
    if axes is None:
        return None
    as_batch, as_time = only_atom(axes[0]), only_atom(axes[1])
    roles = role_of(as_batch), role_of(as_time)
    if roles[0] is Role.BATCH or roles[1] is Role.TIME:
        return None
    batch = as_time if roles[1] is Role.BATCH else None
    time = as_batch if roles[0] is Role.TIME else None
    return Contradiction(call, batch, time) if batch is not None or time is not None else None


def is_callers_choice(call: RecurrentCalled) -> bool:
    """Whether `batch_first` is given as something else than True or False."""
    place = call.layer.argument_places.get("batch_first")
    return place is not None and place.text not in ("True", "False")


def is_chosen_batch_first(call: RecurrentCalled, log: Log) -> bool:
    """Whether a layer was told ``batch_first=True``, and its input comes as it is: the layout was thought of, where the
    default, or an input that the program has turned, is not."""
    spec, value = call.layer.spec, call.value("input")
    told = isinstance(spec, RecurrentSpec) and "batch_first" in spec.given and settled(spec.batch_first) is True
    return told and value is not None and not any(isinstance(event, Reordered) for _, event in log.past(value))


def reasons(found: Contradiction) -> tuple[Because, ...]:
    """The evidence for what the axes of a contradiction are, at most three lines."""
    return because_of(*found.atoms)


def misplaced(built_or_called: RecurrentBuilt | RecurrentCalled) -> str | None:
    """The parameter on which a positional ``True`` landed that was meant for `batch_first`."""
    layer = built_or_called.layer
    spec = layer.spec
    if not isinstance(spec, RecurrentSpec) or "batch_first" in spec.given:
        return None
    for name in ("num_layers", "nonlinearity", "bias"):
        place = layer.argument_places.get(name)
        if name in spec.positional and place is not None and place.text == "True":
            return name
    return None
