"""Live layers as the events know them: their spec, the name the user gave them and where they were built.

Layers are built before anything is traced, so the place is read from the source of the class that owns them:
``self.rnn = nn.LSTM(...)`` in a method of it.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

import torch
from torch import nn

from rnnshape_guard import layers
from rnnshape_guard.events import Layer
from rnnshape_guard.findings import Position, Span
from rnnshape_guard.layers.arguments import REQUIRED
from rnnshape_guard.runtime.errors import UserPlace
from rnnshape_guard.runtime.sources import SourceFile, Spot, Spots
from rnnshape_guard.shapes.dims import Dim, Symbol
from rnnshape_guard.shapes.outcomes import Misfit, Operand

_CONTAINERS = frozenset({"Sequential", "ModuleList", "ModuleDict", "ParameterList", "ParameterDict"})

_MISSING = object()


@dataclass(frozen=True, slots=True)
class Site:
    """Where a layer is built: the file, the expression that builds it, and the text it is assigned to."""

    source: SourceFile
    node: ast.expr
    name: str
    function: str = "__init__"
    owner: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class LiveLayer:
    """A live layer: what the events know of it, and what torch would refuse in its making."""

    layer: Layer
    misfits: tuple[Misfit, ...] = ()


def kind_of(module: nn.Module) -> str | None:
    """The name of the torch.nn class whose forward a module runs, or None; containers are none."""
    for cls in type(module).__mro__:
        if cls.__module__.startswith("torch.nn.modules") and cls.__name__ in layers.KINDS:
            return None if cls.__name__ in _CONTAINERS else cls.__name__
    return None


def forward_codes() -> dict[CodeType, None]:
    """The code of the forward of every layer that is known."""
    found: dict[CodeType, None] = {}
    for name in layers.KINDS:
        code = forward_code(name)
        if code is not None and name not in _CONTAINERS:
            found[code] = None
    return found


def forward_code(kind: str) -> CodeType | None:
    """The code of the forward of a torch.nn class, beneath a guard that may lie on it."""
    forward = getattr(getattr(nn, kind, None), "forward", None)
    return getattr(inspect.unwrap(forward), "__code__", None) if forward is not None else None


def _live(value: Any) -> Operand | object:
    match value:
        case bool() | float() | str() | None:
            return value
        case int():
            return Dim.of(int(value))
        case tuple() | list():
            parts = tuple(_live(item) for item in value)
            return _MISSING if _MISSING in parts else parts
    return _MISSING


def live_arguments(module: nn.Module, kind: str) -> dict[str, Any]:
    """The constructor's arguments, read off a layer."""
    found: dict[str, Any] = {}
    for parameter in layers.KINDS[kind].parameters:
        name = parameter.name
        value = getattr(module, name, _MISSING)
        if name == "bias" and not isinstance(value, bool):
            held = getattr(module, "in_proj_bias", value) if kind == "MultiheadAttention" else value
            value = held is not None if held is not _MISSING else _MISSING
        if isinstance(value, torch.Tensor | nn.Module) or callable(value):
            continue
        live = _live(value) if value is not _MISSING else _MISSING
        if live is not _MISSING:
            found[name] = live
    return found


def _is_default(value: Any, default: Any) -> bool:
    if isinstance(value, Dim) or isinstance(default, Dim):
        return isinstance(value, Dim) and isinstance(default, Dim) and value == default
    return type(value) is type(default) and value == default


@dataclass(slots=True)
class Catalog:
    """The layers of one run. `paths` says where each module stands in the model, `owners` who holds it."""

    spots: Spots
    paths: dict[int, str] = field(default_factory=dict)
    owners: dict[int, tuple[nn.Module, str]] = field(default_factory=dict)
    sites: dict[int, Site] = field(default_factory=dict)
    known: dict[int, LiveLayer | None] = field(default_factory=dict)
    names: dict[tuple[int, str, int], Symbol] = field(default_factory=dict)
    _held: list[nn.Module] = field(default_factory=list)

    def register(self, root: nn.Module) -> Iterator[LiveLayer]:
        """Note a model's parts; those that are layers and were not known yet, in order."""
        self._held.append(root)
        for path, part in root.named_modules():
            for name, child in part._modules.items():
                if child is not None:
                    self.owners.setdefault(id(child), (part, name))
            self.paths.setdefault(id(part), path)
        for part in root.modules():
            if id(part) not in self.known:
                found = self.find(part)
                if found is not None:
                    yield found

    def held(self) -> list[nn.Module]:
        """Every module met."""
        return self._held

    def knows(self, module: nn.Module) -> bool:
        """Whether a layer has been met."""
        return id(module) in self.known

    def find(self, module: nn.Module, called: Spot | None = None) -> LiveLayer | None:
        """A layer as the events know it; None for what is none. `called` is the spot of a call of it."""
        if id(module) not in self.known:
            self._held.append(module)
            kind = kind_of(module)
            self.known[id(module)] = self._build(module, kind, called) if kind is not None else None
        return self.known[id(module)]

    def refused(
        self, module: nn.Module, kind: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> LiveLayer | None:
        """A layer whose constructor raised, by what it was given."""
        site = self.sites.get(id(module))
        given = [_live(value) for value in args], {name: _live(value) for name, value in kwargs.items()}
        if site is None or _MISSING in given[0] or _MISSING in given[1].values():
            return None
        self.known[id(module)] = None
        return self._with_site(module, kind, site, tuple(given[0]), given[1])

    def _build(self, module: nn.Module, kind: str, called: Spot | None) -> LiveLayer | None:
        parameters = layers.KINDS[kind].parameters
        live = live_arguments(module, kind)
        if any(parameter.default is REQUIRED and parameter.name not in live for parameter in parameters):
            return None
        site = self.sites.get(id(module)) or self._site(module, kind) or self._local_site(kind, called)
        call = site.node if site is not None and isinstance(site.node, ast.Call) else None
        by_place = _by_place(call, kind)
        named = {word.arg for word in call.keywords} if call is not None else set()
        defaults = {parameter.name: parameter.default for parameter in parameters}
        given = {
            name: value
            for name, value in live.items()
            if name not in by_place and (name in named or not _is_default(value, defaults[name]))
        }
        if site is not None and call is not None:
            live, given = self._with_names(site, call, kind, live), self._with_names(site, call, kind, given)
        args = tuple(live[name] for name in by_place if name in live)
        if len(args) < len(by_place):
            args, given = (), live
        if site is not None:
            return self._with_site(module, kind, site, args, given)
        built = layers.build(layers.KINDS[kind], args, given)
        if built.spec is None:
            return None
        path = self.paths.get(id(module), "")
        place = called.place if called is not None else self._near(module, path or kind)
        return LiveLayer(Layer(built.spec, _callee(called) or path, place, self._owner(module)), built.misfits)

    def _near(self, module: nn.Module, text: str) -> UserPlace:
        """As near as can be told to where a layer was built: the constructor of the class that holds it."""
        owner = self.owners.get(id(module))
        initializer = type(owner[0]).__init__ if owner is not None else None
        code = getattr(inspect.unwrap(initializer), "__code__", None) if initializer is not None else None
        filename, row = (code.co_filename, code.co_firstlineno) if code is not None else ("", 1)
        if type(owner[0] if owner is not None else module).__module__.startswith("torch."):
            filename, row = "", 1
        return UserPlace(text, Span(filename, Position(row, 1), Position(row, 2)), "__init__")

    def _with_site(
        self, module: nn.Module, kind: str, site: Site, args: tuple[Any, ...], given: Mapping[str, Any]
    ) -> LiveLayer | None:
        built = layers.build(layers.KINDS[kind], args, given)
        if built.spec is None:
            return None
        call = site.node if isinstance(site.node, ast.Call) else None
        nodes = _by_place(call, kind) | {word.arg: word.value for word in (call.keywords if call else ()) if word.arg}
        places = {name: site.source.place(node, site.function) for name, node in nodes.items()}
        place = site.source.place(site.node, site.function)
        owner = site.owner or self._owner(module)
        return LiveLayer(Layer(built.spec, site.name, place, owner, places, len(args)), built.misfits)

    def _with_names(self, site: Site, call: ast.Call, kind: str, live: Mapping[str, Any]) -> dict[str, Any]:
        """Sizes under the names that the constructor's parameters have: `hidden` that equals 128."""
        function = site.source.function_around(call)
        nodes = _by_place(call, kind) | {word.arg: word.value for word in call.keywords if word.arg}
        found = dict(live)
        for name, node in nodes.items():
            size = live.get(name)
            if function is None or not isinstance(size, Dim) or (size.literal or 0) < 2:
                continue
            named = self._sized(node, function, size)
            if named is not None and named.value == size.literal:
                found[name] = named
        return found

    def _sized(self, node: ast.expr, function: ast.AST, size: Dim | None) -> Dim | None:
        """An expression of a constructor as a size of named parameters; `size` is what it is known to equal."""
        match node:
            case ast.Name() | ast.Attribute():
                name = _parameter(node, function)
                if not name:
                    return None
                if size is not None and size.literal is not None:
                    known = self.names.setdefault(
                        (id(function), name, size.literal), Symbol(name, value=size, positive=True)
                    )
                    return Dim.of(known)
                values = [symbol for (at, word, _), symbol in self.names.items() if at == id(function) and word == name]
                return Dim.of(values[0]) if len(values) == 1 else None
            case ast.Constant(value=int() as number):
                return Dim.of(number)
            case ast.BinOp(left=left, op=ast.Mult() | ast.Add(), right=right):
                one, two = self._sized(left, function, None), self._sized(right, function, None)
                if one is None or two is None:
                    return None
                return one * two if isinstance(node.op, ast.Mult) else one + two
        return None

    def _owner(self, module: nn.Module) -> str:
        owner = self.owners.get(id(module))
        while owner is not None and type(owner[0]).__module__.startswith("torch."):
            owner = self.owners.get(id(owner[0]))
        return type(owner[0]).__name__ if owner is not None else ""

    def _site(self, module: nn.Module, kind: str = "") -> Site | None:
        """Where the owner's source builds a module."""
        if id(module) in self.sites:
            return self.sites[id(module)]
        owner = self.owners.get(id(module))
        if owner is None:
            return None
        holder, name = owner
        if type(holder).__module__.startswith("torch."):
            outer = self._site(holder)
            return _inside(outer, holder, name) if outer is not None else None
        candidates = list(self._assignments(type(holder), name))
        fitting = [site for site in candidates if not kind or _word(site.node) == kind]
        live = live_arguments(module, kind) if kind else {}
        return min(fitting or candidates, key=lambda site: _contradictions(site.node, live, kind), default=None)

    def _assignments(self, cls: type, name: str) -> Iterator[Site]:
        """Every ``self.name = …`` in the methods of a class and of the classes it derives from."""
        for one in cls.__mro__:
            if one.__module__.startswith("torch.") or one is object:
                continue
            for attribute in vars(one).values():
                code = getattr(getattr(attribute, "__wrapped__", attribute), "__code__", None)
                if code is None:
                    continue
                source = self.spots.source(code.co_filename)
                function = source.functions.get((code.co_firstlineno, code.co_name))
                if function is not None:
                    yield from _assigned(source, function, name)

    def _local_site(self, kind: str, called: Spot | None) -> Site | None:
        """Where a layer that nobody owns is built: the one assignment to the name it is called by."""
        name = _callee(called)
        if called is None or not name or called.source.tree is None:
            return None
        found = [
            Site(called.source, node.value, name, "")
            for node in ast.walk(called.source.tree)
            if isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and _word(node.value) == kind
            and any(called.source.text(target) == name for target in node.targets)
        ]
        return found[0] if len(found) == 1 else None

    def note_site(self, module: nn.Module, spot: Spot, owner: str) -> None:
        """A layer was built before the tracer's eyes."""
        if isinstance(spot.node, ast.expr):
            statement = spot.statement
            name = ""
            if isinstance(statement, ast.Assign) and statement.value is spot.node:
                name = spot.source.text(statement.targets[0])
            self.sites[id(module)] = Site(spot.source, spot.node, name, spot.function, owner)
            self._held.append(module)


def _assigned(source: SourceFile, function: ast.AST, name: str) -> Iterator[Site]:
    for node in ast.walk(function):
        targets: list[ast.expr] = []
        value: ast.expr | None = None
        match node:
            case ast.Assign():
                targets, value = list(node.targets), node.value
            case ast.AnnAssign():
                targets, value = [node.target], node.value
        if value is None:
            continue
        for target in targets:
            if isinstance(target, ast.Attribute) and target.attr == name and isinstance(target.value, ast.Name):
                for option in _options(value):
                    yield Site(source, option, source.text(target), getattr(function, "name", ""))


def _options(value: ast.expr) -> Iterator[ast.expr]:
    """The two sides of a conditional expression; else the expression."""
    if isinstance(value, ast.IfExp):
        yield from _options(value.body)
        yield from _options(value.orelse)
    else:
        yield value


def _inside(outer: Site, holder: nn.Module, name: str) -> Site | None:
    """The expression of a container's part; the container's own where it is not written out."""
    node = outer.node
    found: ast.expr | None = None
    if isinstance(node, ast.Call):
        items: list[ast.expr] = _positional(node)
        if isinstance(holder, nn.ModuleList) and items:
            first = items[0]
            items = list(first.elts) if isinstance(first, ast.List | ast.Tuple) else []
            if isinstance(first, ast.ListComp | ast.GeneratorExp):
                found = first.elt
        if name.isdigit() and found is None and int(name) < len(items) and isinstance(items[int(name)], ast.Call):
            found = items[int(name)]
        if isinstance(holder, nn.ModuleDict) and items and isinstance(items[0], ast.Dict):
            pairs = zip(items[0].keys, items[0].values, strict=True)
            found = next((value for key, value in pairs if isinstance(key, ast.Constant) and key.value == name), None)
    return Site(outer.source, found if found is not None else node, "", outer.function)


def _positional(call: ast.Call) -> list[ast.expr]:
    found: list[ast.expr] = []
    for argument in call.args:
        if isinstance(argument, ast.Starred):
            break
        found.append(argument)
    return found


def _by_place(call: ast.Call | None, kind: str) -> dict[str, ast.expr]:
    """The positional arguments of a construction by the parameters they are for."""
    if call is None or _word(call) != kind:
        return {}
    order = [parameter.name for parameter in layers.KINDS[kind].parameters if not parameter.keyword_only]
    return dict(zip(order, _positional(call), strict=False))


def _parameter(node: ast.expr, function: ast.AST) -> str:
    """The parameter of a function that a name is, or that an attribute of self was set to."""
    arguments = getattr(function, "args", None)
    if not isinstance(arguments, ast.arguments):
        return ""
    names = {one.arg for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    if isinstance(node, ast.Name):
        return node.id if node.id in names else ""
    for statement in ast.walk(function):
        match statement:
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(), attr=name)], value=ast.Name(id=parameter)):
                if isinstance(node, ast.Attribute) and node.attr == name and parameter in names:
                    return parameter
    return ""


def _word(node: ast.AST) -> str:
    """The last word of what is called."""
    if isinstance(node, ast.Call):
        return _word(node.func)
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _contradictions(node: ast.expr, live: Mapping[str, Any], kind: str) -> int:
    """How many literal arguments of a construction are not what the layer has."""
    if not isinstance(node, ast.Call) or not kind:
        return 0
    order = [parameter.name for parameter in layers.KINDS[kind].parameters if not parameter.keyword_only]
    pairs = [*zip(order, _positional(node), strict=False)]
    pairs += [(word.arg, word.value) for word in node.keywords if word.arg is not None]
    wrong = 0
    for name, value in pairs:
        if name in live and isinstance(value, ast.Constant):
            wrong += not _is_default(_live(value.value), live[name])
    return wrong


def _callee(spot: Spot | None) -> str:
    """The text of what is called at a spot."""
    if spot is None or not isinstance(spot.node, ast.Call):
        return ""
    function = spot.node.func
    if isinstance(function, ast.Attribute) and function.attr in ("forward", "__call__"):
        function = function.value
    return spot.source.text(function)


__all__ = [
    "Catalog",
    "LiveLayer",
    "Site",
    "forward_code",
    "forward_codes",
    "kind_of",
    "live_arguments",
]
