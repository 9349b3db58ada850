"""The tensors in a nest of arguments or results, each with the name that a person would write for it.

    >>> [leaf.name for leaf in leaves((torch.zeros(2), {"h": torch.zeros(3)}), "output")]
    ['output[0]', "output['h']"]

A PackedSequence is one leaf: its `value` is the padded tensor, batch first, and its `packing` says how to pack it again.
"""

from __future__ import annotations

import copy
import dataclasses
import inspect
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

DEEPEST: Final = 20


@dataclass(frozen=True, slots=True)
class Packing:
    """How a padded tensor (batch, time, …) lies in a PackedSequence."""

    lengths: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None

    @staticmethod
    def of(packed: PackedSequence) -> Packing:
        """The packing of a sequence, with its lengths in the order of the samples."""
        _, lengths = pad_packed_sequence(packed)
        return Packing(lengths, packed.batch_sizes, packed.sorted_indices, packed.unsorted_indices)

    def rows(self) -> tuple[Tensor, Tensor]:
        """The sample and the step of each row of the packed data."""
        steps = torch.repeat_interleave(torch.arange(len(self.batch_sizes)), self.batch_sizes)
        places = torch.cat([torch.arange(int(size)) for size in self.batch_sizes])
        if self.sorted_indices is not None:
            places = self.sorted_indices.cpu()[places]
        return places, steps

    def pack(self, padded: Tensor) -> PackedSequence:
        """A padded tensor packed as the original was, or anew where it has fewer samples than that."""
        if len(padded) < len(self.lengths):
            lengths = self.lengths[: len(padded)]
            return pack_padded_sequence(padded, lengths, batch_first=True, enforce_sorted=False)
        samples, steps = self.rows()
        data = padded[samples.to(padded.device), steps.to(padded.device)]
        return PackedSequence(data, self.batch_sizes, self.sorted_indices, self.unsorted_indices)


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """One tensor of a nest: `state[0]`, `batch['tokens']`."""

    name: str
    value: Tensor
    packing: Packing | None = None


def leaves(nest: object, name: str) -> list[Leaf]:
    """Every tensor in a nest of tuples, lists, mappings and dataclasses, in order."""
    found: list[Leaf] = []

    def keep(leaf: Leaf) -> Tensor:
        found.append(leaf)
        return leaf.value

    rebuilt(nest, name, keep)
    return found


def rebuilt(nest: object, name: str, replace: Callable[[Leaf], Tensor], depth: int = 0) -> Any:
    """A copy of a nest with each tensor replaced; what holds no tensors is kept as it is."""
    if depth > DEEPEST:
        return nest
    match nest:
        case Tensor():
            return replace(Leaf(name, nest))
        case PackedSequence():
            padded, _ = pad_packed_sequence(nest, batch_first=True)
            packing = Packing.of(nest)
            return packing.pack(replace(Leaf(name, padded, packing)))
        case tuple():
            items = [rebuilt(item, label, replace, depth + 1) for item, label in _labelled(nest, name)]
            return type(nest)(*items) if hasattr(nest, "_fields") else tuple(items)
        case list():
            return [rebuilt(item, label, replace, depth + 1) for item, label in _labelled(nest, name)]
        case Mapping():
            changed = {key: rebuilt(item, f"{name}[{key!r}]", replace, depth + 1) for key, item in nest.items()}
            if type(nest) is dict or not isinstance(nest, MutableMapping):
                return changed
            mapping = copy.copy(nest)
            mapping.update(changed)
            return mapping
    if dataclasses.is_dataclass(nest) and not isinstance(nest, type):
        clone = copy.copy(nest)
        for field in dataclasses.fields(nest):
            item = getattr(nest, field.name, None)
            object.__setattr__(clone, field.name, rebuilt(item, f"{name}.{field.name}", replace, depth + 1))
        return clone
    return nest


def _labelled(items: tuple[Any, ...] | list[Any], name: str) -> list[tuple[Any, str]]:
    fields = getattr(items, "_fields", None)
    if fields is not None:
        return [(item, f"{name}.{field}") for item, field in zip(items, fields, strict=True)]
    return [(item, f"{name}[{number}]") for number, item in enumerate(items)]


def argument_names(signature: inspect.Signature | None, count: int) -> list[str]:
    """What the callable calls its first `count` positional arguments."""
    names: list[str] = []
    for parameter in signature.parameters.values() if signature is not None else ():
        match parameter.kind:
            case inspect.Parameter.POSITIONAL_ONLY | inspect.Parameter.POSITIONAL_OR_KEYWORD:
                names.append(parameter.name)
            case inspect.Parameter.VAR_POSITIONAL:
                names += [f"{parameter.name}[{number}]" for number in range(count - len(names))]
    names += [f"input {number}" for number in range(len(names), count)]
    return names[:count]
