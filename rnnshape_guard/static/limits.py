"""What is refused before it is parsed.

libcst's parser descends a level for each nested bracket, operator of a chain and `elif`; it crashes the process at about
two thousand, and long before that it takes seconds and gigabytes. One linear pass over the raw bytes finds such input.
Strings and comments hold no code and are taken out first, except for the fields of f-strings. A quick look at each line
clears nearly every statement; only those that it cannot clear are counted token by token.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_DEPTH = 200
MAX_CHAIN = 500
MAX_BLOCKS = 100
"""Python's own limit on nested blocks."""
MAX_TOKENS = 250_000
"""Four seconds of parsing: a table of numbers, seldom a program."""

_TEXT = re.compile(
    rb"""
      \#[^\n]*
    | \"\"\"(?:[^\\"]++|\\.|"(?!""))*+(?:\"\"\"|\Z)
    | '''(?:[^\\']++|\\.|'(?!''))*+(?:'''|\Z)
    | "(?:[^\\"\n]++|\\.)*+"?
    | '(?:[^\\'\n]++|\\.)*+'?
    """,
    re.VERBOSE | re.DOTALL,
)
_FORMATTED = re.compile(rb"(?:\b|(?<=[0-9_]))(?:[fFtT][rR]?|[rR][fFtT])\Z")
_FIELD = re.compile(rb"\{[^{}]*+\}")
_TOKEN = re.compile(
    rb"[\[({]|[\])}]|[,;:\n]|\*\*|//|<<|>>|[<>=!]=|->|[-+*/%@&|^~<>.\"]"
    rb"|\b(?:and|or|not|in|is|if|else|for|await|lambda|yield|async)\b"
)
_ANY_TOKEN = re.compile(rb"\w+|[^\w\s]|\n")
_DEEP = re.compile(rb"^[ \t]{%d}" % MAX_BLOCKS, re.MULTILINE)

# The quick look sees a line as its brackets, `(` for each that opens and `)` for each that closes, and `+` for each
# operator, dot and string.
_MARKS = b'()[]{}+-*/%@&|^~<>."\n'
_DROPPED = bytes(set(range(256)) - set(_MARKS))
_CLASSES = bytes.maketrans(_MARKS, b"()()()++++++++++++++\n"[: len(_MARKS)])


@dataclass(frozen=True, slots=True)
class Excess:
    """What makes a file too much for the parser, and the row it was found in."""

    message: str
    row: int


def excess(source: bytes, max_bytes: int) -> Excess | None:
    """The first reason to refuse a file, None for one that is safe to parse."""
    if len(source) > max_bytes:
        return Excess(f"the file is larger than {max_bytes / 1_000_000:g} MB", 1)
    null = source.find(b"\0")
    if null >= 0:
        return Excess("the file holds a null byte", source.count(b"\n", 0, null) + 1)
    if b"\r" in source:
        source = source.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    hostile: list[Excess] = []

    def blank(match: re.Match[bytes]) -> bytes:
        """What stands for a comment or string: nothing, or one mark and the string's newlines, escaped."""
        text = match[0]
        if text[0] == 35:  # a comment
            return b""
        start = match.start()
        if len(text) > MAX_DEPTH and _FORMATTED.search(source, max(0, start - 3), start):
            found = _excess_of_fields(text)
            if found is not None:
                hostile.append(Excess(found, source.count(b"\n", 0, start) + 1))
        return b'"' if b"\n" not in text else b'"' + b"\\\n" * text.count(b"\n")

    code = _TEXT.sub(blank, source)
    if hostile:
        return hostile[0]
    if len(code) > MAX_TOKENS and len(_ANY_TOKEN.findall(code)) > MAX_TOKENS:
        return Excess(f"the file holds more than {MAX_TOKENS:_} tokens".replace("_", " "), 1)
    return _excess_of_statements(code) or _excess_of_blocks(code)


def _excess_of_statements(code: bytes) -> Excess | None:
    lines = code.split(b"\n")
    depth = count = start = 0
    suspicious = False
    for row, marks in enumerate(code.translate(_CLASSES, _DROPPED).split(b"\n")):
        line = lines[row]
        # A word operator such as `or` takes four characters at least.
        count += len(marks) + (len(line) >> 2)
        opened = marks.count(b"(")
        depth += opened
        suspicious = suspicious or depth > MAX_DEPTH
        depth -= marks.count(b")")
        if depth > 0 or line.endswith(b"\\"):
            continue
        if suspicious or count > MAX_CHAIN:
            found = _excess_of_expressions(b"\n".join(lines[start : row + 1]), start + 1)
            if found is not None:
                return found
        depth = count = 0
        suspicious = False
        start = row + 1
    return _excess_of_expressions(b"\n".join(lines[start:]), start + 1) if start < len(lines) else None


def _excess_of_expressions(code: bytes, row: int) -> Excess | None:
    """Brackets too deep, or a chain of operators, attributes, calls and joined strings too long, in one statement.

    The parser's stack holds the chains of all open brackets at once, so it is their sum that counts.
    """
    chains = [0]
    total = 0
    awaited = False
    for token in _TOKEN.findall(code):
        if token in b"([{":
            chains[-1] += 1
            total += 1
            chains.append(0)
            if len(chains) > MAX_DEPTH + 1:
                return Excess(f"brackets are nested more than {MAX_DEPTH} deep", row)
        elif token in b")]}":
            if len(chains) > 1:
                total -= chains.pop()
        elif token == b"\n":
            row += 1
        elif token in b",;":
            # Between `lambda` and its colon, and between `for` and its `in`, a comma ends nothing.
            if not awaited:
                total -= chains[-1]
                chains[-1] = 0
        elif token == b":":
            awaited = False
        else:
            awaited = token in (b"lambda", b"for") or (awaited and token != b"in")
            chains[-1] += 1
            total += 1
        if total > MAX_CHAIN:
            return Excess(f"an expression chains more than {MAX_CHAIN} operators", row)
    return None


def _excess_of_fields(text: bytes) -> str | None:
    """The same for the fields of one f-string, which are code: what is between braces, and how deep those are."""
    depth = 0
    for bracket in re.findall(rb"[\[({]|[\])}]", text.replace(b"{{", b"").replace(b"}}", b"")):
        depth = max(0, depth + (1 if bracket in b"([{" else -1))
        if depth > MAX_DEPTH:
            return f"brackets are nested more than {MAX_DEPTH} deep in an f-string"
    for code in _FIELD.findall(text):
        if len(_TOKEN.findall(code)) > MAX_CHAIN:
            return f"an f-string chains more than {MAX_CHAIN} operators"
    return None


def _excess_of_blocks(code: bytes) -> Excess | None:
    """An if with too many elifs, or blocks nested too deep."""
    if code.count(b"elif") <= MAX_CHAIN and _DEEP.search(code) is None:
        return None
    indents = [0]
    elifs = [0]
    for row, line in _first_lines(code):
        indent = len(line) - len(line.lstrip())
        while len(indents) > 1 and indent < indents[-1]:
            indents.pop()
            elifs.pop()
        if indent > indents[-1]:
            indents.append(indent)
            elifs.append(0)
        elifs[-1] = elifs[-1] + 1 if line.lstrip().startswith(b"elif") else 0
        if elifs[-1] > MAX_CHAIN:
            return Excess(f"an if statement has more than {MAX_CHAIN} elif branches", row)
        if len(indents) > MAX_BLOCKS:
            return Excess(f"blocks are nested more than {MAX_BLOCKS} deep", row)
    return None


def _first_lines(code: bytes) -> Iterator[tuple[int, bytes]]:
    """The first line of each statement, with its row."""
    depth = 0
    continued = False
    for row, line in enumerate(code.split(b"\n"), start=1):
        if depth <= 0 and not continued and line.strip():
            depth = 0
            yield row, line
        marks = line.translate(_CLASSES, _DROPPED)
        depth += marks.count(b"(") - marks.count(b")")
        continued = line.endswith(b"\\")
