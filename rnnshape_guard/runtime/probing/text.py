"""A probe's result as text for a terminal: a matrix for samples and one for steps, side by side, and the verdicts."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from rnnshape_guard.runtime.probing.dependence import Dependence, Seen
from rnnshape_guard.runtime.probing.perturbing import parts

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
MOST_CELLS: Final = 16
WIDTH: Final = 100


def portrait(probed: Probed) -> str:
    """The picture and the verdicts, without a line break at the end."""
    inputs = ", ".join(str(shown) for shown in probed.inputs)
    outputs = ", ".join(str(shown) for shown in probed.outputs)
    lines = [f"probe of {probed.title}: {inputs} → {outputs}", ""]
    used: set[str] = set()
    varied = {"batch": probed.varied, "time": probed.varied_steps}
    for pair in zip_longest(_alike(probed.batch), _alike(probed.time)):
        pictures = [_matrix(group, varied[group[0].axis], used) for group in pair if group is not None]
        lines += [*_beside(pictures), ""]
    if used:
        lines += ["   ".join(f"{mark} {words}" for mark, words in LEGEND.items() if mark in used), ""]
    for sign, label, words in probed.verdicts():
        lines += _hanging(f"{sign} {label:<9}", words)
    for label, all_words in (("assumed", probed.assumed), ("note", probed.notes)):
        for number, words in enumerate(all_words):
            lines += _hanging(f"  {label if not number else '':<9}", words)
    return "\n".join(line.rstrip() for line in lines)


def _alike(dependences: Sequence[Dependence]) -> list[tuple[Dependence, list[str]]]:
    """The matrices that differ, each with the outputs it is the matrix of."""
    groups: list[tuple[Dependence, list[str]]] = []
    for each in dependences:
        for one, names in groups:
            if (one.rows, one.columns, one.cells) == (each.rows, each.columns, each.cells):
                names.append(each.output)
                break
        else:
            groups.append((each, [each.output]))
    return groups


def _matrix(group: tuple[Dependence, list[str]], inputs: str, used: set[str]) -> list[str]:
    each, names = group
    word = "sample" if each.axis == "batch" else "step"
    rows, columns = _blocks(len(each.rows)), _blocks(len(each.columns))
    of_rows = [str(each.rows[block.start].start) for block in rows]
    of_columns = [str(each.columns[block.start].start) for block in columns]
    wide, edge = max(map(len, of_columns)), max(map(len, of_rows))
    head = " ".join(f"{label:>{wide}}" for label in of_columns)
    lines = [f"{word}s: {', '.join(names)} ↓  {inputs.strip('`').removeprefix('the ')} →", f"{'':{edge}}  {head}"]
    for row, label in zip(rows, of_rows, strict=True):
        marks = [_mark(each, row, column) for column in columns]
        used.update(marks)
        lines.append(f"{label:>{edge}}  {' '.join(f'{mark:>{wide}}' for mark in marks)}")
    return lines


def _blocks(count: int) -> list[range]:
    """Neighbours drawn as one where there are too many for a screen."""
    return [range(part.start, part.stop) for part in parts(count, MOST_CELLS)]


def _mark(each: Dependence, rows: range, columns: range) -> str:
    places = [(row, column, each.cells[row][column]) for row in rows for column in columns]
    depends = [(row, column) for row, column, seen in places if seen is Seen.DEPENDS]
    if each.is_square and any(each.is_crossing(row, column) for row, column in depends):
        return CROSSING[each.axis]
    return MARKS[max(seen for _, _, seen in places)]


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
