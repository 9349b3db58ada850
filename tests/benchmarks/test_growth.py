"""What the benchmarks of speed measure on, and with what."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from benchmarks.commands import Failed, run
from benchmarks.generated import FILES_A_PACKAGE, write
from rnnshape_guard.settings import Overrides, SettingsResolver
from rnnshape_guard.static.engine import check_paths
from rnnshape_guard.static.sources import may_matter


def texts(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in sorted(folder.rglob("*.py"))}


def test_a_tree_is_always_the_same_and_a_larger_one_begins_with_it(tmp_path: Path) -> None:
    write(tmp_path / "one", 2 * FILES_A_PACKAGE)
    write(tmp_path / "other", FILES_A_PACKAGE)
    small = texts(tmp_path / "other")
    write(tmp_path / "other", 2 * FILES_A_PACKAGE)

    assert len(small) == FILES_A_PACKAGE
    assert texts(tmp_path / "one") == texts(tmp_path / "other")
    assert small.items() <= texts(tmp_path / "one").items()


def test_its_files_are_python_and_one_in_a_hundred_is_recurrent(tmp_path: Path) -> None:
    write(tmp_path, 3 * FILES_A_PACKAGE)
    files = texts(tmp_path)
    for text in files.values():
        ast.parse(text)

    assert [name for name, text in files.items() if may_matter(text.encode())] == [
        f"package_{number:05}/encoder_0.py" for number in range(3)
    ]


def test_some_of_its_models_are_wrong_and_are_found(tmp_path: Path) -> None:
    write(tmp_path, 6 * FILES_A_PACKAGE)
    wrong = {name for name, text in texts(tmp_path).items() if "nn.Linear(width, tags)" in text}
    report = check_paths([str(tmp_path)], SettingsResolver(Overrides(isolated=True)), jobs=1)

    assert wrong
    assert report.candidates == 12  # each model, and the script that trains it
    assert {Path(it.span.filename).relative_to(tmp_path).as_posix() for it in report.diagnostics} == wrong


def test_a_command_costs_time_and_memory() -> None:
    cost = run([sys.executable, "-c", "x = bytearray(50_000_000); sum(range(10**6))"])

    assert cost.seconds > 0
    assert 0 < cost.worked < 60
    assert cost.peak > 50_000_000
    assert not cost.cut


def test_a_command_that_takes_too_long_is_cut_off() -> None:
    cost = run([sys.executable, "-c", "import time; time.sleep(60)"], limit=0.3)

    assert cost.cut
    assert cost.seconds < 30


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells")
def test_what_a_cut_off_command_and_its_children_worked_counts() -> None:
    program = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'while True: pass'])"
    cost = run([sys.executable, "-c", program], limit=3.0)

    assert cost.cut
    assert cost.worked > 0.2


def test_a_command_that_breaks_says_why() -> None:
    with pytest.raises(Failed, match="no such thing"):
        run([sys.executable, "-c", "import sys; sys.exit('no such thing')"])
    assert run([sys.executable, "-c", "import sys; sys.exit(3)"], accepted=(3,)).seconds > 0
