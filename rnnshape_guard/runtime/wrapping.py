"""How a guard is put onto a class, an instance or a function, and taken off again.

A class gets another `forward`. An instance gets another class: one that is made for its class, with the same name, whose
pickles are the original's. Nothing is written into an instance, so replicas, copies and state dicts stay as they are, and
no hooks are left, which TorchScript would refuse.
"""

from __future__ import annotations

import copyreg
import functools
import weakref
from types import FunctionType
from typing import Any, TypeVar

import torch
from torch import nn

from rnnshape_guard.runtime.calls import Site
from rnnshape_guard.runtime.contracts import contracts_of
from rnnshape_guard.runtime.violations import OnViolation

Model = TypeVar("Model", bound=nn.Module)

_shielded: weakref.WeakKeyDictionary[type, dict[tuple[bool, OnViolation], weakref.ref[type]]] = (
    weakref.WeakKeyDictionary()
)
"""The classes made for guarded instances, by the original class and the options."""


class Shield:
    """The mark of a class that was made for guarded instances. It has no `__slots__`: an instance's class can be changed
    only to one that is laid out alike."""

    def __init_subclass__(cls, **_: Any) -> None:
        """Nothing: a user's registry of subclasses is not told of ours."""

    def __reduce_ex__(self, protocol: Any) -> Any:
        """As the original class has it, so that a pickle names that and not ours."""
        shield = _shield_of(type(self))
        reduced = super().__reduce_ex__(protocol)
        if shield is None or not isinstance(reduced, tuple):
            return reduced
        plain = shield.__bases__[1]
        if reduced[0] is not copyreg.__newobj__:  # type: ignore[attr-defined]
            return (reduced[0], tuple(plain if one is type(self) else one for one in reduced[1]), *reduced[2:])
        # pickle insists that `__newobj__` makes the instance's own class; these make the plain one.
        given = reduced[1][1:]
        if given:
            return (functools.partial(plain.__new__, plain, *given), (), *reduced[2:])
        return (copyreg._reconstructor, (plain, object, None), *reduced[2:])  # type: ignore[attr-defined]


def _shield_of(cls: type) -> type | None:
    """The class of ours among a class and its bases (others may have put theirs on top)."""
    return next((one for one in cls.__mro__ if len(one.__bases__) == 2 and one.__bases__[0] is Shield), None)


def _site_of(function: object) -> Site | None:
    site = getattr(function, "__rnnshape_guard__", None)
    # A decorator on top copies the attributes of what it wraps: only our own wrapper is guarded.
    return site if isinstance(site, Site) and site.wrapper is function else None


def is_guarded(target: type[nn.Module] | nn.Module) -> bool:
    """Whether a class has a guard of its own, or an instance one by `guard(model)`."""
    if isinstance(target, type):
        return _site_of(vars(target).get("forward")) is not None
    return _shield_of(type(target)) is not None


def guard_function(function: FunctionType, *, strict: bool, on_violation: OnViolation) -> FunctionType:
    """The wrapper of a function. One that is guarded already is guarded anew."""
    known = _site_of(function)
    return Site(known.original if known is not None else function, strict=strict, on_violation=on_violation).wrapper


def unguarded_function(function: Any) -> Any:
    """The original of a wrapper; anything else is returned as it is."""
    site = _site_of(function)
    return function if site is None else site.original


def guard_class(cls: type[nn.Module], *, strict: bool, on_violation: OnViolation) -> type[nn.Module]:
    """Replace the forward of a class."""
    if issubclass(cls, torch.jit.ScriptModule):
        raise TypeError(
            f"`{cls.__name__}` is a ScriptModule, whose forward is no Python: guard the model before scripting"
        )
    contracts_of(cls)
    cls.forward = guard_function(_forward_of(cls), strict=strict, on_violation=on_violation)
    return cls


def _forward_of(cls: type[nn.Module]) -> FunctionType:
    forward = cls.forward
    if forward is nn.Module.forward:
        raise TypeError(f"`{cls.__name__}` has no forward to guard")
    if not isinstance(forward, FunctionType):
        raise TypeError(f"`{cls.__name__}.forward` is a {type(forward).__name__}, no method written in Python")
    return forward


def unguard_class(cls: type[nn.Module]) -> None:
    """Give a class its own forward back."""
    site = _site_of(vars(cls).get("forward"))
    if site is None:
        return
    inherited = next((vars(one)["forward"] for one in cls.__mro__[1:] if "forward" in vars(one)), None)
    if site.original in (inherited, unguarded_function(inherited)):
        del cls.forward
    else:
        cls.forward = site.original


def guard_instance(model: Model, *, strict: bool, on_violation: OnViolation) -> Model:
    """Give an instance the guarded class."""
    if isinstance(model, torch.jit.ScriptModule):
        raise TypeError("a scripted model can't be guarded, it is no Python any more: guard it before scripting")
    if "_orig_mod" in model._modules and type(model).__name__ == "OptimizedModule":
        raise TypeError("a compiled model can't be guarded: guard it, then compile it")
    if "forward" in vars(model):
        raise TypeError(
            f"this {type(model).__name__} has a forward of its own, put onto the instance: guard that function"
        )
    if is_guarded(model):
        unguard_instance(model)
    object.__setattr__(model, "__class__", _shield(type(model), strict, on_violation))
    return model


def _shield(cls: type[nn.Module], strict: bool, on_violation: OnViolation) -> type[nn.Module]:
    by_options = _shielded.setdefault(cls, {})
    known = by_options.get((strict, on_violation))
    made = known() if known is not None else None
    if made is None:
        contracts_of(cls)
        forward = guard_function(_forward_of(cls), strict=strict, on_violation=on_violation)
        body = {
            "forward": forward, "__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__
        }  # fmt: skip
        metaclass: Any = type(cls)
        made = metaclass(cls.__name__, (Shield, cls), body)
        by_options[strict, on_violation] = weakref.ref(made)
    return made


def unguard_instance(model: nn.Module) -> None:
    """Give an instance its own class back."""
    shield = _shield_of(type(model))
    if shield is None:
        return
    if type(model) is not shield:
        raise TypeError(f"the class of this model was changed after it was guarded (to {type(model).__name__})")
    model.__class__ = shield.__bases__[1]
