"""Runs a model again and again from one and the same state, and puts it back."""

from __future__ import annotations

import contextlib
import inspect
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn.modules.module import (
    register_module_forward_hook,
    register_module_forward_pre_hook,
)

from rnnshape_guard.runtime.probing.leaves import Leaf, argument_names, leaves, rebuilt
from rnnshape_guard.runtime.probing.restoring import Keeper, RandomStates, keep_callable, seed_everything


@dataclass(frozen=True, slots=True)
class RecurrentCall:
    """One call of a recurrent layer or cell in a run: the layer and what it was given and gave back."""

    layer: nn.Module
    given: Any
    result: Any


@dataclass(frozen=True, slots=True)
class Folded:
    """An axis of an output that holds the batch together with `beside` other places, samples outermost or innermost."""

    axis: int
    beside: int
    batch_outermost: bool

    def unfold(self, value: Tensor) -> Tensor:
        """The tensor with the axis cut in two; as it is where it does not divide."""
        if value.dim() <= self.axis or not value.shape[self.axis] or value.shape[self.axis] % self.beside:
            return value
        sizes = (-1, self.beside) if self.batch_outermost else (self.beside, -1)
        return torch.unflatten(value, self.axis, sizes)

    @property
    def batch(self) -> int:
        """The batch axis of the unfolded tensor."""
        return self.axis if self.batch_outermost else self.axis + 1

    @property
    def other(self) -> int:
        """The axis of the unfolded tensor that the batch was folded with."""
        return self.axis + 1 if self.batch_outermost else self.axis


class Runner:
    """A model or function with its inputs, run from the same random state and the same state of the model each time.

    Use it as a context: when it ends, the model and the random states are as they were when it began.
    """

    def __init__(self, model: Callable[..., Any], inputs: Sequence[Any], named: Mapping[str, Any], seed: int) -> None:
        self.model = model
        self.signature = signature_of(model)
        self._inputs = tuple(inputs)
        self._named = dict(named)
        self._seed = seed
        self._names = argument_names(self.signature, len(self._inputs))
        self._random = RandomStates()
        self._keeper = Keeper()
        self._roots: dict[str, nn.Module] = {}
        self._called: dict[int, nn.Module] = {}
        self._warned = False
        self._adjustments: Sequence[Callable[[], None]] = ()
        self._needs_gradients = False
        self.folded: dict[str, Folded] = {}
        self.on_run: Callable[[], None] | None = None

    def __enter__(self) -> Self:
        keep_callable(self.model, self._keeper, self._roots)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._keeper.restore()
        self._random.restore()

    @property
    def inputs(self) -> list[Leaf]:
        """Every tensor among the inputs."""
        found: list[Leaf] = []
        for name, value in self._arguments():
            found += leaves(value, name)
        return found

    def run(self, changed: Mapping[str, Tensor] | None = None, *, gradients: bool = False, seed: int = 0) -> list[Leaf]:
        """The tensors in the result, from the kept state, with some inputs replaced by name.

        `seed` is added to the probe's own. Raises what the model raises.
        """
        if self.on_run is not None:
            self.on_run()
        self._keeper.restore()
        for adjust in self._adjustments:
            adjust()
        seed_everything(self._seed + seed)
        replaced = changed or {}

        def fresh(leaf: Leaf) -> Tensor:
            return replaced.get(leaf.name, leaf.value).detach().clone().requires_grad_(leaf.value.requires_grad)

        arguments = [rebuilt(value, name, fresh) for name, value in self._arguments()]
        positional, keywords = arguments[: len(self._inputs)], arguments[len(self._inputs) :]
        mode = torch.enable_grad() if gradients or self._needs_gradients else torch.no_grad()
        with mode, self._quiet():
            result = self.model(*positional, **dict(zip(self._named, keywords, strict=True)))
        found = [self._unfolded(leaf) for leaf in leaves(result, "output")]
        return found if gradients else [Leaf(leaf.name, leaf.value.detach().clone(), leaf.packing) for leaf in found]

    def _unfolded(self, leaf: Leaf) -> Leaf:
        folded = self.folded.get(leaf.name)
        return leaf if folded is None else Leaf(leaf.name, folded.unfold(leaf.value), leaf.packing)

    def first_run(self) -> list[Leaf]:
        """A run that also notes which modules are called; what they keep is kept before they are."""
        thread = threading.get_ident()

        def note(module: nn.Module, _: object) -> None:
            if threading.get_ident() == thread and id(module) not in self._called:
                self._called[id(module)] = module
                self._keeper.keep(module)

        handle = register_module_forward_pre_hook(note)
        try:
            return self._without_gradients_or_with()
        finally:
            handle.remove()

    def _without_gradients_or_with(self) -> list[Leaf]:
        """A run without gradients, or with them for what takes gradients itself, such as a training step."""
        try:
            return self.run()
        except RuntimeError as error:
            if "grad" not in str(error):
                raise
        self._needs_gradients = True
        return self.run()

    @contextlib.contextmanager
    def adjusted(self, adjustments: Sequence[Callable[[], None]]) -> Iterator[None]:
        """While it lasts, each run begins with these changes to the model."""
        self._adjustments = adjustments
        try:
            yield
        finally:
            self._adjustments = ()

    def named_modules(self) -> dict[str, nn.Module]:
        """Every module that the run reaches, by its path; those not found in the function's names by their class."""
        found: dict[str, nn.Module] = {}
        seen: set[int] = set()
        roots = self._roots
        outer = {name: root for name, root in roots.items() if not self._is_inside(root, name)}
        reached = set(self._called)
        for name, root in outer.items():
            inner = list(root.named_modules())
            if name and not any(id(module) in reached for _, module in inner):
                continue
            for path, module in inner:
                if id(module) not in seen:
                    seen.add(id(module))
                    found[".".join(part for part in (name, path) if part)] = module
        for module in self._called.values():
            if id(module) not in seen:
                seen.add(id(module))
                found[type(module).__name__] = module
        return found

    def called(self, kind: type[nn.Module] | tuple[type[nn.Module], ...]) -> list[nn.Module]:
        """The modules of a kind that the first run called."""
        return [module for module in self._called.values() if isinstance(module, kind)]

    def _is_inside(self, module: nn.Module, name: str) -> bool:
        others = (root for other, root in self._roots.items() if other != name)
        return any(module is inner for root in others for inner in root.modules() if inner is not root)

    def _arguments(self) -> Iterator[tuple[str, Any]]:
        yield from zip(self._names, self._inputs, strict=True)
        yield from self._named.items()

    @contextlib.contextmanager
    def _quiet(self) -> Iterator[None]:
        """What a program warns of is heard once, in the first run."""
        if not self._warned:
            self._warned = True
            yield
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield


@contextlib.contextmanager
def recurrent_calls(into: list[RecurrentCall]) -> Iterator[None]:
    """Collects the calls of recurrent layers and cells in this thread."""
    thread = threading.get_ident()

    def note(module: nn.Module, given: Any, result: Any) -> None:
        if isinstance(module, (nn.RNNBase, nn.RNNCellBase)) and threading.get_ident() == thread:
            into.append(RecurrentCall(module, given, result))

    handle = register_module_forward_hook(note)
    try:
        yield
    finally:
        handle.remove()


def signature_of(model: Callable[..., Any]) -> inspect.Signature | None:
    """The signature of a function, or of a module's forward; None where it has none to show."""
    function = model.forward if isinstance(model, nn.Module) else model
    for resolved in (True, False):
        try:
            return inspect.signature(function, eval_str=resolved)
        except Exception:  # noqa: BLE001 - annotations are code, and may raise anything
            continue
    return None
