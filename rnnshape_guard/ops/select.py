"""Subscripts of every kind, and select, narrow, gather, masked_select and their family.

Source of the rules: "Indexing on Tensors" in PyTorch's documentation. An integer drops its axis at once (so, other
than in NumPy, it does not take part in where the axes of index tensors go).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rnnshape_guard.ops.elementwise import broadcast
from rnnshape_guard.ops.memory import placed, strides_of
from rnnshape_guard.ops.operands import integer, is_one, shared_source, size_of
from rnnshape_guard.ops.places import Closes, open_at
from rnnshape_guard.shapes.axes import UNIT, Axis, Rest, Shape
from rnnshape_guard.shapes.dims import ONE, Dim, compare, divide, resolve, same_size
from rnnshape_guard.shapes.outcomes import UNKNOWN, Fault, Many, Misfit, Operand, Outcome, Slice, Unknown


def index(shape: Shape, items: tuple[Operand, ...]) -> Outcome:
    """`x[items]`: integers drop axes, slices cut them, None makes one, tensors, lists and masks pick from them."""
    if any(isinstance(item, Unknown | str | float) for item in items):
        return Outcome(Shape.unknown(dtype=shape.dtype))
    if any(isinstance(item, bool) for item in items) or sum(item is Ellipsis for item in items) > 1:
        return Outcome(Shape.unknown(dtype=shape.dtype))
    widths = [_width(item) for item in items]
    if None in widths:
        return Outcome(Shape.unknown(dtype=shape.dtype))
    needed = sum(width or 0 for width in widths)
    place = next((at for at, item in enumerate(items) if item is Ellipsis), None)
    head, tail = (items, ()) if place is None else (items[:place], items[place + 1 :])
    rank = shape.rank
    if rank is not None and needed > rank:
        too_many = Misfit(fault=Fault.COUNT, operand="index", expected=Dim.of(rank), found=Dim.of(needed))
        return Outcome(Shape.unknown(dtype=shape.dtype), (too_many,))
    ahead = sum(_width(item) or 0 for item in head)
    opened = open_at(shape, [*range(ahead), *range(ahead - needed, 0)])
    if opened is None or isinstance(opened, Misfit):
        return Outcome(Shape.unknown(dtype=shape.dtype))
    parts = opened.parts
    split = len(parts) - (needed - ahead)
    strides = strides_of(shape) if opened.closes == () else None
    walk = _Walk(strides)
    walk.read(head, parts[:ahead], 0)
    walk.keep(parts[ahead:split], ahead)
    walk.read(tail, parts[split:], split)
    return walk.outcome(shape, opened.closes)


def _width(item: Operand) -> int | None:
    """How many axes an item of a subscript stands for; None where that is not known."""
    match item:
        case None:
            return 0
        case Shape(dtype="bool"):
            return item.rank
        case Shape(dtype=None) if item.rank is None or item.rank > 1:
            return None  # a mask or an index: nobody knows
        case Many(item=Shape() | tuple() | Many()):
            return None
        case _ if item is Ellipsis:
            return 0
        case _:
            return 1


@dataclass(slots=True)
class _Walk:
    """Reading a subscript from left to right."""

    strides: Sequence[Dim] | None
    row: list[Axis | Rest] = field(default_factory=list)
    moves: list[Dim | None] = field(default_factory=list)
    picks: list[tuple[int, Shape]] = field(default_factory=list)
    """Index tensors: how many result axes stood before each, and its shape."""
    unsure: list[Shape] = field(default_factory=list)
    """The picks by a vector that may be a mask or an index: one axis in either case, the size unknown."""
    misfits: list[Misfit] = field(default_factory=list)

    def keep(self, parts: Sequence[Axis | Rest], at: int) -> None:
        """Axes that no item names stay as they are."""
        for offset, part in enumerate(parts):
            self._add(part, None if self.strides is None else self.strides[at + offset])

    def read(self, items: Sequence[Operand], parts: Sequence[Axis | Rest], at: int) -> None:
        """Items with the axes they stand for."""
        place = 0
        for item in items:
            width = _width(item) or 0
            axes = [part for part in parts[place : place + width] if isinstance(part, Axis)]
            stride = None if self.strides is None or not width else self.strides[at + place]
            self._item(item, axes, stride, at + place)
            place += width

    def _add(self, part: Axis | Rest, stride: Dim | None) -> None:
        self.row.append(part)
        self.moves.append(stride)

    def _item(self, item: Operand, axes: Sequence[Axis], stride: Dim | None, at: int) -> None:
        match item:
            case None:
                self._add(UNIT, ONE)
            case Slice():
                kept, misfit = sliced(axes[0], item)
                if misfit is not None:
                    self.misfits.append(misfit)
                step = ONE if item.step is None else size_of(item.step)
                self._add(kept, None if stride is None or step is None else stride * step)
            case Shape() if item.rank == 0 and item.dtype != "bool":
                pass
            case Shape(dtype="bool"):
                self.misfits += _mask_sizes(item, axes, at)
                self.picks.append((len(self.row), _picked(axes, None)))
            case Shape(dtype=None):
                picked = _picked(axes, None)
                self.unsure.append(picked)
                self.picks.append((len(self.row), picked))
            case Shape():
                self.picks.append((len(self.row), item))
            case tuple():
                self.picks.append((len(self.row), _listed(item, axes)))
            case Many():
                self.picks.append((len(self.row), _picked(axes, item.length)))
            case _:
                number = integer(item)
                size = axes[0].size.value
                if number is not None and size is not None and not -size <= number < size:
                    self.misfits.append(
                        Misfit(fault=Fault.AXIS, operand="index", axis=at, expected=axes[0].size, found=Dim.of(number))
                    )

    def outcome(self, shape: Shape, closes: Closes) -> Outcome:
        """The result: cut axes, and the axes of index tensors where the first stood, or in front if they stood apart."""
        if not self.picks:
            return Outcome(self._cut(shape), tuple(self.misfits), closes=closes)
        picked = self._joined()
        places = [place for place, _ in self.picks]
        at = places[0] if len(set(places)) == 1 else 0
        row = (*self.row[:at], *picked, *self.row[at:])
        if sum(isinstance(part, Rest) for part in row) > 1:
            return Outcome(Shape.unknown(dtype=shape.dtype), tuple(self.misfits), closes=closes)
        return Outcome(Shape(row, None, shape.dtype), tuple(self.misfits), closes=closes)

    def _joined(self) -> tuple[Axis | Rest, ...]:
        """The axes that index tensors make together: they broadcast."""
        shapes = [shape for _, shape in self.picks if shape not in self.unsure] or [self.picks[0][1]]
        outcome = broadcast(shapes, ["index"] * len(shapes))
        self.misfits += outcome.misfits
        assert isinstance(outcome.result, Shape)
        return outcome.result.parts

    def _cut(self, shape: Shape) -> Shape:
        axes = [part for part in self.row if isinstance(part, Axis)]
        moves = [move for move in self.moves if move is not None]
        if len(axes) == len(self.row) == len(moves):
            return placed(axes, moves, shape.dtype)
        untouched = shape.contiguous is True and not self.misfits and tuple(self.row) == shape.parts
        return Shape(tuple(self.row), True if untouched else None, shape.dtype)


def _mask_sizes(mask: Shape, axes: Sequence[Axis], at: int) -> list[Misfit]:
    """A mask must have the sizes of the axes it stands for."""
    found = []
    for offset, (given, axis) in enumerate(zip(mask.axes or (), axes, strict=False)):
        verdict = compare(given.size, axis.size)
        if verdict.conflicts:
            place = at + offset
            found.append(
                Misfit(
                    fault=Fault.SIZE,
                    operand="index",
                    axis=place,
                    expected=axis.size,
                    found=given.size,
                    condition=verdict.condition,
                )
            )
    return found


def _picked(axes: Sequence[Axis], size: Dim | None) -> Shape:
    source, kind = shared_source([atom for axis in axes for atom in axis.atoms]) if len(axes) == 1 else (None, None)
    name = source.name if source is not None else "selected"
    return Shape((Axis.new(name, size, kind=kind, source=source),))


def _listed(item: tuple[Operand, ...], axes: Sequence[Axis]) -> Shape:
    """A list in a subscript: of integers, or of flags."""
    if item and all(isinstance(entry, tuple) for entry in item):
        lengths = {len(entry) for entry in item if isinstance(entry, tuple)}
        inner = lengths.pop() if len(lengths) == 1 else None
        return Shape.sized(len(item), inner, names=("index", "index"))
    if item and all(isinstance(entry, bool) for entry in item):
        return _picked(axes, Dim.of(sum(1 for entry in item if entry is True)))
    return _picked(axes, Dim.of(len(item)))


def sliced(axis: Axis, item: Slice) -> tuple[Axis, Misfit | None]:
    """An axis cut by ``start:stop:step``: itself where all is kept, whole inner atoms at their border, else a derived atom."""
    step = 1 if item.step is None else integer(item.step)
    if step is not None and step < 1:
        return axis, Misfit(fault=Fault.VALUE, operand="index", detail="a slice's step must be positive")
    span = _span(axis, item)
    if step != 1:
        outer = _every(axis, item, step)
        if outer is not None:
            return outer, None
        length = span.length.value if span.length is not None else None
        return _derived(axis, None if length is None or step is None else Dim.of(-(-length // step))), None
    if span.whole:
        return axis, None
    inner = _block(axis, span)
    if inner is not None:
        return inner, None
    return _derived(axis, span.length), None


@dataclass(frozen=True, slots=True)
class _Span:
    """What a slice of step 1 covers: first index and length, None where not known."""

    start: Dim | None
    length: Dim | None
    whole: bool = False


def _span(axis: Axis, item: Slice) -> _Span:
    size = axis.size
    start = _bound(item.start, Dim.of(0), size)
    stop = _bound(item.stop, size, size)
    if start is not None and start.value == 0 and stop is not None and compare(stop, size).equal:
        return _Span(start, size, whole=True)
    if start is None or stop is None:
        return _Span(start, _literal_step(item))
    length = stop - start
    known = length.value
    if known is not None and known <= 0:
        return _Span(start, Dim.of(0))
    if known == 1 or (_within(stop, size) and not _counts_back(item.start, size)) or _is_window(item, length, size):
        return _Span(start, length)
    return _Span(start, None)


def _is_window(item: Slice, length: Dim, size: Dim) -> bool:
    """Whether a slice goes along with a loop that ends in time: ``x[i : i + n]`` for i up to ``len(x) - n``, or
    ``x[i - n : i]`` for i up to ``len(x)``."""
    if isinstance(item.start, Dim) and item.start.below is not None:
        return _within(item.start.below + length, size + 1)
    return isinstance(item.stop, Dim) and item.stop.below is not None and _within(item.stop.below, size + 1)


def _counts_back(start: Operand, size: Dim) -> bool:
    """Whether a slice starts so many steps from the end, of an axis that may have fewer: ``x[:, -10:]``."""
    bound = size_of(start)
    return size.value is None and bound is not None and bound.value is not None and bound.value < 0


def _literal_step(item: Slice) -> Dim | None:
    """``x[t : t + 1]`` has length 1, whatever t is."""
    start, stop = size_of(item.start), size_of(item.stop)
    if start is None or stop is None:
        return None
    return ONE if (stop - start).value == 1 else None


def _bound(operand: Operand, default: Dim, size: Dim) -> Dim | None:
    """A slice's bound counted from the front and kept inside the axis; None where it is not known."""
    if operand is None:
        return default
    bound = size_of(operand)
    if bound is None:
        return None
    number, held = bound.value, size.value
    if number is not None and held is not None:
        if 0 <= number <= held:
            return bound
        return Dim.of(min(max(number + held if number < 0 else number, 0), held))
    if number is not None and number < 0:
        return size + bound
    negative = bool(bound.terms) and all(part < 0 for part in bound.terms.values())
    return size + bound if negative else bound


def _within(stop: Dim, size: Dim) -> bool:
    """Whether a bound is surely not past the end."""
    gap = resolve(size - stop)
    return compare(gap, 0).equal or all(number > 0 for number in gap.terms.values())


def _block(axis: Axis, span: _Span) -> Axis | None:
    """Inner atoms that a slice takes whole: `[:hidden]` of direction·hidden is hidden."""
    start, length = span.start, span.length
    if start is None or len(axis.atoms) < 2:
        return None
    for border in range(1, len(axis.atoms)):
        inner = Axis(axis.atoms[border:])
        outer = Axis(axis.atoms[:border]).size
        if is_one(inner.size):
            continue
        at_border = start.value == 0 or divide(start, inner.size) is not None
        if length is not None and _same(length, inner.size) and at_border:
            return inner
        if _same(start, inner.size) and _two(outer) and length is not None and compare(length + start, axis.size).equal:
            return inner
    return None


def _same(left: Dim, right: Dim) -> bool:
    return same_size(left, right) or compare(left, right).equal


def _two(size: Dim) -> bool:
    """2, or 1 + a flag: what directions count."""
    known = resolve(size)
    if known.literal is not None:
        return known.literal == 2
    rest = known - 1
    return rest.symbol is not None and rest.symbol.flag


def _every(axis: Axis, item: Slice, step: int | None) -> Axis | None:
    """Outer atoms that a step takes whole: `[0::2]` of layer·direction is layer."""
    start = 0 if item.start is None else integer(item.start)
    if step is None or start is None or item.stop is not None or not 0 <= start < step:
        return None
    for border in range(1, len(axis.atoms)):
        if Axis(axis.atoms[border:]).size.value == step:
            return Axis(axis.atoms[:border])
    return None


def _derived(axis: Axis, size: Dim | None) -> Axis:
    source, kind = shared_source(axis.atoms)
    name = axis.atoms[0].name if axis.atoms else "axis"
    return Axis.new(name, size, kind=kind, source=source)


def select(input: Shape, dim: Operand, index: Operand) -> Outcome:
    """`torch.select`: one index of one axis, which vanishes."""
    return _along(input, dim, index)


def _along(shape: Shape, dim: Operand, item: Operand) -> Outcome:
    at = integer(dim)
    opened = None if at is None else open_at(shape, [at])
    if opened is None:
        return Outcome(Shape.unknown(dtype=shape.dtype))
    if isinstance(opened, Misfit):
        return Outcome(Shape.unknown(dtype=shape.dtype), (opened,))
    if not opened.parts:
        return Outcome(Shape.unknown(dtype=shape.dtype), (Misfit(fault=Fault.RANK, found=Dim.of(0)),))
    (place,) = opened.places
    strides = strides_of(shape) if opened.closes == () else None
    walk = _Walk(strides)
    walk.keep(opened.parts[:place], 0)
    walk.read((item,), opened.parts[place : place + 1], place)
    walk.keep(opened.parts[place + 1 :], place + 1)
    return walk.outcome(shape, opened.closes)


def narrow(input: Shape, dim: Operand, start: Operand, length: Operand) -> Outcome:
    """`torch.narrow`: a slice by start and length."""
    first, many = size_of(start), size_of(length)
    if first is None or many is None:
        return _along(input, dim, Slice(UNKNOWN, UNKNOWN))
    return _along(input, dim, Slice(first, first + many))
