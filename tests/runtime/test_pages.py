"""Linter and guard agree: what a rule's page shows as Bad raises that rule when it runs, and Good passes."""

from __future__ import annotations

import re

import pytest

from rnnshape_guard import ShapeContractError
from tests.rules.reading import Page, marks, pages
from tests.runtime.programs import guarded, run, traced
from tests.test_examples import BROKEN, GOOD

RUNTIME = [page for page in pages() if page.facts.get("runtime") and not page.code.startswith("RSG0")]
BAD = [
    pytest.param(page, program, id=f"{page.code}-{number}")
    for page in RUNTIME
    for number, program in enumerate(page.bad, start=1)
]
GOOD_PROGRAMS = [
    pytest.param(page, program, id=f"{page.code}-{number}")
    for page in RUNTIME
    for number, program in enumerate(page.good, start=1)
]

# The mistake, or the call that shows it, stands outside of every class: a guard on the classes does not see it.
OUTSIDE = {
    "RSG105-3": "the constructor raises",
    "RSG406-2": "a Sequential at the top of the program",
    "RSG501-3": "a layer at the top of the program",
    "RSG505-1": "the second batch has a structure that passed",
    "RSG411-1": "the loss is computed at the top of the program",
    "RSG701-1": "the loss is computed at the top of the program",
    "RSG701-2": "the loss is computed at the top of the program",
    "RSG705-1": "the loss is computed at the top of the program",
    "RSG705-2": "the loss is computed at the top of the program",
}

pytestmark = pytest.mark.filterwarnings("ignore", "error::rnnshape_guard.runtime.tracing.TracingWarning")


# Annotations are held by the guard; without one a traced call reads them as evidence only.
HELD_BY_THE_GUARD = frozenset({"RSG901"})

TRACED = [one for one in BAD if one.values[0].code not in HELD_BY_THE_GUARD]


def without_other_checks(program: str) -> str:
    """A program without jaxtyping's own decorator, which would raise before the guard does."""
    return re.sub(r"^ *@jaxtyped\(.*\)\n", "", program, flags=re.MULTILINE)


@pytest.mark.parametrize(("page", "program"), TRACED)
def test_bad_raises_the_code_of_its_page_at_the_line_the_checker_names(page: Page, program: str) -> None:
    result = traced(program, f"<{page.code}-bad>")
    found = {(finding.place.span.start.row, finding.code) for finding in result.findings}
    assert {(mark.line, mark.code) for mark in marks(program)} <= found
    assert page.code in {error.code for error in result.violations} or page.facts["severity"] == "note"


@pytest.mark.parametrize(("page", "program"), GOOD_PROGRAMS)
def test_good_passes(page: Page, program: str) -> None:
    result = traced(program, f"<{page.code}-good>")
    result.raise_first()
    assert result.log.events


@pytest.mark.parametrize(("page", "program"), BAD)
def test_bad_raises_under_the_guard(page: Page, program: str, request: pytest.FixtureRequest) -> None:
    name = request.node.callspec.id
    if name in OUTSIDE:
        pytest.skip(OUTSIDE[name])
    with pytest.raises(ShapeContractError) as caught:
        run(guarded(without_other_checks(program)), f"<{page.code}-guarded>")
    assert caught.value.code == page.code
    assert caught.traceback[-1].frame.code.raw.co_filename == f"<{page.code}-guarded>"


@pytest.mark.parametrize(("page", "program"), GOOD_PROGRAMS)
def test_good_passes_under_the_guard(page: Page, program: str) -> None:
    assert run(guarded(program), f"<{page.code}-guarded-good>")


PLAIN = [stem for stem, path in GOOD.items() if "rnnshape_guard" not in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("stem", PLAIN)
def test_examples_pass(stem: str, capsys: pytest.CaptureFixture[str]) -> None:
    program = _called(GOOD[stem].read_text(encoding="utf-8"))
    traced(program, f"<{stem}>").raise_first()
    assert capsys.readouterr().out


@pytest.mark.parametrize("stem", BROKEN)
def test_broken_examples_raise_what_their_mark_says(stem: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = BROKEN[stem].read_text(encoding="utf-8")
    (mark,) = marks(text)
    result = traced(_called(text), f"<{stem}>")
    assert mark.code in {error.code for error in result.violations}
    capsys.readouterr()


def _called(program: str) -> str:
    """An example's program with its `main` run, whatever its name is; a few epochs show the axes of all."""
    program = re.sub(r"^EPOCHS = \d+$", "EPOCHS = 3", program, flags=re.MULTILINE)
    return re.sub(r'^if __name__ == "__main__":\n', "if True:\n", program, flags=re.MULTILINE)
