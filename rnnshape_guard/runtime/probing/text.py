"""A probe's result as text for a terminal: a matrix for samples and one for steps, side by side, and the verdicts."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from rnnshape_guard.runtime.probing.dependence import Dependence, Seen

if TYPE_CHECKING:
    from rnnshape_guard.runtime.probing.probed import Probed

MARKS: Final = {Seen.RULED_OUT: "·", Seen.UNSEEN: "○", Seen.DEPENDS: "■"}
CROSSING: Final = {"batch": "✗", "time": "▲"}
LEGEND: Final = {
    "■": "depends on it",
    "✗": "depends on another sample",
    "▲": "depends on a later step",
    "·": "ruled out",
    "○": "not seen, not ruled out",
}
MOST_CELLS: Final = 32
WIDTH: Final = 100


def portrait(probed: Probed) -> str:
    """The picture and the verdicts, without a line break at the end."""
    inputs = ", ".join(str(shown) for shown in probed.inputs)
    outputs = ", ".join(str(shown) for shown in probed.outputs)
    lines = [f"probe of {probed.title}: {inputs} → {outputs}", ""]
    used: set[str] = set()
    for batch, time in _pairs(probed):
        pictures = [
            _matrix(each, probed.varied.strip("`").removeprefix("the "), used)
            for each in (batch, time)
            if each is not None
        ]
        lines += [*_beside(pictures), ""]
    if used:
        lines += ["   ".join(f"{mark} {words}" for mark, words in LEGEND.items() if mark in used), ""]
    for sign, label, words in probed.verdicts():
        lines += _hanging(f"{sign} {label:<9}", words)
    for label, all_words in (("assumed", probed.assumed), ("note", probed.notes)):
        for number, words in enumerate(all_words):
            lines += _hanging(f"  {label if not number else '':<9}", words)
    return "\n".join(line.rstrip() for line in lines)


def _pairs(probed: Probed) -> list[tuple[Dependence | None, Dependence | None]]:
    names = list(dict.fromkeys(each.output for each in (*probed.batch, *probed.time)))
    batch = {each.output: each for each in probed.batch}
    time = {each.output: each for each in probed.time}
    return [(batch.get(name), time.get(name)) for name in names]


def _matrix(each: Dependence, inputs: str, used: set[str]) -> list[str]:
    word = "sample" if each.axis == "batch" else "step"
    rows, columns = each.rows[:MOST_CELLS], each.columns[:MOST_CELLS]
    wide = max(len(str(part)) for part in (*rows, *columns))
    edge = max(len(str(part)) for part in rows)
    head = " ".join(f"{part!s:>{wide}}" for part in columns)
    lines = [f"{word}s: {each.output} ↓  {inputs} →", f"{'':{edge}}  {head}"]
    for number, part in enumerate(rows):
        marks = []
        for place in range(len(columns)):
            seen = each.cells[number][place]
            crosses = seen is Seen.DEPENDS and each.is_square and each.is_crossing(number, place)
            mark = CROSSING[each.axis] if crosses else MARKS[seen]
            used.add(mark)
            marks.append(f"{mark:>{wide}}")
        lines.append(f"{part!s:>{edge}}  {' '.join(marks)}")
    hidden = max(len(each.rows) - len(rows), len(each.columns) - len(columns))
    return [*lines, f"and {hidden} more"] if hidden > 0 else lines


def _beside(pictures: Sequence[list[str]]) -> list[str]:
    widths = [max(len(line) for line in picture) for picture in pictures]
    if sum(widths) + 4 * (len(widths) - 1) > WIDTH:
        return [line for number, picture in enumerate(pictures) for line in ([""] if number else []) + picture]
    return [
        "    ".join(f"{line:<{width}}" for line, width in zip(row, widths, strict=True))
        for row in zip_longest(*pictures, fillvalue="")
    ]


def _hanging(label: str, words: str) -> list[str]:
    return textwrap.wrap(
        words,
        WIDTH,
        initial_indent=f"{label} ",
        subsequent_indent=" " * (len(label) + 1),
        break_long_words=False,
        break_on_hyphens=False,
    )
