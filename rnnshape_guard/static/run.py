"""One run of an entry point: its log, its frames, and a journal by which a branch can be left without a trace.

A branch whose condition is not known is executed, taken back, and joined with its other side. That works because
everything that interpretation changes (names, attributes, lists, what sizes and ranks turned out to be) is changed
through the journal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

from rnnshape_guard.events import Event, Log, Value
from rnnshape_guard.findings import Position, Span
from rnnshape_guard.shapes.axes import Axis, Evidence, Rest, Strength
from rnnshape_guard.shapes.dims import Dim, Symbol, compare, resolve
from rnnshape_guard.shapes.outcomes import Learned, Misfit
from rnnshape_guard.static.finder import Place
from rnnshape_guard.static.positions import Positions
from rnnshape_guard.static.records import Record
from rnnshape_guard.static.values import Anything, External, FunctionObject, Imported, Instance, LayerObject

if TYPE_CHECKING:
    from rnnshape_guard.static.project import Project

MISSING: Final[Any] = type("Missing", (), {"__repr__": lambda self: "MISSING"})()
"""What a name holds before it is bound."""

Made = TypeVar("Made", bound=Event)


class OutOfSteps(Exception):
    """The run has used up its steps, or nests too deep."""


PlaceKey = tuple[int, int, bool, tuple[int, int] | None]
"""The same for two places that are one."""

TrustedNote = tuple[PlaceKey, tuple[str, ...]]
"""A shape that somebody wrote, by its place and its words."""


@dataclass(slots=True, eq=False)
class NodePlace:
    """A place in a source file: the number of a node, looked up in the file's positions only when somebody asks.

    `at_end` is the last character of the node alone; `within` is a stretch of what a string says, without its quotes.
    Nothing changes a place; it is not frozen because one is made for every argument of every call.
    """

    at: int
    positions: Positions
    at_end: bool = False
    within: tuple[int, int] | None = None

    @property
    def text(self) -> str:
        """The node's source in one line."""
        return self.positions.text(self.at)

    @property
    def closing(self) -> NodePlace:
        """The place where the node ends, its closing bracket; itself if it stands on one line."""
        whole = self.positions.span(self.at)
        return self if whole.start.row == whole.end.row else NodePlace(self.at, self.positions, True)

    @property
    def span(self) -> Span:
        """The rows and columns."""
        if self.within is not None:
            return self.positions.span_within(self.at, *self.within)
        whole = self.positions.span(self.at)
        if not self.at_end or whole.end.column < 2:
            return whole
        return Span(whole.filename, Position(whole.end.row, whole.end.column - 1), whole.end)

    @property
    def spot(self) -> tuple[int, int]:
        """The same for two places of one expression."""
        return id(self.positions), self.at

    @property
    def key(self) -> PlaceKey:
        """The same for two places that are one."""
        return *self.spot, self.at_end, self.within


class Meanwhile:
    """A context in which a field of a run holds another value."""

    __slots__ = ("before", "field", "run", "value")

    def __init__(self, run: Run, field: str, value: Any) -> None:
        self.run = run
        self.field = field
        self.value = value

    def __enter__(self) -> None:
        self.before = getattr(self.run, self.field)
        setattr(self.run, self.field, self.value)

    def __exit__(self, *_: object) -> None:
        setattr(self.run, self.field, self.before)


class Frame:
    """The names of one call, class body or module; `parent` is the frame that encloses it in the text."""

    __slots__ = ("function", "outer", "names", "parent", "receiver", "returns", "scope", "yields")

    def __init__(self, scope: str, parent: Frame | None = None, function: FunctionObject | None = None) -> None:
        self.scope = scope
        self.parent = parent
        self.function = function
        self.names: dict[str, Anything] = {}
        self.outer: dict[str, Frame] = {}
        self.receiver: Anything = None
        self.returns: list[Anything] = []
        self.yields: list[Anything] = []

    @property
    def module(self) -> ModuleFrame:
        """The frame of the file."""
        frame = self
        while frame.parent is not None:
            frame = frame.parent
        assert isinstance(frame, ModuleFrame)
        return frame

    def find(self, name: str) -> Anything:
        """What a name is bound to here or in an enclosing frame; MISSING if nowhere."""
        frame: Frame | None = self
        while frame is not None:
            value = frame.names.get(name, MISSING)
            if value is not MISSING:
                return value.value() if type(value) is Imported else value
            frame = frame.parent
        return MISSING


class ModuleFrame(Frame):
    """The names of a file. `prefix` makes its keys unlike those of other files; `stars` are packages of others whose
    names were all imported; it `is_complete` when its code has run."""

    __slots__ = ("file", "is_complete", "positions", "prefix", "stars")

    def __init__(self, positions: Positions, prefix: str = "") -> None:
        super().__init__("")
        self.file = positions.filename
        self.positions = positions
        self.prefix = prefix
        self.stars: list[External] = []
        self.is_complete = False


@dataclass(slots=True)
class Change:
    """One entry of the journal: a place that holds a value, and what it held before."""

    holder: Any
    key: Any
    old: Any

    @property
    def now(self) -> Any:
        """What the place holds at present."""
        if isinstance(self.holder, dict):
            return self.holder.get(self.key, MISSING)
        return getattr(self.holder, self.key)

    def restore(self, value: Any) -> None:
        """Let the place hold a value again."""
        if not isinstance(self.holder, dict):
            setattr(self.holder, self.key, value)
        elif value is MISSING:
            self.holder.pop(self.key, None)
        else:
            self.holder[self.key] = value


class Journal:
    """Every change made, so that it can be taken back."""

    __slots__ = ("changes", "reopened")

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.reopened: list[tuple[Rest, tuple[Axis | Rest, ...]]] = []

    def put(self, holder: dict[Any, Any], key: Any, value: Any) -> None:
        """``holder[key] = value``."""
        self.changes.append(Change(holder, key, holder.get(key, MISSING)))
        holder[key] = value

    def write(self, holder: Any, attribute: str, value: Any) -> None:
        """``holder.attribute = value``."""
        self.changes.append(Change(holder, attribute, getattr(holder, attribute)))
        setattr(holder, attribute, value)

    def mark(self) -> int:
        """A point to go back to."""
        return len(self.changes)

    def undo(self, mark: int) -> dict[tuple[int, Any], tuple[Change, Any]]:
        """Take back all since a mark; returns each changed place with what it held at the end."""
        last: dict[tuple[int, Any], tuple[Change, Any]] = {}
        for change in self.changes[mark:]:
            key = (id(change.holder), change.key)
            if key not in last:
                last[key] = (change, change.now)
        self.take_back(mark)
        return last

    def take_back(self, mark: int) -> None:
        """Take back all since a mark."""
        changes = self.changes
        while len(changes) > mark:
            change = changes.pop()
            holder = change.holder
            if type(holder) is dict:
                if change.old is MISSING:
                    holder.pop(change.key, None)
                else:
                    holder[change.key] = change.old
                continue
            if type(holder) is Rest and holder.parts is not None:
                self.reopened.append((holder, holder.parts))
            setattr(holder, change.key, change.old)

    def redo(self, changed: dict[tuple[int, Any], tuple[Change, Any]]) -> None:
        """Make changes again that were taken back."""
        for change, value in changed.values():
            self.changes.append(Change(change.holder, change.key, change.now))
            change.restore(value)

    def recall(self) -> None:
        """When everything has run: axes that were known inside a branch or an entry point are known again, so that the
        events in there can be judged. Where two branches disagree about their number, they stay unknown."""
        ranks: dict[Rest, set[int]] = {}
        for rest, parts in self.reopened:
            ranks.setdefault(rest, set()).add(len(parts))
        for rest, parts in self.reopened:
            if rest.parts is None and len(ranks[rest]) == 1:
                rest.solve(parts)


@dataclass(slots=True)
class Tests:
    """Where an undecided condition was met: in a constructor, elsewhere, or as an argument of a layer."""

    label: str
    in_constructor: bool = False
    elsewhere: bool = False
    in_layer: bool = False

    @property
    def worth_a_fork(self) -> bool:
        """Whether deciding the condition once for the whole run tells more than joining both sides each time."""
        return self.elsewhere and (self.in_constructor or self.in_layer)


@dataclass(slots=True)
class Written:
    """A shape that somebody wrote for a value: judged when the run ends, against the rank it then has."""

    value: Value
    words: tuple[str, ...]
    strength: Strength
    place: NodePlace
    text: str
    when: int


@dataclass(slots=True, eq=False)
class Run:
    """The state of interpreting one file, entry point after entry point. `main` is that file's frame, `frame` that of the
    file whose code runs now, `modules` those of the files of the `project` that were loaded, and `spent` the steps that
    functions of these have had. `assumed` decides conditions by their key;
    `steps` are what is left of the budget. `calls` are the calls it is in the middle of, each as the id of its
    FunctionEntered and its receiver; `arrays` are values, by id, that are NumPy's and not PyTorch's; `forms` are annotations as they were read, `contracts` those of layers by id."""

    main: ModuleFrame
    project: Project | None = None
    modules: dict[str, ModuleFrame | None] = field(default_factory=dict)
    spent: dict[int, int] = field(default_factory=dict)
    assumed: dict[str, bool] = field(default_factory=dict)
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    steps: int = 60_000
    constructing: int = 0
    log: Log = field(default_factory=Log)
    journal: Journal = field(default_factory=Journal)
    path: tuple[tuple[int, int], ...] = ()
    tests: dict[str, Tests] = field(default_factory=dict)
    known: dict[str, bool] = field(default_factory=dict)
    uncertain: int = 0
    written: list[Written] = field(default_factory=list)
    trusted: set[TrustedNote] = field(default_factory=set)
    distrusted: set[TrustedNote] = field(default_factory=set)
    doubtful: set[int] = field(default_factory=set)
    arrays: set[int] = field(default_factory=set)
    instances: list[Instance] = field(default_factory=list)
    escaped: list[FunctionObject] = field(default_factory=list)
    called: set[int] = field(default_factory=set)
    containers: list[LayerObject] = field(default_factory=list)
    records: dict[int, tuple[Record, ModuleFrame]] = field(default_factory=dict)
    placed: set[int] = field(default_factory=set)
    naming: tuple[Any, str] | None = None
    branches: int = 0
    stack: list[FunctionObject] = field(default_factory=list)
    calls: list[tuple[int, Anything]] = field(default_factory=list)
    forms: dict[int, Any] = field(default_factory=dict)
    contracts: dict[int, Any] = field(default_factory=dict)
    scope: str = ""
    entry: int = 0
    frame: ModuleFrame = field(init=False)

    def __post_init__(self) -> None:
        self.frame = self.main

    @property
    def positions(self) -> Positions:
        """The places of the file whose code runs now."""
        return self.frame.positions

    def place(self, record: Record) -> NodePlace:
        """Where a record of the file whose code runs now stands."""
        return NodePlace(record.at, self.frame.positions)

    def find_module(self, importer: ModuleFrame, level: int, dotted: str) -> Place | None:
        """The module of the project that an import means."""
        return self.project.find(importer.file, level, dotted) if self.project is not None else None

    def inside(self, frame: ModuleFrame) -> Meanwhile:
        """Inside, the code of another file runs."""
        return Meanwhile(self, "frame", frame)

    def step(self) -> None:
        """Count a step; raises OutOfSteps when there are none left."""
        self.steps -= 1
        if self.steps < 0:
            raise OutOfSteps

    def emit(self, kind: type[Made], record: Record, **fields: Any) -> Made:
        """Add an event to the log."""
        if fields.get("misfits"):
            fields["misfits"] = self.feasible(fields["misfits"])
        event = kind(
            id=len(self.log.events),
            place=self.place(record),
            scope=self.scope,
            path=self.path,
            entry=self.entry,
            uncertain=self.uncertain > 0,
            **fields,
        )
        self.log.add(event)
        return event

    @property
    def next_event(self) -> int:
        """The id of the event that will be emitted next."""
        return len(self.log.events)

    def branch(self, number: int, side: int) -> Meanwhile:
        """Whatever happens inside happens on one side of an undecided branch."""
        return Meanwhile(self, "path", (*self.path, (number, side)))

    def close(self, rest: Rest, parts: tuple[Any, ...]) -> None:
        """Fix axes that were unknown."""
        if rest.parts is None and rest not in parts:
            self.journal.write(rest, "parts", parts)

    def equate(self, left: Dim, right: Dim, *, learned: bool = True) -> None:
        """Two sizes must be equal: an atom's own size that nothing is known of takes the other's value. It is `learned`
        from what reads it, unless the program itself says so."""
        one, two = resolve(left), resolve(right)
        if compare(one, two).equal:
            return
        for symbol, value in ((one.symbol, two), (two.symbol, one)):
            if symbol is not None and symbol.value is None and symbol.owner is not None and not symbol.flag:
                if all(other is not symbol for other in value.symbols()):
                    self.journal.write(symbol, "value", value)
                    if learned:
                        self.journal.write(symbol, "learned", True)
                    return

    def learn(self, learned: tuple[Learned, ...], place: NodePlace) -> None:
        """Note the roles that an operation gave to atoms."""
        for item in learned:
            item.atom.learn(Evidence(item.role, item.strength, item.text, place, self.next_event))

    def test(self, key: str, label: str, symbol: Symbol | None = None) -> bool | None:
        """The truth of a condition that a branch around has, or that this run assumes; else None, and it is noted."""
        if not key:
            return None
        if key in self.known:
            return self.known[key]
        tests = self.tests.setdefault(key, Tests(label))
        if self.constructing:
            tests.in_constructor = True
        else:
            tests.elsewhere = True
        return self.assumed.get(key)

    def holds(self, key: str) -> bool | None:
        """The truth of a condition where it is known, without noting that it was asked."""
        return self.known[key] if key in self.known else self.assumed.get(key)

    def knowing(self, conditions: tuple[tuple[str, bool], ...]) -> Meanwhile:
        """Inside, these conditions are known."""
        return Meanwhile(self, "known", {**self.known, **dict(conditions)} if conditions else self.known)

    def doubting(self) -> Meanwhile:
        """Inside, what is called is one of several things, so that nothing that doesn't fit is surely wrong."""
        return Meanwhile(self, "uncertain", self.uncertain + 1)

    def feasible(self, misfits: tuple[Misfit, ...]) -> tuple[Misfit, ...]:
        """The misfits that can happen here: not those under a condition that a branch around rules out."""
        if self.uncertain:
            return ()
        return tuple(
            misfit
            for misfit in misfits
            if all(
                self.holds(f"flag:{symbol.key or symbol.name}") in (None, bool(value))
                for symbol, value in misfit.condition
            )
        )
