"""The rule book: pages found, read when asked for, selected, and refused with their line."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from rnnshape_guard.findings import Severity
from rnnshape_guard.rulebook import PageProblem, RuleBook, UnknownRule, read_page, shipped_pages
from rnnshape_guard.settings import Settings

PAGE = """\
# HSE101 house-rule

A rule of the house,
in two lines.

```toml
severity = "warning"
since = "1.2.0"
fix = "none"
static = true
runtime = false
silent = true
harm = "differs"

[truth]
seed = 3
```

## What it finds

Something.

## Bad

```python
## Good is no heading here
x = 1  # error: [HSE101]
```

Words between.

```python
y = 2  # error: [HSE101]
```

## Good

```python
x = 2
```
"""


@pytest.fixture
def house(tmp_path: Path) -> Path:
    (tmp_path / "HSE101-house-rule.md").write_text(PAGE, encoding="utf-8")
    return tmp_path


def test_every_shipped_page_is_one() -> None:
    book = RuleBook.load()
    rules = list(book)
    assert len(rules) == len(list(shipped_pages().glob("*.md")))
    assert {"RSG000", "RSG001", "RSG002", "RSG201"} <= set(book.codes)
    assert [rule.code for rule in rules] == sorted(rule.code for rule in rules)
    assert all(rule.summary.endswith(".") for rule in rules)


def test_a_page_is_read_whole(house: Path) -> None:
    rule = RuleBook.load([house])["HSE101"]
    assert (rule.code, rule.name, rule.severity, rule.since, rule.fix) == (
        "HSE101",
        "house-rule",
        Severity.WARNING,
        "1.2.0",
        "none",
    )
    assert (rule.static, rule.runtime, rule.silent) == (True, False, True)
    assert rule.summary == "A rule of the house, in two lines."
    assert rule.truth == {"harm": "differs", "seed": 3}
    assert rule.bad == ("## Good is no heading here\nx = 1  # error: [HSE101]\n", "y = 2  # error: [HSE101]\n")
    assert rule.good == ("x = 2\n",)
    assert rule.sections["What it finds"] == "Something."


def test_listing_reads_no_page(house: Path) -> None:
    (house / "HSE101-house-rule.md").write_text("not a page", encoding="utf-8")
    book = RuleBook.load([house])
    assert book.find("house-rule") == "HSE101"
    assert book.entry("HSE101").name == "house-rule"
    with pytest.raises(PageProblem):
        book["HSE101"]


def test_loading_is_quick() -> None:
    start = time.perf_counter()
    for _ in range(10):
        RuleBook.load()
    assert (time.perf_counter() - start) / 10 < 0.01


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("# HSE101 house-rule", "HSE101", 1, "the first line must be a title"),
        ("# HSE101 house-rule", "# HSE101 other-rule", 1, "the title belongs to HSE101-other-rule.md"),
        ("```toml", "```text", 1, "there is no ```toml block"),
        ("A rule of the house,\nin two lines.\n", "", 1, "a line that sums the rule up"),
        ('severity = "warning"', 'severity = "fatal"', 7, '`severity` must be "error", "warning" or "note"'),
        ("static = true", 'static = "yes"', 10, "`static` must be true or false"),
        ("silent = true\n", "", 6, "`silent` must be true or false"),
        ('since = "1.2.0"', "since =", 6, "the toml block is not valid"),
        ("## What it finds", "## What it find", 19, "(did you mean `What it finds`?)"),
        ("## Good\n", "## Bad\n", 36, "the section `Bad` stands here a second time"),
        ("## What it finds\n", "", 20, "text must stand in a section"),
        ("x = 2\n```\n", "x = 2\n", 40, "is not closed"),
    ],
)
def test_a_malformed_page_is_refused_with_its_line(house: Path, old: str, new: str, line: int, message: str) -> None:
    assert old in PAGE
    path = house / "HSE101-house-rule.md"
    before, after = PAGE.split(old, 1)
    path.write_text(f"{before}{new}{after}", encoding="utf-8")
    with pytest.raises(PageProblem) as caught:
        read_page(path)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{path}:{line}: ")


def test_folders_and_names_are_checked(house: Path) -> None:
    with pytest.raises(PageProblem, match="cannot be read"):
        RuleBook.load([house / "nowhere"])
    (house / "notes.md").write_text("# notes", encoding="utf-8")
    with pytest.raises(PageProblem, match="a page is named like"):
        RuleBook.load([house])


@pytest.mark.parametrize("name", ["HSE101-another-name.md", "HSE102-house-rule.md"])
def test_two_pages_share_neither_code_nor_name(house: Path, name: str) -> None:
    (house / name).write_text(PAGE, encoding="utf-8")
    with pytest.raises(PageProblem, match="has the same code or name"):
        RuleBook.load([house])


@pytest.mark.parametrize("selector", ["RSG201", "rsg201", "linear-in-features", "LINEAR-in-features"])
def test_a_rule_is_found_by_code_or_name(selector: str) -> None:
    assert RuleBook.load().find(selector) == "RSG201"


@pytest.mark.parametrize(
    ("selector", "message"),
    [
        ("RSG2001", "there is no rule `RSG2001` (did you mean `RSG20"),
        ("linear-in-feature", "there is no rule `linear-in-feature` (did you mean `linear-in-features`?)"),
        ("E501", "there is no rule `E501`"),
        ("", "there is no rule ``"),
    ],
)
def test_an_unknown_rule_is_told_with_what_is_near(selector: str, message: str) -> None:
    book = RuleBook.load()
    for look in (book.find, book.matching):
        with pytest.raises(UnknownRule) as caught:
            look(selector)
        assert str(caught.value).startswith(message)


def selected(**values: tuple[str, ...]) -> set[str]:
    return set(RuleBook.load().select(Settings(**values)))  # type: ignore[arg-type]


def test_selection_as_in_ruff() -> None:
    every = set(RuleBook.load().codes)
    twos = {code for code in every if code.startswith("RSG2")}
    assert selected() == every
    assert selected(select=("RSG2",)) == twos
    assert selected(select=("linear-in-features",)) == {"RSG201"}
    assert selected(ignore=("RSG2",)) == every - twos
    assert selected(select=("RSG2",), ignore=("RSG201",)) == twos - {"RSG201"}
    assert selected(select=("RSG201",), ignore=("RSG2",)) == {"RSG201"}
    assert selected(select=("RSG3",), extend_select=("RSG201",), ignore=("RSG3",)) == {"RSG201"}
    assert selected(select=("RSG2",), ignore=("ALL",)) == twos
    assert selected(select=("RSG201",), ignore=("RSG201",)) == set()
    assert selected(select=("RSG2",), ignore=("linear-in-features",)) == twos - {"RSG201"}


@pytest.mark.parametrize("key", ["select", "extend_select", "ignore"])
def test_an_unknown_selector_names_its_setting_and_file(key: str) -> None:
    with pytest.raises(UnknownRule) as caught:
        RuleBook.load().select(Settings(**{key: ("XYZ",)}, source=Path("/p/pyproject.toml")))  # type: ignore[arg-type]
    assert str(caught.value) == f"/p/pyproject.toml: there is no rule `XYZ` in {key.replace('_', '-')}"


def test_an_unknown_selector_of_some_files_is_told_too() -> None:
    with pytest.raises(UnknownRule, match=r"in per-file-ignores of tests/\*"):
        RuleBook.load().select(Settings(per_file_ignores={"tests/*": ("XYZ",)}))
