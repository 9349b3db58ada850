"""Shape checks for recurrent PyTorch models: before the code runs, and in words a person would use.

The names below load torch when they are first used; importing the package loads neither torch nor libcst.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import Annotated as Recurrent

    from rnnshape_guard.runtime.contracts import shaped
    from rnnshape_guard.runtime.errors import ShapeContractError
    from rnnshape_guard.runtime.guard import guard, guard_all, guarded, unguard
    from rnnshape_guard.runtime.probe import probe
    from rnnshape_guard.runtime.tracing import trace
    from rnnshape_guard.runtime.violations import ShapeContractWarning

__version__ = "0.1.0"

__all__ = [
    "Recurrent",
    "ShapeContractError",
    "ShapeContractWarning",
    "guard",
    "guard_all",
    "guarded",
    "probe",
    "shaped",
    "trace",
    "unguard",
]

_HOMES = {
    "Recurrent": "contracts",
    "ShapeContractError": "errors",
    "ShapeContractWarning": "violations",
    "guard": "guard",
    "guard_all": "guard",
    "guarded": "guard",
    "probe": "probe",
    "shaped": "contracts",
    "trace": "tracing",
    "unguard": "guard",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        found = getattr(import_module(f"{__name__}.runtime.{home}"), name)
    except ModuleNotFoundError as error:
        if error.name in ("torch", "jaxtyping", "beartype"):
            raise ModuleNotFoundError(
                f"rnnshape_guard.{name} needs {error.name}: pip install 'rnnshape-guard[runtime]'", name=error.name
            ) from error
        raise
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
