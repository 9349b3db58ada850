"""What a program reads off a tensor: sizes, ranks, counts. A size is the axis's own symbol, so that it keeps its identity."""

from __future__ import annotations

from rnnshape_guard.ops.operands import integer
from rnnshape_guard.ops.places import open_at
from rnnshape_guard.shapes.axes import Shape
from rnnshape_guard.shapes.dims import Dim
from rnnshape_guard.shapes.outcomes import UNKNOWN, Fault, Misfit, Operand, Outcome


def size(input: Shape, dim: Operand) -> Outcome:
    """`Tensor.size()` and `Tensor.size(dim)`; naming an axis of a tensor of unknown rank says that it is there."""
    if dim is None:
        return shape(input)
    at = integer(dim)
    if at is None:
        return Outcome(UNKNOWN)
    opened = open_at(input, [at])
    if opened is None:
        return Outcome(UNKNOWN)
    if isinstance(opened, Misfit):
        return Outcome(UNKNOWN, (opened,))
    if not opened.parts:
        return Outcome(UNKNOWN, (Misfit(fault=Fault.AXIS, operand="dim", axis=at, ranks=(0,)),))
    return Outcome(opened.axis(opened.places[0]).size, closes=opened.closes)


def shape(input: Shape) -> Outcome:
    """`Tensor.shape`: all sizes; unknown while the rank is."""
    axes = input.axes
    return Outcome(UNKNOWN if axes is None else tuple(axis.size for axis in axes))


def dim(input: Shape) -> Outcome:
    """`Tensor.dim()` and `Tensor.ndim`."""
    rank = input.rank
    return Outcome(UNKNOWN if rank is None else Dim.of(rank))


def numel(input: Shape) -> Outcome:
    """`Tensor.numel()`: the product of all sizes."""
    axes = input.axes
    return Outcome(UNKNOWN if axes is None else Dim.product(axis.size for axis in axes))


def length(input: Shape) -> Outcome:
    """`len(tensor)`: the size of the first axis."""
    return size(input, Dim.of(0))


def value(input: Shape) -> Outcome:
    """`Tensor.item()`, `Tensor.tolist()`: what no shape tells."""
    del input
    return Outcome(UNKNOWN)
