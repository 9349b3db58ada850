"""The files of a project as far as they matter to one another: what leads to a recurrent layer, and loading it.

A definition leads to a recurrent layer if it names one, or a definition that does, in its own file or in one that it
imports. That is decided on outlines; only files that interpretation really reads from are parsed, once in a process.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from rnnshape_guard.static import limits
from rnnshape_guard.static.finder import Place, is_foreign
from rnnshape_guard.static.fingerprints import of_words
from rnnshape_guard.static.imports import ImportGraph
from rnnshape_guard.static.outcomes import SUBMODULE, Lookup, Trail
from rnnshape_guard.static.outlines import Block, Import, Outline
from rnnshape_guard.static.parsing import SyntaxProblem
from rnnshape_guard.static.sources import MAX_BYTES, ReadProblem, decode, read_bytes

if TYPE_CHECKING:
    from rnnshape_guard.static.reading import Loaded

_REACH: Final = 3_000
"""Files followed from one file."""
_KEPT: Final = 1_000
"""Files whose records are kept, for the next file that imports them."""
_FARTHEST: Final = 3
"""Definitions between a recurrent layer and what leads to it: a model of encoders, its factory, what trains it. What is
further away runs programs and says nothing of shapes."""


@dataclass(slots=True)
class Leads:
    """The names of a file that lead to a recurrent layer, and over how many definitions: `own` definitions and `imported`
    ones; those of them that are `variables` do so wherever they are mentioned, the others where they are called or derived
    from. `modules` are the names of modules of the project, with their files."""

    own: dict[str, int] = field(default_factory=dict)
    imported: dict[str, int] = field(default_factory=dict)
    variables: set[str] = field(default_factory=set)
    modules: dict[str, str] = field(default_factory=dict)

    @property
    def names(self) -> dict[str, int]:
        """Every such name."""
        return self.imported | self.own

    def digest(self) -> str:
        """The same for the same names."""
        modules = (f"{name} {file}" for name, file in sorted(self.modules.items()))
        own, imported = (
            [f"{name} {distance}" for name, distance in sorted(one.items())] for one in (self.own, self.imported)
        )
        parts = (own, imported, sorted(self.variables), modules)
        return of_words(*(word for part in parts for word in ("", *part))).hex()


NOTHING: Final = Leads()
"""What leads nowhere."""


def read_outline(file: str) -> Outline | None:
    """The outline of a file; None if it cannot be read."""
    try:
        return Outline(read_bytes(file))
    except ReadProblem:
        return None


class _Kept(NamedTuple):
    """A file that was loaded, None if that failed; `digest` is the same, in this process, for the same text."""

    loaded: Loaded | None
    digest: int


class Project:
    """The files below a root, and above them as far as imports of `root` reach, with what gives their outlines."""

    def __init__(self, root: str, outline_of: Callable[[str], Outline | None] = read_outline) -> None:
        self.root = root
        self._graph = ImportGraph(root, self._imports_in)
        self._outline_of = outline_of
        self._looked_up: set[Lookup] = set()
        self._asked: set[str] = set()
        self._opened: set[str] = set()
        self._outlines: dict[str, Outline | None] = {}
        self._leads: dict[str, Leads] = {}
        self._loaded: OrderedDict[str, _Kept] = OrderedDict()

    # -- imports ----------------------------------------------------------------------------------------------------

    def find(self, importer: str, level: int, dotted: str) -> Place | None:
        """The module of the project that an import in a file means, if it means one."""
        found = self._graph.find(importer, level, dotted)
        if level or not is_foreign(dotted.partition(".")[0]):
            self._note(importer.rpartition("/")[0], level, dotted, found)
        return found

    def member(self, place: Place, name: str) -> Place | None:
        """A submodule of a package."""
        found = self._graph.member(place, name)
        if place.folder is not None:
            self._note(place.folder, SUBMODULE, name, found)
        return found

    def _note(self, folder: str, level: int, name: str, found: Place | None) -> None:
        self._looked_up.add(Lookup(folder, level, name, None if found is None else found.file or found.folder))

    def take_trail(self) -> Trail:
        """What was asked of the project since this was last taken."""
        leads = frozenset((file, self._leads[file].digest()) for file in self._asked)
        trail = Trail(frozenset(self._looked_up), frozenset(self._opened), leads)
        for asked in (self._looked_up, self._opened, self._asked):
            asked.clear()
        return trail

    # -- what leads to a recurrent layer ----------------------------------------------------------------------------

    def leads(self, file: str) -> Leads:
        """The names in a file that lead to a recurrent layer."""
        self._asked.add(file)
        if file not in self._leads:
            self._settle(self._unsettled(file))
        return self._leads[file]

    def _unsettled(self, file: str) -> list[str]:
        """A file and all that it imports, in turn, of which it is not yet known what leads where."""
        found = {file: None}
        pending = [file]
        while pending and len(found) < _REACH:
            for other in self._graph.files(pending.pop()):
                if other not in found and other not in self._leads:
                    found[other] = None
                    pending.append(other)
        return list(found)

    def _settle(self, files: list[str]) -> None:
        """Find what leads where, until nothing is added anywhere. Only files that lead to a recurrent one are read."""
        importers: dict[str, list[str]] = {}
        pending: list[str] = []
        for file in files:
            outline = self._outline(file)
            if outline is not None and outline.is_recurrent:
                pending.append(file)
            for other in self._graph.files(file):
                importers.setdefault(other, []).append(file)
        pending += [
            file for other, some in importers.items() if self._leads.get(other, NOTHING) is not NOTHING for file in some
        ]
        mattering = dict.fromkeys(pending)
        while pending:
            for importer in importers.get(pending.pop(), ()):
                if importer not in mattering:
                    mattering[importer] = None
                    pending.append(importer)
        self._leads.update({file: Leads() if file in mattering else NOTHING for file in files})
        waiting = dict(mattering)
        while waiting:
            file = next(iter(waiting))
            del waiting[file]
            if self._fill(file, self._leads[file]):
                waiting.update((one, None) for one in importers.get(file, ()) if one in mattering)
        for file in files:
            outline = self._outline(file)
            if outline is not None:
                outline.forget()

    def _fill(self, file: str, ours: Leads) -> bool:
        """Add what a file imports and what its definitions use; whether that was anything new or nearer."""
        before = dict(ours.names)
        for place, name, bound in self._graph.edges(file):
            if place.file is None:
                continue
            theirs = self._leads.get(place.file, NOTHING)
            if not name:
                ours.modules[bound] = place.file
            elif name == "*":
                ours.imported |= theirs.names
                ours.variables |= theirs.variables
                ours.modules |= theirs.modules
            elif name in theirs.names:
                ours.imported[bound] = theirs.names[name]
                if name in theirs.variables:
                    ours.variables.add(bound)
            elif name in theirs.modules:
                ours.modules[bound] = theirs.modules[name]
        outline = self._outline(file)
        while outline is not None:
            nearer = {
                name: distance
                for name, block in outline.blocks.items()
                if name and (distance := self._distance(ours, block)) < ours.own.get(name, _FARTHEST + 1)
            }
            if not nearer:
                break
            ours.own |= nearer
            ours.variables |= {name for name in nearer if outline.blocks[name].is_variable}
        return ours.names != before

    def _distance(self, ours: Leads, block: Block) -> int:
        """Over how many definitions a definition leads to a recurrent layer; more than the farthest if it does not."""
        if block.begins:
            return 0
        names = ours.names
        found = [names[name] for name in ours.variables & block.words if name in names]
        found += [self._distance_of(ours, path.split(".")) for path in block.uses]
        return min(found, default=_FARTHEST) + 1

    def _distance_of(self, ours: Leads, words: list[str]) -> int:
        """The same of a dotted name."""
        for known in (ours.own, ours.imported):
            if words[0] in known:
                return known[words[0]]
        for count in range(1, len(words)):
            file = ours.modules.get(".".join(words[:count]))
            if file is not None:
                theirs = self._leads.get(file, NOTHING)
                return self._distance_of(theirs, words[count:]) if theirs is not ours else _FARTHEST
        return _FARTHEST

    def matters(self, file: str) -> bool:
        """Whether a file has anything to do with recurrent layers, of its own or of the project's."""
        outline = self._outline(file)
        if outline is None:
            return False
        leads = self.leads(file)
        return (
            outline.is_recurrent
            or bool(leads.own)
            or (leads is not NOTHING and self._distance(leads, outline.blocks[""]) <= _FARTHEST)
        )

    def _imports_in(self, file: str) -> tuple[Import, ...]:
        outline = self._outline(file)
        return outline.imports if outline is not None else ()

    # -- reading ----------------------------------------------------------------------------------------------------

    def give(self, file: str, source: bytes) -> None:
        """What is in a file, where somebody has read it or is about to write it."""
        if file not in self._outlines:
            self._outlines[file] = Outline(source)

    def _outline(self, file: str) -> Outline | None:
        if file not in self._outlines:
            self._outlines[file] = self._outline_of(file)
        return self._outlines[file]

    @property
    def read(self) -> frozenset[str]:
        """The files that were read and are remembered."""
        return frozenset(self._loaded)

    def load(self, file: str) -> Loaded | None:
        """A file as records; None if it cannot be read or is no Python."""
        self._opened.add(file)
        if file in self._loaded:
            self._loaded.move_to_end(file)
            return self._loaded[file].loaded
        from rnnshape_guard.static.reading import read  # loads libcst

        try:
            source = read_bytes(file)
            if limits.excess(source, MAX_BYTES) is not None:
                return self.keep(file, None)
            text = decode(source)
            return self.keep(file, read(file, text), text)
        except (ReadProblem, SyntaxProblem):
            return self.keep(file, None)

    def known(self, file: str, text: str) -> Loaded | None:
        """A file as records, if somebody has loaded it and this is still its text."""
        kept = self._loaded.get(file)
        return kept.loaded if kept is not None and kept.digest == hash(text) else None

    def keep(self, file: str, loaded: Loaded | None, text: str = "") -> Loaded | None:
        """Remember a file that was loaded; those not used for longest are forgotten."""
        self._loaded[file] = _Kept(loaded, hash(text))
        self._loaded.move_to_end(file)
        if len(self._loaded) > _KEPT:
            self._loaded.popitem(last=False)
        return loaded
