"""Which axes each live tensor has: a weak map beside the tensors, checked against the real ones whenever it is read."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from dataclasses import replace

import torch
from torch.nn.utils.rnn import PackedSequence

from rnnshape_guard.events import Value
from rnnshape_guard.shapes.axes import Atom, Axis, Rest, Shape
from rnnshape_guard.shapes.dims import Dim
from rnnshape_guard.shapes.outcomes import Packed


def kind_of_number(tensor: torch.Tensor) -> str:
    """ "float", "int" or "bool"."""
    if tensor.dtype is torch.bool:
        return "bool"
    return "float" if tensor.dtype.is_floating_point or tensor.dtype.is_complex else "int"


def memory_of(shape: Shape, tensor: torch.Tensor) -> Shape:
    """A shape with what the tensor itself says of its memory and its numbers."""
    dense = tensor.layout is torch.strided
    contiguous = tensor.is_contiguous() if dense else None
    strides = tuple(Dim.of(step) for step in tensor.stride()) if dense and not contiguous else None
    return Shape(shape.stored, contiguous, kind_of_number(tensor), shape.perhaps_packed, strides)


def unknown_shape(tensor: torch.Tensor, names: Iterable[str] = ()) -> Shape:
    """Axes that nothing is known of but their sizes."""
    words = [*names, *(["?"] * tensor.dim())]
    return memory_of(
        Shape(tuple(_measured(word, size) for word, size in zip(words, tensor.shape, strict=False))), tensor
    )


def _measured(word: str, size: int) -> Axis:
    axis = Axis.new(word, size)
    for atom in axis.atoms:
        atom.measured = True
    return axis


def agreed(shape: Shape, tensor: torch.Tensor) -> Shape | None:
    """The shape with the tensor's rank, sizes and memory filled in; None where the two disagree."""
    axes = _axes_for(shape, tensor.dim())
    if axes is None:
        return None
    if not all(_fits(axis, size) for axis, size in zip(axes, tensor.shape, strict=True)):
        return None
    return memory_of(Shape(axes), tensor)


def _axes_for(shape: Shape, rank: int) -> tuple[Axis, ...] | None:
    axes = shape.axes
    if axes is not None:
        return axes if len(axes) == rank else None
    missing = rank - sum(isinstance(part, Axis) for part in shape.parts)
    rest = shape.rest
    if missing < 0 or rest is None or missing < rest.least:
        return None
    rest.solve(tuple(Axis.new("?") for _ in range(missing)))
    return shape.axes


def _fits(axis: Axis, size: int) -> bool:
    """Whether an axis has a size; one atom of unknown size is found to have what is missing."""
    known = axis.size.value
    if known is not None:
        return known == size
    open_atoms = [atom for atom in axis.atoms if atom.size.value is None]
    others = Dim.product(atom.size for atom in axis.atoms if atom.size.value is not None).value
    if len(open_atoms) != 1 or not others or size % others:
        return len(open_atoms) > 1
    return _equate(open_atoms[0], size // others)


def _equate(atom: Atom, size: int) -> bool:
    symbol = atom.symbol
    while symbol.value is not None and symbol.value.symbol is not None:
        symbol = symbol.value.symbol
    if symbol.value is not None:
        return True
    symbol.value = Dim.of(size)
    return True


def kept(shape: Shape, tensor: torch.Tensor) -> Shape:
    """What of a shape can stay where it disagrees with the tensor: axes of the right size in a shape of its rank."""
    axes = shape.axes
    if axes is None or len(axes) != tensor.dim():
        return unknown_shape(tensor)
    row = tuple(
        axis if axis.size.value == size else _measured("?", size) for axis, size in zip(axes, tensor.shape, strict=True)
    )
    return memory_of(Shape(row), tensor)


class Atlas:
    """The values of live tensors and packed sequences. An entry that no longer describes its tensor is dropped."""

    def __init__(self) -> None:
        self._tensors: dict[int, tuple[weakref.ref[torch.Tensor], Value, tuple[int, ...]]] = {}
        self._packed: dict[int, tuple[weakref.ref[torch.Tensor], Value]] = {}

    def find(self, tensor: torch.Tensor) -> Value | None:
        """The value of a tensor, if it is known and still true."""
        entry = self._tensors.get(id(tensor))
        if entry is None:
            return None
        reference, value, sizes = entry
        if reference() is not tensor or sizes != tuple(tensor.shape):
            del self._tensors[id(tensor)]
            return None
        shape = value.shape
        if (
            isinstance(shape, Shape)
            and tensor.layout is torch.strided
            and shape.contiguous is not tensor.is_contiguous()
        ):
            value = replace(value, shape=memory_of(shape, tensor))
            self.note(tensor, value)
        return value

    def note(self, tensor: torch.Tensor, value: Value) -> None:
        """A tensor has these axes from now on."""
        key = id(tensor)

        def forget(reference: weakref.ref[torch.Tensor], key: int = key) -> None:
            entry = self._tensors.get(key)
            if entry is not None and entry[0] is reference:
                del self._tensors[key]

        self._tensors[key] = (weakref.ref(tensor, forget), value, tuple(tensor.shape))

    def forget(self, tensor: torch.Tensor) -> None:
        """Nothing is known of a tensor any more."""
        self._tensors.pop(id(tensor), None)

    def find_packed(self, packed: PackedSequence) -> Value | None:
        """The value of a packed sequence, by the tensor of its steps."""
        entry = self._packed.get(id(packed.data))
        return entry[1] if entry is not None and entry[0]() is packed.data else None

    def note_packed(self, packed: PackedSequence, value: Value) -> None:
        """A packed sequence has these axes."""
        self._packed[id(packed.data)] = (weakref.ref(packed.data), value)


def agreed_packed(shape: Packed, packed: PackedSequence) -> bool:
    """Whether a packed sequence is what was concluded of it; unknown sizes are filled in."""
    steps, batch = len(packed.batch_sizes), int(packed.batch_sizes[0]) if len(packed.batch_sizes) else 0
    features = [part for part in shape.features if isinstance(part, Axis)]
    if not (_fits(shape.batch, batch) and _fits(shape.time, steps)):
        return False
    behind = packed.data.shape[1:]
    if any(isinstance(part, Rest) for part in shape.features) or len(features) != len(behind):
        return any(isinstance(part, Rest) for part in shape.features)
    return all(_fits(axis, size) for axis, size in zip(features, behind, strict=True))


def unknown_packed(packed: PackedSequence) -> Packed:
    """A packed sequence that comes from outside."""
    batch = int(packed.batch_sizes[0]) if len(packed.batch_sizes) else 0
    features = tuple(_measured("?", size) for size in packed.data.shape[1:])
    return Packed(
        _measured("batch", batch),
        _measured("time", len(packed.batch_sizes)),
        features,
        kind_of_number(packed.data),
        Dim.of(batch),
        packed.sorted_indices is None,
    )
