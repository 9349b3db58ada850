"""The excerpt: where, in the reader's own source, with expected before found.

::

    error[RSG201]: `self.head` takes 128 features, but `out` brings 2·128 = 256
      --> model.py:9:31
       |
     8 |         self.rnn = nn.LSTM(64, 128, bidirectional=True, batch_first=True)
       |                    ------------------------------------------------------ 2 directions × 128
     9 |         self.head = nn.Linear(128, 10)
       |                               ^^^ expects 128
       …
    14 |         return self.head(out)
       |                          --- (batch, time, direction·hidden = 256)
       = expected: (…, 128)
       = found:    (batch, time, 256)
       = help: nn.Linear(2 * 128, 10)
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rnnshape_guard.findings import Diagnostic, Note, Span
from rnnshape_guard.reports.colors import Paint
from rnnshape_guard.reports.view import View

_TAB = "    "
_MAX_WIDTH = 160


@dataclass(frozen=True, slots=True)
class _Mark:
    """An underline on one row: columns counted from 0 in the characters of the line, the end exclusive."""

    row: int
    start: int
    end: int
    text: str
    primary: bool


def render(diagnostics: Sequence[Diagnostic], view: View) -> str:
    """All findings, an empty line after each."""
    paint = Paint(view.color)
    return "".join("\n".join(_finding(diagnostic, view, paint)) + "\n\n" for diagnostic in diagnostics)


def _finding(diagnostic: Diagnostic, view: View, paint: Paint) -> Iterator[str]:
    span = diagnostic.span
    head = paint.severity(diagnostic.severity, f"{diagnostic.severity}[{diagnostic.code}]")
    yield f"{head}: {paint.bold(diagnostic.message)}"
    here = [note for note in diagnostic.labels if note.span is not None and note.span.filename == span.filename]
    elsewhere = [note for note in diagnostic.labels if note not in here]
    lines = view.lines(span.filename)
    marks = [*_marks(span, diagnostic.primary, lines, primary=True)]
    for note in here:
        if note.span is not None:
            marks.extend(_marks(note.span, note.text, lines, primary=False))
    rows = sorted({mark.row for mark in marks})
    gutter = len(str(rows[-1])) if rows else len(str(span.start.row))
    margin = " " * gutter
    yield f"{margin}{paint.frame('-->')} {span.filename}:{span.start.row}:{span.start.column}"
    if rows:
        yield f"{margin} {paint.frame('|')}"
        for row, next_row in pairwise((*rows, rows[-1])):
            yield from _excerpt(
                row, lines[row - 1], [mark for mark in marks if mark.row == row], gutter, diagnostic, paint
            )
            if next_row > row + 1:
                yield f"{margin} {paint.frame('…')}"
    footer = [*_footer(diagnostic, elsewhere)]
    # Expected and found stand one above the other, their values aligned; what else is said needs no alignment.
    width = max((len(title) for title, _ in footer if title in ("expected:", "found:")), default=0)
    for title, text in footer:
        shown = title.ljust(width) if title in ("expected:", "found:") else title
        first, *more = text.splitlines() or [""]
        yield f"{margin} {paint.frame('=')} {paint.bold(shown)} {first}"
        for line in more:
            yield f"{margin}   {' ' * len(shown)} {line}"


def _footer(diagnostic: Diagnostic, elsewhere: Sequence[Note]) -> Iterator[tuple[str, str]]:
    if diagnostic.expected:
        yield "expected:", diagnostic.expected
    if diagnostic.found:
        yield "found:", diagnostic.found
    for note in diagnostic.evidence:
        yield "because:", f"{note.text}{_place(note, diagnostic.span)}"
    for note in elsewhere:
        yield "see:", f"{note.text}{_place(note, diagnostic.span)}"
    if diagnostic.help:
        yield "help:", diagnostic.help


def _place(note: Note, span: Span) -> str:
    if note.span is None:
        return ""
    if note.span.filename == span.filename:
        return f" (line {note.span.start.row})"
    return f" ({note.span.filename}:{note.span.start.row})"


def _marks(span: Span, text: str, lines: Sequence[str], *, primary: bool) -> Iterator[_Mark]:
    """The underline of a span: its first row, and for one of several rows its last, where the words stand."""
    first, last = span.start.row, span.end.row
    if not 1 <= first <= len(lines):
        return
    start = span.start.column - 1
    line = lines[first - 1]
    if last <= first or last > len(lines):
        end = span.end.column - 1 if last == first else len(line)
        yield _Mark(first, start, max(end, start + 1), text, primary)
        return
    yield _Mark(first, start, max(len(line.rstrip()), start + 1), "", primary)
    closing = lines[last - 1]
    indent = len(closing) - len(closing.lstrip())
    yield _Mark(last, indent, max(span.end.column - 1, indent + 1), text, primary)


def _excerpt(
    row: int, line: str, marks: Sequence[_Mark], gutter: int, diagnostic: Diagnostic, paint: Paint
) -> Iterator[str]:
    shown = _without_controls(line)
    if len(shown) > _MAX_WIDTH:
        shown, marks = _window(shown, marks)
    yield f"{paint.frame(f'{row:>{gutter}} |')} {shown.replace(chr(9), _TAB)}".rstrip()
    bar = f"{' ' * gutter} {paint.frame('|')} "
    # All underlines share a line, with the words of the rightmost behind it; the others' words hang below, from the
    # right, each under the beginning of its own.
    *others, rightmost = sorted(marks, key=lambda mark: (mark.start, mark.end))
    cells = [" "] * _width(shown, max(mark.end for mark in marks))
    for mark in sorted(marks, key=lambda mark: mark.primary):
        begin, end = _width(shown, mark.start), _width(shown, mark.end)
        cells[begin:end] = _painted(mark, "^" if mark.primary else "-", end - begin, diagnostic, paint)
    words = f" {_words(rightmost, diagnostic, paint)}" if rightmost.text else ""
    yield f"{bar}{''.join(cells)}{words}"
    for mark in reversed(others):
        if mark.text:
            yield f"{bar}{' ' * _width(shown, mark.start)}{_words(mark, diagnostic, paint)}"


def _painted(mark: _Mark, sign: str, length: int, diagnostic: Diagnostic, paint: Paint) -> list[str]:
    """One painted sign for each terminal cell, with the colour switched on and off at the ends only."""
    if mark.primary:
        painted = paint.severity(diagnostic.severity, sign * length)
    else:
        painted = paint.secondary(sign * length)
    before, _, after = painted.partition(sign * length)
    signs = [sign] * length
    signs[0] = before + signs[0]
    signs[-1] += after
    return signs


def _words(mark: _Mark, diagnostic: Diagnostic, paint: Paint) -> str:
    return paint.severity(diagnostic.severity, mark.text) if mark.primary else paint.secondary(mark.text)


def _width(line: str, column: int) -> int:
    """The terminal cells that the first characters of a line take: tabs are four wide, East Asian characters two."""
    cells = 0
    for character in line[:column]:
        if character == "\t":
            cells += len(_TAB)
        elif unicodedata.combining(character):
            continue
        else:
            cells += 2 if unicodedata.east_asian_width(character) in "WF" else 1
    return cells + max(0, column - len(line))


def _without_controls(line: str) -> str:
    # Escape sequences in a source file must not reach the terminal.
    return "".join(
        character if character == "\t" or character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in line
    )


def _window(line: str, marks: Sequence[_Mark]) -> tuple[str, list[_Mark]]:
    """The part of a long line around its marks, and the marks where they stand in it."""
    cut = max(0, min(mark.start for mark in marks) - 40)
    before = "…" if cut else ""
    shown = f"{before}{line[cut : cut + _MAX_WIDTH]}{'…' if cut + _MAX_WIDTH < len(line) else ''}"
    offset = cut - len(before)
    moved: list[_Mark] = []
    for mark in marks:
        start = min(mark.start - offset, len(shown) - 1)
        moved.append(
            _Mark(mark.row, start, max(start + 1, min(mark.end - offset, len(shown))), mark.text, mark.primary)
        )
    return shown, moved
