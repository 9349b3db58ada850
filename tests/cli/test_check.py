"""`rnnshape-guard check` as a user meets it: options, exit status, what goes to which stream."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from pathlib import Path
from types import SimpleNamespace

import pytest

from rnnshape_guard.cli import main
from rnnshape_guard.findings import Diagnostic, Position, Severity, Span
from rnnshape_guard.static.verdicts import Judgement, Verdict

RECURRENT = "import torch.nn as nn\nrnn = nn.LSTM(3, 4, batch_first=True)\n"


@dataclass(frozen=True)
class Ended:
    status: int
    out: str
    err: str


Run = Callable[..., Ended]


def examine(text: object, path: str, settings: object, project: object) -> Judgement:
    """An error in line 1, a warning in line 2, and a note if the file is called so."""
    return Judgement(tuple(Verdict(one) for one in judge(path)))


def judge(path: str) -> list[Diagnostic]:
    filename = Path(path).name
    if "broken" in filename:
        raise ValueError("no such atom")

    def found(code: str, name: str, severity: Severity, row: int) -> Diagnostic:
        span = Span(path, Position(row, 1), Position(row, 4))
        return Diagnostic(code=code, name=name, severity=severity, message=f"line {row} is wrong", span=span)

    if "note" in filename:
        return [found("RSG102", "implicit-batch-first", Severity.NOTE, 1)]
    if "warning" in filename:
        return [found("RSG402", "half-seen-last-step", Severity.WARNING, 2)]
    if "clean" in filename:
        return []
    return [
        found("RSG201", "linear-in-features", Severity.ERROR, 1),
        found("RSG402", "half-seen-last-step", Severity.WARNING, 2),
    ]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(sys.modules, "rnnshape_guard.static.judgement", SimpleNamespace(examine=examine))

    def command(*arguments: str, stdin: str | None = None) -> Ended:
        monkeypatch.setattr(sys, "argv", ["rnnshape-guard", *arguments])
        if stdin is not None:
            monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(stdin.encode())))
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        code = ended.value.code
        assert isinstance(code, int)
        assert "Traceback" not in printed.out
        return Ended(code, printed.out, printed.err)

    return command


def write(name: str, text: str = RECURRENT) -> None:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


# -- exit status and summary ---------------------------------------------------------------------------------------


def test_nothing_found(run: Run) -> None:
    write("clean.py")
    write("plain.py", "x = 1\n")
    ended = run("check")
    assert (ended.status, ended.out, ended.err) == (0, "All checks passed! 2 files (1 recurrent)\n", "")


def test_something_found(run: Run) -> None:
    write("a.py")
    write("b.py")
    ended = run("check", "--output-format", "concise")
    assert ended.status == 1
    assert ended.out.splitlines() == [
        "a.py:1:1: error[RSG201] line 1 is wrong",
        "a.py:2:1: warning[RSG402] line 2 is wrong",
        "b.py:1:1: error[RSG201] line 1 is wrong",
        "b.py:2:1: warning[RSG402] line 2 is wrong",
        "Found 2 errors, 2 warnings in 2 files (2 recurrent)",
    ]


@pytest.mark.parametrize(
    ("name", "fail_on", "status"),
    [
        ("note.py", None, 0),
        ("note.py", "note", 1),
        ("warning.py", None, 1),
        ("warning.py", "error", 0),
        ("warning.py", "note", 1),
        ("model.py", "error", 1),
    ],
)
def test_fail_on_decides_what_blocks(run: Run, name: str, fail_on: str | None, status: int) -> None:
    write(name)
    options = ["--fail-on", fail_on] if fail_on else []
    ended = run("check", *options)
    assert ended.status == status
    assert "Found 1" in ended.out or name == "model.py"


def test_exit_zero(run: Run) -> None:
    write("a.py")
    assert run("check", "--exit-zero").status == 0


def test_an_internal_error_is_reported_and_ends_with_two(run: Run) -> None:
    write("broken.py")
    write("clean.py")
    ended = run("check", "--exit-zero")
    assert ended.status == 2
    assert "error[RSG001]: the checker failed on this file: ValueError: no such atom" in ended.out
    assert "rnnshape-guard check --verbose broken.py" in ended.out
    assert "Traceback" not in ended.err


def test_verbose_shows_the_traceback_and_the_settings(run: Run) -> None:
    write("broken.py")
    write("pyproject.toml", "[tool.rnnshape-guard]\nselect = ['ALL']\n")
    ended = run("check", "--verbose")
    assert "Traceback" in ended.err
    assert 'raise ValueError("no such atom")' in ended.err
    assert "pyproject.toml" in ended.err
    assert f"cache: {Path.cwd() / '.rnnshape_guard_cache'}" in ended.err


# -- the cache -----------------------------------------------------------------------------------------------------


def test_results_are_kept_beside_the_settings(run: Run) -> None:
    write("project/a.py")
    write("project/rnnshape-guard.toml", "")
    first = run("check", "project")
    assert Path("project/.rnnshape_guard_cache/CACHEDIR.TAG").is_file()
    assert not Path(".rnnshape_guard_cache").exists()
    assert run("check", "project") == first


def test_results_are_kept_where_the_settings_or_the_command_line_say(run: Run) -> None:
    write("project/a.py")
    write("project/rnnshape-guard.toml", "cache-dir = 'build/kept'\n")
    run("check", "project")
    assert Path("project/build/kept/CACHEDIR.TAG").is_file()
    run("check", "project", "--cache-dir", "elsewhere")
    assert Path("elsewhere/CACHEDIR.TAG").is_file()
    assert not Path("project/.rnnshape_guard_cache").exists()


def test_no_cache_keeps_nothing(run: Run) -> None:
    write("a.py")
    run("check", "--no-cache")
    run("check", "-n")
    assert [path.name for path in Path().iterdir()] == ["a.py"]


def test_a_cache_that_cannot_be_used_is_told_if_asked(run: Run) -> None:
    write("a.py")
    write("file", "")
    plain = run("check", "--no-cache")
    assert run("check", "--cache-dir", "file/cache") == plain
    told = run("check", "--cache-dir", "file/cache", "--verbose")
    assert told.out == plain.out
    assert "file/cache cannot be used: " in told.err


# -- streams -------------------------------------------------------------------------------------------------------


def test_no_files_is_a_warning(run: Run) -> None:
    ended = run("check")
    assert ended.status == 0
    assert "no Python files found" in ended.err


def test_quiet_prints_findings_only(run: Run) -> None:
    write("a.py")
    assert "Found" not in run("check", "-q").out
    write("a.py", "x = 1\n")
    assert run("check", "-q").out == ""


# -- wrong usage ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "nowhere.py"], "Path 'nowhere.py' does not exist"),
        (["check", "--select", "RSG2001"], "there is no rule `RSG2001` (did you mean `RSG20"),
        (["check", "--ignore", "linear-in-feature"], "did you mean `linear-in-features`?"),
        (["check", "--fail-on", "fatal"], "'fatal' is not one of 'error', 'warning', 'note'"),
        (["check", "--output-format", "xml"], "'xml' is not one of 'full'"),
        (["check", "--jobs", "-1"], "-1 is not in the range"),
        (["check", "--per-file-ignores", "tests"], "'tests' is not of the form PATTERN:CODE"),
        (["check", "--config", "jobs = 'x'"], "`jobs` must be a whole number"),
        (["check", "--config", "jbos = 3"], "unknown setting `jbos` (did you mean `jobs`?)"),
        (["check", "--config", "= 3"], "is no TOML"),
        (["check", "--config", "gone.toml"], "is neither a file nor"),
        (["check", "-", "a.py"], "cannot be checked together with files"),
        (["check", "--output-file", "no/folder/report.txt"], "cannot write no/folder/report.txt"),
        (["chek"], "No such command 'chek'"),
        (["rule", "RSG2O1"], "there is no rule `RSG2O1` (did you mean `RSG201`?)"),
        (["rule", "RSG201", "--all"], "not both"),
        (["config", "selct"], "there is no setting `selct` (did you mean `select`?)"),
    ],
)
def test_wrong_usage_is_one_message_and_status_two(run: Run, arguments: list[str], message: str) -> None:
    write("a.py")
    ended = run(*arguments)
    assert ended.status == 2
    assert message in ended.err
    assert "Traceback" not in ended.err


def test_a_mistake_in_a_settings_file_is_told(run: Run) -> None:
    write("a.py")
    write("pyproject.toml", "[tool.rnnshape-guard]\nselct = ['RSG2']\n")
    ended = run("check")
    assert ended.status == 2
    assert ended.err.endswith(
        "pyproject.toml: [tool.rnnshape-guard]: unknown setting `selct` (did you mean `select`?)\n"
    )


def test_a_settings_file_of_an_inner_folder_is_told_too(run: Run) -> None:
    write("inner/a.py")
    write("inner/rnnshape-guard.toml", "jobs = 'many'\n")
    ended = run("check")
    assert ended.status == 2
    assert "inner/rnnshape-guard.toml: `jobs` must be a whole number" in ended.err


def test_an_unexpected_error_is_told_without_a_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*arguments: object, **options: object) -> None:
        raise ZeroDivisionError("sizes")

    monkeypatch.setattr("rnnshape_guard.static.engine.check_paths", fails)
    ended = run("check")
    assert ended.status == 2
    assert ended.err.startswith("error: internal error: ZeroDivisionError: sizes")


# -- options -------------------------------------------------------------------------------------------------------


def codes(ended: Ended) -> set[str]:
    return {record["code"] for record in json.loads(ended.out)}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--select", "RSG2"], {"RSG201"}),
        (["--select", "RSG2,RSG4"], {"RSG201", "RSG402"}),
        (["--select", "RSG2", "--select", "half-seen-last-step"], {"RSG201", "RSG402"}),
        (["--ignore", "RSG2"], {"RSG402"}),
        (["--select", "RSG2", "--extend-select", "RSG4"], {"RSG201", "RSG402"}),
        (["--per-file-ignores", "a.py:RSG402"], {"RSG201"}),
        (["--per-file-ignores", "./*.py:RSG402,b.py:RSG201"], {"RSG201"}),
        (["--config", "ignore = ['RSG402']"], {"RSG201"}),
        (["--exclude", "a.py"], set()),
        (["--extend-exclude", "./a.py"], set()),
    ],
)
def test_options_choose_rules_and_files(run: Run, options: list[str], expected: set[str]) -> None:
    write("a.py")
    assert codes(run("check", "--output-format", "json", *options)) == expected


def test_force_exclude_leaves_out_what_is_named(run: Run) -> None:
    write("old/a.py")
    assert codes(run("check", "--output-format", "json", "--exclude", "old", "old/a.py")) != set()
    assert codes(run("check", "--output-format", "json", "--exclude", "old", "--force-exclude", "old/a.py")) == set()


def test_settings_choose_format_and_severity(run: Run) -> None:
    write("project/warning.py")
    write("project/pyproject.toml", "[tool.rnnshape-guard]\noutput-format = 'json'\nfail-on = 'error'\n")
    ended = run("check", "project")
    assert ended.status == 0
    assert codes(ended) == {"RSG402"}
    assert run("check", "--isolated", "project").status == 1


def test_a_settings_file_can_be_chosen(run: Run) -> None:
    write("a.py")
    write("house.toml", "select = ['RSG402']\noutput-format = 'json'\n")
    assert codes(run("check", "--config", "house.toml")) == {"RSG402"}


def test_output_file(run: Run) -> None:
    write("a.py")
    ended = run("check", "--output-format", "json", "--output-file", "report.json", "--color", "always")
    assert (ended.status, ended.out) == (1, "")
    assert len(json.loads(Path("report.json").read_text(encoding="utf-8"))) == 2


def test_statistics(run: Run) -> None:
    write("a.py")
    write("b.py")
    write("warning.py")
    assert run("check", "--statistics", "-q").out.splitlines() == [
        "3  RSG402  half-seen-last-step",
        "2  RSG201  linear-in-features",
    ]
    assert json.loads(run("check", "--statistics", "--output-format", "json").out)[0] == {
        "code": "RSG402",
        "name": "half-seen-last-step",
        "count": 3,
    }


@pytest.mark.parametrize(
    ("options", "environment", "colored"),
    [
        ([], {}, False),
        (["--color", "always"], {}, True),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
    ],
)
def test_colours(
    run: Run, monkeypatch: pytest.MonkeyPatch, options: list[str], environment: dict[str, str], colored: bool
) -> None:
    write("a.py")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert ("\x1b[" in run("check", *options).out) is colored


def test_programs_get_no_summary(run: Run) -> None:
    write("a.py")
    for name in ("json", "json-lines", "sarif", "github", "gitlab", "junit"):
        assert "Found 1" not in run("check", "--output-format", name).out


# -- standard input ------------------------------------------------------------------------------------------------


def test_standard_input(run: Run) -> None:
    ended = run("check", "-", "--output-format", "concise", stdin=RECURRENT)
    assert ended.status == 1
    assert ended.out.startswith("-:1:1: error[RSG201] line 1 is wrong\n")


def test_standard_input_under_a_name(run: Run) -> None:
    write("sub/rnnshape-guard.toml", "select = ['RSG201']\n")
    ended = run("check", "--stdin-filename", "sub/model.py", stdin=RECURRENT)
    assert ended.out.splitlines()[:5] == [
        "error[RSG201]: line 1 is wrong",
        " --> sub/model.py:1:1",
        "  |",
        "1 | import torch.nn as nn",
        "  | ^^^",
    ]


# -- as a process --------------------------------------------------------------------------------------------------


def process(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "rnnshape_guard", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload, no-any-return]


def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path) -> None:
    for number in range(3000):
        (tmp_path / f"m{number}.py").write_text("x = 1  # noqa: RSG201\n", encoding="utf-8")
    command = f"{sys.executable} -m rnnshape_guard check {tmp_path} --output-format concise | head -n 1"
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert ended.stdout.count("\n") == 1
    assert ended.stderr == ""


def test_a_terminal_that_lacks_a_letter_gets_question_marks(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text("隐藏 = 1  # noqa: RSG201\n", encoding="utf-8")
    ended = process("check", str(tmp_path), env={"PYTHONIOENCODING": "latin-1", "PATH": ""})
    assert ended.returncode == 1
    assert "?? = 1" in ended.stdout
    assert ended.stderr == ""


SLOW = """
import sys, time
from types import SimpleNamespace

def examine(text, path, settings, project):
    print("judging", flush=True)
    time.sleep(60)

sys.modules["rnnshape_guard.static.judgement"] = SimpleNamespace(examine=examine)
from rnnshape_guard.static import workers
workers.WORTH_WORKERS = 0
from rnnshape_guard.cli import main
main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_interrupted_run_ends_at_once_with_its_workers(tmp_path: Path, jobs: str) -> None:
    for number in range(4):
        (tmp_path / f"m{number}.py").write_text(RECURRENT, encoding="utf-8")
    command = [sys.executable, "-c", SLOW, "check", "--jobs", jobs, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline().startswith("judging")
        running.send_signal(signal.SIGINT)
        # The pipes close only when the workers are gone too.
        _, err = running.communicate(timeout=20)
    assert running.returncode == 130
    assert err == "error: interrupted\n"


def test_version_and_help() -> None:
    assert process("--version").stdout.startswith("rnnshape-guard 0.")
    text = process("check", "--help").stdout
    for option in ("--select", "--output-format", "--fail-on", "--stdin-filename", "--statistics", "Exit status"):
        assert option in text
