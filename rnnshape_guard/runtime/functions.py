"""From the functions that torch hands to a mode to the operations of the table: ``Tensor.permute``, ``torch.cat``."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import torch

from rnnshape_guard import ops
from rnnshape_guard.layers import FUNCTIONAL_LOSSES


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """An operation, and whether its two operands come in the other order (``1 - x`` is ``x.__rsub__(1)``)."""

    operation: ops.Operation
    swapped: bool = False


_NAMES: Final = {
    "__and__": "bitwise_and",
    "__or__": "bitwise_or",
    "__xor__": "bitwise_xor",
    "__eq__": "eq",
    "__ne__": "ne",
    "__lt__": "lt",
    "__le__": "le",
    "__gt__": "gt",
    "__ge__": "ge",
    "__add__": "add",
    "__sub__": "sub",
    "__mul__": "mul",
    "__truediv__": "div",
    "__div__": "div",
    "__floordiv__": "floor_divide",
    "__mod__": "remainder",
    "__pow__": "pow",
    "__matmul__": "matmul",
    "__iadd__": "add_",
    "__isub__": "sub_",
    "__imul__": "mul_",
    "__itruediv__": "div_",
    "__idiv__": "div_",
    "__neg__": "neg",
    "__abs__": "abs",
    "__invert__": "bitwise_not",
}
_SWAPPED: Final = {
    "__rsub__": "sub",
    "__rdiv__": "div",
    "__rtruediv__": "div",
    "__rfloordiv__": "floor_divide",
    "__rmod__": "remainder",
    "__rpow__": "pow",
    "__rmatmul__": "matmul",
    "__radd__": "add",
    "__rmul__": "mul",
}


@cache
def losses() -> dict[Any, str]:
    """The loss functions themselves, with their names."""
    return {getattr(torch.nn.functional, name): name for name in FUNCTIONAL_LOSSES}


@cache
def table() -> dict[Any, Known]:
    """Every function that torch may hand to a mode and that the table of operations knows."""
    found: dict[Any, Known] = {}
    for path in sorted(ops.paths()):
        front, _, name = path.rpartition(".")
        for spelled in (path, f"{path}_"):
            operation = ops.find(spelled)
            function = _function(front, name + spelled[len(path) :])
            if operation is not None and function is not None:
                found.setdefault(function, Known(operation))
    for names, swapped in ((_NAMES, False), (_SWAPPED, True)):
        for special, name in names.items():
            operation = ops.find(f"Tensor.{name}")
            function = _function("Tensor", special)
            if operation is not None and function is not None:
                found.setdefault(function, Known(operation, swapped))
    return found


def _function(front: str, name: str) -> Any:
    """The object that a path names, None if this torch has none."""
    if front == "Tensor":
        found = getattr(torch.Tensor, name, None)
        return getattr(found, "__get__", None) if _is_property(name) else found
    if not front.startswith("torch") or front in ("torch.autograd", "torch.cuda", "torch.nn", "torch.nn.parameter"):
        return None
    try:
        found = getattr(importlib.import_module(front), name, None)
    except ImportError:
        return None
    return found if callable(found) and not isinstance(found, type) else None


def _is_property(name: str) -> bool:
    return not callable(getattr(torch.Tensor, name, None))


@cache
def sizes_read() -> dict[Any, str]:
    """What reads sizes off a tensor and makes no tensor."""
    return {
        torch.Tensor.shape.__get__: "shape",  # type: ignore[attr-defined]
        torch.Tensor.size: "size",
        torch.Tensor.numel: "numel",
        torch.Tensor.nelement: "numel",
        torch.numel: "numel",
    }


@cache
def unseen() -> frozenset[Any]:
    """What says nothing of axes: devices, types, ranks, flags."""
    names = (
        "device dtype layout is_cuda requires_grad grad_fn is_leaf ndim names is_sparse is_quantized itemsize nbytes"
    )
    getters = (getattr(torch.Tensor, name).__get__ for name in names.split() if hasattr(torch.Tensor, name))
    methods = "dim ndimension is_contiguous stride element_size data_ptr __len__ __hash__ __repr__ __str__ __format__"
    methods += " is_floating_point is_complex storage_offset untyped_storage get_device requires_grad_ retain_grad"
    methods += " register_hook backward __bool__ __int__ __float__ __index__ __contains__ __deepcopy__ item tolist"
    return frozenset(
        (*getters, *(getattr(torch.Tensor, name) for name in methods.split() if hasattr(torch.Tensor, name)))
    )


def tensors_in(value: Any, depth: int = 0) -> Iterator[torch.Tensor]:
    """The tensors in nested tuples, lists and dicts."""
    if isinstance(value, torch.Tensor):
        yield value
    elif depth < 4 and isinstance(value, tuple | list):
        for item in value:
            yield from tensors_in(item, depth + 1)
    elif depth < 4 and isinstance(value, dict):
        for item in value.values():
            yield from tensors_in(item, depth + 1)


GETITEM: Final[Callable[..., Any]] = torch.Tensor.__getitem__
UNBIND: Final[Callable[..., Any]] = torch.Tensor.unbind
