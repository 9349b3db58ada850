"""Packing and padding: for random sequences, torch.nn.utils.rnn does what is predicted."""

from __future__ import annotations

import random
from typing import Any

from tests.layers.oracle import PackedBatch, Tensor, judge_function, judge_layer

DRAWS = 300


def test_packing_a_padded_batch() -> None:
    draw = random.Random("pack_padded_sequence")
    raised = 0
    for _ in range(DRAWS):
        batch_first, in_order = draw.random() < 0.5, draw.random() < 0.5
        batch, time = draw.randint(1, 4), draw.randint(1, 5)
        sizes = (batch, time) if batch_first else (time, batch)
        features = tuple(draw.randint(1, 3) for _ in range(draw.choice((0, 1, 1, 1, 2))))
        lengths = [draw.randint(1, time) for _ in range(batch)]
        if draw.random() < 0.8:
            lengths.sort(reverse=True)
        if draw.random() < 0.1:
            lengths[draw.randrange(batch)] = 0
        if draw.random() < 0.1:
            # Fewer lengths than samples, unsorted, only lose samples: torch says nothing, so none are drawn.
            lengths = [*lengths, 1] if not in_order or draw.random() < 0.5 else lengths[:-1]
        shape = (*sizes, *features) if draw.random() < 0.95 else sizes[:1]
        options: dict[str, Any] = {"batch_first": batch_first, "enforce_sorted": in_order}
        options = {name: value for name, value in options.items() if draw.random() < 0.8 or value != (name[0] == "e")}
        raised += judge_function("pack_padded_sequence", (Tensor(shape), tuple(lengths)), options)
    assert DRAWS * 0.1 < raised < DRAWS * 0.8


def test_padding_a_packed_batch() -> None:
    draw = random.Random("pad_packed_sequence")
    raised = 0
    for _ in range(DRAWS):
        lengths = [draw.randint(1, 4) for _ in range(draw.randint(1, 4))]
        in_order = draw.random() < 0.5
        if in_order:
            lengths.sort(reverse=True)
        features = tuple(draw.randint(1, 3) for _ in range(draw.choice((0, 1, 1, 1, 2))))
        sequence: Any = PackedBatch(tuple(lengths), features, in_order)
        if draw.random() < 0.1:
            sequence = draw.choice((Tensor((2, 3, 4)), (sequence, Tensor((1, 2, 3))), None))
        options: dict[str, Any] = {}
        if draw.random() < 0.7:
            options["batch_first"] = draw.random() < 0.6
        if draw.random() < 0.3:
            options["total_length"] = draw.choice((None, 1, 3, 4, 7))
        raised += judge_function("pad_packed_sequence", (sequence,), options)
    assert DRAWS * 0.1 < raised < DRAWS * 0.8


def test_lists_of_sequences() -> None:
    draw = random.Random("pad_sequence")
    raised = 0
    for _ in range(DRAWS):
        features = tuple(draw.randint(1, 3) for _ in range(draw.choice((0, 1, 1, 2))))
        sequences = [Tensor((draw.randint(1, 4), *features)) for _ in range(draw.randint(1, 3))]
        if draw.random() < 0.3:
            sequences.sort(key=lambda sequence: -sequence.sizes[0])
        if draw.random() < 0.1:
            odd = draw.choice(((2, *features, 2), (2,), (2, *(size + 1 for size in features))))
            sequences.insert(draw.randrange(len(sequences) + 1), Tensor(odd))
        if draw.random() < 0.05:
            sequences = []
        name = draw.choice(("pad_sequence", "pack_sequence"))
        option = "batch_first" if name == "pad_sequence" else "enforce_sorted"
        options = {option: draw.random() < 0.5} if draw.random() < 0.7 else {}
        raised += judge_function(name, (sequences,), options)
    assert DRAWS * 0.1 < raised < DRAWS * 0.8


def test_padding_a_tensor_row_by_row() -> None:
    assert not judge_function("pad_sequence", (Tensor((3, 4, 2)),), {"batch_first": True})
    assert not judge_function("pack_sequence", (Tensor((3, 4, 2)),), {})
    assert judge_function("pad_sequence", (Tensor((3,)),), {})


def test_a_packed_batch_is_no_tensor() -> None:
    assert judge_layer("Linear", (3, 4), {}, (PackedBatch((3, 2), (3,)),))
    assert judge_layer("Embedding", (3, 4), {}, (PackedBatch((3, 2), ()),))
