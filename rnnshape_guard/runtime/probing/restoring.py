"""Puts a model back as it was: parameters, buffers, gradients, modes, state kept on modules, and every random state.

A probe runs a model many times. Each run has to start where the first one did, and the last has to leave no trace; a
hidden state kept on a module, a step counter or BatchNorm's running mean would otherwise make two runs differ.
"""

from __future__ import annotations

import functools
import inspect
import random
import sys
import types
from collections import deque
from collections.abc import Callable, Iterable, Iterator, MutableMapping, MutableSequence, MutableSet
from typing import Any, Final

import torch
from torch import Tensor, nn

Undo = Callable[[], None]
DEEPEST: Final = 12
OBJECT: Final = 4
"""How many levels an object counts for: what hangs together over many objects is a program, not a model's state."""
MOST_HELD: Final = 10_000
"""What holds more than this is data, such as a vocabulary: its places are put back, and not what each of them holds."""
_OUT_OF_REACH: Final = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.CodeType)


class Keeper:
    """Remembers values by identity and puts their contents back."""

    def __init__(self) -> None:
        self._undo: list[Undo] = []
        # The kept objects themselves, so that no identity is used a second time while this lives.
        self._kept: dict[int, object] = {}

    def keep(self, value: object, depth: int = 0) -> None:
        """Remember a value and what it holds: tensors, modules, containers, plain objects, random generators."""
        if depth > DEEPEST or value is None or isinstance(value, (bool, int, float, complex, str, bytes)):
            return
        if isinstance(value, _OUT_OF_REACH) or id(value) in self._kept:
            return
        self._kept[id(value)] = value
        match value:
            case Tensor():
                self._keep_tensor(value, depth)
            case nn.Module():
                # However deep modules stand in one another, each is looked into as the first is.
                self.keep(value.__dict__)
            case torch.Generator():
                self._keep_generator(value)
            case random.Random():
                self._undo.append(functools.partial(value.setstate, value.getstate()))
            case MutableMapping():
                self._keep_mapping(value, depth)
            case MutableSequence():
                self._keep_sequence(value, depth)
            case MutableSet():
                self._keep_set(value)
            case tuple() | frozenset():
                self._keep_all(value, depth)
            case functools.partial():
                self._keep_all((value.func, *value.args, *value.keywords.values()), depth)
            case types.MethodType():
                self.keep(value.__self__, depth + 1)
            case _:
                self._keep_object(value, depth)

    def restore(self) -> None:
        """Put back everything that was kept."""
        for undo in self._undo:
            undo()

    def _keep_all(self, values: Iterable[object], depth: int) -> None:
        held = list(values)
        if len(held) > MOST_HELD:
            return
        for value in held:
            self.keep(value, depth + 1)

    def _keep_tensor(self, tensor: Tensor, depth: int) -> None:
        content = tensor.detach().clone()
        needs_gradient = tensor.requires_grad
        is_leaf = tensor.is_leaf

        def undo() -> None:
            # Versions do not tell: neither `.data` nor BatchNorm's kernels raise them.
            if tensor.shape != content.shape or not torch.equal(tensor, content):
                _overwrite(tensor, content)
            if is_leaf and tensor.is_leaf and tensor.requires_grad != needs_gradient:
                tensor.requires_grad_(needs_gradient)

        self._undo.append(undo)
        if is_leaf:
            self._keep_gradient(tensor, depth)

    def _keep_gradient(self, tensor: Tensor, depth: int) -> None:
        gradient = tensor.grad
        if gradient is not None:
            self.keep(gradient, depth + 1)

        def undo() -> None:
            if tensor.grad is not gradient:
                tensor.grad = gradient

        self._undo.append(undo)

    def _keep_generator(self, generator: torch.Generator) -> None:
        state = generator.get_state()
        self._undo.append(lambda: _discard(generator.set_state(state)))

    def _keep_mapping(self, mapping: MutableMapping[Any, Any], depth: int) -> None:
        items = list(mapping.items())
        self._keep_all((value for _, value in items), depth)

        def undo() -> None:
            now = list(mapping.items())
            if len(now) == len(items) and all(a is c and b is d for (a, b), (c, d) in zip(now, items, strict=True)):
                return
            mapping.clear()
            for key, value in items:
                mapping[key] = value

        self._undo.append(undo)

    def _keep_sequence(self, sequence: MutableSequence[Any], depth: int) -> None:
        items = list(sequence)
        if not isinstance(sequence, (bytearray, memoryview)):
            self._keep_all(items, depth)

        def undo() -> None:
            if len(sequence) == len(items) and all(a is b for a, b in zip(sequence, items, strict=True)):
                return
            if isinstance(sequence, deque):
                sequence.clear()
                sequence.extend(items)
            else:
                sequence[:] = items

        self._undo.append(undo)

    def _keep_set(self, values: MutableSet[Any]) -> None:
        items = list(values)

        def undo() -> None:
            values.clear()
            for item in items:
                values.add(item)

        self._undo.append(undo)

    def _keep_object(self, value: object, depth: int) -> None:
        if _is_numpy_generator(value):
            bits: Any = getattr(value, "bit_generator", None) or getattr(value, "_bit_generator", value)
            state = bits.state
            self._undo.append(lambda: setattr(bits, "state", state))
            return
        attributes = getattr(value, "__dict__", None)
        if isinstance(attributes, dict) and not _is_elsewhere(value):
            self.keep(attributes, depth + OBJECT)


class RandomStates:
    """The random states of torch (and its accelerators), numpy and python, as they are now."""

    def __init__(self) -> None:
        self._undo: list[Undo] = []
        state = torch.get_rng_state()
        self._undo.append(lambda: torch.set_rng_state(state))
        if torch.cuda.is_available() and torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
            states = torch.cuda.get_rng_state_all()
            self._undo.append(lambda: torch.cuda.set_rng_state_all(states))
        if torch.backends.mps.is_available():
            mps = torch.mps.get_rng_state()
            self._undo.append(lambda: torch.mps.set_rng_state(mps))
        python = random.getstate()
        self._undo.append(lambda: random.setstate(python))
        numpy = sys.modules.get("numpy")
        if numpy is not None:
            old = numpy.random.get_state()
            self._undo.append(lambda: numpy.random.set_state(old))

    def restore(self) -> None:
        """Put every random state back."""
        for undo in self._undo:
            undo()


def seed_everything(seed: int) -> None:
    """Seed torch, python and, where it is imported, numpy; an accelerator only once it is in use."""
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_available() and torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.manual_seed_all(seed)
    if torch.backends.mps.is_available():
        torch.mps.manual_seed(seed)
    random.seed(seed)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(seed % 2**32)


def keep_callable(function: object, keeper: Keeper, found: dict[str, nn.Module], depth: int = 0) -> None:
    """Keep what a function can reach: its object, its closure, the globals that it names; the modules by their names."""
    if depth > DEEPEST:
        return
    match function:
        case nn.Module():
            found.setdefault("", function)
            keeper.keep(function)
        case functools.partial():
            for value in (function.func, *function.args, *function.keywords.values()):
                _keep_named("", value, keeper, found, depth)
        case types.MethodType():
            if isinstance(function.__self__, nn.Module):
                found.setdefault("", function.__self__)
            _keep_named("", function.__self__, keeper, found, depth)
            keep_callable(function.__func__, keeper, found, depth + 1)
        case types.FunctionType():
            for name, value in _reached(function):
                _keep_named(name, value, keeper, found, depth)
            _keep_variables(function, keeper)
        case _:
            call = vars(type(function)).get("__call__")
            keeper.keep(function)
            _find_modules(function, "", found)
            if isinstance(call, types.FunctionType):
                keep_callable(call, keeper, found, depth + 1)


def _keep_named(name: str, value: object, keeper: Keeper, found: dict[str, nn.Module], depth: int) -> None:
    match value:
        case nn.Module():
            if all(value is not other for other in found.values()):
                found[name or type(value).__name__] = value
            keeper.keep(value)
        case types.FunctionType() | types.MethodType() | functools.partial():
            if id(value) not in keeper._kept:
                keeper._kept[id(value)] = value
                keep_callable(value, keeper, found, depth + 1)
        case _:
            keeper.keep(value)
            _find_modules(value, name, found)


def _find_modules(value: object, name: str, found: dict[str, nn.Module]) -> None:
    attributes = getattr(value, "__dict__", None)
    held: Iterable[tuple[str, object]] = ()
    match value:
        case dict():
            held = [(f"{name}[{key!r}]", item) for key, item in value.items()]
        case list() | tuple():
            held = [(f"{name}[{number}]", item) for number, item in enumerate(value)]
        case _ if isinstance(attributes, dict) and not isinstance(value, _OUT_OF_REACH):
            held = [(f"{name}.{key}".lstrip("."), item) for key, item in attributes.items()]
    for label, item in held:
        if isinstance(item, nn.Module) and all(item is not other for other in found.values()):
            found[label] = item


def _reached(function: types.FunctionType) -> Iterator[tuple[str, object]]:
    closure = inspect.getclosurevars(function)
    yield from closure.nonlocals.items()
    yield from closure.globals.items()
    for value in function.__defaults__ or ():
        yield "", value
    yield from (function.__kwdefaults__ or {}).items()


def _keep_variables(function: types.FunctionType, keeper: Keeper) -> None:
    """Names that the function may bind anew: its closure's cells and the globals it names."""
    for cell in function.__closure__ or ():
        try:
            content = cell.cell_contents
        except ValueError:
            continue
        keeper._undo.append(functools.partial(setattr, cell, "cell_contents", content))
    scope = function.__globals__
    named = {name: scope[name] for name in function.__code__.co_names if name in scope}
    keeper._undo.append(lambda: scope.update(named))


def _overwrite(tensor: Tensor, content: Tensor) -> None:
    with torch.inference_mode(tensor.is_inference()):
        if tensor.shape != content.shape:
            tensor.data = content.clone()
        else:
            # Through `.data`, so that a graph which holds this tensor from before can still be run backward.
            tensor.data.copy_(content)


def _is_numpy_generator(value: object) -> bool:
    kind = type(value)
    return kind.__module__.startswith("numpy.random") and kind.__name__ in {"Generator", "RandomState"}


def _is_elsewhere(value: object) -> bool:
    """Whether an object is the business of others: loggers and locks, data sets and their loaders."""
    module = type(value).__module__
    return module.partition(".")[0] in sys.stdlib_module_names or module.startswith("torch.utils.data")


def _discard(_: object) -> None:
    return None
