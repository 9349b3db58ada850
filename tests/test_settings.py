"""Settings files: which one counts, what it may hold, and how a mistake in it is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnnshape_guard.findings import Severity
from rnnshape_guard.settings import (
    OUTPUT_FORMATS,
    READERS,
    ROLES,
    Overrides,
    Settings,
    SettingsProblem,
    SettingsResolver,
    by_key,
    read_settings,
)
from rnnshape_guard.shapes.axes import Role


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def project(folder: Path, text: str, name: str = "pyproject.toml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def resolved(folder: Path, **overrides: object) -> Settings:
    return SettingsResolver(Overrides(**overrides)).in_folder(folder)  # type: ignore[arg-type]


EVERYTHING = """
[tool.rnnshape-guard]
select = ["RSG1", "linear-in-features"]
extend-select = ["RSG701"]
ignore = ["RSG102"]
exclude = ["old"]
extend-exclude = ["*_pb2.py"]
force-exclude = true
respect-gitignore = false
fail-on = "note"
output-format = "concise"
rule-dirs = ["house/rules"]
jobs = 3
cache-dir = "build/kept"

[tool.rnnshape-guard.per-file-ignores]
"tests/*" = ["RSG4"]

[tool.rnnshape-guard.roles]
batch = ["bs", "MiniBatch"]
time = ["frames"]
"""


def test_every_setting_is_read(folder: Path) -> None:
    source = project(folder, EVERYTHING)
    assert resolved(folder) == Settings(
        select=("RSG1", "linear-in-features"),
        extend_select=("RSG701",),
        ignore=("RSG102",),
        exclude=("old",),
        extend_exclude=("*_pb2.py",),
        force_exclude=True,
        respect_gitignore=False,
        per_file_ignores={"tests/*": ("RSG4",)},
        fail_on=Severity.NOTE,
        output_format="concise",
        rule_dirs=("house/rules",),
        roles={"batch": ("bs", "minibatch"), "time": ("frames",)},
        jobs=3,
        cache_dir="build/kept",
        root=folder.resolve(),
        source=source,
    )
    assert resolved(folder).rule_folders == (folder.resolve() / "house/rules",)


def test_the_nearest_file_counts_and_is_not_merged(folder: Path) -> None:
    project(folder, '[tool.rnnshape-guard]\nselect = ["RSG1"]\nfail-on = "error"\n')
    project(folder / "inner", '[tool.rnnshape-guard]\nignore = ["RSG102"]\n')
    assert resolved(folder / "other").select == ("RSG1",)
    inner = resolved(folder / "inner" / "deep")
    assert (inner.select, inner.ignore, inner.fail_on) == (("ALL",), ("RSG102",), Severity.WARNING)


def test_a_pyproject_that_says_nothing_is_passed_over(folder: Path) -> None:
    project(folder, '[tool.rnnshape-guard]\nselect = ["RSG1"]\n')
    project(folder / "inner", "[tool.ruff]\nline-length = 100\n")
    assert resolved(folder / "inner").select == ("RSG1",)


def test_a_pyproject_of_others_may_be_broken(folder: Path) -> None:
    project(folder, "[tool.ruff\n")
    assert resolved(folder).source is None


def test_the_own_file_goes_first(folder: Path) -> None:
    project(folder, '[tool.rnnshape-guard]\nselect = ["RSG1"]\n')
    project(folder, 'select = ["RSG2"]\n', "rnnshape-guard.toml")
    assert resolved(folder).select == ("RSG2",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("selct = ['RSG1']", "unknown setting `selct` (did you mean `select`?)"),
        ("line-length = 100", "unknown setting `line-length`"),
        ("select = 'RSG1'", '`select` must be a list of strings, not "RSG1"'),
        ("select = [1]", "`select` must be a list of strings, not [1]"),
        ("jobs = -1", "`jobs` must be a whole number"),
        ("cache-dir = ''", "`cache-dir` must be the name of a folder"),
        ("cache-dir = 3", "`cache-dir` must be the name of a folder, not 3"),
        ("jobs = true", "`jobs` must be a whole number, 0 for one worker per processor, not true"),
        ("force-exclude = 'yes'", '`force-exclude` must be true or false, not "yes"'),
        ("fail-on = 'fatal'", '`fail-on` must be "error", "warning" or "note", not "fatal"'),
        ("output-format = 'xml'", '`output-format` must be one of "full"'),
        ("per-file-ignores = ['a']", "`per-file-ignores` must be a table whose values are lists of strings"),
        ("per-file-ignores = {a = 'RSG1'}", "`per-file-ignores` must be a table whose values are lists of strings"),
        ("roles = {sample = ['s']}", "axis roles among batch, time, feature"),
        ("roles = 3", "`roles` must be a table"),
    ],
)
def test_a_mistake_names_file_key_and_what_was_expected(folder: Path, text: str, message: str) -> None:
    source = project(folder, f"[tool.rnnshape-guard]\n{text}\n")
    with pytest.raises(SettingsProblem) as caught:
        resolved(folder)
    assert str(caught.value).startswith(f"{source}: [tool.rnnshape-guard]: ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[tool.rnnshape-guard\n", "is not valid TOML: "),
        (b"[tool]\nrnnshape-guard = 3\n", "[tool.rnnshape-guard]: must be a table"),
        (b"# rnnshape-guard \xff\n", "is not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(folder: Path, content: bytes, message: str) -> None:
    path = folder / "pyproject.toml"
    path.write_bytes(content)
    with pytest.raises(SettingsProblem) as caught:
        read_settings(path)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)


def test_the_command_line_goes_over_the_file(folder: Path) -> None:
    project(folder, EVERYTHING)
    settings = resolved(
        folder, ignore=("RSG103",), extend_select=("RSG2",), extend_exclude=("gen",), values={"fail_on": Severity.ERROR}
    )
    assert settings.select == ("RSG1", "linear-in-features")
    assert settings.extend_select == ("RSG701", "RSG2")
    assert settings.ignore == ("RSG102", "RSG103")
    assert settings.extend_exclude == ("*_pb2.py", "gen")
    assert settings.fail_on is Severity.ERROR


def test_select_on_the_command_line_starts_afresh(folder: Path) -> None:
    project(folder, EVERYTHING)
    settings = resolved(folder, select=("RSG102",))
    assert (settings.select, settings.extend_select, settings.ignore) == (("RSG102",), (), ())


def test_isolated_and_a_chosen_file(folder: Path) -> None:
    project(folder, EVERYTHING)
    chosen = project(folder / "elsewhere", 'select = ["RSG3"]\n', "house.toml")
    assert resolved(folder, isolated=True).select == ("ALL",)
    assert resolved(folder, config=chosen).select == ("RSG3",)


def test_keys_and_fields_are_the_same(folder: Path) -> None:
    assert list(by_key(Settings())) == list(READERS)
    assert by_key(Settings())["fail-on"] == "warning"


def test_the_words_for_roles_are_those_of_the_shape_algebra() -> None:
    assert set(ROLES) == {role.value for role in Role}
    assert len(OUTPUT_FORMATS) == 8
