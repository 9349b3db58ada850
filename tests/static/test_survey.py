"""A file that an earlier run has read is not read again, unless it may have changed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rnnshape_guard.static import survey as survey_module
from rnnshape_guard.static.cache import FILE, Cache
from rnnshape_guard.static.outlines import Import
from rnnshape_guard.static.sources import ReadProblem
from rnnshape_guard.static.survey import Facts, Survey

TEXT = b"from .models import Encoder as E\nimport os, helpers.deep\nnn.LSTM(1, 2)  # rnnshape: ignore\n"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are read, as they are."""
    names: list[str] = []
    before: Callable[[str], bytes] = survey_module.read_bytes

    def reading(filename: str) -> bytes:
        names.append(Path(filename).name)
        return before(filename)

    monkeypatch.setattr(survey_module, "read_bytes", reading)
    return names


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "pack" / "a.py"
    path.parent.mkdir()
    path.write_bytes(TEXT)
    return path


def wait_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make what was written just now old enough to be believed."""
    now = time.time_ns
    monkeypatch.setattr(survey_module.time, "time_ns", lambda: now() + 10**10)


def surveyed(tmp_path: Path, *files: Path) -> list[Facts]:
    with Cache(tmp_path / "cache") as cache:
        survey = Survey(cache)
        facts = [survey.facts(str(file)) for file in files]
        survey.close()
    return facts


def test_facts_are_those_of_the_text(tmp_path: Path, file: Path) -> None:
    for survey in (Survey(None), Survey(Cache(tmp_path / "cache"))):
        facts = survey.facts(str(file))

        assert facts.matters
        assert facts.suppresses
        assert facts.imported == (Import(1, "models", "Encoder", "E"), Import(0, "helpers.deep", "", "helpers.deep"))
        assert facts.imported_words(str(file)) == {"models", "Encoder", "helpers", "deep"}
        assert facts.content == TEXT


def test_dots_alone_name_the_folder(tmp_path: Path) -> None:
    file = tmp_path / "outer" / "inner" / "a.py"
    file.parent.mkdir(parents=True)
    file.write_text("from . import a\nfrom .. import b\n")

    assert Survey(None).facts(str(file)).imported_words(str(file)) == {"inner", "a", "outer", "b"}


def test_what_was_read_is_known_without_reading(
    tmp_path: Path, file: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_a_while(monkeypatch)
    first = surveyed(tmp_path, file)
    second = surveyed(tmp_path, file)

    assert read == ["a.py"]
    assert first == second
    assert second[0].content is None


def test_a_file_written_a_moment_ago_is_read_again(tmp_path: Path, file: Path, read: list[str]) -> None:
    surveyed(tmp_path, file)
    surveyed(tmp_path, file)

    assert read == ["a.py", "a.py"]


def test_a_change_that_keeps_size_and_time_is_seen(tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wait_a_while(monkeypatch)
    before = file.stat()
    (first,) = surveyed(tmp_path, file)
    file.write_bytes(TEXT.replace(b"LSTM", b"GRUX"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    (second,) = surveyed(tmp_path, file)

    assert file.stat().st_mtime_ns == before.st_mtime_ns
    assert first.digest != second.digest


def test_a_new_file_in_a_known_folder(
    tmp_path: Path, file: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_a_while(monkeypatch)
    surveyed(tmp_path, file)
    other = file.with_name("b.py")
    other.write_bytes(b"")
    surveyed(tmp_path, file, other)
    other.unlink()
    surveyed(tmp_path, file)

    assert read == ["a.py", "b.py"]


def test_more_folders_than_are_held_at_once(tmp_path: Path, read: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    wait_a_while(monkeypatch)
    monkeypatch.setattr(survey_module, "_FOLDERS", 2)
    files = [tmp_path / f"pack{number}" / "a.py" for number in range(5)]
    for number, path in enumerate(files):
        path.parent.mkdir()
        path.write_text(f"x = {number}\n")
    first = surveyed(tmp_path, *files, *reversed(files))
    again = surveyed(tmp_path, *files, *files)

    assert again[:5] == again[5:] == first[:5]
    assert len(read) == 5


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    for survey in (Survey(None), Survey(Cache(tmp_path / "cache"))):
        with pytest.raises(ReadProblem):
            survey.facts(str(tmp_path / "missing.py"))
        with pytest.raises(ReadProblem):
            survey.facts(str(tmp_path))


def test_nothing_is_written_where_nothing_is_new(tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wait_a_while(monkeypatch)
    surveyed(tmp_path, file)
    before = (tmp_path / "cache" / FILE).stat().st_mtime_ns
    surveyed(tmp_path, file)

    assert (tmp_path / "cache" / FILE).stat().st_mtime_ns == before
