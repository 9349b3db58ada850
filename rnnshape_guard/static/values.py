"""What a name can hold while a program is interpreted.

Tensors are `events.Value`, integers `Dim`, and Python's own constants and tuples stand for themselves. The rest is
here. What nothing is known of is an `Opaque`, which stays one thing: asked twice for the same attribute it gives the
same answer, so that `args.hidden` is one size wherever it is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rnnshape_guard.events import Layer, Place, Value
from rnnshape_guard.shapes.axes import Shape
from rnnshape_guard.shapes.dims import Dim, Symbol
from rnnshape_guard.static import records

if TYPE_CHECKING:
    from rnnshape_guard.static.run import Frame

Anything = Any
"""An interpreted value: one of the classes here, an `events.Value`, a `Dim`, a tuple, or a Python constant."""


class Opaque:
    """Something that nothing is known of, with an identity and a spelling (`args.hidden`).

    `origin` is a key that is the same in every run of one entry point. `hint` is the default value of a parameter.
    Used as a tensor or as a number it becomes one, once. `made_of` is the arithmetic it came from, of unknown values
    that may be either: the number it is as a number, and the tensor that has its shape as a tensor.
    """

    __slots__ = ("hint", "made_of", "number", "origin", "parts", "spelling", "tensor")

    def __init__(self, spelling: str = "", origin: str = "", hint: Anything = None) -> None:
        self.spelling = spelling
        self.origin = origin
        self.hint = hint
        self.parts: dict[Any, Anything] = {}
        self.tensor: Value | None = None
        self.number: Dim | None = None
        self.made_of: tuple[Callable[[], Dim | None], Callable[[], Value]] | None = None

    def part(self, key: Any, spelling: str) -> Anything:
        """The same unknown attribute or item for the same key."""
        if key not in self.parts:
            self.parts[key] = Opaque(spelling, f"{self.origin}{spelling[len(self.spelling) :]}" if self.origin else "")
        return self.parts[key]

    def as_tensor(self) -> Value:
        """This, now known to be a tensor."""
        if self.tensor is None:
            self.tensor = Value(Shape.unknown()) if self.made_of is None else self.made_of[1]()
        return self.tensor

    def as_number(self) -> Dim:
        """This, now known to be an integer."""
        if self.number is None and self.made_of is not None:
            self.number = self.made_of[0]()
        if self.number is None:
            symbol = Symbol(self.spelling.removeprefix("self.") or "?")
            symbol.flag = isinstance(self.hint, bool)
            symbol.key = self.origin
            self.number = Dim.of(symbol)
        return self.number


class ListValue:
    """A list (or set, or any iterable once it is walked): items known one by one, then perhaps a `tail` that stands for
    all further ones. `length` is the number of items where that is known though they are not."""

    __slots__ = ("items", "length", "tail")

    def __init__(self, items: list[Anything], tail: Anything = None, length: Dim | None = None) -> None:
        self.items = items
        self.tail = tail
        self.length = length

    @property
    def is_known(self) -> bool:
        """Whether every item is known."""
        return self.tail is None


class DictValue:
    """A dict; `is_open` when there may be more in it than is known."""

    __slots__ = ("is_open", "items")

    def __init__(self, items: dict[Any, Anything], is_open: bool = False) -> None:
        self.items = items
        self.is_open = is_open


@dataclass(slots=True, eq=False, repr=False)
class External:
    """Something of another package, by its full dotted name: `torch.nn.LSTM`."""

    path: str


class Imported:
    """A name that an import from another file of the project binds: what it holds is looked up whenever it is read."""

    __slots__ = ("_busy", "_read")

    def __init__(self, read: Callable[[], Anything]) -> None:
        self._read = read
        self._busy = False

    def value(self) -> Anything:
        """What the name holds there; unknown where files import it from one another in a ring."""
        if self._busy:
            return Opaque()
        self._busy = True
        try:
            return self._read()
        finally:
            self._busy = False


@dataclass(slots=True, eq=False, repr=False)
class ModuleObject:
    """A module of the project, with what reads its attributes."""

    name: str
    member: Callable[[str], Anything]


@dataclass(slots=True, eq=False, repr=False)
class ArrayType:
    """``Float[Tensor, "batch time"]`` as a value, with the name it was written under: an alias for annotations."""

    path: str
    record: records.Subscript


@dataclass(slots=True, eq=False, repr=False)
class ShapeOf:
    """`x.shape` or `x.size()` of a tensor: sizes to be read, unpacked or sliced."""

    value: Value


@dataclass(slots=True, eq=False, repr=False)
class RangeOf:
    """`range(start, stop, step)`."""

    start: Dim
    stop: Dim
    step: Dim


@dataclass(slots=True, eq=False, repr=False)
class Results:
    """A named tuple of results, such as the values and indices of a max."""

    names: tuple[str, ...]
    values: tuple[Anything, ...]


@dataclass(slots=True, eq=False, repr=False)
class LayerObject:
    """A torch.nn layer; `children` are the parts of a container (a ListValue or DictValue)."""

    layer: Layer
    children: ListValue | DictValue | None = None


@dataclass(slots=True, eq=False, repr=False)
class DynamicLayer:
    """A layer of a kind that the program chooses when it runs (`getattr(nn, kind)(…)`): one layer for each possible kind.

    `word` begins the keys of the conditions that the kind is this one or that.
    """

    options: tuple[LayerObject, ...]
    word: str


@dataclass(slots=True, eq=False, repr=False)
class Choice:
    """One of several values, it is not known which. With a `key` it is the first of two where the condition of that
    key holds, else the second."""

    options: tuple[Anything, ...]
    key: str = ""


@dataclass(slots=True, eq=False, repr=False)
class FunctionObject:
    """A function, method or lambda with the frame it was defined in; `owner` is the class whose body it stands in."""

    record: records.FunctionDef | records.Lambda
    frame: Frame
    name: str
    defaults: dict[str, Anything] = field(default_factory=dict)
    owner: ClassObject | None = None
    decorators: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return self.name


@dataclass(slots=True, eq=False, repr=False)
class ClassObject:
    """A class of the program: its bases (classes, externals, unknown), its own names and the annotations in its body.
    `kept` is remembered by `functions.kept_state`."""

    record: records.ClassDef
    frame: Frame
    name: str
    bases: tuple[Anything, ...]
    names: dict[str, Anything]
    place: Place | None = None
    kept: frozenset[str] | None = None
    annotations: dict[str, records.Expression] = field(default_factory=dict)

    def __repr__(self) -> str:
        return self.name

    @property
    def key(self) -> str:
        """The name of the class, unlike that of any other file's."""
        return f"{self.frame.module.prefix}{self.name}"

    def line(self) -> Iterator[ClassObject]:
        """This class and its bases in the program, nearest first (depth first, each once)."""
        seen: list[ClassObject] = []
        stack: list[Anything] = [self]
        while stack:
            current = stack.pop(0)
            if isinstance(current, ClassObject) and current not in seen:
                seen.append(current)
                stack = [*current.bases, *stack]
        yield from seen

    def find(self, name: str) -> Anything:
        """A name of the class or of a base in the program; None if there is none."""
        for one in self.line():
            if name in one.names:
                return one.names[name]
        return None

    def roots(self) -> list[Anything]:
        """The bases that are not classes of the program."""
        return [base for one in self.line() for base in one.bases if not isinstance(base, ClassObject)]


class Instance:
    """An object of a class of the program. What is not in `attributes` is unknown, and stays one unknown."""

    __slots__ = ("attributes", "call", "cls", "layer", "opaque", "used")

    def __init__(self, cls: ClassObject, name: str = "self") -> None:
        self.cls = cls
        self.attributes: dict[str, Anything] = {}
        self.opaque = Opaque(name, f"{cls.key}.self")
        self.layer: LayerObject | None = None
        self.used = False
        self.call: Any = None


@dataclass(slots=True, eq=False, repr=False)
class Method:
    """A function bound to an object."""

    function: FunctionObject
    receiver: Anything


@dataclass(slots=True, eq=False, repr=False)
class BoundName:
    """A method of a value that is not an object of the program: `x.permute`, `items.append`."""

    receiver: Anything
    name: str


@dataclass(slots=True, eq=False, repr=False)
class SuperOf:
    """`super()`: the classes after `cls` in the line of the receiver."""

    cls: ClassObject
    receiver: Anything


@dataclass(slots=True, eq=False, repr=False)
class Partial:
    """`functools.partial(function, …)`."""

    function: Anything
    arguments: tuple[Anything, ...]
    keywords: dict[str, Anything]
