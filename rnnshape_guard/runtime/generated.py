"""Code that is written for one function: a wrapper with its signature, and straight-line checks of known structures.

The wrapper lives in the user's globals and keeps the free variables of the original, because TorchScript resolves names
there; it steps aside while something compiles, traces or exports. A check is a function of the same arguments. It tells
a call that is like one that passed: then it returns the sizes that the result is compared with, else None, and the
long way is taken. It has no words: errors are made on the long way.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from inspect import Parameter
from types import CellType, CodeType, FunctionType
from typing import Any

import torch
from torch.nn.utils.rnn import PackedSequence

from rnnshape_guard.runtime.demands import Demands
from rnnshape_guard.runtime.matching import NAME, RESULT, Leaf, Names, Step, python_of
from rnnshape_guard.runtime.structure import MOST_ITEMS, UNCHANGED, Models

OUR = "__rnnshape_guard_"
FILE = "<rnnshape_guard>"
_VARIABLE = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)


@dataclass(frozen=True, slots=True)
class Written:
    """The parameters of a function as source text: how it is defined, and how it is called on with what it was given."""

    header: str
    passed: str
    names: tuple[str, ...]
    plain: str

    @staticmethod
    def of(signature: inspect.Signature) -> Written:
        """The texts for a signature; defaults are put onto the function itself."""
        header, passed, star = [], [], False
        parameters = list(signature.parameters.values())
        for at, one in enumerate(parameters):
            default = "" if one.default is Parameter.empty else "=None"
            match one.kind:
                case Parameter.VAR_POSITIONAL:
                    header.append(f"*{one.name}")
                    passed.append(f"*{one.name}")
                    star = True
                case Parameter.VAR_KEYWORD:
                    header.append(f"**{one.name}")
                    passed.append(f"**{one.name}")
                case Parameter.KEYWORD_ONLY:
                    header.extend([] if star else ["*"])
                    star = True
                    header.append(one.name + default)
                    passed.append(f"{one.name}={one.name}")
                case _:
                    header.append(one.name + default)
                    passed.append(one.name)
                    last = at + 1 == len(parameters) or parameters[at + 1].kind is not Parameter.POSITIONAL_ONLY
                    if one.kind is Parameter.POSITIONAL_ONLY and last:
                        header.append("/")
        names = tuple(one.name for one in parameters)
        return Written(", ".join(header), ", ".join(passed), names, ", ".join(names))


_WRAPPER = """
def factory({free}):
    {kind}def {name}({header}):
        if {our}compiling() or {our}tracing():
            return {wait}{our}original({passed})
        ticket = {our}site.fits({plain})
        if ticket is None:
            return {wait}{our}site.{slow}({arguments})
        result = {wait}{our}original({passed})
        if ticket is True or ticket[0](ticket, result):
            return result
        return {our}site.judge_result({arguments}, result)
        {mentioned}
    return {name}
"""


def wrap(original: FunctionType, signature: inspect.Signature, site: Any) -> FunctionType:
    """A function like `original` that asks `site` first. Its name, defaults, annotations and source are the original's."""
    written = Written.of(signature)
    kept = dict(zip(original.__code__.co_freevars, original.__closure__ or (), strict=True))
    values = {
        "original": original,
        "site": site,
        "compiling": torch.compiler.is_compiling,
        "tracing": getattr(torch._C, "_is_tracing", None) or torch.jit.is_tracing,  # type: ignore[attr-defined]
    }
    cells = kept | {OUR + name: CellType(value) for name, value in values.items()}
    is_coroutine = inspect.iscoroutinefunction(original)
    source = _WRAPPER.format(
        free=", ".join(cells),
        kind="async " if is_coroutine else "",
        wait="await " if is_coroutine else "",
        slow="call_async" if is_coroutine else "call",
        name="guarded",
        header=written.header,
        passed=written.passed,
        plain=written.plain,
        arguments=f"({written.plain}{',' if written.plain else ''})",
        our=OUR,
        mentioned="; ".join(kept) or "pass",
    )
    code = _inner(compile(source, FILE, "exec"))
    made = FunctionType(
        code.replace(co_name=original.__name__, co_qualname=original.__qualname__),
        original.__globals__,
        original.__name__,
        None,
        tuple(cells[name] for name in code.co_freevars),
    )
    parameters = signature.parameters.values()
    by_place = [one for one in parameters if one.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)]
    made.__defaults__ = tuple(one.default for one in by_place if one.default is not Parameter.empty) or None
    made.__kwdefaults__ = {
        one.name: one.default
        for one in parameters
        if one.kind is Parameter.KEYWORD_ONLY and one.default is not Parameter.empty
    } or None
    made.__module__, made.__qualname__, made.__doc__ = original.__module__, original.__qualname__, original.__doc__
    made.__annotations__ = original.__annotations__
    made.__dict__.update(original.__dict__)
    made.__wrapped__ = original  # type: ignore[attr-defined]
    return made


def _inner(code: CodeType) -> CodeType:
    """The innermost function of compiled text."""
    while inside := [one for one in code.co_consts if isinstance(one, CodeType)]:
        code = inside[0]
    return code


# -- checks ----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Writer:
    """Lines of a check, and the objects that they name."""

    objects: dict[str, Any] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    sizes: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def name(self, value: object) -> str:
        """A name in the check's globals for an object."""
        for name, known in self.objects.items():
            if known is value:
                return name
        self.objects[name := f"_g_o{len(self.objects)}"] = value
        return name

    def unless(self, condition: str) -> None:
        """Leave unless a condition holds."""
        self.lines.append(f"if not ({condition}): return None")

    def unpack(self, reach: str, rank: int) -> tuple[str, ...]:
        """The sizes of a tensor in local names; a tensor of another rank raises, which leaves too."""
        if reach not in self.sizes:
            number = len(self.sizes)
            self.sizes[reach] = tuple(f"_g_s{number}_{axis}" for axis in range(rank))
            target = ", ".join(self.sizes[reach])
            self.lines.append(f"{target}{',' if rank == 1 else ''} = {reach}.shape" if rank else f"() = {reach}.shape")
        return self.sizes[reach]


MISS = "return None"


@dataclass(frozen=True, slots=True)
class Check:
    """A known structure: `fits(mark, *arguments)` tells calls like it. Its ticket is True, or begins with the function
    that compares the result with the sizes in the ticket. `lines` and `objects` are what it was made of."""

    fits: Callable[..., Any]
    lines: tuple[str, ...]
    objects: Mapping[str, Any]
    source: str


def first_of(
    checks: Sequence[Check], parameters: Sequence[str], module: str | None, models: Models
) -> Callable[..., Any]:
    """One function for all checks, of the arguments alone: the first is written out, the others are called if it fails."""
    arguments = ", ".join(parameters)
    first, *others = checks
    find = f"_g_find({module})" if module is not None else "None"
    miss = f"return _g_others({', '.join([find, *parameters])})" if others else MISS
    lines = (
        UNCHANGED.format(module=module, miss=miss).strip().splitlines() if module is not None else ["_g_mark = None"]
    )
    body = [*lines, *first.lines]
    space = {
        **first.objects,
        "_g_models": models.known,
        "_g_find": models.mark,
        "_g_others": _chain(others, parameters),
    }
    exec(compile(_function("fits", arguments, body, miss), FILE, "exec"), space)
    return space["fits"]  # type: ignore[no-any-return]


def _chain(checks: Sequence[Check], parameters: Sequence[str]) -> Callable[..., Any]:
    functions = tuple(check.fits for check in checks)

    def others(*arguments: Any) -> Any:
        for fits in functions:
            ticket = fits(*arguments)
            if ticket is not None:
                return ticket
        return None

    return others


def write_check(
    parameters: Sequence[str],
    values: Mapping[str, Any],
    mark: Hashable,
    module: str | None,
    names: Names,
    demands: Demands,
) -> Check:
    """The check of one structure, from the call that passed and the comparisons that held in it.

    `values` are the arguments of that call, `module` the parameter that is the model; leaves whose reach begins with
    `RESULT` belong to the result. `demands` are the sizes that the model's layers take.
    """
    leaves, steps, constants = names.leaves, names.steps, names.constants
    before = _Writer()
    for name in parameters:
        if name == module:
            before.unless(f"_g_mark is {before.name(mark)}")
        else:
            _write_structure(before, name, values[name])
    in_result = [leaf.reach.startswith(RESULT) for leaf in leaves]
    before.lines.extend(f"{NAME}{name} = {binding.size}" for name, binding in constants.items())
    bound = {NAME + name for name in constants}
    _write_steps(before, [one for one in steps if not in_result[one.leaf]], leaves, bound)
    for (reach, axis), size in demands.items():
        if reach in before.sizes:
            before.unless(f"{before.sizes[reach][axis]} == {size}")
    late = [one for one in steps if in_result[one.leaf]]
    needed = sorted(bound.intersection(_read(late)))
    after = _Writer()
    for leaf in leaves:
        if leaf.reach.startswith(RESULT):
            after.unless(f"type({leaf.reach}) is {after.name(leaf.kind)}")
            if leaf.dtypes is not None:
                after.unless(f"{leaf.reach}.dtype in {after.name(leaf.dtypes)}")
            after.unpack(leaf.reach, leaf.rank)
    has_result = bool(after.lines)
    _write_steps(after, late, leaves, set(needed))

    ticket = "True" if not has_result else f"(_g_compare, {''.join(f'{name}, ' for name in needed)})"
    lines = [*before.lines, f"return {ticket}"]
    first = f"_, {''.join(f'{name}, ' for name in needed)}= _g_ticket"
    late_lines = [first, *after.lines, "return True"] if needed else [*after.lines, "return True"]
    compare = _function("compare", f"_g_ticket, {RESULT}", late_lines)
    space = dict(after.objects)
    exec(compile(compare, FILE, "exec"), space)
    objects = before.objects | {"_g_compare": space["compare"]}
    fits = _function("fits", ", ".join(["_g_mark", *parameters]), lines)
    space = dict(objects)
    exec(compile(fits, FILE, "exec"), space)
    return Check(space["fits"], tuple(lines), objects, f"{fits}\n{compare}" if has_result else fits)


def _function(name: str, arguments: str, lines: Sequence[str], miss: str = MISS) -> str:
    """A function of lines; what goes wrong in it, and every miss, ends in `miss`."""
    body = "".join(f"        {line.replace(MISS, miss)}\n" for line in lines)
    return (
        f"def {name}({arguments}):\n    try:\n{body}"
        f"    except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError):\n        {miss}\n"
    )


def _write_structure(writer: _Writer, reach: str, value: Any) -> None:
    """The conditions under which an argument is like one that passed; see `structure.structure_of`."""
    kind = f"type({reach}) is "
    match value:
        case None:
            writer.unless(f"{reach} is None")
        case torch.Tensor():
            writer.unless(f"{kind}{writer.name(type(value))} and {reach}.dtype is {writer.name(value.dtype)}")
            sizes = writer.unpack(reach, value.dim())
            conditions = [
                f"{name} {'==' if size == 1 else '!='} 1" for name, size in zip(sizes, value.shape, strict=True)
            ]
            if conditions:
                writer.unless(" and ".join(conditions))
        case PackedSequence():
            writer.unless(f"{kind}{writer.name(PackedSequence)}")
            _write_structure(writer, f"{reach}.data", value.data)
            writer.unless(f"{'' if len(value.batch_sizes) == 1 else 'not '}len({reach}.batch_sizes) == 1")
            writer.unless(f"{reach}.sorted_indices is {'' if value.sorted_indices is None else 'not '}None")
        case bool():
            writer.unless(f"{reach} is {value}")
        case str():
            writer.unless(f"{reach} == {value!r}")
        case tuple() | list():
            is_short = len(value) <= MOST_ITEMS
            length = f"len({reach}) == {len(value)}" if is_short else f"len({reach}) > {MOST_ITEMS}"
            writer.unless(f"{kind}{writer.name(type(value))} and {length}")
            for at, one in enumerate(value if is_short else value[:1]):
                _write_structure(writer, f"{reach}[{at}]", one)
        case dict() if len(value) <= MOST_ITEMS and all(isinstance(key, str | int) for key in value):
            writer.unless(f"{kind}{writer.name(type(value))} and list({reach}) == {writer.name(list(value))}")
            for key, one in value.items():
                _write_structure(writer, f"{reach}[{key!r}]", one)
        case _ if is_dataclass(value) and not isinstance(value, type):
            writer.unless(f"{kind}{writer.name(type(value))}")
            for part in fields(value):
                _write_structure(writer, f"{reach}.{part.name}", getattr(value, part.name, None))
        case _:
            writer.unless(f"{kind}{writer.name(type(value))}")


def _write_steps(writer: _Writer, steps: Sequence[Step], leaves: Sequence[Leaf], bound: set[str]) -> None:
    """Write comparisons, and add the names they bind to `bound`. A name that was bound inside the model is bound anew by
    what the result has; arithmetic on one is left out."""
    for step in steps:
        leaf = leaves[step.leaf]
        size = writer.unpack(leaf.reach, leaf.rank)[step.axis]
        name = NAME + step.name
        match step.kind:
            case "same" | "bind" if name in bound:
                writer.unless(f"{size} == {name}")
            case "bind" | "same":
                writer.lines.append(f"{name} = {size}")
                bound.add(name)
            case "solve" if name not in bound:
                writer.lines.append(f"{name}, _g_left = divmod({size}, {step.factor})")
                writer.unless("_g_left == 0")
                bound.add(name)
            case "size" if step.spec.size is not None:
                source, names = python_of(step.spec.size)
                if bound.issuperset(NAME + one for one in names):
                    writer.unless(f"{size} == {source}")


def _read(steps: Sequence[Step]) -> Iterator[str]:
    """The names that comparisons read."""
    for step in steps:
        if step.kind == "same":
            yield NAME + step.name
        elif step.kind == "size" and step.spec.size is not None:
            yield from (NAME + name for name in python_of(step.spec.size)[1])
