"""torch.nn.utils.rnn: packing sequences of different lengths, and padding them again.

A packed batch has no layout; it keeps which axis was the batch. Its time axis ends at the longest sequence, which may
be shorter than the tensor it came from. The rules are those of torch/nn/utils/rnn.py and of aten's PackedSequence.cpp.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise

from rnnshape_guard.layers.arguments import Bound, Flag, Parameter, Reading, bind
from rnnshape_guard.layers.ledger import Ledger
from rnnshape_guard.layers.memory import batch_over_time
from rnnshape_guard.shapes.axes import Axis, Rest, Role, Shape, Strength
from rnnshape_guard.shapes.dims import Dim, same_size
from rnnshape_guard.shapes.outcomes import UNKNOWN, Fault, Many, Operand, Outcome, Packed, Result

Parts = tuple[Axis | Rest, ...]

LEFT_OUT = "samples without a length are left out"
"""The detail of the misfit where fewer lengths than samples come unsorted: torch then drops samples in silence."""


def _flag(bound: Bound, name: str) -> Flag:
    return Reading(bound).flag(name)


def _roles(name: str, batch_first: bool, batch: Axis, time: Axis, ledger: Ledger) -> None:
    """The layout that a function was told is structural evidence."""
    for place, role in enumerate((Role.BATCH, Role.TIME) if batch_first else (Role.TIME, Role.BATCH)):
        words = f"{name}(batch_first={batch_first}) reads axis {place} as {role}"
        ledger.learn(batch if role is Role.BATCH else time, role, Strength.STRUCTURAL, words)


# -- pack_padded_sequence --------------------------------------------------------------------------------------------


def pack_padded_sequence(args: tuple[Operand, ...], kwargs: Mapping[str, Operand]) -> Outcome:
    """A packed batch of ``(time, batch, *)``, or ``(batch, time, *)`` with `batch_first`, and a length for each sample."""
    bound = bind(_PACK_PADDED, args, kwargs)
    ledger = Ledger(bound)
    batch_first, in_order = _flag(bound, "batch_first"), _flag(bound, "enforce_sorted")
    shape = ledger.tensor("input", bound["input"])
    count = _count(bound["lengths"], ledger)
    batch, time, others = _first_two(shape, batch_first, ledger)
    if isinstance(batch_first, bool) and batch is not None and time is not None:
        _roles("pack_padded_sequence", batch_first, batch, time, ledger)
    if batch is not None and count is not None:
        few = in_order is False and _less(count, batch.size)
        ledger.size("lengths", 0, batch.size, count, LEFT_OUT if few else "")
    _check_lengths(bound["lengths"], time, in_order, ledger)
    return ledger.outcome(
        Packed(
            batch or Axis.new("batch", count),
            _until(time, bound["lengths"]),
            others,
            shape.dtype if shape else None,
            count or (batch.size if batch else None),
            in_order if isinstance(in_order, bool) else None,
        )
    )


def _first_two(shape: Shape | None, batch_first: Flag, ledger: Ledger) -> tuple[Axis | None, Axis | None, Parts]:
    """A padded tensor's batch, its time and its other axes; None for what is not known."""
    if shape is None:
        return None, None, (Rest(),)
    parts = shape.parts
    rest = shape.rest
    if rest is not None:
        place = parts.index(rest)
        fresh = tuple(Axis.new(f"axis{index}") for index in range(place, 2))
        if fresh:
            inner: Parts = (*fresh, Rest(max(rest.least - len(fresh), 0)))
            ledger.closes.append((rest, inner))
            parts = (*parts[:place], *inner, *parts[place + 1 :])
    match parts:
        case (Axis() as first, Axis() as second, *others):
            pass
        case _:
            ledger.note(Fault.RANK, "input", "needs at least two axes")
            return None, None, (Rest(),)
    match batch_first:
        case True:
            return first, second, tuple(others)
        case False:
            return second, first, tuple(others)
        case _:
            return None, None, tuple(others)


def _count(lengths: Operand, ledger: Ledger) -> Dim | None:
    """How many lengths there are, where that is known."""
    match lengths:
        case Shape():
            axes = ledger.axes("lengths", lengths, 1, ("batch",))
            return axes[0].size if axes else None
        case tuple():
            return Dim.of(len(lengths))
        case Many(length=length):
            return length
        case None | bool() | str() | float() | Packed():
            ledger.tensor("lengths", lengths)
        case _:
            pass
    return None


def _less(left: Dim, right: Dim) -> bool:
    one, other = left.value, right.value
    return one is not None and other is not None and one < other


def _check_lengths(lengths: Operand, time: Axis | None, in_order: Flag, ledger: Ledger) -> None:
    """Literal lengths must be positive, in falling order if `enforce_sorted`, and fit in the time axis."""
    if not isinstance(lengths, tuple):
        return
    values = [length.value if isinstance(length, Dim) else None for length in lengths]
    known = [value for value in values if value is not None]
    if any(value <= 0 for value in known):
        ledger.note(Fault.VALUE, "lengths", "must be greater than 0")
    if in_order is True and any(left < right for left, right in pairwise(known)):
        ledger.note(Fault.VALUE, "lengths", "must be in decreasing order when enforce_sorted is True")
    steps = time.size.value if time is not None else None
    if steps is not None and known and max(known) > steps:
        ledger.note(Fault.VALUE, "lengths", "must not be longer than the time axis")


def _until(time: Axis | None, lengths: Operand) -> Axis:
    """The time axis up to the longest sequence: the axis itself where that is surely its end."""
    if time is None:
        return Axis.new("time")
    longest: int | None = None
    if isinstance(lengths, tuple) and lengths:
        sizes = [length for length in lengths if isinstance(length, Dim)]
        if any(same_size(size, time.size) for size in sizes):
            return time
        values = [size.value for size in sizes]
        known = [value for value in values if value is not None]
        longest = max(known) if len(known) == len(lengths) else None
    if (longest is not None and time.size.value == longest) or time.size.value == 1:
        return time
    return Axis.new("time", longest, source=time.atom)


# -- pad_packed_sequence ---------------------------------------------------------------------------------------------


def pad_packed_sequence(args: tuple[Operand, ...], kwargs: Mapping[str, Operand]) -> Outcome:
    """``(padded, lengths)``: the padded batch in the layout that is asked for, whatever layout was packed."""
    bound = bind(_PAD_PACKED, args, kwargs)
    ledger = Ledger(bound)
    batch_first = _flag(bound, "batch_first")
    packed = _packed_operand(bound["sequence"], ledger)
    if isinstance(packed, Shape):
        return ledger.outcome((packed, UNKNOWN))
    time = _padded_time(packed.time, bound["total_length"], ledger)
    lengths = Shape((packed.batch,), True, "int")
    if not isinstance(batch_first, bool):
        unsure = (Axis.new("axis0"), Axis.new("axis1"), *packed.features)
        return ledger.outcome((Shape(unsure, None, packed.dtype), lengths))
    _roles("pad_packed_sequence", batch_first, packed.batch, time, ledger)
    if batch_first and packed.sorted:
        return ledger.outcome((batch_over_time(packed.batch, time, packed.features, packed.dtype), lengths))
    first = (packed.batch, time) if batch_first else (time, packed.batch)
    contiguous = None if batch_first and packed.sorted is None else True
    return ledger.outcome((Shape((*first, *packed.features), contiguous, packed.dtype), lengths))


def _packed_operand(value: Operand, ledger: Ledger) -> Packed | Shape:
    """The packed batch that an operand must be. A tensor is noted, and goes on as if it had been padded."""
    match value:
        case Packed():
            return value
        case Shape(perhaps_packed=True):
            return Packed(Axis.new("batch"), Axis.new("time"), _ending(value), value.dtype)
        case Shape():
            ledger.tensor_unwanted("sequence", value)
            return value
        case (Packed() as first, *_):
            ledger.tensor("sequence", value)
            return first
        case None | tuple() | bool() | Dim() | float() | str() | Many():
            ledger.tensor("sequence", value)
        case _:
            pass
    return Packed(Axis.new("batch"), Axis.new("time"), (Rest(),))


def _ending(shape: Shape) -> Parts:
    """The axes of each step: all that is known of them is how they end."""
    _, back = shape.ends()
    return (Rest(), *back)


def _padded_time(time: Axis, total_length: Operand, ledger: Ledger) -> Axis:
    if total_length is None:
        return time
    if not isinstance(total_length, Dim):
        return Axis.new("time", source=time.atom)
    wanted, longest = total_length.value, time.size.value
    if wanted is not None and longest is not None and wanted < longest:
        ledger.note(Fault.VALUE, "total_length", "is less than the longest sequence")
        return time
    atom = time.atom
    while atom is not None:
        # `total_length=x.size(1)` brings back the axis that was packed.
        if same_size(atom.size, total_length) or (wanted is not None and atom.size.value == wanted):
            return Axis((atom,))
        atom = atom.source
    return Axis.new("time", total_length, source=time.atom)


# -- lists of sequences ----------------------------------------------------------------------------------------------


def pad_sequence(args: tuple[Operand, ...], kwargs: Mapping[str, Operand]) -> Outcome:
    """``(time, batch, *)``, or ``(batch, time, *)`` with `batch_first`, of a list of ``(time, *)``."""
    bound = bind(_PAD, args, kwargs)
    ledger = Ledger(bound)
    batch_first = _flag(bound, "batch_first")
    batch, time, others, dtype = _stacked(bound["sequences"], ledger)
    if not isinstance(batch_first, bool):
        return ledger.outcome(Shape((Axis.new("axis0"), Axis.new("axis1"), *others), True, dtype))
    _roles("pad_sequence", batch_first, batch, time, ledger)
    first = (batch, time) if batch_first else (time, batch)
    return ledger.outcome(Shape((*first, *others), True, dtype))


def pack_sequence(args: tuple[Operand, ...], kwargs: Mapping[str, Operand]) -> Outcome:
    """A packed batch of a list of ``(time, *)``."""
    bound = bind(_PACK, args, kwargs)
    ledger = Ledger(bound)
    in_order = _flag(bound, "enforce_sorted")
    batch, time, others, dtype = _stacked(bound["sequences"], ledger)
    match bound["sequences"]:
        case tuple() as sequences:
            first = [sequence.axis(0) for sequence in sequences if isinstance(sequence, Shape)]
            _check_lengths(tuple(axis.size for axis in first if axis), None, in_order, ledger)
        case _:
            pass
    known = in_order if isinstance(in_order, bool) else None
    return ledger.outcome(Packed(batch, time, others, dtype, batch.size, known))


def _stacked(sequences: Operand, ledger: Ledger) -> tuple[Axis, Axis, Parts, str | None]:
    """What a list of sequences becomes: its batch, time and other axes, and the kind of number."""
    match sequences:
        case Shape(parts=(Axis() as batch, Axis() as time, *others)):
            return batch, time, tuple(others), sequences.dtype
        case Shape(rank=None) as unsure:
            return Axis.new("batch"), Axis.new("time"), (Rest(),), unsure.dtype
        case Shape() as short:
            ledger.rank("sequences", short, (2,))
        case Many(item=Shape(parts=(Axis() as time, *others)) as item, length=length):
            # Each step of a loop may bring another length.
            return Axis.new("batch", length), Axis.new("time", source=time.atom), tuple(others), item.dtype
        case ():
            ledger.note(Fault.VALUE, "sequences", "is an empty list")
        case tuple():
            return _list_stacked(sequences, ledger)
        case None | bool() | Dim() | float() | str() | Packed():
            ledger.tensor("sequences", sequences)
        case _:
            pass
    return Axis.new("batch"), Axis.new("time"), (Rest(),), None


def _list_stacked(sequences: tuple[Operand, ...], ledger: Ledger) -> tuple[Axis, Axis, Parts, str | None]:
    shapes = [shape for shape in (ledger.tensor("sequences", sequence) for sequence in sequences) if shape is not None]
    batch = Axis.new("batch", len(sequences))
    first = next((shape for shape in shapes if shape.rank), None)
    if first is None or first.axes is None:
        return batch, Axis.new("time"), (Rest(),), None
    for shape in shapes:
        _fits_behind(first.axes[1:], shape, ledger)
    lengths = [axis.size.value if (axis := shape.axis(0)) else None for shape in shapes]
    known = [length for length in lengths if length is not None]
    longest = max(known) if len(known) == len(sequences) else None
    return batch, Axis.new("time", longest), first.axes[1:], first.dtype


def _fits_behind(others: tuple[Axis, ...], shape: Shape, ledger: Ledger) -> None:
    """All sequences must have the first one's sizes behind the time axis. torch copies each into its row of the result,
    so that sizes of 1 stretch and a sequence of fewer axes passes where its own fit."""
    if shape.axes is None:
        return
    if not shape.axes or len(shape.axes) > len(others) + 1:
        ledger.rank("sequences", shape, (len(others) + 1,))
        return
    row = (shape.axes[0], *others)
    for back, (expected, found) in enumerate(zip(reversed(row), reversed(shape.axes), strict=False), 1):
        if found.size.value != 1:
            ledger.size("sequences", -back, expected.size, found.size)


def unpack_sequence(args: tuple[Operand, ...], kwargs: Mapping[str, Operand]) -> Outcome:
    """The sequences of a packed batch, each of its own length."""
    bound = bind(_UNPACK, args, kwargs)
    ledger = Ledger(bound)
    packed = _packed_operand(bound["packed_sequences"], ledger)
    if isinstance(packed, Shape):
        return ledger.outcome(UNKNOWN)
    item: Result = Shape((Axis.new("time", source=packed.time.atom), *packed.features), None, packed.dtype)
    return ledger.outcome(Many(item, packed.batch.size))


def unpad_sequence(args: tuple[Operand, ...], kwargs: Mapping[str, Operand]) -> Outcome:
    """The sequences of a padded batch, each cut to its own length."""
    bound = bind(_UNPAD, args, kwargs)
    ledger = Ledger(bound)
    shape = ledger.tensor("padded_sequences", bound["padded_sequences"])
    batch, time, others = _first_two(shape, _flag(bound, "batch_first"), ledger)
    cut = Axis.new("time", source=time.atom if time else None)
    dtype = shape.dtype if shape else None
    return ledger.outcome(Many(Shape((cut, *others), None, dtype), batch.size if batch else None))


# -- the table -------------------------------------------------------------------------------------------------------

_BATCH_FIRST = Parameter("batch_first", False)
_PACK_PADDED = (Parameter("input"), Parameter("lengths"), _BATCH_FIRST, Parameter("enforce_sorted", True))
_PAD_PACKED = (Parameter("sequence"), _BATCH_FIRST, Parameter("padding_value", 0.0), Parameter("total_length", None))
_PAD = (
    Parameter("sequences"),
    _BATCH_FIRST,
    Parameter("padding_value", 0.0),
    Parameter("padding_side", "right"),
)
_PACK = (Parameter("sequences"), Parameter("enforce_sorted", True))
_UNPACK = (Parameter("packed_sequences"),)
_UNPAD = (Parameter("padded_sequences"), Parameter("lengths"), _BATCH_FIRST)

FUNCTIONS: dict[str, Callable[[tuple[Operand, ...], Mapping[str, Operand]], Outcome]] = {
    f"torch.nn.utils.rnn.{function.__name__}": function
    for function in (
        pack_padded_sequence,
        pad_packed_sequence,
        pad_sequence,
        pack_sequence,
        unpack_sequence,
        unpad_sequence,
    )
}
"""The functions of torch.nn.utils.rnn by their full names."""
