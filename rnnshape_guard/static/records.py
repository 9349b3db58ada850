"""What is left of a program once it is lowered: small records, the only thing that the interpreter reads.

Every record keeps the number of the libcst node it came from, by which its file's positions find its place and its text.
Records are not frozen because a million of them are made and a frozen dataclass costs three times as much to make; nothing
changes them after lowering, but that a function's body is read when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(slots=True, eq=False)
class Record:
    """A piece of a program; `at` is the number of its node in its file."""

    at: int


# -- expressions ---------------------------------------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class Name(Record):
    """``x``."""

    id: str


@dataclass(slots=True, eq=False)
class Attribute(Record):
    """``value.name``."""

    value: Expression
    name: str


@dataclass(slots=True, eq=False)
class Constant(Record):
    """A number, string, bytes, True, False, None or Ellipsis as written. Implicitly joined strings are joined."""

    value: Any


@dataclass(slots=True, eq=False)
class Argument(Record):
    """One argument of a call: `keyword` for ``keyword=value``, `star` is ``*``, ``**`` or empty."""

    value: Expression
    keyword: str | None
    star: str


@dataclass(slots=True, eq=False)
class Call(Record):
    """``function(arguments)``."""

    function: Expression
    arguments: tuple[Argument, ...]


@dataclass(slots=True, eq=False)
class SliceRange(Record):
    """``start:stop:step`` inside a subscript."""

    start: Expression | None
    stop: Expression | None
    step: Expression | None


@dataclass(slots=True, eq=False)
class Subscript(Record):
    """``value[items]``; `is_tuple` says whether the brackets hold a tuple (``x[0, 1]``, ``x[0,]``)."""

    value: Expression
    items: tuple[Expression, ...]
    is_tuple: bool


@dataclass(slots=True, eq=False)
class BinaryOperation(Record):
    """``left operator right`` for ``+ - * / // % ** @ & | ^ << >>``."""

    operator: str
    left: Expression
    right: Expression


@dataclass(slots=True, eq=False)
class UnaryOperation(Record):
    """``- + ~ not``."""

    operator: str
    operand: Expression


@dataclass(slots=True, eq=False)
class BooleanOperation(Record):
    """``left and right``, ``left or right``."""

    operator: str
    left: Expression
    right: Expression


@dataclass(slots=True, eq=False)
class Comparison(Record):
    """``left op right op right …``; operators are spelled ``== != < <= > >= in, not in, is, is not``."""

    left: Expression
    rights: tuple[tuple[str, Expression], ...]


@dataclass(slots=True, eq=False)
class Conditional(Record):
    """``body if test else orelse``."""

    test: Expression
    body: Expression
    orelse: Expression


@dataclass(slots=True, eq=False)
class Lambda(Record):
    """``lambda parameters: body``."""

    parameters: tuple[Parameter, ...]
    body: Expression


@dataclass(slots=True, eq=False)
class Sequence(Record):
    """A tuple, list or set display; `kind` is ``tuple``, ``list`` or ``set``."""

    kind: str
    items: tuple[Expression, ...]


@dataclass(slots=True, eq=False)
class Mapping(Record):
    """A dict display; a key of None is ``**value``."""

    items: tuple[tuple[Expression | None, Expression], ...]


@dataclass(slots=True, eq=False)
class Generator(Record):
    """``for target in iterable if conditions`` of a comprehension."""

    target: Expression
    iterable: Expression
    conditions: tuple[Expression, ...]


@dataclass(slots=True, eq=False)
class Comprehension(Record):
    """`kind` is ``list``, ``set``, ``dict`` or ``generator``; `key` is given for a dict alone."""

    kind: str
    key: Expression | None
    element: Expression
    generators: tuple[Generator, ...]


@dataclass(slots=True, eq=False)
class Starred(Record):
    """``*value`` in a display, an index or a target."""

    value: Expression


@dataclass(slots=True, eq=False)
class NamedExpression(Record):
    """``target := value``."""

    target: Expression
    value: Expression


@dataclass(slots=True, eq=False)
class Formatted(Record):
    """An f-string: its embedded expressions in order, the text between them as constants.

    An expression with a conversion or a format is a `Formatted` inside this one, and so is what is not known at all,
    a `Formatted` without values.
    """

    values: tuple[Expression, ...]


@dataclass(slots=True, eq=False)
class Await(Record):
    """``await value``."""

    value: Expression


@dataclass(slots=True, eq=False)
class Yield(Record):
    """``yield value`` or ``yield from value`` (`delegates`)."""

    value: Expression | None
    delegates: bool


Expression = (
    Name
    | Attribute
    | Constant
    | Call
    | SliceRange
    | Subscript
    | BinaryOperation
    | UnaryOperation
    | BooleanOperation
    | Comparison
    | Conditional
    | Lambda
    | Sequence
    | Mapping
    | Comprehension
    | Starred
    | NamedExpression
    | Formatted
    | Await
    | Yield
)

# -- statements ----------------------------------------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class Comment(Record):
    """A comment's text without the hash; `trailing` if it stands behind code, else it stands on lines above."""

    text: str
    trailing: bool


@dataclass(slots=True, eq=False)
class Statement(Record):
    """A statement with the comments above it and behind it (for a block: behind its header)."""

    comments: tuple[Comment, ...]


@dataclass(slots=True, eq=False)
class Assign(Statement):
    """``a = b, c = value``: one target or more."""

    targets: tuple[Expression, ...]
    value: Expression


@dataclass(slots=True, eq=False)
class AnnotatedAssign(Statement):
    """``target: annotation = value``."""

    target: Expression
    annotation: Expression
    value: Expression | None


@dataclass(slots=True, eq=False)
class AugmentedAssign(Statement):
    """``target operator= value``; the operator is written without ``=``."""

    target: Expression
    operator: str
    value: Expression


@dataclass(slots=True, eq=False)
class Evaluate(Statement):
    """An expression as a statement."""

    value: Expression


@dataclass(slots=True, eq=False)
class Return(Statement):
    """``return value``."""

    value: Expression | None


@dataclass(slots=True, eq=False)
class If(Statement):
    """``if test: body else: orelse``; an elif is an If inside `orelse`."""

    test: Expression
    body: tuple[Statement, ...]
    orelse: tuple[Statement, ...]


@dataclass(slots=True, eq=False)
class For(Statement):
    """``for target in iterable: body else: orelse``."""

    target: Expression
    iterable: Expression
    body: tuple[Statement, ...]
    orelse: tuple[Statement, ...]


@dataclass(slots=True, eq=False)
class While(Statement):
    """``while test: body else: orelse``."""

    test: Expression
    body: tuple[Statement, ...]
    orelse: tuple[Statement, ...]


@dataclass(slots=True, eq=False)
class With(Statement):
    """``with expression as target, …: body``."""

    items: tuple[tuple[Expression, Expression | None], ...]
    body: tuple[Statement, ...]


@dataclass(slots=True, eq=False)
class Try(Statement):
    """``try: body except …: handlers else: orelse finally: final``. A handler is its name (or None) and its body;
    `caught` are the last words of the exceptions that handlers name and do not raise again."""

    body: tuple[Statement, ...]
    handlers: tuple[tuple[str | None, tuple[Statement, ...]], ...]
    orelse: tuple[Statement, ...]
    final: tuple[Statement, ...]
    caught: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class Parameter(Record):
    """A parameter: `kind` is ``positional`` (before ``/``), ``plain``, ``star``, ``keyword`` (after ``*``) or ``double star``.

    `comment` is the one behind it on its line.
    """

    name: str
    kind: str
    annotation: Expression | None
    default: Expression | None
    comment: Comment | None


@dataclass(slots=True, eq=False)
class Body:
    """What stands in a function: its statements without the docstring, and whether it yields. `words` are the names,
    attributes and short strings in it."""

    statements: tuple[Statement, ...]
    docstring: Constant | None
    is_generator: bool
    words: Set[str]


class Unread(Protocol):
    """The body of a function that was not parsed with its file."""

    @property
    def words(self) -> Set[str]:
        """At least the words in it."""

    def may_assign(self, receiver: str) -> bool:
        """Whether it may assign attributes of a parameter."""

    def read(self) -> Body:
        """What stands in it, now parsed."""


@dataclass(slots=True, eq=False)
class FunctionDef(Statement):
    """A function or method. `header` are the words of what stands around its body: decorators, defaults, annotations."""

    name: str
    parameters: tuple[Parameter, ...]
    decorators: tuple[Expression, ...]
    returns: Expression | None
    is_async: bool
    header: Set[str]
    inside: Body | Unread

    @property
    def contents(self) -> Body:
        """What stands in it; read when it is first asked for."""
        if not isinstance(self.inside, Body):
            self.inside = self.inside.read()
        return self.inside

    @property
    def body(self) -> tuple[Statement, ...]:
        """Its statements, without the docstring."""
        return self.contents.statements

    @property
    def docstring(self) -> Constant | None:
        """The record of its first statement, if that is a string."""
        return self.contents.docstring

    @property
    def words(self) -> Set[str]:
        """The names, attributes and short strings that stand in it; some more, while it is not read."""
        return self.header | self.inside.words

    def may_assign(self, receiver: str) -> bool:
        """Whether attributes of a parameter may be assigned in it."""
        return isinstance(self.inside, Body) or self.inside.may_assign(receiver)


@dataclass(slots=True, eq=False)
class ClassDef(Statement):
    """A class. `bases` holds positional and keyword arguments of the header."""

    name: str
    bases: tuple[Argument, ...]
    body: tuple[Statement, ...]
    decorators: tuple[Expression, ...]
    docstring: Constant | None


@dataclass(slots=True, eq=False)
class Import(Statement):
    """``import a.b as c, d``: pairs of dotted name and alias (or None)."""

    names: tuple[tuple[str, str | None], ...]


@dataclass(slots=True, eq=False)
class ImportFrom(Statement):
    """``from ..module import a as b``: `level` counts the dots; a star import has the one name ``*``."""

    module: str
    level: int
    names: tuple[tuple[str, str | None], ...]


@dataclass(slots=True, eq=False)
class Raise(Statement):
    """``raise …``: nothing after it runs."""


@dataclass(slots=True, eq=False)
class Assert(Statement):
    """``assert test``."""

    test: Expression


@dataclass(slots=True, eq=False)
class Delete(Statement):
    """``del targets``."""

    targets: tuple[Expression, ...]


@dataclass(slots=True, eq=False)
class Scope(Statement):
    """``global names`` (`is_global`) or ``nonlocal names``."""

    names: tuple[str, ...]
    is_global: bool


@dataclass(slots=True, eq=False)
class Jump(Statement):
    """``break`` or ``continue``."""

    is_break: bool


@dataclass(slots=True, eq=False)
class Case(Record):
    """One case of a match. `values` are the constants it accepts, None if it is anything more complex; `captures` are
    the names it binds; a wildcard has `is_wildcard`."""

    values: tuple[Expression, ...] | None
    captures: tuple[str, ...]
    is_wildcard: bool
    guard: Expression | None
    body: tuple[Statement, ...]


@dataclass(slots=True, eq=False)
class Match(Statement):
    """``match subject: cases``."""

    subject: Expression
    cases: tuple[Case, ...]


@dataclass(slots=True, eq=False)
class Words:
    """The words of a statement: those that were read with it, and those of the bodies in it that were not."""

    read: Set[str]
    unread: list[Unread]

    def all(self) -> Set[str]:
        """All of them together."""
        return set(self.read).union(*(one.words for one in self.unread))


@dataclass(slots=True, eq=False)
class Module(Record):
    """A file: its statements, its docstring, and the comments that belong to no statement (the last lines).

    `words` holds, for each statement of the body, the names, attributes and short strings that stand in it.
    """

    body: tuple[Statement, ...]
    docstring: Constant | None
    comments: tuple[Comment, ...]
    words: tuple[Words, ...]
