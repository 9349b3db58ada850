"""The table from torch's names to layers, and the three calls that drivers make: find, build, call."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any

from rnnshape_guard.layers import (
    attention,
    cells,
    containers,
    convolution,
    dense,
    elementwise,
    embedding,
    flattening,
    losses,
    normalization,
    pooling,
    recurrent,
)
from rnnshape_guard.layers.arguments import Argument, Reading, Spec, bind
from rnnshape_guard.layers.kinds import Built, LayerKind
from rnnshape_guard.shapes.outcomes import UNKNOWN, Operand, Outcome

_FAMILIES: tuple[tuple[LayerKind[Any], ...], ...] = (
    recurrent.KINDS,
    cells.KINDS,
    dense.KINDS,
    embedding.KINDS,
    convolution.KINDS,
    pooling.KINDS,
    normalization.KINDS,
    elementwise.KINDS,
    flattening.KINDS,
    attention.KINDS,
    losses.KINDS,
    containers.KINDS,
)

KINDS: dict[str, LayerKind[Any]] = {kind.name: kind for kind in chain.from_iterable(_FAMILIES)}
"""Every known layer by its class name; a constructor with another name (``Embedding.from_pretrained``) by both."""


RECURRENT = tuple(kind.name for kind in recurrent.KINDS)
"""The layers that read a whole sequence, by their class names."""

CELLS = tuple(kind.name for kind in cells.KINDS)
"""The layers that read one step."""

WRAPPERS = frozenset(
    {
        "torch.compile",
        "torch.jit.script",
        "torch.nn.DataParallel",
        "torch.nn.parallel.DataParallel",
        "torch.nn.parallel.DistributedDataParallel",
        "torch.nn.utils.parametrizations.orthogonal",
        "torch.nn.utils.parametrizations.spectral_norm",
        "torch.nn.utils.parametrizations.weight_norm",
        "torch.nn.utils.remove_weight_norm",
        "torch.nn.utils.spectral_norm",
        "torch.nn.utils.weight_norm",
    }
)
"""Functions and classes whose result takes and gives what their first argument does."""


def find(path: str) -> LayerKind[Any] | None:
    """The kind of layer that a canonical path names: ``torch.nn.LSTM``, ``torch.nn.modules.rnn.LSTM``.

    ``torch.nn.Embedding.from_pretrained`` is found too: a constructor of its own.
    """
    if not path.startswith("torch.nn."):
        return None
    words = path.split(".")[2:]
    if words[0] == "modules":
        words = words[2:] if len(words) > 2 and words[1].islower() else words[1:]
    return KINDS.get(".".join(words))


def build(
    kind: LayerKind[Any], args: tuple[Argument, ...], kwargs: Mapping[str, Argument], *, partial: bool = False
) -> Built:
    """Construct a layer. With `partial`, arguments that nobody can see were passed too (``*args``, ``**kwargs``): what
    is not given is then UNKNOWN, never the default."""
    if kind.any_arguments:
        args, kwargs = (), {}
    reading = Reading(bind(kind.parameters, args, kwargs, partial=partial))
    spec: Spec = kind.read(kind.name, reading)
    return Built(spec, tuple(reading.misfits), tuple(reading.flags), tuple(reading.positive))


def call(spec: Spec, args: tuple[Operand, ...], kwargs: Mapping[str, Operand], *, partial: bool = False) -> Outcome:
    """Call a layer: its forward on operands. `partial` as for `build`."""
    kind = KINDS.get(spec.kind)
    if kind is None:
        return Outcome(UNKNOWN)
    outcome: Outcome = kind.apply(spec, bind(kind.inputs, args, kwargs, partial=partial))
    return outcome
