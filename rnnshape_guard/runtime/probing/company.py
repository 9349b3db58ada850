"""What a sample's result owes to the company it is in: a batch of one, the padding, and losses that mix samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import torch
from torch import Tensor

from rnnshape_guard.runtime.probing.leaves import Leaf
from rnnshape_guard.runtime.probing.measuring import Measure
from rnnshape_guard.runtime.probing.perturbing import (
    LENGTHS,
    ROUNDS,
    Inputs,
    Part,
    mask_along,
    mask_of_padding,
    other_values,
)
from rnnshape_guard.runtime.probing.running import Runner

MOST_ALONE: Final = 4
MOST_PAIRS: Final = 8
_CLOSE: Final = 1e-4
"""Batches of different sizes are computed in different orders: relative differences below this are rounding."""


@dataclass(frozen=True, slots=True)
class Alone:
    """Samples run by themselves: an axis that got lost, an error, numbers that differ from those in the batch."""

    lost_axis: str = ""
    error: str = ""
    differing: tuple[int, ...] = ()
    padding: tuple[int, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Whether a batch of one is treated as any other."""
        return not self.lost_axis and not self.error


def fewer(inputs: Inputs, axis: str, size: int) -> dict[str, Tensor] | None:
    """The inputs with one sample, or the last step, taken out; None where that can't be done."""
    lengths = inputs.lengths()
    packed = any(leaf.packing is not None for leaf in inputs.all)
    if size < 2 or (packed and axis == "time"):
        return None
    last = size - 1
    if axis == "batch" and lengths is not None and not packed and len(lengths) == size:
        last = size - 1 - int(lengths.flip(0).argmin())
    keep = torch.tensor([number for number in range(size) if number != last])
    changed: dict[str, Tensor] = {}
    for leaf in inputs.all:
        place = getattr(inputs.axes(leaf), axis)
        if place is not None:
            changed[leaf.name] = leaf.value.index_select(place, keep.to(leaf.value.device))
        elif axis == "time" and inputs.alone.get(leaf.name) == LENGTHS:
            changed[leaf.name] = leaf.value.clamp(max=size - 1)
    return changed


def run_alone(
    runner: Runner,
    measure: Measure,
    batch_out: Mapping[str, int | None],
    time_out: Mapping[str, int | None],
    samples: int,
) -> Alone:
    """Run some samples each by itself, and where lengths are known also without padding."""
    inputs, baseline = measure.inputs, measure.baseline
    if any(leaf.packing is not None for leaf in inputs.all):
        return Alone()
    lengths = inputs.lengths()
    compared = baseline.is_repeatable and _ignores_seed(runner, measure)
    lost, differing, padding = "", [], []
    for number in range(min(samples, MOST_ALONE)):
        try:
            alone = runner.run(_single(inputs, number, None))
        except Exception as error:  # noqa: BLE001 - what a model raises is reported, not judged
            return Alone(error=f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")
        lost = lost or _lost_axis(baseline.outputs, alone)
        if compared and _differs(baseline.outputs, alone, batch_out, time_out, number, None):
            differing.append(number)
        if lengths is None or not compared or number in differing:
            continue
        length = int(lengths[number])
        if not 0 < length < (inputs.layout.steps or 0):
            continue
        try:
            trimmed = runner.run(_single(inputs, number, length))
        except Exception:  # noqa: BLE001 - a model may need its full length
            continue
        if _differs(baseline.outputs, trimmed, batch_out, time_out, number, length):
            padding.append(number)
    return Alone(lost, "", tuple(differing), tuple(padding))


def _ignores_seed(runner: Runner, measure: Measure) -> bool:
    return not any(bool(where.any()) for where in measure.baseline.changed(runner.run(seed=1)).values())


def _single(inputs: Inputs, number: int, length: int | None) -> dict[str, Tensor]:
    changed: dict[str, Tensor] = {}
    for leaf in inputs.all:
        axes = inputs.axes(leaf)
        value = leaf.value
        if axes.batch is not None:
            value = value.narrow(axes.batch, number, 1)
        if axes.time is not None and length is not None:
            value = value.narrow(axes.time, 0, length)
        changed[leaf.name] = value
    return changed


def _lost_axis(outputs: Sequence[Leaf], alone: Sequence[Leaf]) -> str:
    for leaf, other in zip(outputs, alone, strict=False):
        if leaf.name == other.name and leaf.value.dim() != other.value.dim():
            return f"`{leaf.name}` has {leaf.value.dim()} axes in a batch, and {other.value.dim()} in a batch of one"
    return ""


def _differs(
    outputs: Sequence[Leaf],
    alone: Sequence[Leaf],
    batch_out: Mapping[str, int | None],
    time_out: Mapping[str, int | None],
    number: int,
    length: int | None,
) -> bool:
    for leaf, other in zip(outputs, alone, strict=False):
        batch, time = batch_out.get(leaf.name), time_out.get(leaf.name)
        if batch is None or not leaf.value.is_floating_point() or leaf.value.dim() != other.value.dim():
            continue
        if number >= leaf.value.shape[batch]:
            continue
        mine = leaf.value.narrow(batch, number, 1)
        theirs = other.value
        if length is not None and time is not None:
            mine = mine.narrow(time, 0, min(length, mine.shape[time]))
        if mine.shape != theirs.shape or not mine.numel():
            continue
        scale = max(float(leaf.value.abs().max()), 1e-12)
        if bool(((mine - theirs).abs() > _CLOSE * scale).any()):
            return True
    return False


def reads_padding(
    measure: Measure, batch_out: Mapping[str, int | None], time_out: Mapping[str, int | None]
) -> bool | None:
    """Whether values past the end of a sample change its result at steps that count; None where there is no padding."""
    inputs = measure.inputs
    lengths = inputs.lengths()
    if lengths is None or any(leaf.packing is not None for leaf in inputs.all):
        return None
    masks = {
        leaf.name: mask
        for leaf in inputs.changing
        if (mask := mask_of_padding(leaf, inputs.axes(leaf), lengths)) is not None and bool(mask.any())
    }
    if not masks:
        return None
    for turn in range(ROUNDS):
        found = measure.changes(masks, turn) or {}
        for leaf in measure.baseline.outputs:
            where = found.get(leaf.name)
            if where is None or not bool(where.any()):
                continue
            batch, time = batch_out.get(leaf.name), time_out.get(leaf.name)
            if batch is None or time is None or leaf.value.shape[batch] != len(lengths):
                return batch is not None
            past = _past(where, batch, time, lengths)
            if bool((where & ~past).any()):
                return True
    return False


def _past(where: Tensor, batch: int, time: int, lengths: Tensor) -> Tensor:
    past = torch.arange(where.shape[time])[None, :] >= lengths[:, None]
    shape = [1] * where.dim()
    shape[batch], shape[time] = past.shape
    return (past if batch < time else past.t()).reshape(shape).expand(where.shape)


def acting_together(runner: Runner, measure: Measure, samples: int, name: str) -> list[tuple[int, int]]:
    """The pairs of samples that act on a single number together, so that it is no sum, or mean, over the samples.

    Of such a number the change made by two samples is the sum of the changes made by each.
    """
    inputs = measure.inputs
    leaves = [leaf for leaf in inputs.changing if inputs.axes(leaf).batch is not None]
    count = min(samples, MOST_PAIRS)
    found: set[tuple[int, int]] = set()
    for turn in range(ROUNDS):
        try:
            values = _values(runner, inputs, leaves, count, turn, name)
        except Exception:  # noqa: BLE001 - noise may leave the range that a model takes
            continue
        plain = values[()]
        unit = torch.finfo(torch.float32).eps * max(abs(value) for value in values.values())
        for one, other in combinations(range(count), 2):
            apart = (values[one,] - plain) + (values[other,] - plain)
            together = values[one, other] - plain
            effect = max(abs(values[one,] - plain), abs(values[other,] - plain))
            if abs(together - apart) > max(1e-3 * effect, 50 * unit, 10 * measure.baseline.tolerance[name]):
                found.add((one, other))
    return sorted(found)


def _values(
    runner: Runner, inputs: Inputs, leaves: Sequence[Leaf], count: int, turn: int, name: str
) -> dict[tuple[int, ...], float]:
    changed = {
        leaf.name: other_values(leaf, torch.ones_like(leaf.value, dtype=torch.bool).cpu(), inputs, turn)
        for leaf in leaves
    }
    values: dict[tuple[int, ...], float] = {}
    subsets: list[tuple[int, ...]] = [(), *((one,) for one in range(count)), *combinations(range(count), 2)]
    for subset in subsets:
        replaced: dict[str, Tensor] = {}
        for leaf in leaves:
            axis = inputs.axes(leaf).batch
            mask = torch.zeros(leaf.value.shape, dtype=torch.bool)
            for number in subset:
                mask |= mask_along(leaf, axis or 0, Part(number, number + 1))
            replaced[leaf.name] = torch.where(mask.to(leaf.value.device), changed[leaf.name], leaf.value.detach())
        outputs = {leaf.name: leaf.value for leaf in runner.run(replaced)}
        values[subset] = float(outputs[name].double())
    return values
