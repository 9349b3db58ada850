"""Every rule has a page and a check, and they are one pair."""

from __future__ import annotations

from rnnshape_guard.checks.registry import own_checks
from rnnshape_guard.rulebook import RuleBook


def test_every_page_has_a_check_and_every_check_a_page() -> None:
    pages = {name for name, code in RuleBook.load().names.items() if not code.startswith("RSG0")}
    assert pages == {check.name for check in own_checks()}


def test_every_check_says_which_events_it_judges() -> None:
    assert all(check.judges for check in own_checks())
