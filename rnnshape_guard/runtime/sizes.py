"""Sizes that a program reads off a tensor: integers that remember which axis they were read from.

``x.size(0)`` is an ordinary int to the program, and to the tracer the size of one axis of one tensor, through sums,
products and quotients. So a batch of 8 and 8 time steps stay two things.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Self, SupportsIndex

import torch

from rnnshape_guard.shapes.dims import Dim


class Size(int):
    """An int with the size it stands for. `token` is the run it was read in: in another run it is a plain number."""

    dim: Dim
    token: object

    def __new__(cls, value: int, dim: Dim, token: object) -> Self:
        """The number, and what it is the size of."""
        size = super().__new__(cls, value)
        size.dim = dim
        size.token = token
        return size

    def _with(self, other: Any, value: Any, combine: Callable[[Dim, Dim], Dim]) -> Any:
        if value is NotImplemented or isinstance(other, bool) or not isinstance(other, int):
            return value
        if isinstance(other, Size):
            if other.token is not self.token:
                return value
            return Size(value, combine(self.dim, other.dim), self.token)
        return Size(value, combine(self.dim, Dim.of(other)), self.token)

    def __add__(self, other: Any) -> Any:
        return self._with(other, int.__add__(self, other), lambda mine, theirs: mine + theirs)

    def __radd__(self, other: Any) -> Any:
        return self._with(other, int.__radd__(self, other), lambda mine, theirs: theirs + mine)

    def __sub__(self, other: Any) -> Any:
        return self._with(other, int.__sub__(self, other), lambda mine, theirs: mine - theirs)

    def __rsub__(self, other: Any) -> Any:
        return self._with(other, int.__rsub__(self, other), lambda mine, theirs: theirs - mine)

    def __mul__(self, other: Any) -> Any:
        return self._with(other, int.__mul__(self, other), lambda mine, theirs: mine * theirs)

    def __rmul__(self, other: Any) -> Any:
        return self._with(other, int.__rmul__(self, other), lambda mine, theirs: theirs * mine)

    def __floordiv__(self, other: Any) -> Any:
        return self._with(other, int.__floordiv__(self, other), lambda mine, theirs: mine // theirs)

    def __rfloordiv__(self, other: Any) -> Any:
        return self._with(other, int.__rfloordiv__(self, other), lambda mine, theirs: theirs // mine)

    def __neg__(self) -> Any:
        return Size(int.__neg__(self), -self.dim, self.token)

    def __copy__(self) -> int:
        return int(self)

    def __deepcopy__(self, memo: Any) -> int:
        return int(self)

    def __reduce__(self) -> Any:
        return int, (int(self),)

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        return self.__reduce__()


def dim_of(number: int, token: object) -> Dim:
    """The size that an integer stands for in a run."""
    if isinstance(number, Size) and number.token is token:
        return number.dim
    return Dim.of(int(number))


_DEEPEST = 8


def plain(value: Any, depth: int = 0) -> Any:
    """A value with plain integers for sizes that were read from axes; itself where it holds none.

    Lists and dicts of the program are changed where they stand, and dataclasses too; tuples are made anew.
    """
    if type(value) is Size:
        return int(value)
    if depth > _DEEPEST or value is None or isinstance(value, str | bytes | int | float | torch.Tensor):
        return value
    match value:
        case torch.Size():
            return torch.Size([int(item) for item in value]) if any(type(item) is Size for item in value) else value
        case tuple():
            return _plain_tuple(value, depth)
        case list():
            for at, item in enumerate(value):
                cleaned = plain(item, depth + 1)
                if cleaned is not item:
                    value[at] = cleaned
        case dict():
            for key, item in list(value.items()):
                cleaned = plain(item, depth + 1)
                if cleaned is not item:
                    value[key] = cleaned
                if type(key) is Size:
                    value[int(key)] = value.pop(key)
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            for name, item in list(getattr(value, "__dict__", {}).items()):
                cleaned = plain(item, depth + 1)
                if cleaned is not item:
                    object.__setattr__(value, name, cleaned)
    return value


def _plain_tuple(value: tuple[Any, ...], depth: int) -> Any:
    cleaned = [plain(item, depth + 1) for item in value]
    if all(new is old for new, old in zip(cleaned, value, strict=True)):
        return value
    make = getattr(type(value), "_make", None)
    return make(cleaned) if make is not None else tuple(cleaned)


def sweep(module: torch.nn.Module) -> None:
    """Take the marks off everything that a module and its parts keep as attributes."""
    if "_modules" not in vars(module):
        return  # its constructor raised
    for part in module.modules():
        for name, value in list(vars(part).items()):
            if name in ("_parameters", "_buffers", "_modules") or name.endswith("_hooks"):
                continue
            cleaned = plain(value)
            if cleaned is not value:
                part.__dict__[name] = cleaned
