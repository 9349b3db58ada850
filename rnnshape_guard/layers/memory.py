"""How results lie in memory where torch computes in another order than it answers."""

from __future__ import annotations

from rnnshape_guard.shapes.axes import Axis, Rest, Shape
from rnnshape_guard.shapes.dims import ONE, Dim


def batch_over_time(batch: Axis, time: Axis, others: tuple[Axis | Rest, ...], dtype: str | None) -> Shape:
    """``(batch, time, *)`` seen through memory that holds ``(time, batch, *)``: what RNNs give with `batch_first`, and
    what a sorted packed batch is padded into. Contiguous only where one of the two axes has a single element."""
    parts = (batch, time, *others)
    if any(axis.size.value in (0, 1) for axis in (batch, time)):
        return Shape(parts, True, dtype)
    sizes = [axis.size for axis in others if isinstance(axis, Axis)]
    if len(sizes) < len(others):
        return Shape(parts, False, dtype)
    step = Dim.product(sizes)
    inner = [ONE] * len(sizes)
    for place in range(len(sizes) - 2, -1, -1):
        inner[place] = inner[place + 1] * sizes[place + 1]
    return Shape(parts, False, dtype, strides=(step, batch.size * step, *inner))
