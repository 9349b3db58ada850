"""Losses: for random predictions and targets, torch does what is predicted."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.layers.oracle import Tensor, judge_layer

DRAWS = 200


def draw_reduction(draw: random.Random) -> dict[str, Any]:
    if draw.random() < 0.3:
        return {}
    return {"reduction": draw.choice(("none", "none", "mean", "sum", "sum", "average"))}


def draw_other(draw: random.Random, sizes: tuple[int, ...]) -> tuple[int, ...]:
    """The same sizes, or nearly."""
    other = list(sizes)
    match draw.randrange(8):
        case 0 if other:
            other[draw.randrange(len(other))] = 1
        case 1 if other:
            other.pop(draw.randrange(len(other)))
        case 2:
            other.insert(draw.randrange(len(other) + 1), draw.choice((1, 2)))
        case 3 if other:
            other[draw.randrange(len(other))] += 1
        case _:
            pass
    return tuple(other)


@pytest.mark.parametrize(
    "kind", ["MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss", "KLDivLoss", "BCELoss", "BCEWithLogitsLoss"]
)
def test_pointwise_losses(kind: str) -> None:
    draw = random.Random(kind)
    raised = 0
    for _ in range(DRAWS):
        sizes = tuple(draw.randint(1, 3) for _ in range(draw.randint(0, 3)))
        given = Tensor(sizes), Tensor(draw_other(draw, sizes), draw.choice(("float", "float", "float", "int")))
        raised += judge_layer(kind, (), draw_reduction(draw), given)
    assert DRAWS * 0.1 < raised < DRAWS * 0.9


@pytest.mark.parametrize("kind", ["CrossEntropyLoss", "NLLLoss"])
def test_losses_over_classes(kind: str) -> None:
    draw = random.Random(kind)
    raised = 0
    for _ in range(DRAWS * 2):
        sizes = tuple(draw.randint(1, 4) for _ in range(draw.randint(0, 4)))
        target = (*sizes[:1], *sizes[2:]) if len(sizes) > 1 else ()
        if draw.random() < 0.3:
            target = sizes
        dtype = draw.choice(("int", "int", "int", "float"))
        options = draw_reduction(draw)
        if draw.random() < 0.1:
            options["weight"] = Tensor((draw.randint(1, 4),))
        raised += judge_layer(kind, (), options, (Tensor(sizes), Tensor(draw_other(draw, target), dtype)))
    assert DRAWS * 0.4 < raised < DRAWS * 1.8


def test_old_arguments_of_losses() -> None:
    draw = random.Random("size_average")
    for _ in range(30):
        options = {name: draw.choice((True, False, None)) for name in ("size_average", "reduce")}
        judge_layer("MSELoss", (), options, (Tensor((2, 3)), Tensor((2, 3))))
    judge_layer("MSELoss", (False,), {}, (Tensor((2, 3)), Tensor((2, 3))))


def test_ctc() -> None:
    draw = random.Random("CTCLoss")
    raised = 0
    for _ in range(DRAWS):
        time, batch, labels = draw.randint(3, 5), draw.randint(1, 3), 2
        sizes = draw.choice(((time, batch, 4),) * 8 + ((time, 4), (batch, time, 4), (time, batch, 4, 2)))
        targets: tuple[int, ...] = draw.choice(
            ((batch, labels),) * 6 + ((batch * labels,), (batch + 1, labels), (batch, labels, 1))
        )
        lengths = [time] * (batch if draw.random() < 0.9 else batch + 1)
        wanted = [labels] * (batch if draw.random() < 0.9 else batch + 1)
        if draw.random() < 0.1:
            lengths[0] += 1
        if len(sizes) == 2:
            targets, lengths, wanted = (labels,), [time], [labels]
        given = Tensor(sizes), Tensor(targets, "int"), tuple(lengths), tuple(wanted)
        raised += judge_layer("CTCLoss", (), draw_reduction(draw), given)
    assert DRAWS * 0.1 < raised < DRAWS * 0.9
