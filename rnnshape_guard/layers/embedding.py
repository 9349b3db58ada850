"""Tables of vectors: Embedding, Embedding.from_pretrained, EmbeddingBag."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from rnnshape_guard.layers.arguments import Bound, Flag, Parameter, Reading, Size, Spec, settled
from rnnshape_guard.layers.dense import feature_atom
from rnnshape_guard.layers.kinds import DEVICE_AND_DTYPE, INPUT, LayerKind
from rnnshape_guard.layers.ledger import Ledger
from rnnshape_guard.shapes.axes import Atom, Axis, Rest, Shape
from rnnshape_guard.shapes.dims import Dim
from rnnshape_guard.shapes.outcomes import UNKNOWN, Fault, Operand, Outcome, Packed, Unknown


@dataclass(frozen=True, kw_only=True)
class EmbeddingSpec(Spec):
    """Embedding as constructed, or made `from_pretrained`."""

    num_embeddings: Size
    embedding_dim: Size

    @cached_property
    def features(self) -> Atom:
        """The axis it adds."""
        return feature_atom(self.embedding_dim, "embedding")


def _read_embedding(kind: str, reading: Reading) -> EmbeddingSpec:
    num_embeddings = reading.size("num_embeddings")
    _check_padding(reading, num_embeddings)
    return EmbeddingSpec(
        kind=kind,
        given=reading.bound.given,
        positional=reading.bound.positional,
        num_embeddings=num_embeddings,
        embedding_dim=reading.size("embedding_dim"),
    )


def _read_pretrained(kind: str, reading: Reading) -> EmbeddingSpec:
    """``nn.Embedding.from_pretrained(weights)``: the sizes are those of a table of two axes."""
    count: Size = UNKNOWN
    width: Size = UNKNOWN
    match reading.bound["embeddings"]:
        case Shape(rank=None) | None:
            pass
        case Shape(axes=(rows, columns)):
            count, width = rows.size, columns.size
        case Shape():
            reading.refuse("embeddings", "must have two axes", Fault.RANK)
        case _:
            pass
    _check_padding(reading, count)
    return EmbeddingSpec(
        kind=kind.partition(".")[0],
        given=reading.bound.given,
        positional=reading.bound.positional,
        num_embeddings=count,
        embedding_dim=width,
    )


def _check_padding(reading: Reading, num_embeddings: Size) -> None:
    padding = reading.bound["padding_idx"]
    if not isinstance(padding, Dim) or not isinstance(num_embeddings, Dim):
        return
    index, count = padding.value, num_embeddings.value
    if index is not None and count is not None and not -count <= index < count:
        reading.refuse("padding_idx", "must be within num_embeddings", expected=num_embeddings, found=padding)


def _apply_embedding(spec: EmbeddingSpec, bound: Bound) -> Outcome:
    """``(*)`` indices to ``(*, embedding_dim)``: every axis is kept and the features are added."""
    ledger = Ledger(bound)
    made = Axis((spec.features,))
    match bound["input"]:
        case Packed() as packed:
            ledger.tensor("input", packed)
            return ledger.outcome(replace(packed, features=(*packed.features, made), dtype="float"))
        case value:
            shape = ledger.tensor("input", value, dtype="int")
    parts = (Rest(),) if shape is None else shape.parts
    return ledger.outcome(Shape((*parts, made), None if shape is None else True, "float"))


# -- EmbeddingBag ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class EmbeddingBagSpec(EmbeddingSpec):
    """EmbeddingBag as constructed."""

    mode: Operand = "mean"
    include_last_offset: Flag = False


def _read_bag(kind: str, reading: Reading) -> EmbeddingBagSpec:
    num_embeddings = reading.size("num_embeddings")
    _check_padding(reading, num_embeddings)
    mode = reading.bound["mode"]
    if mode not in ("mean", "sum", "max", UNKNOWN):
        reading.refuse("mode", "must be 'mean', 'sum' or 'max'")
    return EmbeddingBagSpec(
        kind=kind,
        given=reading.bound.given,
        positional=reading.bound.positional,
        num_embeddings=num_embeddings,
        embedding_dim=reading.size("embedding_dim"),
        mode=mode,
        include_last_offset=reading.flag("include_last_offset"),
    )


def _apply_bag(spec: EmbeddingBagSpec, bound: Bound) -> Outcome:
    """``(batch, steps)`` indices, or all of them in a row with the `offsets` where bags begin, to ``(batch, embedding_dim)``."""
    ledger = Ledger(bound)
    made = Axis((spec.features,))
    shape = ledger.tensor("input", bound["input"], dtype="int")
    weights = bound["per_sample_weights"]
    if shape is not None and isinstance(weights, Shape):
        _check_weights(spec, shape, weights, ledger)
    offsets = bound["offsets"]
    if shape is not None and shape.rank is None and isinstance(offsets, Shape | None):
        ledger.axes("input", shape, 2 if offsets is None else 1, ("batch", "steps"))
    match shape.rank if shape is not None else None:
        case 2 if shape is not None and shape.axes is not None:
            if isinstance(offsets, Shape):
                ledger.note(Fault.TYPE, "offsets", "must be absent where the input has two axes")
            bags = shape.axes[0]
        case 1:
            bags = _bags(spec, offsets, ledger)
        case None:
            bags = Axis.new("batch")
        case _:
            assert shape is not None
            ledger.rank("input", shape, (1, 2))
            bags = Axis.new("batch")
    return ledger.outcome(Shape((bags, made), True, "float"))


def _bags(spec: EmbeddingBagSpec, offsets: Operand, ledger: Ledger) -> Axis:
    if isinstance(offsets, Unknown):
        return Axis.new("batch")
    if offsets is None:
        ledger.note(Fault.TYPE, "offsets", "is needed where the input has one axis")
        return Axis.new("batch")
    starts = ledger.tensor("offsets", offsets, dtype="int")
    axes = ledger.axes("offsets", starts, 1, ("batch",)) if starts is not None else None
    if axes is None:
        return Axis.new("batch")
    match settled(spec.include_last_offset):
        case False:
            return axes[0]
        case True:
            return Axis.new("batch", axes[0].size - 1, source=axes[0].atom)
        case _:
            return Axis.new("batch")


def _check_weights(spec: EmbeddingBagSpec, shape: Shape, weights: Shape, ledger: Ledger) -> None:
    if spec.mode in ("mean", "max"):
        ledger.note(Fault.VALUE, "per_sample_weights", "needs mode 'sum'")
    if shape.axes is None or weights.axes is None:
        return
    if len(shape.axes) != len(weights.axes):
        ledger.rank("per_sample_weights", weights, (len(shape.axes),))
        return
    for place, (expected, found) in enumerate(zip(shape.axes, weights.axes, strict=True)):
        ledger.size("per_sample_weights", place, expected.size, found.size)


# -- the kinds -------------------------------------------------------------------------------------------------------

_TABLE = (Parameter("num_embeddings"), Parameter("embedding_dim"))
_NORM = (Parameter("max_norm", None), Parameter("norm_type", 2.0), Parameter("scale_grad_by_freq", False))
_SPARSE = Parameter("sparse", False)
_PADDING = Parameter("padding_idx", None)

KINDS: tuple[LayerKind[EmbeddingSpec] | LayerKind[EmbeddingBagSpec], ...] = (
    LayerKind(
        "Embedding",
        (
            *_TABLE,
            _PADDING,
            *_NORM,
            _SPARSE,
            Parameter("_weight", None),
            Parameter("_freeze", False),
            *DEVICE_AND_DTYPE,
        ),
        INPUT,
        _read_embedding,
        _apply_embedding,
    ),
    LayerKind(
        "Embedding.from_pretrained",
        (Parameter("embeddings"), Parameter("freeze", True), _PADDING, *_NORM, _SPARSE),
        INPUT,
        _read_pretrained,
        _apply_embedding,
    ),
    LayerKind(
        "EmbeddingBag",
        (
            *_TABLE,
            *_NORM,
            Parameter("mode", "mean"),
            _SPARSE,
            Parameter("_weight", None),
            Parameter("include_last_offset", False),
            _PADDING,
            *DEVICE_AND_DTYPE,
        ),
        (Parameter("input"), Parameter("offsets", None), Parameter("per_sample_weights", None)),
        _read_bag,
        _apply_bag,
    ),
)
