"""Watching one call: tensor operations through a torch-function mode, layers and functions through a profile hook.

Both write the events that the checker writes, from the same `ops` and `layers` run on the live shapes. Whatever goes
wrong in here is our fault and not the program's: it is noted, and the program goes on.
"""

from __future__ import annotations

import ast
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType
from typing import Any, Final, TypeVar

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence
from torch.overrides import TorchFunctionMode

from rnnshape_guard.events import Event, Given, Handed, Log, Place, Seen, Value, values_in
from rnnshape_guard.runtime import functions
from rnnshape_guard.runtime.atlas import Atlas, unknown_packed, unknown_shape
from rnnshape_guard.runtime.concluding import FAILED, Conclusions, Disagreement
from rnnshape_guard.runtime.entering import Calls
from rnnshape_guard.runtime.libraries import Libraries
from rnnshape_guard.runtime.modules import Catalog
from rnnshape_guard.runtime.operating import Operations
from rnnshape_guard.runtime.pending import Pending
from rnnshape_guard.runtime.reading import Reader, shape_comments
from rnnshape_guard.runtime.sizes import dim_of, sweep
from rnnshape_guard.runtime.sources import Spot, Spots
from rnnshape_guard.shapes.outcomes import UNKNOWN, Operand, Slice

MOST_EVENTS: Final = 20_000
"""A call of more is watched no further: a whole training run under one call."""
_STILL_HELD: Final = 2_000

Made = TypeVar("Made", bound=Event)
_here = threading.local()


def current() -> Tracer | None:
    """The tracer of this thread, while a traced call runs."""
    return getattr(_here, "tracer", None)


class Mode(TorchFunctionMode):
    """Shows every tensor operation of this thread to a tracer."""

    def __init__(self, tracer: Tracer) -> None:
        super().__init__()
        self._tracer = tracer

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        return self._tracer.operate(func, args, kwargs or {})


class Tracer:
    """The state of one traced call. `token` marks the sizes that were read in it."""

    def __init__(self, words: Mapping[str, tuple[str, ...]] | None = None) -> None:
        self.log = Log()
        self.token = object()
        self.atlas = Atlas()
        self.spots = Spots()
        self.libraries = Libraries()
        self.catalog = Catalog(self.spots)
        self.reader = Reader(words or {})
        self.conclusions = Conclusions(self)
        self.calls = Calls(self)
        self.disagreements: list[Disagreement] = []
        self.faults: list[BaseException] = []
        self.operations = Operations(self)
        self._busy = 0

    # -- running ---------------------------------------------------------------------------------------------------

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Everything that happens in this thread inside is seen."""
        before = sys.getprofile()
        _here.tracer = self
        try:
            with Mode(self):
                sys.setprofile(self._profile)
                try:
                    yield
                finally:
                    sys.setprofile(before)
        finally:
            _here.tracer = None
            self.calls.forget()

    def fault(self, error: BaseException) -> None:
        """Something went wrong in here."""
        if len(self.faults) < 10:
            self.faults.append(error)

    @contextmanager
    def own_work(self) -> Iterator[None]:
        """What tensors are asked for inside is our own business."""
        self._busy += 1
        try:
            with torch._C.DisableTorchFunction():
                yield
        finally:
            self._busy -= 1

    def operate(self, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Run an operation and note what it does to axes."""
        if self._busy or self.calls.is_inside:
            return func(*args, **kwargs)
        reads = functions.sizes_read().get(func)
        if reads is not None:
            return self._read_sizes(func, reads, args, kwargs)
        if func in functions.unseen():
            return func(*args, **kwargs)
        pending = None
        try:
            with self.own_work():
                pending = self.operations.begin(func, args, kwargs)
        except Exception as error:  # noqa: BLE001 - our own bug must not stop the program
            self.fault(error)
        try:
            result = func(*args, **kwargs)
        except BaseException:
            self._finish(pending, FAILED)
            raise
        self._finish(pending, result)
        return result

    def _finish(self, pending: Pending | None, result: Any) -> None:
        if pending is None:
            return
        try:
            with self.own_work():
                self.conclusions.conclude(pending, result)
        except Exception as error:  # noqa: BLE001 - as above
            self.fault(error)

    def _read_sizes(self, func: Any, reads: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Sizes, each remembering its axis where it is the user's own code that reads it."""
        result = func(*args, **kwargs)
        frame = sys._getframe(3)
        if self.libraries.hold(frame.f_code.co_filename):
            return result
        try:
            with self.own_work():
                return self.operations.marked(frame, reads, result, args, kwargs)
        except Exception as error:  # noqa: BLE001 - as above
            self.fault(error)
            return result

    def _profile(self, frame: FrameType, event: str, arg: Any) -> None:
        # Runs at every call of any function, libraries' included: what is not looked at has to leave quickly.
        if self._busy or (event != "call" and (event != "return" or self.calls.awaited is not frame)):
            return
        try:
            if event == "call":
                self.calls.called(frame)
            else:
                self.calls.returned(frame, arg)
        except Exception as error:  # noqa: BLE001 - as above
            self.fault(error)

    # -- events ----------------------------------------------------------------------------------------------------

    def emit(self, kind: type[Made], place: Place, scope: str, **fields: Any) -> Made:
        """Add an event to the log."""
        event = kind(id=len(self.log.events), place=place, scope=scope, **fields)
        self.log.add(event)
        if len(self.log.events) == MOST_EVENTS:
            self._close_eyes(place, scope)
        return event

    def _close_eyes(self, place: Place, scope: str) -> None:
        """Enough was seen: whatever is held goes where nobody follows it."""
        self._busy += 1
        held = tuple(value for event in self.log.events[-_STILL_HELD:] for value in values_in(event.result))
        self.log.add(Handed(id=len(self.log.events), place=place, scope=scope, given={"0": Given(held, None)}))

    # -- values ----------------------------------------------------------------------------------------------------

    def value(self, tensor: torch.Tensor) -> Value:
        """The value of a tensor; one that was never seen comes from outside."""
        found = self.atlas.find(tensor)
        if found is None:
            found = Value(unknown_shape(tensor))
            self.atlas.note(tensor, found)
        return found

    def packed(self, packed: PackedSequence) -> Value:
        """The value of a packed sequence."""
        found = self.atlas.find_packed(packed)
        if found is None:
            found = Value(unknown_packed(packed))
            self.atlas.note_packed(packed, found)
        return found

    def operand(self, value: Any) -> Operand:
        """A live value as layers and operations read it."""
        match value:
            case torch.Tensor():
                return self.value(value).shape
            case PackedSequence():
                return self.packed(value).shape
            case bool() | float() | str() | None:
                return value
            case int():
                return dim_of(value, self.token)
            case slice():
                return Slice(*(self.operand(end) for end in (value.start, value.stop, value.step)))
            case tuple() | list():
                return tuple(self.operand(item) for item in value)
        return value if value is ... else UNKNOWN

    def seen(self, value: Any) -> Seen:
        """A live value as events record it: tensors by id, the rest as operands."""
        match value:
            case torch.Tensor():
                return self.value(value)
            case PackedSequence():
                return self.packed(value)
            case tuple() | list():
                return tuple(self.seen(item) for item in value)
            case dict():
                return tuple(self.seen(item) for item in value.values())
        return self.operand(value)

    def look(self, value: Any) -> Value | None:
        """The value of a live object, if it is a tensor."""
        return self.value(value) if isinstance(value, torch.Tensor) else None

    def declare(self, tensor: Any, axes: str, text: str) -> None:
        """Axes that the program states of a tensor."""
        if isinstance(tensor, torch.Tensor):
            with self.own_work():
                frame = self.libraries.user_frame(sys._getframe(1))
                if frame is not None:
                    place = self.spots.of(frame).place
                    self.reader.declare_axes(self.value(tensor), axes, text, place, len(self.log.events))

    # -- what is written around a line -----------------------------------------------------------------------------

    def look_above(self, frame: FrameType, spot: Spot) -> None:
        """Read what is written above a statement when it is first seen to run, and around those that ran before it
        without any tensor operation."""
        activation = self.calls.activations[-1] if self.calls.activations else None
        statement = spot.statement
        if activation is None or activation.frame is not frame or statement is None or statement in activation.seen:
            return
        names = self.calls.names_of(frame)
        for earlier in _unseen(statement, spot, activation.seen):
            activation.seen.add(earlier)
            there = replace(spot, node=earlier)
            if not shape_comments(there):
                continue
            self.reader.above(there, names, self.look, len(self.log.events))
            value = getattr(earlier, "value", None)
            if earlier is not statement and isinstance(earlier, ast.Assign) and isinstance(value, ast.expr):
                made = self._bound_now(earlier.targets[0], names)
                self.reader.behind(replace(spot, node=value), made, names, len(self.log.events))

    def _bound_now(self, target: ast.expr, names: Mapping[str, Any]) -> Seen:
        """What a statement that has run has bound its names to."""
        match target:
            case ast.Name(id=name):
                return self.look(names.get(name))
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                return tuple(self._bound_now(one, names) for one in targets)
        return None

    def adopt(self, root: nn.Module) -> None:
        """Note the parts of the model before it is called."""
        with self.own_work():
            self.calls.register(root)

    def sweep(self) -> None:
        """Take the marks off what the modules met on the way have kept."""
        for module in self.catalog.held():
            sweep(module)

    def layer_paths(self) -> dict[int, str]:
        """The path in the model of each layer, by its id in the events."""
        paths = self.catalog.paths
        return {found.layer.id: paths.get(key, "") for key, found in self.catalog.known.items() if found is not None}


def _unseen(statement: ast.stmt, spot: Spot, seen: set[ast.stmt]) -> list[ast.stmt]:
    """A statement and those before it in its function that nobody has looked at, in order."""
    found: list[ast.stmt] = []
    current: ast.AST | None = statement
    while isinstance(current, ast.stmt) and not isinstance(
        current, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    ):
        parent = spot.source.parents.get(current)
        bodies = [getattr(parent, name, None) for name in ("body", "orelse", "finalbody")]
        body = next((body for body in bodies if isinstance(body, list) and current in body), [current])
        before = body[: body.index(current) + 1]
        found += [one for one in reversed(before) if one not in seen]
        current = parent
    return found[::-1]
