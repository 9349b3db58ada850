"""The hook under the real pre-commit: it blocks a commit with a mistake and lets the mended one through."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ("rnnshape_guard", "rules", "pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml")

MODEL = """\
from torch import nn


class Tagger(nn.Module):
    def __init__(self, words, hidden, tags):
        super().__init__()
        self.rnn = nn.LSTM(words, hidden, batch_first=True, bidirectional=True)
        self.head = nn.Linear(hidden, tags)

    def forward(self, x):
        out, _ = self.rnn(x)
        return self.head(out)
"""


def run(*command: str, folder: Path, status: int | None = 0) -> subprocess.CompletedProcess[str]:
    # A hook of an outer git must not leak in, and nobody's settings either.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PYTHON"))}
    for role in ("AUTHOR", "COMMITTER"):
        environment |= {f"GIT_{role}_NAME": "somebody", f"GIT_{role}_EMAIL": "somebody@example.org"}
    environment |= {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "PRE_COMMIT_HOME": str(folder.parent / "cache"),
    }
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment)
    if status is not None:
        assert ended.returncode == status, ended.stdout + ended.stderr
    return ended


def repository(folder: Path) -> Path:
    folder.mkdir()
    run("git", "init", "--quiet", folder=folder)
    return folder


def commit(folder: Path, *, status: int | None = 0) -> subprocess.CompletedProcess[str]:
    run("git", "add", "--all", folder=folder)
    return run("git", "commit", "--quiet", "--message", "change", folder=folder, status=status)


def test_the_hook_blocks_a_mistake_and_passes_the_mended_commit(tmp_path: Path) -> None:
    hook = repository(tmp_path / "hook")
    for name in SHIPPED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, hook / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, hook / name)
    commit(hook)
    revision = run("git", "rev-parse", "HEAD", folder=hook).stdout.strip()

    project = repository(tmp_path / "project")
    (project / ".pre-commit-config.yaml").write_text(
        f"repos:\n  - repo: {hook}\n    rev: {revision}\n    hooks:\n      - id: rnnshape-guard\n", encoding="utf-8"
    )
    run(sys.executable, "-m", "pre_commit", "install", folder=project)

    (project / "model.py").write_text(MODEL, encoding="utf-8")
    blocked = commit(project, status=1)
    assert "rnnshape-guard" in blocked.stderr + blocked.stdout
    assert "error[RSG201]" in blocked.stderr + blocked.stdout
    assert "model.py:8:" in blocked.stderr + blocked.stdout
    assert run("git", "rev-parse", "--verify", "HEAD", folder=project, status=None).returncode != 0

    (project / "model.py").write_text(MODEL.replace("nn.Linear(hidden,", "nn.Linear(2 * hidden,"), encoding="utf-8")
    commit(project)
    assert run("git", "rev-list", "--count", "HEAD", folder=project).stdout.strip() == "1"
