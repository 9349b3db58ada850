"""What was seen of one output along one axis: which of its samples, or steps, move with which of the inputs'."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

from rnnshape_guard.runtime.probing.perturbing import Part


class Seen(IntEnum):
    """What is known of one place of an output and one part of the inputs."""

    RULED_OUT = 0
    """NaN put into that part of the inputs did not arrive here."""
    UNSEEN = 1
    """No change was seen here; that is no proof that there is no dependence."""
    DEPENDS = 2
    """The numbers here changed with that part of the inputs."""


@dataclass(frozen=True, slots=True)
class Dependence:
    """One output against the inputs along one axis: `cells[row][column]`, a row for each part of the output."""

    axis: Literal["batch", "time"]
    output: str
    rows: tuple[Part, ...]
    columns: tuple[Part, ...]
    cells: tuple[tuple[Seen, ...], ...]

    @property
    def is_square(self) -> bool:
        """Whether the output is as long on this axis as the inputs, so that places can be compared."""
        return self.rows == self.columns

    def crossings(self) -> Iterator[tuple[int, int]]:
        """Row and column of each dependence that an independent (batch) or causal (time) model does not have."""
        if not self.is_square:
            return
        for row, cells in enumerate(self.cells):
            for column, seen in enumerate(cells):
                if seen is Seen.DEPENDS and self.is_crossing(row, column):
                    yield row, column

    def is_crossing(self, row: int, column: int) -> bool:
        """Whether a dependence there would cross from one sample to another, or from a later step to an earlier."""
        return row != column if self.axis == "batch" else column > row

    @property
    def clean(self) -> bool | None:
        """Whether nothing crosses; None where places can't be compared, or where nothing was seen to depend at all."""
        if not self.is_square or len(self.rows) < 2:
            return None
        if any(True for _ in self.crossings()):
            return False
        return True if any(Seen.DEPENDS in cells for cells in self.cells) else None

    @property
    def is_alone(self) -> bool:
        """Whether each place depends on the same place of the inputs and on nothing else."""
        return self.is_square and all(
            (seen is Seen.DEPENDS) == (row == column)
            for row, cells in enumerate(self.cells)
            for column, seen in enumerate(cells)
        )

    @property
    def is_reordered(self) -> bool:
        """Whether each place depends on one place of the inputs and each of those is depended on by one."""
        counts = [row.count(Seen.DEPENDS) for row in self.cells]
        counts += [column.count(Seen.DEPENDS) for column in zip(*self.cells, strict=True)]
        return self.is_square and set(counts) == {1}

    @property
    def is_ruled_out(self) -> bool:
        """Whether every crossing was ruled out, and not only unseen."""
        return all(
            seen is Seen.RULED_OUT
            for row, cells in enumerate(self.cells)
            for column, seen in enumerate(cells)
            if self.is_crossing(row, column)
        )


def listed(items: Sequence[object], most: int = 6) -> str:
    """`1`, `1 and 2`, `1, 2 and 3`, `0, 1, 2 and 7 more`."""
    words = [str(item) for item in items]
    if len(words) > most:
        words = [*words[: most - 1], f"{len(words) - most + 1} more"]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def ranged(parts: Sequence[Part]) -> list[str]:
    """Parts joined where they touch: `0–5`, `7`."""
    runs: list[Part] = []
    for part in parts:
        if runs and runs[-1].stop == part.start:
            runs[-1] = Part(runs[-1].start, part.stop)
        else:
            runs.append(part)
    return [str(run) for run in runs]


def counted(word: str, parts: Sequence[Part]) -> str:
    """`sample 3`, `samples 0–2 and 5`."""
    many = len(parts) > 1 or parts[0].stop - parts[0].start > 1
    return f"{word}{'s' if many else ''} {listed(ranged(parts))}"


def ones(numbers: Sequence[int]) -> list[Part]:
    """Single places as parts."""
    return [Part(number, number + 1) for number in numbers]
