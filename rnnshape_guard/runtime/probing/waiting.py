"""A line on a terminal that says how far a long probe has come."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from rich.progress import Progress

PATIENCE: Final = 1.0
"""Seconds before anything is shown: a short probe shows nothing."""


class Waiting:
    """Counts runs of a model on standard error, where that is a terminal, once a probe takes longer than a second."""

    def __init__(self, total: int, *, shown: bool) -> None:
        self._total = total
        self._done = 0
        self._shown = shown and sys.stderr.isatty()
        self._start = time.monotonic()
        self._bar: Progress | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def advance(self) -> None:
        """Say that one run is done."""
        self._done += 1
        if not self._shown or time.monotonic() - self._start < PATIENCE:
            return
        if self._bar is None:
            self._bar = _started()
        self._bar.update(self._bar.task_ids[0], completed=self._done, total=max(self._total, self._done))


def _started() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("probing"), BarColumn(), MofNCompleteColumn(), TextColumn("runs"), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    bar.add_task("probing")
    bar.start()
    return bar
