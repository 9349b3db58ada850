"""Other values for a part of the inputs: what a probe changes, and what it must leave alone.

Values stay where the model can take them. Fractions are exchanged for others of the same tensor, then disturbed by noise
of the tensor's own spread; whole numbers (tokens, labels) become others that were seen in the same place. Lengths and
masks say how the rest is to be read and are left alone; so is the index that pads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import torch
from torch import Tensor, nn

from rnnshape_guard.runtime.probing.axes import Axes, Layout
from rnnshape_guard.runtime.probing.leaves import Leaf

ROUNDS: Final = 2
"""Each part is changed this many times: exchanged within the tensor, then disturbed."""


@dataclass(frozen=True, slots=True)
class Part:
    """A run of samples, or of steps, that is changed at once: one, unless there are very many."""

    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start

    def __str__(self) -> str:
        return str(self.start) if self.stop - self.start == 1 else f"{self.start}–{self.stop - 1}"


def parts(size: int, most: int) -> list[Part]:
    """`size` places cut into at most `most` parts of nearly equal length."""
    count = min(size, most)
    edges = [round(number * size / count) for number in range(count + 1)] if count else []
    return [Part(start, stop) for start, stop in pairwise(edges)]


def single_parts(size: int, most: int) -> list[Part]:
    """`size` places one by one, and those beyond what is asked for together."""
    count = size if size <= most else most - 1
    rest = [Part(count, size)] if count < size else []
    return [*(Part(number, number + 1) for number in range(count)), *rest]


@dataclass(frozen=True, slots=True)
class Inputs:
    """The input tensors, their axes, and which are changed.

    `alone` says for each input that is left alone why. `padding` holds indices that stand for no token.
    """

    all: tuple[Leaf, ...]
    layout: Layout
    alone: Mapping[str, str]
    padding: frozenset[int] = frozenset()

    @property
    def changing(self) -> list[Leaf]:
        """The inputs whose values are changed."""
        return [leaf for leaf in self.all if leaf.name not in self.alone]

    def axes(self, leaf: Leaf) -> Axes:
        """The batch and time axis of an input."""
        return self.layout.axes[leaf.name]

    def lengths(self) -> Tensor | None:
        """How long each sample is, where an input says so."""
        for leaf in self.all:
            if leaf.packing is not None:
                return leaf.packing.lengths
            if self.alone.get(leaf.name) == LENGTHS and self.axes(leaf).batch == 0:
                return leaf.value.cpu()
        return None


LENGTHS: Final = "it holds lengths"


def left_alone(inputs: Sequence[Leaf], layout: Layout, fixed: Iterable[str], padding: frozenset[int]) -> dict[str, str]:
    """The inputs that are not changed, and why.

    Raises ValueError where `fixed` names an input that is not there.
    """
    told = tuple(fixed)
    for name in told:
        if not any(leaf.name == name or leaf.name.startswith((f"{name}[", f"{name}.")) for leaf in inputs):
            names = ", ".join(f"`{leaf.name}`" for leaf in inputs)
            raise ValueError(f"fixed names `{name}`, and the tensors here are {names}")
    reasons: dict[str, str] = {}
    for leaf in inputs:
        if any(leaf.name == name or leaf.name.startswith((f"{name}[", f"{name}.")) for name in told):
            reasons[leaf.name] = LENGTHS if _are_lengths(leaf, layout) else "told to be fixed"
        elif leaf.value.numel() == 0:
            reasons[leaf.name] = "it is empty"
        elif leaf.value.dtype == torch.bool:
            reasons[leaf.name] = "it is a mask"
        elif _are_lengths(leaf, layout):
            reasons[leaf.name] = LENGTHS
        elif _is_whole(leaf.value) and len(_tokens(leaf.value, padding)) < 2:
            reasons[leaf.name] = "it holds a single number, and no other is known to be valid"
    return reasons


def _are_lengths(leaf: Leaf, layout: Layout) -> bool:
    value = leaf.value
    if not _is_whole(value) or value.dim() != 1 or value.numel() != layout.samples:
        return False
    if "len" in leaf.name.lower():
        return True
    if layout.steps is None or leaf.name.lower().startswith(("y", "target", "label")):
        return False
    return int(value.min()) >= 1 and int(value.max()) == layout.steps


def _is_whole(value: Tensor) -> bool:
    return not value.is_floating_point() and not value.is_complex()


def _tokens(value: Tensor, padding: frozenset[int]) -> Tensor:
    seen: Tensor = torch.unique(value.detach().cpu())
    return seen[~torch.isin(seen, torch.tensor(sorted(padding), dtype=seen.dtype))] if padding else seen


def mask_along(leaf: Leaf, axis: int, part: Part) -> Tensor:
    """True where the index on one axis lies in a part."""
    mask = torch.zeros(leaf.value.shape, dtype=torch.bool)
    mask.narrow(axis, part.start, part.stop - part.start).fill_(True)
    return mask


def mask_of_padding(leaf: Leaf, axes: Axes, lengths: Tensor) -> Tensor | None:
    """True at the steps past the end of each sample; None for a tensor without samples and steps."""
    if axes.batch is None or axes.time is None or leaf.value.shape[axes.batch] != len(lengths):
        return None
    steps = leaf.value.shape[axes.time]
    past = torch.arange(steps)[None, :] >= lengths.cpu()[:, None]
    shape = [1] * leaf.value.dim()
    shape[axes.batch], shape[axes.time] = past.shape
    laid: Tensor = (past if axes.batch < axes.time else past.t()).reshape(shape)
    return laid.expand(leaf.value.shape)


def other_values(leaf: Leaf, mask: Tensor, inputs: Inputs, turn: int) -> Tensor:
    """The tensor with other values where the mask says so; `turn` counts the ways to change it, from 0."""
    value = leaf.value.detach()
    source = torch.Generator().manual_seed(1000 + turn)
    here = value.cpu()
    if _is_whole(value):
        changed = _other_tokens(here, mask, inputs, leaf, source)
    elif turn % ROUNDS == 0 and bool((here != here.flatten()[0]).any()):
        order = torch.randperm(here.numel(), generator=source)
        exchanged = here.flatten()[order].reshape(here.shape)
        # What met its own value is turned about, so that nothing masked stays.
        changed = torch.where(mask & (exchanged == here), here.flatten().roll(1).reshape(here.shape), exchanged)
    else:
        noise = torch.randn(here.shape, generator=source, dtype=here.dtype if here.is_complex() else torch.float32)
        spread = here.abs().float().std() if here.numel() > 1 else torch.zeros(())
        scale = spread if bool(spread.isfinite()) and float(spread) > 0 else torch.ones(())
        changed = (here + scale * (noise + torch.sign(noise.real))).to(here.dtype)
    return torch.where(mask, changed, here).to(value.device)


def _other_tokens(here: Tensor, mask: Tensor, inputs: Inputs, leaf: Leaf, source: torch.Generator) -> Tensor:
    axes = inputs.axes(leaf)
    last = here.dim() - 1
    # Columns of whole numbers may each have a range of their own.
    if here.dim() > 1 and last not in (axes.batch, axes.time) and here.shape[-1] <= 64:
        columns = [_other_of(here[..., number], inputs.padding, source) for number in range(here.shape[-1])]
        return torch.stack(columns, dim=-1)
    return _other_of(here, inputs.padding, source)


def _other_of(here: Tensor, padding: frozenset[int], source: torch.Generator) -> Tensor:
    seen = _tokens(here, padding)
    if len(seen) < 2:
        return here
    places = torch.searchsorted(seen, here.contiguous()).clamp(max=len(seen) - 1)
    steps = torch.randint(1, len(seen), here.shape, generator=source)
    other = seen[(places + steps) % len(seen)]
    is_token = torch.isin(here, seen)
    return torch.where(is_token, other, here)


def with_nan(leaf: Leaf, mask: Tensor) -> Tensor:
    """The tensor with NaN where the mask says so; only fractions can hold it."""
    value = leaf.value.detach()
    return value.masked_fill(mask.to(value.device), float("nan"))


def sentinel_for(inputs: Sequence[Leaf], embeddings: Sequence[nn.Embedding], padding: frozenset[int]) -> int | None:
    """An index that every embedding has and no tensor of whole numbers holds; None where there is none."""
    if not embeddings:
        return None
    room = min(each.num_embeddings for each in embeddings)
    seen = {index for leaf in inputs if _is_whole(leaf.value) for index in torch.unique(leaf.value).tolist()}
    return next((index for index in range(room - 1, -1, -1) if index not in seen and index not in padding), None)
