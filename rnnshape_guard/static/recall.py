"""What earlier runs know of the files of this one: their facts, and what judging them came to.

An outcome is used again if the file, everything it imports, in turn, and whatever else was looked for are as they were. If
a file changes while a run is under way, nothing of that run is kept: nobody knows which text was judged.
"""

from __future__ import annotations

import time
from itertools import islice
from typing import TYPE_CHECKING, Final

from rnnshape_guard.static.fingerprints import of_bytes, of_settings, of_tool, of_words
from rnnshape_guard.static.imports import Closures, ImportGraph
from rnnshape_guard.static.outcomes import (
    SUBMODULE,
    Depends,
    Kept,
    Lookup,
    Outcome,
    Trail,
    depends_from_json,
    depends_to_json,
    from_json,
    to_json,
)
from rnnshape_guard.static.project import Project
from rnnshape_guard.static.sources import ReadProblem
from rnnshape_guard.static.survey import Facts, stamp_of

if TYPE_CHECKING:
    from rnnshape_guard.settings import Settings
    from rnnshape_guard.static.cache import Cache
    from rnnshape_guard.static.outlines import Import
    from rnnshape_guard.static.survey import Survey

_SAVED: Final = 5.0
"""Seconds of work that a run may lose if it is killed."""

_TICK: Final = 10**7
"""Nanoseconds by which the clock of a file system may be behind."""

_GONE: Final = Facts("", matters=False, suppresses=False, imported=())
"""What is known of a file that cannot be read."""


class Recall:
    """The outcomes that a cache holds, for the files that a survey tells of."""

    def __init__(self, cache: Cache, survey: Survey) -> None:
        self._cache = cache
        self._survey = survey
        self._facts: dict[str, Facts] = {}
        self._stamps: dict[str, list[int] | None] = {}
        self._graphs: dict[str, tuple[ImportGraph, Closures]] = {}
        self._projects: dict[str, Project] = {}
        self._settings: dict[int, tuple[Settings, str]] = {}
        self._learned: list[tuple[bytes, bytes]] = []
        self._begun = time.time_ns()
        self._saved = time.monotonic()
        self._late: set[str] = set()

    def outcome(self, path: str, settings: Settings, *, named: bool) -> Outcome | None:
        """What judging a file came to, if an earlier run has judged the very same."""
        graph, closures = self._graph(settings)
        closure = closures.digest(path)  # surveyed before anything is judged, so that a change meanwhile is seen
        key = self._key(path, settings, named)
        text = self._cache.get(key)
        kept = from_json(text) if text is not None else None
        if kept is None:
            return None
        if kept.closure == closure and all(
            _look_up(graph, lookup) == lookup.file
            and (lookup.file is None or self._closure(closures, lookup.file) == digest)
            for lookup, digest in kept.lookups
        ):
            return kept.outcome
        # Something that it imports is another, in turn: has it to do with what was asked of it?
        text = self._cache.get(_beside(key))
        depends = depends_from_json(text) if text is not None else None
        if depends is None or not self._still_holds(depends, path, settings):
            return None
        self.learn(path, settings, kept.outcome, depends.trail, named=named)
        return kept.outcome

    def _still_holds(self, depends: Depends, path: str, settings: Settings) -> bool:
        """Whether everything that was asked when a file was judged has the same answer today."""
        graph, _ = self._graph(settings)
        return (
            all(self._fact(file).digest == digest for file, digest in depends.digests)
            and all(_look_up(graph, lookup) == lookup.file for lookup in depends.trail.lookups)
            and all(self._project(settings).leads(file).digest() == digest for file, digest in depends.trail.leads)
            and (not depends.trail.leads or self._project(settings).matters(path) == depends.mattered)
        )

    def is_as_surveyed(self, path: str, content: bytes) -> bool:
        """Whether what was read of a file is what the survey told of."""
        return of_bytes(content) == self._fact(path).digest

    def learn(self, path: str, settings: Settings, outcome: Outcome, trail: Trail, *, named: bool) -> None:
        """Keep what judging a file came to, with what was asked meanwhile."""
        graph, closures = self._graph(settings)
        surveyed = len(self._stamps)
        known = self._covered(graph, path)
        beyond = [it for it in trail.lookups if (it.folder, it.level, it.name) not in known]
        digests = [self._closure(closures, it.file) if it.file is not None else "" for it in beyond]
        kept = Kept(outcome, closures.digest(path), tuple(zip(beyond, digests, strict=True)))
        read = tuple((file, self._fact(file).digest) for file in sorted(trail.files))
        key = self._key(path, settings, named)
        self._learned.append((key, to_json(kept)))
        self._learned.append((_beside(key), depends_to_json(Depends(outcome.judgement is not None, trail, read))))
        # Read by whoever judged the file, and looked at only now.
        self._late.update(islice(self._stamps, surveyed, None))
        if time.monotonic() > self._saved + _SAVED:
            self._hand_over()

    def close(self) -> None:
        """Hand what was learned to the cache."""
        self._hand_over()

    # -- the parts of a key

    def _key(self, path: str, settings: Settings, named: bool) -> bytes:
        known = self._settings.get(id(settings))
        if known is None:
            known = self._settings[id(settings)] = settings, of_settings(settings).hex()
        words = ("outcome", of_tool().hex(), known[1], path, self._fact(path).digest)
        return of_words(*words, "named" if named else "found")

    def _fact(self, path: str) -> Facts:
        known = self._facts.get(path)
        if known is None:
            self._stamps[path] = stamp_of(path)
            try:
                found = self._survey.facts(path)
                known = Facts(found.digest, found.matters, found.suppresses, found.imported)
            except ReadProblem:
                known = _GONE
            self._facts[path] = known
        return known

    def _graph(self, settings: Settings) -> tuple[ImportGraph, Closures]:
        root = settings.root.as_posix()
        known = self._graphs.get(root)
        if known is None:
            graph = ImportGraph(root, self._imports_in)
            known = self._graphs[root] = graph, Closures(graph, lambda file: self._fact(file).digest)
        return known

    def _project(self, settings: Settings) -> Project:
        root = settings.root.as_posix()
        known = self._projects.get(root)
        if known is None:
            known = self._projects[root] = Project(root, self._survey.outline)
        return known

    def _imports_in(self, file: str) -> tuple[Import, ...]:
        return self._fact(file).imported

    def _closure(self, closures: Closures, found: str) -> str:
        # A namespace package is a folder: it imports nothing.
        return closures.digest(found) if found.endswith(".py") else ""

    def _covered(self, graph: ImportGraph, path: str) -> set[tuple[str, int, str]]:
        """What is looked for where a file and all that it imports, in turn, are surveyed: the closure speaks for that."""
        covered: set[tuple[str, int, str]] = set()
        for file in graph.reached(path):
            folder = file.rpartition("/")[0]
            for one in self._imports_in(file):
                covered.add((folder, one.level, one.module))
                place = graph.find(file, one.level, one.module) if one.name else None
                if place is not None and place.folder is not None:
                    covered.add((place.folder, SUBMODULE, one.name))
        return covered

    def _hand_over(self) -> None:
        if all(self._is_unchanged(path, stamp) for path, stamp in self._stamps.items()):
            for key, row in self._learned:
                self._cache.put(key, row)
        self._learned.clear()
        self._cache.flush()
        self._saved = time.monotonic()

    def _is_unchanged(self, path: str, stamp: list[int] | None) -> bool:
        _, _, changed, _ = stamp or (0, 0, 0, 0)
        return stamp_of(path) == stamp and (path not in self._late or changed < self._begun - _TICK)


def _beside(key: bytes) -> bytes:
    """The key of the row that says what an outcome depends on: it is read only if the outcome may have changed."""
    return of_words("depends", key.hex())


def _look_up(graph: ImportGraph, lookup: Lookup) -> str | None:
    if lookup.level == SUBMODULE:
        place = graph.submodule(lookup.folder, lookup.name)
    else:
        place = graph.find(f"{lookup.folder}/", lookup.level, lookup.name)
    return None if place is None else place.file or place.folder
