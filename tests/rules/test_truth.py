"""What each page says that PyTorch does, PyTorch does: Bad shows the stated harm, Good does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.rules.harms import run, run_clean, shows, words_for
from tests.rules.reading import Page, pages

if TYPE_CHECKING:
    from pathlib import Path

PAIRS = [
    pytest.param(page, number, id=f"{page.path.stem}-{number}")
    for page in pages()
    for number in range(1, len(page.bad) + 1)
    if page.truth(number).get("harm") != "none"
]


# What PyTorch warns of is asserted where a page speaks of it; elsewhere it is no failure.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs run in a folder of their own."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("page", "number"), PAIRS)
def test_good_runs_without_a_word(page: Page, number: int) -> None:
    _, heard = run_clean(page.good[number - 1], f"{page.code}-good.py")
    assert_heard(heard, page.truth(number).get("good-warns", []))


@pytest.mark.parametrize(("page", "number"), PAIRS)
def test_bad_does_what_the_page_says(page: Page, number: int) -> None:
    table = page.truth(number)
    program = page.bad[number - 1]
    if table["harm"] == "raises":
        with pytest.raises((Exception, SystemExit)) as caught:
            run(program, f"{page.code}-bad.py")
        stated = page.message(number).removesuffix("…")
        said = words_of(caught.value)
        assert said == stated or (said.startswith(stated) and page.message(number).endswith("…"))
        return
    names, heard = run_clean(program, f"{page.code}-bad.py")
    assert_heard(heard, table.get("warns", []))
    good = run(page.good[number - 1], f"{page.code}-good.py")
    assert shows(table["harm"], words_for(table, good=False), names, good), f"Bad does not show {table['harm']}"


@pytest.mark.parametrize(("page", "number"), PAIRS)
def test_good_is_free_of_the_harm(page: Page, number: int) -> None:
    table = page.truth(number)
    good = run(page.good[number - 1], f"{page.code}-good.py")
    if table["harm"] != "raises":
        assert not shows(table["harm"], words_for(table, good=True), good, good), f"Good shows {table['harm']}"


def assert_heard(heard: list[str], stated: list[str]) -> None:
    """Warnings are those that the page states, by how they begin, and no others."""
    assert len(heard) == len(stated), heard
    assert all(words.startswith(start) for words, start in zip(heard, stated, strict=True)), heard


def words_of(error: BaseException) -> str:
    """An exception as Python prints it in the last lines of a traceback; a syntax error without its excerpt."""
    message: Any = error.msg if isinstance(error, SyntaxError) else error
    return f"{type(error).__name__}: {message}".strip()
