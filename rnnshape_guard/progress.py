"""A line on a terminal that says that a long run is alive."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

PATIENCE = 1.0
"""Seconds before anything is shown: a short run shows nothing."""
INTERVAL = 0.1


class Progress:
    """Counts files on standard error once a run takes longer than a second; gone when the run ends."""

    def __init__(self) -> None:
        self._next = time.monotonic() + PATIENCE
        self._bar: RichProgress | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def advance(self, files: int) -> None:
        """Say how many files have been looked at."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + INTERVAL
        if self._bar is None:
            self._bar = _started()
        self._bar.update(self._bar.task_ids[0], completed=files)
        self._bar.refresh()


def _started() -> RichProgress:
    from rich.console import Console
    from rich.progress import Progress as RichProgress
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    # No thread of its own: processes are forked while it is shown.
    columns = (SpinnerColumn(), TextColumn("checking: {task.completed:.0f} files"), TimeElapsedColumn())
    bar = RichProgress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False)
    bar.add_task("checking", total=None)
    bar.start()
    return bar
