"""Binding a call's arguments to parameters, and reading them as sizes and flags.

Both halves of a layer take arguments: its constructor and its forward call. Here they meet their parameters in
torch's order, and what Python or torch would refuse becomes a `Misfit`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from rnnshape_guard.shapes.axes import Shape
from rnnshape_guard.shapes.dims import Dim, Symbol, resolve
from rnnshape_guard.shapes.outcomes import UNKNOWN, Fault, Many, Misfit, Named, Operand, Packed, Unknown

Size = Dim | Unknown
"""A size that may not be known."""
Flag = bool | Dim | Unknown
"""True, False, a size that is 0 or 1, or not known."""


class Required:
    """The default of a parameter that has none; there is one, `REQUIRED`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "REQUIRED"


REQUIRED: Final = Required()


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter in torch's order; one that is `keyword_only` takes no position."""

    name: str
    default: Operand | Required = REQUIRED
    keyword_only: bool = False


@dataclass(frozen=True, kw_only=True)
class Spec:
    """A layer as constructed. `kind` is torch's class name; two specs are equal if they describe the same layer.

    `given` names the arguments that were passed and `positional` those among them that came by position: an absent
    `batch_first` differs from a False one, and a True in the place of `bias` may have been meant for another.
    """

    kind: str
    given: frozenset[str] = field(default=frozenset(), compare=False)
    positional: frozenset[str] = field(default=frozenset(), compare=False)


Argument = Operand | Spec
"""What a constructor takes: operands, and other layers."""


@dataclass(frozen=True, slots=True, eq=False)
class Bound:
    """Arguments by parameter: every parameter has a value (UNKNOWN where a needed one is missing).

    `given` are those that were passed and `positional` those among them that came by position.
    """

    values: Mapping[str, Argument]
    given: frozenset[str] = frozenset()
    positional: frozenset[str] = frozenset()
    misfits: tuple[Misfit, ...] = ()

    def __getitem__(self, name: str) -> Operand:
        value = self.values[name]
        return UNKNOWN if isinstance(value, Spec) else value

    def layer(self, name: str) -> Spec | None:
        """An argument that is a layer itself (the layer that a TransformerEncoder repeats)."""
        value = self.values[name]
        return value if isinstance(value, Spec) else None


def bind(
    parameters: tuple[Parameter, ...],
    args: tuple[Argument, ...],
    kwargs: Mapping[str, Argument],
    *,
    partial: bool = False,
) -> Bound:
    """Give each argument its parameter.

    With `partial`, arguments that nobody could see were passed too: what is not given is UNKNOWN, never the default.
    """
    misfits: list[Misfit] = []
    values: dict[str, Argument] = {}
    places = [parameter.name for parameter in parameters if not parameter.keyword_only]
    values.update(zip(places, args, strict=False))
    positional = frozenset(values)
    if len(args) > len(places):
        found, expected = Dim.of(len(args)), Dim.of(len(places))
        misfits.append(
            Misfit(fault=Fault.COUNT, operand="args", expected=expected, found=found, detail="positional arguments")
        )
    names = {parameter.name for parameter in parameters}
    for name, value in kwargs.items():
        if name not in names:
            misfits.append(Misfit(fault=Fault.TYPE, operand=name, detail="is not a parameter"))
        elif name in positional:
            misfits.append(Misfit(fault=Fault.TYPE, operand=name, detail="is given twice"))
        else:
            values[name] = value
    given = frozenset(values)
    for parameter in parameters:
        if parameter.name in values:
            continue
        default = UNKNOWN if partial else parameter.default
        if isinstance(default, Required):
            misfits.append(Misfit(fault=Fault.COUNT, operand=parameter.name, detail="is missing"))
            default = UNKNOWN
        values[parameter.name] = default
    return Bound(values, given, positional, tuple(misfits))


def settled(flag: Flag) -> Flag:
    """A flag with what has been found out since: a size known to be 0 or 1 is False or True."""
    if isinstance(flag, Dim):
        value = flag.value
        return flag if value is None else bool(value)
    return flag


def as_size(flag: Flag) -> Size:
    """The 0 or 1 that a flag is."""
    return Dim.of(int(flag)) if isinstance(flag, bool) else flag


def describe(operand: Operand) -> str:
    """What kind of thing an operand is, in plain words with their article."""
    match operand:
        case None:
            return "None"
        case Shape():
            return "a tensor"
        case Packed():
            return "a PackedSequence"
        case tuple() | Named() | Many():
            return "a tuple"
        case bool() | Dim() | float():
            return "a number"
        case str():
            return "a string"
        case _:
            return "something else"


class Reading:
    """Reads a constructor's arguments, one after another, and collects what torch would refuse.

    `flags` and `positive` are the symbols that turn out to be 0 or 1, or at least 1, if the call is believed.
    """

    def __init__(self, bound: Bound) -> None:
        self.bound = bound
        self.misfits: list[Misfit] = list(bound.misfits)
        self.flags: list[Symbol] = []
        self.positive: list[Symbol] = []

    def refuse(
        self, name: str, detail: str, fault: Fault = Fault.VALUE, *, expected: Size = UNKNOWN, found: Size = UNKNOWN
    ) -> None:
        """Note that torch would not take this argument."""
        wanted = expected if isinstance(expected, Dim) else None
        got = found if isinstance(found, Dim) else None
        self.misfits.append(Misfit(fault=fault, operand=name, expected=wanted, found=got, detail=detail))

    def size(self, name: str, least: int = 0, *, sizes: bool = True) -> Size:
        """An integer of at least `least`. Where it `sizes` something, its symbols are positive from here on; padding and
        the like may well be 0."""
        return self.as_size(name, self.bound[name], least, sizes=sizes)

    def as_size(self, name: str, operand: Operand, least: int = 0, *, sizes: bool = True) -> Size:
        """The same for one element of an argument."""
        match operand:
            case bool():
                size = Dim.of(int(operand))
            case Dim():
                size = operand
            case float():
                self.refuse(name, "is not a whole number", Fault.TYPE)
                return UNKNOWN
            case str() | None | tuple() | Named() | Packed():
                self.refuse(name, f"is {describe(operand)}", Fault.TYPE)
                return UNKNOWN
            case _:
                return UNKNOWN
        value = size.value
        if value is not None and value < least:
            self.refuse(name, f"must be at least {least}", expected=Dim.of(least), found=size)
        elif sizes and len(size.terms) == 1:
            # A quotient is a symbol of its own: both it and the product it divides are at least 1; of a sum, nobody knows.
            ((monomial, _),) = size.terms.items()
            divided = [symbol.floor_of[0] for symbol, _ in monomial if symbol.floor_of is not None]
            within = [symbol for dim in divided if len(dim.terms) == 1 for symbol in dim.symbols()]
            named = dict.fromkeys((*(symbol for symbol, _ in monomial), *within))
            self.positive.extend(symbol for symbol in named if not symbol.flag)
        return size

    def optional_size(self, name: str, least: int = 0) -> Size | None:
        """An integer, or None where there is none."""
        return None if self.bound[name] is None else self.size(name, least)

    def sizes(self, name: str, count: int, least: int = 0, *, sizes: bool = True) -> tuple[Size, ...]:
        """One integer for each of `count` axes: a single one stands for all, as does a list of one."""
        operand = self.bound[name]
        match operand:
            case tuple() if len(operand) == count:
                return tuple(self.as_size(name, item, least, sizes=sizes) for item in operand)
            case (single,):
                return (self.as_size(name, single, least, sizes=sizes),) * count
            case tuple():
                self.refuse(
                    name, f"needs {count} sizes", Fault.COUNT, expected=Dim.of(count), found=Dim.of(len(operand))
                )
                return (UNKNOWN,) * count
            case _:
                return (self.as_size(name, operand, least, sizes=sizes),) * count

    def flag(self, name: str, *, strict: bool = False) -> Flag:
        """A truth value; `strict` ones must be bool (torch refuses 1 for `batch_first`)."""
        operand = self.bound[name]
        match operand:
            case bool() | Unknown():
                return operand
            case Dim():
                return self._flag_of_size(name, operand, strict)
            case None | float() | str() | tuple() if strict:
                self.refuse(name, "must be True or False", Fault.TYPE)
                return UNKNOWN
            case None | float() | str() | tuple():
                return bool(operand)
            case _:
                return UNKNOWN

    def _flag_of_size(self, name: str, size: Dim, strict: bool) -> Flag:
        literal = size.literal
        if literal is not None:
            if strict:
                self.refuse(name, "must be True or False", Fault.TYPE)
            return bool(literal)
        symbol = size.symbol
        if symbol is not None:
            self.flags.append(symbol)
            return settled(size)
        # `1 - b` and the like, made of flags alone; other arithmetic need not be 0 or 1.
        known = resolve(size)
        return size if all(each.flag for each in known.symbols()) else UNKNOWN
