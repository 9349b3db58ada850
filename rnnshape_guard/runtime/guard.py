"""`guard` and what goes with it: on a class, a method, a function, an instance, a block of code or a whole process."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType, TracebackType
from typing import Any, Final, Self, TypeVar, overload

from torch import nn

from rnnshape_guard.runtime import wrapping
from rnnshape_guard.runtime.contracts import contracts_of
from rnnshape_guard.runtime.violations import OnViolation

Guarded = TypeVar("Guarded")

_OFF: Final = frozenset({"0", "off", "no", "false"})
_LAYERS: Final = (nn.RNN, nn.LSTM, nn.GRU, nn.RNNCell, nn.LSTMCell, nn.GRUCell)


def is_off() -> bool:
    """Whether ``RNNSHAPE_GUARD=off`` is set: what is decorated then stays as it is."""
    return os.environ.get("RNNSHAPE_GUARD", "").strip().lower() in _OFF


@overload
def guard(target: Guarded, /, *, strict: bool = False, on_violation: OnViolation = "raise") -> Guarded: ...


@overload
def guard(*, strict: bool = False, on_violation: OnViolation = "raise") -> Callable[[Guarded], Guarded]: ...


def guard(target: Any = None, /, *, strict: bool = False, on_violation: OnViolation = "raise") -> Any:
    """Enforce shapes while a model runs.

        @guard
        class Tagger(nn.Module):
            def forward(self, x: Float[Tensor, "batch time word"]) -> Float[Tensor, "batch time tag"]: ...

    It stands on an nn.Module class (its forward), on a method or a function, or is called with an instance that someone
    else wrote (``guard(model)``, which returns it). Arguments and results are held to their annotations at every call.
    The first call of a new structure (ranks, dtypes, absent arguments, sizes of 1, mode, layers) is traced, and judged by
    the rules of the checker; with `strict` every call is. `on_violation` is ``"raise"``, ``"warn"`` or a function that
    takes the error.

    Raises ShapeContractError when a call breaks a rule, an annotation or a contract. Raises NotationError here for an
    axis string that can't be read, TypeError or ValueError for what can't be guarded.
    """
    if target is None:
        _refuse_bad_options(strict, on_violation)
        return lambda one: guard(one, strict=strict, on_violation=on_violation)
    _refuse_bad_options(strict, on_violation)
    if is_off():
        if isinstance(target, type):
            contracts_of(target)
        return target
    match target:
        case staticmethod() | classmethod():
            return type(target)(guard(target.__func__, strict=strict, on_violation=on_violation))
        case type() if issubclass(target, nn.Module):
            return wrapping.guard_class(target, strict=strict, on_violation=on_violation)
        case nn.Module():
            return wrapping.guard_instance(target, strict=strict, on_violation=on_violation)
        case FunctionType():
            return wrapping.guard_function(target, strict=strict, on_violation=on_violation)
        case _:
            raise TypeError(
                f"guard takes an nn.Module class, an instance of one, a method or a function, not {_described(target)}"
            )


def unguard(target: Guarded, /) -> Guarded:
    """Take a guard back: from a class or an instance in place (both are returned), of a function the original."""
    match target:
        case type() if issubclass(target, nn.Module):
            wrapping.unguard_class(target)
            return target
        case nn.Module():
            wrapping.unguard_instance(target)
            return target
        case FunctionType():
            original: Guarded = wrapping.unguarded_function(target)
            return original
        case _:
            raise TypeError(f"unguard takes what guard takes, not {_described(target)}")


@contextmanager
def guarded(
    model: wrapping.Model, /, *, strict: bool = False, on_violation: OnViolation = "raise"
) -> Iterator[wrapping.Model]:
    """Guard an instance for a block of code: ``with guarded(model): train(model)``."""
    if not isinstance(model, nn.Module):
        raise TypeError(f"guarded takes an instance of nn.Module, not {_described(model)}")
    was_guarded = wrapping.is_guarded(model)
    guard(model, strict=strict, on_violation=on_violation)
    try:
        yield model
    finally:
        if not was_guarded and wrapping.is_guarded(model):
            wrapping.unguard_instance(model)


class GuardAll:
    """What `guard_all` returns: `stop` takes the guards back, and so does the end of a ``with`` block."""

    def __init__(self, layers: tuple[type[nn.Module], ...]) -> None:
        self._layers = layers

    def stop(self) -> None:
        """Take the guards back."""
        for layer in self._layers:
            wrapping.unguard_class(layer)
        self._layers = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def guard_all(*, strict: bool = False, on_violation: OnViolation = "raise") -> GuardAll:
    """Guard every recurrent layer of the process, those of models that are built already too."""
    _refuse_bad_options(strict, on_violation)
    if is_off():
        return GuardAll(())
    fresh = tuple(layer for layer in _LAYERS if not wrapping.is_guarded(layer))
    for layer in fresh:
        wrapping.guard_class(layer, strict=strict, on_violation=on_violation)
    return GuardAll(fresh)


def _refuse_bad_options(strict: object, on_violation: object) -> None:
    if not isinstance(strict, bool):
        raise TypeError(f"strict is True or False, not {strict!r}")
    if on_violation not in ("raise", "warn") and not callable(on_violation):
        raise ValueError(f'on_violation is "raise", "warn" or a function, not {on_violation!r}')


def _described(target: object) -> str:
    return f"the class {target.__name__}" if isinstance(target, type) else f"a {type(target).__name__}"
