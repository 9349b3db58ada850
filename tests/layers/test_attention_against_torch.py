"""Attention and transformers: for random configurations and inputs, torch does what is predicted."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch

from rnnshape_guard.layers import build, call, find
from tests.layers.oracle import Tensor, judge, judge_layer, really, to_operand, to_torch

DRAWS = 250


def slips(draw: random.Random, sizes: tuple[int, ...], chance: float = 0.06) -> Tensor:
    """A tensor of these sizes, now and then of one more or with an axis too many."""
    row = [size + 1 if draw.random() < chance / 2 else size for size in sizes]
    if draw.random() < chance / 2:
        row.insert(0, 1)
    return Tensor(tuple(row))


def sequence(batch: int | None, length: int, width: int, *, batch_first: bool) -> tuple[int, ...]:
    if batch is None:
        return (length, width)
    return (batch, length, width) if batch_first else (length, batch, width)


def draw_mask(draw: random.Random, batch: int | None, heads: int, rows: int, columns: int) -> Tensor:
    sizes = (rows, columns) if draw.random() < 0.7 else ((batch or 1) * heads, rows, columns)
    mask = slips(draw, sizes, 0.3)
    return Tensor(mask.sizes, draw.choice(("float", "bool", "bool", "int")) if draw.random() < 0.3 else "bool")


def test_multihead_attention() -> None:
    draw = random.Random("MultiheadAttention")
    raised = 0
    for _ in range(DRAWS):
        heads = draw.choice((1, 2, 3))
        width = heads * draw.randint(1, 3) + (draw.random() < 0.05)
        options: dict[str, Any] = {}
        for name in ("add_bias_kv", "add_zero_attn", "batch_first", "bias"):
            if draw.random() < 0.3:
                options[name] = draw.random() < 0.6
        widths = {"kdim": width, "vdim": width}
        for name in widths:
            if draw.random() < 0.3:
                options[name] = widths[name] = draw.randint(1, 5)
        batch = None if draw.random() < 0.2 else draw.randint(1, 3)
        rows, columns = draw.randint(1, 4), draw.randint(1, 4)
        first = bool(options.get("batch_first"))
        given = (
            slips(draw, sequence(batch, rows, width, batch_first=first)),
            slips(draw, sequence(batch, columns, widths["kdim"], batch_first=first)),
            slips(draw, sequence(batch, columns, widths["vdim"], batch_first=first)),
        )
        keywords: dict[str, Any] = {}
        if draw.random() < 0.3:
            keywords["need_weights"] = draw.random() < 0.3
        if draw.random() < 0.3:
            keywords["average_attn_weights"] = draw.random() < 0.3
        if draw.random() < 0.3:
            keywords["attn_mask"] = draw_mask(draw, batch, heads, rows, columns)
        if draw.random() < 0.3:
            padding = slips(draw, (columns,) if batch is None else (batch, columns), 0.3)
            keywords["key_padding_mask"] = Tensor(padding.sizes, "bool")
        if draw.random() < 0.05:
            keywords["is_causal"] = True
        raised += judge_layer("MultiheadAttention", (width, heads), options, given, keywords)
    assert DRAWS * 0.1 < raised < DRAWS * 0.8


def draw_layer(draw: random.Random) -> tuple[int, int, dict[str, Any]]:
    heads = draw.choice((1, 2))
    options: dict[str, Any] = {"dim_feedforward": 4}
    for name in ("batch_first", "norm_first"):
        if draw.random() < 0.5:
            options[name] = draw.random() < 0.5
    return heads * draw.randint(1, 3) + (heads == 2 and draw.random() < 0.05), heads, options


def test_encoder_layers() -> None:
    draw = random.Random("TransformerEncoderLayer")
    raised = 0
    for _ in range(DRAWS):
        width, heads, options = draw_layer(draw)
        batch = None if draw.random() < 0.2 else draw.randint(1, 3)
        length = draw.randint(1, 4)
        given = slips(draw, sequence(batch, length, width, batch_first=bool(options.get("batch_first"))), 0.3)
        keywords: dict[str, Any] = {}
        if draw.random() < 0.3:
            keywords["src_mask"] = draw_mask(draw, batch, heads, length, length)
        if draw.random() < 0.3:
            keywords["src_key_padding_mask"] = Tensor(
                slips(draw, (batch, length) if batch else (length,), 0.3).sizes, "bool"
            )
        raised += judge_layer("TransformerEncoderLayer", (width, heads), options, (given,), keywords)
    assert DRAWS * 0.1 < raised < DRAWS * 0.8


@pytest.mark.parametrize("kind", ["TransformerDecoderLayer", "Transformer"])
def test_decoders(kind: str) -> None:
    draw = random.Random(kind)
    raised = 0
    draws = DRAWS if kind == "TransformerDecoderLayer" else DRAWS // 4
    for _ in range(draws):
        width, heads, options = draw_layer(draw)
        if kind == "Transformer":
            options |= {"num_encoder_layers": 1, "num_decoder_layers": 1}
        first = bool(options.get("batch_first"))
        batch = None if draw.random() < 0.2 else draw.randint(1, 3)
        lengths = draw.randint(1, 4), draw.randint(1, 4)
        given = tuple(slips(draw, sequence(batch, length, width, batch_first=first), 0.2) for length in lengths)
        target, memory = lengths if kind == "TransformerDecoderLayer" else lengths[::-1]
        keywords: dict[str, Any] = {}
        if draw.random() < 0.3:
            keywords["tgt_mask"] = draw_mask(draw, batch, heads, target, target)
        if draw.random() < 0.3:
            keywords["memory_mask"] = draw_mask(draw, batch, heads, target, memory)
        if draw.random() < 0.2:
            padding = slips(draw, (batch, memory) if batch else (memory,), 0.3)
            keywords["memory_key_padding_mask"] = Tensor(padding.sizes, "bool")
        raised += judge_layer(kind, (width, heads), options, given, keywords)
    assert draws * 0.1 < raised < draws * 0.9


@pytest.mark.parametrize("kind", ["Encoder", "Decoder"])
def test_a_stack_has_the_sizes_of_its_layer(kind: str) -> None:
    layer_kind, stack_kind = find(f"torch.nn.Transformer{kind}Layer"), find(f"torch.nn.Transformer{kind}")
    assert layer_kind is not None
    assert stack_kind is not None
    for batch_first in (True, False):
        for sizes in ((2, 3, 4), (2, 3, 6), (3, 4)):
            for norm_first in (True, False):
                options = {"dim_feedforward": 4, "batch_first": batch_first, "norm_first": norm_first}
                built = build(
                    layer_kind, (to_operand(4), to_operand(2)), {k: to_operand(v) for k, v in options.items()}
                )
                assert built.spec is not None
                stack = build(stack_kind, (built.spec, to_operand(2)), {}).spec
                assert stack is not None
                inputs = (Tensor(sizes),) * (1 if kind == "Encoder" else 2)
                called = call(stack, tuple(map(to_operand, inputs)), {})

                def run(options: dict[str, Any] = options, inputs: tuple[Tensor, ...] = inputs) -> Any:
                    inner = getattr(torch.nn, f"Transformer{kind}Layer")(4, 2, **options)
                    return getattr(torch.nn, f"Transformer{kind}")(inner, 2)(*map(to_torch, inputs))

                judge(f"{kind} {options} {sizes}", called.misfits, called, really(run))
