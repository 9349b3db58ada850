"""Source to tree. The only place that calls libcst's parser; what reaches it has passed `limits.excess`."""

from __future__ import annotations

import ast
import contextlib
import gc
import re
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import libcst

# `%magic`, `!command` and `%%cell` as a statement of their own.
_MAGIC = re.compile(r"^([ \t]*)([%!][^\n]*)$", re.MULTILINE)


class SyntaxProblem(Exception):
    """Source that is no Python; row and column count from 1."""

    def __init__(self, message: str, row: int, column: int) -> None:
        super().__init__(message, row, column)
        self.message = message
        self.row = row
        self.column = column


def parse(source: str) -> libcst.Module:
    """The tree of a module. Raises `SyntaxProblem`.

    The collector is off meanwhile: a tree is all new objects and no garbage, and walking them again and again costs
    half as much as the parse. Lines of a notebook that are no Python (``%matplotlib inline``, ``!pip install``) are
    read as blank statements if the module is no Python with them.
    """
    import libcst  # 130 ms that a run without candidates need not pay

    collecting = gc.isenabled()
    gc.disable()
    try:
        return libcst.parse_module(source)
    except libcst.ParserSyntaxError as problem:
        message, row, column = problem.message, problem.raw_line, problem.raw_column + 1
        plain = _MAGIC.sub(_blank, source)
        if plain != source:
            with contextlib.suppress(libcst.ParserSyntaxError):
                return libcst.parse_module(plain)
    finally:
        if collecting:
            gc.enable()
    raise python_problem(source) or SyntaxProblem(_tidy(message), max(row, 1), max(column, 1))


def _blank(match: re.Match[str]) -> str:
    return f"{match[1]}pass" + " " * max(0, len(match[2]) - len("pass"))


def python_problem(source: str) -> SyntaxProblem | None:
    """What the Python that runs this says about a module; None if it finds nothing wrong.

    Its words and places are better than libcst's, and it is seven times as fast, but it knows only its own grammar.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(source, "<module>", "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
        except SyntaxError as problem:
            return SyntaxProblem(_tidy(problem.msg), problem.lineno or 1, max(problem.offset or 1, 1))
        except (ValueError, RecursionError, MemoryError):
            return None
    return None


def _tidy(message: str) -> str:
    """The parser's words without its frame, in lower case: ``parser error: error at 3:5: expected one of (, ) …``."""
    text = message.split("\n")[0].removeprefix("parser error: ").removeprefix("tokenizer error: ")
    if text.startswith("error at "):
        text = text.partition(": ")[2] or text
    return text[:1].lower() + text[1:] if text else "invalid syntax"
