"""What makes two calls alike: the kinds of their arguments, and the model they go through.

Calls of one structure take one path through a model as far as shapes go: the same ranks, dtypes and absences of
arguments, the same axes of size 1, the same mode, the same layers. A structure is traced once.
"""

from __future__ import annotations

import dataclasses
import weakref
from collections.abc import Callable, Hashable
from typing import Any, Final

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence

MOST_ITEMS: Final = 12
"""Items of a sequence that are told apart; of longer ones the first stands for all."""


def structure_of(value: Any) -> Hashable:
    """The structure of an argument: hashable, small, and free of the argument itself."""
    match value:
        case None:
            return None
        case torch.Tensor():
            return type(value), value.dtype, tuple([size == 1 for size in value.shape])
        case PackedSequence():
            return PackedSequence, structure_of(value.data), len(value.batch_sizes) == 1, value.sorted_indices is None
        case bool() | str():
            return value
        case tuple() | list():
            short = value if len(value) <= MOST_ITEMS else value[:1]
            return type(value), len(value) == len(short), tuple([structure_of(one) for one in short])
        case dict() if len(value) <= MOST_ITEMS:
            return type(value), tuple([(_key(key), structure_of(one)) for key, one in value.items()])
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            parts = [
                (field.name, structure_of(getattr(value, field.name, None))) for field in dataclasses.fields(value)
            ]
            return type(value), tuple(parts)
        case _:
            return _type(value)


def _key(key: object) -> Hashable:
    return key if isinstance(key, str | int) else _type(key)


def _type(value: object) -> Hashable:
    kind: Any = type(value)
    return kind  # type: ignore[no-any-return]


# -- the model -------------------------------------------------------------------------------------------------------


def _options(layer: nn.Module) -> Hashable:
    """What a layer of torch.nn was built with: what it lists as its constants."""
    if not type(layer).__module__.startswith("torch."):
        return ()
    names = getattr(type(layer), "__constants__", ())
    return tuple([(name, _plain(vars(layer).get(name))) for name in names])


def _plain(value: Any) -> Hashable:
    if isinstance(value, tuple | list):
        return tuple(map(_plain, value))
    return value if isinstance(value, int | float | str | None) else _type(value)


def fingerprint(model: nn.Module) -> Hashable:
    """A model by value: the path, class, mode and options of all its layers. Copies of a model share it."""
    return tuple(
        [
            (path, type(layer), layer.training, _options(layer))
            for path, layer in model.named_modules(remove_duplicate=False)
        ]
    )


class Known:
    """A model that was seen, and what would have to change for it to be another.

    `mark` is its fingerprint, the same object for equal models. `training` is its mode and `parts` are the ids of its
    parts; `parents` are those of them that have parts too, with the same of each; `layouts` its recurrent layers with their `batch_first`. Nothing is held alive:
    when the model or a part dies, it is forgotten, so that an id means what it meant.
    """

    __slots__ = ("_watched", "layouts", "mark", "parents", "parts", "training")

    def __init__(self, model: nn.Module, mark: Hashable, forget: Callable[[object], None]) -> None:
        self.mark = mark
        layers = list(model.modules())
        self._watched = [weakref.ref(layer, forget) for layer in layers]
        self.training = model.training
        self.parts = tuple(map(id, model._modules.values()))
        self.parents = tuple(
            (weakref.ref(layer), layer.training, tuple(map(id, layer._modules.values())))
            for layer in layers
            if layer._modules and layer is not model
        )
        self.layouts = tuple(
            (weakref.ref(layer), layer.batch_first) for layer in layers if isinstance(layer, nn.RNNBase)
        )

    def unchanged(self, model: nn.Module) -> bool:
        """Whether the mode and the layers are those that were seen."""
        if model.training is not self.training or tuple(map(id, model._modules.values())) != self.parts:
            return False
        for parent, training, parts in self.parents:
            module = parent()
            if module is None or module.training is not training or tuple(map(id, module._modules.values())) != parts:
                return False
        return all(getattr(layer(), "batch_first", None) is layout for layer, layout in self.layouts)


UNCHANGED: Final = """
_g_known = _g_models[id({module})]
if {module}.training is not _g_known.training: {miss}
if tuple(map(id, {module}._modules.values())) != _g_known.parts: {miss}
for _g_parent, _g_training, _g_parts in _g_known.parents:
    _g_module = _g_parent()
    if _g_module.training is not _g_training or tuple(map(id, _g_module._modules.values())) != _g_parts: {miss}
for _g_layer, _g_layout in _g_known.layouts:
    if _g_layer().batch_first is not _g_layout: {miss}
_g_mark = _g_known.mark
"""
"""`Models.mark` for a known model as source text, for generated checks; what it does not know raises."""


class Models:
    """The models that went through one guarded function, by identity, with their fingerprints.

    `mark` is quick for a model that was seen and has not changed. A replica of DataParallel lives for one call, so it is
    known by value alone.
    """

    def __init__(self) -> None:
        self.known: dict[int, Known] = {}
        self._marks: dict[Hashable, Hashable] = {}

    def mark(self, model: Any) -> Hashable:
        """The fingerprint of a model, one object for equal models; None for what is no model."""
        known = self.known.get(id(model))
        if known is not None and known.unchanged(model):
            return known.mark
        return self._look(model)

    def _look(self, model: Any) -> Hashable:
        if not isinstance(model, nn.Module):
            return None
        value = fingerprint(model)
        if len(self._marks) > _MOST_MARKS:
            self._marks.clear()
        mark = self._marks.setdefault(value, value)
        if not getattr(model, "_is_replica", False):
            number, known = id(model), self.known

            def forget(_: object) -> None:
                known.pop(number, None)

            known[number] = Known(model, mark, forget)
        return mark


_MOST_MARKS: Final = 256
