"""What the checker and the guard say of a program's text."""

from __future__ import annotations

import contextlib
import io
import linecache
import warnings
from dataclasses import dataclass

import torch

from rnnshape_guard.findings import Severity
from rnnshape_guard.runtime.errors import UserPlace
from rnnshape_guard.runtime.tracing import run_traced
from rnnshape_guard.settings import Settings
from rnnshape_guard.static.judgement import judge

SEED = 20


@dataclass(frozen=True, slots=True, order=True)
class Said:
    """One finding: where, which rule, in which words."""

    row: int
    code: str
    message: str


def checked(source: str) -> list[Said]:
    """The checker's errors and warnings."""
    found = judge(source, "fuzzed.py", Settings())
    return sorted(
        {Said(one.span.start.row, one.code, one.message) for one in found if one.severity is not Severity.NOTE}
    )


def guarded(source: str) -> list[Said]:
    """The guard's errors and warnings on a run of the whole program, training code included."""
    filename = "guarded.py"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    code = compile(source, filename, "exec")
    torch.manual_seed(SEED)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        traced = run_traced(lambda: exec(code, {"__name__": "__main__"}))
    return sorted({Said(_row(one.place), one.code, one.message) for one in traced.violations})


def _row(place: object) -> int:
    return place.span.start.row if isinstance(place, UserPlace) else 0
