"""Sizes obey the laws of arithmetic, and no comparison says what an assignment of numbers disproves."""

from __future__ import annotations

import doctest
import operator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rnnshape_guard.shapes import dims
from rnnshape_guard.shapes.dims import (
    ONE,
    ZERO,
    Dim,
    Symbol,
    Verdict,
    compare,
    divide,
    resolve,
    same_size,
    surely_above_one,
    surely_positive,
)

if TYPE_CHECKING:
    from collections.abc import Callable

Numbers = dict[Symbol, int]

BATCH, TIME, HIDDEN = (Symbol(name, positive=True) for name in ("batch", "time", "hidden"))
PADDING = Symbol("padding")
BOTH, PROJECTED = Symbol("bidirectional", flag=True), Symbol("projected", flag=True)
SYMBOLS = (BATCH, TIME, HIDDEN, PADDING, BOTH, PROJECTED)


@dataclass(frozen=True)
class Term:
    """A size beside the function that computes it from numbers."""

    size: Dim
    value: Callable[[Numbers], int]


def _combined(symbol: str, left: Term, right: Term) -> Term:
    work = {"+": operator.add, "-": operator.sub, "*": operator.mul}[symbol]
    return Term(work(left.size, right.size), lambda numbers: work(left.value(numbers), right.value(numbers)))


def _floored(term: Term, divisor: int) -> Term:
    return Term(term.size // divisor, lambda numbers: term.value(numbers) // divisor)


LEAVES = st.one_of(
    st.integers(-3, 4).map(lambda number: Term(Dim.of(number), lambda _: number)),
    st.sampled_from(SYMBOLS).map(lambda symbol: Term(Dim.of(symbol), lambda numbers: numbers[symbol])),
)


def _grown(terms: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
    return st.builds(_combined, st.sampled_from("+-*"), terms, terms)


POLYNOMIALS = st.recursive(LEAVES, _grown, max_leaves=6)
SIZES = st.recursive(
    LEAVES, lambda terms: st.one_of(_grown(terms), st.builds(_floored, terms, st.integers(1, 4))), max_leaves=6
)
ASSIGNMENTS = st.fixed_dictionaries(
    {
        **{symbol: st.integers(1, 9) for symbol in (BATCH, TIME, HIDDEN)},
        PADDING: st.integers(0, 5),
        **{symbol: st.integers(0, 1) for symbol in (BOTH, PROJECTED)},
    }
)


def evaluated(size: Dim, numbers: Numbers) -> int:
    """The number that a size is, read from its parts."""
    total = Fraction(0)
    for monomial, number in size.terms.items():
        product = Fraction(number)
        for symbol, power in monomial:
            if symbol.floor_of is not None:
                above, below = symbol.floor_of
                value = evaluated(above, numbers) // evaluated(below, numbers)
            else:
                value = numbers[symbol]
            product *= Fraction(value) ** power
        total += product
    assert total.denominator == 1
    return int(total)


class TestArithmetic:
    @given(POLYNOMIALS, POLYNOMIALS, POLYNOMIALS)
    @settings(max_examples=80)
    def test_laws_of_a_ring(self, a: Term, b: Term, c: Term) -> None:
        x, y, z = a.size, b.size, c.size
        assert x + y == y + x
        assert x * y == y * x
        assert (x + y) + z == x + (y + z)
        assert (x * y) * z == x * (y * z)
        assert x * (y + z) == x * y + x * z
        assert x + ZERO == x
        assert x * ONE == x
        assert x - x == ZERO
        assert hash(x * (y + z)) == hash(x * y + x * z)

    @given(SIZES, ASSIGNMENTS)
    @settings(max_examples=200)
    def test_a_size_is_the_number_that_its_formula_gives(self, term: Term, numbers: Numbers) -> None:
        assert evaluated(term.size, numbers) == term.value(numbers)

    @given(SIZES, ASSIGNMENTS)
    @settings(max_examples=150)
    def test_known_values_are_put_in(self, term: Term, numbers: Numbers) -> None:
        copies = {symbol: Symbol(symbol.name, value=Dim.of(number)) for symbol, number in numbers.items()}
        size = _with_symbols(term.size, copies)
        assert size.value == term.value(numbers)
        assert compare(size, term.value(numbers)).equal
        assert compare(size, term.value(numbers) + 1).different

    @given(POLYNOMIALS, POLYNOMIALS)
    @settings(max_examples=80)
    def test_a_product_divides_by_its_factor(self, a: Term, b: Term) -> None:
        assume(len(b.size.terms) == 1)
        assert (a.size * b.size) // b.size == a.size

    def test_a_half_twice_is_the_whole(self) -> None:
        hidden = Dim.of(Symbol("hidden"))
        assert 2 * (hidden // 2) == hidden
        assert hash(2 * (hidden // 2)) == hash(hidden)
        assert (hidden // 2).symbol is (hidden // 2).symbol
        assert hidden // 2 // 2 == hidden // 4

    def test_division_by_zero_is_an_error(self) -> None:
        with pytest.raises(ZeroDivisionError):
            Dim.of(HIDDEN) // 0

    @pytest.mark.parametrize(
        ("size", "written"),
        [
            (Dim.of(7), "7"),
            (ZERO, "0"),
            (2 * Dim.of(HIDDEN), "2·hidden"),
            (Dim.of(HIDDEN) // 2, "hidden//2"),
            (Dim.of(HIDDEN) * (1 + Dim.of(BOTH)), "hidden + hidden·bidirectional"),
            (Dim.of(TIME) - 1, "time - 1"),
            ((Dim.of(TIME) - 1) // 2 + 1, "(time - 1)//2 + 1"),
        ],
    )
    def test_it_is_spelled_as_people_write_it(self, size: Dim, written: str) -> None:
        assert str(size) == written


def _with_symbols(size: Dim, others: dict[Symbol, Symbol]) -> Dim:
    result = ZERO
    for monomial, number in size.terms.items():
        term = Dim({(): number})
        for symbol, power in monomial:
            if symbol.floor_of is None:
                factor = Dim.of(others[symbol])
            else:
                above, below = (_with_symbols(part, others) for part in symbol.floor_of)
                factor = above // below
            term = term * Dim.product([factor] * power)
        result = result + term
    return result


class TestComparison:
    @given(SIZES, SIZES, ASSIGNMENTS)
    @settings(max_examples=400)
    def test_nothing_is_called_different_that_can_be_equal(self, a: Term, b: Term, numbers: Numbers) -> None:
        """Symbols that size an axis are at least 1, flags are 0 or 1, the rest is not negative."""
        verdict = compare(a.size, b.size)
        if verdict.conflicts and all(numbers[flag] == value for flag, value in verdict.condition):
            assert a.value(numbers) != b.value(numbers)

    @given(POLYNOMIALS, POLYNOMIALS, ASSIGNMENTS)
    @settings(max_examples=200)
    def test_nothing_is_called_equal_that_can_differ(self, a: Term, b: Term, numbers: Numbers) -> None:
        if compare(a.size, b.size).equal:
            assert a.value(numbers) == b.value(numbers)

    @given(POLYNOMIALS)
    @settings(max_examples=60)
    def test_a_size_equals_itself_written_otherwise(self, a: Term) -> None:
        assert compare(a.size, 3 * a.size - 2 * a.size).equal
        assert not compare(a.size, a.size + Dim.of(PADDING)).different

    @given(SIZES, ASSIGNMENTS)
    @settings(max_examples=200)
    def test_what_is_surely_positive_is(self, a: Term, numbers: Numbers) -> None:
        if surely_positive(a.size):
            assert a.value(numbers) >= 1
        if surely_above_one(a.size):
            assert a.value(numbers) >= 2

    def test_twice_a_width_is_another_width(self) -> None:
        assert compare(2 * Dim.of(HIDDEN), HIDDEN).different
        assert surely_above_one(2 * Dim.of(HIDDEN))

    def test_two_names_may_be_one_size(self) -> None:
        assert compare(HIDDEN, TIME).verdict is Verdict.UNKNOWN

    def test_an_integer_that_may_be_zero_proves_nothing(self) -> None:
        assert compare(2 * Dim.of(PADDING), PADDING).verdict is Verdict.UNKNOWN

    def test_a_width_that_depends_on_a_flag_is_wrong_under_it(self) -> None:
        width = Dim.of(HIDDEN) * (1 + Dim.of(BOTH))
        verdict = compare(width, HIDDEN)
        assert verdict.conflicts
        assert not verdict.different
        assert verdict.condition == ((BOTH, 1),)
        assert compare(width, 2 * Dim.of(HIDDEN)).condition == ((BOTH, 0),)

    def test_a_flag_squared_is_itself(self) -> None:
        both = Dim.of(BOTH)
        assert compare(both * both * HIDDEN, both * HIDDEN).equal
        assert compare((1 + both) * (1 - both) * HIDDEN, (1 - both) * HIDDEN).equal

    def test_that_a_symbol_is_a_flag_may_be_learned_late(self) -> None:
        both = Symbol("both")
        width = Dim.of(HIDDEN) * (1 + Dim.of(both))
        assert compare(width, HIDDEN).verdict is Verdict.UNKNOWN
        both.flag = True
        assert compare(width, HIDDEN).condition == ((both, 1),)

    def test_a_value_may_be_learned_late(self) -> None:
        width = Symbol("width", positive=True)
        assert compare(width, 64).verdict is Verdict.UNKNOWN
        width.value = Dim.of(64)
        assert compare(width, 64).equal
        assert compare(2 * Dim.of(width), 64).different

    def test_half_an_odd_number_rounds_down(self) -> None:
        time = Symbol("time", value=Dim.of(5), positive=True)
        assert compare(Dim.of(time) // 2, 2).equal
        assert (2 * (Dim.of(time) // 2)).value == 4

    def test_same_padding_of_a_convolution_is_no_mismatch(self) -> None:
        """``padding=kernel // 2`` keeps the length for every odd kernel."""
        kernel, time = Dim.of(Symbol("kernel", positive=True)), Dim.of(TIME)
        length = time + 2 * (kernel // 2) - kernel + 1
        assert compare(length, time).verdict is Verdict.UNKNOWN
        odd = Symbol("kernel", value=Dim.of(7), positive=True)
        assert compare(time + 2 * (Dim.of(odd) // 2) - odd + 1, time).equal

    def test_half_a_width_is_not_the_width(self) -> None:
        hidden = Dim.of(HIDDEN)
        assert compare(hidden // 2, hidden).different
        assert compare(2 * (hidden // 4), hidden).different
        assert compare(2 * (hidden // 2), hidden).equal


class TestIdentity:
    def test_equal_numbers_are_not_one_size(self) -> None:
        batch, layers = Symbol("batch", value=Dim.of(2)), Symbol("layers", value=Dim.of(2))
        assert compare(batch, layers).equal
        assert not same_size(batch, layers)
        assert not same_size(2, 2)
        assert same_size(batch, batch)

    def test_a_name_for_a_size_is_that_size(self) -> None:
        alias = Symbol("n", value=Dim.of(BATCH))
        assert same_size(alias, BATCH)
        assert same_size(Dim.of(alias) // 2, Dim.of(BATCH) // 2)


class TestDivision:
    @given(POLYNOMIALS, POLYNOMIALS, ASSIGNMENTS)
    @settings(max_examples=200)
    def test_a_quotient_times_its_divisor_is_what_was_divided(self, a: Term, b: Term, numbers: Numbers) -> None:
        quotient = divide(a.size, b.size)
        if quotient is not None:
            assert compare(quotient * b.size, a.size).equal
            assert evaluated(quotient, numbers) * b.value(numbers) == a.value(numbers)

    def test_directions_divide_the_width_of_both(self) -> None:
        directions = 1 + Dim.of(BOTH)
        assert divide(Dim.of(HIDDEN) * directions, directions) == HIDDEN_SIZE

    def test_what_may_leave_a_remainder_has_no_quotient(self) -> None:
        assert divide(HIDDEN, 2) is None
        assert divide(HIDDEN, TIME) is None
        assert divide(7, 2) is None
        assert divide(HIDDEN, 0) is None
        assert divide(2 * (HIDDEN_SIZE // 2), HIDDEN_SIZE // 2) == 2


HIDDEN_SIZE = Dim.of(HIDDEN)


def test_resolving_leaves_unknown_names_alone() -> None:
    size = HIDDEN_SIZE * 2 + 1
    assert resolve(size) is size


def test_its_own_examples_hold() -> None:
    assert doctest.testmod(dims).failed == 0
