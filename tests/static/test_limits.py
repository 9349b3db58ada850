"""Input that would crash or starve the parser is refused first, and nothing else is."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import libcst
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnshape_guard.static.limits import MAX_CHAIN, MAX_DEPTH, excess
from rnnshape_guard.static.parsing import parse

MEGABYTE = 1_000_000


def refusal(source: str) -> str | None:
    found = excess(source.encode(), MEGABYTE)
    return None if found is None else found.message


HOSTILE = {
    "3,000 brackets": ("x = " + "(" * 3000 + "1" + ")" * 3000, "nested more than 200 deep"),
    "3,000 brackets never closed": ("x = " + "[" * 3000, "nested more than 200 deep"),
    "brackets over many lines": ("x = " + "(\n" * 300 + "1" + ")\n" * 300, "nested more than 200 deep"),
    "brackets of every kind": ("x = " + "[({0: " * 100 + "1" + "})]" * 100, "nested more than 200 deep"),
    "brackets behind closers that close nothing": (")" * 300 + "(" * 300, "nested more than 200 deep"),
    "1,000 nested calls": ("x = " + "f(" * 1000 + ")" * 1000, "nested more than 200 deep"),
    "5,000 operators": ("x = " + " + ".join("a" * 5000), "chains more than 500 operators"),
    "5,000 operators on lines": ("x = (" + " +\n".join("a" * 5000) + ")", "chains more than 500 operators"),
    "5,000 operators on continued lines": ("x = " + " + \\\n".join("a" * 5000), "chains more than 500 operators"),
    "word operators": ("x = " + " or ".join("a" * 600), "chains more than 500 operators"),
    "not": ("x = " + "not " * 600 + "a", "chains more than 500 operators"),
    "attributes": ("x = a" + ".b" * 600, "chains more than 500 operators"),
    "calls": ("x = a" + "()" * 600, "chains more than 500 operators"),
    "subscripts": ("x = a" + "[0]" * 600, "chains more than 500 operators"),
    "joined strings": ("x = " + '"a" ' * 600, "chains more than 500 operators"),
    "conditionals": ("x = " + "a if b else " * 600 + "c", "chains more than 500 operators"),
    "lambdas": ("x = " + "lambda a, b: " * 600 + "c", "chains more than 500 operators"),
    "comprehension": ("x = [c " + "for a, b in c " * 600 + "]", "chains more than 500 operators"),
    "chains inside brackets": ("x = " + ("(" + "-" * 10) * 100 + "1" + ")" * 100, "chains more than 500 operators"),
    "elifs": ("if a:\n    pass\n" + "elif a:\n    pass\n" * 600, "more than 500 elif branches"),
    "blocks": (
        "".join("\t" * depth + "if x:\n" for depth in range(150)) + "\t" * 150 + "pass\n",
        "blocks are nested more than 100 deep",
    ),
    "f-string": ("x = f'{" + "(" * 3000 + ")" * 3000 + "}'", "nested more than 200 deep in an f-string"),
    "f-string chain": ("x = f'{" + "+".join("a" * 5000) + "}'", "an f-string chains more than 500"),
    "numbers": ("x = [" + "1," * 300_000 + "]", "more than 250 000 tokens"),
    "a null byte": ("x = 1\ny = '\0'\n", "holds a null byte"),
    "two megabytes": ("x = 1  # " + "a" * 2 * MEGABYTE, "larger than 1 MB"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_input_is_refused(name: str) -> None:
    source, message = HOSTILE[name]
    assert message in (refusal(source) or "nothing")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_refusal_is_quick(name: str) -> None:
    source = HOSTILE[name][0].encode()
    start = time.perf_counter()
    excess(source, MEGABYTE)
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize(
    "source",
    [
        "x = '" + "(" * 3000 + "'",
        'x = """' + "(\n" * 3000 + '"""',
        "# " + "(" * 3000 + "\nx = 1",
        "x = '\\'" + "[" * 300 + "'",
        "x = 1  # it's " + "(" * 300 + "\ny = 2",
        "# " + " + ".join("a" * 5000),
        "x = [" + "-1, " * 5000 + "]",
        "x = [" + "'a', " * 5000 + "]",
        "x = {" + "'a': -b.c, " * 5000 + "}",
        "x = f'{{" + "(" * 150 + "}}'",
        "import a\n" * 5000,
        "x = a.b(c)\n" * 5000,
        "f(lambda a, b: a)\n" * 600,
        "if a:\n    pass\nelif b:\n    pass\n" * 600,
        "x = '''" + "elif\n" * 600 + "'''",
        "def f():\n    return (\n" + " " * 150 + "1)\n",
        "t = {" + "'k': lambda a: a.b, " * 600 + "}",
        "rows = [(" + "), (".join("a.b + c.d" for _ in range(600)) + ")]",
    ],
)
def test_code_that_is_merely_long_passes(source: str) -> None:
    assert refusal(source) is None
    parse(source)


def test_the_row_is_that_of_the_excess() -> None:
    found = excess(b"x = 1\n'''\n\n'''\ny = (\n" + b"(" * 3000, MEGABYTE)
    assert found is not None
    assert found.row == 6


def test_line_ends_of_every_system_count_alike() -> None:
    for end in (b"\n", b"\r\n", b"\r"):
        found = excess(end.join([b"x = 1", b"y = " + b"(" * 300]), MEGABYTE)
        assert found is not None
        assert found.row == 2


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="([{}])\"'#\\\n:,.+- aflmbdinorst0", max_size=400))
def test_any_text_is_scanned_without_error(source: str) -> None:
    assert refusal(source) is None  # 400 characters are never too much


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.sampled_from(["({})", "[{}]", "f({})", "-{}", "{} + a", "not {}", "{}.b", "{}()", "lambda: {}"]),
        max_size=700,
    )
)
def test_what_passes_can_be_parsed(frames: list[str]) -> None:
    source = "x"
    for frame in frames:
        source = frame.format(source)
    if refusal(f"x = {source}\n") is None:
        with contextlib.suppress(libcst.ParserSyntaxError):  # `-not x` is no Python; the process has to live
            libcst.parse_module(f"x = {source}\n")


@pytest.mark.parametrize(
    "source",
    [
        "x = " + "f(" * (MAX_DEPTH - 1) + ")" * (MAX_DEPTH - 1),
        "x = " + " + ".join("a" * MAX_CHAIN),
        "x = a" + ".b" * (MAX_CHAIN - 1),
        "if a:\n    pass\n" + "elif a:\n    pass\n" * MAX_CHAIN,
        "x = " + "not " * (MAX_CHAIN - 1) + "a",
    ],
)
def test_the_most_that_passes_is_parsed(source: str) -> None:
    assert refusal(source) is None
    parse(source)


def test_real_modules_pass_and_cost_little() -> None:
    sources = [path.read_bytes() for path in sorted(Path(libcst.__file__).parent.rglob("*.py"))]
    start = time.perf_counter()
    refused = [source[:80] for source in sources if excess(source, MEGABYTE) is not None]
    scanned = time.perf_counter() - start
    assert refused == []
    # The parser takes some 50 microseconds a line; a scan that takes a tenth of that has gone wrong.
    assert scanned / sum(source.count(b"\n") for source in sources) < 10e-6
