"""A run as a whole: whatever a file holds, it is reported with its place and the run goes on with the others."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from rnnshape_guard.findings import Diagnostic, Position, Severity, Span
from rnnshape_guard.settings import Overrides, SettingsResolver
from rnnshape_guard.static import workers
from rnnshape_guard.static.engine import Report, check_paths, check_text
from rnnshape_guard.static.parsing import parse
from rnnshape_guard.static.verdicts import Judgement, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from rnnshape_guard.settings import Settings

    Judge = Callable[[str, str, Settings], list[Diagnostic]]

RECURRENT = "import torch.nn as nn\nrnn = nn.LSTM(3, 4, batch_first=True)\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    judge_by(monkeypatch, lambda text, filename, settings: [])
    return tmp_path


def write(name: str, content: str | bytes = RECURRENT) -> str:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return name


def check(*paths: str, jobs: int = 1, **overrides: object) -> Report:
    resolver = SettingsResolver(Overrides(**overrides))  # type: ignore[arg-type]
    return check_paths(paths or (".",), resolver, jobs=jobs)


def found(report: Report) -> list[tuple[str, str, int]]:
    return [(it.span.filename, it.code, it.span.start.row) for it in report.diagnostics]


def finding(filename: str, row: int = 2, code: str = "RSG201") -> Diagnostic:
    span = Span(filename, Position(row, 7), Position(row, 14))
    return Diagnostic(code=code, name="linear-in-features", severity=Severity.ERROR, message="wrong", span=span)


def judge_by(monkeypatch: pytest.MonkeyPatch, judge: Judge) -> None:
    """Put a judge in the place of the interpreter and its checks: what this file tests is everything around them."""

    def examine(text: str, path: str, settings: Settings, project: object) -> Judgement:
        parse(text)
        return Judgement(tuple(Verdict(one) for one in judge(text, path, settings)))

    monkeypatch.setitem(sys.modules, "rnnshape_guard.static.judgement", SimpleNamespace(examine=examine))


def always(text: str, filename: str, settings: Settings) -> list[Diagnostic]:
    return [finding(filename, 2, "RSG301"), finding(filename, 2), finding(filename, 1)]


def test_findings_come_in_the_order_of_files_and_places(monkeypatch: pytest.MonkeyPatch) -> None:
    judge_by(monkeypatch, always)
    write("b.py")
    write("a.py")
    assert found(check("b.py", "a.py")) == [
        ("a.py", "RSG201", 1),
        ("a.py", "RSG201", 2),
        ("a.py", "RSG301", 2),
        ("b.py", "RSG201", 1),
        ("b.py", "RSG201", 2),
        ("b.py", "RSG301", 2),
    ]


def test_files_without_recurrence_are_counted_and_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    judge_by(monkeypatch, always)
    write("plain.py", "x = 1\n")
    write("broken.py", "x = (\n")
    report = check()
    assert (report.diagnostics, report.files, report.candidates) == ((), 2, 0)


def test_rules_that_are_off_say_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    judge_by(monkeypatch, always)
    write("a.py")
    assert {code for _, code, _ in found(check(select=("RSG3",)))} == {"RSG301"}
    assert {code for _, code, _ in found(check(ignore=("linear-in-features",)))} == {"RSG301"}


def test_per_file_ignores(monkeypatch: pytest.MonkeyPatch) -> None:
    judge_by(monkeypatch, always)
    write("tests/a.py")
    write("src/b.py")
    write("pyproject.toml", "[tool.rnnshape-guard.per-file-ignores]\n'tests/*' = ['RSG2']\n'!src/*' = ['RSG301']\n")
    assert found(check()) == [("src/b.py", "RSG201", 1), ("src/b.py", "RSG201", 2), ("src/b.py", "RSG301", 2)]


def test_each_file_is_judged_under_the_settings_nearest_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    judge_by(monkeypatch, always)
    write("pyproject.toml", "[tool.rnnshape-guard]\nselect = ['RSG301']\n")
    write("a.py")
    write("inner/rnnshape-guard.toml", "select = ['RSG201']\n")
    write("inner/deep/b.py")
    assert {(name, code) for name, code, _ in found(check())} == {("a.py", "RSG301"), ("inner/deep/b.py", "RSG201")}


def test_suppressions_count_before_findings_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    judge_by(monkeypatch, always)
    write("a.py", RECURRENT.replace("True)", "True)  # noqa: RSG2, RSG4"))
    assert found(check()) == [("a.py", "RSG201", 1), ("a.py", "RSG301", 2), ("a.py", "RSG002", 2)]


def test_an_unused_suppression_is_found_in_a_file_without_recurrence() -> None:
    write("a.py", "x = 1\ny = 2  # noqa: RSG201\n")
    assert found(check()) == [("a.py", "RSG002", 2)]


def test_skip_file_skips_even_a_file_that_is_no_python(monkeypatch: pytest.MonkeyPatch) -> None:
    judge_by(monkeypatch, always)
    write("a.py", f"# rnnshape: skip-file\n{RECURRENT}x = (\n")
    assert found(check()) == []


BAD_FILES = {
    "syntax.py": (f"{RECURRENT}def f(:\n", 3, "invalid syntax"),
    "null.py": (f"{RECURRENT}x = '\0'\n", 3, "null byte"),
    "latin.py": (f"{RECURRENT}x = '\xe9'\n".encode("latin-1"), 3, "does not fit"),
    "unknown.py": (f"# coding: klingon\n{RECURRENT}", 1, "unknown encoding"),
    "big.py": (f"{RECURRENT}{'x = 1  # padding' * 700_000}\n", 1, "larger than 1 MB"),
    "deep.py": (f"{RECURRENT}x = {'(' * 3000}{')' * 3000}\n", 3, "nested more than 200 deep"),
    "chain.py": (f"{RECURRENT}x = {' + '.join('a' * 5000)}\n", 3, "chains more than 500 operators"),
    "python2.py": (f"{RECURRENT}print 'x'\n", 3, "call to 'print'"),
}


def test_what_cannot_be_parsed_is_reported_and_the_run_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    judge_by(monkeypatch, lambda text, filename, settings: [finding(filename)])
    for name, (content, _, _) in BAD_FILES.items():
        write(name, content)
    write("good.py")
    report = check()
    assert found(report) == sorted(
        [(name, "RSG000", row) for name, (_, row, _) in BAD_FILES.items()] + [("good.py", "RSG201", 2)]
    )
    for diagnostic in report.diagnostics:
        if diagnostic.code == "RSG000":
            assert BAD_FILES[diagnostic.span.filename][2] in diagnostic.message


def test_the_same_through_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    judge_by(monkeypatch, lambda text, filename, settings: [finding(filename)])
    monkeypatch.setattr(workers, "WORTH_WORKERS", 0)
    for name, (content, _, _) in BAD_FILES.items():
        write(name, content)
    for number in range(10):
        write(f"good{number}.py")
    assert found(check(jobs=2)) == found(check(jobs=1))


@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_reported() -> None:
    Path(write("secret.py")).chmod(0)
    assert found(check()) == [("secret.py", "RSG000", 1)]


def test_a_link_that_ends_nowhere_or_in_itself_is_reported() -> None:
    Path("gone.py").symlink_to("nothing.py")
    Path("loop.py").symlink_to("loop.py")
    report = check()
    assert found(report) == [("gone.py", "RSG000", 1), ("loop.py", "RSG000", 1)]
    assert "No such file" in report.diagnostics[0].message
    assert "symbolic links" in report.diagnostics[1].message


def test_a_loop_of_folders_ends() -> None:
    write("a/model.py")
    Path("a/again").symlink_to(Path("a").absolute(), target_is_directory=True)
    assert check().files == 1


def test_a_named_notebook_is_refused_in_words() -> None:
    write("good.py")
    report = check(write("model.ipynb", "{}"), "good.py")
    assert found(report) == [("model.ipynb", "RSG000", 1)]
    assert "notebooks are not checked" in report.diagnostics[0].message


def test_a_named_file_is_parsed_even_without_recurrence() -> None:
    assert found(check(write("broken.py", "x = (\n"))) == [("broken.py", "RSG000", 1)]


def test_syntax_errors_are_reported_whatever_is_selected() -> None:
    write("broken.py", f"{RECURRENT}x = (\n")
    assert found(check(select=("RSG201",))) == [("broken.py", "RSG000", 3)]


# -- when the checker itself breaks --------------------------------------------------------------------------------


def breaks(text: str, filename: str, settings: Settings) -> list[Diagnostic]:
    if "bad" in filename:
        raise KeyError("hidden_size")
    return [finding(filename)]


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_internal_error_is_reported_for_its_file(monkeypatch: pytest.MonkeyPatch, jobs: int) -> None:
    judge_by(monkeypatch, breaks)
    monkeypatch.setattr(workers, "WORTH_WORKERS", 0)
    write("bad.py")
    write("good.py")
    write("right.py")
    report = check(jobs=jobs)
    assert found(report) == [("bad.py", "RSG001", 1), ("good.py", "RSG201", 2), ("right.py", "RSG201", 2)]
    (broken,) = (it for it in report.diagnostics if it.code == "RSG001")
    assert "KeyError: 'hidden_size'" in broken.message
    assert "rnnshape-guard check --verbose bad.py" in broken.help
    assert 'raise KeyError("hidden_size")' in report.failures["bad.py"]


def descends(text: str, filename: str, settings: Settings) -> list[Diagnostic]:
    return descends(text, filename, settings)


def test_endless_recursion_is_an_internal_error(monkeypatch: pytest.MonkeyPatch) -> None:
    judge_by(monkeypatch, descends)
    write("a.py")
    report = check()
    assert found(report) == [("a.py", "RSG001", 1)]
    assert "RecursionError" in report.diagnostics[0].message


def dies(text: str, filename: str, settings: Settings) -> list[Diagnostic]:
    if "deadly" in filename:
        os._exit(139)
    time.sleep(0.01)
    return [finding(filename)]


@pytest.mark.skipif(sys.platform != "linux", reason="workers take the judge along only when they are forked")
@pytest.mark.parametrize("deadly", [1, 3])
def test_a_worker_that_dies_takes_nothing_but_its_file(monkeypatch: pytest.MonkeyPatch, deadly: int) -> None:
    judge_by(monkeypatch, dies)
    monkeypatch.setattr(workers, "WORTH_WORKERS", 0)
    names = [f"good{number}.py" for number in range(8)] + [f"n{number}_deadly.py" for number in range(deadly)]
    for name in names:
        write(name)
    report = check(jobs=2)
    assert found(report) == sorted((name, "RSG001", 1) if "deadly" in name else (name, "RSG201", 2) for name in names)
    assert len(report.failures) == deadly
    assert all("died" in it.message for it in report.diagnostics if it.code == "RSG001")


# -- standard input, sources and costs -----------------------------------------------------------------------------


def test_text_is_checked_under_the_name_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    judge_by(monkeypatch, always)
    write("sub/rnnshape-guard.toml", "select = ['RSG301']\n")
    report = check_text(RECURRENT.encode(), "sub/model.py", SettingsResolver())
    assert found(report) == [("sub/model.py", "RSG301", 2)]
    assert report.lines("sub/model.py")[1] == "rnn = nn.LSTM(3, 4, batch_first=True)"


def test_lines_of_a_file_in_another_encoding() -> None:
    write("a.py", "# coding: latin-1\nx = 'é'\n".encode("latin-1"))
    assert check().lines("a.py") == ["# coding: latin-1", "x = 'é'", ""]


def test_lines_of_a_file_that_is_gone_are_none() -> None:
    assert check().lines("gone.py") == []


def test_every_file_is_told_of() -> None:
    for number in range(3):
        write(f"m{number}.py")
    seen: list[int] = []
    check_paths(["."], SettingsResolver(), jobs=1, on_file=seen.append)
    assert seen == [1, 2, 3, 3, 3, 3]


def test_libcst_and_rich_are_not_loaded_for_nothing(folder: Path) -> None:
    write("plain.py", "x = 1\n")
    program = (
        "import sys\nfrom rnnshape_guard.cli import commands\n"
        "try:\n    commands(['check', '.'])\nexcept SystemExit as end:\n    assert end.code == 0\n"
        "print([name for name in ('libcst', 'rich', 'torch', 'numpy', 'pathspec') if name in sys.modules])\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=folder)
    assert run.stdout.splitlines()[-1] == "[]"
