"""The shapes that a function's annotations state: jaxtyping's arrays, and whatever holds them.

    def forward(self, x: Float[Tensor, "batch time word"], state: tuple[Float[Tensor, "layers batch hidden"], ...]):

Each annotation becomes a `Form`. Only annotations that hold an array somewhere are read: whether a plain ``int`` is an
int is not what a guard of shapes is for. Array types and dtypes are left to jaxtyping, other types inside such an
annotation to beartype; axes are read by `shapes.annotations`, which refuses what jaxtyping takes in silence.
"""

from __future__ import annotations

import ast
import collections.abc
import dataclasses
import inspect
import sys
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Union

import torch
from beartype.door import is_bearable
from beartype.roar import BeartypeException
from jaxtyping import AbstractArray, AbstractDtype

from rnnshape_guard.shapes.annotations import AxisSpec, NotationError, parse_axes


@dataclass(frozen=True, slots=True)
class ArrayForm:
    """One array: ``Float[Tensor, "batch time word"]``. `fits` is jaxtyping's word on array type and dtype alone."""

    text: str
    axes: tuple[AxisSpec, ...]
    dtype: str = ""
    any_axes: Any = None

    def fits(self, value: object) -> bool:
        """Whether jaxtyping takes the value's type and dtype, whatever its axes are."""
        return isinstance(value, torch.Tensor) if self.any_axes is None else isinstance(value, self.any_axes)

    @property
    def dtypes(self) -> frozenset[torch.dtype] | None:
        """The dtypes that fit, None where every one does."""
        return None if self.any_axes is None else _dtypes_of(self.any_axes)


@dataclass(frozen=True, slots=True)
class EitherForm:
    """A union: the first that fits is meant."""

    options: tuple[Form, ...]


@dataclass(frozen=True, slots=True)
class TupleForm:
    """``tuple[X, Y]``: as many items as there are forms."""

    items: tuple[Form, ...]


@dataclass(frozen=True, slots=True)
class EachForm:
    """``list[X]``, ``tuple[X, ...]``, ``Sequence[X]``: every item has one form."""

    kind: type
    item: Form


@dataclass(frozen=True, slots=True)
class MappingForm:
    """``dict[str, X]``: every value has one form."""

    kind: type
    item: Form


@dataclass(frozen=True, slots=True)
class FieldsForm:
    """A dataclass, NamedTuple or TypedDict, by the annotations of its fields; `keys`: read by key, not by attribute."""

    kind: type
    fields: tuple[tuple[str, Form], ...]
    keys: bool = False


@dataclass(frozen=True, slots=True)
class PlainForm:
    """Anything else inside an annotation that holds an array: beartype's affair."""

    hint: Any

    def fits(self, value: object) -> bool:
        """Whether beartype takes the value; what beartype can't read fits."""
        try:
            return is_bearable(value, self.hint)
        except BeartypeException:
            return True


Form = ArrayForm | EitherForm | TupleForm | EachForm | MappingForm | FieldsForm | PlainForm


def holds_arrays(form: Form) -> bool:
    """Whether there is an array in a form."""
    match form:
        case ArrayForm():
            return True
        case EitherForm(options=parts) | TupleForm(items=parts):
            return any(map(holds_arrays, parts))
        case EachForm(item=item) | MappingForm(item=item):
            return holds_arrays(item)
        case FieldsForm(fields=fields):
            return any(holds_arrays(part) for _, part in fields)
        case _:
            return False


@dataclass(frozen=True, slots=True)
class Signature:
    """What a function's annotations say of shapes: forms by parameter name, and of the result."""

    parameters: Mapping[str, Form]
    result: Form | None = None

    def __bool__(self) -> bool:
        return bool(self.parameters) or self.result is not None


NOTHING = Signature({})


def read_signature(function: Callable[..., Any]) -> Signature:
    """The forms of a function's annotations.

    Raises NotationError, with the place in the string, for an axis string that can't be meant. An annotation that can't
    be evaluated (a name that only a type checker imports) says nothing.
    """
    inner = inspect.unwrap(function)
    if getattr(inner, "__no_type_check__", False) or getattr(function, "__no_type_check__", False):
        return NOTHING
    names = getattr(inner, "__globals__", {})
    where = getattr(inner, "__qualname__", "")
    forms: dict[str, Form] = {}
    for name, annotation in getattr(inner, "__annotations__", {}).items():
        form = form_of(_evaluated(annotation, names, f"`{name}` of `{where}`"), f"`{name}` of `{where}`")
        if form is not None and holds_arrays(form):
            forms[name] = form
    return Signature({name: form for name, form in forms.items() if name != "return"}, forms.get("return"))


def _evaluated(annotation: Any, names: Mapping[str, Any], where: str) -> Any:
    """An annotation as an object; None where it can't be evaluated."""
    if isinstance(annotation, typing.ForwardRef):
        annotation = annotation.__forward_arg__
    if not isinstance(annotation, str):
        return annotation
    _refuse_bad_strings(annotation, names, where)
    try:
        return eval(annotation, dict(names))
    except Exception:  # noqa: BLE001 - whatever a user's expression may raise
        return None


def _refuse_bad_strings(annotation: str, names: Mapping[str, Any], where: str) -> None:
    """Look into ``from __future__ import annotations``: jaxtyping has not seen these strings yet."""
    try:
        tree = ast.parse(annotation.strip(), mode="eval")
    except SyntaxError:
        return
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(value=value, slice=ast.Tuple(elts=[_, ast.Constant(value=str() as text)])):
                try:
                    kind = eval(compile(ast.Expression(value), "<annotation>", "eval"), dict(names))
                except Exception:  # noqa: BLE001
                    continue
                if isinstance(kind, type) and issubclass(kind, AbstractDtype):
                    axes_of(text, where)


def axes_of(text: str, where: str) -> tuple[AxisSpec, ...]:
    """The axes of a string; the error says what it belongs to, and shows the place.

    >>> axes_of("batch 2 * hidden", "`x`")
    Traceback (most recent call last):
    ...
    rnnshape_guard.shapes.annotations.NotationError: `x`: an axis has no spaces in it: write 2*hidden
        batch 2 * hidden
              ^
    """
    try:
        return parse_axes(text)
    except NotationError as problem:
        raise refused(text, where, problem) from None


def refused(text: str, where: str, problem: NotationError) -> NotationError:
    """A problem of notation in words that show the place in the string."""
    return NotationError(f"{where}: {problem.message}\n    {text}\n    {' ' * problem.offset}^", problem.offset)


def form_of(hint: Any, where: str, seen: tuple[Any, ...] = ()) -> Form | None:
    """The form of a type hint; None where nothing can be said."""
    if hint is None:
        return PlainForm(None)
    if any(hint is one for one in seen):
        return PlainForm(Any)
    if isinstance(hint, type) and issubclass(hint, AbstractArray):
        return _array(hint, where)
    inside = (*seen, hint)

    def read(part: Any) -> Form:
        return form_of(part, where, inside) or PlainForm(Any)

    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return read(arguments[0])
    if origin in (Union, types.UnionType):
        return EitherForm(tuple(PlainForm(None) if part is type(None) else read(part) for part in arguments))
    if isinstance(origin, type) and arguments:
        return _container(origin, arguments, read) or PlainForm(hint)
    if isinstance(hint, type) and (fields := _fields(hint)):
        return FieldsForm(
            hint, tuple((name, read(part)) for name, part in fields.items()), keys=typing.is_typeddict(hint)
        )
    return PlainForm(hint)


def _container(origin: type, arguments: tuple[Any, ...], read: Callable[[Any], Form]) -> Form | None:
    if origin is tuple:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return EachForm(tuple, read(arguments[0]))
        return TupleForm(tuple(map(read, arguments)))
    if issubclass(origin, collections.abc.Mapping) and len(arguments) == 2:
        return MappingForm(origin, read(arguments[1]))
    if issubclass(origin, collections.abc.Sequence | collections.abc.Set) and len(arguments) == 1:
        return EachForm(origin, read(arguments[0]))
    return None


def _fields(kind: type) -> dict[str, Any]:
    """The annotated fields of a dataclass, NamedTuple or TypedDict."""
    is_named_tuple = issubclass(kind, tuple) and hasattr(kind, "_fields")
    if not (dataclasses.is_dataclass(kind) or is_named_tuple or typing.is_typeddict(kind)):
        return {}
    if dataclasses.is_dataclass(kind):
        wanted = {field.name for field in dataclasses.fields(kind)}
    else:
        wanted = set(getattr(kind, "__annotations__", {}))
    names = vars(sys.modules.get(kind.__module__, types.ModuleType("")))
    found = {}
    for one in reversed(kind.__mro__):
        for name, annotation in vars(one).get("__annotations__", {}).items():
            if name in wanted:
                found[name] = _evaluated(annotation, names, f"`{kind.__qualname__}.{name}`")
    return {name: Any if hint is None else hint for name, hint in found.items()}


def _array(hint: Any, where: str) -> ArrayForm:
    axes = axes_of(hint.dim_str.strip(), where)
    return ArrayForm(hint.dim_str.strip(), axes, hint.dtype.__name__, hint.dtype[hint.array_type, "..."])


@cache
def _dtypes_of(any_axes: Any) -> frozenset[torch.dtype] | None:
    good = {dtype for dtype in _ORDINARY if isinstance(torch.empty(0, dtype=dtype, device="meta"), any_axes)}
    return frozenset(good)


_ORDINARY = (
    torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.float16, torch.bfloat16,
    torch.float32, torch.float64, torch.complex64, torch.complex128,
)  # fmt: skip
"""The dtypes that generated checks know; a tensor of another takes the longer way."""


def arrays_in(form: Form) -> Iterator[ArrayForm]:
    """Every array of a form, in order."""
    match form:
        case ArrayForm():
            yield form
        case EitherForm(options=parts) | TupleForm(items=parts):
            for part in parts:
                yield from arrays_in(part)
        case EachForm(item=item) | MappingForm(item=item):
            yield from arrays_in(item)
        case FieldsForm(fields=fields):
            for _, part in fields:
                yield from arrays_in(part)
        case _:
            return
