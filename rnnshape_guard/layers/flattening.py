"""Flatten and Unflatten: several axes into one, one into several, in the order of their elements."""

from __future__ import annotations

from dataclasses import dataclass

from rnnshape_guard.layers.arguments import Bound, Parameter, Reading, Size, Spec
from rnnshape_guard.layers.kinds import INPUT, LayerKind
from rnnshape_guard.layers.ledger import Ledger
from rnnshape_guard.layers.memory import fresh
from rnnshape_guard.shapes.axes import Axis, Rest, Shape
from rnnshape_guard.shapes.dims import ONE, Dim, compare, divide
from rnnshape_guard.shapes.outcomes import UNKNOWN, Fault, Misfit, Outcome


@dataclass(frozen=True, kw_only=True)
class FlattenSpec(Spec):
    """Flatten as constructed."""

    start_dim: Size
    end_dim: Size


@dataclass(frozen=True, kw_only=True)
class UnflattenSpec(Spec):
    """Unflatten as constructed; the sizes are None where not even their number is known."""

    dim: Size
    unflattened_size: tuple[Size, ...] | None


def _axis_number(reading: Reading, name: str) -> Size:
    operand = reading.bound[name]
    match operand:
        case bool():
            return Dim.of(int(operand))
        case Dim():
            return operand
        case None | str() | float() | tuple():
            reading.refuse(name, "must be an axis", Fault.TYPE)
            return UNKNOWN
        case _:
            return UNKNOWN


def _index(dim: Size, rank: int, ledger: Ledger) -> int | None:
    """An axis counted from the front; None where it is not known, or out of range (noted)."""
    index = dim.value if isinstance(dim, Dim) else None
    if index is None:
        return None
    span = max(rank, 1)
    if not -span <= index < span:
        ledger.misfits.append(Misfit(fault=Fault.AXIS, operand="input", axis=index, found=Dim.of(rank)))
        return None
    return index % span


# -- Flatten ---------------------------------------------------------------------------------------------------------


def _read_flatten(kind: str, reading: Reading) -> FlattenSpec:
    return FlattenSpec(
        kind=kind,
        given=reading.bound.given,
        positional=reading.bound.positional,
        start_dim=_axis_number(reading, "start_dim"),
        end_dim=_axis_number(reading, "end_dim"),
    )


def _apply_flatten(spec: FlattenSpec, bound: Bound) -> Outcome:
    """The axes from `start_dim` to `end_dim` become one, whose atoms are theirs in order."""
    ledger = Ledger(bound)
    shape = ledger.tensor("input", bound["input"])
    if shape is None:
        return ledger.outcome(Shape.unknown(1))
    axes = shape.axes
    if axes is None:
        return ledger.outcome(_flattened_open(spec, shape))
    start, end = _index(spec.start_dim, len(axes), ledger), _index(spec.end_dim, len(axes), ledger)
    if start is None or end is None:
        return ledger.outcome(Shape.unknown(1, shape.dtype))
    if not axes:
        return ledger.outcome(Shape((Axis(),), True, shape.dtype))
    if start > end:
        ledger.note(Fault.VALUE, "start_dim", "must not come after end_dim")
        return ledger.outcome(Shape.unknown(1, shape.dtype))
    if start == end:
        return ledger.outcome(shape)
    merged = Axis(tuple(atom for axis in axes[start : end + 1] for atom in axis.atoms))
    contiguous = True if shape.contiguous is True else None
    return ledger.outcome(Shape((*axes[:start], merged, *axes[end + 1 :]), contiguous, shape.dtype))


def _flattened_open(spec: FlattenSpec, shape: Shape) -> Shape:
    """Of an unknown rank, what stands before `start_dim` is kept; the rest is one axis of unknown size."""
    start = spec.start_dim.value if isinstance(spec.start_dim, Dim) else None
    end = spec.end_dim.value if isinstance(spec.end_dim, Dim) else None
    front, _ = shape.ends()
    if start is None or end != -1 or not 0 <= start <= len(front):
        return Shape.unknown(1, shape.dtype)
    return Shape((*front[:start], Axis.new("features")), None, shape.dtype)


# -- Unflatten -------------------------------------------------------------------------------------------------------


def _read_unflatten(kind: str, reading: Reading) -> UnflattenSpec:
    operand = reading.bound["unflattened_size"]
    sizes: tuple[Size, ...] | None = None
    match operand:
        case tuple():
            sizes = tuple(reading.as_size("unflattened_size", size, -1, sizes=False) for size in operand)
        case None | Dim() | bool() | float() | str():
            reading.refuse("unflattened_size", "must be a tuple of sizes", Fault.TYPE)
        case _:
            pass
    return UnflattenSpec(
        kind=kind,
        given=reading.bound.given,
        positional=reading.bound.positional,
        dim=_axis_number(reading, "dim"),
        unflattened_size=sizes,
    )


def _apply_unflatten(spec: UnflattenSpec, bound: Bound) -> Outcome:
    """One axis becomes several: its own atoms where the sizes are theirs, else new ones."""
    ledger = Ledger(bound)
    shape = ledger.tensor("input", bound["input"])
    sizes = spec.unflattened_size
    if shape is None or sizes is None:
        return ledger.outcome(Shape.unknown(1))
    if not sizes:
        ledger.note(Fault.VALUE, "unflattened_size", "must not be empty")
        return ledger.outcome(Shape.unknown(1, shape.dtype))
    if shape.axes is None:
        number = spec.dim.value if isinstance(spec.dim, Dim) else None
        _, back = shape.ends()
        if number == -1 and back and shape.rest is not None:
            kept: tuple[Axis | Rest, ...] = shape.parts[:-1]
            return ledger.outcome(fresh(shape, (*kept, *_split(back[-1], sizes, ledger))))
        return ledger.outcome(Shape.unknown(shape.least_rank - 1 + len(sizes), shape.dtype))
    place = _index(spec.dim, len(shape.axes), ledger)
    if place is None or not shape.axes:
        return ledger.outcome(Shape.unknown(len(sizes), shape.dtype))
    parts = (*shape.axes[:place], *_split(shape.axes[place], sizes, ledger), *shape.axes[place + 1 :])
    return ledger.outcome(Shape(parts, True if shape.contiguous is True else None, shape.dtype))


def _split(axis: Axis, sizes: tuple[Size, ...], ledger: Ledger) -> tuple[Axis, ...]:
    known = _inferred(axis.size, sizes, ledger)
    if len(known) == len(axis.atoms) and all(
        isinstance(size, Dim) and compare(size, atom.size).equal for size, atom in zip(known, axis.atoms, strict=True)
    ):
        return tuple(Axis((atom,)) for atom in axis.atoms)
    return tuple(Axis.new(f"part{place}", size if isinstance(size, Dim) else None) for place, size in enumerate(known))


def _inferred(total: Dim, sizes: tuple[Size, ...], ledger: Ledger) -> tuple[Size, ...]:
    """The sizes with their -1 worked out; those that cannot hold the axis are noted."""
    open_places = [place for place, size in enumerate(sizes) if isinstance(size, Dim) and size.value == -1]
    if len(open_places) > 1:
        ledger.note(Fault.VALUE, "unflattened_size", "has more than one -1")
        return tuple(UNKNOWN if place in open_places else size for place, size in enumerate(sizes))
    if not all(isinstance(size, Dim) for size in sizes):
        return tuple(UNKNOWN if place in open_places else size for place, size in enumerate(sizes))
    product = Dim.product(
        size for place, size in enumerate(sizes) if place not in open_places and isinstance(size, Dim)
    )
    if not open_places:
        comparison = compare(product, total)
        if comparison.conflicts:
            ledger.misfits.append(
                Misfit(
                    fault=Fault.TOTAL,
                    operand="unflattened_size",
                    expected=total,
                    found=product,
                    condition=comparison.condition,
                )
            )
        elif not comparison.equal:
            ledger.equations.append((total, product))
        return sizes
    whole, part = total.value, product.value
    left = divide(total, product)
    if whole is not None and part is not None and left is None:
        ledger.misfits.append(Misfit(fault=Fault.TOTAL, operand="unflattened_size", expected=total, found=product))
    return tuple((left or UNKNOWN) if place in open_places else size for place, size in enumerate(sizes))


KINDS: tuple[LayerKind[FlattenSpec] | LayerKind[UnflattenSpec], ...] = (
    LayerKind(
        "Flatten",
        (Parameter("start_dim", ONE), Parameter("end_dim", Dim.of(-1))),
        INPUT,
        _read_flatten,
        _apply_flatten,
    ),
    LayerKind("Unflatten", (Parameter("dim"), Parameter("unflattened_size")), INPUT, _read_unflatten, _apply_unflatten),
)
