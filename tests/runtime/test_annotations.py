"""Our reading of jaxtyping's annotations is jaxtyping's own, checked against it and against the generated checks."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import torch
from beartype import beartype
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jaxtyping import AnnotationError, Bool, Float, Int, Shaped, TypeCheckError, jaxtyped
from torch import Tensor

from rnnshape_guard import ShapeContractError, guard
from rnnshape_guard.runtime.annotations import read_signature
from rnnshape_guard.shapes.annotations import NotationError

AXES = ["a", "b", "c", "_", "...", "1", "2", "3", "#a", "#2", "*r", "*#r", "x=2", "a+1", "2*a", "a*b", "a-1"]
SIZES = st.sampled_from([1, 2, 3, 4, 6])
SHAPES = st.lists(SIZES, max_size=4).map(tuple)
STRINGS = st.lists(st.sampled_from(AXES), max_size=4).map(" ".join)


def made(strings: list[str]) -> Any:
    """A function of two tensors whose result is its third argument."""

    def function(first, second, third):  # type: ignore[no-untyped-def]
        return third

    kinds = [Float[Tensor, text] for text in strings]
    function.__annotations__ = {"first": kinds[0], "second": kinds[1], "third": Any, "return": kinds[2]}
    return function


def jaxtypings(function: Any, shapes: list[tuple[int, ...]]) -> bool:
    try:
        jaxtyped(function, typechecker=beartype)(*map(torch.empty, shapes))
    except TypeCheckError:
        return False
    return True


def ours(function: Any, shapes: list[tuple[int, ...]]) -> bool:
    try:
        function(*map(torch.empty, shapes))
    except ShapeContractError:
        return False
    return True


@settings(max_examples=150, deadline=None)
@given(
    st.lists(STRINGS, min_size=3, max_size=3),
    st.lists(st.lists(SHAPES, min_size=3, max_size=3), min_size=1, max_size=3),
)
def test_it_is_jaxtypings_own_at_first_and_at_later_calls(
    strings: list[str], calls: list[list[tuple[int, ...]]]
) -> None:
    assume(all(text.count("*r") + text.count("*#r") + text.count("...") < 2 for text in strings))
    bare = made(strings)
    ours_made = guard(made(strings))
    for shapes in [*calls, *calls]:
        try:
            expected = jaxtypings(bare, shapes)
        except AnnotationError:
            continue  # a name in arithmetic that nothing has bound yet: jaxtyping gives up, we go on
        assert ours(ours_made, shapes) == expected, (strings, shapes)


@given(st.lists(SIZES, min_size=3, max_size=3), st.lists(SIZES, min_size=3, max_size=3))
@settings(max_examples=60, deadline=None)
def test_generated_checks_say_what_the_long_way_says(first: list[int], second: list[int]) -> None:
    def function(x: Float[Tensor, "a b 2*c"], y: Float[Tensor, "c *r"]) -> Float[Tensor, "b a"]:
        return x.sum(2).T

    warm, cold = guard(function), guard(function)
    warm(torch.zeros(2, 3, 4), torch.zeros(2, 5, 6))
    warm(torch.zeros(1, 3, 4), torch.zeros(2, 5, 6))
    shapes = [tuple(first), tuple(second)]
    assert ours(warm, shapes) == ours(cold, shapes)


def test_a_failed_alternative_of_a_union_leaves_no_names_behind() -> None:
    @guard
    def f(
        x: tuple[Float[Tensor, "a"], Float[Tensor, "a"]] | tuple[Float[Tensor, "b"], Float[Tensor, "c"]],
        y: Float[Tensor, "a"],
    ) -> None: ...

    for _ in range(2):
        f((torch.zeros(2), torch.zeros(3)), torch.zeros(5))
        f((torch.zeros(2), torch.zeros(2)), torch.zeros(2))
        with pytest.raises(ShapeContractError, match="axis 0 of `y` is 5, but `a` is 2"):
            f((torch.zeros(2), torch.zeros(2)), torch.zeros(5))


def test_every_item_of_a_list_is_compared() -> None:
    @guard
    def f(xs: list[Float[Tensor, "n"]]) -> None: ...

    f([torch.zeros(2)] * 30)
    for count in (3, 30):
        with pytest.raises(ShapeContractError, match=rf"axis 0 of `xs\[{count}\]` is 3, but `n` is 2"):
            f([torch.zeros(2)] * count + [torch.zeros(3)])


def test_a_size_from_an_attribute() -> None:
    class Model(torch.nn.Module):
        def __init__(self, hidden: int) -> None:
            super().__init__()
            self.hidden = hidden

        @guard
        def forward(self, x: Float[Tensor, "batch {self.hidden}"]) -> Float[Tensor, "batch 2*{self.hidden}"]:
            return torch.cat([x, x], 1)

    for _ in range(2):
        for hidden in (4, 5):
            assert Model(hidden)(torch.zeros(2, hidden)).shape == (2, 2 * hidden)
            with pytest.raises(ShapeContractError, match=rf"axis 1 of `x` is 3, but `{{self.hidden}}` is {hidden}"):
                Model(hidden)(torch.zeros(2, 3))


def test_dtypes() -> None:
    @guard
    def f(x: Shaped[Tensor, "a"], y: Bool[Tensor, "a"], z: Int[Tensor, "a"] | Float[Tensor, "a"]) -> None: ...

    for dtype in (torch.float16, torch.bfloat16, torch.int8, torch.int64):
        f(torch.zeros(2, dtype=dtype), torch.ones(2, dtype=torch.bool), torch.zeros(2, dtype=dtype))
    with pytest.raises(ShapeContractError, match="`y` is a tensor of float32, but a Bool tensor is stated"):
        f(torch.zeros(2), torch.zeros(2), torch.zeros(2))
    with pytest.raises(ShapeContractError, match="`z`"):
        f(torch.zeros(2), torch.ones(2, dtype=torch.bool), torch.ones(2, dtype=torch.bool))


def test_annotations_without_arrays_are_not_compared() -> None:
    @guard
    def f(x: int, y: Tensor, z: str = None) -> Tensor:  # type: ignore[assignment]
        return y

    assert f(1.5, None, 3) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "words", "offset"),
    [
        ("batch 2 * hidden", "an axis has no spaces in it: write 2*hidden", 6),
        ("batch 2hidden", "a name can't begin with a digit: write 2*hidden", 6),
        ("batch time)", "this ) closes nothing", 10),
    ],
)
@pytest.mark.parametrize("quoted", [False, True], ids=["object", "string"])
def test_what_jaxtyping_takes_in_silence_is_refused_where_it_stands(
    text: str, words: str, offset: int, quoted: bool
) -> None:
    def function(x): ...  # type: ignore[no-untyped-def]

    function.__annotations__["x"] = f'Float[Tensor, "{text}"]' if quoted else Float[Tensor, text]
    with pytest.raises(NotationError) as caught:
        guard(function)
    first, written, mark = str(caught.value).splitlines()
    assert words in first and "`x` of" in first
    assert written.strip() == text and mark.index("^") - 4 == offset == caught.value.offset


def test_an_annotation_that_only_a_type_checker_can_read_says_nothing() -> None:
    def function(x, y): ...  # type: ignore[no-untyped-def]

    function.__annotations__ = {"x": "SomewhereElse", "y": 'Float[Tensor, "a"]'}
    assert list(read_signature(function).parameters) == ["y"]


def test_signatures_are_kept() -> None:
    def function(a: int, /, b: Float[Tensor, "x"], *c: int, d: int = 3, **e: str) -> None:
        """Words."""

    wrapped = guard(function)
    assert inspect.signature(wrapped) == inspect.signature(function)
    assert (wrapped.__name__, wrapped.__doc__, wrapped.__module__) == ("function", "Words.", __name__)
    assert inspect.getsource(wrapped) == inspect.getsource(function)
    assert wrapped.__globals__ is function.__globals__
