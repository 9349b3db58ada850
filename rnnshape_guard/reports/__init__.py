"""What was found, printed: one module per output format, and a table of them.

A format is a function of diagnostics and a `View`; it returns the whole text. Formats differ in what they show, never
in what is found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import cast

from rnnshape_guard.findings import Diagnostic
from rnnshape_guard.reports.view import View

Format = Callable[[Sequence[Diagnostic], View], str]

FORMATS: Mapping[str, str] = {
    "full": "full",
    "concise": "concise",
    "json": "json",
    "json-lines": "json_lines",
    "sarif": "sarif",
    "github": "github",
    "gitlab": "gitlab",
    "junit": "junit",
}
"""Module of each format, by the name users give it."""

FOR_PEOPLE = frozenset({"full", "concise"})
"""Formats that end with a summary; the others are read by programs."""


def render(name: str, diagnostics: Sequence[Diagnostic], view: View) -> str:
    """The report in the format of that name. Raises `KeyError` for a name that is not in `FORMATS`."""
    module = import_module(f"rnnshape_guard.reports.{FORMATS[name]}")
    return cast("Format", module.render)(diagnostics, view)


__all__ = ["FORMATS", "FOR_PEOPLE", "View", "render"]
