"""Entry points: where interpretation of a file begins, and under which assumptions it is repeated.

The module's own code runs first. Then every function that nobody has called runs on unknown arguments, and every class
is built from unknown parameters and its methods run. A model that was built and never called is called on unknown
inputs. An entry point whose undecided conditions matter to its layers runs again, at most four times, once for each
way in which they can be decided.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from rnnshape_guard.events import Log, Value
from rnnshape_guard.shapes.axes import Atom, Rest
from rnnshape_guard.shapes.dims import Dim, Symbol
from rnnshape_guard.shapes.outcomes import Fault
from rnnshape_guard.static import evidence, functions, layer_calls, records, statements
from rnnshape_guard.static.positions import Positions
from rnnshape_guard.static.project import NOTHING, Project
from rnnshape_guard.static.run import MISSING, ModuleFrame, NodePlace, OutOfSteps, Run, Tests
from rnnshape_guard.static.sources import RECURRENT_WORDS
from rnnshape_guard.static.values import (
    Anything,
    Choice,
    ClassObject,
    DictValue,
    DynamicLayer,
    External,
    FunctionObject,
    Instance,
    LayerObject,
    ListValue,
    Opaque,
)

STEPS: Final = 15_000
"""Steps of one entry point."""
STEPS_OF_A_FILE: Final = 400_000
_STEPS_OF_AN_IMPORTER: Final = 12_000
"""Steps of a file that names no recurrent layer itself, and has one only from other files."""
STEPS_OF_A_FORK: Final = 2_500
"""An entry point of more steps than this runs once, its conditions joined, not once for each way to decide them."""
_FORKS: Final = 2
_ESCAPED: Final = 8


@dataclass(frozen=True, slots=True)
class Entry:
    """One run of an entry point. `kind` is module, function or class; `name` is what ran; `assumed` are the conditions
    taken to hold, in words; a class goes by its key."""

    kind: str
    name: str
    assumed: tuple[str, ...] = ()
    group: int = 0


@dataclass(slots=True)
class Interpretation:
    """A file interpreted: its log with the entries that events count, and the classes built where one can see it."""

    run: Run
    entries: list[Entry]
    built: set[str]


def interpret(
    module: records.Module,
    positions: Positions,
    words: Mapping[str, tuple[str, ...]],
    project: Project | None = None,
) -> Interpretation:
    """Run a whole file, entry point by entry point. With a `project`, what it imports from there is followed."""
    return _Entries(module, ModuleFrame(positions), words, project).all()


class _Entries:
    def __init__(
        self,
        module: records.Module,
        frame: ModuleFrame,
        words: Mapping[str, tuple[str, ...]],
        project: Project | None,
    ) -> None:
        self.module = module
        self.frame = frame
        self.run = Run(frame, project, {frame.file: frame}, words=words)
        self.leads = project.leads(frame.file) if project is not None else NOTHING
        self.entries: list[Entry] = []
        self.built: set[str] = set()
        self.left = STEPS_OF_A_FILE
        self.forks = _FORKS
        self.mentions: Callable[[Set[str]], bool] = bool

    def all(self) -> Interpretation:
        run = self.run
        concerned = _concerned(self.module)
        if not concerned:
            self.left, self.forks = _STEPS_OF_AN_IMPORTER, 0
        concerned |= self.leads.own.keys()
        defined = {one.name for one in self.module.body if isinstance(one, records.FunctionDef | records.ClassDef)}
        self.mentions = lambda words: (
            not concerned.isdisjoint(words)
            or not self.leads.imported.keys().isdisjoint(words)
            or any(map(_RECURRENT.search, words))
        )
        self._once(Entry("module", ""), self._module)
        for function in self._functions():
            if (function.name in concerned or function.name not in defined) and id(function.record) not in run.called:
                self._forked("function", function.name, partial(self._function, function))
        for cls in self._classes():
            if cls.name in concerned or cls.name not in defined:
                self._forked("class", cls.key, partial(self._class, cls))
        run.journal.recall()
        evidence.settle(run)
        return Interpretation(run, self.entries, self.built)

    # -- running -------------------------------------------------------------------------------------------------

    def _forked(self, kind: str, name: str, action: Callable[[], None]) -> None:
        """Run an entry point, and again under assumptions where deciding conditions tells more."""
        run = self.run
        start = len(run.log.events)
        first = len(self.entries)
        run.tests = {}
        mark = run.journal.mark()
        written, called = len(run.written), set(run.called)
        before = self.left
        self._once(Entry(kind, name, (), first), action)
        self._leave(mark)
        spent = before - self.left

        def once_more() -> None:
            run.log.drop(start)
            del run.written[written:]
            run.tests, run.called = {}, set(called)
            self._once(Entry(kind, name, (), first), action)
            self._leave(mark)

        refused = _ranks_refused(run.log, start)
        if notes := evidence.trust(run, written):
            once_more()
            if not _ranks_refused(run.log, start) <= refused:
                evidence.distrust(run, notes)
                once_more()
        worthy = [key for key, tests in run.tests.items() if tests.worth_a_fork][: self.forks]
        if not worthy or self.left <= 0 or spent > STEPS_OF_A_FORK:
            return
        tests = dict(run.tests)
        run.log.drop(start)
        del run.written[written:]
        for values in itertools.product((True, False), repeat=len(worthy)):
            run.assumed, run.called = dict(zip(worthy, values, strict=True)), set(called)
            self._once(Entry(kind, name, tuple(_label(tests[key], run.assumed[key]) for key in worthy), first), action)
            self._leave(mark)
        run.assumed = {}

    def _once(self, entry: Entry, action: Callable[[], None]) -> None:
        run = self.run
        run.entry = len(self.entries)
        self.entries.append(entry)
        budget = min(STEPS, max(self.left, 0))
        run.steps = budget
        run.constructing = 0
        run.stack, run.path, run.scope, run.naming = [], (), "", None
        run.instances, run.escaped, run.containers = [], [], []
        try:
            action()
            self._loose_ends()
        except OutOfSteps:
            pass
        self.left -= budget - max(run.steps, 0)
        if entry.kind != "class":
            self.built |= {cls.key for instance in run.instances for cls in instance.cls.line()}

    def _leave(self, mark: int) -> None:
        """Take back what an entry point changed. What its tensors turned out to be stays: checks read it later."""
        for change, value in self.run.journal.undo(mark).values():
            holder = change.holder
            if isinstance(holder, Rest) or (isinstance(holder, Symbol) and _is_of_input(holder)):
                change.restore(value)

    def _loose_ends(self) -> None:
        """Models that were built and never called, functions that were made and never called, are called now."""
        run = self.run
        for function in run.escaped[:_ESCAPED]:
            if id(function.record) not in run.called:
                arguments, keywords = functions.symbolic_arguments(function)
                functions.call_function(run, function, arguments, keywords, function.record)
        for instance in run.instances[:_ESCAPED]:
            if not instance.used:
                self._forward(instance)
        for container in run.containers[:_ESCAPED]:
            if id(container) not in run.placed:
                run.placed.add(id(container))
                record, frame = run.records[id(container)]
                with run.inside(frame):
                    layer_calls.call_layer(run, container, (Opaque("input"),), {}, record, {})

    def _forward(self, instance: Instance) -> None:
        forward = instance.cls.find("forward")
        if isinstance(forward, FunctionObject):
            instance.used = True
            self._forget(instance)
            arguments, keywords = functions.symbolic_arguments(forward, skip=1)
            functions.call_function(self.run, forward, (instance, *arguments), keywords, forward.record)
            return
        if all(isinstance(root, External) and root.path == "builtins.object" for root in instance.cls.roots()):
            self._methods(instance)

    # -- the three kinds -----------------------------------------------------------------------------------------

    def _module(self) -> None:
        statements.execute(self.run, self.frame, self.module.body)

    def _functions(self) -> list[FunctionObject]:
        return [value for value in self.frame.names.values() if isinstance(value, FunctionObject)]

    def _classes(self) -> list[ClassObject]:
        found: list[ClassObject] = []
        for value in self.frame.names.values():
            if isinstance(value, ClassObject) and value not in found:
                found.append(value)
        return found

    def _function(self, function: FunctionObject) -> None:
        arguments, keywords = functions.symbolic_arguments(function)
        functions.call_function(self.run, function, arguments, keywords, function.record)

    def _class(self, cls: ClassObject) -> None:
        run = self.run
        instance = Instance(cls)
        initializer = cls.find("__init__")
        if isinstance(initializer, FunctionObject):
            arguments, keywords = functions.symbolic_arguments(initializer, skip=1)
            functions.call_function(run, initializer, (instance, *arguments), keywords, initializer.record)
        instance.used = True
        self._methods(instance)
        for function in self._functions():
            self._with_model(function, instance)

    def _with_model(self, function: FunctionObject, model: Instance) -> None:
        """Call a function that nobody calls with the model that it takes, if that can be no other than this one."""
        run = self.run
        if id(function.record) in run.called or function.frame.module is not self.frame:
            return
        taken = {name: cls for name in _asked(function) if (cls := self._meant(name)) is not None}
        match list(taken.items()):
            case [(name, cls)] if cls is model.cls:
                mark = run.journal.mark()
                self._forget(model)
                functions.call_function(run, function, (), {name: model}, function.record, is_partial=True)
                self._leave(mark)

    def _meant(self, name: str) -> ClassObject | None:
        """The module of the file that a parameter is named for; or for ``model``, the one that all others are parts of."""
        models = [one for one in self._classes() if one.frame.module is self.frame and self._is_module(one)]
        if name in _MODELS:
            words = {one.name: _words_of(one) for one in models}
            models = [one for one in models if not any(one.name in words[name] for name in words if name != one.name)]
        else:
            models = [one for one in models if name in _pieces(one.name)]
        return models[0] if len(models) == 1 else None

    def _is_module(self, cls: ClassObject) -> bool:
        is_module = any(isinstance(root, External) and root.path == "torch.nn.Module" for root in cls.roots())
        return is_module and isinstance(cls.find("forward"), FunctionObject) and self.mentions({cls.name})

    def _methods(self, instance: Instance) -> None:
        """Run the methods of an object that have to do with recurrent layers, each on unknown arguments."""
        cls = instance.cls
        methods = {
            name: method
            for one in cls.line()
            for name, method in one.names.items()
            if isinstance(method, FunctionObject) and name != "__init__" and cls.find(name) is method
        }
        words = {
            name: method.record.words
            for name, method in methods.items()
            if isinstance(method.record, records.FunctionDef)
        }
        holding = {name for name, value in instance.attributes.items() if self._holds_recurrent(value)}
        for name in _closure(words, lambda one: bool(holding & one) or self.mentions(one)):
            self._method(instance, methods[name])

    def _holds_recurrent(self, value: Anything) -> bool:
        """Whether an attribute is a recurrent layer or cell, or something of the program that holds one."""
        match value:
            case LayerObject(children=None, layer=layer):
                return getattr(layer.spec, "kind", "").startswith(("RNN", "LSTM", "GRU"))
            case LayerObject(children=ListValue() as children):
                return any(map(self._holds_recurrent, (*children.items, children.tail)))
            case LayerObject(children=DictValue() as children):
                return any(map(self._holds_recurrent, children.items.values()))
            case DynamicLayer() | Choice():
                return any(map(self._holds_recurrent, value.options))
            case Instance():
                return value.layer is not None or any(map(self._is_concerned, value.cls.line()))
        return False

    def _is_concerned(self, cls: ClassObject) -> bool:
        """Whether a class, of this file or another, leads to a recurrent layer."""
        module, project = cls.frame.module, self.run.project
        if module is self.frame or project is None:
            return self.mentions({cls.name})
        return cls.name in project.leads(module.file).names

    def _method(self, instance: Instance, method: FunctionObject) -> None:
        run = self.run
        if method.name != "forward" and id(method.record) in run.called and method.name.startswith("_"):
            return
        mark = run.journal.mark()
        self._forget(instance)
        is_static = "staticmethod" in method.decorators
        arguments: tuple[Anything, ...]
        arguments, keywords = functions.symbolic_arguments(method, skip=0 if is_static else 1)
        if not is_static:
            arguments = (instance.cls if "classmethod" in method.decorators else instance, *arguments)
        functions.call_function(run, method, arguments, keywords, method.record)
        self._leave(mark)

    def _forget(self, instance: Instance) -> None:
        """State kept on an object is unknown where a method begins: other calls will have changed it."""
        for cls in instance.cls.line():
            for name in functions.kept_state(cls):
                value = instance.attributes.get(name, MISSING)
                if value is None or isinstance(value, Value | tuple | ListValue | Dim | bool):
                    unknown = Opaque(f"self.{name}", f"{cls.key}.self.{name}")
                    self.run.journal.put(instance.attributes, name, unknown)


def _is_of_input(symbol: Symbol) -> bool:
    """Whether a symbol is the size of an axis that no layer made: layers are shared by the methods of a class."""
    return isinstance(symbol.owner, Atom) and symbol.owner.kind is None


_RECURRENT: Final = re.compile(RECURRENT_WORDS)


def _concerned(module: records.Module) -> Set[str]:
    """The functions, classes and variables of a file that have to do with recurrent layers that it names itself. What
    none of them leads to cannot show a recurrent layer's mistake."""
    words: dict[str, Set[str]] = {}
    for statement, all_words in zip(module.body, module.words, strict=True):
        words |= dict.fromkeys(_bound(statement), all_words.all())
    return _closure(words, lambda one: any(_RECURRENT.search(word) for word in one)).keys()


def _bound(statement: records.Statement) -> Iterator[str]:
    """The names that a statement defines or assigns, and those inside it."""
    blocks: tuple[tuple[records.Statement, ...], ...] = ()
    match statement:
        case records.FunctionDef() | records.ClassDef():
            yield statement.name
        case records.Assign(targets=targets):
            yield from _names(targets)
        case records.AnnotatedAssign(target=target):
            yield from _names((target,))
        case records.If() | records.For() | records.While():
            blocks = (statement.body, statement.orelse)
        case records.With(items=items):
            yield from _names(target for _, target in items if target is not None)
            blocks = (statement.body,)
        case records.Try(handlers=handlers):
            blocks = (statement.body, *(body for _, body in handlers), statement.orelse, statement.final)
    for block in blocks:
        for inner in block:
            yield from _bound(inner)


def _names(targets: Iterable[records.Expression]) -> Iterator[str]:
    """The names among the targets of an assignment."""
    for target in targets:
        match target:
            case records.Name(id=name):
                yield name
            case records.Sequence(items=items):
                yield from _names(items)


_MODELS: Final = frozenset({"model", "net", "network"})
"""What functions call the model that they are given."""


def _asked(function: FunctionObject) -> list[str]:
    """The parameters that a function must be given, and of which nothing is said but their names."""
    return [
        parameter.name
        for parameter in function.record.parameters
        if parameter.annotation is None and parameter.default is None and parameter.kind in ("plain", "positional")
    ]


def _pieces(name: str) -> frozenset[str]:
    """The words that the name of a class is made of, each alone: ``PosTagger`` is a tagger."""
    return frozenset(piece.lower() for piece in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name))


def _words_of(cls: ClassObject) -> Set[str]:
    """The words in the methods of a class."""
    return {
        word
        for method in cls.names.values()
        if isinstance(method, FunctionObject) and isinstance(method.record, records.FunctionDef)
        for word in method.record.words
    }


def _closure(words: Mapping[str, Set[str]], begins: Callable[[Set[str]], bool]) -> dict[str, Set[str]]:
    """The definitions that begin it, and those that mention one of these by name, in turn; in their own order."""
    concerned = {name for name, one in words.items() if begins(one)}
    while True:
        further = {name for name, one in words.items() if name not in concerned and not concerned.isdisjoint(one)}
        if not further:
            return {name: one for name, one in words.items() if name in concerned}
        concerned |= further


def _label(tests: Tests, value: bool) -> str:
    return tests.label if value else f"not {tests.label}"


def _ranks_refused(log: Log, start: int) -> set[tuple[Any, str]]:
    """The operands, by place, that have a number of axes which the operation cannot take."""
    return {
        (event.place.key, misfit.operand)
        for event in log.events[start:]
        if isinstance(event.place, NodePlace)
        for misfit in event.misfits
        if misfit.fault in (Fault.RANK, Fault.AXIS)
    }
