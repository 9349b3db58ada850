"""Where elements lie: strides as sizes, whether a tensor is contiguous, and which axes a view may merge.

Sizes that are plain unknown symbols are taken to be above 1 (a batch, a sequence): only so is `.permute(...).view(...)`
anything but unknown. Sizes that hang on a flag may be 1 and stay unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rnnshape_guard.ops.operands import is_one
from rnnshape_guard.shapes.axes import Axis, Shape
from rnnshape_guard.shapes.dims import ONE, Dim, compare, exact_quotient, flags_of, resolve


def strides_of(shape: Shape) -> tuple[Dim, ...] | None:
    """How far one step along each axis moves, in elements; None where it is not known."""
    axes = shape.axes
    if axes is None:
        return None
    if shape.contiguous is True:
        return row_major(axes)
    return shape.strides


def row_major(axes: Sequence[Axis]) -> tuple[Dim, ...]:
    """The strides of contiguous memory."""
    strides: list[Dim] = []
    step = ONE
    for axis in reversed(axes):
        strides.append(step)
        step = step * axis.size
    return tuple(reversed(strides))


def placed(axes: Iterable[Axis], strides: Sequence[Dim] | None, dtype: str | None) -> Shape:
    """A shape of known axes over memory with these strides (None: not known)."""
    axes = tuple(axes)
    if strides is None:
        return Shape(axes, None, dtype)
    contiguous = is_row_major(axes, strides)
    return Shape(axes, contiguous, dtype, strides=None if contiguous else tuple(strides))


def is_row_major(axes: Sequence[Axis], strides: Sequence[Dim]) -> bool | None:
    """Whether these strides are those of contiguous memory; axes of size 1 do not count."""
    answer: bool | None = True
    step = ONE
    for axis, stride in zip(reversed(axes), reversed(strides), strict=True):
        size = axis.size
        if not is_one(size):
            same = same_stride(stride, step)
            if same is not True and has_flag(size):
                same = None
            if same is False:
                return False
            answer = None if same is None else answer
        step = step * size
    return answer


def same_stride(left: Dim, right: Dim) -> bool | None:
    """Whether two strides are equal, where sizes of plain unknown symbols are above 1."""
    if left == right:
        return True
    one, two = resolve(left), resolve(right)
    if one == two:
        return True
    if has_flag(one) or has_flag(two):
        return None
    if one.literal is not None and two.literal is not None:
        return False
    if _multiple(one, two) or _multiple(two, one):
        return False
    return False if compare(one, two).different else None


def _multiple(large: Dim, small: Dim) -> bool:
    quotient = exact_quotient(large, small)
    return quotient is not None and len(quotient.terms) == 1


def has_flag(size: Dim) -> bool:
    """Whether a size hangs on a 0/1 flag."""
    return bool(flags_of(resolve(size)))


def numbers_of(sizes: Iterable[Dim]) -> list[int] | None:
    """All sizes as integers, or None if one is not known."""
    found: list[int] = []
    for size in sizes:
        value = size.value
        if value is None:
            return None
        found.append(value)
    return found


def viewed(sizes: Sequence[int], strides: Sequence[int], target: Sequence[int]) -> list[int] | None:
    """The strides of a view, or None where torch refuses it (the rule of `computeStride` in ATen's TensorUtils)."""
    if 0 in sizes:
        return [1] * len(target)
    if not sizes:
        return [1] * len(target)
    result = [0] * len(target)
    place = len(target) - 1
    base = strides[-1]
    held = seen = 1
    for axis in reversed(range(len(sizes))):
        held *= sizes[axis]
        if axis and (sizes[axis - 1] == 1 or strides[axis - 1] == held * base):
            continue
        while place >= 0 and (seen < held or target[place] == 1):
            result[place] = seen * base
            seen *= target[place]
            place -= 1
        if seen != held:
            return None
        if axis:
            base = strides[axis - 1]
            held = seen = 1
    return result if place == -1 else None


def like(shape: Shape, dtype: str | None = None) -> Shape:
    """A fresh tensor of the same axes, as pointwise operations make it: memory in the same order where that is dense."""
    if shape.contiguous is True:
        return Shape(shape.stored, True, dtype)
    if shape.strides is not None and _dense(shape):
        return Shape(shape.stored, shape.contiguous, dtype, strides=shape.strides)
    return Shape(shape.stored, None, dtype)


def _dense(shape: Shape) -> bool:
    """Whether the strides are those of contiguous memory with its axes reordered: no gaps, no overlap."""
    axes, strides = shape.axes, shape.strides
    if axes is None or strides is None:
        return False
    left = [(axis.size, stride) for axis, stride in zip(axes, strides, strict=True) if not is_one(axis.size)]
    step = ONE
    while left:
        for pair in left:
            if compare(pair[1], step).equal:
                step = step * pair[0]
                left.remove(pair)
                break
        else:
            return False
    return True
