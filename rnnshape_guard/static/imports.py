"""Which files of a project import which, and a digest of a file with all that it imports, in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from rnnshape_guard.static.finder import Finder, Place
from rnnshape_guard.static.fingerprints import of_words
from rnnshape_guard.static.outlines import Import


class Edge(NamedTuple):
    """Something that a file imports from the project: the module, the name in it (empty: the module itself), and the name
    that it is bound to."""

    place: Place
    name: str
    bound: str


class ImportGraph:
    """The imports of a project's files. `imports_of` gives what the text of a file says."""

    def __init__(self, root: str, imports_of: Callable[[str], tuple[Import, ...]]) -> None:
        self._root = root
        self._imports_of = imports_of
        self._finder = Finder()
        self._edges: dict[str, tuple[Edge, ...]] = {}

    def find(self, importer: str, level: int, dotted: str) -> Place | None:
        """The module of the project that an import in a file means, if it means one."""
        return self._finder.find(importer, level, dotted, self._root)

    def member(self, package: Place, name: str) -> Place | None:
        """A submodule of a package."""
        return self._finder.submodule(package, name)

    def edges(self, file: str) -> tuple[Edge, ...]:
        """What a file imports from the project."""
        known = self._edges.get(file)
        if known is None:
            found: list[Edge] = []
            places: dict[tuple[int, str], Place | None] = {}
            for one in self._imports_of(file):
                module = (one.level, one.module)
                place = places[module] if module in places else places.setdefault(module, self.find(file, *module))
                if place is None:
                    continue
                inner = self.member(place, one.name) if one.name and one.name != "*" else None
                if inner is not None:
                    found.append(Edge(inner, "", one.bound))
                if place.file is not None:
                    found.append(Edge(place, one.name, one.bound))
            known = self._edges[file] = tuple(found)
        return known

    def submodule(self, folder: str, name: str) -> Place | None:
        """The submodule of a package that lies in a folder."""
        return self._finder.submodule(Place("", None, folder), name)

    def files(self, file: str) -> Iterator[str]:
        """The files that a file imports."""
        return (edge.place.file for edge in self.edges(file) if edge.place.file is not None)

    def reached(self, file: str) -> set[str]:
        """A file and all that it imports, in turn."""
        found = {file}
        pending = [file]
        while pending:
            for other in self.files(pending.pop()):
                if other not in found:
                    found.add(other)
                    pending.append(other)
        return found


class Closures:
    """Digests of files with all that they import, in turn.

    Two such digests are the same if every file that is reached is the same and every import leads to the same file. Files
    that import one another in a circle share theirs, but for their own part.
    """

    def __init__(self, graph: ImportGraph, digest_of: Callable[[str], str]) -> None:
        self._graph = graph
        self._digest_of = digest_of
        self._known: dict[str, str] = {}

    def digest(self, file: str) -> str:
        """The digest of a file and of what it reaches."""
        if file not in self._known:
            for circle in self._circles(file):
                self._settle(circle)
        return of_words(file, self._known[file]).hex()

    def _settle(self, circle: list[str]) -> None:
        inside = set(circle)
        parts: list[str] = []
        for file in sorted(circle):
            targets = list(self._graph.files(file))
            parts += [file, self._digest_of(file), *targets, ""]
            parts += sorted({self._known[target] for target in targets if target not in inside})
        digest = of_words(*parts).hex()
        self._known.update(dict.fromkeys(circle, digest))

    def _circles(self, start: str) -> Iterator[list[str]]:
        """The files reached from one, in groups that import one another, what is imported first (Tarjan's algorithm)."""
        number: dict[str, int] = {start: 0}
        lowest: dict[str, int] = {start: 0}
        stack, waiting = [start], {start}
        path = [(start, self._graph.files(start))]
        while path:
            file, targets = path[-1]
            for target in targets:
                if target in self._known:
                    continue
                if target not in number:
                    number[target] = lowest[target] = len(number)
                    stack.append(target)
                    waiting.add(target)
                    path.append((target, self._graph.files(target)))
                    break
                if target in waiting:
                    lowest[file] = min(lowest[file], number[target])
            else:
                path.pop()
                if path:
                    lowest[path[-1][0]] = min(lowest[path[-1][0]], lowest[file])
                if lowest[file] == number[file]:
                    circle: list[str] = []
                    while not circle or circle[-1] != file:
                        circle.append(stack.pop())
                        waiting.discard(circle[-1])
                    yield circle
