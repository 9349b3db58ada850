"""torch.nn.functional where it is not simply a layer: one_hot, pad, linear, embedding, glu, similarity, attention."""

from __future__ import annotations

from rnnshape_guard.ops.elementwise import pointwise
from rnnshape_guard.ops.matmul import Equations, agree
from rnnshape_guard.ops.operands import integer, row_of_sizes, shared_source, size_of
from rnnshape_guard.ops.places import open_at
from rnnshape_guard.ops.reduce import reduced
from rnnshape_guard.shapes.axes import Axis, Shape
from rnnshape_guard.shapes.dims import Dim, divide
from rnnshape_guard.shapes.outcomes import UNKNOWN, Fault, Misfit, Operand, Outcome


def one_hot(input: Shape, num_classes: Operand) -> Outcome:
    """`F.one_hot`: an axis of classes at the end."""
    count = size_of(num_classes)
    classes = Axis.new("classes", None if count is None or count.literal == -1 else count)
    return Outcome(Shape((*input.parts, classes), True if input.rest is None else None, "int"))


def pad(input: Shape, pad: Operand, **ignored: Operand) -> Outcome:
    """`F.pad`: pairs of lengths from the last axis on; padded axes grow."""
    del ignored
    sizes = row_of_sizes(pad)
    if sizes is None:
        return Outcome(Shape.unknown(input.least_rank, dtype=input.dtype))
    if len(sizes) % 2:
        odd = Misfit(fault=Fault.VALUE, operand="pad", detail="an odd number of lengths")
        return Outcome(Shape(input.stored, None, input.dtype), (odd,))
    count = len(sizes) // 2
    opened = open_at(input, [-1 - offset for offset in range(count)])
    if opened is None:
        return Outcome(Shape.unknown(input.least_rank, dtype=input.dtype))
    if isinstance(opened, Misfit):
        return Outcome(Shape.unknown(input.least_rank, dtype=input.dtype), (opened,))
    row = list(opened.parts)
    if not row and count:
        return Outcome(Shape.unknown(dtype=input.dtype), (Misfit(fault=Fault.RANK, found=Dim.of(0)),))
    for offset, place in enumerate(opened.places):
        before, after = sizes[2 * offset], sizes[2 * offset + 1]
        old = opened.axis(place)
        if before is not None and after is not None and (before + after).value == 0 and before.value == 0:
            continue
        source, kind = shared_source(old.atoms)
        size = None if before is None or after is None else old.size + before + after
        row[place] = Axis.new("padded" if source is None else source.name, size, kind=kind, source=source)
    return Outcome(Shape(tuple(row), None, input.dtype), closes=opened.closes)


def linear(input: Shape, weight: Operand, bias: Operand) -> Outcome:
    """`F.linear`: the last axis, of the weight's second size, becomes one of its first."""
    del bias
    if not isinstance(weight, Shape) or weight.axes is None or not 1 <= len(weight.axes) <= 2:
        return Outcome(Shape.unknown(dtype="float"))
    opened = open_at(input, [-1])
    if opened is None or isinstance(opened, Misfit) or not opened.parts:
        return Outcome(Shape.unknown(dtype="float"))
    misfits: list[Misfit] = []
    equations: Equations = []
    last = opened.axis(opened.places[0])
    agree(weight.axes[-1], last, "input", -1, misfits, equations)
    row = (*opened.parts[:-1], *weight.axes[:-1])
    contiguous = True if input.contiguous is True else None
    return Outcome(Shape(row, contiguous, "float"), tuple(misfits), tuple(equations), closes=opened.closes)


def embedding(input: Shape, weight: Operand, **ignored: Operand) -> Outcome:
    """`F.embedding`: an axis of the weight's second size at the end."""
    del ignored
    if not isinstance(weight, Shape) or weight.axes is None or len(weight.axes) != 2:
        return Outcome(Shape.unknown(input.least_rank + 1, dtype="float"))
    return Outcome(Shape((*input.parts, weight.axes[1]), True if input.rest is None else None, "float"))


def glu(input: Shape, dim: Operand) -> Outcome:
    """`F.glu`: one half of an axis gates the other; its size must be even."""
    at = integer(dim)
    opened = None if at is None else open_at(input, [at])
    if opened is None:
        return Outcome(Shape.unknown(input.least_rank, dtype=input.dtype))
    if isinstance(opened, Misfit):
        return Outcome(Shape.unknown(input.least_rank, dtype=input.dtype), (opened,))
    (place,) = opened.places
    old = opened.axis(place)
    held = old.size.value
    misfits: tuple[Misfit, ...] = ()
    if held is not None and held % 2:
        misfits = (
            Misfit(fault=Fault.SIZE, axis=place, expected=Dim.of(held + 1), found=old.size, detail="an odd size"),
        )
    half = Dim.of(held // 2) if held is not None else divide(old.size, 2)
    source, kind = shared_source(old.atoms)
    new = Axis.new("half" if source is None else source.name, half, kind=kind, source=source)
    return Outcome(
        Shape((*opened.parts[:place], new, *opened.parts[place + 1 :]), None, input.dtype),
        misfits,
        closes=opened.closes,
    )


def similarity(x1: Operand, x2: Operand, dim: Operand, **ignored: Operand) -> Outcome:
    """`F.cosine_similarity`: two tensors broadcast together, without the axis."""
    del ignored
    joint = pointwise((x1, x2), ("x1", "x2"))
    if not isinstance(joint.result, Shape):
        return Outcome(Shape.unknown(), joint.misfits)
    result, misfits, closes = reduced(joint.result, dim, False, "float")
    return Outcome(result, (*joint.misfits, *misfits), closes=closes)


def pairwise_distance(x1: Operand, x2: Operand, p: Operand, eps: Operand, keepdim: Operand) -> Outcome:
    """`F.pairwise_distance`: the last axis vanishes."""
    del p, eps
    joint = pointwise((x1, x2), ("x1", "x2"))
    if not isinstance(joint.result, Shape):
        return Outcome(Shape.unknown(), joint.misfits)
    result, misfits, closes = reduced(joint.result, Dim.of(-1), keepdim, "float")
    return Outcome(result, (*joint.misfits, *misfits), closes=closes)


def attention(query: Operand, key: Operand, value: Operand, **ignored: Operand) -> Outcome:
    """`F.scaled_dot_product_attention`: (..., L, E), (..., S, E) and (..., S, V) give (..., L, V)."""
    del ignored
    if not isinstance(query, Shape) or not isinstance(key, Shape) or not isinstance(value, Shape):
        return Outcome(Shape.unknown(2, dtype="float"))
    rows = [shape.axes for shape in (query, key, value)]
    if any(row is None or len(row) < 2 for row in rows):
        return Outcome(Shape.unknown(2, dtype="float"))
    ask, keys, values = (row or () for row in rows)
    misfits: list[Misfit] = []
    equations: Equations = []
    agree(ask[-1], keys[-1], "key", -1, misfits, equations)
    agree(keys[-2], values[-2], "value", -2, misfits, equations)
    return Outcome(Shape((*ask[:-1], values[-1]), None, "float"), tuple(misfits), tuple(equations))


def no_tensor(input: Shape, **ignored: Operand) -> Outcome:
    """What gives a truth value or a number and no tensor (`torch.equal`, `is_tensor`)."""
    del input, ignored
    return Outcome(UNKNOWN)
