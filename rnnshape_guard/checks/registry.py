"""Finding the checks and running them over a log."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
import typing
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType, UnionType

from rnnshape_guard import checks
from rnnshape_guard.checks import shifts
from rnnshape_guard.events import Event, Log
from rnnshape_guard.findings import Finding

Judge = Callable[[Event, Log], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Check:
    """A rule's check: its name with hyphens, the events it judges, and the function."""

    name: str
    judges: tuple[type[Event], ...]
    function: Judge


@cache
def own_checks() -> tuple[Check, ...]:
    """The checks of this package, in the order of their names: every module that has a `check`."""
    modules = {
        one.name: importlib.import_module(f"{checks.__name__}.{one.name}")
        for one in pkgutil.iter_modules(checks.__path__)
    }
    return tuple(_check_of(modules[name], name) for name in sorted(modules) if hasattr(modules[name], "check"))


def checks_in(folder: Path) -> tuple[Check, ...]:
    """The checks of a user's own rules: the Python files beside their pages."""
    return tuple(_check_of(_load(path), path.stem) for path in sorted(folder.glob("*.py")))


def _load(path: Path) -> ModuleType:
    name = f"rnnshape_guard_rules_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _check_of(module: ModuleType, name: str) -> Check:
    function = module.check
    hints = typing.get_type_hints(function)
    judged = next(hint for key, hint in hints.items() if key != "return")
    kinds = typing.get_args(judged) if isinstance(judged, UnionType) else (judged,)
    return Check(name.replace("_", "-"), tuple(kinds), function)


def findings(log: Log, judging: Iterable[Check]) -> Iterator[Finding]:
    """What the checks say of all events of a log."""
    by_kind: dict[type[Event], list[Judge]] = {}
    known = tuple(judging)
    shifts.learn(log)
    for event in log.events:
        if event.uncertain:
            continue
        kind = type(event)
        if kind not in by_kind:
            by_kind[kind] = [check.function for check in known if issubclass(kind, check.judges)]
        for function in by_kind[kind]:
            yield from function(event, log)
