"""Arithmetic, comparison and activations: axes stay, or broadcast.

Source of the rules: "Broadcasting semantics" in PyTorch's documentation.
"""

from __future__ import annotations

from collections.abc import Sequence

from rnnshape_guard.ops.memory import like
from rnnshape_guard.ops.operands import is_one, wrong_type
from rnnshape_guard.shapes.axes import UNIT, Axis, Rest, Shape
from rnnshape_guard.shapes.dims import Dim, compare, resolve
from rnnshape_guard.shapes.outcomes import UNKNOWN, Fault, Misfit, Named, Operand, Outcome, Packed, Unknown


def broadcast(shapes: Sequence[Shape], operands: Sequence[str] = (), dtype: str | None = None) -> Outcome:
    """The shape that several tensors make together; a misfit where two sizes differ and neither is 1."""
    result, misfits = shapes[0], list[Misfit]()
    for position, other in enumerate(shapes[1:], 1):
        result, found = _pair(result, other, operands[position] if position < len(operands) else "other")
        misfits += found
    if len(shapes) == 1:
        return Outcome(like(result, dtype))
    contiguous = True if all(shape.contiguous is True for shape in shapes) and result.rest is None else None
    return Outcome(Shape(result.stored, contiguous, dtype), tuple(misfits))


def _pair(left: Shape, right: Shape, operand: str) -> tuple[Shape, list[Misfit]]:
    ours, theirs = left.parts, right.parts
    if right.axes == ():
        return left, []
    if left.axes == ():
        return right, []
    if left.rest is not None and left.rest is right.rest:
        return _aligned_ends(left, right, operand)
    if left.rest is not None or right.rest is not None:
        return Shape.unknown(max(left.least_rank, right.least_rank)), []
    rank = max(len(ours), len(theirs))
    misfits: list[Misfit] = []
    row: list[Axis] = []
    for place in range(-rank, 0):
        one = left.axis(place) or UNIT
        two = right.axis(place) or UNIT
        axis, misfit = _joined(one, two, place, operand)
        row.append(axis)
        if misfit is not None:
            misfits.append(misfit)
    return Shape(tuple(row), None), misfits


def _aligned_ends(left: Shape, right: Shape, operand: str) -> tuple[Shape, list[Misfit]]:
    """Two shapes around the same unknown axes."""
    ours, theirs = left.parts, right.parts
    if len(left.ends()[0]) != len(right.ends()[0]) or len(ours) != len(theirs):
        return Shape.unknown(max(left.least_rank, right.least_rank)), []
    misfits: list[Misfit] = []
    row: list[Axis | Rest] = []
    for place, (one, two) in enumerate(zip(ours, theirs, strict=True)):
        if isinstance(one, Rest) or isinstance(two, Rest):
            row.append(one)
            continue
        axis, misfit = _joined(one, two, place - len(ours), operand)
        row.append(axis)
        if misfit is not None:
            misfits.append(misfit)
    return Shape(tuple(row), None), misfits


def _joined(left: Axis, right: Axis, place: int, operand: str) -> tuple[Axis, Misfit | None]:
    if is_one(right.size):
        return left, None
    if is_one(left.size):
        return right, None
    verdict = compare(left.size, right.size)
    if verdict.conflicts:
        given = dict(verdict.condition)
        ends = [resolve(size, given=given).literal for size in (left.size, right.size)]
        if 1 not in ends:
            return left, Misfit(
                fault=Fault.BROADCAST,
                operand=operand,
                axis=place,
                expected=left.size,
                found=right.size,
                condition=verdict.condition,
            )
    unsure = not verdict.equal and left.size.value is None and right.size.value is not None
    return (right if unsure else left), None


def pointwise(operands: Sequence[Operand], names: Sequence[str], dtype: str | None = None) -> Outcome:
    """Tensors and numbers together, element by element; anything unknown makes the result unknown."""
    shapes: list[Shape] = []
    words: list[str] = []
    for operand, name in zip(operands, names, strict=True):
        match operand:
            case Shape():
                shapes.append(operand)
                words.append(name)
            case Unknown():
                return Outcome(UNKNOWN)
            case Packed():
                return Outcome(UNKNOWN, (wrong_type(name, "a packed sequence where a tensor is needed"),))
            case tuple() | Named():
                return Outcome(UNKNOWN, (wrong_type(name, "a tuple where a tensor is needed"),))
            case _:
                continue
    if not shapes:
        return Outcome(UNKNOWN)
    return broadcast(shapes, words, dtype or joint_dtype(shapes, operands))


def joint_dtype(shapes: Sequence[Shape], operands: Sequence[Operand] = ()) -> str | None:
    """The kind of number that tensors and numbers make together, where all are known."""
    kinds = {shape.dtype for shape in shapes}
    kinds |= {"float" for operand in operands if isinstance(operand, float)}
    if "float" in kinds:
        return "float"
    if None in kinds:
        return None
    if any(isinstance(operand, Dim) for operand in operands):
        kinds.add("int")
    return "int" if "int" in kinds else "bool"


def same(input: Shape, **ignored: Operand) -> Outcome:
    """Every element by itself (`exp`, `relu`, dropout): the axes stay."""
    del ignored
    return Outcome(like(input, input.dtype))


def two(input: Operand, other: Operand, **ignored: Operand) -> Outcome:
    """`torch.add`, `torch.mul` and their kin."""
    del ignored
    return pointwise((input, other), ("input", "other"))


def compared(input: Operand, other: Operand) -> Outcome:
    """`torch.eq`, `torch.logical_and` and their kin: truth values."""
    return pointwise((input, other), ("input", "other"), "bool")


def three(input: Operand, **others: Operand) -> Outcome:
    """`torch.lerp`, `addcmul`, `clamp`: three operands together, any of them numbers or left out."""
    others.pop("value", None)
    return pointwise((input, *others.values()), ("input", *others))


def where(condition: Operand, input: Operand, other: Operand) -> Outcome:
    """`torch.where`: three operands together; with the condition alone, index vectors."""
    if input is None and other is None:
        return Outcome(UNKNOWN)
    outcome = pointwise((condition, input, other), ("condition", "input", "other"))
    if not isinstance(outcome.result, Shape):
        return outcome
    values = [operand for operand in (input, other) if isinstance(operand, Shape)]
    dtype = joint_dtype(values, (input, other)) if values else None
    return Outcome(Shape(outcome.result.stored, outcome.result.contiguous, dtype), outcome.misfits)


def masked_fill(input: Shape, mask: Operand, value: Operand) -> Outcome:
    """`torch.masked_fill`: the mask broadcasts to the tensor."""
    del value
    outcome = pointwise((input, mask), ("input", "mask"))
    if not isinstance(outcome.result, Shape):
        return Outcome(Shape.unknown(input.least_rank, dtype=input.dtype), outcome.misfits)
    return Outcome(Shape(outcome.result.stored, outcome.result.contiguous, input.dtype), outcome.misfits)


def method_where(input: Operand, condition: Operand, other: Operand) -> Outcome:
    """`Tensor.where(condition, other)`."""
    return where(condition, input, other)


def quotient(input: Operand, other: Operand, **ignored: Operand) -> Outcome:
    """`torch.div` and what else makes floats of integers."""
    rounds = ignored.get("rest") is not None
    return pointwise((input, other), ("input", "other"), None if rounds else "float")


def test(input: Shape) -> Outcome:
    """`torch.isnan` and its kin: a truth value for each element."""
    return Outcome(like(input, "bool"))
