"""Measures dependence: part after part of the inputs is changed, and every place of the outputs is looked at."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook

from rnnshape_guard.runtime.probing.dependence import Dependence, Seen
from rnnshape_guard.runtime.probing.leaves import Leaf
from rnnshape_guard.runtime.probing.perturbing import (
    ROUNDS,
    Inputs,
    Part,
    mask_along,
    other_values,
    parts,
    sentinel_for,
    single_parts,
    with_nan,
)
from rnnshape_guard.runtime.probing.running import Runner

_ROUNDING: Final = 8
"""Differences below so many units in the last place of an output's largest number are rounding."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """The outputs of the unchanged inputs, and for each how large a difference must be to count."""

    outputs: tuple[Leaf, ...]
    tolerance: Mapping[str, float]
    is_repeatable: bool

    @staticmethod
    def of(first: Sequence[Leaf], again: Sequence[Leaf]) -> Baseline:
        """From two runs of the same inputs with the same seed, which differ by noise if at all."""
        tolerance: dict[str, float] = {}
        noisy = False
        for one, other in zip(first, again, strict=True):
            rounding = noise = 0.0
            if one.value.numel() and (one.value.is_floating_point() or one.value.is_complex()):
                finite = one.value.abs()[one.value.isfinite()]
                unit = torch.finfo(one.value.dtype).eps
                rounding = _ROUNDING * unit * (float(finite.max()) if finite.numel() else 0.0)
                if one.value.shape == other.value.shape:
                    noise = float(torch.nan_to_num((one.value - other.value).abs(), 0.0).max())
            noisy = noisy or noise > rounding
            tolerance[one.name] = max(rounding, 10 * noise)
        return Baseline(tuple(first), tolerance, not noisy)

    def changed(self, now: Sequence[Leaf]) -> dict[str, Tensor]:
        """Where each output differs from the baseline; everywhere if its shape does."""
        new = {leaf.name: leaf for leaf in now}
        found: dict[str, Tensor] = {}
        for leaf in self.outputs:
            other = new.get(leaf.name)
            if other is None or other.value.shape != leaf.value.shape:
                found[leaf.name] = torch.ones(leaf.value.shape, dtype=torch.bool)
                continue
            found[leaf.name] = differs(leaf.value, other.value, self.tolerance[leaf.name]).cpu()
        return found


def differs(one: Tensor, other: Tensor, tolerance: float) -> Tensor:
    """Where two tensors differ by more than a tolerance; NaN equals NaN and infinity itself."""
    if not one.is_floating_point() and not one.is_complex():
        return one != other
    near = (one - other).abs() <= tolerance
    return ~(near | (one == other) | (one.isnan() & other.isnan()))


@dataclass(frozen=True, slots=True)
class Along:
    """What changing the inputs part by part along one axis did: a Dependence per output that has the axis.

    `reached` says of each part whether anything changed anywhere; None for those that no input tensor has.
    """

    dependences: tuple[Dependence, ...]
    parts: tuple[Part, ...]
    reached: tuple[bool, ...]

    @property
    def idle(self) -> list[Part]:
        """The parts that changed nothing, if others changed something."""
        if not any(self.reached):
            return []
        return [part for part, is_reached in zip(self.parts, self.reached, strict=True) if not is_reached]


class Measure:
    """The measurements on one model with its inputs."""

    def __init__(self, runner: Runner, inputs: Inputs, baseline: Baseline, *, nan: bool) -> None:
        self._runner = runner
        self.inputs = inputs
        self.baseline = baseline
        self._nan = nan
        self._embeddings = [each for each in runner.called(nn.Embedding) if isinstance(each, nn.Embedding)]

    def changes(self, masks: Mapping[str, Tensor], turn: int) -> dict[str, Tensor] | None:
        """Where the outputs change when the masked values do; None where the model refuses the other values.

        Raises what the model raises in the first turn, where it is given values that it has seen.
        """
        leaves = {leaf.name: leaf for leaf in self.inputs.all}
        changed = {name: other_values(leaves[name], mask, self.inputs, turn) for name, mask in masks.items()}
        try:
            return self.baseline.changed(self._runner.run(changed))
        except Exception:
            # Noise may leave the range that a model takes; values that it was given do not.
            if turn % ROUNDS == 0:
                raise
            return None

    def along(
        self, axis: Literal["batch", "time"], size: int, of_outputs: Mapping[str, int | None], most: int
    ) -> Along:
        """Change the inputs part by part along the batch or the time."""
        leaves = [leaf for leaf in self.inputs.changing if getattr(self.inputs.axes(leaf), axis) is not None]
        # Steps carry on to their neighbours, so that what a run of them hides shows at its ends; samples do not.
        cut = single_parts if axis == "batch" else parts
        columns = cut(size, most)
        rows: dict[str, list[Part]] = {}
        for leaf in self.baseline.outputs:
            place = of_outputs.get(leaf.name)
            if place is not None:
                length = leaf.value.shape[place]
                rows[leaf.name] = columns if length == size else cut(length, most)
        cells = {name: [[Seen.UNSEEN] * len(columns) for _ in own] for name, own in rows.items()}
        reached = [False] * len(columns)
        for number, part in enumerate(columns):
            masks = {leaf.name: mask_along(leaf, getattr(self.inputs.axes(leaf), axis), part) for leaf in leaves}
            for turn in range(ROUNDS):
                found = self.changes(masks, turn)
                if found is None:
                    continue
                reached[number] = reached[number] or any(bool(where.any()) for where in found.values())
                for name, own in rows.items():
                    for row, is_changed in enumerate(_by_part(found[name], of_outputs[name], own)):
                        if is_changed:
                            cells[name][row][number] = Seen.DEPENDS
        if self._nan:
            self._rule_out(leaves, axis, columns, rows, of_outputs, cells)
        dependences = tuple(
            Dependence(axis, name, tuple(own), tuple(columns), tuple(tuple(row) for row in cells[name]))
            for name, own in rows.items()
        )
        return Along(dependences, tuple(columns), tuple(reached))

    def _rule_out(
        self,
        leaves: Sequence[Leaf],
        axis: str,
        columns: Sequence[Part],
        rows: Mapping[str, Sequence[Part]],
        of_outputs: Mapping[str, int | None],
        cells: Mapping[str, list[list[Seen]]],
    ) -> None:
        """Put NaN into part after part, and rule out what it does not arrive at."""
        sentinel = sentinel_for(self.inputs.all, self._embeddings, self.inputs.padding)
        if sentinel is None and not all(leaf.value.is_floating_point() for leaf in leaves):
            return
        before = {leaf.name: leaf.value for leaf in self.baseline.outputs}
        arrived: dict[str, list[list[bool]]] = {name: [] for name in rows}
        for part in columns:
            changed: dict[str, Tensor] = {}
            for leaf in leaves:
                mask = mask_along(leaf, getattr(self.inputs.axes(leaf), axis), part)
                changed[leaf.name] = self._marked(leaf, mask, sentinel)
            try:
                with nan_from_embeddings(sentinel):
                    now = {leaf.name: leaf.value for leaf in self._runner.run(changed)}
            except Exception:  # noqa: BLE001 - a model may refuse NaN in any way; then nothing is ruled out
                return
            for name, own in rows.items():
                other = now.get(name)
                if other is None or other.shape != before[name].shape or not other.is_floating_point():
                    arrived[name].append([True] * len(own))
                    continue
                arrived[name].append(_by_part((other.isnan() & ~before[name].isnan()).cpu(), of_outputs[name], own))
        for name, columns_of in arrived.items():
            # A NaN that arrives nowhere was swallowed: then its absence says nothing.
            if not before[name].is_floating_point() or not any(any(column) for column in columns_of):
                continue
            for number, column in enumerate(columns_of):
                for row, is_there in enumerate(column):
                    if not is_there and cells[name][row][number] is Seen.UNSEEN:
                        cells[name][row][number] = Seen.RULED_OUT

    def _marked(self, leaf: Leaf, mask: Tensor, sentinel: int | None) -> Tensor:
        if sentinel is None or leaf.value.is_floating_point():
            return with_nan(leaf, mask)
        value = leaf.value.detach()
        padding = torch.tensor(sorted(self.inputs.padding), dtype=value.dtype, device=value.device)
        return value.masked_fill(mask.to(value.device) & ~torch.isin(value, padding), sentinel)

    def idle_inputs(self) -> list[str]:
        """The inputs that can be changed altogether without a change in any output."""
        idle: list[str] = []
        for leaf in self.inputs.changing:
            everywhere = torch.ones(leaf.value.shape, dtype=torch.bool)
            moved = False
            for turn in range(ROUNDS):
                found = self.changes({leaf.name: everywhere}, turn)
                moved = moved or (found is not None and any(bool(where.any()) for where in found.values()))
            if not moved:
                idle.append(leaf.name)
        return idle


def _by_part(where: Tensor, axis: int | None, own: Sequence[Part]) -> list[bool]:
    if axis is None:
        return [False] * len(own)
    others = [number for number in range(where.dim()) if number != axis % where.dim()]
    along = where.any(dim=others) if others else where
    return [bool(along[part.start : part.stop].any()) for part in own]


@contextlib.contextmanager
def nan_from_embeddings(sentinel: int | None) -> Iterator[None]:
    """While it lasts, every nn.Embedding gives NaN for the sentinel: tokens themselves can't hold it."""
    thread = threading.get_ident()

    def mark(module: nn.Module, given: tuple[Any, ...], result: Any) -> Any:
        if not isinstance(module, nn.Embedding) or threading.get_ident() != thread or not given:
            return None
        return result.masked_fill((given[0] == sentinel)[..., None], float("nan"))

    if sentinel is None:
        yield
        return
    handle = register_module_forward_hook(mark)
    try:
        yield
    finally:
        handle.remove()
