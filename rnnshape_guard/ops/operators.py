"""Python's operators between tensors and numbers."""

from __future__ import annotations

from rnnshape_guard.ops.elementwise import pointwise
from rnnshape_guard.ops.matmul import matmul
from rnnshape_guard.shapes.axes import Shape
from rnnshape_guard.shapes.outcomes import UNKNOWN, Operand, Outcome, Unknown

_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})


def binary(op: str, left: Operand, right: Operand) -> Outcome:
    """`left op right` where one side is a tensor at least; `@` is matmul."""
    if op != "@":
        dtype = "bool" if op in _COMPARISONS else "float" if op == "/" else None
        return pointwise((left, right), ("input", "other"), dtype)
    if isinstance(left, Shape):
        return matmul(left, right)
    if isinstance(right, Shape) and isinstance(left, Unknown):
        return Outcome(Shape.unknown())
    return Outcome(UNKNOWN)
