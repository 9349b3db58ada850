"""What a driver saw: calls with their shapes, their outcome and their place, in the order they happened.

Events name values by id, and a `Log` knows which event made a value and which events read it, so that a check can
ask for the history of what it judges. Both drivers write the same events; checks read nothing else.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar, Union

from rnnshape_guard.ops import Kind
from rnnshape_guard.shapes.annotations import AxisSpec
from rnnshape_guard.shapes.axes import Axis, Shape
from rnnshape_guard.shapes.dims import Dim
from rnnshape_guard.shapes.outcomes import Misfit, Operand, Packed

_ids = itertools.count()

COLLATED: Final = "a DataLoader stacks the samples along axis 0, and its last batch may be smaller"
"""The evidence for the batch axis of a loader whose batches are not all of one size."""


class Place(Protocol):
    """Where something stands. What it is inside is the driver's affair."""

    @property
    def text(self) -> str:
        """The source text of the expression or statement, in one line."""

    @property
    def closing(self) -> Place:
        """Where an argument would be added: its closing bracket, or itself if it stands on one line."""

    @property
    def spot(self) -> object:
        """What two places of one expression have in common."""


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """A tensor (or packed sequence) that a program held: its shape, the event that made it (-1: it came from outside).

    `part` says which result of a recurrent layer it is: ``output``, ``h_n``, ``c_n``, or nothing.
    """

    shape: Shape | Packed
    made_by: int = -1
    part: str = ""
    id: int = field(default_factory=lambda: next(_ids))

    @property
    def axes(self) -> tuple[Axis, ...] | None:
        """The axes of a tensor of known rank, else None."""
        return self.shape.axes if isinstance(self.shape, Shape) else None


Seen = Union[Value, Operand, "tuple[Seen, ...]"]
"""An operand as a driver saw it: values where there are tensors."""


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """An argument of a call: what was given, and the place of its expression (None: a default)."""

    seen: Seen
    place: Place | None = None

    @property
    def value(self) -> Value | None:
        """The tensor given, if it is one."""
        return self.seen if isinstance(self.seen, Value) else None

    @property
    def text(self) -> str:
        """The argument as the user wrote it; empty for a default."""
        return self.place.text if self.place is not None else ""


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A layer object: its spec (from `layers`), the name the user gave it, and where it was built.

    `owner` is the class it belongs to; `argument_places` maps constructor arguments to where they stand.
    """

    spec: object
    name: str
    place: Place
    owner: str = ""
    argument_places: Mapping[str, Place] = field(default_factory=dict)
    positional: int = 0
    id: int = field(default_factory=lambda: next(_ids))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Event:
    """Something that happened. `scope` is the qualified name of the function it happened in; `path` holds the
    undecided branches it happened in, as pairs of branch and side; `entry` counts the entry points that a driver ran."""

    id: int
    place: Place
    scope: str = ""
    path: tuple[tuple[int, int], ...] = ()
    entry: int = 0
    uncertain: bool = False
    """It happened to one of several things that may stand there: history, but nothing to judge."""
    misfits: tuple[Misfit, ...] = ()
    result: Seen = None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LayerBuilt(Event):
    """A layer was constructed."""

    layer: Layer


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RecurrentBuilt(LayerBuilt):
    """An RNN, LSTM or GRU was constructed."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Called(Event):
    """Something was called with arguments, named as PyTorch names its parameters."""

    given: Mapping[str, Given]

    def seen(self, name: str) -> Seen:
        """What was given for a parameter; None where nothing was."""
        given = self.given.get(name)
        return given.seen if given is not None else None

    def value(self, name: str) -> Value | None:
        """The tensor given for a parameter, if one was."""
        given = self.given.get(name)
        return given.value if given is not None else None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LayerCalled(Called):
    """A layer other than a recurrent one was called (`input` is its first argument)."""

    layer: Layer


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RecurrentCalled(LayerCalled):
    """An RNN, LSTM or GRU was called with `input` and perhaps `hx`; the result is (output, state)."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CellCalled(LayerCalled):
    """An RNNCell, LSTMCell or GRUCell was called with `input` and perhaps `hx`."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LossCalled(Called):
    """A loss was computed, by a layer or a function: `input` and `target`. `name` is the layer's class name."""

    name: str


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PackCalled(Called):
    """pack_padded_sequence, pad_packed_sequence, pack_sequence or pad_sequence was called; `name` says which."""

    name: str


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Operated(Called):
    """A tensor operation: `name` is PyTorch's (``permute``, ``view``, ``cat``)."""

    name: str
    in_place: bool = False


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Reordered(Operated):
    """permute, transpose, movedim, t …"""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Reshaped(Operated):
    """view, reshape, flatten, squeeze, unsqueeze, expand, repeat …"""


WRITTEN: Final = "written"
"""The name of a subscript that is assigned to."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Selected(Operated):
    """An index, select, narrow, gather, chunk … For a subscript the name is ``index`` and `given["items"]` holds the items;
    `WRITTEN` for one that is assigned to, which has no result and the new numbers in `given["value"]`."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Combined(Operated):
    """cat, stack …; the tensors stand in `given["tensors"]`."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Reduced(Operated):
    """sum, mean, max, softmax along an axis …"""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Created(Operated):
    """zeros, randn, new_zeros, zeros_like … A tensor made from sizes; initial states are made so."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Computed(Operated):
    """An elementwise operation or arithmetic; operands of binary operators are ``input`` and ``other``."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Contracted(Operated):
    """matmul, bmm, einsum …"""


OPERATED: Final[dict[Kind, type[Operated]]] = {
    Kind.REORDER: Reordered,
    Kind.RESHAPE: Reshaped,
    Kind.SELECT: Selected,
    Kind.COMBINE: Combined,
    Kind.REDUCE: Reduced,
    Kind.CREATE: Created,
    Kind.ELEMENTWISE: Computed,
    Kind.CONTRACT: Contracted,
    Kind.MEASURE: Computed,
}
"""The event of each kind of operation."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Unpacked(Event):
    """A value was unpacked into `count` names (``h, c = state``); `source` is what was unpacked."""

    source: Seen
    count: int


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Discarded(Event):
    """The result of an event was thrown away: an expression statement. `made_by` is that event."""

    made_by: int


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Returned(Event):
    """A function returned a value: `result`."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FunctionEntered(Event):
    """A method or function was entered with these arguments (`lengths` is one that a check may ask for). `call` is where
    it was called, if that can be seen; the place of an argument is there, or where its default stands."""

    given: Mapping[str, Given]
    call: Place | None = None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Handed(Called):
    """Tensors were handed to something that is not followed: an unknown function or module, an attribute, a generator's
    caller. What becomes of them there nobody knows."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Declared(Event):
    """An annotation, a contract or `shaped` states the axes of a tensor: `text`, read as `axes`.

    `name` is what the user calls the tensor; `dtype` the word for its numbers (``Float``), empty for any. Statements of
    one `call`, the id of its FunctionEntered, share their names; -1 for one that stands alone. `spots` are the places of
    the axes in the string; `given` is the argument that a visible call gave; `sizes` is what ``{…}`` stands for.
    """

    value: Value
    text: str
    axes: tuple[AxisSpec, ...]
    name: str
    dtype: str = ""
    call: int = -1
    spots: tuple[Place, ...] = ()
    given: Place | None = None
    sizes: Mapping[str, Dim] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LayerDeclared(Event):
    """A contract states the kind of a layer (`stated`: ``LSTM``); the place is the contract's."""

    layer: Layer
    stated: str


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Misnoted(Event):
    """An axis string that can't be read: the whole `text`, the words of what is wrong, and the `spot` in it."""

    text: str
    message: str
    spot: Place


AnyEvent = TypeVar("AnyEvent", bound=Event)


class Log:
    """The events of one run, in order, with who made and who read each value."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._reads: list[list[Value]] = []
        self._readers: dict[int, list[Event]] = {}

    def add(self, event: Event) -> None:
        """Note an event; its id must be `len(log.events)`."""
        found = _read_by(event)
        self.events.append(event)
        self._reads.append(found)
        for value in found:
            readers = self._readers.get(value.id)
            if readers is None:
                self._readers[value.id] = [event]
            else:
                readers.append(event)

    def drop(self, since: int) -> None:
        """Forget the events from an id on."""
        for found in self._reads[since:]:
            for value in found:
                readers = self._readers[value.id]
                while readers and readers[-1].id >= since:
                    readers.pop()
        del self.events[since:]
        del self._reads[since:]

    def maker(self, value: Value) -> Event | None:
        """The event that made a value, or None for one from outside."""
        return self.events[value.made_by] if value.made_by >= 0 else None

    def readers(self, value: Value) -> list[Event]:
        """The events that read a value, in order."""
        return self._readers.get(value.id, [])

    def all(self, kind: type[AnyEvent]) -> Iterator[AnyEvent]:
        """Every event of a kind (or of kinds derived from it)."""
        return (event for event in self.events if isinstance(event, kind))

    def past(self, value: Value) -> Iterator[tuple[Value, Event]]:
        """A value's ancestors with their makers: itself first, then along each maker's first tensor."""
        seen: set[int] = set()
        current: Value | None = value
        while current is not None and current.id not in seen:
            seen.add(current.id)
            if current.made_by < 0:
                return
            yield current, self.events[current.made_by]
            read = self._reads[current.made_by]
            current = read[0] if read else None

    def future(self, value: Value, depth: int = 6) -> Iterator[Event]:
        """The events that read a value or something made from it, nearest first."""
        seen: set[int] = set()
        wave = [value]
        for _ in range(depth):
            wave_next: list[Value] = []
            for current in wave:
                for event in self.readers(current):
                    if event.id in seen:
                        continue
                    seen.add(event.id)
                    yield event
                    wave_next.extend(values_in(event.result))
            wave = wave_next


def values_in(seen: Seen) -> Iterator[Value]:
    """Every tensor in a nested operand or result, in order."""
    found: list[Value] = []
    _gather(seen, found)
    return iter(found)


def _gather(seen: Seen, found: list[Value]) -> None:
    if type(seen) is Value:
        found.append(seen)
    elif isinstance(seen, tuple):
        for part in seen:
            _gather(part, found)


def reads(event: Event) -> Iterator[Value]:
    """Every tensor an event read, in the order of its parameters."""
    return iter(_read_by(event))


def _read_by(event: Event) -> list[Value]:
    found: list[Value] = []
    match event:
        case Called():
            for given in event.given.values():
                _gather(given.seen, found)
        case Unpacked():
            _gather(event.source, found)
        case Returned():
            _gather(event.result, found)
    return found
