"""Reading what a program says of its axes: names given to sizes, notes in comments and docstrings, annotations.

Nothing here decides anything. Evidence is put on atoms, and which role holds is judged when the run ends.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from rnnshape_guard.events import Value
from rnnshape_guard.shapes.annotations import AxisSpec
from rnnshape_guard.shapes.axes import Atom, Axis, Evidence, Role, Shape, Strength
from rnnshape_guard.shapes.dims import Dim
from rnnshape_guard.shapes.notes import About, ShapeNote, notes_in, notes_of_all
from rnnshape_guard.shapes.vocabulary import role_of, role_of_all
from rnnshape_guard.static import records
from rnnshape_guard.static.run import MISSING, Frame, Run, TrustedNote, Written
from rnnshape_guard.static.values import Anything, Opaque, RangeOf, ShapeOf

_WORD: Final = re.compile(r"[A-Za-z_]\w*")
_MARK: Final = re.compile(r"[(\[（x×*]")


# -- names of sizes ------------------------------------------------------------------------------------------------


def owner_of(size: Any) -> Atom | None:
    """The atom whose size this is, if it is exactly one atom's own size."""
    symbol = size.symbol if isinstance(size, Dim) else None
    return symbol.owner if symbol is not None and isinstance(symbol.owner, Atom) else None


def read_name(run: Run, name: str, value: Anything, target: records.Record) -> None:
    """``batch_size = x.size(0)``: the name says what that axis is."""
    atom = owner_of(value)
    if atom is None:
        return
    role = role_of(name, run.words)
    if role is not None:
        _learn(run, atom, role, Strength.STRUCTURAL, f"`{name}` is the size of this axis", target)


def read_sizes(run: Run, targets: Sequence[records.Expression], value: Anything, parts: Sequence[Anything]) -> None:
    """``batch, time, features = x.shape``: the names together say what each axis is."""
    if not isinstance(value, ShapeOf) and not any(owner_of(part) for part in parts):
        return
    words = [target.id if isinstance(target, records.Name) else "_" for target in targets]
    for role, part, target, word in zip(role_of_all(words, run.words), parts, targets, words, strict=True):
        atom = owner_of(part)
        if role is not None and atom is not None:
            _learn(run, atom, role, Strength.STRUCTURAL, f"unpacked from the shape as `{word}`", target)


def read_loop(run: Run, target: records.Expression, iterable: Anything) -> None:
    """``for t in range(x.size(1))``: the loop's variable says what it runs along."""
    if isinstance(iterable, RangeOf) and isinstance(target, records.Name):
        atom = owner_of(iterable.stop)
        role = role_of(target.id, run.words)
        if atom is not None and role is not None:
            _learn(run, atom, role, Strength.USE, f"`{target.id}` runs along this axis", target)


def read_made(
    run: Run, result: Anything, arguments: Sequence[Anything], keywords: Mapping[str, Anything], record: records.Record
) -> None:
    """A tensor made from sizes: an axis sized by another axis is that axis; one sized by a name is what the name says."""
    axes = result.axes if isinstance(result, Value) else None
    if not axes:
        return
    words: list[str | int] = []
    for axis in axes:
        atom = axis.atom
        size = atom.symbol.value if atom is not None else None
        symbol = size.symbol if size is not None else None
        words.append(symbol.name if symbol is not None and symbol.owner is None else "_")
        owner = owner_of(size)
        if atom is not None and owner is not None and owner is not atom and atom.source is None:
            atom.source = owner
            atom.evidence = owner.evidence
    for role, axis, word in zip(role_of_all(words, run.words), axes, words, strict=True):
        if role is not None and axis.atom is not None:
            _learn(run, axis.atom, role, Strength.STRUCTURAL, f"made with the size `{word}`", record)


def read_viewed(run: Run, result: Anything, record: records.Record) -> None:
    """``x.view(-1, seq_len, width)``: an axis sized by a name is what the name says."""
    axes = result.axes if isinstance(result, Value) else None
    if not axes:
        return
    words = [_word_of(axis) for axis in axes]
    for role, axis, word in zip(role_of_all(words, run.words), axes, words, strict=True):
        if role is not None and axis.atom is not None:
            _learn(run, axis.atom, role, Strength.STRUCTURAL, f"viewed with the size `{word}`", record)


def _word_of(axis: Axis) -> str:
    """The name of the parameter or constant that is an axis's size; "_" for none."""
    size = axis.atom.symbol.value if axis.atom is not None else None
    symbol = size.symbol if size is not None else None
    return symbol.name if symbol is not None and symbol.owner is None else "_"


def _learn(run: Run, atom: Atom, role: Role, strength: Strength, text: str, record: records.Record) -> None:
    atom.learn(Evidence(role, strength, text, run.place(record), run.next_event))


# -- notes in comments ---------------------------------------------------------------------------------------------


def read_above(run: Run, frame: Frame, statement: records.Statement) -> None:
    """Comments above a statement that speak of a name as it is before the statement runs."""
    if not statement.comments:
        return
    notes = _notes(run, frame, statement.comments, trailing=False)
    if not notes:
        return
    changed = _targets(statement)
    trailing = any(
        comment.trailing and _notes_in(comment.text, _words_of(comment.text)) for comment in statement.comments
    )
    for note, comment in notes:
        if note.is_result:
            continue
        if (
            note.name is not None
            and note.name in frame.names
            and (note.name not in changed or trailing or _first(frame, statement))
        ):
            _note(run, frame.names[note.name], note, comment)
        elif note.name is None and any(other.is_result for other, _ in notes):
            _note(run, _only_read(frame, statement), note, comment)


def read_behind(run: Run, frame: Frame, statement: records.Statement, value: Anything) -> None:
    """The comment behind a statement, and those above it that speak of what it makes."""
    if not statement.comments:
        return
    changed = _targets(statement)
    own = _notes_of_all(statement) or _notes(run, frame, statement.comments, trailing=True)
    for note, comment in own:
        if note.name is None:
            _note(run, value, note, comment)
        elif note.name in changed and note.name in frame.names:
            _note(run, frame.names[note.name], note, comment)
    if own:
        return
    above = _notes(run, frame, statement.comments, trailing=False)
    for note, comment in above:
        results = any(other.is_result for other, _ in above)
        if note.is_result or (note.name is None and not results and len(above) == 1):
            _note(run, value, note, comment)
        elif note.name in changed and not _first(frame, statement) and not _reads(statement, note.name):
            _note(run, frame.names.get(note.name), note, comment)


def _notes(
    run: Run, frame: Frame, comments: tuple[records.Comment, ...], *, trailing: bool
) -> list[tuple[ShapeNote, records.Comment]]:
    found = []
    for comment in comments:
        if comment.trailing is trailing and _may_be_shape(comment.text):
            known = _words_of(comment.text).intersection(frame.names)
            found += [(note, comment) for note in _notes_in(comment.text, known)]
    return found


def _notes_of_all(statement: records.Statement) -> list[tuple[ShapeNote, records.Comment]]:
    """What the comment behind an unpacking says of all its names at once."""
    match statement:
        case records.Assign(targets=(records.Sequence(items=items),)) if len(items) > 1:
            names = tuple(item.id if isinstance(item, records.Name) else "" for item in items)
        case _:
            return []
    comments = [one for one in statement.comments if one.trailing and _may_be_shape(one.text)]
    if "" in names or len(comments) != 1:
        return []
    return [(note, comments[0]) for note in _in_order(comments[0].text, names)]


@lru_cache(maxsize=4096)
def _in_order(text: str, names: tuple[str, ...]) -> tuple[ShapeNote, ...]:
    return tuple(notes_of_all(text, names))


@lru_cache(maxsize=4096)
def _words_of(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text))


@lru_cache(maxsize=4096)
def _notes_in(text: str, known: frozenset[str]) -> tuple[ShapeNote, ...]:
    """The notes of a text that is read again at every pass through its line."""
    return tuple(notes_in(text, known_names=known))


def _may_be_shape(text: str) -> bool:
    return _MARK.search(text) is not None or (":" in text and "," in text)


def _targets(statement: records.Statement) -> set[str]:
    found: set[str] = set()
    pending: list[Any] = []
    match statement:
        case records.Assign():
            pending = list(statement.targets)
        case records.AnnotatedAssign():
            pending = [statement.target]
    while pending:
        target = pending.pop()
        match target:
            case records.Name():
                found.add(target.id)
            case records.Sequence():
                pending += target.items
            case records.Starred():
                pending.append(target.value)
    return found


def _first(frame: Frame, statement: records.Statement) -> bool:
    """Whether a statement is the first of its function: what is said above it is said of the parameters."""
    if frame.function is None or not isinstance(frame.function.record, records.FunctionDef):
        return False
    body = frame.function.record.body
    return bool(body) and body[0] is statement


def _reads(statement: records.Statement, name: str) -> bool:
    value = getattr(statement, "value", None)
    return value is not None and name in _names_in(value)


def _names_in(expression: Any) -> set[str]:
    found: set[str] = set()
    pending = [expression]
    while pending:
        current = pending.pop()
        match current:
            case records.Name():
                found.add(current.id)
            case records.Attribute():
                pending.append(current.value)
            case records.Call():
                pending += [current.function, *(argument.value for argument in current.arguments)]
            case records.Subscript():
                pending += [current.value, *current.items]
            case records.BinaryOperation():
                pending += [current.left, current.right]
            case records.Sequence():
                pending += current.items
    return found


def _only_read(frame: Frame, statement: records.Statement) -> Anything:
    """The one tensor that a statement reads, for a note that says what goes in."""
    value = getattr(statement, "value", None)
    names = _names_in(value) if value is not None else set()
    tensors = [frame.names[name] for name in names if isinstance(frame.names.get(name, MISSING), Value | Opaque)]
    return tensors[0] if len(tensors) == 1 else None


def _note(run: Run, value: Anything, note: ShapeNote, record: records.Record) -> None:
    words = tuple(str(word) for word in note.axes)
    tensor = _tensor(run, value)
    if tensor is not None:
        text = ", ".join(words)
        if (run.place(record).key, words) in run.trusted:
            _close(run, tensor, words)
        run.written.append(
            Written(tensor, words, Strength.WRITTEN, run.place(record), f"written as ({text})", run.next_event)
        )


def _close(run: Run, tensor: Value, words: tuple[str, ...]) -> None:
    """Give a tensor of unknown rank the axes that were written for it."""
    rest = tensor.shape.rest if isinstance(tensor.shape, Shape) else None
    known = sum(isinstance(part, Axis) for part in tensor.shape.parts) if isinstance(tensor.shape, Shape) else 0
    if rest is not None and rest.least <= len(words) - known:
        front, _ = tensor.shape.ends() if isinstance(tensor.shape, Shape) else ((), ())
        run.close(rest, tuple(Axis.new(words[len(front) + place]) for place in range(len(words) - known)))


def trust(run: Run, since: int) -> frozenset[TrustedNote]:
    """Believe the number of axes that was written for a value where the whole run had no other word on it; gives those
    notes that are believed from now on, so that a second run can know."""
    found = {
        (written.place.key, written.words)
        for written in run.written[since:]
        if isinstance(written.value.shape, Shape) and written.value.shape.rank is None and "..." not in written.words
    }
    fresh = frozenset(found - run.trusted - run.distrusted)
    run.trusted |= fresh
    return fresh


def distrust(run: Run, notes: frozenset[TrustedNote]) -> None:
    """Believe notes no more: with the number of axes they state the code would crash whenever it runs, and between a
    program that has run and what was written about it, the program is right."""
    run.trusted -= notes
    run.distrusted |= notes


def _tensor(run: Run, value: Anything) -> Value | None:
    if isinstance(value, Opaque) and value.number is None and value.spelling:
        tensor = value.as_tensor()
        run.doubtful.add(tensor.id)
        return tensor
    return value if isinstance(value, Value) else None


# -- functions -----------------------------------------------------------------------------------------------------


def read_function(run: Run, frame: Frame, definition: records.FunctionDef) -> None:
    """What a function says of its parameters: comments behind them or above it, its docstring."""
    names = frozenset(parameter.name for parameter in definition.parameters)
    for parameter in definition.parameters:
        value = frame.names.get(parameter.name)
        if parameter.comment is not None and _may_be_shape(parameter.comment.text):
            for note in _notes_in(parameter.comment.text, names):
                if note.name in (None, parameter.name):
                    _note(run, value, note, parameter.comment)
    sources: list[tuple[str, records.Record]] = [
        (comment.text, comment) for comment in definition.comments if _may_be_shape(comment.text)
    ]
    if definition.docstring is not None and isinstance(definition.docstring.value, str):
        sources.append((definition.docstring.value, definition.docstring))
    if frame.function is not None and frame.function.owner is not None and definition.name == "forward":
        docstring = frame.function.owner.record.docstring
        if docstring is not None and isinstance(docstring.value, str):
            sources.append((docstring.value, docstring))
    for text, record in sources:
        if len(text) > 6000:
            continue
        for note in _notes_in(text, names):
            name = _only_parameter(frame, definition) if note.about is About.INPUT and note.name is None else note.name
            if name in names and not note.is_result:
                _note(run, frame.names.get(name), note, record)


def _only_parameter(frame: Frame, definition: records.FunctionDef) -> str | None:
    """The one parameter that a call must give: what stands before the arrow of ``(batch, time) -> (batch, classes)``."""
    function = frame.function
    is_method = function is not None and function.owner is not None and "staticmethod" not in function.decorators
    needed = [one.name for one in definition.parameters if one.default is None and one.kind in ("plain", "positional")]
    needed = needed[1:] if is_method else needed
    return needed[0] if len(needed) == 1 else None


def read_declared(run: Run, value: Anything, axes: Sequence[AxisSpec], text: str, record: records.Record) -> None:
    """What an annotation or a contract says of a value, in words such as ``annotated "batch time"``: names for its axes,
    and a rank."""
    tensor = _tensor(run, value)
    if tensor is None or not isinstance(tensor.shape, Shape) or any(axis.is_variadic for axis in axes):
        return
    run.doubtful.discard(tensor.id)
    words = tuple(axis.text for axis in axes)
    _close(run, tensor, words)
    run.written.append(Written(tensor, words, Strength.DECLARED, run.place(record), text, run.next_event))


# -- the end of a run ----------------------------------------------------------------------------------------------


def settle(run: Run) -> None:
    """Give written shapes to the axes they speak of, where the rank turned out to be the one that was written."""
    for written in run.written:
        axes = written.value.axes
        if axes is None or len(axes) != len(written.words):
            continue
        if any(_disagrees(word, axis) for word, axis in zip(written.words, axes, strict=True)):
            continue
        roles = role_of_all(written.words, run.words)
        if written.strength is Strength.DECLARED and any(map(_said_otherwise, roles, axes)):
            continue
        for role, axis in zip(roles, axes, strict=True):
            if role is not None and axis.atom is not None:
                axis.atom.learn(Evidence(role, written.strength, written.text, written.place, written.when))


def _disagrees(word: str, axis: Axis) -> bool:
    """A number that was written and is not the size: the note speaks of something else, or of an older program."""
    return word.isdigit() and axis.size.value is not None and axis.size.value != int(word)


def _said_otherwise(role: Role | None, axis: Axis) -> bool:
    """Whether an earlier declaration gives an axis another role: what goes in says what an axis is, and what comes out
    is then declared wrong."""
    said = {one.role for one in axis.atom.evidence if one.strength is Strength.DECLARED} if axis.atom else set()
    return role is not None and bool(said) and role not in said
