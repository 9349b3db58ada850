"""What an operation is: a name, its kind, its parameters in PyTorch's words, and a pure function from operands to an outcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from typing import Final

from rnnshape_guard.shapes.dims import Dim
from rnnshape_guard.shapes.outcomes import UNKNOWN, Fault, Misfit, Operand, Outcome

Bound = dict[str, Operand]
Rule = Callable[..., Outcome]


class Kind(StrEnum):
    """What an operation does to axes, so that a driver can tell a reorder from a reduction."""

    REORDER = "reorder"
    RESHAPE = "reshape"
    SELECT = "select"
    COMBINE = "combine"
    REDUCE = "reduce"
    CREATE = "create"
    ELEMENTWISE = "elementwise"
    CONTRACT = "contract"
    MEASURE = "measure"
    """Reads sizes or values and makes no tensor."""


class Required:
    """Stands where a parameter has no default."""

    def __repr__(self) -> str:
        return "REQUIRED"


REQUIRED: Final = Required()


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. `many` takes ``permute(1, 0, 2)`` and ``permute((1, 0, 2))`` alike and is always bound to a tuple;
    `named` takes the keywords that no other parameter has, as pairs of name and value.
    """

    name: str
    default: Operand | Required = REQUIRED
    many: bool = False
    keyword_only: bool = False
    named: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """A tensor operation. `inplace` marks the variants that end in an underscore: they change their first operand."""

    name: str
    kind: Kind
    parameters: tuple[Parameter, ...]
    apply: Callable[[Mapping[str, Operand]], Outcome]
    inplace: bool = False

    def in_place(self) -> Operation:
        """The same operation, writing its result over its first operand."""
        return replace(self, inplace=True)


# NumPy's words, which torch takes too, and einops' and NumPy's own for the first operand.
_SPELLINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "dim": ("axis", "dims", "axes", "dimension"),
    "dims": ("axes", "dim", "axis"),
    "keepdim": ("keepdims",),
    "input": ("x", "a", "self", "array", "arr", "ary", "object", "tensor", "x1", "A", "logits"),
    "other": ("x2", "y", "b"),
    "tensors": ("arrays", "tup", "seq", "input"),
    "size": ("shape", "sizes"),
    "shape": ("size", "newshape", "sizes"),
    "dim0": ("axis0", "axis1"),
    "dim1": ("axis2", "axis1"),
    "source": ("src",),
    "indices_or_sections": ("indices", "sections", "split_size_or_sections", "split_size"),
    "split_size": ("split_size_or_sections", "indices_or_sections"),
    "repeats": ("reps",),
    "p": ("ord",),
    "end": ("stop", "other"),
    "steps": ("num",),
    "low": ("loc",),
    "high": ("scale",),
    "data": ("obj", "object", "ndarray", "a"),
    "n": ("N",),
    "m": ("M",),
    "min": ("a_min",),
    "max": ("a_max",),
    "target": ("device", "dtype"),
}
_WORDS: Final[Mapping[str, Operand]] = {"None": None, "True": True, "False": False, "UNKNOWN": UNKNOWN}


@cache
def parameters(text: str) -> tuple[Parameter, ...]:
    """Parameters from a signature as PyTorch's documentation writes it.

    >>> parameters("input, *dims")[1].many, parameters("input, *dims")[1].name
    (True, 'dims')
    """
    found: list[Parameter] = []
    keyword_only = False
    for piece in filter(None, (piece.strip() for piece in text.split(","))):
        if piece == "*":
            keyword_only = True
            continue
        name, _, default = piece.partition("=")
        named = name.startswith("**")
        many = name.startswith("*") and not named
        found.append(Parameter(name.lstrip("*"), _default(default), many, keyword_only, named))
    return tuple(found)


def _default(text: str) -> Operand | Required:
    if not text:
        return REQUIRED
    if text in _WORDS:
        return _WORDS[text]
    if text.startswith("'"):
        return text.strip("'")
    return float(text) if "." in text else Dim.of(int(text))


def bind(operation: Operation, args: Sequence[Operand], kwargs: Mapping[str, Operand]) -> Bound | Misfit:
    """Arguments by PyTorch's parameter names, defaults filled in; a Misfit where the call itself would be refused.

    Names that NumPy uses (`axis`, `keepdims`) count as torch's. Keywords that no shape depends on (`dtype` of
    a reduction, `device`) are dropped, so an unknown keyword is no error here.
    """
    bound: Bound = {}
    left = list(args)
    for parameter in operation.parameters:
        if parameter.named:
            bound[parameter.name] = tuple((key, value) for key, value in kwargs.items() if key not in bound)
            continue
        named = _keyword(parameter.name, operation.parameters, kwargs)
        if parameter.many:
            found = named if named is not None else _gathered(left, parameter.keyword_only)
            if found is not None:
                bound[parameter.name] = _flat(found[0])
                continue
        elif named is not None:
            bound[parameter.name] = named[0]
            continue
        elif left and not parameter.keyword_only:
            bound[parameter.name] = left.pop(0)
            continue
        if isinstance(parameter.default, Required):
            return Misfit(fault=Fault.TYPE, operand=parameter.name, detail=f"`{parameter.name}` is not given")
        bound[parameter.name] = parameter.default
    if left:
        return Misfit(fault=Fault.TYPE, detail="too many positional arguments")
    return bound


def _keyword(name: str, known: tuple[Parameter, ...], kwargs: Mapping[str, Operand]) -> tuple[Operand] | None:
    """The keyword argument for a parameter under its own name, else under another spelling, as a tuple of one."""
    if not kwargs:
        return None
    if name in kwargs:
        return (kwargs[name],)
    taken = {parameter.name for parameter in known}
    for spelling in _SPELLINGS.get(name, ()):
        if spelling in kwargs and spelling not in taken:
            return (kwargs[spelling],)
    return None


def _gathered(left: list[Operand], keyword_only: bool) -> tuple[Operand] | None:
    if not left or keyword_only:
        return None
    given = tuple(left)
    left.clear()
    return (given[0] if len(given) == 1 else given,)


def _flat(operand: Operand) -> Operand:
    """A tuple of sizes as it is, a single size as a tuple of one; what is unknown stays so."""
    match operand:
        case tuple() | None:
            return operand
        case Dim() | bool():
            return (operand,)
        case _:
            return operand


def perform(operation: Operation, args: Sequence[Operand], kwargs: Mapping[str, Operand]) -> tuple[Bound, Outcome]:
    """Bind and apply: the arguments by name, and what comes of them. A call that does not bind has no arguments."""
    bound = bind(operation, args, kwargs)
    if isinstance(bound, Misfit):
        return {}, Outcome(UNKNOWN, (bound,))
    return bound, operation.apply(bound)
