"""The packages, by name and version, and how their source comes onto this machine: through pip, outside the repository.

Nothing of a package is installed or imported. A wheel is asked for as another machine would get it (`TAGS`), so that every
machine reads the same files; where there is none, the source distribution is taken.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

LIST = Path(__file__).parent / "packages.toml"

TAGS = (
    "--python-version=3.11",
    "--implementation=cp",
    "--platform=manylinux_2_28_x86_64",
    "--platform=manylinux_2_17_x86_64",
    "--platform=manylinux2014_x86_64",
)


@dataclass(frozen=True, slots=True)
class Package:
    """One package of the list. `from_source` says that it has no wheel."""

    name: str
    version: str
    from_source: bool = False

    @property
    def folder(self) -> str:
        """What its folder in the cache is called."""
        return f"{self.name}-{self.version}"


class FetchProblem(Exception):
    """A package that could not be fetched; the message is pip's."""


def read_list(path: Path = LIST) -> list[Package]:
    """The list, in its order. Raises ValueError if a package is named twice."""
    entries = tomllib.loads(path.read_text(encoding="utf-8"))["package"]
    packages = [Package(one["name"], one["version"], one.get("from-source", False)) for one in entries]
    names = [package.name for package in packages]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"named twice in {path.name}: {', '.join(twice)}")
    return packages


def fetch(package: Package, cache: Path) -> Path:
    """The folder with a package's modules, downloaded and unpacked if it is not there yet."""
    folder = cache / "source" / package.folder
    if folder.is_dir():
        return folder
    archive = _archive(package, cache / "archives" / package.folder)
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    unpack(archive, partial)
    partial.rename(folder)
    return folder


def _archive(package: Package, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    if not any(folder.iterdir()):
        kind = ("--no-binary=:all:", "--no-build-isolation") if package.from_source else ("--only-binary=:all:", *TAGS)
        wanted = f"{package.name}=={package.version}"
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--disable-pip-version-check"]
        _pip([*command, *kind, "--dest", str(folder), wanted])
    archives = [path for path in sorted(folder.iterdir()) if path.name.endswith((".whl", ".zip", ".tar.gz"))]
    if not archives:
        raise FetchProblem(f"there is no archive in {folder}")
    return archives[0]


def _pip(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise FetchProblem(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "pip failed")


def unpack(archive: Path, folder: Path) -> None:
    """Unpack the modules of a wheel or a source distribution; what would land outside the folder is left out."""
    folder.mkdir(parents=True)
    if archive.name.endswith(".tar.gz"):
        with tarfile.open(archive) as tar:
            members = [member for member in tar.getmembers() if member.isfile() and member.name.endswith(".py")]
            tar.extractall(folder, members, filter="data")
        return
    with zipfile.ZipFile(archive) as wheel:
        wheel.extractall(folder, [name for name in wheel.namelist() if name.endswith(".py")])
