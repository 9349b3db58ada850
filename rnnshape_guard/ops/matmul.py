"""Contractions: matmul and its kin, einsum, outer products.

Source of the rules: `torch.matmul` and `torch.einsum` in PyTorch's documentation.
"""

from __future__ import annotations

from collections.abc import Sequence

from rnnshape_guard.ops.elementwise import broadcast
from rnnshape_guard.ops.operands import is_one
from rnnshape_guard.ops.places import Closes
from rnnshape_guard.ops.reorder import with_rank
from rnnshape_guard.shapes.axes import Axis, Shape
from rnnshape_guard.shapes.dims import Dim, compare
from rnnshape_guard.shapes.outcomes import UNKNOWN, Fault, Misfit, Operand, Outcome, Unknown

Equations = list[tuple[Dim, Dim]]


def agree(expected: Axis, found: Axis, operand: str, axis: int, misfits: list[Misfit], equations: Equations) -> None:
    """Two sizes that must be equal: a misfit where they are not, an equation where it is not known."""
    verdict = compare(expected.size, found.size)
    if verdict.conflicts:
        misfits.append(
            Misfit(
                fault=Fault.SIZE,
                operand=operand,
                axis=axis,
                expected=expected.size,
                found=found.size,
                condition=verdict.condition,
            )
        )
    elif not verdict.equal:
        equations.append((expected.size, found.size))


def matmul(input: Shape, other: Operand) -> Outcome:
    """`torch.matmul`: vectors, matrices, and matrices in batches that broadcast."""
    if not isinstance(other, Shape):
        return _no_tensor(other)
    left, right = input.axes, other.axes
    if left is None or right is None:
        return Outcome(_unknown_product(input, other))
    for operand, axes in (("input", left), ("other", right)):
        if not axes:
            return Outcome(UNKNOWN, (Misfit(fault=Fault.RANK, operand=operand, found=Dim.of(0)),))
    misfits: list[Misfit] = []
    equations: Equations = []
    agree(
        left[-1], right[-2] if len(right) > 1 else right[-1], "other", -2 if len(right) > 1 else -1, misfits, equations
    )
    batch = broadcast([Shape(left[:-2], True), Shape(right[:-2], True)], ("input", "other"))
    assert isinstance(batch.result, Shape)
    lead = batch.result.axes or ()
    misfits += [
        Misfit(
            fault=Fault.BROADCAST,
            operand=misfit.operand,
            axis=(misfit.axis or 0) - 2,
            expected=misfit.expected,
            found=misfit.found,
            condition=misfit.condition,
        )
        for misfit in batch.misfits
    ]
    row = (*lead, *left[-2:-1], *(right[-1:] if len(right) > 1 else ()))
    return Outcome(
        Shape(row, None if len(row) > 3 else True, "float" if input.dtype == "float" else None),
        tuple(misfits),
        tuple(equations),
    )


def _unknown_product(left: Shape, right: Shape) -> Shape:
    """A product of which one rank is not known: batches of matrices times a matrix keep the left one's axes."""
    axes = right.axes
    if axes is not None and len(axes) == 2 and left.rest is not None and len(left.ends()[1]) >= 1:
        return Shape((*left.parts[:-1], axes[-1]), None)
    return Shape.unknown()


def _no_tensor(other: Operand) -> Outcome:
    if isinstance(other, Unknown):
        return Outcome(Shape.unknown())
    return Outcome(UNKNOWN, (Misfit(fault=Fault.TYPE, operand="other", detail="not a tensor"),))


def _fixed(operands: Sequence[tuple[str, Operand, int]]) -> tuple[list[tuple[Axis, ...]], Closes] | Outcome:
    """Operands that must be tensors of these ranks; an Outcome where one is not, or is not known."""
    rows: list[tuple[Axis, ...]] = []
    closes: Closes = ()
    unknown = False
    for name, operand, rank in operands:
        if isinstance(operand, Unknown):
            unknown = True
            continue
        if not isinstance(operand, Shape):
            return Outcome(UNKNOWN, (Misfit(fault=Fault.TYPE, operand=name, detail="not a tensor"),))
        shape, closed = with_rank(operand, rank)
        axes = shape.axes
        if axes is None or len(axes) != rank:
            found = None if axes is None else Dim.of(len(axes))
            return Outcome(Shape.unknown(), (Misfit(fault=Fault.RANK, operand=name, ranks=(rank,), found=found),))
        closes += closed
        rows.append(axes)
    return Outcome(Shape.unknown(), closes=closes) if unknown else (rows, closes)


def bmm(input: Operand, mat2: Operand) -> Outcome:
    """`torch.bmm`: (b, n, m) by (b, m, p) gives (b, n, p); nothing broadcasts."""
    fixed = _fixed((("input", input, 3), ("mat2", mat2, 3)))
    if isinstance(fixed, Outcome):
        return fixed
    (left, right), closes = fixed
    misfits: list[Misfit] = []
    equations: Equations = []
    agree(left[0], right[0], "mat2", 0, misfits, equations)
    agree(left[2], right[1], "mat2", 1, misfits, equations)
    return Outcome(Shape((left[0], left[1], right[2]), True), tuple(misfits), tuple(equations), closes=closes)


def mm(input: Operand, mat2: Operand) -> Outcome:
    """`torch.mm`: (n, m) by (m, p) gives (n, p)."""
    fixed = _fixed((("input", input, 2), ("mat2", mat2, 2)))
    if isinstance(fixed, Outcome):
        return fixed
    (left, right), closes = fixed
    misfits: list[Misfit] = []
    equations: Equations = []
    agree(left[1], right[0], "mat2", 0, misfits, equations)
    return Outcome(Shape((left[0], right[1]), True), tuple(misfits), tuple(equations), closes=closes)


def mv(input: Operand, vec: Operand) -> Outcome:
    """`torch.mv`: (n, m) by (m) gives (n)."""
    fixed = _fixed((("input", input, 2), ("vec", vec, 1)))
    if isinstance(fixed, Outcome):
        return fixed
    (left, right), closes = fixed
    misfits: list[Misfit] = []
    equations: Equations = []
    agree(left[1], right[0], "vec", 0, misfits, equations)
    return Outcome(Shape((left[0],), True), tuple(misfits), tuple(equations), closes=closes)


def dot(input: Operand, tensor: Operand) -> Outcome:
    """`torch.dot`: two vectors of one size give a number."""
    fixed = _fixed((("input", input, 1), ("tensor", tensor, 1)))
    if isinstance(fixed, Outcome):
        return fixed
    (left, right), closes = fixed
    misfits: list[Misfit] = []
    equations: Equations = []
    agree(left[0], right[0], "tensor", 0, misfits, equations)
    return Outcome(Shape((), True), tuple(misfits), tuple(equations), closes=closes)


def outer(input: Operand, vec2: Operand) -> Outcome:
    """`torch.outer`: (n) and (m) give (n, m)."""
    fixed = _fixed((("input", input, 1), ("vec2", vec2, 1)))
    if isinstance(fixed, Outcome):
        return fixed
    (left, right), closes = fixed
    return Outcome(Shape((left[0], right[0]), True), closes=closes)


def added(product: Outcome, input: Operand) -> Outcome:
    """`addmm`, `baddbmm`: a product plus something that broadcasts to it."""
    if not isinstance(product.result, Shape) or not isinstance(input, Shape):
        return product
    if product.result.axes is None or input.axes is None:
        return product
    joint = broadcast([product.result, input], ("mat1", "input"))
    misfits = [*product.misfits, *joint.misfits]
    rank = len(product.result.axes)
    if len(input.axes) > rank:
        ranks = tuple(range(rank + 1))
        misfits.append(Misfit(fault=Fault.RANK, operand="input", ranks=ranks, found=Dim.of(len(input.axes))))
    for place, (held, given) in enumerate(zip(reversed(product.result.axes), reversed(input.axes), strict=False), 1):
        if is_one(held.size) and compare(held.size, given.size).different:
            misfits.append(Misfit(fault=Fault.SIZE, operand="input", axis=-place, expected=held.size, found=given.size))
    return Outcome(product.result, tuple(misfits), product.equations, closes=product.closes)


def addmm(input: Operand, mat1: Operand, mat2: Operand) -> Outcome:
    """`torch.addmm`: `input + mat1 @ mat2`."""
    return added(mm(mat1, mat2), input)


def baddbmm(input: Operand, batch1: Operand, batch2: Operand) -> Outcome:
    """`torch.baddbmm`: `input + batch1 @ batch2`, in batches."""
    return added(bmm(batch1, batch2), input)


def einsum(equation: Operand, operands: Operand) -> Outcome:
    """`torch.einsum`: one letter is one size everywhere; the result has the axes after the arrow."""
    operands = (operands,) if isinstance(operands, Shape) else operands
    if not isinstance(equation, str) or not isinstance(operands, tuple):
        return Outcome(Shape.unknown())
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(operands):
        count = Misfit(fault=Fault.COUNT, operand="operands", expected=Dim.of(len(terms)), found=Dim.of(len(operands)))
        return Outcome(Shape.unknown(), (count,))
    if "." in equation or any(not isinstance(operand, Shape) for operand in operands):
        return Outcome(Shape.unknown())
    misfits: list[Misfit] = []
    equations: Equations = []
    closes: Closes = ()
    known: dict[str, Axis] = {}
    for position, (term, operand) in enumerate(zip(terms, operands, strict=True)):
        assert isinstance(operand, Shape)
        name = f"operands[{position}]"
        shape, closed = with_rank(operand, len(term))
        closes += closed
        axes = shape.axes
        if axes is None or len(axes) != len(term):
            found = None if axes is None else Dim.of(len(axes))
            misfits.append(Misfit(fault=Fault.RANK, operand=name, ranks=(len(term),), found=found))
            continue
        for place, (letter, axis) in enumerate(zip(term, axes, strict=True)):
            if letter not in known or is_one(known[letter].size):
                known[letter] = axis
            elif not is_one(axis.size):
                _letters_agree(known[letter], axis, name, place, misfits)
    wanted = right if arrow else "".join(sorted(letter for letter in known if left.count(letter) == 1))
    if any(letter not in known for letter in wanted):
        if not misfits:
            misfits.append(
                Misfit(fault=Fault.VALUE, operand="equation", detail="a letter of the result is in no operand")
            )
        return Outcome(Shape.unknown(), tuple(misfits), closes=closes)
    row = tuple(known[letter] for letter in wanted)
    return Outcome(Shape(row, None), tuple(misfits), tuple(equations), closes=closes)


def _letters_agree(expected: Axis, found: Axis, operand: str, axis: int, misfits: list[Misfit]) -> None:
    """Sizes of one letter differ and neither is 1 (einsum broadcasts)."""
    verdict = compare(expected.size, found.size)
    if verdict.conflicts:
        condition = verdict.condition
        misfits.append(
            Misfit(
                fault=Fault.SIZE,
                operand=operand,
                axis=axis,
                expected=expected.size,
                found=found.size,
                condition=condition,
            )
        )
