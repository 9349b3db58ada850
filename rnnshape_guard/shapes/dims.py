"""Symbolic sizes: polynomials over named symbols, compared with three answers.

    >>> hidden = Symbol("hidden"); H = Dim.of(hidden); hidden.positive = True
    >>> (H // 2) * 2 == H
    True
    >>> compare(2 * H, H).verdict
    <Verdict.DIFFERENT: 'different'>
    >>> compare(H, Dim.of(Symbol("embedding"))).verdict
    <Verdict.UNKNOWN: 'unknown'>

A division that leaves a remainder for some sizes is a symbol that remembers what it divides. It counts as exact when
two sizes are called equal, and by its bounds when they are called different: twice ``k // 2`` may be ``k - 1``.

    >>> k = Dim.of(Symbol("kernel"))
    >>> compare(2 * (k // 2) + 1, k).verdict, compare(k // 2, 2 * k + 1).verdict
    (<Verdict.UNKNOWN: 'unknown'>, <Verdict.DIFFERENT: 'different'>)

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
_KEPT = 4096
"""Integers up to here are one `Dim` each."""


class Symbol:
    """A named integer with an identity.

    Facts about a symbol may be found late and hold from then on: its `value` (what it is known to equal),
    that it is a `flag` (0 or 1), that it is `positive` (it has sized an axis or a layer). `owner` is the atom
    whose size it is, if it was made for one. `learned` tells that the value is what something that was called needs
    it to be. `size` is the symbol as a `Dim`, made once; `key` is what a driver knows it by from one run to the next.
    `floor_of` is set for a quotient: what is divided, and by what. Two symbols of one name are two symbols.
    """

    __slots__ = ("flag", "floor_of", "floors", "key", "learned", "name", "owner", "positive", "serial", "size", "value")

    def __init__(self, name: str, *, value: Dim | None = None, flag: bool = False, positive: bool = False) -> None:
        self.name = name
        self.value = value
        self.flag = flag
        self.positive = positive
        self.owner: Any = None
        self.learned = False
        self.floor_of: tuple[Dim, Dim] | None = None
        self.floors: dict[tuple[Dim, Dim], Symbol] = {}
        self.serial = next(_serials)
        self.size: Dim | None = None
        self.key = ""

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

    `==` is identity of form (the same symbols in the same polynomial, divisions taken as exact); `compare` asks about
    values. `below` is set for a loop's index: the size that it counts up to.
    """

    __slots__ = ("_exact", "_hash", "below", "terms")

    terms: dict[Monomial, Number]
    below: Dim | None

    def __init__(self, terms: dict[Monomial, Number]) -> None:
        self.terms = terms
        self._hash: int | None = None
        self._exact: Dim | None = None
        self.below = None

    def counting_to(self, size: Dim) -> Dim:
        """The same number as the index of a loop that ends before `size`; arithmetic forgets that it is one."""
        index = Dim(self.terms)
        index.below = size
        return index

    @staticmethod
    def of(value: DimLike) -> Dim:
        """The size that an integer or a symbol is."""
        if type(value) is Dim:
            return value
        if type(value) is Symbol:
            if value.size is None:
                value.size = Dim({((value, 1),): 1})
            return value.size
        number = int(value)  # type: ignore[arg-type]  # a subclass of int too
        known = _numbers.get(number)
        if known is None:
            known = Dim({(): number} if number else {})
            if -1 <= number <= _KEPT:
                _numbers[number] = known
        return known

    @staticmethod
    def product(factors: Iterable[DimLike]) -> Dim:
        """The product of sizes; 1 for none."""
        result: Dim | None = None
        for factor in factors:
            result = Dim.of(factor) if result is None else result * factor
        return ONE if result is None else result

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
    def exact(self) -> Dim:
        """This with every division of one term by one term written as a fraction: ``2 * (H // 2)`` is ``H``."""
        if self._exact is None:
            self._exact = _with_fractions(self) if _has_quotient(self) else self
        return self._exact

    @property
    def symbol(self) -> Symbol | None:
        """The symbol this is, if it is exactly one."""
        for terms in (self.terms, self.exact.terms):
            if len(terms) == 1:
                ((monomial, number),) = terms.items()
                if number == 1 and len(monomial) == 1 and monomial[0][1] == 1:
                    return monomial[0][0]
        return None

    def symbols(self) -> Iterator[Symbol]:
        """Every symbol named, each once; of a quotient, those divided."""
        seen: set[Symbol] = set()
        for symbol in _mentioned(self):
            if symbol not in seen:
                seen.add(symbol)
                yield symbol

    def __add__(self, other: DimLike) -> Dim:
        others = Dim.of(other)
        if not others.terms:
            return self
        if not self.terms:
            return others
        terms = dict(self.terms)
        for monomial, number in others.terms.items():
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
        terms = dict(self.terms)
        for monomial, number in Dim.of(other).terms.items():
            total = terms.get(monomial, 0) - number
            if total:
                terms[monomial] = _plain(total)
            else:
                terms.pop(monomial, None)
        return Dim(terms)

    def __rsub__(self, other: DimLike) -> Dim:
        return Dim.of(other) - self

    def __mul__(self, other: DimLike) -> Dim:
        factor = Dim.of(other)
        if factor is ONE:
            return self
        if self is ONE:
            return factor
        others = factor.terms
        if len(self.terms) == 1 and len(others) == 1:
            ((left, left_number),) = self.terms.items()
            ((right, right_number),) = others.items()
            return Dim({_times(left, right): _plain(left_number * right_number)})
        terms: dict[Monomial, Number] = {}
        for left, left_number in self.terms.items():
            for right, right_number in others.items():
                monomial = _times(left, right)
                total = terms.get(monomial, 0) + left_number * right_number
                if total:
                    terms[monomial] = _plain(total)
                else:
                    terms.pop(monomial, None)
        return Dim(terms)

    __rmul__ = __mul__

    def __floordiv__(self, other: DimLike) -> Dim:
        """The quotient, exact where it is known to be, else a symbol of its own; numbers round down as Python's do.

        Raises ZeroDivisionError for zero.
        """
        divisor = Dim.of(other)
        if not divisor.terms:
            raise ZeroDivisionError("a size divided by zero")
        mine, theirs = self.literal, divisor.literal
        if mine is not None and theirs is not None:
            return Dim.of(mine // theirs)
        quotient = exact_quotient(self, divisor)
        return _floored(self, divisor) if quotient is None else quotient

    def __rfloordiv__(self, other: DimLike) -> Dim:
        return Dim.of(other) // self

    def __eq__(self, other: object) -> bool:
        if isinstance(other, int):
            return self.literal == other
        if not isinstance(other, Dim):
            return False
        if self is other or self.terms == other.terms:
            return True
        one, two = self.exact, other.exact
        return (one is not self or two is not other) and one.terms == two.terms

    def __hash__(self) -> int:
        if self._hash is None:
            exact = self.exact
            literal = exact.literal
            self._hash = hash(frozenset(exact.terms.items())) if literal is None else hash(literal)
        return self._hash

    def __repr__(self) -> str:
        return f"Dim({self})"

    def __str__(self) -> str:
        if not self.exact.terms:
            return "0"
        words = ""
        for monomial, number in sorted(self.exact.terms.items(), key=_written_order):
            word = _spell(monomial, Fraction(-number if number < 0 else number))
            words += f" {'-' if number < 0 else '+'} {word}" if words else ("-" if number < 0 else "") + word
        return words


def _plain(number: Number) -> Number:
    if type(number) is int:
        return number
    return number.numerator if isinstance(number, Fraction) and number.denominator == 1 else number


def _times(left: Monomial, right: Monomial) -> Monomial:
    if not left:
        return right
    if not right:
        return left
    if len(left) == 1 and len(right) == 1:
        ((one, above),), ((two, below),) = left, right
        if one is not two:
            return (left[0], right[0]) if one.serial < two.serial else (right[0], left[0])
        return ((one, above + below),) if above + below else ()
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


def _spell(monomial: Monomial, fraction: Fraction) -> str:
    """One term as people write it: ``2·hidden``, ``hidden//heads``, ``steps^2``."""
    above = [] if fraction.numerator == 1 and any(power > 0 for _, power in monomial) else [str(fraction.numerator)]
    above += [symbol.name if power == 1 else f"{symbol.name}^{power}" for symbol, power in monomial if power > 0]
    below = [] if fraction.denominator == 1 else [str(fraction.denominator)]
    below += [symbol.name if power == -1 else f"{symbol.name}^{-power}" for symbol, power in monomial if power < 0]
    return "//".join(["·".join(above), *below])


_numbers: dict[int, Dim] = {}
ZERO = Dim.of(0)
ONE = Dim.of(1)


def exact_quotient(above: Dim, below: Dim) -> Dim | None:
    """The quotient if it is whole in form, ``2 * (H // 2) // H`` among them; None if a remainder may be left."""
    if above == below:
        return ONE
    forms = [(above, below)]
    if above.exact is not above or below.exact is not below:
        forms.append((above.exact, below.exact))
    for top, bottom in forms:
        if len(bottom.terms) == 1:
            quotient = top * _reciprocal(bottom)
            if _is_whole(quotient):
                return quotient
    return None


def _is_whole(dim: Dim) -> bool:
    return all(
        isinstance(number, int) and all(power > 0 for _, power in monomial) for monomial, number in dim.terms.items()
    )


def _floored(above: Dim, below: Dim) -> Dim:
    """The quotient rounded down, one symbol for one division: ``H // 2 // 2`` is ``H // 4``."""
    inner = above.symbol
    if inner is not None and inner.floor_of is not None and above.terms == Dim.of(inner).terms:
        return inner.floor_of[0] // (inner.floor_of[1] * below)
    home = next(itertools.chain(above.symbols(), below.symbols()))
    known = home.floors.get((above, below))
    if known is None:
        known = Symbol(f"{_in_brackets(above)}//{_in_brackets(below)}")
        known.floor_of = above, below
        home.floors[above, below] = known
    return Dim.of(known)


def _in_brackets(dim: Dim) -> str:
    return str(dim) if dim.symbol is not None or dim.literal is not None else f"({dim})"


def _with_fractions(dim: Dim) -> Dim:
    result = ZERO
    for monomial, number in dim.terms.items():
        term = Dim({(): number})
        for symbol, power in monomial:
            term = term * Dim.product([_fraction(symbol)] * power if power > 0 else [Dim({((symbol, power),): 1})])
        result = result + term
    return result


def _fraction(symbol: Symbol) -> Dim:
    if symbol.floor_of is None:
        return Dim.of(symbol)
    above, below = (dim.exact for dim in symbol.floor_of)
    if len(above.terms) != 1 or len(below.terms) != 1:
        return Dim.of(symbol)
    return above * _reciprocal(below)


def _mentioned(dim: Dim) -> Iterator[Symbol]:
    for monomial in dim.terms:
        for symbol, _ in monomial:
            if symbol.floor_of is None:
                yield symbol
            else:
                for part in symbol.floor_of:
                    yield from _mentioned(part)


def resolve(dim: Dim, *, numbers: bool = True, given: Mapping[Symbol, int] | None = None) -> Dim:
    """`dim` with every symbol replaced by what it is known to equal.

    With ``numbers=False`` a symbol that is known only as a plain number keeps its name: two sizes are then equal
    in form only if they are the same size, not merely the same number. `given` fixes flags. Flags obey ``b * b = b``.
    """
    while len(dim.terms) == 1:
        ((monomial, number),) = dim.terms.items()
        if not monomial:
            return dim
        if number != 1 or len(monomial) != 1 or monomial[0][1] != 1:
            break
        symbol = monomial[0][0]
        if given or not numbers or symbol.floor_of is not None:
            return _known(symbol, numbers, given)
        if symbol.value is None:
            return dim
        dim = symbol.value
    if not _is_known_further(dim, given):
        return dim
    result = ZERO
    for monomial, number in dim.terms.items():
        term = ONE if number == 1 else Dim({(): number})
        for symbol, power in monomial:
            term = term * _power(_known(symbol, numbers, given), power, symbol)
        result = result + term
    return result


def _is_known_further(dim: Dim, given: Mapping[Symbol, int] | None) -> bool:
    for monomial in dim.terms:
        for symbol, _ in monomial:
            if symbol.value is not None or symbol.flag or symbol.floor_of or (given and symbol in given):
                return True
    return False


def _has_quotient(dim: Dim) -> bool:
    for monomial in dim.terms:
        for symbol, _ in monomial:
            if symbol.floor_of is not None:
                return True
    return False


def _known(symbol: Symbol, numbers: bool, given: Mapping[Symbol, int] | None) -> Dim:
    if given and symbol in given:
        return Dim.of(given[symbol])
    if symbol.floor_of is not None:
        above, below = symbol.floor_of
        above = resolve(above, numbers=numbers, given=given)
        below = resolve(below, numbers=numbers, given=given)
        return above // below if below.terms else Dim.of(symbol)
    if symbol.value is None:
        return symbol.size or Dim.of(symbol)
    value = resolve(symbol.value, numbers=numbers, given=given)
    return Dim.of(symbol) if not numbers and value.literal is not None else value


def _power(base: Dim, power: int, symbol: Symbol) -> Dim:
    if power == 1 or (symbol.flag and power > 0):
        return base
    if power > 0:
        return Dim.product([base] * power)
    inverse = Dim.product([base] * -power)
    return Dim({((symbol, power),): 1}) if not inverse.terms else _reciprocal(inverse)


def _reciprocal(dim: Dim) -> Dim:
    if len(dim.terms) == 1:
        ((monomial, number),) = dim.terms.items()
        inverse = number if number in (1, -1) else _plain(Fraction(1) / number)
        return Dim({tuple([(symbol, -power) for symbol, power in monomial]): inverse})
    return Dim({((Symbol(f"({dim})"), -1),): 1})


def flags_of(dim: Dim) -> list[Symbol]:
    """The flags that a size names, each once; of a quotient, those in what is divided."""
    if _has_quotient(dim):
        return [symbol for symbol in dim.symbols() if symbol.flag]
    return list(dict.fromkeys([symbol for monomial in dim.terms for symbol, _ in monomial if symbol.flag]))


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
    one, two = Dim.of(left), Dim.of(right)
    if _is_plain(one) and _is_plain(two):
        one, two = resolve(one), resolve(two)
        if one is two:
            return EQUAL
        number, other = one.literal, two.literal
        if number is not None and other is not None:
            return EQUAL if number == other else DIFFERENT
        difference = one - two
    else:
        difference = resolve(one - two)
    if not difference.terms:
        return EQUAL
    flags = flags_of(difference)
    if not flags:
        return _compared_to_zero(difference)
    if len(flags) > _FLAGS_TRIED:
        return UNSURE
    outcomes = {}
    for values in itertools.product((0, 1), repeat=len(flags)):
        outcomes[values] = _compared_to_zero(resolve(difference, given=dict(zip(flags, values, strict=True))))
    return _under_conditions(flags, outcomes)


def _is_plain(dim: Dim) -> bool:
    """Whether a size is one symbol or a number, so that it can be resolved before it is compared."""
    if len(dim.terms) != 1:
        return not dim.terms
    ((monomial, number),) = dim.terms.items()
    return not monomial or (number == 1 and len(monomial) == 1 and monomial[0][1] == 1)


def _compared_to_zero(difference: Dim) -> Comparison:
    if not difference.exact.terms:
        return EQUAL
    return DIFFERENT if _sign(difference) else UNSURE


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


def _sign(dim: Dim, depth: int = 0) -> int:
    """1 or -1 for what is surely above or below zero, else 0. Sizes are never negative.

    A quotient lies between the fraction and the fraction less ``(divisor - 1) / divisor``: if both ends have one
    sign, so has all between them.
    """
    signs: set[bool] = set()
    quotients: dict[Symbol, int] = {}
    surely = False
    for monomial, number in dim.terms.items():
        signs.add(number > 0)
        positive = True
        for symbol, power in monomial:
            positive = positive and symbol.positive
            if symbol.floor_of is not None:
                quotients[symbol] = power
        surely = surely or positive
    if surely and len(signs) == 1 and not any(_may_be_negative(symbol) for symbol in quotients):
        return 1 if signs == {True} else -1
    if not quotients or len(quotients) > 2 or depth > 2 or any(power != 1 for power in quotients.values()):
        return 0
    ends = [_ends_of(symbol) for symbol in quotients]
    corners = {
        _sign(_put(dim, dict(zip(quotients, corner, strict=True))), depth + 1) for corner in itertools.product(*ends)
    }
    return corners.pop() if len(corners) == 1 else 0


def _may_be_negative(symbol: Symbol) -> bool:
    return symbol.floor_of is not None and any(number < 0 for dim in symbol.floor_of for number in dim.terms.values())


def _ends_of(symbol: Symbol) -> tuple[Dim, Dim]:
    """The greatest and the least that a quotient can be; itself twice if the divisor is a sum."""
    assert symbol.floor_of is not None
    above, below = symbol.floor_of
    if len(below.terms) != 1:
        return Dim.of(symbol), Dim.of(symbol)
    inverse = _reciprocal(below)
    return above * inverse, above * inverse - 1 + inverse


def _put(dim: Dim, values: Mapping[Symbol, Dim]) -> Dim:
    """`dim` with symbols of the first power replaced."""
    result = ZERO
    for monomial, number in dim.terms.items():
        rest = tuple((symbol, power) for symbol, power in monomial if symbol not in values)
        factors = [values[symbol] for symbol, _ in monomial if symbol in values]
        result = result + Dim.product([Dim({rest: number}), *factors])
    return result


def same_size(left: DimLike, right: DimLike) -> bool:
    """Whether two sizes are one size by identity: equal in form once names are followed, and not a bare number."""
    one = resolve(Dim.of(left), numbers=False)
    return one.literal is None and one == resolve(Dim.of(right), numbers=False)


def surely_positive(dim: DimLike) -> bool:
    """Whether a size is known to be at least 1."""
    return _sign(resolve(Dim.of(dim))) > 0


def surely_above_one(dim: DimLike) -> bool:
    """Whether a size is known to be at least 2."""
    return surely_positive(Dim.of(dim) - 1) or surely_positive(_two_less(resolve(Dim.of(dim))) + 1)


def _two_less(dim: Dim) -> Dim:
    """Two below, at the cost of a surely positive term: ``2 * layers - 2`` is at least ``2 - 2``."""
    for monomial, number in dim.terms.items():
        if monomial and number >= 2 and all(symbol.positive for symbol, _ in monomial):
            return dim - Dim({monomial: number}) + int(number) - 2
    return dim - 2


def divide(dim: DimLike, divisor: DimLike) -> Dim | None:
    """The exact quotient of two sizes by value, or None where it is not known to divide."""
    above, below = resolve(Dim.of(dim)), resolve(Dim.of(divisor))
    if not below.terms:
        return None
    top, bottom = above.literal, below.literal
    if top is not None and bottom is not None:
        return Dim.of(top // bottom) if top % bottom == 0 else None
    return exact_quotient(above, below) or _quotient_of_sums(above.exact, below.exact)


def _quotient_of_sums(above: Dim, below: Dim) -> Dim | None:
    """The single term q with ``q * below == above``, such as ``hidden`` for ``hidden + hidden·b`` over ``1 + b``."""
    first, number = next(iter(below.terms.items()))
    for monomial, amount in above.terms.items():
        inverse = tuple((symbol, -power) for symbol, power in first)
        term = Dim({_times(monomial, inverse): _plain(Fraction(amount) / number)})
        if _is_whole(term) and resolve(term * below) == above:
            return term
    return None
