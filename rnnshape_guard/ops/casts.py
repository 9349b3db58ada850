"""Copies, casts and moves between devices: axes stay, the kind of number or the memory may change."""

from __future__ import annotations

from rnnshape_guard.ops.create import dtype_of
from rnnshape_guard.ops.memory import like
from rnnshape_guard.shapes.axes import Shape
from rnnshape_guard.shapes.outcomes import UNKNOWN, Operand, Outcome


def as_float(input: Shape, **ignored: Operand) -> Outcome:
    """`Tensor.float()`, `double`, `half`."""
    del ignored
    return Outcome(like(input, "float"))


def as_int(input: Shape, **ignored: Operand) -> Outcome:
    """`Tensor.long()`, `int`, `short`, `byte`."""
    del ignored
    return Outcome(like(input, "int"))


def as_bool(input: Shape, **ignored: Operand) -> Outcome:
    """`Tensor.bool()`."""
    del ignored
    return Outcome(like(input, "bool"))


def to(input: Shape, target: Operand, dtype: Operand = None, **ignored: Operand) -> Outcome:
    """`Tensor.to(device)`, `to(dtype)`, `to(device, dtype)`, `to(other)`."""
    del ignored
    match target:
        case Shape():
            kind = target.dtype
        case str():
            kind = dtype_of(target, None) or (input.dtype if "." not in target else None)
        case None:
            kind = dtype_of(dtype, input.dtype)
        case tuple():
            named = [dtype_of(item, None) for item in target if isinstance(item, str)]
            kind = next((name for name in named if name is not None), None)
        case _:
            kind = None
    return Outcome(like(input, kind))


def of_type(input: Shape, dtype: Operand) -> Outcome:
    """`Tensor.type(dtype)`; without one, its name."""
    if dtype is None:
        return Outcome(UNKNOWN)
    return Outcome(like(input, dtype_of(dtype, None)))


def type_as(input: Shape, other: Operand) -> Outcome:
    """`Tensor.type_as(other)`."""
    return Outcome(like(input, other.dtype if isinstance(other, Shape) else None))


def shared(input: Shape, **ignored: Operand) -> Outcome:
    """`Tensor.detach()`, `Tensor.data`, `Tensor.cpu()`: the same axes over memory of the same order."""
    del ignored
    return Outcome(Shape(input.stored, input.contiguous, input.dtype, strides=input.strides))


def contiguous(input: Shape, **ignored: Operand) -> Outcome:
    """`Tensor.contiguous()`: the same axes, memory in their order."""
    del ignored
    return Outcome(Shape(input.stored, True, input.dtype))


def clone(input: Shape, **ignored: Operand) -> Outcome:
    """`Tensor.clone()`: a copy that keeps the order of dense memory."""
    del ignored
    return Outcome(like(input, input.dtype))
