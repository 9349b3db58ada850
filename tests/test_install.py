"""The package as it is shipped: the static half runs from a wheel, where there is no torch."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def run(*command: str | Path, folder: Path, status: int = 0) -> str:
    """Run a command away from the checkout and give what it prints."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment)
    assert ended.returncode == status, ended.stdout + ended.stderr
    return ended.stdout


def built(target: str, folder: Path) -> Path:
    run(sys.executable, "-m", "build", f"--{target}", "--no-isolation", "--outdir", folder, ROOT, folder=folder)
    (archive,) = folder.iterdir()
    return archive


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    (tmp_path / "dist").mkdir()
    return built("wheel", tmp_path / "dist")


def test_the_static_half_installs_and_runs_without_torch(wheel: Path, tmp_path: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "rnnshape_guard/py.typed" in names
    assert {name.split("/")[-1] for name in names if name.startswith("rnnshape_guard/rules/")} == {
        path.name for path in (ROOT / "rules").glob("*.md")
    }
    assert {name.split("/")[0] for name in names} == {"rnnshape_guard", wheel.name.split("-py3")[0] + ".dist-info"}

    run(sys.executable, "-m", "venv", "fresh", folder=tmp_path)
    programs = tmp_path / "fresh" / ("Scripts" if os.name == "nt" else "bin")
    run(programs / "python", "-m", "pip", "install", "--quiet", wheel, folder=tmp_path)

    missing = "import importlib.util, sys; sys.exit(importlib.util.find_spec('torch') is not None)"
    run(programs / "python", "-c", missing, folder=tmp_path)
    run(programs / "python", "-c", "import rnnshape_guard, sys; assert 'libcst' not in sys.modules", folder=tmp_path)

    example = ROOT / "examples" / "broken" / "linear_of_one_direction.py"
    report = run(programs / "rnnshape-guard", "check", example, folder=tmp_path, status=1)
    assert "error[RSG201]: `self.head` takes" in report
    assert "= help: nn.Linear(2" in report
    assert run(programs / "rnnshape-guard", "rule", "RSG201", folder=tmp_path) == (
        ROOT / "rules" / "RSG201-linear-in-features.md"
    ).read_text(encoding="utf-8")
    assert "All checks passed!" in run(
        programs / "rnnshape-guard", "check", ROOT / "examples/last_step.py", folder=tmp_path
    )


def test_the_source_archive_holds_what_a_wheel_is_built_from(tmp_path: Path) -> None:
    archive = built("sdist", tmp_path)
    with tarfile.open(archive) as packed:
        names = {name.partition("/")[2] for name in packed.getnames()}
    assert {
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "rules/RSG201-linear-in-features.md",
        "rnnshape_guard/cli.py",
    } <= names
    assert not any(name.startswith((".venv", ".git/", "dist")) for name in names)
