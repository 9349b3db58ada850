"""RNN, LSTM, GRU and their cells: for random configurations and inputs, torch does what is predicted."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.layers.oracle import PackedBatch, Tensor, judge_layer

DRAWS = 250


def draw_options(draw: random.Random, kind: str) -> dict[str, Any]:
    """A constructor's options, now and then one that torch refuses."""
    options: dict[str, Any] = {}
    if draw.random() < 0.5:
        options["num_layers"] = draw.choice((1, 2, 2, 3))
    for flag in ("batch_first", "bidirectional", "bias"):
        if draw.random() < 0.5:
            options[flag] = draw.random() < 0.5
    if draw.random() < 0.2:
        options["dropout"] = draw.choice((0.0, 0.5, 1, 0, 1.5, True, -0.1))
    if kind == "LSTM" and draw.random() < 0.3:
        options["proj_size"] = draw.choice((0, 1, 2, 3, 9, -1))
    if kind == "RNN" and draw.random() < 0.3:
        options["nonlinearity"] = draw.choice(("tanh", "relu", "gelu"))
    if draw.random() < 0.04:
        options[draw.choice(("num_layers", "bidirectional", "batch_first", "batchfirst", "proj_size"))] = draw.choice(
            (0, 1, -1, 2.0)
        )
    return options


def draw_state(draw: random.Random, right: tuple[int, ...]) -> Tensor:
    """A state of the right sizes, or nearly."""
    sizes = list(right)
    match draw.randrange(8):
        case 0:
            sizes[draw.randrange(len(sizes))] += draw.choice((-1, 1, 2))
        case 1:
            sizes.insert(draw.randrange(len(sizes) + 1), 1)
        case 2:
            sizes.pop(draw.randrange(len(sizes)))
        case 3 if len(sizes) > 1:
            sizes[0], sizes[1] = sizes[1], sizes[0]
        case _:
            pass
    return Tensor(tuple(max(size, 1) for size in sizes))


def expected_state(options: dict[str, Any], hidden: int, sizes: tuple[int, ...], *, cell: bool) -> tuple[int, ...]:
    first = int(options.get("num_layers", 1)) * (2 if options.get("bidirectional") else 1)
    width = hidden if cell else options.get("proj_size") or hidden
    if len(sizes) == 2:
        return first, width
    return first, sizes[0 if options.get("batch_first") else 1], width


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_layers_do_what_is_predicted(kind: str) -> None:
    draw = random.Random(kind)
    raised = 0
    for _ in range(DRAWS):
        options = draw_options(draw, kind)
        features, hidden = draw.randint(1, 4), draw.randint(2, 4)
        sizes = (*tuple(draw.randint(1, 4) for _ in range(draw.choice((1, 2, 2, 2, 2, 2, 3)))), features)
        if draw.random() < 0.15:
            sizes = (*sizes[:-1], features + 1)
        if draw.random() < 0.05:
            sizes = (draw.choice((0, 1)), *sizes[1:])
        given: list[Any] = [Tensor(sizes, draw.choice(("float",) * 9 + ("int",)))]
        if draw.random() < 0.6:
            shape = (sizes + sizes)[:3] if len(sizes) not in (2, 3) else sizes
            h_0, c_0 = (draw_state(draw, expected_state(options, hidden, shape, cell=cell)) for cell in (False, True))
            pair: Any = draw.choice([(h_0, c_0)] * 6 + [[h_0, c_0], (h_0,), (h_0, c_0, c_0), (h_0, None), h_0])
            given.append(pair if kind == "LSTM" or draw.random() < 0.1 else h_0)
        elif draw.random() < 0.3:
            given.append(None)
        if draw.random() < 0.03:
            given = [draw.choice((None, (given[0], given[0]), (given[0],)))]
        if draw.random() < 0.03:
            given.extend([given[0]] * 2)
        arguments = (features, hidden) if draw.random() < 0.97 else (features,)
        raised += judge_layer(kind, arguments, options, tuple(given))
    assert DRAWS * 0.2 < raised < DRAWS * 0.8


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_packed_batches_do_what_is_predicted(kind: str) -> None:
    draw = random.Random(f"packed {kind}")
    raised = 0
    for _ in range(DRAWS // 2):
        options = draw_options(draw, kind)
        features, hidden = draw.randint(1, 4), draw.randint(3, 5)
        lengths = [draw.randint(1, 5) for _ in range(draw.randint(1, 4))]
        in_order = draw.random() < 0.5
        if in_order:
            lengths.sort(reverse=True)
        width = features if draw.random() < 0.85 else features + draw.choice((1, 2))
        others = (width,) if draw.random() < 0.95 else (2, width)
        given: list[Any] = [PackedBatch(tuple(lengths), others, in_order)]
        if draw.random() < 0.6:
            right = expected_state({**options, "batch_first": True}, hidden, (len(lengths), 1, 1), cell=False)
            if kind == "LSTM":
                # A packed LSTM reads beyond the end of states that are too small: torch crashes there, so only right ones are drawn.
                cell = expected_state({**options, "batch_first": True}, hidden, (len(lengths), 1, 1), cell=True)
                given.append(draw.choice(((Tensor(right), Tensor(cell)), Tensor(right))))
            else:
                state = draw_state(draw, right)
                # torch leaves out the states of samples that a sorted copy never asks for; that is a mistake all the same.
                more = not in_order and len(state.sizes) == 3 and state.sizes[1] > right[1]
                given.append(Tensor(right) if more else state)
        raised += judge_layer(kind, (features, hidden), options, tuple(given))
    assert raised > DRAWS // 20


@pytest.mark.parametrize("kind", ["RNNCell", "LSTMCell", "GRUCell"])
def test_cells_do_what_is_predicted(kind: str) -> None:
    draw = random.Random(kind)
    raised = 0
    for _ in range(DRAWS):
        features, hidden = draw.randint(1, 4), draw.randint(2, 4)
        sizes = (*tuple(draw.randint(1, 4) for _ in range(draw.choice((0, 1, 1, 1, 1, 2)))), features)
        if draw.random() < 0.15:
            sizes = (*sizes[:-1], features + 1)
        given: list[Any] = [Tensor(sizes)]
        if draw.random() < 0.7:
            right = (*sizes[:-1], hidden)[-2:]
            h_0, c_0 = draw_state(draw, right), draw_state(draw, right)
            if len(sizes) == 1:
                # Without a batch, states of (hidden, hidden) and their like pass by an accident of broadcasting.
                h_0, c_0 = (state if len(state.sizes) == 1 else Tensor((hidden + 1, hidden)) for state in (h_0, c_0))
            pair: Any = draw.choice([(h_0, c_0)] * 6 + [[h_0, c_0], (h_0,), (h_0, c_0, c_0), (h_0, None), h_0])
            given.append(pair if kind == "LSTMCell" or draw.random() < 0.1 else h_0)
        options = {"bias": False} if draw.random() < 0.2 else {}
        if kind == "RNNCell" and draw.random() < 0.2:
            options = {"nonlinearity": draw.choice(("relu", "tanh", "sigmoid"))}
        raised += judge_layer(kind, (features, hidden), options, tuple(given))
    assert DRAWS * 0.2 < raised < DRAWS * 0.8


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("LSTM", (3, 4, 2, True, True, 0.0, True, 2)),
        ("LSTM", (3, 4, True, True)),
        ("LSTM", (3, 4, 1, True, True, True)),
        ("LSTM", (3, 4, 1, 1)),
        ("LSTM", (3, 4, 1, True, 0)),
        ("LSTM", (3.0, 4)),
        ("LSTM", (0, 4)),
        ("LSTM", (3, 0)),
        ("LSTM", (3, 4, 0)),
        ("LSTM", (3, 4, 1, True, True, 0.0, True, 0, None, None, 5)),
        ("RNN", (3, 4, 1, True)),
        ("RNN", (3, 4, 2, "relu", True, True, 0.5, True)),
        ("GRU", (3, 4, 2, True, True, 0.5, True)),
        ("GRU", (3,)),
        ("GRU", ()),
    ],
)
def test_positional_arguments_keep_their_places(kind: str, arguments: tuple[Any, ...]) -> None:
    judge_layer(kind, arguments, {}, (Tensor((2, 5, 3)),))
