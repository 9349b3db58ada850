"""Each rule has a page of one form, and the checker says of its programs what their comments announce."""

from __future__ import annotations

import ast
import re

import pytest

from tests.rules.harms import MEASURES
from tests.rules.reading import SECTIONS, Mark, Page, marks, pages

CODES = """
000 syntax-error, 001 internal-error, 002 unused-suppression,
101 layout-mismatch, 102 implicit-batch-first, 103 mixed-layouts, 104 unbatched-by-accident, 105 misplaced-flag,
201 linear-in-features, 202 state-features, 203 rnn-input-size, 204 decoder-state, 205 layer-size,
301 misused-permute, 302 permute-rank, 303 view-as-permute, 304 state-flattened, 305 view-size,
306 view-after-permute, 307 squeeze-all, 308 discarded-reorder,
401 last-step-axis, 402 half-seen-last-step, 403 one-direction-state, 404 state-axis, 405 lstm-state-tuple,
406 output-tuple, 407 direction-split, 408 padded-last-step, 409 loop-axis, 410 gather-axis,
411 next-step-both-ways,
501 state-shape, 502 state-batch-axis, 503 state-size-source, 504 missing-cell-state, 505 fixed-batch-state,
506 separate-state-arguments,
601 packing-layout, 602 packed-as-tensor, 603 lengths,
701 class-axis, 702 softmax-axis, 703 channels-axis, 704 attention-axes, 705 loss-broadcast, 706 dropout-without-effect,
707 operand-sizes,
801 cell-input, 802 cell-state,
901 annotation-mismatch, 902 annotation-syntax
"""
RULES = {f"RSG{code}": name for code, name in re.findall(r"(\d{3}) ([a-z-]+)", CODES)}
TOOL = "RSG0"  # what the engine says around judgement, not what judgement finds
WITHOUT_PROGRAMS = {"RSG001"}
KEYS = {"severity": str, "since": str, "fix": str, "static": bool, "runtime": bool, "silent": bool, "truth": dict}

BY_PAGE = [pytest.param(page, id=page.path.stem) for page in pages()]
PROGRAMS = [
    pytest.param(page, program, id=f"{page.path.stem}-{section}-{number}")
    for page in pages()
    if not page.code.startswith(TOOL)
    for section, programs in (("bad", page.bad), ("good", page.good))
    for number, program in enumerate(programs, start=1)
]


def test_every_rule_has_a_page_and_every_page_a_rule() -> None:
    assert {page.path.stem for page in pages()} == {f"{code}-{name}" for code, name in RULES.items()}


@pytest.mark.parametrize("page", BY_PAGE)
def test_title_names_the_file(page: Page) -> None:
    assert page.title == "# " + page.path.stem.replace("-", " ", 1)
    assert page.summary and "\n\n" not in page.summary


@pytest.mark.parametrize("page", BY_PAGE)
def test_facts_are_known_words(page: Page) -> None:
    assert {key: type(value) for key, value in page.facts.items()} == KEYS
    assert page.facts["severity"] in {"error", "warning", "note"}
    assert page.facts["fix"] == "none"
    for number in range(1, len(page.bad) + 1):
        truth = page.truth(number)
        assert truth["harm"] in {*MEASURES, "raises", "none"}
        assert truth["harm"] != "none" or truth["why"]


@pytest.mark.parametrize("page", BY_PAGE)
def test_silent_says_whether_pytorch_speaks(page: Page) -> None:
    harms = {page.truth(number)["harm"] for number in range(1, len(page.bad) + 1)} - {"none"}
    if harms:
        assert page.facts["silent"] == (harms != {"raises"})


@pytest.mark.parametrize("page", BY_PAGE)
def test_sections_stand_in_order_and_none_is_empty(page: Page) -> None:
    assert page.headings == SECTIONS
    assert all(body.strip() for body in page.sections.values())


@pytest.mark.parametrize("page", BY_PAGE)
def test_bad_is_marked_and_good_is_not(page: Page) -> None:
    if page.code not in WITHOUT_PROGRAMS:
        assert page.bad
    assert len(page.bad) == len(page.good)
    for program in page.bad:
        assert {(mark.code, mark.severity) for mark in marks(program)} == {(page.code, page.facts["severity"])}
    for program in page.good:
        assert marks(program) == []
        ast.parse(program)


@pytest.mark.parametrize(("page", "program"), PROGRAMS)
def test_findings_are_those_of_the_comments(page: Page, program: str) -> None:
    assert findings(program) == marks(program)


def findings(program: str) -> list[Mark]:
    """What the checker says of a program, as marks."""

    from rnnshape_guard.settings import Settings
    from rnnshape_guard.static.judgement import judge

    found = judge(program, "program.py", Settings())
    return sorted(Mark(each.span.start.row, each.code, str(each.severity)) for each in found)
