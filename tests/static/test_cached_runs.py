"""A second run says what the first said, does not judge what has not changed, and judges what has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rnnshape_guard.settings import Overrides, SettingsResolver
from rnnshape_guard.static import workers
from rnnshape_guard.static.analyst import Analyst, Job, Judged
from rnnshape_guard.static.cache import FILE, Cache
from rnnshape_guard.static.engine import Report, check_paths

ENCODER = """
from torch import nn

from .sizes import WIDTH


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(64, WIDTH, batch_first=True)

    def forward(self, x):
        out, _ = self.rnn(x)
        return out
"""
TAGGER = """
import torch
from torch import nn

from pack.encoder import Encoder


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = Encoder()
        self.head = nn.Linear(128, 10)

    def forward(self, x):
        return self.head(self.encoder(x))


Tagger()(torch.randn(8, 20, 64))
"""
PLAIN = "from pack.sizes import WIDTH\n"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "project"
    (root / "pack").mkdir(parents=True)
    monkeypatch.chdir(root)
    for name, text in {
        "rnnshape-guard.toml": "",
        "pack/__init__.py": "",
        "pack/sizes.py": "WIDTH = 128\n",
        "pack/encoder.py": ENCODER,
        "tagger.py": TAGGER,
        "plain.py": PLAIN,
    }.items():
        (root / name).write_text(text)
    return root


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are judged, as they are."""
    names: list[str] = []
    before = Analyst.analyse

    def analyse(self: Analyst, job: Job) -> Judged:
        names.append(job.filename)
        return before(self, job)

    monkeypatch.setattr(Analyst, "analyse", analyse)
    return names


def run(*paths: str, **overrides: object) -> Report:
    resolver = SettingsResolver(Overrides(**overrides))  # type: ignore[arg-type]
    cache = Cache(resolver.in_folder(Path.cwd()).cache_folder)
    return check_paths(paths or (".",), resolver, jobs=1, cache=cache)


def found(report: Report) -> list[tuple[str, str]]:
    return [(it.span.filename, it.code) for it in report.diagnostics]


def edit(name: str, before: str, after: str) -> None:
    path = Path(name)
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


WRONG = [("tagger.py", "RSG201")]


def test_a_second_run_judges_nothing_and_says_the_same(judged: list[str]) -> None:
    edit("pack/sizes.py", "128", "100")
    first = run()
    assert sorted(judged) == ["pack/encoder.py", "tagger.py"]
    judged.clear()
    second = run()

    assert judged == []
    assert found(first) == WRONG
    assert second == first


def test_a_change_in_an_imported_file_invalidates_what_imports_it_in_turn(judged: list[str]) -> None:
    assert found(run()) == []
    judged.clear()
    edit("pack/sizes.py", "128", "100")

    assert found(run()) == WRONG
    assert sorted(judged) == ["pack/encoder.py", "tagger.py"]


def test_a_changed_file_invalidates_itself_alone(judged: list[str]) -> None:
    run()
    judged.clear()
    edit("tagger.py", "128", "100")

    assert found(run()) == WRONG
    assert judged == ["tagger.py"]


def test_a_change_that_no_importer_asks_about_judges_none_of_them(judged: list[str]) -> None:
    first = run()
    judged.clear()
    edit("pack/__init__.py", "", "import os\n")
    assert run() == first
    assert judged == []
    edit("pack/encoder.py", "class Encoder", "# a comment\nclass Encoder")
    assert found(run()) == []
    judged.remove("pack/encoder.py")
    assert judged in ([], ["tagger.py"])  # the importer has run the class


def test_a_change_beside_what_is_imported_judges_the_changed_file_alone(judged: list[str]) -> None:
    Path("pack/other.py").write_text("from torch import nn\n\nrnn = nn.GRU(3, 4, batch_first=True)\n")
    edit("pack/encoder.py", "from .sizes", "from . import other\nfrom .sizes")
    first = run()
    judged.clear()
    edit("pack/other.py", "GRU(3, 4", "GRU(3, 5")

    assert run() == first
    assert judged == ["pack/other.py"]
    judged.clear()
    assert run() == first
    assert judged == []


def test_a_class_that_becomes_recurrent_elsewhere_is_seen_by_those_that_build_it(judged: list[str]) -> None:
    recurrent = Path("pack/encoder.py").read_text()
    plain = recurrent.replace("nn.LSTM(64, WIDTH, batch_first=True)", "nn.Identity()").replace("out, _ =", "out =")
    Path("pack/encoder.py").write_text(plain)
    edit("pack/sizes.py", "128", "100")
    assert found(run()) == []
    Path("pack/encoder.py").write_text(recurrent)

    assert found(run()) == WRONG


def test_what_is_changed_back_is_known_again(judged: list[str]) -> None:
    run()
    edit("pack/sizes.py", "128", "100")
    run()
    judged.clear()
    edit("pack/sizes.py", "100", "128")

    assert found(run()) == []
    judged.clear()
    assert found(run()) == []
    assert judged == []


def test_a_module_that_appears_later_invalidates_those_that_look_for_it() -> None:
    Path("pack/sizes.py").unlink()
    assert found(run()) == []
    Path("pack/sizes.py").write_text("WIDTH = 100\n")

    assert found(run()) == WRONG


def test_a_module_that_goes_away_invalidates_those_that_found_it() -> None:
    edit("pack/sizes.py", "128", "100")
    assert found(run()) == WRONG
    Path("pack/sizes.py").unlink()

    assert found(run()) == []


def test_a_package_that_takes_the_place_of_a_module() -> None:
    assert found(run()) == []
    Path("pack/sizes").mkdir()
    Path("pack/sizes/__init__.py").write_text("WIDTH = 100\n")

    assert found(run()) == WRONG


def test_an_import_on_a_line_with_other_code_counts_as_well() -> None:
    edit("pack/encoder.py", "from .sizes import WIDTH", "if True: from .sizes import WIDTH")
    assert found(run()) == []
    edit("pack/sizes.py", "128", "100")
    assert found(run()) == WRONG
    Path("pack/sizes").mkdir()
    Path("pack/sizes/__init__.py").write_text("WIDTH = 128\n")

    assert found(run()) == []


def test_a_submodule_that_nothing_imports_by_name_counts_as_well() -> None:
    edit("pack/encoder.py", "from .sizes import WIDTH", "import pack")
    edit("pack/encoder.py", "WIDTH", "pack.sizes.WIDTH")
    assert found(run()) == []
    edit("pack/sizes.py", "128", "100")

    assert found(run()) == WRONG


def test_one_file_alone_after_the_whole(judged: list[str]) -> None:
    """As a pre-commit hook names it: what it imports is not judged, and still counts."""
    edit("pack/sizes.py", "128", "100")
    run()
    judged.clear()
    alone = run("tagger.py")
    assert found(alone) == WRONG
    judged.clear()

    assert run("tagger.py") == alone
    assert judged == []


def test_comments_and_rules_are_asked_about_anew(judged: list[str]) -> None:
    """They pick from what was found, so the same rows serve."""
    edit("pack/sizes.py", "128", "100")
    edit("tagger.py", "Linear(128, 10)", "Linear(128, 10)  # rnnshape: ignore[RSG201]")
    assert found(run()) == []
    assert found(run(select=("RSG2",))) == []
    edit("tagger.py", "ignore[RSG201]", "ignore[RSG301]")
    assert found(run()) == [*WRONG, ("tagger.py", "RSG002")]
    judged.clear()
    assert found(run(select=("RSG2",))) == WRONG
    assert found(run(ignore=("RSG2",))) == [("tagger.py", "RSG002")]

    assert judged == []


def test_settings_that_change_judgements_judge_anew(judged: list[str]) -> None:
    run()
    judged.clear()
    Path("rnnshape-guard.toml").write_text('[roles]\nbatch = ["n_envs"]\n')
    run()

    assert sorted(judged) == ["pack/encoder.py", "tagger.py"]


def test_files_that_cannot_be_judged_are_kept_too(judged: list[str]) -> None:
    Path("broken.py").write_text("from torch import nn\nnn.LSTM(\n")
    first = run()
    judged.clear()

    assert ("broken.py", "RSG000") in found(first)
    assert run() == first
    assert judged == []


def test_a_failure_of_the_checker_is_not_kept(judged: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("rnnshape_guard.static.judgement.examine", lambda *_: 1 / 0)
        assert run().failures
    judged.clear()

    assert not run().failures
    assert sorted(judged) == ["pack/encoder.py", "tagger.py"]


def test_a_file_that_changes_during_the_run_is_judged_again(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Analyst.analyse

    def analyse(self: Analyst, job: Job) -> Judged:
        came = before(self, job)
        if job.filename == "pack/encoder.py":
            edit("pack/sizes.py", "128", "100")
        return came

    with monkeypatch.context() as editing:
        editing.setattr(Analyst, "analyse", analyse)
        run()

    assert found(run()) == WRONG


def test_without_a_cache_nothing_is_written() -> None:
    check_paths((".",), SettingsResolver(Overrides()), jobs=1)

    assert not Path(".rnnshape_guard_cache").exists()


def test_worker_processes_fill_the_same_cache(judged: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    edit("pack/sizes.py", "128", "100")
    monkeypatch.setattr(workers, "WORTH_WORKERS", 0)
    resolver = SettingsResolver(Overrides())
    first = check_paths((".",), resolver, jobs=2, cache=Cache(Path(".rnnshape_guard_cache").absolute()))

    assert found(first) == WRONG
    assert run() == first
    assert judged == []


def test_rows_of_a_damaged_cache_are_judged_again(judged: list[str]) -> None:
    edit("pack/sizes.py", "128", "100")
    first = run()
    file = Path(".rnnshape_guard_cache", FILE)
    content = file.read_bytes()
    for damaged in (content[: len(content) // 2], b"", b"x" * 10_000):
        file.write_bytes(damaged)
        assert run() == first
        judged.clear()
        assert run() == first
        assert judged == []


EXAMPLES = Path(__file__).parents[2] / "examples"


def command(*options: str) -> str:
    arguments = [sys.executable, "-m", "rnnshape_guard", "check", "--exit-zero", "--output-format", "json", *options]
    done = subprocess.run([*arguments, str(EXAMPLES)], capture_output=True, text=True, check=True)
    assert not done.stderr
    return done.stdout


def test_the_examples_cold_and_warm_and_without(project: Path) -> None:
    cache = str(project / "kept")
    without = command("--no-cache")
    assert '"RSG' in without
    assert not Path(cache).exists()

    assert command("--cache-dir", cache) == without
    assert command("--cache-dir", cache) == without
    assert command("--cache-dir", cache, "--jobs", "1", "--no-cache") == without


def test_a_warm_run_loads_no_syntax_trees() -> None:
    program = (
        "import sys; from rnnshape_guard.settings import *; from rnnshape_guard.static.engine import check_paths;"
        "from rnnshape_guard.static.cache import Cache; from pathlib import Path;"
        "check_paths(('.',), SettingsResolver(Overrides()), jobs=1, cache=Cache(Path('kept')));"
        "print([name for name in ('libcst', 'sqlite3') if name in sys.modules])"
    )

    def loaded() -> str:
        return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert loaded() == "['libcst', 'sqlite3']\n"
    assert loaded() == "['sqlite3']\n"


def test_a_run_that_is_killed_keeps_what_it_has_judged(judged: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnnshape_guard.static.recall._SAVED", 0.0)
    before = Analyst.analyse

    def analyse(self: Analyst, job: Job) -> Judged:
        if job.filename == "tagger.py":
            os._exit(9)
        return before(self, job)

    child = os.fork()
    if child == 0:
        Analyst.analyse = analyse  # type: ignore[method-assign]
        run()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 9

    run()
    assert judged == ["tagger.py"]
