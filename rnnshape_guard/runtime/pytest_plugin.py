"""``pytest --rnnshape-guard``: every recurrent layer that a test suite runs is guarded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

_KEY = "_rnnshape_guard_all"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option. Nothing else is imported until it is given."""
    group = parser.getgroup("rnnshape_guard", "recurrent shape checks")
    group.addoption(
        "--rnnshape-guard",
        action="store_true",
        default=False,
        help="guard every recurrent layer: wrong inputs, states and layouts raise ShapeContractError",
    )
    group.addoption(
        "--rnnshape-guard-strict",
        action="store_true",
        default=False,
        help="the same at every call, not only at the first of each structure",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Guard the layers for the session."""
    strict = bool(config.getoption("--rnnshape-guard-strict"))
    if strict or config.getoption("--rnnshape-guard"):
        from rnnshape_guard.runtime.guard import guard_all

        setattr(config, _KEY, guard_all(strict=strict))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Take the guards back."""
    guards: Any = getattr(config, _KEY, None)
    if guards is not None:
        guards.stop()


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say that the guard is on."""
    return "rnnshape_guard: every recurrent layer is guarded" if getattr(config, _KEY, None) is not None else None
