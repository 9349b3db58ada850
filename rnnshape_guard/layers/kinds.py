"""What a kind of layer is: its names, its parameters, how it is built and what a call of it gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from rnnshape_guard.layers.arguments import Bound, Parameter, Reading, Spec
from rnnshape_guard.shapes.dims import Symbol
from rnnshape_guard.shapes.outcomes import Misfit, Outcome


@dataclass(frozen=True, slots=True, eq=False)
class Built:
    """A construction: the layer as meant, and what torch would refuse.

    `flags` and `positive` are symbols that turn out to be 0 or 1, or at least 1, because they configure a layer; a
    driver that believes the construction marks them.
    """

    spec: Spec | None
    misfits: tuple[Misfit, ...] = ()
    flags: tuple[Symbol, ...] = ()
    positive: tuple[Symbol, ...] = ()


S = TypeVar("S", bound=Spec)


@dataclass(frozen=True, slots=True, eq=False)
class LayerKind(Generic[S]):
    """One class of torch.nn: its constructor's `parameters`, and those of its call (`inputs`).

    `read` makes the spec of bound arguments; `apply` is the forward call.
    """

    name: str
    parameters: tuple[Parameter, ...]
    inputs: tuple[Parameter, ...]
    read: Callable[[str, Reading], S]
    apply: Callable[[Any, Bound], Outcome]
    any_arguments: bool = False
    """Whether the constructor takes whatever it is given, unread (`nn.Identity(54, unused=True)`, a list of layers)."""


DEVICE_AND_DTYPE = (Parameter("device", None), Parameter("dtype", None))
"""The last two parameters of every layer that has weights; they say nothing about shapes."""

INPUT = (Parameter("input"),)
"""The inputs of most layers."""
