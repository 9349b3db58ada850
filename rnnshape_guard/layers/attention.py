"""MultiheadAttention, the transformer's layers and stacks.

The rules are those of torch/nn/functional.py (`_mha_shape_check`, `multi_head_attention_forward`) and of
torch/nn/modules/transformer.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from rnnshape_guard.layers.arguments import Bound, Flag, Parameter, Reading, Size, Spec, as_size, settled
from rnnshape_guard.layers.dense import feature_atom
from rnnshape_guard.layers.kinds import DEVICE_AND_DTYPE, LayerKind
from rnnshape_guard.layers.ledger import Ledger
from rnnshape_guard.shapes.axes import Atom, Axis, Rest, Role, Shape, Strength
from rnnshape_guard.shapes.dims import Dim
from rnnshape_guard.shapes.outcomes import UNKNOWN, Fault, Operand, Outcome, Result


@dataclass(frozen=True, kw_only=True)
class AttentionSpec(Spec):
    """MultiheadAttention as constructed; `kdim` and `vdim` are `embed_dim` where they are not given."""

    embed_dim: Size
    num_heads: Size
    kdim: Size
    vdim: Size
    batch_first: Flag = False
    add_bias_kv: Flag = False
    add_zero_attn: Flag = False

    @cached_property
    def features(self) -> Atom:
        """The axis it makes."""
        return feature_atom(self.embed_dim)

    @cached_property
    def heads(self) -> Atom:
        """The axis of the heads, in weights that are not averaged."""
        return Atom("heads", self.num_heads if isinstance(self.num_heads, Dim) else None)


@dataclass(frozen=True, kw_only=True)
class TransformerSpec(Spec):
    """A transformer's layer, stack or whole as constructed; a stack has the sizes of the layer it repeats."""

    d_model: Size
    nhead: Size
    batch_first: Flag = False
    norm_first: Flag = False


@dataclass(frozen=True, slots=True)
class Tokens:
    """One sequence input, read: its batch and its length (None where the layout is not known, or there is no batch)."""

    shape: Shape
    axes: tuple[Axis, ...]
    batch: Axis | None
    length: Axis | None


# -- construction ----------------------------------------------------------------------------------------------------


def _read_attention(kind: str, reading: Reading) -> AttentionSpec:
    bound = reading.bound
    embed_dim, num_heads = _heads(reading, "embed_dim", "num_heads")
    kdim, vdim = reading.optional_size("kdim"), reading.optional_size("vdim")
    return AttentionSpec(
        kind=kind,
        given=bound.given,
        positional=bound.positional,
        embed_dim=embed_dim,
        num_heads=num_heads,
        kdim=embed_dim if kdim is None else kdim,
        vdim=embed_dim if vdim is None else vdim,
        batch_first=reading.flag("batch_first"),
        add_bias_kv=reading.flag("add_bias_kv"),
        add_zero_attn=reading.flag("add_zero_attn"),
    )


def _heads(reading: Reading, width: str, heads: str) -> tuple[Size, Size]:
    """A width, and the number of heads that it must be divisible by."""
    embed_dim, num_heads = reading.size(width, 1), reading.size(heads, 1)
    total = embed_dim.value if isinstance(embed_dim, Dim) else None
    count = num_heads.value if isinstance(num_heads, Dim) else None
    if total is not None and count is not None and count > 0 and total % count:
        reading.refuse(width, f"must be divisible by {heads}", expected=num_heads, found=embed_dim)
    return embed_dim, num_heads


def _read_layer(kind: str, reading: Reading) -> TransformerSpec:
    d_model, nhead = _heads(reading, "d_model", "nhead")
    return TransformerSpec(
        kind=kind,
        given=reading.bound.given,
        positional=reading.bound.positional,
        d_model=d_model,
        nhead=nhead,
        batch_first=reading.flag("batch_first"),
        norm_first=reading.flag("norm_first"),
    )


def _read_stack(kind: str, reading: Reading) -> TransformerSpec:
    bound = reading.bound
    reading.size("num_layers")
    layer = bound.layer("encoder_layer" if kind == "TransformerEncoder" else "decoder_layer")
    known = layer if isinstance(layer, TransformerSpec) else None
    return TransformerSpec(
        kind=kind,
        given=bound.given,
        positional=bound.positional,
        d_model=known.d_model if known else UNKNOWN,
        nhead=known.nhead if known else UNKNOWN,
        batch_first=known.batch_first if known else UNKNOWN,
        norm_first=UNKNOWN if known is None or bound.values["norm"] is not None else known.norm_first,
    )


# -- reading the inputs ----------------------------------------------------------------------------------------------


def _tokens(
    name: str, value: Operand, spec: AttentionSpec | TransformerSpec, width: Size, rank: int | None, ledger: Ledger
) -> Tokens | None:
    """An input ``(length, batch, features)``, batch first if the layer says so, or ``(length, features)``."""
    shape = ledger.tensor(name, value, dtype="float")
    if shape is None:
        return None
    batch_first = settled(spec.batch_first)
    names = ("batch", "time", "features") if batch_first is True else ("time", "batch", "features")
    axes = ledger.axes(name, shape, rank or 3, names, (rank,) if rank else (2, 3))
    if axes is None:
        return None
    ledger.size(name, -1, width, axes[-1].size)
    if len(axes) == 2:
        return Tokens(shape, axes, None, axes[0])
    if not isinstance(batch_first, bool):
        return Tokens(shape, axes, None, None)
    for place, role in enumerate((Role.BATCH, Role.TIME) if batch_first else (Role.TIME, Role.BATCH)):
        words = f"nn.{spec.kind}(batch_first={batch_first}) reads axis {place} of {name} as {role}"
        ledger.learn(axes[place], role, Strength.LAYER, words)
    batch, length = (axes[0], axes[1]) if batch_first else (axes[1], axes[0])
    return Tokens(shape, axes, batch, length)


def _same_batch(name: str, tokens: Tokens | None, other: Tokens | None, batch_first: Flag, ledger: Ledger) -> None:
    if tokens is None or other is None or tokens.batch is None or other.batch is None:
        return
    ledger.size(name, 0 if settled(batch_first) is True else 1, tokens.batch.size, other.batch.size)


def _length_place(spec: AttentionSpec | TransformerSpec, tokens: Tokens) -> int:
    return 1 if settled(spec.batch_first) is True and len(tokens.axes) == 3 else 0


def _check_mask(name: str, mask: Operand, query: Tokens, key: Tokens, heads: Size, ledger: Ledger) -> None:
    """An attention mask is ``(query length, key length)``, or the same for each sample and head."""
    shape = _mask(name, mask, ledger)
    if shape is None or shape.axes is None or query.length is None or key.length is None:
        return
    if len(shape.axes) not in (2, 3):
        ledger.rank(name, shape, (2, 3))
        return
    *first, rows, columns = shape.axes
    if first and isinstance(heads, Dim):
        batch = query.batch.size if query.batch is not None else Dim.of(1)
        ledger.size(name, 0, batch * heads, first[0].size)
    ledger.size(name, len(first), query.length.size, rows.size)
    ledger.size(name, len(first) + 1, key.length.size, columns.size)


def _check_padding_mask(name: str, mask: Operand, key: Tokens, ledger: Ledger) -> None:
    """A padding mask is ``(batch, key length)`` whatever the layout, or ``(key length)`` without a batch."""
    shape = _mask(name, mask, ledger)
    if shape is None or shape.axes is None or key.length is None:
        return
    if len(shape.axes) != len(key.axes) - 1:
        ledger.rank(name, shape, (len(key.axes) - 1,))
        return
    if key.batch is not None:
        ledger.size(name, 0, key.batch.size, shape.axes[0].size)
    ledger.size(name, len(shape.axes) - 1, key.length.size, shape.axes[-1].size)


def _mask(name: str, mask: Operand, ledger: Ledger) -> Shape | None:
    if mask is None:
        return None
    shape = ledger.tensor(name, mask)
    if shape is not None and shape.dtype == "int":
        ledger.note(Fault.DTYPE, name, "holds integers where truth values or fractions are needed")
    return shape


# -- MultiheadAttention ----------------------------------------------------------------------------------------------


def _apply_attention(spec: AttentionSpec, bound: Bound) -> Outcome:
    """``output, weights = attention(query, key, value)``: the output has the query's axes, the weights are
    ``(batch, query length, key length)``, with the heads behind the batch if they are not averaged."""
    ledger = Ledger(bound)
    query = _tokens("query", bound["query"], spec, spec.embed_dim, None, ledger)
    rank = len(query.axes) if query else None
    key = _tokens("key", bound["key"], spec, spec.kdim, rank, ledger)
    value = _tokens("value", bound["value"], spec, spec.vdim, rank, ledger)
    _same_batch("key", query, key, spec.batch_first, ledger)
    _same_batch("value", key, value, spec.batch_first, ledger)
    if key and value and key.length is not None and value.length is not None:
        ledger.size("value", _length_place(spec, value), key.length.size, value.length.size)
    if query and key:
        _check_mask("attn_mask", bound["attn_mask"], query, key, spec.num_heads, ledger)
        _check_padding_mask("key_padding_mask", bound["key_padding_mask"], key, ledger)
    if bound["is_causal"] is True and bound["attn_mask"] is None:
        ledger.note(Fault.VALUE, "is_causal", "needs attn_mask")
    made = Axis((spec.features,))
    if query is None:
        return ledger.outcome((Shape((Rest(1), made), None, "float"), UNKNOWN))
    output = Shape((*query.axes[:-1], made), _contiguous(spec, query), "float")
    return ledger.outcome((output, _weights(spec, query, key, bound)))


def _contiguous(spec: AttentionSpec, query: Tokens) -> bool | None:
    """Time-major outputs are contiguous; batch-first ones only on the fast path of evaluation."""
    return True if len(query.axes) == 2 or settled(spec.batch_first) is False else None


def _weights(spec: AttentionSpec, query: Tokens, key: Tokens | None, bound: Bound) -> Result:
    wanted, averaged = bound["need_weights"], bound["average_attn_weights"]
    if wanted is False:
        return None
    if wanted is not True or not isinstance(averaged, bool) or key is None:
        return UNKNOWN
    if query.length is None or key.length is None:
        return Shape.unknown(2, "float")
    batch = () if query.batch is None else (query.batch,)
    heads = () if averaged else (Axis((spec.heads,)),)
    return Shape((*batch, *heads, query.length, _extended(spec, key.length)), None, "float")


def _extended(spec: AttentionSpec, length: Axis) -> Axis:
    """The keys that are attended to: those given, and one more for each option that adds one."""
    extras = [as_size(settled(flag)) for flag in (spec.add_bias_kv, spec.add_zero_attn)]
    known = [extra for extra in extras if isinstance(extra, Dim)]
    total = known[0] + known[1] if len(known) == 2 else None
    if total is not None and total.value == 0:
        return length
    return Axis.new("time", None if total is None else length.size + total, source=length.atom)


# -- transformers ----------------------------------------------------------------------------------------------------


def _apply_encoder(spec: TransformerSpec, bound: Bound) -> Outcome:
    """``(length, batch, d_model)``, or batch first: every axis is kept."""
    ledger = Ledger(bound)
    source = _tokens("src", bound["src"], spec, spec.d_model, None, ledger)
    if source is None:
        return ledger.outcome(Shape.unknown(2, "float"))
    mask = "src_mask" if spec.kind == "TransformerEncoderLayer" else "mask"
    _check_mask(mask, bound[mask], source, source, spec.nhead, ledger)
    _check_padding_mask("src_key_padding_mask", bound["src_key_padding_mask"], source, ledger)
    return ledger.outcome(_kept(spec, source))


def _apply_decoder(spec: TransformerSpec, bound: Bound) -> Outcome:
    """A target and the memory it attends to: the target's axes are kept."""
    ledger = Ledger(bound)
    target = _tokens("tgt", bound["tgt"], spec, spec.d_model, None, ledger)
    rank = len(target.axes) if target else None
    memory = _tokens("memory", bound["memory"], spec, spec.d_model, rank, ledger)
    _same_batch("memory", target, memory, spec.batch_first, ledger)
    if target is None:
        return ledger.outcome(Shape.unknown(2, "float"))
    _check_mask("tgt_mask", bound["tgt_mask"], target, target, spec.nhead, ledger)
    _check_padding_mask("tgt_key_padding_mask", bound["tgt_key_padding_mask"], target, ledger)
    if memory is not None:
        _check_mask("memory_mask", bound["memory_mask"], target, memory, spec.nhead, ledger)
        _check_padding_mask("memory_key_padding_mask", bound["memory_key_padding_mask"], memory, ledger)
    return ledger.outcome(_kept(spec, target))


def _apply_transformer(spec: TransformerSpec, bound: Bound) -> Outcome:
    """A source and a target of one batch: the target's axes are kept."""
    ledger = Ledger(bound)
    source = _tokens("src", bound["src"], spec, spec.d_model, None, ledger)
    rank = len(source.axes) if source else None
    target = _tokens("tgt", bound["tgt"], spec, spec.d_model, rank, ledger)
    _same_batch("tgt", source, target, spec.batch_first, ledger)
    if source is not None:
        _check_mask("src_mask", bound["src_mask"], source, source, spec.nhead, ledger)
        _check_padding_mask("src_key_padding_mask", bound["src_key_padding_mask"], source, ledger)
        _check_padding_mask("memory_key_padding_mask", bound["memory_key_padding_mask"], source, ledger)
    if target is None:
        return ledger.outcome(Shape.unknown(2, "float"))
    _check_mask("tgt_mask", bound["tgt_mask"], target, target, spec.nhead, ledger)
    _check_padding_mask("tgt_key_padding_mask", bound["tgt_key_padding_mask"], target, ledger)
    if source is not None:
        _check_mask("memory_mask", bound["memory_mask"], target, source, spec.nhead, ledger)
    return ledger.outcome(_kept(spec, target))


def _kept(spec: TransformerSpec, tokens: Tokens) -> Shape:
    """The same axes; the norm that ends a layer lays them out afresh, unless it comes first."""
    normed = settled(spec.norm_first) is False
    return Shape(tokens.axes, True if normed else None, "float")


# -- the kinds -------------------------------------------------------------------------------------------------------


def _optional(*names: str) -> tuple[Parameter, ...]:
    return tuple(Parameter(name, None) for name in names)


_LAYER_OPTIONS = (
    Parameter("layer_norm_eps", 1e-05),
    Parameter("batch_first", False),
    Parameter("norm_first", False),
    Parameter("bias", True),
    *DEVICE_AND_DTYPE,
)
_LAYER = (
    Parameter("d_model"),
    Parameter("nhead"),
    Parameter("dim_feedforward", Dim.of(2048)),
    Parameter("dropout", 0.1),
    Parameter("activation", "relu"),
    *_LAYER_OPTIONS,
)
_DECODER_INPUTS = (
    Parameter("tgt"),
    Parameter("memory"),
    *_optional("tgt_mask", "memory_mask", "tgt_key_padding_mask", "memory_key_padding_mask", "tgt_is_causal"),
    Parameter("memory_is_causal", False),
)

KINDS: tuple[LayerKind[AttentionSpec] | LayerKind[TransformerSpec], ...] = (
    LayerKind(
        "MultiheadAttention",
        (
            Parameter("embed_dim"),
            Parameter("num_heads"),
            Parameter("dropout", 0.0),
            Parameter("bias", True),
            Parameter("add_bias_kv", False),
            Parameter("add_zero_attn", False),
            *_optional("kdim", "vdim"),
            Parameter("batch_first", False),
            *DEVICE_AND_DTYPE,
        ),
        (
            Parameter("query"),
            Parameter("key"),
            Parameter("value"),
            Parameter("key_padding_mask", None),
            Parameter("need_weights", True),
            Parameter("attn_mask", None),
            Parameter("average_attn_weights", True),
            Parameter("is_causal", False),
        ),
        _read_attention,
        _apply_attention,
    ),
    LayerKind(
        "TransformerEncoderLayer",
        _LAYER,
        (Parameter("src"), *_optional("src_mask", "src_key_padding_mask"), Parameter("is_causal", False)),
        _read_layer,
        _apply_encoder,
    ),
    LayerKind("TransformerDecoderLayer", _LAYER, _DECODER_INPUTS, _read_layer, _apply_decoder),
    LayerKind(
        "TransformerEncoder",
        (
            Parameter("encoder_layer"),
            Parameter("num_layers"),
            Parameter("norm", None),
            Parameter("enable_nested_tensor", True),
            Parameter("mask_check", True),
        ),
        (Parameter("src"), *_optional("mask", "src_key_padding_mask", "is_causal")),
        _read_stack,
        _apply_encoder,
    ),
    LayerKind(
        "TransformerDecoder",
        (Parameter("decoder_layer"), Parameter("num_layers"), Parameter("norm", None)),
        _DECODER_INPUTS,
        _read_stack,
        _apply_decoder,
    ),
    LayerKind(
        "Transformer",
        (
            Parameter("d_model", Dim.of(512)),
            Parameter("nhead", Dim.of(8)),
            Parameter("num_encoder_layers", Dim.of(6)),
            Parameter("num_decoder_layers", Dim.of(6)),
            *_LAYER[2:5],
            *_optional("custom_encoder", "custom_decoder"),
            *_LAYER_OPTIONS,
        ),
        (
            Parameter("src"),
            Parameter("tgt"),
            *_optional("src_mask", "tgt_mask", "memory_mask"),
            *_optional("src_key_padding_mask", "tgt_key_padding_mask", "memory_key_padding_mask"),
            *_optional("src_is_causal", "tgt_is_causal"),
            Parameter("memory_is_causal", False),
        ),
        _read_layer,
        _apply_transformer,
    ),
)
