"""Whatever a program passes, an operation gives an outcome: a checker that raises reports nothing at all."""

from __future__ import annotations

import random

import pytest

from rnnshape_guard.ops import binary, find, index, paths, perform
from rnnshape_guard.shapes.axes import Atom, Axis, Rest, Shape
from rnnshape_guard.shapes.dims import Dim, Symbol
from rnnshape_guard.shapes.outcomes import UNKNOWN, Many, Named, Operand, Outcome, Packed, Slice, shapes_in

FLAG = Symbol("bidirectional", flag=True)
WIDTH = Dim.of(Symbol("hidden_size"))
KEYWORDS = ("dim", "keepdim", "size", "dim0", "dtype", "axis", "input", "other", "n", "device", "tensors")


def tensor(rng: random.Random) -> Shape:
    """A tensor of any rank, known or not, of sizes known, named, conditional or unknown."""
    sizes = (None, 1, 2, 3, WIDTH, 2 * WIDTH, 1 + Dim.of(FLAG), WIDTH * (1 + Dim.of(FLAG)), 0)
    axes: list[Axis | Rest] = []
    for _ in range(rng.randint(0, 4)):
        axes.append(Axis(tuple(Atom("axis", rng.choice(sizes)) for _ in range(rng.choice((0, 1, 1, 2))))))
    contiguous: bool | None = rng.choice((True, True, None))
    if rng.random() < 0.3:
        axes.insert(rng.randint(0, len(axes)), Rest(rng.randint(0, 2)))
        contiguous = None
    return Shape(tuple(axes), contiguous, rng.choice((None, "float", "int", "bool")))


def operand(rng: random.Random, depth: int = 0) -> Operand:
    match rng.randrange(16 if depth < 2 else 12):
        case 0 | 1 | 2 | 3:
            return tensor(rng)
        case 4 | 5 | 6:
            return Dim.of(rng.choice((-3, -2, -1, 0, 1, 2, 5)))
        case 7:
            return rng.choice((WIDTH, -WIDTH, 2 * WIDTH, Dim.of(FLAG), WIDTH // 2, WIDTH - 1, Dim.of(Symbol("n")) // 3))
        case 8:
            return UNKNOWN
        case 9:
            return rng.choice((True, False, None, 1.5, -2.0))
        case 10:
            return rng.choice(
                ("mean", "b t (h d) -> b h t d", "bij,bjk->bik", "ij", "->", "torch.long", "... -> ...", "( ->", "fro")
            )
        case 11:
            return rng.choice(
                (..., Slice(None, WIDTH), Slice(Dim.of(1), UNKNOWN, Dim.of(2)), Slice(1.5, None, Dim.of(-1)))
            )
        case 12:
            return Packed(Axis.new("batch"), Axis.new("time"), (Axis.new("feature"),))
        case 13:
            return rng.choice((Many(tensor(rng)), Many(UNKNOWN, WIDTH), Named(("a",), (tensor(rng),))))
        case _:
            return tuple(operand(rng, depth + 1) for _ in range(rng.randint(0, 3)))


def sound(outcome: Outcome) -> None:
    """What any outcome must be: at most one unknown stretch a shape, and closes that can be applied."""
    for shape in shapes_in(outcome.result):
        assert sum(isinstance(part, Rest) for part in shape.parts) <= 1
        if shape.strides is not None:
            assert shape.axes is not None
            assert len(shape.strides) == len(shape.axes)
        if shape.contiguous is True:
            assert shape.strides is None
    for rest, parts in outcome.closes:
        assert rest not in parts
        assert sum(isinstance(part, Rest) for part in parts) <= 1


@pytest.mark.parametrize("path", sorted(paths()))
def test_any_operands_give_an_outcome(path: str) -> None:
    operation = find(path)
    assert operation is not None
    rng = random.Random(path)
    for turn in range(40):
        args = [operand(rng) for _ in range(rng.randint(0, 4))]
        if turn % 2 and args:
            args[0] = tensor(rng)
        kwargs = {name: operand(rng) for name in rng.sample(KEYWORDS, rng.choice((0, 0, 1, 2)))}
        bound, outcome = perform(operation, args, kwargs)
        assert isinstance(bound, dict)
        sound(outcome)


def test_any_subscript_gives_an_outcome() -> None:
    rng = random.Random(1)
    for _ in range(3000):
        sound(index(tensor(rng), tuple(operand(rng) for _ in range(rng.randint(0, 4)))))


def test_any_operator_gives_an_outcome() -> None:
    rng = random.Random(2)
    for _ in range(2000):
        sound(binary(rng.choice(("+", "/", "@", "==", "&", "**")), operand(rng), operand(rng)))
