"""Where an import leads inside a project: from the words of an import statement to a file.

Nothing is imported to find out. An absolute import is looked for as Python would with the project on its path: first
beside the outermost package that the importing file lies in (or beside the file itself, if it lies in none), then in
each folder further up as far as the project's root, and in `src` beside each. What Python itself, PyTorch and the
libraries with a contract of their own here provide is never looked for.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import Final

_OTHERS: Final = frozenset(
    """torch numpy einops jaxtyping beartype torchtyping typing_extensions tqdm rich torchvision torchaudio torchtext
    torchcrf pandas scipy sklearn matplotlib pytest yaml omegaconf hydra lightning pytorch_lightning""".split()
)
"""Packages that are never a project's own."""

_HIGHEST: Final = 12
"""Folders looked through above a file."""
_HIGHEST_OUTSIDE: Final = 3
"""The same for a file that does not lie below the project's root."""


def is_foreign(package: str) -> bool:
    """Whether a top-level package is never a project's own."""
    return package in _OTHERS or package in sys.stdlib_module_names


@dataclass(frozen=True, slots=True)
class Place:
    """A module of the project: its dotted name as imported, its file (None for a namespace package), and the folder of
    its submodules (None if it is no package)."""

    name: str
    file: str | None
    folder: str | None


class Finder:
    """Looks for modules. Every folder is listed once; what was listed is kept in `listed`."""

    def __init__(self) -> None:
        self.listed: dict[str, frozenset[str] | None] = {}
        self._bases: dict[tuple[str, str], tuple[str, ...]] = {}

    def names(self, folder: str) -> frozenset[str]:
        """The modules (with their suffix) and folders in a folder; nothing if there is no such folder."""
        known = self.listed.get(folder, frozenset())
        if known or folder in self.listed:
            return known or frozenset()
        try:
            with os.scandir(folder) as entries:
                found = frozenset(
                    entry.name for entry in entries if entry.name.endswith(".py") or "." not in entry.name
                )
        except OSError:
            self.listed[folder] = None
            return frozenset()
        self.listed[folder] = found
        return found

    def find(self, importer: str, level: int, dotted: str, root: str) -> Place | None:
        """The module that a file means by ``from ..dotted import …`` (`level` counts the dots) or ``import dotted``;
        None for one of another package, or one that is missing. Paths are absolute."""
        words = tuple(dotted.split(".")) if dotted else ()
        if level:
            folder = os.path.dirname(importer)  # noqa: PTH120
            for _ in range(level - 1):
                folder = os.path.dirname(folder)  # noqa: PTH120
            return self._inside(folder, words)
        if not words or is_foreign(words[0]):
            return None
        bases = self._above(os.path.dirname(importer), root)  # noqa: PTH120
        regular = (base for base in bases if f"{words[0]}.py" in self.names(base) or self._is_package(base, words[0]))
        base = next(regular, None)
        if base is not None:
            return self._inside(base, words)
        for base in bases:
            if words[0] in self.names(base):
                found = self._inside(base, words)
                if found is not None:
                    return found
        return None

    def submodule(self, package: Place, name: str) -> Place | None:
        """A module of a package."""
        if package.folder is None:
            return None
        found = self._inside(package.folder, (name,))
        return None if found is None else Place(f"{package.name}.{name}", found.file, found.folder)

    def _is_package(self, folder: str, name: str) -> bool:
        return name in self.names(folder) and "__init__.py" in self.names(f"{folder}/{name}")

    def _inside(self, folder: str, words: tuple[str, ...]) -> Place | None:
        dotted = ".".join(words)
        for at, word in enumerate(words):
            names = self.names(folder)
            inner = f"{folder}/{word}"
            if f"{word}.py" in names and not (word in names and "__init__.py" in self.names(inner)):
                return Place(dotted, f"{inner}.py", None) if at == len(words) - 1 else None
            if word not in names or not self.names(inner):
                return None
            folder = inner
        here = "__init__.py" in self.names(folder)
        return Place(dotted or os.path.basename(folder), f"{folder}/__init__.py" if here else None, folder)  # noqa: PTH119

    def _above(self, folder: str, root: str) -> tuple[str, ...]:
        known = self._bases.get((folder, root))
        if known is not None:
            return known
        inner = folder
        while "__init__.py" in self.names(inner) and os.path.dirname(inner) != inner:  # noqa: PTH120
            inner = os.path.dirname(inner)  # noqa: PTH120
        found: list[str] = []
        for _ in range(_HIGHEST if f"{folder}/".startswith(f"{root}/") else _HIGHEST_OUTSIDE):
            found += [inner] if os.path.basename(inner) == "src" else [inner, f"{inner}/src"]  # noqa: PTH119
            above = os.path.dirname(inner)  # noqa: PTH120
            if inner == root or above == inner:
                break
            inner = above
        self._bases[(folder, root)] = result = tuple(found)
        return result
