"""Comments that silence findings, and those among them that silence nothing.

``# noqa``, ``# noqa: RSG201, RSG3``, ``# rnnshape: ignore``, ``# rnnshape: ignore[RSG201]`` silence what is reported on
their line; on the last line of a statement of several lines they silence the statement. ``# rnnshape: skip-file``
silences the file. Only comments count: the same words in a string say nothing.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnnshape_guard.findings import Diagnostic, Position, Severity, Span

if TYPE_CHECKING:
    from rnnshape_guard.rulebook import RuleBook

UNUSED = "RSG002"
NEVER_SUPPRESSED = frozenset({"RSG000", "RSG001", UNUSED})

# What a file must hold for its comments to be worth a look, with and without findings in it.
_ANY = re.compile(r"noqa|rnnshape\s*:", re.IGNORECASE)
_OWN = re.compile(r"rnnshape\s*:|noqa\s*:[^\n]*RSG", re.IGNORECASE)

_SKIP_FILE = re.compile(r"#\s*rnnshape\s*:\s*skip-file\b", re.IGNORECASE)
_IGNORE = re.compile(r"#\s*rnnshape\s*:\s*ignore\b\s*(?P<list>\[(?P<codes>[^\]]*)\]?)?", re.IGNORECASE)
_NOQA = re.compile(
    r"#\s*noqa(?P<colon>\s*:\s*(?P<codes>[A-Za-z]+[0-9]+(?:[\s,]+[A-Za-z]+[0-9]+)*)?)?(?![\w-])", re.IGNORECASE
)
_SPLIT = re.compile(r"[\s,]+")

_NO_CODE = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)


@dataclass(frozen=True, slots=True)
class Suppression:
    """One comment: the rows it speaks for, and the selectors it names (None: all findings)."""

    rows: frozenset[int]
    selectors: tuple[str, ...] | None
    span: Span
    own: bool
    """Whether it speaks to this tool alone, so that it can be called unused."""


@dataclass(frozen=True, slots=True)
class Suppressions:
    """All that the comments of a file silence."""

    skips_file: bool = False
    comments: tuple[Suppression, ...] = ()


def may_skip_file(text: str) -> bool:
    """Whether ``skip-file`` stands anywhere in the file, in a comment or not."""
    return _SKIP_FILE.search(text) is not None


def may_be_unused(text: str) -> bool:
    """Whether the file holds what looks like a suppression that names this tool's rules."""
    return _OWN.search(text) is not None


def read_suppressions(text: str, filename: str) -> Suppressions:
    """What the comments of a module silence. Text that cannot be tokenized to its end is read as far as it goes."""
    if _ANY.search(text) is None:
        return Suppressions()
    found: list[Suppression] = []
    for comment, start, first, last in _comments(text):
        if _SKIP_FILE.search(comment) is not None:
            return Suppressions(skips_file=True)
        # On the last row of a statement the comment speaks for the statement's first row too.
        rows = frozenset({start[0], first} if start[0] == last else {start[0]})
        for match in _IGNORE.finditer(comment):
            selectors = _selectors(match["codes"]) if match["list"] is not None else None
            found.append(Suppression(rows, selectors, _span(filename, start, match), own=True))
        for match in _NOQA.finditer(comment):
            if match["colon"] is None:
                found.append(Suppression(rows, None, _span(filename, start, match), own=False))
                continue
            selectors = tuple(code for code in _selectors(match["codes"] or "") if code.upper().startswith("RSG"))
            if selectors:
                found.append(Suppression(rows, selectors, _span(filename, start, match), own=True))
    return Suppressions(comments=tuple(found))


def _comments(text: str) -> Iterator[tuple[str, tuple[int, int], int, int]]:
    """Each comment with its place and the first and last row of the statement it stands in or behind."""
    waiting: list[tuple[str, tuple[int, int]]] = []
    first = 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(text, newline="").readline):
            if token.type == tokenize.COMMENT:
                if first:
                    waiting.append((token.string, token.start))
                else:
                    yield token.string, token.start, token.start[0], token.start[0]
            elif token.type == tokenize.NEWLINE:
                last = token.start[0]
                for comment, start in waiting:
                    yield comment, start, first, last
                waiting.clear()
                first = 0
            elif not first and token.type not in _NO_CODE:
                first = token.start[0]
    except (tokenize.TokenError, SyntaxError, IndentationError):
        pass
    for comment, start in waiting:
        yield comment, start, start[0], start[0]


def _selectors(codes: str) -> tuple[str, ...]:
    return tuple(code for code in _SPLIT.split(codes.strip()) if code)


def _span(filename: str, start: tuple[int, int], match: re.Match[str]) -> Span:
    row, column = start
    return Span(filename, Position(row, column + match.start() + 1), Position(row, column + match.end() + 1))


def apply(
    diagnostics: Sequence[Diagnostic], suppressions: Suppressions, book: RuleBook, selected: frozenset[str]
) -> list[Diagnostic]:
    """The findings that are left, and RSG002 for each suppression of a selected rule that silences nothing."""
    if suppressions.skips_file:
        return [diagnostic for diagnostic in diagnostics if diagnostic.code in NEVER_SUPPRESSED]
    used: dict[int, set[str]] = {}
    left: list[Diagnostic] = []
    codes = {id(comment): _codes(comment, book) for comment in suppressions.comments}
    for diagnostic in diagnostics:
        rows = (diagnostic.span.start.row, diagnostic.span.end.row)
        silenced = False
        for comment in suppressions.comments:
            if diagnostic.code in NEVER_SUPPRESSED or comment.rows.isdisjoint(rows):
                continue
            named = [selector for selector, meant in codes[id(comment)].items() if diagnostic.code in meant]
            if named or comment.selectors is None:
                used.setdefault(id(comment), set()).update(named)
                silenced = True
        if not silenced:
            left.append(diagnostic)
    if UNUSED in selected:
        for comment in suppressions.comments:
            left.extend(_unused(comment, used.get(id(comment)), codes[id(comment)], book, selected))
    return left


def _codes(comment: Suppression, book: RuleBook) -> Mapping[str, frozenset[str]]:
    """The rules each selector of a comment means; none for one that names no rule."""
    meant: dict[str, frozenset[str]] = {}
    for selector in comment.selectors or ():
        name = book.names.get(selector.lower())
        prefix = selector.upper()
        meant[selector] = frozenset({name} if name else (code for code in book.codes if code.startswith(prefix)))
    return meant


def _unused(
    comment: Suppression,
    used: set[str] | None,
    codes: Mapping[str, Iterable[str]],
    book: RuleBook,
    selected: frozenset[str],
) -> Iterator[Diagnostic]:
    if not comment.own or (comment.selectors is None and used is not None):
        return
    unknown = [selector for selector, meant in codes.items() if not meant]
    idle = [
        selector
        for selector, meant in codes.items()
        if meant and selector not in (used or ()) and not selected.isdisjoint(meant)
    ]
    if comment.selectors is None:
        message, remedy = "the suppression silences nothing on this line", "remove the comment"
    elif unknown:
        message, remedy = f"there is no rule {_listed(unknown)} to suppress", "correct the code or remove it"
    elif idle:
        message = f"{_listed(idle)} is not reported on this line, so its suppression is unused"
        if len(idle) > 1:
            message = f"{_listed(idle)} are not reported on this line, so their suppression is unused"
        remedy = "remove the comment" if len(idle) == len(codes) else f"remove {_listed(idle)} from the comment"
    else:
        return
    yield Diagnostic(
        code=UNUSED,
        name=book.entry(UNUSED).name if UNUSED in book else "unused-suppression",
        severity=Severity.WARNING,
        message=message,
        span=comment.span,
        help=remedy,
    )


def _listed(selectors: Sequence[str]) -> str:
    *others, last = (f"`{selector}`" for selector in selectors)
    return f"{', '.join(others)} and {last}" if others else last
