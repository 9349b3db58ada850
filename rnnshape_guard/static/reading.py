"""From a text to what is interpreted: its records, with the places they stand on.

A body that is left out is parsed and lowered when somebody first asks what stands in it.
"""

from __future__ import annotations

import re
from collections.abc import Set
from functools import cached_property
from typing import Final, NamedTuple

from rnnshape_guard.static import records
from rnnshape_guard.static.lowering import lower, lower_body
from rnnshape_guard.static.parsing import SyntaxProblem, parse
from rnnshape_guard.static.parts import Part, cut
from rnnshape_guard.static.positions import Positions

_NO_CODE: Final = re.compile(
    r'''"""(?:[^"\\]|\\.|"(?!""))*"""|\'{3}(?:[^\'\\]|\\.|\'(?!\'\'))*\'{3}|"[^"\n]{24,}"|'[^'\n]{24,}'|#[^\n]*''',
    re.DOTALL,
)
"""Comments, and strings that are too long for a word."""
_WORD: Final = re.compile(r"[^\W\d]\w*")
_UNKNOWN: Final = records.Body((records.Raise(0, ()),), None, False, frozenset())
"""What may do anything: it is not known to give a value."""


class Loaded(NamedTuple):
    """A file that was parsed and lowered."""

    module: records.Module
    positions: Positions


def read(filename: str, text: str, *, keeps_trees: bool = False) -> Loaded:
    """The records of a file. Raises `SyntaxProblem`. Trees are kept where much will be asked of places."""
    positions = Positions(filename, keeps_trees=keeps_trees)
    whole = cut(text)
    unread = {name: _Left(body, positions) for name, body in whole.bodies.items()}
    try:
        tree = parse(whole.text)
    except SyntaxProblem as problem:
        raise SyntaxProblem(problem.message, whole.row(problem.row), problem.column) from None
    numbers = positions.numbers()
    module = lower(tree, numbers, unread)
    positions.add(whole, tree, numbers)
    return Loaded(module, positions)


class _Left:
    """A body that was left out."""

    def __init__(self, part: Part, positions: Positions) -> None:
        self._part = part
        self._positions = positions

    @cached_property
    def words(self) -> Set[str]:
        """The words in it that are code, and those of short strings."""
        words = set(_WORD.findall(_NO_CODE.sub("", self._part.text)))
        if "self(" in self._part.text:
            words.add("forward")  # what a module called as a function runs
        return words

    def may_assign(self, receiver: str) -> bool:
        """Whether it may assign attributes of a parameter."""
        name = re.escape(receiver)
        return re.search(rf"\b{name}\.\w+[^=\n(]*=(?!=)|^\s*{name}\.\w+\s*:", self._part.text, re.MULTILINE) is not None

    def read(self) -> records.Body:
        """What stands in it. Of what Python can read and libcst can't, nothing is known."""
        try:
            tree = parse(self._part.text)
        except SyntaxProblem:
            return _UNKNOWN
        numbers = self._positions.numbers()
        body = lower_body(tree, numbers)
        self._positions.add(self._part, tree, numbers)
        return body
