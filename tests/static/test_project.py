"""What a process knows of a project's files: each read, parsed and run as seldom as can be."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from rnnshape_guard.settings import SettingsResolver
from rnnshape_guard.static import judgement, reading
from rnnshape_guard.static.engine import Report, check_paths
from rnnshape_guard.static.project import Project

MODEL = """
from torch import nn

class Model(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.rnn = nn.LSTM(8, hidden, batch_first=True, bidirectional=True)
        self.head = nn.Linear(hidden, 5)

    def forward(self, x):
        out, _ = self.rnn(x)
        return self.head(out)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(**files: str) -> Report:
    for name, text in files.items():
        Path(f"{name}.py").write_text(text, encoding="utf-8")
    found = check_paths((".",), SettingsResolver(), jobs=1)
    assert not found.failures
    return found


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each file was read into records."""
    counted: Counter[str] = Counter()
    read = reading.read

    def counting(filename: str, text: str, **options: Any) -> reading.Loaded:
        counted[Path(filename).name] += 1
        return read(filename, text, **options)

    monkeypatch.setattr(reading, "read", counting)
    monkeypatch.setattr(judgement, "read", counting)
    return counted


def test_a_file_that_was_imported_is_not_parsed_again_when_it_is_judged(parsed: Counter[str]) -> None:
    found = check(a="from z import Model\n\nmodel = Model(16)\n", z=MODEL)
    assert parsed == {"a.py": 1, "z.py": 1}
    assert [(one.code, one.span.filename) for one in found.diagnostics] == [("RSG201", "z.py")]


def test_a_file_that_was_written_since_it_was_imported_is_parsed_again(folder: Path) -> None:
    project, path = Project(folder.as_posix()), folder / "z.py"
    path.write_text(MODEL, encoding="utf-8")
    loaded = project.load(path.as_posix())
    assert project.known(path.as_posix(), MODEL) is loaded
    assert project.known(path.as_posix(), MODEL + "\n") is None
