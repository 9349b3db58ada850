"""Source to tree, and syntax errors in words and places that help."""

from __future__ import annotations

import gc

import pytest

from rnnshape_guard.static.parsing import SyntaxProblem, parse


@pytest.mark.parametrize(
    ("source", "message", "row", "column"),
    [
        ("def f(:\n    pass\n", "invalid syntax", 1, 7),
        ("x = (1,\n", "'(' was never closed", 1, 5),
        ("print 'a'\n", "missing parentheses in call to 'print'", 1, 1),
        ("x = 1\n   y = 2\n", "unexpected indent", 2, 3),
        ("class A:\n    def f(self):\n        return (1]\n", "does not match opening parenthesis", 3, 18),
        ("x = 'a\n", "unterminated string", 1, 5),
    ],
)
def test_a_syntax_error_has_words_and_a_place(source: str, message: str, row: int, column: int) -> None:
    with pytest.raises(SyntaxProblem) as caught:
        parse(source)
    assert message in caught.value.message
    assert (caught.value.row, caught.value.column) == (row, column)


def test_the_tree_is_the_source() -> None:
    source = "import torch  # \u00e4\r\nx = (\n\t1)\n"
    assert parse(source).code == source


def test_notebook_lines_are_no_errors() -> None:
    source = "%matplotlib inline\n!pip install torch\nif True:\n    %time f()\nx = 1 % 2\n"
    tree = parse(source)
    assert len(tree.code.splitlines()) == len(source.splitlines())
    assert tree.code.splitlines()[4] == "x = 1 % 2"


def test_a_modulo_at_the_start_of_a_line_stays() -> None:
    source = "x = (a\n  % b)\n"
    assert parse(source).code == source


@pytest.mark.parametrize("collecting", [True, False])
def test_the_collector_is_left_as_it_was(collecting: bool) -> None:
    before = gc.isenabled()
    try:
        (gc.enable if collecting else gc.disable)()
        parse("x = 1\n")
        assert gc.isenabled() is collecting
        with pytest.raises(SyntaxProblem):
            parse("x = (\n")
        assert gc.isenabled() is collecting
    finally:
        (gc.enable if before else gc.disable)()


@pytest.mark.parametrize("source", ["x = (\n" * 3, "\\", "\t\tx", "f'{", "'''", "if", "\ufeff\ufeff"])
def test_broken_source_never_escapes_as_another_error(source: str) -> None:
    with pytest.raises(SyntaxProblem):
        parse(source)
