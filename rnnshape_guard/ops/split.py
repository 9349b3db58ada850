"""chunk, split and unbind: one tensor becomes several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from rnnshape_guard.ops.memory import placed, strides_of
from rnnshape_guard.ops.operands import integer, is_one, joined_name, shared_source, size_of
from rnnshape_guard.ops.places import open_at
from rnnshape_guard.ops.select import sliced
from rnnshape_guard.shapes.axes import Axis, Rest, Shape
from rnnshape_guard.shapes.dims import Dim, compare, divide
from rnnshape_guard.shapes.outcomes import UNKNOWN, Fault, Many, Misfit, Operand, Outcome, Result, Slice

SizesRule = Callable[[Dim, Dim], "list[Dim] | None"]


def chunk(input: Shape, chunks: Operand, dim: Operand) -> Outcome:
    """`torch.chunk`: at most so many pieces along an axis, all of one size but the last."""
    return _pieces(input, dim, _chunk_sizes, size_of(chunks), "chunks")


def split(input: Shape, split_size: Operand, dim: Operand) -> Outcome:
    """`torch.split`: pieces of one size, or of a list of sizes that must sum to the axis."""
    if isinstance(split_size, tuple):
        return _split_by_sizes(input, split_size, dim)
    return _pieces(input, dim, _split_sizes, size_of(split_size), "split_size")


def tensor_split(input: Shape, indices_or_sections: Operand, dim: Operand) -> Outcome:
    """`torch.tensor_split`: a number of pieces as equal as can be, or pieces between indices."""
    if isinstance(indices_or_sections, tuple):
        bounds: list[Operand] = [None, *indices_or_sections, None]
        return _between(input, dim, [Slice(start, stop) for start, stop in pairwise(bounds)])
    return _pieces(input, dim, _section_sizes, size_of(indices_or_sections), "indices_or_sections")


def _between(shape: Shape, dim: Operand, cuts: Sequence[Slice]) -> Outcome:
    at = integer(dim)
    opened = None if at is None else open_at(shape, [at])
    if opened is None:
        return Outcome(tuple(Shape.unknown(dtype=shape.dtype) for _ in cuts))
    if isinstance(opened, Misfit):
        return Outcome(tuple(Shape.unknown(dtype=shape.dtype) for _ in cuts), (opened,))
    if not opened.parts:
        return Outcome(UNKNOWN, (Misfit(fault=Fault.RANK, found=Dim.of(0)),))
    (place,) = opened.places
    old = opened.axis(place)
    pieces = tuple(_with_axis(shape, opened.parts, place, sliced(old, cut)[0]) for cut in cuts)
    return Outcome(pieces, closes=opened.closes)


def _with_axis(shape: Shape, parts: Sequence[Axis | Rest], place: int, new: Axis) -> Shape:
    """A slice of a tensor: the same memory, one axis shorter or the same."""
    row = (*parts[:place], new, *parts[place + 1 :])
    strides = strides_of(shape)
    if strides is None or len(strides) != len(row):
        return Shape(row, None, shape.dtype)
    return placed([part for part in row if isinstance(part, Axis)], strides, shape.dtype)


def _pieces(shape: Shape, dim: Operand, rule: SizesRule, given: Dim | None, operand: str) -> Outcome:
    at = integer(dim)
    opened = None if at is None else open_at(shape, [at])
    if opened is None:
        return Outcome(Many(Shape.unknown(dtype=shape.dtype)))
    if isinstance(opened, Misfit):
        return Outcome(UNKNOWN, (opened,))
    if not opened.parts:
        return Outcome(UNKNOWN, (Misfit(fault=Fault.RANK, found=Dim.of(0)),))
    (place,) = opened.places
    old = opened.axis(place)
    if given is None:
        source, _ = shared_source(old.atoms)
        piece = _with_axis(shape, opened.parts, place, Axis.new(joined_name(old.atoms), source=source))
        return Outcome(Many(piece), closes=opened.closes)
    if given.value is not None and given.value < 1:
        return Outcome(UNKNOWN, (Misfit(fault=Fault.VALUE, operand=operand, detail=f"{operand} must be above 0"),))
    sizes = rule(old.size, given)
    if sizes is None and rule is not _split_sizes and given.value is not None:
        source, kind = shared_source(old.atoms)
        cuts = [Axis.new(joined_name(old.atoms), kind=kind, source=source) for _ in range(given.value)]
        return Outcome(tuple(_with_axis(shape, opened.parts, place, cut) for cut in cuts), closes=opened.closes)
    if sizes is None:
        length, size = _uniform(rule, old.size, given)
        source, kind = shared_source(old.atoms)
        one = Axis.new(joined_name(old.atoms), size, kind=kind, source=source)
        return Outcome(Many(_with_axis(shape, opened.parts, place, one), length), closes=opened.closes)
    start = Dim.of(0)
    found: list[Result] = []
    for size in sizes:
        cut = sliced(old, Slice(start, start + size))[0] if len(sizes) > 1 else old
        if not compare(cut.size, size).equal:
            source, kind = shared_source(old.atoms)
            cut = Axis.new(joined_name(old.atoms), size, kind=kind, source=source)
        found.append(_with_axis(shape, opened.parts, place, cut))
        start = start + size
    return Outcome(tuple(found), closes=opened.closes)


def _uniform(rule: SizesRule, size: Dim, given: Dim) -> tuple[Dim | None, Dim | None]:
    """The number of pieces and the size of each, where the axis is an exact multiple or nobody can say."""
    if rule is _split_sizes:
        return (size, given) if is_one(given) else (None, None)
    return None, None


def _chunk_sizes(size: Dim, count: Dim) -> list[Dim] | None:
    held, many = size.value, count.value
    if many is None:
        return None
    if held is not None:
        each = -(-held // many)
        return [Dim.of(min(each, held - start)) for start in range(0, held, each)] if each else None
    each_size = divide(size, count)
    return [each_size] * many if each_size is not None else None


def _split_sizes(size: Dim, each: Dim) -> list[Dim] | None:
    held, width = size.value, each.value
    if held is not None and width is not None:
        return [Dim.of(min(width, held - start)) for start in range(0, held, width)]
    count = divide(size, each)
    number = None if count is None else count.value
    return [each] * number if number is not None else None


def _section_sizes(size: Dim, count: Dim) -> list[Dim] | None:
    held, many = size.value, count.value
    if many is None:
        return None
    if held is not None:
        return [Dim.of(held // many + (place < held % many)) for place in range(many)]
    each = divide(size, count)
    return [each] * many if each is not None else None


def _split_by_sizes(shape: Shape, sizes: tuple[Operand, ...], dim: Operand) -> Outcome:
    at = integer(dim)
    opened = None if at is None else open_at(shape, [at])
    if opened is None:
        return Outcome(tuple(Shape.unknown(dtype=shape.dtype) for _ in sizes))
    if isinstance(opened, Misfit):
        return Outcome(UNKNOWN, (opened,))
    if not opened.parts:
        return Outcome(UNKNOWN, (Misfit(fault=Fault.RANK, found=Dim.of(0)),))
    (place,) = opened.places
    old = opened.axis(place)
    given = [size_of(size) for size in sizes]
    found: list[Result] = []
    start: Dim | None = Dim.of(0)
    source, kind = shared_source(old.atoms)
    for size in given:
        cut = Axis.new(joined_name(old.atoms), size, kind=kind, source=source)
        if size is not None and start is not None:
            exact = sliced(old, Slice(start, start + size))[0]
            cut = exact if compare(exact.size, size).equal else cut
        found.append(_with_axis(shape, opened.parts, place, cut))
        start = None if size is None or start is None else start + size
    misfits: tuple[Misfit, ...] = ()
    equations: tuple[tuple[Dim, Dim], ...] = ()
    if start is not None:
        verdict = compare(old.size, start)
        if verdict.conflicts:
            misfits = (
                Misfit(
                    fault=Fault.TOTAL,
                    operand="split_size",
                    axis=place,
                    expected=old.size,
                    found=start,
                    condition=verdict.condition,
                ),
            )
        elif not verdict.equal:
            equations = ((old.size, start),)
    return Outcome(tuple(found), misfits, equations, closes=opened.closes)


def unbind(input: Shape, dim: Operand) -> Outcome:
    """`torch.unbind`: all slices of an axis, which vanishes. Iterating over a tensor is `unbind(0)`."""
    at = integer(dim)
    opened = None if at is None else open_at(input, [at])
    if opened is None:
        return Outcome(Many(Shape.unknown(dtype=input.dtype)))
    if isinstance(opened, Misfit):
        return Outcome(UNKNOWN, (opened,))
    if not opened.parts:
        return Outcome(UNKNOWN, (Misfit(fault=Fault.AXIS, operand="dim", axis=at, ranks=(0,)),))
    (place,) = opened.places
    old = opened.axis(place)
    row = (*opened.parts[:place], *opened.parts[place + 1 :])
    strides = strides_of(input)
    piece = Shape(row, None, input.dtype)
    if strides is not None and len(strides) == len(opened.parts):
        known = [part for part in row if isinstance(part, Axis)]
        piece = placed(known, [*strides[:place], *strides[place + 1 :]], input.dtype)
    count = old.size.value
    if count is not None:
        return Outcome(tuple(piece for _ in range(count)), closes=opened.closes)
    return Outcome(Many(piece, old.size), closes=opened.closes)
