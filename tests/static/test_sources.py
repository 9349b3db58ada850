"""Which files a run reads, and how it reads them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rnnshape_guard.settings import Overrides, SettingsResolver
from rnnshape_guard.static import globs
from rnnshape_guard.static.sources import ReadProblem, decode, discover, may_matter, read_bytes, split_lines


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(root: Path, *names: str, text: str = "x = 1\n") -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def found(*paths: str, overrides: Overrides | None = None) -> list[str]:
    resolver = SettingsResolver(overrides or Overrides())
    return [source.filename for source in discover(paths or (".",), resolver.in_folder)]


def test_python_files_in_order_each_once(tree: Path) -> None:
    write(tree, "b.py", "a/z.py", "a/y.py", "a/notes.txt", "c.pyi", "data.ipynb")
    assert found() == ["b.py", "a/y.py", "a/z.py"]
    assert found("a", "b.py", "a/y.py", "./b.py") == ["a/y.py", "a/z.py", "b.py"]


def test_a_named_file_is_read_whatever_it_is_called(tree: Path) -> None:
    write(tree, "script", "stub.pyi", "build/model.py")
    assert found("script", "stub.pyi") == ["script", "stub.pyi"]


def test_names_are_relative_as_given(tree: Path) -> None:
    write(tree, "src/model.py")
    assert found("src") == ["src/model.py"]
    assert found("./src/") == ["src/model.py"]
    assert found(str(tree / "src")) == [f"{tree}/src/model.py"]
    assert found(".") == ["src/model.py"]


@pytest.mark.parametrize(
    "folder", [".venv", "venv", ".git", "node_modules", "site-packages", ".tox", "__pycache__", "dist"]
)
def test_folders_nobody_wrote_are_left_out(tree: Path, folder: str) -> None:
    write(tree, f"{folder}/lib/model.py", "model.py")
    assert found() == ["model.py"]


def test_what_is_excluded_is_read_when_it_is_named(tree: Path) -> None:
    write(tree, ".venv/lib/model.py")
    assert found(".venv") == [".venv/lib/model.py"]
    assert found(".venv/lib/model.py") == [".venv/lib/model.py"]
    forced = Overrides(values={"force_exclude": True})
    assert found(".venv/lib/model.py", overrides=forced) == []
    assert found(".venv/lib", overrides=forced) == []


def test_exclude_replaces_and_extend_exclude_adds(tree: Path) -> None:
    write(tree, "venv/a.py", "old/b.py", "src/old/c.py", "src/d_pb2.py", "src/e.py")
    assert found(overrides=Overrides(extend_exclude=("old", "*_pb2.py"))) == ["src/e.py"]
    assert found(overrides=Overrides(values={"exclude": ("src/old", "old/*.py")})) == [
        "src/d_pb2.py",
        "src/e.py",
        "venv/a.py",
    ]


def test_gitignore_at_every_level(tree: Path) -> None:
    (tree / ".git").mkdir()
    write(tree, "a.py", "generated/b.py", "src/c.py", "src/c_gen.py", "src/keep_gen.py", "src/sub/d.py", "data/e.py")
    write(tree, ".gitignore", text="generated/\n*_gen.py\n/data\n")
    write(tree, "src/.gitignore", text="!keep_gen.py\nsub\n")
    assert found() == ["a.py", "src/c.py", "src/keep_gen.py"]
    assert found("src") == ["src/c.py", "src/keep_gen.py"]
    assert found("src/c_gen.py") == ["src/c_gen.py"]
    ignored = Overrides(values={"respect_gitignore": False})
    assert len(found(overrides=ignored)) == 7


def test_an_ignored_folder_is_walked_when_it_is_named(tree: Path) -> None:
    (tree / ".git").mkdir()
    write(tree, "out/a.py", "out/b_gen.py")
    write(tree, ".gitignore", text="out/\n*_gen.py\n")
    assert found("out") == ["out/a.py", "out/b_gen.py"]


def test_a_gitignore_above_the_repository_has_no_say(tree: Path) -> None:
    write(tree, ".gitignore", text="*.py\n")
    (tree / "project" / ".git").mkdir(parents=True)
    write(tree, "project/a.py")
    assert found("project") == ["project/a.py"]


def test_links_to_folders_are_not_followed(tree: Path) -> None:
    write(tree, "a/b.py")
    (tree / "a" / "loop").symlink_to(tree / "a", target_is_directory=True)
    (tree / "again").symlink_to(tree / "a", target_is_directory=True)
    assert found() == ["a/b.py"]


def test_a_link_to_a_file_is_read_and_one_to_nowhere_reported(tree: Path) -> None:
    write(tree, "real.py")
    (tree / "link.py").symlink_to("real.py")
    (tree / "nowhere.py").symlink_to("gone.py")
    assert found() == ["link.py", "nowhere.py", "real.py"]
    with pytest.raises(ReadProblem, match="cannot be read"):
        read_bytes("nowhere.py")


def test_a_folder_and_a_pipe_named_like_modules(tree: Path) -> None:
    write(tree, "package.py/inner.py")
    os.mkfifo(tree / "pipe.py")
    assert found() == ["package.py/inner.py"]


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("build", "/project/build", True),
        ("build", "/project/src/build", True),
        ("build", "/project/builds", False),
        ("*.py", "/project/src/a.py", True),
        ("src/*.py", "/project/src/a.py", True),
        ("src/*.py", "/project/src/deep/a.py", True),
        ("src/*.py", "/project/other/src/a.py", False),
        ("**/tests/*", "/project/tests/a.py", True),
        ("**/tests/*", "/project/src/tests/a.py", True),
        ("/project/src", "/project/src", True),
        ("test_?.py", "/project/test_a.py", True),
        ("test_[ab].py", "/project/test_c.py", False),
        ("test_[!ab].py", "/project/test_c.py", True),
        ("*.{py,pyi}", "/project/a.pyi", True),
        ("./src/", "/project/src", True),
        ("a.b", "/project/axb", False),
    ],
)
def test_patterns_mean_what_they_look_like(pattern: str, path: str, fits: bool) -> None:
    assert globs.matches(path, [pattern], Path("/project")) is fits


@pytest.mark.parametrize(
    "line",
    [
        "self.rnn = nn.LSTM(3, 4)",
        "layer = getattr(nn, 'GRU')(3, 4)",
        "cell = torch.nn.RNNCell(3, 4)",
        "packed = pack_padded_sequence(x, lengths)",
        "from torch.nn.utils.rnn import *",
    ],
)
def test_what_speaks_of_recurrence_matters(line: str) -> None:
    assert may_matter(f"import torch\n{line}\n".encode())


def test_what_does_not_is_passed_over() -> None:
    assert not may_matter(b"import torch\nself.head = nn.Linear(3, 4)\n")


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("x = 'é'\n".encode(), "x = 'é'\n"),
        ("\ufeffx = 'é'\n".encode(), "x = 'é'\n"),
        ("# -*- coding: latin-1 -*-\nx = 'é'\n".encode("latin-1"), "# -*- coding: latin-1 -*-\nx = 'é'\n"),
        ("# coding: gbk\nx = '时间'\n".encode("gbk"), "# coding: gbk\nx = '时间'\n"),
        (b"", ""),
    ],
)
def test_encodings_are_those_the_file_declares(source: bytes, text: str) -> None:
    assert decode(source) == text


@pytest.mark.parametrize(
    ("source", "message", "row"),
    [
        (b"x = 1\ny = '\xe9'\n", "byte 0xe9 does not fit", 2),
        (b"# coding: klingon\nx = 1\n", "unknown encoding", 1),
        (b"\xef\xbb\xbf# coding: latin-1\nx = 1\n", "encoding problem", 1),
    ],
)
def test_what_cannot_be_decoded_says_why_and_where(source: bytes, message: str, row: int) -> None:
    with pytest.raises(ReadProblem) as caught:
        decode(source)
    assert message in caught.value.message
    assert caught.value.row == row


def test_lines_are_those_of_python() -> None:
    assert split_lines("a\r\nb\rc\nd\x0ce\u2028f") == ["a", "b", "c", "d\x0ce\u2028f"]
