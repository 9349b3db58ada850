"""`rnnshape-guard rule` and `rnnshape-guard config`."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rnnshape_guard.cli import commands
from rnnshape_guard.rulebook import RuleBook
from rnnshape_guard.settings import READERS


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(commands, arguments)
    assert result.exception is None, result.output
    return result


@pytest.mark.parametrize("selector", ["RSG201", "rsg201", "linear-in-features"])
def test_a_page_is_printed_as_it_is(selector: str) -> None:
    assert run("rule", selector).stdout == RuleBook.load()["RSG201"].text


def test_all_pages() -> None:
    pages = run("rule", "--all").stdout
    for rule in RuleBook.load():
        assert f"# {rule.code} {rule.name}\n" in pages


def test_without_a_rule_all_are_listed() -> None:
    lines = run("rule").stdout.splitlines()
    assert len(lines) == len(RuleBook.load())
    assert any(line.startswith("RSG201  error    linear-in-features") for line in lines)


def test_pages_as_json() -> None:
    record = json.loads(run("rule", "RSG201", "--output-format", "json").stdout)
    assert (record["code"], record["name"], record["severity"]) == ("RSG201", "linear-in-features", "error")
    assert record["text"].startswith("# RSG201 linear-in-features\n")
    records = json.loads(run("rule", "--all", "--output-format", "json").stdout)
    assert [record["code"] for record in records] == list(RuleBook.load().codes)


def test_rules_of_the_house_are_there_too(folder: Path) -> None:
    page = RuleBook.load()["RSG201"].text.replace("RSG201", "HSE201").replace("linear-in-features", "house-rule")
    (folder / "house").mkdir()
    (folder / "house" / "HSE201-house-rule.md").write_text(page, encoding="utf-8")
    (folder / "rnnshape-guard.toml").write_text("rule-dirs = ['house']\n", encoding="utf-8")
    assert run("rule", "house-rule").stdout == page


def test_the_defaults_are_valid_settings(folder: Path) -> None:
    printed = run("config").stdout
    assert printed.startswith("# defaults: no settings file was found\n")
    assert list(tomllib.loads(printed)) == list(READERS)
    (folder / "rnnshape-guard.toml").write_text(printed, encoding="utf-8")
    assert run("config").stdout.splitlines()[1:] == printed.splitlines()[1:]


def test_settings_in_force_and_where_they_come_from(folder: Path) -> None:
    (folder / "pyproject.toml").write_text(
        "[tool.rnnshape-guard]\nselect = ['RSG2']\nroles = {batch = ['bs']}\n", encoding="utf-8"
    )
    lines = run("config").stdout.splitlines()
    assert lines[0] == f"# {folder / 'pyproject.toml'}"
    assert 'select = ["RSG2"]' in lines
    assert 'roles = {"batch" = ["bs"]}' in lines


def test_one_setting() -> None:
    assert run("config", "fail-on").stdout.splitlines()[1:] == ['fail-on = "warning"']


def test_settings_as_json() -> None:
    record = json.loads(run("config", "--output-format", "json").stdout)
    assert record["source"] is None
    assert record["settings"]["output-format"] == "full"
