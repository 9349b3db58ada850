"""Which axis a recurrent layer reads as the batch, held against what annotations, code and written shapes say."""

from __future__ import annotations

from dataclasses import dataclass

from rnnshape_guard.checks.reading import layout
from rnnshape_guard.checks.roles import because_of, only_atom, role_of
from rnnshape_guard.events import Log, RecurrentBuilt, RecurrentCalled, Reordered
from rnnshape_guard.findings import Because
from rnnshape_guard.layers import RecurrentSpec, settled
from rnnshape_guard.shapes.axes import Atom, Role, Strength


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


def is_of_a_base(found: Contradiction, log: Log) -> bool:
    """Whether nothing but notes contradicts a layer, and they stand in a method of a base class that has a layer of its
    own there: a class derived from it has put another in its place, and they speak of the base's."""
    call = found.call
    reasons = [reason for atom in found.atoms for reason in atom.reasons()]
    if any(reason.strength is not Strength.WRITTEN for reason in reasons):
        return False
    built = [
        event
        for event in log.all(RecurrentBuilt)
        if event.entry == call.entry and event.layer.name == call.layer.name and event.id < call.id
    ]
    base = _class_of(call.scope)
    own = {_class_of(event.scope) for event in built if event.layer is call.layer}
    return base not in own and any(_class_of(event.scope) == base for event in built)


def _class_of(scope: str) -> str:
    return scope.rpartition(".")[0]


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
