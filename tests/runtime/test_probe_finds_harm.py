"""The probe against the programs of the rule pages: it proves each silent harm it is made for, and leaves Good alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from rnnshape_guard.runtime.probe import Probed, probe
from tests.rules.harms import modules, run, words_for
from tests.rules.reading import Page, pages

# What the probe says of a program that does the harm, and does not say of one that is free of it.
SHOWS: dict[str, Callable[[Probed], bool]] = {
    "mixes-samples": lambda seen: seen.independent is False or "follows the batch" in "".join(seen.problems),
    "ignores-samples": lambda seen: bool(seen.idle_samples),
    "looks-ahead": lambda seen: seen.causal is False,
    "half-seen": lambda seen: bool(seen.half_seen),
    "unused-parameters": lambda seen: bool(seen.gradients.unused),
    "reads-padding": lambda seen: seen.reads_padding is True,
    "batch-of-one": lambda seen: not seen.company.is_clean,
    "broadcasts": lambda seen: seen.independent is False,
}
CASES = [
    pytest.param(page, number, id=f"{page.path.stem}-{number}")
    for page in pages()
    for number in range(1, len(page.bad) + 1)
    if page.truth(number).get("harm") in SHOWS
]
AXES = {"batch-in": "batch", "batch-out": "batch_out", "time-in": "time", "time-out": "time_out"}

pytestmark = pytest.mark.filterwarnings("ignore")


def probed(page: Page, number: int, *, good: bool) -> Probed:
    """The probe of one program's call, with the axes that the page's truth table tells."""
    return _probed(page.code, number, good=good)


@cache
def _probed(code: str, number: int, *, good: bool) -> Probed:
    page = next(page for page in pages() if page.code == code)
    words = words_for(page.truth(number), good=good)
    names = run((page.good if good else page.bad)[number - 1])
    for module in modules(names):
        module.eval()
    call = words.get("call", "model(x)")
    if "x[:, :4]" in call:  # the harm shows where batch and time are equal
        names["x"], call = names["x"][:, :4], call.replace("x[:, :4]", "x")
    inputs = words.get("inputs", [words.get("input", "x")])
    inputs = [*inputs, *(["lengths"] if "lengths" in call and "lengths" not in inputs else [])]
    scope: dict[str, Any] = dict(names)
    exec(f"def function({', '.join(inputs)}):\n    return {call}", scope)
    axes = {keyword: words[word] for word, keyword in AXES.items() if word in words}
    return probe(scope["function"], *(names[name] for name in inputs), **axes)


def test_every_measured_harm_has_a_page() -> None:
    assert {page.truth(number).get("harm") for page, number in (case.values for case in CASES)} == SHOWS.keys()


@pytest.mark.parametrize(("page", "number"), CASES)
def test_the_harm_is_seen_in_bad(page: Page, number: int) -> None:
    seen = probed(page, number, good=False)
    assert SHOWS[page.truth(number)["harm"]](seen), str(seen)


@pytest.mark.parametrize(("page", "number"), CASES)
def test_nothing_is_wrong_with_good(page: Page, number: int) -> None:
    seen = probed(page, number, good=True)
    assert seen.problems == (), str(seen)
    if page.truth(number)["harm"] == "looks-ahead":
        # Only one half of the output is asked for, so that the other direction has no part in it.
        assert seen.causal is True
        return
    assert seen.gradients.unused == (), str(seen)
    seen.assert_independent()


@pytest.mark.parametrize(("page", "number"), CASES)
def test_what_mixes_or_ignores_samples_fails_the_assertion(page: Page, number: int) -> None:
    if page.truth(number)["harm"] not in {"mixes-samples", "ignores-samples", "broadcasts"}:
        probed(page, number, good=False).assert_independent()
        return
    with pytest.raises(AssertionError, match=r"sample|follows the batch"):
        probed(page, number, good=False).assert_independent()
