"""Comparing live tensors with stated axes: the names of one call, what binds them and what contradicts them.

A name takes the size it meets first and must meet it again, in arguments, results, contracts and stated shapes of one
call, as jaxtyping has it. Beyond jaxtyping, arithmetic may stand before its names are bound (it is compared as soon as
they are), a single unknown in it is solved for (``2*layers`` of 4 makes `layers` 2), and the alternatives of a union
leave nothing behind when they fail.

Each comparison that held is noted as a `Step`; `generated` writes the straight-line check of later calls from them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import torch

from rnnshape_guard.runtime.annotations import (
    ArrayForm,
    EachForm,
    EitherForm,
    FieldsForm,
    Form,
    MappingForm,
    PlainForm,
    TupleForm,
)
from rnnshape_guard.runtime.errors import Binding
from rnnshape_guard.runtime.structure import MOST_ITEMS
from rnnshape_guard.shapes.annotations import AxisSpec, Size

_HOLE = "__hole_"
RESULT = "__rnnshape_guard_result"
"""How a call's result is reached in generated code."""
NAME = "_g_n_"
"""What stands before the name of an axis in generated code, so that it meets no parameter's name."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One thing that contradicts: the sentence, the axes as expected and as found, and what the user calls the tensor."""

    message: str
    expected: str = ""
    found: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A tensor that was compared: how it is reached from an argument or the result (Python text), its type, its rank,
    and the dtypes that fit."""

    reach: str
    kind: type
    rank: int
    dtypes: frozenset[torch.dtype] | None


@dataclass(frozen=True, slots=True)
class Step:
    """A comparison that held. `kind` is *bind*, *same*, *size* or *solve*; `spec` says what the axis was compared with."""

    kind: str
    leaf: int
    axis: int
    spec: AxisSpec
    name: str = ""
    factor: int = 1


@dataclass(frozen=True, slots=True)
class _Pending:
    """Arithmetic whose names are not all bound yet."""

    spec: AxisSpec
    leaf: int
    axis: int
    shape: tuple[int, ...]
    where: str
    form: ArrayForm


@dataclass(slots=True)
class Names:
    """The names of one call, and how they came to be. `scope` is what ``{…}`` in an axis string is evaluated in;
    `constants` are sizes that the model's layers have, whatever the arguments are; `straight` is False once something
    was compared that generated code has no words for."""

    scope: Mapping[str, Any] = field(default_factory=dict)
    sizes: dict[str, Binding] = field(default_factory=dict)
    groups: dict[str, tuple[bool, tuple[int, ...], str]] = field(default_factory=dict)
    leaves: list[Leaf] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    compared: list[tuple[torch.Tensor, ArrayForm]] = field(default_factory=list)
    straight: bool = True
    constants: dict[str, Binding] = field(default_factory=dict)
    _pending: list[_Pending] = field(default_factory=list)

    def bindings(self) -> dict[str, Binding]:
        """What is bound now, names of several axes left out."""
        return dict(self.sizes)

    def match(self, form: Form, value: object, where: str, reach: str, *, settle: bool = True) -> Mismatch | None:
        """Compare a value with a form; None if nothing contradicts. `where` is what the user calls it (``hx``, or
        ``result``), `reach` how generated code does. Without `settle`, arithmetic waits for names still to come."""
        kept = self._kept()
        found = self._match(form, value, where, reach) or (self.settle() if settle else None)
        if found is not None:
            self._back_to(kept)
        return found

    def match_inside(self, tensors: Sequence[tuple[Form, object, str, Iterable[int]]]) -> tuple[Mismatch, str] | None:
        """Compare tensors that are neither arguments nor results. Later calls do not compare them, so no steps are noted;
        names that they bind on their last item's axes are sizes of a layer. Gives what contradicts, and where."""
        leaves, steps, straight = len(self.leaves), len(self.steps), self.straight
        constant: dict[int, set[int]] = {}
        found: tuple[Mismatch, str] | None = None
        for form, value, where, axes in tensors:
            constant[len(self.leaves)] = {*axes}
            if mismatch := self.match(form, value, where, "", settle=False):
                found = mismatch, where
                break
        if found is None and (mismatch := self.settle()):
            found = mismatch, mismatch.where
        for step in self.steps[steps:]:
            of_layer = constant.get(step.leaf, set())
            rank = self.leaves[step.leaf].rank
            if step.kind in ("bind", "same", "solve") and {step.axis, step.axis - rank} & of_layer:
                self.constants[step.name] = self.sizes[step.name]
        del self.leaves[leaves:], self.compared[leaves:], self.steps[steps:]
        self.straight = straight
        return found

    def settle(self) -> Mismatch | None:
        """Compare the arithmetic whose names are bound by now."""
        waiting, progress = self._pending, True
        while waiting and progress:
            self._pending, progress = [], False
            for one in waiting:
                size = self._value(one.spec.size)
                if size is None:
                    solved = self._solve(one)
                    if solved is None:
                        self._pending.append(one)
                        continue
                    if not solved:
                        return _differs(one.where, one.form, one.shape, one.axis, None, self)
                progress = True
                size = self._value(one.spec.size)
                if size != one.shape[one.axis]:
                    return _differs(one.where, one.form, one.shape, one.axis, size, self)
                self.steps.append(Step("size", one.leaf, one.axis, one.spec))
            waiting = self._pending
        return None

    def _kept(self) -> tuple[Any, ...]:
        return (
            dict(self.sizes), dict(self.groups), len(self.leaves), len(self.steps), self.straight, list(self._pending)
        )  # fmt: skip

    def _back_to(self, kept: tuple[Any, ...]) -> None:
        self.sizes, self.groups, leaves, steps, self.straight, self._pending = kept
        del self.leaves[leaves:], self.compared[leaves:], self.steps[steps:]

    def _match(self, form: Form, value: Any, where: str, reach: str) -> Mismatch | None:
        parts: list[tuple[Form, Any, str, str]]
        live: Any = value
        match form:
            case ArrayForm():
                return self._match_array(form, value, where, reach)
            case EitherForm(options=options):
                return self._match_either(options, value, where, reach)
            case TupleForm(items=items):
                if not isinstance(value, tuple):
                    return Mismatch(f"{_called(where)} is {_kind(value)}, but a tuple of {len(items)} is stated")
                if len(value) != len(items):
                    return Mismatch(
                        f"{_called(where)} is a tuple of {len(value)}, but a tuple of {len(items)} is stated"
                    )
                parts = [(items[at], one, f"{where}[{at}]", f"{reach}[{at}]") for at, one in enumerate(value)]
            case EachForm(kind=kind, item=item):
                if not isinstance(value, kind):
                    return Mismatch(f"{_called(where)} is {_kind(value)}, but a {kind.__name__} is stated")
                parts = [(item, one, f"{where}[{at}]", f"{reach}[{at}]") for at, one in enumerate(live)]
                self.straight &= isinstance(live, tuple | list) and len(live) <= MOST_ITEMS
            case MappingForm(kind=kind, item=item):
                if not isinstance(value, kind):
                    return Mismatch(f"{_called(where)} is {_kind(value)}, but a {kind.__name__} is stated")
                parts = [(item, one, f"{where}[{key!r}]", f"{reach}[{key!r}]") for key, one in live.items()]
                self.straight &= isinstance(live, dict) and all(isinstance(key, str | int) for key in live)
                self.straight &= len(live) <= MOST_ITEMS
            case FieldsForm(kind=kind, fields=fields, keys=keys):
                if not isinstance(value, dict if keys else kind):
                    return Mismatch(f"{_called(where)} is {_kind(value)}, but a {kind.__name__} is stated")
                parts = [
                    (part, live.get(name) if keys else getattr(live, name, None),
                     f"{where}.{name}", f"{reach}[{name!r}]" if keys else f"{reach}.{name}")
                    for name, part in fields if not keys or name in live
                ]  # fmt: skip
            case PlainForm():
                if form.fits(value):
                    return None
                return Mismatch(f"{_called(where)} is {_kind(value)}, but {_words(form)} is stated")
        for part, one, words, path in parts:
            if found := self._match(part, one, words, path):
                return found
        return None

    def _match_either(self, options: Sequence[Form], value: Any, where: str, reach: str) -> Mismatch | None:
        mismatches: list[tuple[Form, Mismatch]] = []
        kept = self._kept()
        for option in options:
            found = self._match(option, value, where, reach)
            if found is None:
                # Which alternative is meant must follow from kinds and ranks, or a check would have to try them all.
                self.straight &= not any(mismatch.where for _, mismatch in mismatches)
                return None
            self._back_to(kept)
            kept = self._kept()
            mismatches.append((option, found))
        # The alternative that a person will have meant: the one whose kind of value this is.
        likely = [
            found for option, found in mismatches if isinstance(option, ArrayForm) == isinstance(value, torch.Tensor)
        ]
        told = [found for found in likely if found.found]
        return (told or likely or [found for _, found in mismatches])[0]

    def _match_array(self, form: ArrayForm, value: Any, where: str, reach: str) -> Mismatch | None:
        if not form.fits(value):
            return Mismatch(
                f"{_called(where)} is {_kind(value)}, but {_stated(form)} is stated",
                f"{form.dtype} ({form.text.replace(' ', ', ')})".strip(), _found(value),
            )  # fmt: skip
        shape = tuple(value.shape)
        variadic = next((at for at, axis in enumerate(form.axes) if axis.is_variadic), None)
        least = len(form.axes) - (variadic is not None)
        if len(shape) != least if variadic is None else len(shape) < least:
            more = " at least" if variadic is not None else ""
            return Mismatch(
                f"{_called(where)} has {_axes(len(shape))}, but `{form.text}` names{more} {least}",
                self.printed(form),
                _found(value),
            )
        self.leaves.append(Leaf(reach, type(value), len(shape), form.dtypes))
        leaf = len(self.leaves) - 1
        self.compared.append((value, form))
        behind = len(shape) - len(form.axes)
        for place, axis in enumerate(form.axes):
            if place == variadic:
                if found := self._match_group(axis, leaf, place, shape[place : place + behind + 1], where, form, shape):
                    return found
                continue
            at = place if variadic is None or place < variadic else place + behind
            if found := self._match_axis(axis, at, leaf, shape, where, form):
                return found
        return None

    def _match_axis(
        self, axis: AxisSpec, at: int, leaf: int, shape: tuple[int, ...], where: str, form: ArrayForm
    ) -> Mismatch | None:
        if axis.is_broadcastable and shape[at] == 1:
            return None
        if axis.size is not None:
            self.straight &= not (axis.size.references and self.leaves[leaf].reach.startswith(RESULT))
            self._pending.append(_Pending(axis, leaf, at, shape, where, form))
            return self.settle() if axis.size.literal is not None else None
        if axis.name is None:
            return None
        if "?" in axis.text:
            self.straight = False
            return None
        bound = self.sizes.get(axis.name)
        if bound is None:
            self.sizes[axis.name] = Binding(shape[at], f"axis {at} of {_called(where)}")
            self.steps.append(Step("bind", leaf, at, axis, axis.name))
            return None
        if bound.size != shape[at]:
            return _differs(where, form, shape, at, bound.size, self)
        self.steps.append(Step("same", leaf, at, axis, axis.name))
        return None

    def _match_group(
        self,
        axis: AxisSpec,
        leaf: int,
        first: int,
        sizes: tuple[int, ...],
        where: str,
        form: ArrayForm,
        shape: tuple[int, ...],
    ) -> Mismatch | None:
        """``*name`` stands for the same sizes again; ``*#name`` for what can be broadcast with them."""
        if axis.name is None:
            return None
        before = self.groups.get(axis.name)
        self.straight &= not axis.is_broadcastable and "?" not in axis.text
        if before is None:
            self.groups[axis.name] = (axis.is_broadcastable, sizes, where)
            self._note_group("bind", axis, leaf, first, len(sizes))
            return None
        was_broadcastable, known, origin = before
        wrong = Mismatch(
            f"`{axis.text}` of {_called(where)} is {sizes}, but `{axis.name}` is {known} ({_called(origin)})",
            self.printed(form),
            str(shape),
        )
        if not was_broadcastable and not axis.is_broadcastable:
            self._note_group("same", axis, leaf, first, len(sizes))
            return None if sizes == known else wrong
        try:
            both = tuple(torch.broadcast_shapes(sizes, known))  # type: ignore[no-untyped-call]
        except RuntimeError:
            return wrong
        if not was_broadcastable and both != known or not axis.is_broadcastable and both != sizes:
            return wrong
        if was_broadcastable:
            self.groups[axis.name] = (axis.is_broadcastable, both, where)
        return None

    def _note_group(self, kind: str, axis: AxisSpec, leaf: int, first: int, count: int) -> None:
        """The rank is part of a structure, so a group is so many names: ``names_of_0``, ``names_of_1`` …"""
        self.steps.extend(Step(kind, leaf, first + at, axis, f"{axis.name}_of_{at}") for at in range(count))

    def _value(self, size: Size | None) -> int | None:
        """The number that a size stands for; None while a name is missing."""
        assert size is not None
        if size.literal is not None:
            return size.literal
        source, names = python_of(size)
        if any(name not in self.sizes for name in names):
            return None
        given = {NAME + name: self.sizes[name].size for name in names}
        try:
            return int(eval(source, {**self.scope, **given}))
        except Exception:  # noqa: BLE001 - ``{self.hidden}`` may be anything
            return None

    def _solve(self, one: _Pending) -> bool | None:
        """Find the one unknown of ``2*layers``: None where there are more, False where no whole number will do."""
        assert one.spec.size is not None
        match one.spec.size.tree:
            case (
                ast.BinOp(left=ast.Constant(value=int() as factor), op=ast.Mult(), right=ast.Name(id=name))
                | ast.BinOp(left=ast.Name(id=name), op=ast.Mult(), right=ast.Constant(value=int() as factor))
            ) if factor > 0 and not name.startswith(_HOLE) and name not in self.sizes:
                size = one.shape[one.axis]
                if size % factor:
                    return False
                self.sizes[name] = Binding(
                    size // factor, f"`{one.spec.text}`, axis {one.axis} of {_called(one.where)}"
                )
                self.steps.append(Step("solve", one.leaf, one.axis, one.spec, name, factor))
                return True
            case _:
                return None

    def printed(self, form: ArrayForm, shown: int | None = None, size: int | None = None) -> str:
        """Stated axes with the sizes that are known: ``(batch = 8, time, 2*hidden = 256)``."""
        words = []
        for axis in form.axes:
            known: int | None = None
            if axis.size is not None:
                known = self._value(axis.size)
            elif axis.name is not None and axis.name in self.sizes and not axis.is_variadic:
                known = self.sizes[axis.name].size
            words.append(axis.text if known is None or axis.text == str(known) else f"{axis.text} = {known}")
        return f"({', '.join(words)})"


def _differs(where: str, form: ArrayForm, shape: tuple[int, ...], at: int, size: int | None, names: Names) -> Mismatch:
    behind = len(shape) - len(form.axes)
    variadic = next((place for place, axis in enumerate(form.axes) if axis.is_variadic), len(form.axes))
    axis = form.axes[at if at < variadic else at - behind]
    stated = f"`{axis.text}` is stated" if size is None or axis.text == str(size) else f"`{axis.text}` is {size}"
    return Mismatch(
        f"axis {at} of {_called(where)} is {shape[at]}, but {stated}",
        names.printed(form),
        f"({', '.join(map(str, shape))})",
        where,
    )


def _called(where: str) -> str:
    return "the result" if where == "result" else f"`{where}`"


def _stated(form: ArrayForm) -> str:
    if not form.dtype:
        return "a Tensor"
    return f"{'an' if form.dtype[0] in 'AEIOU' else 'a'} {form.dtype} tensor"


def _kind(value: object) -> str:
    if value is None:
        return "None"
    if isinstance(value, torch.Tensor):
        return f"a tensor of {str(value.dtype).removeprefix('torch.')}"
    return f"a {type(value).__name__}"


def _found(value: object) -> str:
    if not isinstance(value, torch.Tensor):
        return _kind(value)
    return f"({', '.join(map(str, value.shape))})"


def _axes(count: int) -> str:
    return "1 axis" if count == 1 else f"{count} axes"


def _words(form: PlainForm) -> str:
    return "None" if form.hint is None else getattr(form.hint, "__name__", str(form.hint))


@cache
def python_of(size: Size) -> tuple[str, tuple[str, ...]]:
    """A size as Python over prefixed names (see `NAME`), and the names it reads."""
    names: list[str] = []

    class Spelling(ast.NodeTransformer):
        def visit_Call(self, node: ast.Call) -> ast.AST:
            node.args = [self.visit(one) for one in node.args]
            return node

        def visit_Name(self, node: ast.Name) -> ast.AST:
            if node.id.startswith(_HOLE):
                return ast.parse(f"int({size.references[int(node.id[len(_HOLE) :])]})", mode="eval").body
            names.append(node.id)
            return ast.Name(NAME + node.id, ast.Load())

    tree = Spelling().visit(ast.parse(ast.unparse(size.tree), mode="eval").body)
    return ast.unparse(ast.fix_missing_locations(tree)), tuple(dict.fromkeys(names))
