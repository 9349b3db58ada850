"""How results lie in memory where torch computes in another order than it answers."""

from __future__ import annotations

from rnnshape_guard.shapes.axes import Axis, Rest, Shape
from rnnshape_guard.shapes.dims import ONE, Dim, compare


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


def like(shape: Shape, dtype: str | None = None) -> Shape:
    """A fresh tensor of the same axes, as pointwise layers make it: in the order of the input's memory if that has no
    gaps."""
    if shape.contiguous is True:
        return Shape(shape.stored, True, dtype)
    if _dense(shape):
        return Shape(shape.stored, shape.contiguous, dtype, strides=shape.strides)
    return Shape(shape.stored, None, dtype)


def fresh(shape: Shape, parts: tuple[Axis | Rest, ...]) -> Shape:
    """The result of a kernel that keeps contiguous memory contiguous and promises nothing for other input."""
    return Shape(parts, True if shape.contiguous is True else None, "float")


def _dense(shape: Shape) -> bool:
    axes, strides = shape.axes, shape.strides
    if axes is None or strides is None:
        return False
    left = [(axis.size, stride) for axis, stride in zip(axes, strides, strict=True) if axis.size.value != 1]
    step = ONE
    while left:
        inner = next((pair for pair in left if compare(pair[1], step).equal), None)
        if inner is None:
            return False
        left.remove(inner)
        step = step * inner[0]
    return True
