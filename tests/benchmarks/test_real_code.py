"""The list of public packages, the table of verdicts, and how a run is held against it; no network."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from benchmarks.wild.packages import Package, read_list, unpack
from benchmarks.wild.verdicts import Found, Severity, Spot, TableProblem, Verdict, compare, read_table

ROOT = Path(__file__).parents[2]

MODEL = """import torch.nn as nn


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(64, 128, bidirectional=True, batch_first=True)
        self.head = nn.Linear(128, 10)

    def forward(self, x):
        return self.head(self.rnn(x)[0])
"""

WHERE = {"package": "tagger", "version": "1.0", "file": "tagger/model.py", "line": 8, "code": "RSG201"}


def row(**changes: object) -> str:
    fields = {**WHERE, "verdict": "true", "reason": "the head is half as wide", **changes}
    lines = (f"{name} = {value if isinstance(value, int) else repr(value)}" for name, value in fields.items())
    return "\n".join(["[[verdict]]", *lines, ""])


def table_in(folder: Path, text: str) -> Path:
    path = folder / "verdicts.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache that holds the wheel of one small package, and the list that names it."""
    wheel = tmp_path / "archives" / "tagger-1.0" / "tagger-1.0-py3-none-any.whl"
    wheel.parent.mkdir(parents=True)
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tagger/__init__.py", "")
        archive.writestr("tagger/model.py", MODEL)
        archive.writestr("tagger/weights.bin", "no module")
    (tmp_path / "list.toml").write_text('[[package]]\nname = "tagger"\nversion = "1.0"\n', encoding="utf-8")
    return tmp_path


def run(cache: Path, table: str) -> tuple[int, str]:
    command = [sys.executable, "benchmarks/real_code.py", "--cache-dir", str(cache), "--list", str(cache / "list.toml")]
    done = subprocess.run(
        [*command, "--table", str(table_in(cache, table))], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_a_finding_that_nobody_has_read_is_shown_and_does_not_fail(cache: Path) -> None:
    status, printed = run(cache, "")
    assert status == 0
    assert "new, unread: tagger 1.0 tagger/model.py:8 RSG201 error:" in printed
    assert "errors: 0 true of 0 read (-), 1 new and unread" in printed
    assert "tagger-1.0" in printed
    assert "RSG201:1" in printed
    assert "tagger/model.py" in printed.split("new, unread")[0]  # the slowest file


def test_a_true_finding_counts_as_true(cache: Path) -> None:
    status, printed = run(cache, row())
    assert (status, "new, unread" in printed) == (0, False)
    assert "errors: 1 true of 1 read (100.0%), 0 new and unread" in printed


def test_a_finding_known_to_be_wrong_fails_when_it_is_back(cache: Path) -> None:
    status, printed = run(cache, row(verdict="wrong", reason="no"))
    assert status == 1
    assert "known to be wrong and back: tagger 1.0 tagger/model.py:8 RSG201" in printed
    assert "errors: 0 true of 1 read (0.0%)" in printed
    assert "false alarms at level error: 1 in 11 lines" in printed


def test_a_wrong_finding_that_is_known_to_stand_counts_and_does_not_fail(cache: Path) -> None:
    status, printed = run(cache, row(verdict="wrong", reason="no") + "stands = true\n")
    assert status == 0
    assert "known to be wrong, and stands: tagger 1.0 tagger/model.py:8 RSG201" in printed
    assert "false alarms at level error: 1 in 11 lines" in printed


def test_a_true_finding_that_is_gone_is_told(cache: Path) -> None:
    status, printed = run(cache, row() + row(line=7, reason="the other one"))
    assert status == 0
    assert "vanished: tagger 1.0 tagger/model.py:7 RSG201 (the other one)" in printed


def test_a_package_that_cannot_be_fetched_is_told(cache: Path) -> None:
    (cache / "archives" / "tagger-1.0" / "tagger-1.0-py3-none-any.whl").unlink()
    (cache / "archives" / "tagger-1.0" / "README").write_text("no archive", encoding="utf-8")
    status, printed = run(cache, "")
    assert status == 2
    assert "tagger-1.0 could not be fetched: there is no archive" in printed


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (row(version="2.0"), "tagger 2.0 is not on the list"),
        (row(package="other"), "other 1.0 is not on the list"),
        (row() + row(verdict="wrong"), "has a verdict already"),
        (row(verdict="perhaps"), "a verdict is `true` or `wrong`"),
        (row(reason=""), "no reason"),
        (row(note="?"), "row 1: note"),
        ("[[verdict]]\npackage = 'tagger'\n", "no code"),
    ],
)
def test_a_table_that_says_nothing_clear_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(TableProblem, match=problem):
        read_table([Package("tagger", "1.0")], table_in(tmp_path, text))


def spot(line: int, code: str = "RSG201", package: str = "tagger") -> Spot:
    return Spot(package, "1.0", "tagger/model.py", line, code)


def test_findings_are_held_against_the_table_by_place_and_rule() -> None:
    table = [
        Verdict(spot(1), True, "so"),
        Verdict(spot(2), False, "not so"),
        Verdict(spot(3), True, "so"),
        Verdict(spot(5), False, "not so"),
        Verdict(spot(3, package="untouched"), True, "not of this run"),
    ]
    found = [
        Found(spot(1), Severity.ERROR, "one"),
        Found(spot(1, "RSG202"), Severity.WARNING, "another rule on the same line"),
        Found(spot(2), Severity.WARNING, "two"),
        Found(spot(5), Severity.NOTE, "wrong, and no more than a note now"),
        Found(spot(4), Severity.NOTE, "a note is not read"),
        Found(spot(1, "RSG001"), Severity.ERROR, "the checker failed"),
    ]
    compared = compare(found, table, ["tagger"])
    assert [one.message for one in compared.true] == ["one"]
    assert [one.message for one in compared.came_back] == ["two"]
    assert [one.message for one in compared.unread] == ["another rule on the same line"]
    assert [one.message for one in compared.broken] == ["the checker failed"]
    assert [one.spot.line for one in compared.vanished] == [3]
    assert compared.fails
    assert compared.precision(Severity.ERROR) == (1, 1)
    assert compared.precision(Severity.WARNING) == (0, 1)


def test_the_checker_failing_on_a_file_fails_the_run() -> None:
    broken = compare([Found(spot(1, "RSG001"), Severity.ERROR, "failed")], [], ["tagger"])
    assert broken.fails
    assert not compare([Found(spot(1), Severity.ERROR, "unread")], [], ["tagger"]).fails


def test_the_repository_s_own_list_and_table_fit_together() -> None:
    packages = read_list()
    assert len(packages) >= 24
    table = read_table(packages)
    assert all(verdict.confirmed for verdict in table if verdict.is_true)


def test_a_package_named_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.toml"
    path.write_text('[[package]]\nname = "a"\nversion = "1"\n' * 2, encoding="utf-8")
    with pytest.raises(ValueError, match="named twice"):
        read_list(path)


def test_only_modules_are_unpacked_and_none_outside_the_folder(tmp_path: Path) -> None:
    wheel, source = tmp_path / "a.whl", tmp_path / "a.tar.gz"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("a/b.py", "")
        archive.writestr("a/b.so", "")
        archive.writestr("../outside.py", "")
    module = tmp_path / "b.py"
    module.write_text("", encoding="utf-8")
    with tarfile.open(source, "w:gz") as tar:
        tar.add(module, "a/b.py")
        tar.add(module, "a/b.so")
    unpack(wheel, tmp_path / "one" / "wheel")
    unpack(source, tmp_path / "one" / "source")
    files = {path.relative_to(tmp_path).as_posix() for path in (tmp_path / "one").rglob("*") if path.is_file()}
    assert {"one/wheel/a/b.py", "one/source/a/b.py"} <= files
    assert all(path.endswith(".py") for path in files)
    assert not (tmp_path / "outside.py").exists()
    assert not (tmp_path / "one" / "outside.py").exists()
