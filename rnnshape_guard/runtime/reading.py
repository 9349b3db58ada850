"""What a running program says of its axes: names given to sizes, notes in comments and docstrings, annotations.

The same evidence that the checker reads, found from the other end: a tensor exists, and the words around the line that
made it are looked up. Nothing here decides anything; which role holds is judged when the call ends.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from rnnshape_guard.events import Seen, Value
from rnnshape_guard.runtime.errors import UserPlace
from rnnshape_guard.runtime.sources import Comment, Spot
from rnnshape_guard.shapes.annotations import NotationError, parse_axes
from rnnshape_guard.shapes.axes import Atom, Axis, Evidence, Role, Strength
from rnnshape_guard.shapes.dims import Dim
from rnnshape_guard.shapes.notes import ShapeNote, notes_in
from rnnshape_guard.shapes.vocabulary import role_of, role_of_all

_WORD: Final = re.compile(r"[A-Za-z_]\w*")
_LONGEST: Final = 6000

Words = Mapping[str, tuple[str, ...]]
Look = Callable[[Any], Value | None]
"""The value of a live object, if it is a tensor."""


@dataclass(slots=True)
class Written:
    """A shape that somebody wrote for a value: judged when the call ends."""

    value: Value
    words: tuple[str, ...]
    strength: Strength
    place: UserPlace
    text: str
    when: int


@dataclass(slots=True)
class Reader:
    """Reads the words around spots and puts evidence on atoms. `extra` are the user's own words for roles."""

    extra: Words = field(default_factory=dict)
    written: list[Written] = field(default_factory=list)

    # -- names of sizes ----------------------------------------------------------------------------------------

    def sizes(self, spot: Spot, axes: Sequence[Axis], index: int | None, when: int) -> None:
        """Sizes were read off a tensor: all of `axes`, or the one at `index`. The names they are given are evidence."""
        node: ast.AST | None = spot.node
        if not isinstance(node, ast.expr):
            return
        parents = spot.source.parents
        read: Sequence[Axis] | Axis | None = axes if index is None else axes[index]
        parent = parents.get(node)
        if isinstance(parent, ast.Subscript) and parent.value is node and index is None:
            read, node = _sliced(axes, parent.slice), parent
            parent = parents.get(node)
        if read is None:
            return
        if isinstance(read, Axis):
            self._one_size(spot, node, parent, read, when)
            return
        targets = _targets(parent, node)
        if targets is not None:
            self._unpacked(spot, targets, read, when)

    def _one_size(self, spot: Spot, node: ast.AST, parent: ast.AST | None, axis: Axis, when: int) -> None:
        target = _target_of(parent, node, spot.source.parents)
        if target is not None:
            self._named(spot, target, axis, when)
            return
        loop = _loop(parent, node, spot.source.parents)
        role = role_of(loop.id, self.extra) if loop is not None else None
        if loop is not None and role is not None:
            _learn(axis, role, Strength.STRUCTURAL, f"`{loop.id}` runs along this axis", spot.place_of(loop), when)

    def _named(self, spot: Spot, target: ast.expr, axis: Axis, when: int) -> None:
        name = _name(target)
        role = role_of(name, self.extra) if name else None
        if role is not None:
            text = f"`{name}` is the size of this axis"
            _learn(axis, role, Strength.STRUCTURAL, text, spot.place_of(target), when)

    def _unpacked(self, spot: Spot, targets: Sequence[ast.expr], axes: Sequence[Axis], when: int) -> None:
        starred = next((at for at, one in enumerate(targets) if isinstance(one, ast.Starred)), None)
        if starred is not None:
            behind = len(targets) - starred - 1
            if len(axes) < len(targets) - 1:
                return
            axes = [*axes[:starred], Axis(), *axes[len(axes) - behind :]] if behind else [*axes[:starred], Axis()]
        if len(targets) != len(axes):
            return
        words = [target.id if isinstance(target, ast.Name) else "_" for target in targets]
        for role, axis, target, word in zip(role_of_all(words, self.extra), axes, targets, words, strict=True):
            if role is not None:
                text = f"unpacked from the shape as `{word}`"
                _learn(axis, role, Strength.STRUCTURAL, text, spot.place_of(target), when)
        for target, axis in zip(targets, axes, strict=True):
            self._named(spot, target, axis, when)

    def made(self, spot: Spot, value: Value, sizes: Sequence[tuple[ast.expr, Any]], when: int) -> None:
        """A tensor made from sizes: an axis sized by another axis is that axis; one sized by a name is what the name
        says. `sizes` are the expressions with what they gave, in order of the axes."""
        axes = value.axes
        if axes is None or len(axes) != len(sizes):
            return
        words: list[str | int] = []
        for axis, (node, size) in zip(axes, sizes, strict=True):
            owner = owner_of(size)
            atom = axis.atom
            if atom is not None and owner is not None and owner is not atom and atom.source is None:
                atom.source = owner
                atom.evidence = owner.evidence
            words.append("_" if owner is not None or size == 1 else spot.source.text(node) if _name(node) else "_")
        for role, axis, word in zip(role_of_all(words, self.extra), axes, words, strict=True):
            if role is not None:
                _learn(axis, role, Strength.STRUCTURAL, f"made with the size `{word}`", spot.place, when)

    # -- notes in comments -------------------------------------------------------------------------------------

    def above(self, spot: Spot, names: Mapping[str, Any], look: Look, when: int) -> None:
        """Comments above a statement that speak of a name as it is before the statement runs."""
        statement = spot.statement
        if statement is None:
            return
        comments = shape_comments(spot)
        notes = list(_notes(comments, names, trailing=False))
        if not notes:
            return
        changed = set(_target_names(statement))
        trailing = any(True for _ in _notes(comments, names, trailing=True))
        first = _is_first(statement, spot)
        for note, comment in notes:
            if note.is_result:
                continue
            place = spot.source.comment_place(comment)
            if note.name is not None and (note.name not in changed or trailing or first):
                self._note(look(names.get(note.name)), note, place, when)
            elif note.name is None and any(other.is_result for other, _ in notes):
                self._note(_only_read(statement, names, look), note, place, when)

    def behind(self, spot: Spot, result: Seen, names: Mapping[str, Any], when: int) -> None:
        """The comment behind a statement whose value `result` is, and those above it that speak of what it makes."""
        statement = spot.statement
        if statement is None or not _is_value_of(spot.node, statement, spot.source.parents):
            return
        self._annotated(spot, statement, result, when)
        comments = shape_comments(spot)
        if not comments:
            return
        made = dict(_bound(statement, result))
        known = {**names, **dict.fromkeys(made)}
        own = list(_notes(comments, known, trailing=True))
        for note, comment in own:
            value = result if note.name is None else made.get(note.name)
            self._note(value, note, spot.source.comment_place(comment), when)
        if own:
            return
        above = list(_notes(comments, known, trailing=False))
        results = any(note.is_result for note, _ in above)
        for note, comment in above:
            place = spot.source.comment_place(comment)
            if note.is_result or (note.name is None and not results and len(above) == 1):
                self._note(result, note, place, when)
            elif note.name in made and not _is_first(statement, spot) and not _reads(statement, note.name):
                self._note(made[note.name], note, place, when)

    def _annotated(self, spot: Spot, statement: ast.stmt, result: Seen, when: int) -> None:
        if isinstance(statement, ast.AnnAssign) and isinstance(result, Value):
            self.declare(result, statement.annotation, spot, when)

    def _note(self, value: Any, note: ShapeNote, place: UserPlace, when: int) -> None:
        if isinstance(value, Value):
            words = tuple(str(word) for word in note.axes)
            text = f"written as ({', '.join(words)})"
            self.written.append(Written(value, words, Strength.WRITTEN, place, text, when))

    # -- functions ---------------------------------------------------------------------------------------------

    def function(
        self, spot: Spot, definition: ast.FunctionDef | ast.AsyncFunctionDef, values: Mapping[str, Any], when: int
    ) -> None:
        """What a function says of its parameters: annotations, comments behind them or above it, its docstring."""
        parameters = _parameters(definition)
        names = frozenset(parameter.arg for parameter in parameters)
        for parameter in parameters:
            value = values.get(parameter.arg)
            if parameter.annotation is not None and isinstance(value, Value):
                self.declare(value, parameter.annotation, spot, when)
            comment = spot.source.comments.get(parameter.lineno)
            if comment is not None and parameter.lineno > definition.lineno:
                for note in _notes_in(comment.text, names):
                    if note.name in (None, parameter.arg):
                        self._note(value, note, spot.source.comment_place(comment), when)
        for text, place in _said_of(spot, definition):
            if len(text) <= _LONGEST:
                for note in _notes_in(text, names):
                    if note.name in names and not note.is_result:
                        self._note(values.get(note.name), note, place, when)

    def declare(self, value: Value, annotation: ast.expr, spot: Spot, when: int) -> None:
        """A jaxtyping annotation: names for the axes."""
        match annotation:
            case ast.Subscript(slice=ast.Tuple(elts=[_, ast.Constant(value=str() as text)])):
                self.declare_axes(value, text, f'annotated "{text}"', spot.place_of(annotation), when)

    def declare_axes(self, value: Value, axes: str, text: str, place: UserPlace, when: int) -> None:
        """Axes stated in jaxtyping's notation."""
        try:
            parsed = parse_axes(axes)
        except NotationError:
            return
        if not any(axis.is_variadic for axis in parsed):
            words = tuple(axis.text for axis in parsed)
            self.written.append(Written(value, words, Strength.DECLARED, place, text, when))

    # -- the end of a call -------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Give written shapes to the axes they speak of, where the rank is the one that was written."""
        for written in self.written:
            axes = written.value.axes
            if axes is None or len(axes) != len(written.words):
                continue
            if any(_disagrees(word, axis) for word, axis in zip(written.words, axes, strict=True)):
                continue
            for role, axis in zip(role_of_all(written.words, self.extra), axes, strict=True):
                if role is not None and axis.atom is not None:
                    axis.atom.learn(Evidence(role, written.strength, written.text, written.place, written.when))


def shape_comments(spot: Spot) -> list[Comment]:
    """The comments around a statement that may speak of shapes."""
    statement = spot.statement
    if statement is None or not spot.source.comments:
        return []
    return [comment for comment in spot.source.comments_of(statement) if _may_be_shape(comment.text)]


def owner_of(size: Any) -> Atom | None:
    """The atom whose size this is, if it is exactly one atom's own size."""
    symbol = size.symbol if isinstance(size, Dim) else None
    return symbol.owner if symbol is not None and isinstance(symbol.owner, Atom) else None


def _learn(axis: Axis, role: Role, strength: Strength, text: str, place: UserPlace, when: int) -> None:
    if axis.atom is not None:
        axis.atom.learn(Evidence(role, strength, text, place, when))


def _disagrees(word: str, axis: Axis) -> bool:
    return word.isdigit() and axis.size.value is not None and axis.size.value != int(word)


# -- reading trees -----------------------------------------------------------------------------------------------


def _sliced(axes: Sequence[Axis], item: ast.expr) -> Sequence[Axis] | Axis | None:
    """What ``shape[item]`` is, for literal items."""
    if isinstance(item, ast.Slice):
        ends = [_number(end) if end is not None else None for end in (item.lower, item.upper, item.step)]
        if any(
            end is None and given is not None
            for end, given in zip(ends, (item.lower, item.upper, item.step), strict=True)
        ):
            return None
        return list(axes[slice(*ends)])
    number = _number(item)
    return axes[number] if number is not None and -len(axes) <= number < len(axes) else None


def _number(node: ast.expr) -> int | None:
    match node:
        case ast.Constant(value=int() as number):
            return number
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as number)):
            return -number
    return None


def _name(node: ast.expr) -> str:
    """The word of a name or of the last attribute."""
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _targets(parent: ast.AST | None, node: ast.AST) -> Sequence[ast.expr] | None:
    """The names that a statement unpacks an expression into."""
    if isinstance(parent, ast.Assign) and parent.value is node:
        for target in parent.targets:
            if isinstance(target, ast.Tuple | ast.List):
                return target.elts
    return None


def _target_of(parent: ast.AST | None, node: ast.AST, parents: Mapping[ast.AST, ast.AST]) -> ast.expr | None:
    """The one name that an expression is assigned to, alone or in its place of a row."""
    if isinstance(parent, ast.Assign) and parent.value is node:
        return parent.targets[0]
    if isinstance(parent, ast.AnnAssign) and parent.value is node:
        return parent.target
    if isinstance(parent, ast.NamedExpr) and parent.value is node:
        return parent.target
    if isinstance(parent, ast.Tuple):
        targets = _targets(parents.get(parent), parent)
        if targets is not None and len(targets) == len(parent.elts):
            return targets[[id(one) for one in parent.elts].index(id(node))]
    return None


def _loop(parent: ast.AST | None, node: ast.AST, parents: Mapping[ast.AST, ast.AST]) -> ast.Name | None:
    """The variable of ``for t in range(node)``."""
    if not isinstance(parent, ast.Call) or not isinstance(parent.func, ast.Name) or parent.func.id != "range":
        return None
    if parent.args[min(len(parent.args), 2) - 1] is not node:
        return None
    loop = parents.get(parent)
    target = loop.target if isinstance(loop, ast.For | ast.comprehension) and loop.iter is parent else None
    return target if isinstance(target, ast.Name) else None


def _is_value_of(node: ast.AST | None, statement: ast.stmt, parents: Mapping[ast.AST, ast.AST]) -> bool:
    """Whether an expression is what a statement assigns, returns or evaluates."""
    value = getattr(statement, "value", None)
    while node is not None and node is not value:
        parent = parents.get(node)
        if not isinstance(parent, ast.IfExp) or parent.test is node:
            return False
        node = parent
    return node is not None


def _target_names(statement: ast.stmt) -> Iterator[str]:
    targets: list[ast.expr] = []
    match statement:
        case ast.Assign():
            targets = list(statement.targets)
        case ast.AnnAssign():
            targets = [statement.target]
    for target in targets:
        for node in ast.walk(target):
            if isinstance(node, ast.Name):
                yield node.id


def _bound(statement: ast.stmt, result: Seen) -> Iterator[tuple[str, Seen]]:
    """The names that a statement binds to the parts of a result."""
    targets: list[ast.expr] = []
    match statement:
        case ast.Assign():
            targets = list(statement.targets)
        case ast.AnnAssign():
            targets = [statement.target]
    for target in targets:
        yield from _bound_to(target, result)


def _bound_to(target: ast.expr, result: Seen) -> Iterator[tuple[str, Seen]]:
    match target:
        case ast.Name():
            yield target.id, result
        case ast.Tuple(elts=targets) | ast.List(elts=targets):
            if isinstance(result, tuple) and len(result) == len(targets):
                for one, part in zip(targets, result, strict=True):
                    yield from _bound_to(one, part)
            else:
                for node in ast.walk(target):
                    if isinstance(node, ast.Name):
                        yield node.id, None


def _reads(statement: ast.stmt, name: str) -> bool:
    value = getattr(statement, "value", None)
    return value is not None and any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(value))


def _only_read(statement: ast.stmt, names: Mapping[str, Any], look: Look) -> Value | None:
    """The one tensor that a statement reads, for a note that says what goes in."""
    value = getattr(statement, "value", None)
    read = {node.id for node in ast.walk(value) if isinstance(node, ast.Name)} if value is not None else set()
    tensors = [found for name in read if (found := look(names.get(name))) is not None]
    return tensors[0] if len(tensors) == 1 else None


def _is_first(statement: ast.stmt, spot: Spot) -> bool:
    """Whether a statement is the first of its function: what is said above it is said of the parameters."""
    parent = spot.source.parents.get(statement)
    if not isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    body = [one for one in parent.body if not _is_docstring(one)]
    return bool(body) and body[0] is statement


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _parameters(definition: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.arg]:
    arguments = definition.args
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]


def _said_of(spot: Spot, definition: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[str, UserPlace]]:
    """The comments above a function and its docstring; for a forward, its class's docstring too."""
    for comment in spot.source.comments_of(definition):
        yield comment.text, spot.source.comment_place(comment)
    holders: list[ast.AST | None] = [definition]
    if definition.name == "forward":
        holders.append(spot.source.parents.get(definition))
    for holder in holders:
        if isinstance(holder, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            first = holder.body[0]
            if _is_docstring(first) and isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                if isinstance(first.value.value, str):
                    yield first.value.value, spot.source.place(first)


def _notes(
    comments: Sequence[Comment], names: Mapping[str, Any], *, trailing: bool
) -> Iterator[tuple[ShapeNote, Comment]]:
    for comment in comments:
        if comment.trailing is trailing:
            known = frozenset(_WORD.findall(comment.text)).intersection(names)
            for note in _notes_in(comment.text, known):
                if note.name is None or note.name in names:
                    yield note, comment


@lru_cache(maxsize=1024)
def _notes_in(text: str, known: frozenset[str]) -> tuple[ShapeNote, ...]:
    return tuple(notes_in(text, known_names=known)) if _may_be_shape(text) else ()


def _may_be_shape(text: str) -> bool:
    return any(mark in text for mark in "([（x×*")


def size_expressions(spot: Spot, count: int) -> list[ast.expr]:
    """The expressions of the sizes in ``torch.zeros(a, b)``, ``zeros((a, b))`` or ``zeros(size=(a, b))``."""
    if not isinstance(spot.node, ast.Call):
        return []
    items = list(spot.node.args)
    rows = [item for item in items if isinstance(item, ast.Tuple | ast.List)]
    rows += [word.value for word in spot.node.keywords if isinstance(word.value, ast.Tuple | ast.List)]
    if rows:
        items = list(rows[0].elts)
    return [] if len(items) != count or any(isinstance(item, ast.Starred) for item in items) else items
