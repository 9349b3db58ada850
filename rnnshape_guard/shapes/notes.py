"""Shapes that people write in comments and docstrings.

    >>> [(note.name, note.axes) for note in notes_in("x: (batch, seq, feat)")]
    [('x', ('batch', 'seq', 'feat'))]
    >>> [(str(note.about), note.axes) for note in notes_in("(T, B, H) -> (B, T, H)")]
    [('input', ('T', 'B', 'H')), ('result', ('B', 'T', 'H'))]

A note is evidence about code, and evidence misread is a false alarm. So a bracket is a shape only if all its items
look like sizes and enough of them are words for axes, and if the words around it say plainly what it is the shape of.
A bracket in a sentence, a call, a tuple of values, a shape that holds under a condition, and two shapes for one thing
are left alone.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from rnnshape_guard.shapes.brackets import AxisText, Bracket, brackets_in, listed
from rnnshape_guard.shapes.vocabulary import role_of_all

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from rnnshape_guard.shapes.axes import Role


class About(StrEnum):
    """What a note is the shape of."""

    VALUE = "value"
    """The thing named or, without a name, the value that the noted line makes."""
    INPUT = "input"
    """What goes in: the left side of an arrow."""
    RESULT = "result"
    """What comes out: the right side of an arrow, a docstring's *Returns*, "reshaped to"."""


@dataclass(frozen=True, slots=True)
class ShapeNote:
    """One shape that was written for one thing.

    `axes` holds numbers as integers and the rest as written, with ``...`` for any number of axes. `offset` is where
    the shape begins in the text that was read.
    """

    name: str | None
    axes: tuple[AxisText, ...]
    about: About
    offset: int

    @property
    def is_result(self) -> bool:
        """Whether it is what comes out."""
        return self.about is About.RESULT


def notes_in(text: str, *, known_names: Collection[str] | None = None) -> list[ShapeNote]:
    """The shapes noted in a comment (without its hash) or a docstring, in order.

    `known_names` are the variables or parameters that can be meant: a note for any other name is left out, and a
    known name may stand before its shape without a colon. In a docstring a shape without a name or an arrow says
    nothing of any parameter.
    """
    text = text.translate(_FULL_WIDTH)
    if not _MAYBE.search(text):
        return []
    entries = list(_entries(text, known_names))
    if sum(entry.is_list and entry.about is About.RESULT for entry in entries) > 1:
        # Several things come back, and none of their notes says which of them it is.
        entries = [entry for entry in entries if not (entry.is_list and entry.about is About.RESULT)]
    found = [note for entry in entries for note in _notes_of(entry, text)]
    if known_names is not None:
        found = [note for note in found if note.name is None or note.name in known_names]
    return _undisputed(found)


def notes_of_all(text: str, names: Sequence[str]) -> list[ShapeNote]:
    """The shapes in a comment behind ``x, y = batch``: one for each name, in their order, or one that both have.

    >>> [(note.name, note.axes) for note in notes_of_all("both (batch, seq)", ["words", "tags"])]
    [('words', ('batch', 'seq')), ('tags', ('batch', 'seq'))]
    """
    text = text.translate(_FULL_WIDTH)
    found = list(brackets_in(text))
    if not found or not _ends_well(text[found[-1].end :]):
        return []
    if len(found) == 1:
        if len(names) < 2 or not _FOR_ALL.fullmatch(text, 0, found[0].start):
            return []
        found *= len(names)
    else:
        beside = all(_BESIDE.fullmatch(text, one.end, other.start) for one, other in itertools.pairwise(found))
        if len(found) != len(names) or text[: found[0].start].strip() or not beside:
            return []
    return [
        ShapeNote(name, bracket.axes, About.VALUE, bracket.start) for name, bracket in zip(names, found, strict=True)
    ]


_FOR_ALL: Final = re.compile(
    r"\s*(?:both|all)\b\s*(?:of (?:them|these)\s*)?(?:are\s*|have\s*)?(?:the\s+|of\s+)?(?:shapes?)?\s*(?:is|of|[:=])?\s*",
    re.IGNORECASE,
)
_BESIDE: Final = re.compile(r"\s*(?:[,;&/]|and|,\s*and)\s*")
_FULL_WIDTH: Final = str.maketrans("（），、【】：；＊", "(),,[]:;*")
_MAYBE: Final = re.compile(r"[(\[][^()\[\]]*[,x×*]|\w'? ?[x×] ?[\w(]|\w, *\w+, *\w")


def _undisputed(notes: list[ShapeNote]) -> list[ShapeNote]:
    """The notes without those that give one thing two different shapes: nobody knows which holds when."""
    readings: dict[tuple[str | None, About], set[tuple[Role | None, ...]]] = {}
    for note in notes:
        readings.setdefault((note.name, note.about), set()).add(role_of_all(note.axes))
    return [note for note in notes if len(readings[note.name, note.about]) == 1]


# -- entries: stretches of text that speak of one thing --------------------------------------------------------------


@dataclass(slots=True)
class _Entry:
    """A stretch of the text, the names it describes, and what of them. In a list of parameters (`is_list`) a sentence
    may stand before the shape; elsewhere next to nothing."""

    names: tuple[str, ...]
    about: About
    start: int
    end: int
    is_list: bool = False


_NAME: Final = r"(?:self\.)?[A-Za-z_][A-Za-z0-9_]*"
_NAMES: Final = rf"{_NAME}(?:\s*,\s*{_NAME})*"
_LEAD: Final = r"\s*(?:[-*•>]\s+|\d+[.)]\s+|输入|输出)?[`'\"*]{0,2}"
_EXTENT: Final = r"(?:shapes?|sizes?|dims?|dimensions?|形状|维度|尺寸|大小)"
_FIELD: Final = re.compile(rf"\s*[:@]param(?:eter)?\s+(?:[\w.\[\], |]+\s+)?(?P<names>{_NAME})\s*(?::|\s)")
_RETURN_FIELD: Final = re.compile(r"\s*[:@]returns?\b\s*:?")
_TYPED: Final = re.compile(rf"{_LEAD}(?P<names>{_NAMES})[`'\"*]{{0,2}}\s*\((?=[^\n]*\)\s*(?::|--)(?:\s|$))")
_LABELLED: Final = re.compile(rf"{_LEAD}(?P<names>{_NAMES})[`'\"*]{{0,2}}\s*(?::|=|--)(?![=:])")
_SHAPE_OF: Final = re.compile(
    rf"{_LEAD}(?:the\s+)?{_EXTENT}\s+of\s+(?P<names>{_NAME})\s*(?:is|are|:|=)*", re.IGNORECASE
)
_NAMED_SHAPE: Final = re.compile(
    rf"{_LEAD}(?P<names>{_NAME})(?:\.shape|\.size\(\)|'s\s+shape|\s+(?:has\s+|of\s+|with\s+)?{_EXTENT}|\s*的?{_EXTENT})\s*[:=为是]*"
    r"(?=\s*(?:[(\[]|torch\.Size|is\b|are\b))"
)
_BEFORE_BRACKET: Final = re.compile(rf"{_LEAD}(?P<names>{_NAME})[`'\"*]{{0,2}}\s+(?=[(\[])")
_COMES_AS: Final = re.compile(
    rf"{_LEAD}(?P<names>{_NAME})[`'\"*]{{0,2}}\s+(?:is|are|comes?|arrives?|stays?)\b"
    r"(?:\s+(?!list|tuple|each|no|not|never|either)[a-z]+){0,5}?\s+as\s+(?=[(\[])"
)
_SECTION: Final = re.compile(r"\s*([A-Za-z]+)(?: [A-Za-z]+)?\s*:?\s*$")
_RULE: Final = re.compile(r"\s*[-=~]{3,}\s*$")

_RESULT_WORDS: Final = frozenset({"return", "returns", "returned", "output", "outputs", "out", "result", "yields"})
_INPUT_WORDS: Final = frozenset({"input", "inputs"})
_LIST_WORDS: Final = frozenset(
    {"args", "arguments", "parameters", "params", "keyword", "attributes", "shape", "shapes"}
)
_OTHER_SECTIONS: Final = frozenset({"example", "examples", "raises", "note", "notes", "references", "see"})
_NO_NAMES: Final = frozenset({"tensor", "now", "note", "default", "e", "torch", "array"})


def _entries(text: str, known_names: Collection[str] | None) -> Iterator[_Entry]:
    """What each line speaks of; a line set deeper than the parameter above it goes on about that parameter."""
    entry: _Entry | None = None
    depth = start = 0
    section: About | None = About.VALUE
    is_docstring = "\n" in text.strip()
    for line in text.splitlines(keepends=True):
        end = start + len(line)
        indent = len(line) - len(line.lstrip())
        word = _section_word(line) if is_docstring else ""
        if not line.strip() or _RULE.match(line):
            pass
        elif word:
            section = _section_about(word)
            if entry is not None:
                yield entry
                entry = None
        elif entry is not None and entry.is_list and indent > depth and not _FIELD.match(line):
            entry.end = end
        else:
            if entry is not None:
                yield entry
            entry, depth = None, indent
            if section is not None and not line.lstrip().startswith(">>>"):
                entry = _entry_at(text, start, end, known_names, is_docstring, section)
        start = end
    if entry is not None:
        yield entry


def _section_word(line: str) -> str:
    """The first word of a section's heading (``Args:``, ``Parameters``), or nothing."""
    match = _SECTION.match(line)
    word = match[1].lower() if match else ""
    return word if word in _RESULT_WORDS | _INPUT_WORDS | _LIST_WORDS | _OTHER_SECTIONS else ""


def _section_about(word: str) -> About | None:
    """What the entries under a heading are about; None for examples and such."""
    if word in _OTHER_SECTIONS:
        return None
    return About.RESULT if word in _RESULT_WORDS else About.VALUE


def _entry_at(
    text: str, start: int, end: int, known_names: Collection[str] | None, is_docstring: bool, section: About
) -> _Entry:
    """What one line is about. Under *Returns* a label is no parameter's name."""
    if match := _RETURN_FIELD.match(text, start, end):
        return _Entry((), About.RESULT, match.end(), end, is_list=True)
    if match := _FIELD.match(text, start, end):
        return _Entry((match["names"],), About.VALUE, match.end(), end, is_list=True)
    for pattern in (_SHAPE_OF, _NAMED_SHAPE, _TYPED, _LABELLED, _BEFORE_BRACKET, _COMES_AS):
        match = pattern.match(text, start, end)
        if match is None:
            continue
        names = tuple(name.strip() for name in match["names"].split(","))
        if pattern in (_BEFORE_BRACKET, _COMES_AS) and (known_names is None or names[0] not in known_names):
            continue
        is_list = is_docstring and pattern not in (_BEFORE_BRACKET, _COMES_AS)
        # The bracket of a type may itself be the shape: ``x (batch, time): the input``.
        begin = match.end() - 1 if pattern is _TYPED else match.end()
        if section is About.RESULT:
            return _Entry((), About.RESULT, begin, end, is_list)
        about = _meant(names, known_names)
        return _Entry(names if about is None else (), about or About.VALUE, begin, end, is_list)
    return _Entry((), section, start, end, is_list=section is About.RESULT)


def _meant(names: tuple[str, ...], known_names: Collection[str] | None) -> About | None:
    """What is meant by a label that is no variable (``output: …``); None for one that is."""
    if len(names) > 1 or (known_names is not None and names[0] in known_names):
        return None
    word = names[0].lower()
    if word in _NO_NAMES or re.fullmatch(_EXTENT, word):
        return About.VALUE
    if known_names is None:
        return None
    return About.RESULT if word in _RESULT_WORDS else About.INPUT if word in _INPUT_WORDS else None


# -- shapes in an entry ----------------------------------------------------------------------------------------------

_ARROW: Final = re.compile(r"\s*(?:-{1,2}>|={1,2}>|→)\s*")
_ARROW_TO: Final = re.compile(rf"{_ARROW.pattern}{_NAME}\s*[:=]?\s*")
"""An arrow to a thing that has a name of its own: ``x: (time, batch) -> scores (time, batch)``."""
_ENDS_IN_ARROW: Final = re.compile(r"(?:-{1,2}>|={1,2}>|→)\s*$")
_ENDS_IN_EXTENT: Final = re.compile(rf"(?:\b|[\u4e00-\u9fff]){_EXTENT}\s*(?:of|is|are|[:=为是])*\s*$", re.IGNORECASE)
_TENSOR: Final = r"(?:(?:torch\.)?\w*tensors?|(?:np\.|nd)?array|matrix)"
_BARE: Final = re.compile(
    rf"\s*(?:the|an?|its)?\s*(?:(?:new|final|now)\b)?\s*{_TENSOR}?\s*(?:of|with|has)?"
    rf"\s*(?:the)?\s*{_EXTENT}?\s*(?:is|of|[:=为是])*\s*",
    re.IGNORECASE,
)
_BECOMES: Final = re.compile(
    r"\s*(?:now|becomes?|to|(?:and |then )?(?:reshap|transpos|permut|convert|chang|swap|turn|mov|mak|project|view)\w*"
    rf"(?:\s+(?:it|x|them|back|tensor|output|input))*\s+(?:in)?to|returns?|outputs?|results?|gives?|yields?|makes?"
    rf"|变[为成]|转[换为成]+|输出|得到|返回)\b\s*(?:an?|the)?\s*{_TENSOR}?\s*(?:of|with)?\s*{_EXTENT}?\s*(?:is|of|[:=为是])*\s*",
    re.IGNORECASE,
)
_GOES_IN: Final = re.compile(
    rf"\s*(?:inputs?|输入)\b\s*{_TENSOR}?\s*(?:of|with)?\s*{_EXTENT}?\s*(?:is|of|[:=为是])*\s*", re.IGNORECASE
)
_SEVERAL: Final = re.compile(
    r"(?:\b(?:lists?|tuples?|pairs?|dicts?|sets?|sequences?|each|either|\d+|[A-Z]) (?:of )?|[x×*] ?)$"
)
_CONTAINER: Final = re.compile(r"\b(?:tuple|list|dict|pair|mapping|iterable|generator)s?\b", re.IGNORECASE)
_CONDITION: Final = re.compile(
    r"\b(?:if|when|unless|either|else|or|otherwise|before|depending|except|not)\b|如果|否则|或"
)
_WORD_AFTER: Final = re.compile(r"\s*([^\W\d_]+)")
_HARMLESS_AFTER: Final = frozenset(
    {"tensor", "tensors", "array", "matrix", "after", "where", "containing", "with", "for", "as", "since", "because"}
    | {"representing", "shape", "shaped", "in", "so", "which", "that", "is"}
)


_OWN_LABEL: Final = re.compile(
    rf"(?:\s*,|[^,;()\[\]\n]*;|\s)\s*(?:and\s+)?[`'\"*]{{0,2}}({_NAME})[`'\"*]{{0,2}}\s*[:=]\s*"
)
"""What stands between two shapes of one line that each have a name: ``x: (batch, time) padded; y: (batch,)``."""


def _notes_of(entry: _Entry, text: str) -> list[ShapeNote]:
    """The notes of one entry. Where a sentence holds a shape that is not the entry's, no other in it is trusted."""
    plainly = bool(entry.names) or entry.about is About.RESULT
    found = list(brackets_in(text, entry.start, entry.end, plainly=plainly))
    if not found and not entry.is_list and (whole := listed(text, entry.start, entry.end)):
        found = [whole]
    chains: list[list[Bracket]] = []
    for bracket in found:
        if chains and any(one.fullmatch(text, chains[-1][-1].end, bracket.start) for one in (_ARROW, _ARROW_TO)):
            chains[-1].append(bracket)
        else:
            chains.append([bracket])
    notes = []
    end = entry.start
    for chain in chains:
        own = _OWN_LABEL.fullmatch(text, end, chain[0].start) if entry.names and end > entry.start else None
        if own is not None:
            notes.append(_notes_of_chain(chain, replace(entry, names=(own[1],), start=own.end()), text))
        else:
            notes.append(_notes_of_chain(chain, entry, text))
        end = chain[-1].end
    return [] if entry.is_list and not all(notes) else [note for each in notes for note in each]


def _notes_of_chain(chain: list[Bracket], entry: _Entry, text: str) -> list[ShapeNote]:
    """The note of a shape alone, or those of the ends of a chain of arrows."""
    first, last = chain[0], chain[-1]
    if not _ends_well(text[last.end : entry.end], is_named=bool(entry.names)):
        return []
    about = _introduced(text[entry.start : first.start], entry)
    names = entry.names or (None,)
    if len(chain) == 1:
        return [] if about is None else [ShapeNote(name, first.axes, about, first.start) for name in names]
    notes = [ShapeNote(name, last.axes, About.RESULT, last.start) for name in names]
    if _ARROW_TO.fullmatch(text, chain[-2].end, last.start):
        notes = []  # what comes out is another thing, and nobody knows which statement makes it
    if about is not None:
        notes = [ShapeNote(name, first.axes, About.INPUT, first.start) for name in names] + notes
    return notes


def _introduced(before: str, entry: _Entry) -> About | None:
    """What the words before a shape make of it; None if they don't introduce it."""
    if _ENDS_IN_ARROW.search(before):
        return About.RESULT
    sentence = re.split(r"[.;]\s", before)[-1]
    if _CONDITION.search(sentence) or _SEVERAL.search(sentence):
        return None
    if not before.strip():
        return entry.about
    if entry.is_list and _CONTAINER.search(before):
        return None
    if entry.is_list or (entry.names and _ENDS_IN_EXTENT.search(before)):
        return entry.about
    if entry.names:
        return entry.about if _BARE.fullmatch(before) else None
    if _BECOMES.fullmatch(before):
        return About.RESULT
    if _GOES_IN.fullmatch(before):
        return About.INPUT
    return entry.about if _BARE.fullmatch(before) else None


def _ends_well(after: str, *, is_named: bool = False) -> bool:
    """Whether a shape stands for itself: no condition or product follows it, and no noun (``(batch, time) mask``),
    unless the shape has a name already (``ids: (batch, time) letter indices``)."""
    rest = re.split(r"[.;]\s|\n", after, maxsplit=1)[0]
    if _CONDITION.search(rest):
        return False
    word = _WORD_AFTER.match(rest)
    if word is None:
        return not re.match(r"\s*(?:[*×+/%@|=]|\[|->|=>|→)", rest)
    return is_named or word[1].lower() in _HARMLESS_AFTER
