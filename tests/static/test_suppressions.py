"""Comments that silence findings, and those that silence nothing."""

from __future__ import annotations

import pytest

from rnnshape_guard.findings import Diagnostic, Position, Severity, Span
from rnnshape_guard.rulebook import RuleBook
from rnnshape_guard.suppressions import apply, read_suppressions

BOOK = RuleBook.load()
EVERY = frozenset(BOOK.codes)


def diagnostic(code: str, row: int, last: int | None = None) -> Diagnostic:
    span = Span("model.py", Position(row, 5), Position(last or row, 9))
    return Diagnostic(code=code, name=BOOK.entry(code).name, severity=Severity.ERROR, message="wrong", span=span)


def left(text: str, *diagnostics: Diagnostic, selected: frozenset[str] = EVERY) -> list[tuple[str, int]]:
    remaining = apply(diagnostics, read_suppressions(text, "model.py"), BOOK, selected)
    return [(found.code, found.span.start.row) for found in remaining]


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa",
        "# NOQA",
        "#noqa",
        "# noqa: RSG201",
        "# noqa:RSG201",
        "# noqa : RSG201",
        "# noqa: E501, RSG201",
        "# noqa: E501 RSG201",
        "# noqa: rsg201",
        "# noqa: RSG2",
        "# type: ignore # noqa: RSG201",
        "# noqa: RSG201  # because of the old checkpoints",
        "# rnnshape: ignore",
        "# rnnshape:ignore[RSG201]",
        "# rnnshape: ignore[RSG101, RSG201]",
        "# rnnshape: ignore[linear-in-features]",
        "# rnnshape: ignore[RSG201] the old checkpoints need it",
    ],
)
def test_a_comment_silences_its_line(comment: str) -> None:
    remaining = left(f"head = Linear(3, 4)  {comment}\n", diagnostic("RSG201", 1))
    assert ("RSG201", 1) not in remaining


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa: E501",
        "# noqa: RSG3",
        "# noqa-not-a-directive",
        "# noqa: because",
        "# ruff: noqa",
        "# rnnshape: ignore[RSG3]",
        "# rnnshape: ignore[]",
        "# rnnshape: ignored",
        "# say noqa",
    ],
)
def test_a_comment_that_means_something_else_does_not(comment: str) -> None:
    assert ("RSG201", 1) in left(f"head = Linear(3, 4)  {comment}\n", diagnostic("RSG201", 1))


def test_other_lines_are_not_silenced() -> None:
    text = "a = 1  # noqa\nhead = Linear(3, 4)\n# noqa: RSG201\n"
    assert ("RSG201", 2) in left(text, diagnostic("RSG201", 2))


def test_words_in_a_string_say_nothing() -> None:
    text = "head = f('# noqa: RSG201')\ntext = '''\n# rnnshape: skip-file\n'''\n"
    assert left(text, diagnostic("RSG201", 1)) == [("RSG201", 1)]


STATEMENT = "head = Linear(\n    3,\n    4,\n)  # noqa: RSG201\nother = 1\n"


def test_the_last_line_of_a_statement_speaks_for_its_first() -> None:
    assert left(STATEMENT, diagnostic("RSG201", 1)) == []
    assert left(STATEMENT, diagnostic("RSG201", 1, 4)) == []


def test_the_last_line_does_not_speak_for_those_between() -> None:
    assert ("RSG201", 2) in left(STATEMENT, diagnostic("RSG201", 2))


def test_a_line_inside_a_statement_can_be_silenced_by_itself() -> None:
    text = "head = Linear(\n    3,  # noqa: RSG201\n    4,\n)\n"
    assert left(text, diagnostic("RSG201", 2)) == []
    assert ("RSG201", 1) in left(text, diagnostic("RSG201", 1))


@pytest.mark.parametrize(
    "comment", ["# rnnshape: skip-file", "#rnnshape:skip-file why", "x = 1  # rnnshape: skip-file"]
)
def test_skip_file_silences_all(comment: str) -> None:
    assert left(f"head = Linear(3, 4)\n{comment}\n", diagnostic("RSG201", 1)) == []


def test_errors_about_the_file_itself_cannot_be_silenced() -> None:
    text = "x = 1  # noqa\n# rnnshape: skip-file\n"
    assert left(text, diagnostic("RSG001", 1)) == [("RSG001", 1)]


@pytest.mark.parametrize(
    ("comment", "words"),
    [
        ("# noqa: RSG201", "`RSG201` is not reported"),
        ("# noqa: E501, RSG201", "`RSG201` is not reported"),
        ("# noqa: RSG201, RSG301", "`RSG201` and `RSG301` are not reported"),
        ("# rnnshape: ignore[RSG3]", "`RSG3` is not reported"),
        ("# rnnshape: ignore", "silences nothing"),
        ("# noqa: RSG999", "there is no rule `RSG999`"),
        ("# rnnshape: ignore[linear-in-feature]", "there is no rule `linear-in-feature`"),
    ],
)
def test_a_comment_that_silences_nothing_is_reported(comment: str, words: str) -> None:
    text = f"head = 1  {comment}\n"
    (unused,) = apply([], read_suppressions(text, "model.py"), BOOK, EVERY)
    assert unused.code == "RSG002"
    assert unused.severity is Severity.WARNING
    assert words in unused.message
    assert text[unused.span.start.column - 1 : unused.span.end.column - 1].startswith(("# noqa", "# rnnshape"))


@pytest.mark.parametrize("comment", ["# noqa", "# noqa: E501", "# rnnshape: ignore[]"])
def test_a_comment_of_another_tool_is_never_unused(comment: str) -> None:
    assert left(f"head = 1  {comment}\n") == []


def test_only_the_idle_codes_are_reported() -> None:
    text = "head = 1  # noqa: RSG201, RSG301\n"
    (unused,) = apply([diagnostic("RSG201", 1)], read_suppressions(text, "model.py"), BOOK, EVERY)
    assert "`RSG301` is not reported" in unused.message
    assert unused.help == "remove `RSG301` from the comment"


def test_a_rule_that_is_off_may_stay_suppressed() -> None:
    assert left("head = 1  # noqa: RSG201\n", selected=frozenset({"RSG002", "RSG301"})) == []


def test_nothing_is_unused_if_that_rule_is_off() -> None:
    assert left("head = 1  # noqa: RSG201\n", selected=EVERY - {"RSG002"}) == []


def test_a_page_marks_its_own_unused_suppression() -> None:
    assert left("head = 1  # noqa: RSG201  # warning: [RSG002]\n") == [("RSG002", 1)]


def test_text_that_ends_in_the_middle_is_read_as_far_as_it_goes() -> None:
    assert left("head = f(  # noqa: RSG201\n", diagnostic("RSG201", 1)) == []
