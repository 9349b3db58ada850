"""Symbolic sizes: polynomials over named symbols, compared with three answers.

    >>> hidden = Symbol("hidden"); H = Dim.of(hidden); hidden.positive = True
    >>> (H // 2) * 2 == H
    True
    >>> compare(2 * H, H).verdict
    <Verdict.DIFFERENT: 'different'>
    >>> compare(H, Dim.of(Symbol("embedding"))).verdict
    <Verdict.UNKNOWN: 'unknown'>

A flag is a symbol that is 0 or 1, so that ``2 if bidirectional else 1`` is ``1 + b``:

    >>> b = Symbol("bidirectional", flag=True)
    >>> print(H * (1 + Dim.of(b)))
    hidden + hidden·bidirectional
    >>> compare(H * (1 + Dim.of(b)), H).condition
    ((Symbol('bidirectional'), 1),)
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from typing import Any, Union

_serials = itertools.count()
_FLAGS_TRIED = 4


class Symbol:
    """A named integer with an identity.

    Facts about a symbol may be found late and hold from then on: its `value` (what it is known to equal),
    that it is a `flag` (0 or 1), that it is `positive` (it has sized an axis or a layer). `owner` is the atom
    whose size it is, if it was made for one. Two symbols of one name are two symbols.
    """

    __slots__ = ("flag", "name", "owner", "positive", "serial", "value")

    def __init__(self, name: str, *, value: Dim | None = None, flag: bool = False, positive: bool = False) -> None:
        self.name = name
        self.value = value
        self.flag = flag
        self.positive = positive
        self.owner: Any = None
        self.serial = next(_serials)

    def __repr__(self) -> str:
        return f"Symbol({self.name!r})"


Monomial = tuple[tuple[Symbol, int], ...]
"""Symbols with their powers, ordered by serial; the empty monomial stands for a plain number. Powers may be negative."""

Number = int | Fraction
DimLike = Union["Dim", Symbol, int]
Condition = tuple[tuple[Symbol, int], ...]
"""Flags with the values under which something holds; empty: always."""


class Dim:
    """A size: an integer, a symbol, or a polynomial over symbols in normal form. Immutable.

    `==` is identity of form (the same symbols in the same polynomial); `compare` asks about values.
    """

    __slots__ = ("_hash", "terms")

    terms: dict[Monomial, Number]

    def __init__(self, terms: dict[Monomial, Number]) -> None:
        self.terms = terms
        self._hash: int | None = None

    @staticmethod
    def of(value: DimLike) -> Dim:
        """The size that an integer or a symbol is."""
        if isinstance(value, Dim):
            return value
        if isinstance(value, Symbol):
            return Dim({((value, 1),): 1})
        value = int(value)
        return Dim({(): value} if value else {})

    @staticmethod
    def product(factors: Iterable[DimLike]) -> Dim:
        """The product of sizes; 1 for none."""
        result = ONE
        for factor in factors:
            result = result * factor
        return result

    @property
    def literal(self) -> int | None:
        """The integer this is as written, without looking at what symbols are known to equal."""
        if not self.terms:
            return 0
        if len(self.terms) == 1 and () in self.terms:
            number = self.terms[()]
            return number if isinstance(number, int) else None
        return None

    @property
    def value(self) -> int | None:
        """The integer this is known to equal, or None."""
        literal = self.literal
        return literal if literal is not None else resolve(self).literal

    @property
    def symbol(self) -> Symbol | None:
        """The symbol this is, if it is exactly one."""
        if len(self.terms) == 1:
            ((monomial, number),) = self.terms.items()
            if number == 1 and len(monomial) == 1 and monomial[0][1] == 1:
                return monomial[0][0]
        return None

    def symbols(self) -> Iterator[Symbol]:
        """Every symbol named, each once."""
        seen: set[Symbol] = set()
        for monomial in self.terms:
            for symbol, _ in monomial:
                if symbol not in seen:
                    seen.add(symbol)
                    yield symbol

    def __add__(self, other: DimLike) -> Dim:
        terms = dict(self.terms)
        for monomial, number in Dim.of(other).terms.items():
            total = terms.get(monomial, 0) + number
            if total:
                terms[monomial] = _plain(total)
            else:
                terms.pop(monomial, None)
        return Dim(terms)

    __radd__ = __add__

    def __neg__(self) -> Dim:
        return Dim({monomial: -number for monomial, number in self.terms.items()})

    def __sub__(self, other: DimLike) -> Dim:
        return self + -Dim.of(other)

    def __rsub__(self, other: DimLike) -> Dim:
        return Dim.of(other) - self

    def __mul__(self, other: DimLike) -> Dim:
        terms: dict[Monomial, Number] = {}
        for left, left_number in self.terms.items():
            for right, right_number in Dim.of(other).terms.items():
                monomial = _times(left, right)
                total = terms.get(monomial, 0) + left_number * right_number
                if total:
                    terms[monomial] = _plain(total)
                else:
                    terms.pop(monomial, None)
        return Dim(terms)

    __rmul__ = __mul__

    def __floordiv__(self, other: DimLike) -> Dim:
        """Exact division where the divisor is a single term (`2 * (H // 2)` is `H`); numbers round down as Python's do.

        Raises ZeroDivisionError for zero. A sum divided by a sum, or a sum with a part that does not divide, is
        a new unknown whose name shows the division.
        """
        divisor = Dim.of(other)
        if not divisor.terms:
            raise ZeroDivisionError("a size divided by zero")
        mine, theirs = self.literal, divisor.literal
        if mine is not None and theirs is not None:
            return Dim.of(mine // theirs)
        if len(divisor.terms) == 1:
            ((monomial, number),) = divisor.terms.items()
            inverse = Dim({tuple((symbol, -power) for symbol, power in monomial): _plain(Fraction(1) / number)})
            quotient = self * inverse
            if len(quotient.terms) == 1 or all(isinstance(part, int) for part in quotient.terms.values()):
                return quotient
        elif self == divisor:
            return ONE
        return Dim.of(Symbol(f"({self})//({divisor})"))

    def __rfloordiv__(self, other: DimLike) -> Dim:
        return Dim.of(other) // self

    def __eq__(self, other: object) -> bool:
        if isinstance(other, int):
            return self.literal == other
        return isinstance(other, Dim) and self.terms == other.terms

    def __hash__(self) -> int:
        if self._hash is None:
            literal = self.literal
            self._hash = hash(frozenset(self.terms.items())) if literal is None else hash(literal)
        return self._hash

    def __repr__(self) -> str:
        return f"Dim({self})"

    def __str__(self) -> str:
        if not self.terms:
            return "0"
        words = ""
        for monomial, number in sorted(self.terms.items(), key=_written_order):
            word = _spell(monomial, abs(number))
            words += f" {'-' if number < 0 else '+'} {word}" if words else ("-" if number < 0 else "") + word
        return words


def _plain(number: Number) -> Number:
    return number.numerator if isinstance(number, Fraction) and number.denominator == 1 else number


def _times(left: Monomial, right: Monomial) -> Monomial:
    if not left:
        return right
    if not right:
        return left
    powers = dict(left)
    for symbol, power in right:
        powers[symbol] = powers.get(symbol, 0) + power
    return tuple(
        sorted(((symbol, power) for symbol, power in powers.items() if power), key=lambda item: item[0].serial)
    )


def _written_order(term: tuple[Monomial, Number]) -> tuple[bool, int, list[int]]:
    """Plain numbers last, short terms before long ones, symbols by age."""
    monomial, _ = term
    return (not monomial, len(monomial), [symbol.serial for symbol, _ in monomial])


def _spell(monomial: Monomial, number: Number) -> str:
    """One term as people write it: ``2·hidden``, ``hidden//heads``, ``steps^2``."""
    fraction = Fraction(number)
    above = [] if fraction.numerator == 1 and any(power > 0 for _, power in monomial) else [str(fraction.numerator)]
    above += [symbol.name if power == 1 else f"{symbol.name}^{power}" for symbol, power in monomial if power > 0]
    below = [] if fraction.denominator == 1 else [str(fraction.denominator)]
    below += [symbol.name if power == -1 else f"{symbol.name}^{-power}" for symbol, power in monomial if power < 0]
    return "//".join(["·".join(above), *below])


ZERO = Dim.of(0)
ONE = Dim.of(1)


def resolve(dim: Dim, *, numbers: bool = True, given: Mapping[Symbol, int] | None = None) -> Dim:
    """`dim` with every symbol replaced by what it is known to equal.

    With ``numbers=False`` a symbol that is known only as a plain number keeps its name: two sizes are then equal
    in form only if they are the same size, not merely the same number. `given` fixes flags. Flags obey ``b * b = b``.
    """
    for monomial in dim.terms:
        for symbol, power in monomial:
            if symbol.value is not None or symbol.flag or (given and symbol in given):
                break
        else:
            continue
        break
    else:
        return dim
    result = ZERO
    for monomial, number in dim.terms.items():
        term = Dim({(): number})
        for symbol, power in monomial:
            term = term * _power(_known(symbol, numbers, given), power, symbol)
        result = result + term
    return result


def _known(symbol: Symbol, numbers: bool, given: Mapping[Symbol, int] | None) -> Dim:
    if given and symbol in given:
        return Dim.of(given[symbol])
    if symbol.value is None:
        return Dim.of(symbol)
    value = resolve(symbol.value, numbers=numbers, given=given)
    return Dim.of(symbol) if not numbers and value.literal is not None else value


def _power(base: Dim, power: int, symbol: Symbol) -> Dim:
    if symbol.flag and power > 0:
        return base
    if power > 0:
        return Dim.product([base] * power)
    inverse = Dim.product([base] * -power)
    return Dim({((symbol, power),): 1}) if not inverse.terms else _reciprocal(inverse)


def _reciprocal(dim: Dim) -> Dim:
    if len(dim.terms) == 1:
        ((monomial, number),) = dim.terms.items()
        return Dim({tuple((symbol, -power) for symbol, power in monomial): _plain(Fraction(1) / number)})
    return Dim({((Symbol(f"({dim})"), -1),): 1})


class Verdict(Enum):
    """What is known about two sizes."""

    EQUAL = "equal"
    DIFFERENT = "different"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A verdict; a DIFFERENT with a condition holds under that condition only."""

    verdict: Verdict
    condition: Condition = ()

    @property
    def equal(self) -> bool:
        """Surely the same number."""
        return self.verdict is Verdict.EQUAL

    @property
    def different(self) -> bool:
        """Surely two numbers, whatever the flags are."""
        return self.verdict is Verdict.DIFFERENT and not self.condition

    @property
    def conflicts(self) -> bool:
        """Two numbers, always or under the condition."""
        return self.verdict is Verdict.DIFFERENT


EQUAL = Comparison(Verdict.EQUAL)
DIFFERENT = Comparison(Verdict.DIFFERENT)
UNSURE = Comparison(Verdict.UNKNOWN)


def compare(left: DimLike, right: DimLike) -> Comparison:
    """Whether two sizes are equal, different (perhaps only under a condition on flags), or not known to be either."""
    difference = resolve(Dim.of(left) - Dim.of(right))
    if not difference.terms:
        return EQUAL
    flags = [symbol for symbol in difference.symbols() if symbol.flag]
    if not flags:
        return DIFFERENT if _surely_not_zero(difference) else UNSURE
    if len(flags) > _FLAGS_TRIED:
        return UNSURE
    outcomes = {}
    for values in itertools.product((0, 1), repeat=len(flags)):
        rest = resolve(difference, given=dict(zip(flags, values, strict=True)))
        outcomes[values] = EQUAL if not rest.terms else DIFFERENT if _surely_not_zero(rest) else UNSURE
    return _under_conditions(flags, outcomes)


def _under_conditions(flags: list[Symbol], outcomes: dict[tuple[int, ...], Comparison]) -> Comparison:
    wrong = [values for values, outcome in outcomes.items() if outcome is DIFFERENT]
    if len(wrong) == len(outcomes):
        return DIFFERENT
    if not wrong:
        return EQUAL if all(outcome is EQUAL for outcome in outcomes.values()) else UNSURE
    for index, flag in enumerate(flags):
        for value in (1, 0):
            if all(outcomes[values] is DIFFERENT for values in outcomes if values[index] == value):
                return Comparison(Verdict.DIFFERENT, ((flag, value),))
    return Comparison(Verdict.DIFFERENT, tuple(zip(flags, wrong[-1], strict=True)))


def _surely_not_zero(dim: Dim) -> bool:
    """All terms share a sign and one is surely not zero. Sizes are never negative."""
    signs = {number > 0 for number in dim.terms.values()}
    return len(signs) == 1 and any(all(symbol.positive for symbol, _ in monomial) for monomial in dim.terms)


def same_size(left: DimLike, right: DimLike) -> bool:
    """Whether two sizes are one size by identity: equal in form once names are followed, and not a bare number."""
    one = resolve(Dim.of(left), numbers=False)
    return one.literal is None and one == resolve(Dim.of(right), numbers=False)


def surely_positive(dim: DimLike) -> bool:
    """Whether a size is known to be at least 1."""
    known = resolve(Dim.of(dim))
    return all(number > 0 for number in known.terms.values()) and any(
        all(symbol.positive for symbol, _ in monomial) for monomial in known.terms
    )


def surely_above_one(dim: DimLike) -> bool:
    """Whether a size is known to be at least 2."""
    difference = resolve(Dim.of(dim)) - 1
    if compare(dim, 1).different:
        return difference.literal is None or difference.literal > 0
    return False


def divide(dim: DimLike, divisor: DimLike) -> Dim | None:
    """The exact quotient of two sizes by value, or None where it is not known to divide."""
    above, below = resolve(Dim.of(dim)), resolve(Dim.of(divisor))
    if not below.terms:
        return None
    top, bottom = above.literal, below.literal
    if top is not None and bottom is not None:
        return Dim.of(top // bottom) if top % bottom == 0 else None
    if above == below:
        return ONE
    if len(below.terms) != 1:
        return _quotient_of_sums(above, below)
    quotient = above * _reciprocal(below)
    whole = all(
        isinstance(number, int) and all(power > 0 for _, power in monomial)
        for monomial, number in quotient.terms.items()
    )
    return quotient if whole else None


def _quotient_of_sums(above: Dim, below: Dim) -> Dim | None:
    """The single term q with ``q * below == above``, such as ``hidden`` for ``hidden + hidden·b`` over ``1 + b``."""
    first, number = next(iter(below.terms.items()))
    for monomial, amount in above.terms.items():
        term = Dim({_times(monomial, tuple((symbol, -power) for symbol, power in first)): _plain(Fraction(amount) / number)})
        if resolve(term * below) == above and all(
            isinstance(part, int) and all(power > 0 for _, power in names) for names, part in term.terms.items()
        ):
            return term
    return None
