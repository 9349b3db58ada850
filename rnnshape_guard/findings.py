"""What a check says and what a report prints.

A check judges events and yields a `Finding`: facts, named axes and sizes, and opaque places. A driver knows
what a place is (a node of a source file, a frame of a running program) and turns each finding into a
`Diagnostic`, whose spans are rows and columns of a file. Reports render diagnostics and nothing else.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How much a finding weighs: *error* is wrong, *warning* is wrong under a condition, *note* asks to state something."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    @property
    def weight(self) -> int:
        """Order for comparison: note 1, warning 2, error 3."""
        return {"note": 1, "warning": 2, "error": 3}[self.value]


@dataclass(frozen=True, slots=True)
class Label:
    """A secondary place with the few words that stand beside it (`2 directions x 128`)."""

    place: Any
    text: str


@dataclass(frozen=True, slots=True)
class Because:
    """Evidence that a finding stands on: the sentence, and the place it was read from if there is one."""

    text: str
    place: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One judgement of one check.

    `subject` names the atoms or sizes in contradiction and `cause` the event that ordered or sized them last:
    findings that share a subject are one root cause, and the earliest cause speaks. `expected` and `found` are
    printed shapes such as ``(..., 128)``; `condition` is the words after "when" for a mistake that only some
    options make (`bidirectional`); one that is `only_seen` is no mistake while the option is the caller's choice, but
    where a construction in sight makes it. `severity` is None for the severity of the rule's page.
    """

    code: str
    message: str
    place: Any
    primary: str = ""
    labels: tuple[Label, ...] = ()
    expected: str = ""
    found: str = ""
    because: tuple[Because, ...] = ()
    help: str = ""
    condition: str = ""
    severity: Severity | None = None
    subject: frozenset[Hashable] = frozenset()
    cause: int = -1
    only_seen: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a file: row and column, both counted from 1; columns count characters."""

    row: int
    column: int


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one file, the end exclusive in its last row."""

    filename: str
    start: Position
    end: Position


@dataclass(frozen=True, slots=True)
class Note:
    """Words with the span they belong to: a secondary label, or a line of evidence."""

    text: str
    span: Span | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """A finding with real positions: all that a report needs, and nothing that has to be looked up again.

    The message says the condition too (``…, when `bidirectional```); `condition` has it alone, for programs.
    """

    code: str
    name: str
    severity: Severity
    message: str
    span: Span
    primary: str = ""
    labels: tuple[Note, ...] = ()
    expected: str = ""
    found: str = ""
    evidence: tuple[Note, ...] = ()
    help: str = ""
    condition: str = ""
    url: str = ""
