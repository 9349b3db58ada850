"""A digest is another one if, and only if, a file might be judged differently."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rnnshape_guard.settings import READERS, Overrides, Settings, SettingsResolver, read_values
from rnnshape_guard.static import fingerprints
from rnnshape_guard.static.fingerprints import of_settings, of_tool, of_words


def settings_with(root: Path, **values: Any) -> bytes:
    return of_settings(replace(Settings(root=root), **values))


SETTINGS: dict[str, object] = {
    "select": ["RSG2"],
    "extend-select": ["RSG2"],
    "ignore": ["RSG2"],
    "exclude": ["x"],
    "extend-exclude": ["x"],
    "force-exclude": True,
    "respect-gitignore": False,
    "per-file-ignores": {"x": ["RSG2"]},
    "fail-on": "note",
    "output-format": "json",
    "jobs": 7,
    "rule-dirs": ["nowhere"],
    "roles": {"batch": ["n_envs"]},
    "cache-dir": "elsewhere",
}


def test_settings_that_change_judgements_change_the_digest(tmp_path: Path) -> None:
    assert SETTINGS.keys() == READERS.keys()
    changing = {
        key
        for key, value in SETTINGS.items()
        if settings_with(tmp_path, **read_values({key: value}, "")) != settings_with(tmp_path)
    }

    assert changing == {"roles"}


def test_another_root_is_another_digest(tmp_path: Path) -> None:
    assert settings_with(tmp_path) == settings_with(tmp_path)
    assert settings_with(tmp_path) != settings_with(tmp_path.parent)


def test_the_files_of_a_users_own_rules_count(tmp_path: Path) -> None:
    rules = tmp_path / "rules" / "inner"
    rules.mkdir(parents=True)
    (rules.parent / "round").symlink_to(rules.parent)
    seen = [settings_with(tmp_path, rule_dirs=("rules",))]
    for content in ("one", "two"):
        (rules / "check.py").write_text(content)
        seen.append(settings_with(tmp_path, rule_dirs=("rules",)))
    (rules / "check.py").rename(rules / "other.py")
    seen.append(settings_with(tmp_path, rule_dirs=("rules",)))

    assert len(set(seen)) == 4


def test_settings_of_the_command_line_count_as_those_of_a_file(tmp_path: Path) -> None:
    given = SettingsResolver(Overrides(values={"roles": {"batch": ("n_envs",)}}, root=tmp_path)).in_folder(tmp_path)
    (tmp_path / "rnnshape-guard.toml").write_text('[roles]\nbatch = ["n_envs"]\n')
    written = SettingsResolver(Overrides(root=tmp_path)).in_folder(tmp_path)

    assert of_settings(given) == of_settings(written)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A tool of which one may edit the source."""
    folder = tmp_path / "package" / "static"
    folder.mkdir(parents=True)
    monkeypatch.setattr(fingerprints, "__file__", str(folder / "fingerprints.py"))
    of_tool.cache_clear()
    yield folder.parent
    of_tool.cache_clear()


def digest_of_tool() -> bytes:
    of_tool.cache_clear()
    return of_tool()


def test_an_edited_tool_is_another_tool(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = [digest_of_tool()]
    for content in ("one", "two"):
        (package / "static" / "module.py").write_text(content)
        seen.append(digest_of_tool())
    monkeypatch.setattr(fingerprints, "__version__", "99")
    seen.append(digest_of_tool())
    monkeypatch.setattr(fingerprints, "shipped_pages", lambda: package)
    seen.append(digest_of_tool())

    assert len(set(seen)) == len(seen)


def test_what_has_no_part_in_judging_source_does_not_count(package: Path) -> None:
    before = digest_of_tool()
    for folder in ("runtime", "reports", "static/__pycache__"):
        (package / folder).mkdir()
        (package / folder / "module.py").write_text("")

    assert digest_of_tool() == before


def test_where_a_word_ends_counts() -> None:
    assert len({of_words("ab", "c"), of_words("a", "bc"), of_words("abc"), of_words("abc", "")}) == 4
