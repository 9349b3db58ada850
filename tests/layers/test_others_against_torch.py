"""Dense layers, embeddings, norms, activations, flattening: for random configurations, torch does what is predicted."""

from __future__ import annotations

import random
from typing import Any

import pytest

from rnnshape_guard.layers import KINDS, build, call
from rnnshape_guard.shapes.axes import Shape
from tests.layers.oracle import Tensor, judge_layer, to_operand

DRAWS = 150


def draw_shape(draw: random.Random, *ends: int, least: int = 0, most: int = 3) -> tuple[int, ...]:
    """Some axes, then these."""
    return (*(draw.randint(1, 4) for _ in range(draw.randint(least, most))), *ends)


def near(draw: random.Random, size: int, chance: float = 0.2) -> int:
    """The size, or now and then the next."""
    return size + 1 if draw.random() < chance else size


def test_linear() -> None:
    draw = random.Random("Linear")
    raised = 0
    for _ in range(DRAWS):
        features = draw.randint(1, 4)
        arguments: tuple[Any, ...] = draw.choice(
            [(features, 3)] * 8 + [(features,), (features, -1), (features, 2.5), (features, None)]
        )
        sizes = draw_shape(draw, near(draw, features)) if draw.random() < 0.95 else ()
        options = draw.choice(({}, {"bias": False}, {"bias": False, "device": None}))
        given = Tensor(sizes, draw.choice(("float",) * 9 + ("int",)))
        raised += judge_layer("Linear", arguments, options, (given,))
        raised += judge_layer("LazyLinear", arguments[1:], options, (given,))
    assert DRAWS * 0.2 < raised < DRAWS * 1.6


def test_bilinear() -> None:
    draw = random.Random("Bilinear")
    raised = 0
    for _ in range(DRAWS):
        before = draw_shape(draw, most=2)
        other = before if draw.random() < 0.8 else draw_shape(draw, most=2)
        given = Tensor((*before, near(draw, 3, 0.1))), Tensor((*other, near(draw, 4, 0.1)))
        raised += judge_layer("Bilinear", (3, 4, draw.randint(1, 5)), {}, given)
    assert DRAWS * 0.1 < raised < DRAWS * 0.7


def test_embedding() -> None:
    draw = random.Random("Embedding")
    raised = 0
    for _ in range(DRAWS):
        options = {"padding_idx": draw.choice((0, -1, 4, -5, 5, -6))} if draw.random() < 0.4 else {}
        given = Tensor(draw_shape(draw), draw.choice(("int", "int", "int", "float", "bool")), 5)
        raised += judge_layer("Embedding", (5, draw.randint(1, 4)), options, (given,))
    assert DRAWS * 0.1 < raised < DRAWS * 0.8


def test_embedding_bag() -> None:
    draw = random.Random("EmbeddingBag")
    raised = 0
    for _ in range(DRAWS):
        options = {"mode": draw.choice(("mean", "sum", "max", "min"))} if draw.random() < 0.6 else {}
        sizes = draw_shape(draw, least=1, most=2) if draw.random() < 0.9 else draw_shape(draw, least=0)
        given: list[Any] = [Tensor(sizes, "int", 5)]
        keywords: dict[str, Any] = {}
        if draw.random() < (0.8 if len(sizes) == 1 else 0.1):
            given.append(Tensor(draw.choice(((2,), (3,), (2, 2))), "int"))
        if draw.random() < 0.2:
            keywords["per_sample_weights"] = Tensor(sizes if draw.random() < 0.7 else (2, 3))
        raised += judge_layer("EmbeddingBag", (5, 3), options, tuple(given), keywords)
    assert DRAWS * 0.1 < raised < DRAWS * 0.9


@pytest.mark.parametrize("kind", ["BatchNorm1d", "BatchNorm2d", "InstanceNorm1d", "InstanceNorm2d"])
def test_channel_norms(kind: str) -> None:
    draw = random.Random(kind)
    count = int(kind[-2])
    raised = 0
    for _ in range(DRAWS):
        features = draw.randint(1, 4)
        # More than one value for each channel: training on a single one is refused, whatever its shape.
        lengths = tuple(draw.randint(2, 4) for _ in range(count))
        channels = near(draw, features)
        sizes = draw.choice(((2, channels, *lengths),) * 4 + ((channels, *lengths), (2, channels, *lengths, 2), (3,)))
        if kind == "BatchNorm1d" and draw.random() < 0.2:
            sizes = (3, channels)
        options = {name: draw.random() < 0.5 for name in ("affine", "track_running_stats") if draw.random() < 0.4}
        raised += judge_layer(kind, (features,), options, (Tensor(sizes),))
    assert DRAWS * 0.1 < raised < DRAWS * 0.9


def test_an_instance_needs_more_than_one_value() -> None:
    assert judge_layer("InstanceNorm1d", (3,), {}, (Tensor((2, 3, 1)),))
    assert judge_layer("InstanceNorm2d", (3,), {}, (Tensor((3, 1, 1)),))
    assert not judge_layer("InstanceNorm1d", (3,), {}, (Tensor((2, 3, 2)),))


def test_layer_norms() -> None:
    draw = random.Random("LayerNorm")
    raised = 0
    for _ in range(DRAWS):
        ends = draw_shape(draw, least=1, most=2)
        wanted: Any = tuple(near(draw, size, 0.1) for size in ends)
        if len(wanted) == 1 and draw.random() < 0.7:
            wanted = wanted[0]
        sizes = draw_shape(draw, *ends) if draw.random() < 0.9 else ends[1:]
        raised += judge_layer(draw.choice(("LayerNorm", "RMSNorm")), (wanted,), {}, (Tensor(sizes),))
    assert DRAWS * 0.1 < raised < DRAWS * 0.8


def test_group_norm() -> None:
    draw = random.Random("GroupNorm")
    raised = 0
    for _ in range(DRAWS):
        groups, channels = draw.choice((1, 2, 3, 0)), draw.choice((2, 4, 6))
        sizes = (2, near(draw, channels), *draw_shape(draw, least=1, most=2), 2)
        raised += judge_layer("GroupNorm", (groups, channels), {}, (Tensor(sizes if draw.random() < 0.9 else (4,)),))
    assert DRAWS * 0.1 < raised < DRAWS * 0.9


KEEPERS = sorted(name for name, kind in KINDS.items() if kind.apply.__module__.endswith("elementwise"))
KEEPERS = [name for name in KEEPERS if name not in {"GLU", "LogSoftmax", "PReLU", "Softmax", "Softmin", "Threshold"}]


@pytest.mark.parametrize("kind", KEEPERS)
def test_layers_that_keep_every_axis(kind: str) -> None:
    draw = random.Random(kind)
    for _ in range(10):
        judge_layer(kind, (), {}, (Tensor(draw_shape(draw, most=5)),))
    judge_layer(kind, (), {"inplace": True}, (Tensor((2, 3, 4)),))
    judge_layer(kind, (1, 2, 3, 4, 5, 6), {}, (Tensor((2, 3, 4)),))
    assert judge_layer(kind, (), {}, ((Tensor((2, 3)), Tensor((2, 3))),)) is (kind != "Identity")


@pytest.mark.parametrize("kind", ["Softmax", "LogSoftmax", "Softmin", "GLU"])
def test_layers_along_an_axis(kind: str) -> None:
    draw = random.Random(kind)
    raised = 0
    for _ in range(DRAWS):
        options = {} if draw.random() < 0.2 else {"dim": draw.randint(-3, 3)}
        raised += judge_layer(kind, (), options, (Tensor(draw_shape(draw)),))
    assert raised > DRAWS // 10


def test_prelu() -> None:
    draw = random.Random("PReLU")
    for _ in range(DRAWS):
        judge_layer("PReLU", draw.choice(((), (1,), (3,), (0,))), {}, (Tensor(draw_shape(draw)),))


def test_dropout_rates() -> None:
    for rate in (0, 0.0, 0.5, 1, 1.0, 1.5, -0.1, 2):
        judge_layer("Dropout", (rate,), {}, (Tensor((2, 3)),))


def test_flatten() -> None:
    draw = random.Random("Flatten")
    raised = 0
    for _ in range(DRAWS):
        options = {name: draw.randint(-3, 3) for name in ("start_dim", "end_dim") if draw.random() < 0.6}
        raised += judge_layer("Flatten", (), options, (Tensor(draw_shape(draw)),))
    assert DRAWS * 0.1 < raised < DRAWS * 0.8


def test_unflatten() -> None:
    draw = random.Random("Unflatten")
    raised = 0
    for _ in range(DRAWS):
        parts = draw_shape(draw, least=1, most=3)
        total = 1
        for part in parts:
            total *= part
        sizes = draw_shape(draw, near(draw, total, 0.1), most=2)
        if draw.random() < 0.3:
            parts = (*parts[:-1], -1)
        if draw.random() < 0.1:
            parts = (*parts, -1)
        place = -1 if draw.random() < 0.7 else draw.randint(-3, 2)
        raised += judge_layer("Unflatten", (place, parts), {}, (Tensor(sizes),))
    assert DRAWS * 0.1 < raised < DRAWS * 0.8


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        *((kind, ()) for kind in KEEPERS),
        ("Linear", (4, 5)),
        ("LayerNorm", (4,)),
        ("BatchNorm1d", (3,)),
        ("GroupNorm", (1, 3)),
        ("InstanceNorm1d", (3,)),
        ("Softmax", (-1,)),
        ("LogSoftmax", (1,)),
        ("GLU", ()),
        ("PReLU", ()),
        ("Flatten", ()),
        ("Flatten", (1, 1)),
        ("Unflatten", (2, (2, 2))),
        ("Conv1d", (3, 2, 1)),
        ("MaxPool1d", (2,)),
        ("AvgPool1d", (2,)),
        ("AdaptiveAvgPool1d", (2,)),
        ("LSTM", (4, 2)),
        ("TransformerEncoderLayer", (4, 1, 4)),
        ("MSELoss", ()),
    ],
)
def test_memory_that_is_not_contiguous(kind: str, arguments: tuple[Any, ...]) -> None:
    """What RNNs give with `batch_first`: what is said of the result's memory must hold."""
    given = Tensor((2, 3, 4), swapped=True)
    options = {"reduction": "none"} if kind == "MSELoss" else {}
    judge_layer(kind, arguments, options, (given, given) if kind == "MSELoss" else (given,))


def test_a_dropout_keeps_the_order_of_memory() -> None:
    spec = build(KINDS["Dropout"], (), {}).spec
    assert spec is not None
    result = call(spec, (to_operand(Tensor((2, 3, 4), swapped=True)),), {}).result
    assert isinstance(result, Shape)
    assert result.contiguous is False
