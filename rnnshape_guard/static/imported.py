"""Modules of the project, as a program holds them: run when something in them is first read.

A module's own code runs once in a run, apart from all that goes on: what it learns it keeps, what happens in it is
judged where that file is judged. Tensors and layers that such code makes are unknown elsewhere. A module that cannot be
read, or that is one too many, has names that nothing is known of.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from rnnshape_guard.events import Event, FunctionEntered, Returned, Unpacked, Value
from rnnshape_guard.static import records, statements
from rnnshape_guard.static.finder import Place
from rnnshape_guard.static.run import MISSING, Journal, ModuleFrame, OutOfSteps, Run
from rnnshape_guard.static.values import (
    Anything,
    ClassObject,
    DynamicLayer,
    External,
    FunctionObject,
    Imported,
    Instance,
    LayerObject,
    ListValue,
    ModuleObject,
    Opaque,
)

_MODULES: Final = 80
"""Modules that one run may load."""
_STEPS: Final = 20_000
"""Steps of one module's own code."""

_PLAIN_EVENTS: Final[tuple[type[Event], ...]] = (FunctionEntered, Returned, Unpacked)


# -- import statements ----------------------------------------------------------------------------------------------


def import_names(run: Run, frame: ModuleFrame, statement: records.Import) -> Iterator[tuple[str, Anything]]:
    """The names that ``import a.b as c`` binds, with what they hold."""
    for dotted, alias in statement.names:
        name = dotted if alias else dotted.split(".")[0]
        place = run.find_module(frame, 0, name)
        yield alias or name, module_object(run, place) if place is not None else External(name)


def import_from(run: Run, frame: ModuleFrame, statement: records.ImportFrom) -> Iterator[tuple[str, Anything]]:
    """The names that ``from a import b as c`` binds, with what they hold once they are read."""
    place = run.find_module(frame, statement.level, statement.module)
    for name, alias in statement.names:
        if place is None:
            if name != "*":
                yield alias or name, External(f"{'.' * statement.level}{statement.module}.{name}")
            else:
                frame.stars.append(External(statement.module))
        elif name == "*":
            yield from _everything(run, place)
        else:
            yield alias or name, _one(run, place, name)


def _one(run: Run, place: Place, name: str) -> Imported:
    return Imported(lambda: member(run, place, name))


def module_object(run: Run, place: Place) -> ModuleObject:
    """A module as a value: its attributes are its names and its submodules."""
    return ModuleObject(place.name, lambda name: member(run, place, name))


def member(run: Run, place: Place, name: str) -> Anything:
    """A name in a module, or a submodule of that name; unknown, and the same unknown each time, if there is neither."""
    frame = _loaded(run, place.file) if place.file is not None else None
    value = frame.find(name) if frame is not None else MISSING
    if value is not MISSING:
        return value
    inner = run.project.member(place, name) if run.project is not None else None
    if inner is not None:
        return module_object(run, inner)
    unknown = Opaque(name, f"{place.name}.{name}")
    return frame.names.setdefault(name, unknown) if frame is not None and frame.is_complete else unknown


def _everything(run: Run, place: Place) -> Iterator[tuple[str, Anything]]:
    """What a star import brings: what ``__all__`` says, else every name that begins with no underscore."""
    frame = _loaded(run, place.file) if place.file is not None else None
    if frame is None:
        return
    stated = frame.names.get("__all__")
    if isinstance(stated, ListValue | tuple):
        names = [name for name in (stated if isinstance(stated, tuple) else stated.items) if isinstance(name, str)]
    else:
        names = [name for name in frame.names if not name.startswith("_")]
    for name in names:
        yield name, _one(run, place, name)


# -- running a module -----------------------------------------------------------------------------------------------


def _loaded(run: Run, file: str) -> ModuleFrame | None:
    """A module's names, after its code has run; as far as it has run, if it is running now."""
    if file in run.modules:
        return run.modules[file]
    loaded = run.project.load(file) if run.project is not None and len(run.modules) < _MODULES else None
    if loaded is None:
        run.modules[file] = None
        return None
    frame = run.modules[file] = ModuleFrame(loaded.positions, f"{file}:")
    frame.names["__name__"] = "imported"
    with _apart(run, frame):
        _execute(run, frame, loaded.module.body)
    frame.is_complete = True
    return frame


def _execute(run: Run, frame: ModuleFrame, body: tuple[records.Statement, ...]) -> None:
    for statement in body:
        start, mark = run.next_event, run.journal.mark()
        ending = None
        try:
            ending = statements.execute(run, frame, (statement,))
        except OutOfSteps:
            run.journal.undo(mark)
        if any(not isinstance(event, _PLAIN_EVENTS) for event in run.log.events[start:]):
            _forget(run, frame, statement, mark)
        run.log.drop(start)
        if ending != statements.GOES_ON:
            return


def _forget(run: Run, frame: ModuleFrame, statement: records.Statement, mark: int) -> None:
    """Make unknown what was made by events that nobody will remember."""
    if isinstance(statement, records.FunctionDef | records.ClassDef):
        held = frame.names.get(statement.name)
        if isinstance(held, ClassObject | FunctionObject):
            names = held.names if isinstance(held, ClassObject) else held.defaults
            names.update({name: Opaque(name) for name, value in names.items() if _was_made(value)})
        return
    for change, value in run.journal.undo(mark).values():
        if change.holder is frame.names:
            frame.names[change.key] = Opaque(change.key, f"global {frame.prefix}{change.key}")
        elif value is not MISSING and isinstance(change.holder, dict):
            change.restore(Opaque(str(change.key)))


def _was_made(value: Anything) -> bool:
    match value:
        case Value() | LayerObject() | DynamicLayer() | Instance():
            return True
        case tuple():
            return any(_was_made(one) for one in value)
        case ListValue():
            return any(_was_made(one) for one in (*value.items, value.tail))
    return False


@contextmanager
def _apart(run: Run, frame: ModuleFrame) -> Iterator[None]:
    """Inside, a module's own code runs as if nothing else did; outside, nothing of it is left but its names."""
    fresh: dict[str, Any] = {
        "journal": Journal(), "frame": frame, "steps": _STEPS, "path": (), "known": {}, "assumed": {}, "tests": {},
        "uncertain": 0, "constructing": 0, "naming": None, "stack": [], "calls": [], "scope": "", "instances": [],
        "escaped": [], "containers": [], "written": [], "called": set(),
    }  # fmt: skip
    before = {name: getattr(run, name) for name in fresh}
    for name, value in fresh.items():
        setattr(run, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(run, name, value)
