"""Running a call under a torch-function mode that carries axes and atoms beside the tensors.

`run_traced` is what the guard calls for the first call of a new structure; `trace` is the public table of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from rnnshape_guard.events import Log
from rnnshape_guard.findings import Finding
from rnnshape_guard.runtime.errors import Binding, ShapeContractError


@dataclass(slots=True)
class Traced:
    """One call that ran under tracing.

    `result` is what the function returned; `error` what it raised instead (torch's own words), if it did. `findings`
    are all judgements; `violations` those that are no mere notes. `raise_first` raises the first violation as a
    ShapeContractError (from `error`), else `error` itself, else does nothing.
    """

    result: Any
    log: Log
    findings: list[Finding]
    error: BaseException | None = None

    @property
    def violations(self) -> list[ShapeContractError]:
        """The findings that weigh more than a note, as errors ready to be raised."""
        raise NotImplementedError

    def raise_first(self) -> None:
        """Raise the first violation from torch's error, or torch's error alone."""
        raise NotImplementedError


def run_traced(
    function: Callable[..., Any],
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    module: nn.Module | None = None,
    bindings: Mapping[str, Binding] | None = None,
) -> Traced:
    """Call ``function(*args, **kwargs)`` under tracing and judge what happened.

    `module` is the model whose layers get their paths (``encoder.lstm``) from it; `bindings` are shown with errors.
    The function's own exception is never raised from here: it stands in `Traced.error`. Nested calls (a guarded
    module inside a guarded module) do not trace again: they run as they are.
    """
    raise NotImplementedError


def declare(tensor: Any, axes: str, *, text: str) -> None:
    """Inside a traced call: state the axes of a tensor, ``declare(x, "batch time 2*hidden", text='shaped(x, "…")')``.

    Names that are roles become declared evidence. Outside a traced call it does nothing.
    """
    raise NotImplementedError
