"""Makers of tensors: zeros, randn, arange, tensor, and the `*_like` and `new_*` forms.

An axis sized by another axis's own size (`torch.zeros(layers, x.size(0), hidden)`) shares that axis's evidence.
"""

from __future__ import annotations

from collections.abc import Sequence

from rnnshape_guard.ops.combine import counted, stack
from rnnshape_guard.ops.elementwise import pointwise
from rnnshape_guard.ops.memory import like
from rnnshape_guard.ops.operands import axis_sized, row_of_sizes, size_of
from rnnshape_guard.shapes.axes import UNIT, Axis, Shape
from rnnshape_guard.shapes.dims import Dim
from rnnshape_guard.shapes.outcomes import UNKNOWN, Fault, Many, Misfit, Operand, Outcome, Unknown

_KINDS = {
    "float": "float",
    "double": "float",
    "half": "float",
    "bfloat16": "float",
    "long": "int",
    "int": "int",
    "short": "int",
    "uint8": "int",
    "byte": "int",
    "bool": "bool",
    "bool_": "bool",
}


def dtype_of(operand: Operand, default: str | None) -> str | None:
    """The kind of number that a `dtype` argument names: ``torch.float32``, ``torch.long``; None where it is not known."""
    if operand is None:
        return default
    if not isinstance(operand, str):
        return None
    name = operand.rpartition(".")[2]
    return _KINDS.get(name) or _KINDS.get(name.rstrip("0123456789"))


def made(size: Operand, dtype: str | None) -> Outcome:
    """A contiguous tensor of these sizes."""
    sizes = row_of_sizes(size)
    if sizes is None:
        return Outcome(Shape.unknown(dtype=dtype))
    misfits: tuple[Misfit, ...] = ()
    if any(length is not None and length.value is not None and length.value < 0 for length in sizes):
        misfits = (Misfit(fault=Fault.VALUE, operand="size", detail="a size is negative"),)
    return Outcome(
        Shape(tuple(axis_sized(length, f"axis{index}") for index, length in enumerate(sizes)), True, dtype), misfits
    )


def filled(size: Operand, dtype: Operand = None) -> Outcome:
    """`torch.zeros`, `ones`, `rand`, `randn`, `empty`."""
    return made(() if size is None else size, dtype_of(dtype, "float"))


def full(size: Operand, fill_value: Operand, dtype: Operand = None) -> Outcome:
    """`torch.full`: the kind of number is the value's."""
    kind = "bool" if isinstance(fill_value, bool) else "float" if isinstance(fill_value, float) else None
    return made(size, dtype_of(dtype, kind))


def randint(low: Operand, high: Operand, size: Operand, dtype: Operand = None) -> Outcome:
    """`torch.randint(low, high, size)` or `torch.randint(high, size)`."""
    row = high if size is None and isinstance(high, tuple | Unknown) else size
    return made(row, dtype_of(dtype, "int"))


def random_sized(low: Operand, high: Operand, size: Operand) -> Outcome:
    """`numpy.random.normal(loc, scale, size)` and its kin; a single number where no size is given."""
    del low, high
    return Outcome(UNKNOWN) if size is None else made(size, "float")


def random_scaled(scale: Operand, size: Operand) -> Outcome:
    """`numpy.random.exponential(scale, size)` and its kin."""
    return random_sized(scale, None, size)


def numpy_randint(low: Operand, high: Operand, size: Operand, rest: Operand) -> Outcome:
    """`numpy.random.randint(low, high, size)`, a generator's `integers`."""
    del low, high, rest
    return Outcome(UNKNOWN) if size is None else made(size, "int")


def arange(start: Operand, end: Operand, step: Operand, dtype: Operand = None) -> Outcome:
    """`torch.arange(end)`, `torch.arange(start, end, step)`."""
    kind = "float" if any(isinstance(bound, float) for bound in (start, end, step)) else "int"
    return Outcome(Shape((axis_sized(_counted(start, end, step), "axis0"),), True, dtype_of(dtype, kind)))


def arange_closed(start: Operand, end: Operand, step: Operand, dtype: Operand = None) -> Outcome:
    """`torch.range`, which includes its end."""
    one_more = end + 1 if isinstance(end, Dim) else UNKNOWN
    return arange(start, one_more, step, dtype)


def normal(mean: Operand, std: Operand, size: Operand) -> Outcome:
    """`torch.normal`: of a size, or of the axes of its parameters."""
    if size is not None:
        return made(size, "float")
    return pointwise((mean, std), ("mean", "std"), "float")


def _counted(start: Operand, end: Operand, step: Operand) -> Dim | None:
    if any(isinstance(bound, float) for bound in (start, end, step)):
        return None
    if end is None:
        return size_of(start)
    first, last, stride = size_of(start), size_of(end), size_of(step)
    if first is None or last is None or stride is None:
        return None
    if stride.value == 1:
        return last - first
    numbers = (first.value, last.value, stride.value)
    if None in numbers or stride.value == 0:
        return None
    return Dim.of(len(range(*(number or 0 for number in numbers))))


def linspace(start: Operand, end: Operand, steps: Operand, dtype: Operand = None) -> Outcome:
    """`torch.linspace`: `steps` numbers."""
    del start, end
    return Outcome(Shape((axis_sized(size_of(steps), "axis0"),), True, dtype_of(dtype, "float")))


def eye(n: Operand, m: Operand, dtype: Operand = None) -> Outcome:
    """`torch.eye`: a matrix, square where one size is given."""
    return made((n, n if m is None else m), dtype_of(dtype, "float"))


def randperm(n: Operand) -> Outcome:
    """`torch.randperm`."""
    return Outcome(Shape((axis_sized(size_of(n), "axis0"),), True, "int"))


def from_data(data: Operand, dtype: Operand = None) -> Outcome:
    """`torch.tensor`, `as_tensor`, `from_numpy`: the sizes of nested lists, or another tensor's axes."""
    match data:
        case Shape():
            return Outcome(Shape(data.stored, data.contiguous, dtype_of(dtype, data.dtype), strides=data.strides))
        case tuple():
            return _from_rows(data, dtype)
        case Dim() | bool() | float():
            return Outcome(Shape((), True, dtype_of(dtype, _number(data))))
        case Many(item=Dim() | bool() | float() as item, length=length):
            axis = Axis.new("axis0") if length is None else counted(length, "axis0")
            return Outcome(Shape((axis,), True, dtype_of(dtype, _number(item))))
        case _:
            return Outcome(Shape.unknown(dtype=dtype_of(dtype, None)))


def from_arrays(data: Operand, dtype: Operand = None) -> Outcome:
    """`numpy.array`, `numpy.asarray`: as `from_data`, and a list of arrays becomes one array of them."""
    match data:
        case Many(item=Shape()):
            pass
        case tuple() if data and all(isinstance(item, Shape) and item.rank is not None for item in data):
            pass
        case _:
            return from_data(data, dtype)
    rows = stack(data, Dim.of(0))
    if rows.misfits or not isinstance(rows.result, Shape):
        return Outcome(Shape.unknown(1, dtype=dtype_of(dtype, None)))
    return Outcome(like(rows.result, dtype_of(dtype, rows.result.dtype)), (), rows.equations, closes=rows.closes)


def _number(value: Operand) -> str | None:
    match value:
        case bool():
            return "bool"
        case Dim():
            return "int"
        case float():
            return "float"
        case _:
            return None


def _from_rows(data: tuple[Operand, ...], dtype: Operand) -> Outcome:
    """Nested lists: one axis a level. Rows of different lengths are refused; tensors as entries are not looked at."""
    sizes: list[int] = []
    level: Sequence[Operand] = (data,)
    while level and all(isinstance(item, tuple) for item in level):
        rows = [item for item in level if isinstance(item, tuple)]
        lengths = {len(row) for row in rows}
        if len(lengths) > 1:
            uneven = Misfit(fault=Fault.VALUE, operand="data", detail="rows have different lengths")
            return Outcome(Shape.unknown(dtype=dtype_of(dtype, None)), (uneven,))
        sizes.append(lengths.pop())
        level = [item for row in rows for item in row]
    if not all(isinstance(item, Dim | bool | float) for item in level):
        return Outcome(Shape.unknown(len(sizes), dtype=dtype_of(dtype, None)))
    kinds = {_number(item) for item in level}
    kind = "float" if "float" in kinds or not kinds else "int" if "int" in kinds else "bool"
    row = tuple(UNIT if size == 1 else Axis.new(f"axis{index}", size) for index, size in enumerate(sizes))
    return Outcome(Shape(row, True, dtype_of(dtype, kind)))


def sized_or_data(data: Operand, kind: str) -> Outcome:
    """`torch.FloatTensor(batch, 3)` takes sizes, `torch.FloatTensor([…])` data; of numbers alone nobody can tell."""
    match data:
        case tuple() if any(isinstance(item, Dim) and item.literal is None for item in data):
            return made(data, kind)
        case Shape():
            return Outcome(like(data, kind))
        case _:
            return Outcome(Shape.unknown(dtype=kind))


def float_tensor(data: Operand) -> Outcome:
    """`torch.Tensor`, `torch.FloatTensor`."""
    return sized_or_data(data, "float")


def int_tensor(data: Operand) -> Outcome:
    """`torch.LongTensor`, `torch.IntTensor`."""
    return sized_or_data(data, "int")


def bool_tensor(data: Operand) -> Outcome:
    """`torch.BoolTensor`."""
    return sized_or_data(data, "bool")


def new(input: Shape, data: Operand) -> Outcome:
    """`Tensor.new(*size)`, the old form of `new_empty`."""
    outcome = sized_or_data(data, "float")
    assert isinstance(outcome.result, Shape)
    return Outcome(Shape(outcome.result.stored, outcome.result.contiguous, input.dtype), outcome.misfits)


def alike(input: Shape, dtype: Operand = None, **ignored: Operand) -> Outcome:
    """`torch.zeros_like` and its kin: the same axes."""
    del ignored
    return Outcome(like(input, dtype_of(dtype, input.dtype)))


def new_filled(input: Shape, size: Operand, dtype: Operand = None) -> Outcome:
    """`Tensor.new_zeros(*size)`, `new_ones`, `new_empty`."""
    return made(() if size is None else size, dtype_of(dtype, input.dtype))


def new_full(input: Shape, size: Operand, fill_value: Operand, dtype: Operand = None) -> Outcome:
    """`Tensor.new_full(size, fill_value)`."""
    del fill_value
    return made(size, dtype_of(dtype, input.dtype))


def new_tensor(input: Shape, data: Operand, dtype: Operand = None) -> Outcome:
    """`Tensor.new_tensor(data)`."""
    return from_data(data, UNKNOWN if dtype is None and input.dtype is None else dtype or input.dtype)
