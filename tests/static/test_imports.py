"""The digest of a file with all that it imports changes if, and only if, something in there does."""

from __future__ import annotations

import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from rnnshape_guard.static.imports import Closures, ImportGraph
from rnnshape_guard.static.outlines import Outline


class Drawn(ImportGraph):
    """A graph that is drawn instead of read."""

    def __init__(self, edges: dict[str, list[str]]) -> None:
        super().__init__("/", lambda file: ())
        self.drawn = edges

    def files(self, file: str):  # type: ignore[no-untyped-def]
        return iter(self.drawn.get(file, []))


names = st.sampled_from([f"/{name}.py" for name in "abcdefgh"])
graphs = st.dictionaries(names, st.lists(names, max_size=3))


def digests(edges: dict[str, list[str]], contents: dict[str, str]) -> dict[str, str]:
    closures = Closures(Drawn(edges), lambda file: contents.get(file, ""))
    return {file: closures.digest(file) for file in sorted({*edges, "/a.py"})}


@given(graphs, names)
def test_a_change_of_text_changes_exactly_the_files_that_reach_it(edges: dict[str, list[str]], changed: str) -> None:
    before, after = digests(edges, {}), digests(edges, {changed: "new"})

    for file in before:
        assert (before[file] != after[file]) == (changed in Drawn(edges).reached(file))


@given(graphs, names, names)
def test_a_new_import_changes_exactly_the_files_that_reach_the_importer(
    edges: dict[str, list[str]], importer: str, imported: str
) -> None:
    grown = edges | {importer: [*edges.get(importer, []), imported]}
    before, after = digests(edges, {}), digests(grown, {})

    for file in before:
        assert (before[file] != after[file]) == (importer in Drawn(edges).reached(file))


@given(graphs, st.permutations([f"/{name}.py" for name in "abcdefgh"]))
def test_it_does_not_matter_which_file_is_asked_about_first(edges: dict[str, list[str]], order: list[str]) -> None:
    closures = Closures(Drawn(edges), str)
    asked = {file: closures.digest(file) for file in order}

    assert all(Closures(Drawn(edges), str).digest(file) == digest for file, digest in asked.items())


def test_files_of_one_circle_have_digests_of_their_own() -> None:
    assert len(set(digests({"/a.py": ["/b.py"], "/b.py": ["/a.py"]}, {}).values())) == 2


def test_a_chain_longer_than_python_can_recurse() -> None:
    length = 3 * sys.getrecursionlimit()
    edges = {f"/{number}.py": [f"/{number + 1}.py"] for number in range(length)}
    before = Closures(Drawn(edges), lambda file: "").digest("/0.py")
    after = Closures(Drawn(edges), lambda file: "new" if file == f"/{length}.py" else "").digest("/0.py")

    assert before != after


def test_edges_are_the_files_of_the_project_that_a_text_names(tmp_path: Path) -> None:
    for name in ("pack/__init__.py", "pack/inner.py", "pack/other.py", "script.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    script, inner = str(tmp_path / "script.py"), str(tmp_path / "pack/inner.py")
    text = {
        script: b"import os, torch.nn as nn\nimport pack.inner\nfrom pack import other, missing\nfrom nowhere import x\n",
        inner: b"from . import other as it\nfrom .nothing import *\n",
    }
    graph = ImportGraph(str(tmp_path), lambda file: Outline(text.get(file, b"")).imports)

    def found(file: str) -> list[tuple[str, str, str]]:
        return [
            (str(Path(edge.place.file or "").relative_to(tmp_path)), edge.name, edge.bound)
            for edge in graph.edges(file)
        ]

    assert set(found(script)) == {
        ("pack/inner.py", "", "pack.inner"),
        ("pack/other.py", "", "other"),
        ("pack/__init__.py", "other", "other"),
        ("pack/__init__.py", "missing", "missing"),
    }
    assert set(found(inner)) == {("pack/other.py", "", "it"), ("pack/__init__.py", "other", "it")}


def test_an_import_may_stand_in_many_ways() -> None:
    text = b"""
import one, two.three as four
import five; import not_seen
def f():
    from ..six import (
        seven as eight,  # import nine
        ten,
    )
\tfrom .import eleven
    from twelve import thirteen, \\
        fourteen
from fifteen import *
important = "no import"
raise ImportError
import os.path, torch
from importlib import import_module
"""
    imports = [(one.level, one.module, one.name, one.bound) for one in Outline(text).imports]

    assert imports == [
        (0, "one", "", "one"),
        (0, "two.three", "", "four"),
        (0, "five", "", "five"),
        (0, "import", "", "import"),
        (0, "not_seen", "", "not_seen"),
        (2, "six", "seven", "eight"),
        (2, "six", "ten", "ten"),
        (1, "", "eleven", "eleven"),
        (0, "twelve", "thirteen", "thirteen"),
        (0, "twelve", "fourteen", "fourteen"),
        (0, "fifteen", "*", "*"),
    ]
