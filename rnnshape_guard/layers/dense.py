"""Layers over the last axis, and tables of vectors: Linear, Bilinear, Identity, Embedding, EmbeddingBag."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from rnnshape_guard.layers.arguments import Bound, Flag, Parameter, Reading, Size
from rnnshape_guard.layers.kinds import DEVICE_AND_DTYPE, INPUT, LayerKind, Spec
from rnnshape_guard.layers.ledger import Ledger
from rnnshape_guard.shapes.axes import Atom, Axis, Rest, Role, Shape
from rnnshape_guard.shapes.dims import Dim
from rnnshape_guard.shapes.outcomes import UNKNOWN, Fault, Outcome, Packed


def feature_atom(size: Size, name: str = "features") -> Atom:
    """The features that a layer makes."""
    return Atom(name, size if isinstance(size, Dim) else None, kind=Role.FEATURE)


# -- Linear ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class LinearSpec(Spec):
    """Linear or LazyLinear (whose `in_features` is unknown) as constructed."""

    in_features: Size
    out_features: Size
    bias: Flag = True

    @cached_property
    def features(self) -> Atom:
        """The axis it makes."""
        return feature_atom(self.out_features)


def _read_linear(kind: str, reading: Reading) -> LinearSpec:
    return LinearSpec(
        kind=kind,
        given=reading.bound.given,
        positional=reading.bound.positional,
        in_features=reading.size("in_features") if kind == "Linear" else UNKNOWN,
        out_features=reading.size("out_features"),
        bias=reading.flag("bias"),
    )


def _apply_linear(spec: LinearSpec, bound: Bound) -> Outcome:
    """``(..., in_features)`` to ``(..., out_features)``: every axis but the last is kept."""
    ledger = Ledger(bound)
    made = Axis((spec.features,))
    match bound["input"]:
        case Packed() as packed:
            ledger.tensor("input", packed)
            return ledger.outcome(replace(packed, features=(*packed.features[:-1], made), dtype="float"))
        case value:
            shape = ledger.tensor("input", value, dtype="float")
    if shape is None:
        return ledger.outcome(Shape((Rest(), made), None, "float"))
    split = ledger.last(shape, "features")
    if split is None:
        ledger.note(Fault.RANK, "input", "needs at least one axis")
        return ledger.outcome(Shape((made,), True, "float"))
    before, last = split
    ledger.size("input", -1, spec.in_features, last.size)
    return ledger.outcome(Shape((*before, made), True, "float"))


# -- Embedding -------------------------------------------------------------------------------------------------------


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


# -- the kinds -------------------------------------------------------------------------------------------------------

_TABLE = (Parameter("num_embeddings"), Parameter("embedding_dim"))
_NORM = (Parameter("max_norm", None), Parameter("norm_type", 2.0), Parameter("scale_grad_by_freq", False))

KINDS: tuple[LayerKind[LinearSpec] | LayerKind[EmbeddingSpec], ...] = (
    LayerKind(
        "Linear",
        (Parameter("in_features"), Parameter("out_features"), Parameter("bias", True), *DEVICE_AND_DTYPE),
        INPUT,
        _read_linear,
        _apply_linear,
    ),
    LayerKind(
        "LazyLinear",
        (Parameter("out_features"), Parameter("bias", True), *DEVICE_AND_DTYPE),
        INPUT,
        _read_linear,
        _apply_linear,
    ),
    LayerKind(
        "Embedding",
        (
            *_TABLE,
            Parameter("padding_idx", None),
            *_NORM,
            Parameter("sparse", False),
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
        (
            Parameter("embeddings"),
            Parameter("freeze", True),
            Parameter("padding_idx", None),
            *_NORM,
            Parameter("sparse", False),
        ),
        INPUT,
        _read_pretrained,
        _apply_embedding,
    ),
)
