"""Convolutions and pools: for random configurations and inputs, torch does what is predicted."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.layers.oracle import Tensor, judge_layer

DRAWS = 250


def per_axis(draw: random.Random, count: int, values: tuple[int, ...]) -> Any:
    """A setting as people give it: one size, or one for each axis; now and then too many."""
    match draw.randrange(6):
        case 0:
            return tuple(draw.choice(values) for _ in range(count))
        case 1 if draw.random() < 0.2:
            return tuple(draw.choice(values) for _ in range(count + 1))
        case _:
            return draw.choice(values)


def draw_sizes(draw: random.Random, count: int, channels: int, longest: int = 9) -> tuple[int, ...]:
    """An input of the right rank, or nearly."""
    lengths = [draw.randint(1, longest) for _ in range(count)]
    match draw.randrange(12):
        case 0:
            return (channels, *lengths)
        case 1:
            return (2, channels, *lengths, 3)
        case 2:
            return tuple(lengths)
        case 3:
            return (2, channels + 1, *lengths)
        case _:
            return (draw.randint(1, 3), channels, *lengths)


@pytest.mark.parametrize("kind", ["Conv1d", "ConvTranspose1d", "Conv2d", "ConvTranspose2d", "Conv3d"])
def test_convolutions(kind: str) -> None:
    draw = random.Random(kind)
    count = int(kind[-2])
    raised = 0
    for _ in range(DRAWS if count == 1 else DRAWS // 2):
        groups = draw.choice((1, 1, 1, 1, 2, 3, 0))
        channels, made = draw.choice((1, 2, 3, 6)), draw.choice((1, 2, 3, 6))
        if groups > 1 and draw.random() < 0.7:
            channels, made = channels * groups, made * groups
        options: dict[str, Any] = {"kernel_size": per_axis(draw, count, (1, 2, 3, 3, 4))}
        if groups != 1:
            options["groups"] = groups
        if draw.random() < 0.4:
            options["stride"] = per_axis(draw, count, (1, 2, 3))
        if draw.random() < 0.4:
            options["dilation"] = per_axis(draw, count, (1, 2))
        if draw.random() < 0.4:
            options["padding"] = per_axis(draw, count, (0, 1, 2))
            if draw.random() < 0.3:
                options["padding"] = draw.choice(("same", "valid", "full"))
        if "Transpose" in kind and draw.random() < 0.3:
            options["output_padding"] = per_axis(draw, count, (0, 1, 2))
        if draw.random() < 0.1:
            options["padding_mode"] = draw.choice(("zeros", "reflect", "circular", "replicate", "mirror"))
        if draw.random() < 0.03:
            options[draw.choice(("stride", "dilation", "padding", "kernel_size", "strides"))] = draw.choice(
                (0, -1, 2.5)
            )
        if count == 3:
            options.pop("padding_mode", None)
        raised += judge_layer(kind, (channels, made), options, (Tensor(draw_sizes(draw, count, channels)),))
    assert raised > DRAWS // 10


def test_transposed_convolutions_reach_the_size_that_is_asked_for() -> None:
    draw = random.Random("output_size")
    raised = 0
    for _ in range(DRAWS // 2):
        stride, length = draw.randint(1, 4), draw.randint(1, 5)
        asked = (length - 1) * stride + 3 + draw.randint(-1, stride)
        form = draw.choice(((asked,), (2, 4, asked)))
        raised += judge_layer(
            "ConvTranspose1d", (3, 4, 3), {"stride": stride}, (Tensor((2, 3, length)),), {"output_size": form}
        )
    assert 0 < raised < DRAWS // 2


@pytest.mark.parametrize("kind", ["MaxPool1d", "AvgPool1d", "MaxPool2d", "AvgPool2d", "MaxPool3d"])
def test_pools(kind: str) -> None:
    draw = random.Random(kind)
    count = int(kind[-2])
    raised = 0
    for _ in range(DRAWS):
        options: dict[str, Any] = {"kernel_size": per_axis(draw, count, (1, 2, 3, 4))}
        if draw.random() < 0.5:
            options["stride"] = per_axis(draw, count, (1, 2, 3))
        if draw.random() < 0.3:
            options["padding"] = per_axis(draw, count, (0, 1, 2))
        if draw.random() < 0.4:
            options["ceil_mode"] = draw.random() < 0.7
        if kind.startswith("Max") and draw.random() < 0.3:
            options["dilation"] = per_axis(draw, count, (1, 2))
        if kind.startswith("Max") and draw.random() < 0.2:
            options["return_indices"] = True
        sizes = draw_sizes(draw, count, draw.randint(1, 3))
        raised += judge_layer(kind, (), options, (Tensor(sizes),))
    assert raised > DRAWS // 10


@pytest.mark.parametrize("kind", ["AdaptiveAvgPool1d", "AdaptiveMaxPool1d", "AdaptiveAvgPool2d", "AdaptiveMaxPool2d"])
def test_adaptive_pools(kind: str) -> None:
    draw = random.Random(kind)
    count = int(kind[-2])
    raised = 0
    for _ in range(DRAWS // 2):
        size = per_axis(draw, count, (1, 2, 3))
        if count == 2 and draw.random() < 0.3:
            size = draw.choice((None, (None, 2), (3, None)))
        options = {"return_indices": True} if "Max" in kind and draw.random() < 0.3 else {}
        sizes = draw_sizes(draw, count, 2)
        if len(sizes) == count == 2 and size == 1:
            # torch takes the mean of a lone plane, which has no channels.
            continue
        raised += judge_layer(kind, (size,), options, (Tensor(sizes),))
    assert raised
