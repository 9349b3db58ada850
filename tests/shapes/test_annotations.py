"""Axis strings and contracts: what is read, and what is refused where."""

from __future__ import annotations

import doctest
import importlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnshape_guard.shapes.annotations import AxisSpec, NotationError, parse_axes, parse_contract
from rnnshape_guard.shapes.dims import Dim, Symbol

SIZES = {name: Dim.of(Symbol(name)) for name in ("batch", "time", "hidden", "layers", "self.hidden")}


def only(text: str) -> AxisSpec:
    (axis,) = parse_axes(text)
    return axis


class TestReading:
    def test_names_take_the_size_they_meet(self) -> None:
        batch, time = parse_axes("batch  time")
        assert (batch.name, batch.size, batch.offset) == ("batch", None, 0)
        assert (time.name, time.offset) == ("time", 7)
        assert batch.value(SIZES.get) == SIZES["batch"]
        assert only("unheard_of").value(SIZES.get) is None

    def test_an_empty_string_is_a_tensor_without_axes(self) -> None:
        assert parse_axes("") == ()

    @pytest.mark.parametrize(("text", "name"), [("*batch", "batch"), ("...", None), ("*_", None), ("*_rest", None)])
    def test_axes_for_any_number_of_axes(self, text: str, name: str | None) -> None:
        axis = only(text)
        assert axis.is_variadic
        assert axis.name == name
        assert axis.value(SIZES.get) is None

    @pytest.mark.parametrize("text", ["_", "_time"])
    def test_axes_without_a_name(self, text: str) -> None:
        axis = only(text)
        assert (axis.name, axis.size, axis.is_variadic) == (None, None, False)

    def test_axes_that_may_be_one(self) -> None:
        axis = only("#batch")
        assert axis.is_broadcastable
        assert axis.name == "batch"
        assert only("#4").is_broadcastable

    def test_numbers_with_and_without_a_label(self) -> None:
        assert only("4").value(SIZES.get) == 4
        rows = only("rows=3")
        assert rows.name == "rows"
        assert rows.value(SIZES.get) == 3

    @pytest.mark.parametrize(
        ("text", "size"),
        [
            ("2*hidden", 2 * SIZES["hidden"]),
            ("hidden//2", SIZES["hidden"] // 2),
            ("time-1", SIZES["time"] - 1),
            ("(time+1)*2", 2 * SIZES["time"] + 2),
            ("layers*hidden", SIZES["layers"] * SIZES["hidden"]),
            ("{self.hidden}", SIZES["self.hidden"]),
            ("2*{self.hidden}", 2 * SIZES["self.hidden"]),
        ],
    )
    def test_arithmetic(self, text: str, size: Dim) -> None:
        assert only(text).value(SIZES.get) == size

    @pytest.mark.parametrize(
        "text", ["min(time,4)", "{len(self.layers)}", "2**time", "time%2", "2*unheard_of", "time//0"]
    )
    def test_what_sizes_cannot_express_is_unknown(self, text: str) -> None:
        assert only(text).value(SIZES.get) is None

    def test_the_names_that_a_size_reads(self) -> None:
        size = only("2*{self.hidden}+time").size
        assert size is not None
        assert sorted(size.names()) == ["self.hidden", "time"]


class TestRefusing:
    @pytest.mark.parametrize(
        ("text", "marked", "hint"),
        [
            ("batch 2 * hidden", "2 * hidden", "2*hidden"),
            ("batch time -1", "time -1", "time-1"),
            ("time- 1", "time- 1", "time-1"),
            ("batch 2hidden", "2hidden", "2*hidden"),
            ("batch time)", ")", "closes nothing"),
            ("batch (time+1", "(time+1", "never closed"),
            ("batch {self.hidden", "{self.hidden", "never closed"),
            ("batch, time", ", time", "spaces"),
            ("batch hidden/2", "/2", "hidden//2"),
            ("batch self.hidden", "self.hidden", "{self.hidden}"),
            ("batch hidden#", "hidden#", "#hidden"),
            ("*a b *c", "*c", "only one"),
            ("a ... *c", "*c", "only one"),
            ("batch **time", "*time", "twice"),
            ("batch *", "batch *", "no spaces"),
            ("*", "*", "*name"),
            ("#_", "#_", "#name"),
            ("a *4", "*4", "leave out the *"),
            ("a _4", "_4", "leave out the _"),
            ("a ...b", "...b", "alone"),
            ("a -1", "a -1", "a-1"),
            ("-1", "-1", "negative"),
            ("a 1.5", "1.5", "neither"),
            ("a {self.}", "{self.}", "expression"),
            ("a 'b'", "'b'", "neither"),
        ],
    )
    def test_a_mistake_is_shown_where_it_stands(self, text: str, marked: str, hint: str) -> None:
        with pytest.raises(NotationError) as error:
            parse_axes(text)
        assert text[error.value.offset :] == marked
        assert hint in error.value.message

    @given(st.text(alphabet="ab_ 12*#?.,=+-/(){}[]->", max_size=16))
    def test_any_string_is_read_or_refused_inside_it(self, text: str) -> None:
        try:
            axes = parse_axes(text)
        except NotationError as error:
            assert 0 <= error.offset <= len(text)
        else:
            assert all(text[axis.offset :].startswith(axis.text) for axis in axes)


class TestContracts:
    def test_inputs_and_outputs(self) -> None:
        contract = parse_contract("batch time word -> batch time 2*hidden, 2*layers batch hidden")
        assert [[axis.text for axis in row] for row in contract.inputs] == [["batch", "time", "word"]]
        assert [[axis.text for axis in row] for row in contract.outputs] == [
            ["batch", "time", "2*hidden"],
            ["2*layers", "batch", "hidden"],
        ]

    def test_a_comma_in_a_call_parts_no_tensors(self) -> None:
        assert len(parse_contract("a -> b, min(c,4) d").outputs) == 2

    @pytest.mark.parametrize(
        ("text", "rest"),
        [
            ("a b", ""),
            ("a -> b -> c", "-> c"),
            ("-> b", "-> b"),
            ("a, -> b", " -> b"),
            ("a -> b, 2c", "2c"),
            ("a ->", ""),
        ],
    )
    def test_a_mistake_is_placed_in_the_whole_text(self, text: str, rest: str) -> None:
        with pytest.raises(NotationError) as error:
            parse_contract(text)
        assert text[error.value.offset :] == rest


def test_its_own_examples_hold() -> None:
    assert doctest.testmod(importlib.import_module("rnnshape_guard.shapes.annotations")).failed == 0
