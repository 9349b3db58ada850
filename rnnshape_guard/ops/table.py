"""One table from the names of operations to what they do.

A row names a rule, its kind, the paths it answers to and its signature in PyTorch's words. A path is ``Tensor.permute``
for a method or attribute, ``torch.permute`` for a function, and so on by module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from rnnshape_guard.ops import combine, elementwise, matmul, measure, reorder, reshape, select
from rnnshape_guard.ops.operands import wrong_type
from rnnshape_guard.ops.operation import Kind, Operation, Rule, parameters
from rnnshape_guard.shapes.axes import Shape
from rnnshape_guard.shapes.outcomes import UNKNOWN, Named, Operand, Outcome, Packed, Unknown

Row = tuple[Rule, Kind, str, str]

_REORDER: tuple[Row, ...] = (
    (reorder.permute, Kind.REORDER, "Tensor.permute torch.permute", "input, *dims"),
    (
        reorder.transpose,
        Kind.REORDER,
        "Tensor.transpose Tensor.swapaxes Tensor.swapdims torch.transpose torch.swapaxes torch.swapdims",
        "input, dim0, dim1",
    ),
    (
        reorder.movedim,
        Kind.REORDER,
        "Tensor.movedim Tensor.moveaxis torch.movedim torch.moveaxis",
        "input, source, destination",
    ),
    (reorder.t, Kind.REORDER, "Tensor.t torch.t", "input"),
    (reorder.reversed_axes, Kind.REORDER, "Tensor.T", "input"),
    (reorder.matrix_transpose, Kind.REORDER, "Tensor.mT", "input"),
    (reorder.flip, Kind.REORDER, "Tensor.flip torch.flip", "input, *dims"),
    (reorder.roll, Kind.REORDER, "Tensor.roll torch.roll", "input, shifts, dims=None"),
)

_RESHAPE: tuple[Row, ...] = (
    (reshape.view, Kind.RESHAPE, "Tensor.view", "input, *size"),
    (reshape.reshape, Kind.RESHAPE, "Tensor.reshape torch.reshape", "input, *shape"),
    (reshape.view_as, Kind.RESHAPE, "Tensor.view_as", "input, other"),
    (reshape.reshape_as, Kind.RESHAPE, "Tensor.reshape_as", "input, other"),
    (reshape.flatten, Kind.RESHAPE, "Tensor.flatten torch.flatten", "input, start_dim=0, end_dim=-1"),
    (reshape.ravel, Kind.RESHAPE, "Tensor.ravel torch.ravel", "input"),
    (reshape.unflatten, Kind.RESHAPE, "Tensor.unflatten torch.unflatten", "input, dim, sizes"),
    (reshape.squeeze, Kind.RESHAPE, "Tensor.squeeze torch.squeeze", "input, dim=None"),
    (reshape.unsqueeze, Kind.RESHAPE, "Tensor.unsqueeze torch.unsqueeze", "input, dim"),
    (reshape.expand, Kind.RESHAPE, "Tensor.expand", "input, *size"),
    (reshape.expand_as, Kind.RESHAPE, "Tensor.expand_as", "input, other"),
    (reshape.broadcast_to, Kind.RESHAPE, "Tensor.broadcast_to torch.broadcast_to", "input, *shape"),
    (reshape.repeat, Kind.RESHAPE, "Tensor.repeat", "input, *repeats"),
    (reshape.tile, Kind.RESHAPE, "Tensor.tile torch.tile", "input, *dims"),
    (
        reshape.repeat_interleave,
        Kind.RESHAPE,
        "Tensor.repeat_interleave torch.repeat_interleave",
        "input, repeats, dim=None",
    ),
)

_COMBINE: tuple[Row, ...] = (
    (combine.cat, Kind.COMBINE, "torch.cat torch.concat torch.concatenate", "tensors, dim=0"),
    (combine.stack, Kind.COMBINE, "torch.stack", "tensors, dim=0"),
    (combine.hstack, Kind.COMBINE, "torch.hstack", "tensors"),
    (combine.vstack, Kind.COMBINE, "torch.vstack torch.row_stack", "tensors"),
    (combine.dstack, Kind.COMBINE, "torch.dstack", "tensors"),
    (combine.chunk, Kind.SELECT, "Tensor.chunk torch.chunk", "input, chunks, dim=0"),
    (combine.split, Kind.SELECT, "Tensor.split", "input, split_size, dim=0"),
    (combine.split, Kind.SELECT, "torch.split", "input, split_size, dim=0"),
    (
        combine.tensor_split,
        Kind.SELECT,
        "Tensor.tensor_split torch.tensor_split",
        "input, indices_or_sections, dim=0",
    ),
    (combine.unbind, Kind.SELECT, "Tensor.unbind torch.unbind", "input, dim=0"),
)

_SELECT: tuple[Row, ...] = (
    (select.select, Kind.SELECT, "Tensor.select torch.select", "input, dim, index"),
    (select.narrow, Kind.SELECT, "Tensor.narrow torch.narrow", "input, dim, start, length"),
)

_MEASURE: tuple[Row, ...] = (
    (measure.size, Kind.MEASURE, "Tensor.size", "input, dim=None"),
    (measure.shape, Kind.MEASURE, "Tensor.shape", "input"),
    (measure.dim, Kind.MEASURE, "Tensor.dim Tensor.ndim Tensor.ndimension", "input"),
    (measure.numel, Kind.MEASURE, "Tensor.numel Tensor.nelement torch.numel", "input"),
    (measure.length, Kind.MEASURE, "Tensor.__len__", "input"),
    (measure.value, Kind.MEASURE, "Tensor.item Tensor.tolist", "input"),
)

_CONTRACT: tuple[Row, ...] = (
    (matmul.matmul, Kind.CONTRACT, "Tensor.matmul torch.matmul torch.linalg.matmul", "input, other"),
    (matmul.bmm, Kind.CONTRACT, "Tensor.bmm torch.bmm", "input, mat2"),
    (matmul.mm, Kind.CONTRACT, "Tensor.mm torch.mm", "input, mat2"),
    (matmul.mv, Kind.CONTRACT, "Tensor.mv torch.mv", "input, vec"),
    (matmul.dot, Kind.CONTRACT, "Tensor.dot torch.dot", "input, tensor"),
    (matmul.outer, Kind.CONTRACT, "Tensor.outer torch.outer torch.ger", "input, vec2"),
    (matmul.addmm, Kind.CONTRACT, "Tensor.addmm torch.addmm", "input, mat1, mat2"),
    (matmul.baddbmm, Kind.CONTRACT, "Tensor.baddbmm torch.baddbmm", "input, batch1, batch2"),
    (matmul.einsum, Kind.CONTRACT, "torch.einsum", "equation, *operands"),
)

_ROWS: tuple[Row, ...] = (*_REORDER, *_RESHAPE, *_COMBINE, *_SELECT, *_MEASURE, *_CONTRACT, *elementwise.ROWS)

_BY_PATH: dict[str, Row] = {path: row for row in _ROWS for path in row[2].split()}


@cache
def find(path: str) -> Operation | None:
    """The operation of a path, or None. ``Tensor.relu_`` is ``Tensor.relu`` in place."""
    row = _BY_PATH.get(path)
    if row is not None:
        rule, kind, _, signature = row
        return Operation(path, kind, parameters(signature), _applying(rule, path, signature))
    if path.endswith("_") and not path.endswith("__"):
        found = find(path[:-1])
        return None if found is None else found.in_place()
    return None


def paths() -> frozenset[str]:
    """Every path that `find` answers to, without the in-place variants."""
    return frozenset(_BY_PATH)


def _applying(rule: Rule, path: str, signature: str) -> Callable[[Mapping[str, Operand]], Outcome]:
    """The rule on bound arguments. A first operand `input` is a tensor by the time the rule sees it."""
    is_function = not path.startswith("Tensor.")

    def apply(bound: Mapping[str, Operand]) -> Outcome:
        return rule(**bound)

    def apply_on_tensor(bound: Mapping[str, Operand]) -> Outcome:
        match bound["input"]:
            case Shape():
                return rule(**bound)
            case Unknown():
                return Outcome(Shape.unknown() if is_function and not _makes_no_tensor(path) else UNKNOWN)
            case Packed():
                return Outcome(UNKNOWN, (wrong_type("input", "a packed sequence where a tensor is needed"),))
            case tuple() | Named() | None | str():
                return Outcome(UNKNOWN, (wrong_type("input", "not a tensor"),))
            case _:
                return Outcome(UNKNOWN)

    return apply_on_tensor if signature.split(",")[0] == "input" else apply


_SEQUENCES = frozenset({"torch.split", "torch.chunk", "torch.tensor_split", "torch.unbind", "torch.numel"})


def _makes_no_tensor(path: str) -> bool:
    """Whether a function's result is a number or a tuple, so that nothing is known of an unknown operand's."""
    return path in _SEQUENCES
