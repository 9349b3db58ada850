"""Containers of layers. What they hold and run is the driver's to know; here they only have a name."""

from __future__ import annotations

from dataclasses import dataclass

from rnnshape_guard.layers.arguments import Bound, Reading, Spec
from rnnshape_guard.layers.kinds import INPUT, LayerKind
from rnnshape_guard.layers.ledger import Ledger
from rnnshape_guard.shapes.outcomes import UNKNOWN, Fault, Outcome


@dataclass(frozen=True, kw_only=True)
class ContainerSpec(Spec):
    """Sequential, ModuleList, ModuleDict, or a list or dict of parameters."""

    @property
    def can_run(self) -> bool:
        """Whether it can be called: the others are only indexed."""
        return self.kind == "Sequential"


def _read(kind: str, reading: Reading) -> ContainerSpec:
    return ContainerSpec(kind=kind, given=reading.bound.given, positional=reading.bound.positional)


def _apply(spec: ContainerSpec, bound: Bound) -> Outcome:
    ledger = Ledger()
    if not spec.can_run:
        ledger.note(Fault.TYPE, "self", f"an nn.{spec.kind} cannot be called")
    return ledger.outcome(UNKNOWN)


KINDS: tuple[LayerKind[ContainerSpec], ...] = tuple(
    LayerKind(name, (), INPUT, _read, _apply, any_arguments=True)
    for name in ("Sequential", "ModuleList", "ModuleDict", "ParameterList", "ParameterDict")
)
