"""The cache: what goes in comes out, whatever happens to its file meanwhile, and nothing that happens to it is an error."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnshape_guard.findings import Diagnostic, Note, Position, Severity, Span
from rnnshape_guard.settings import Overrides, Settings, SettingsResolver, read_values
from rnnshape_guard.static import cache as cache_module
from rnnshape_guard.static import fingerprints
from rnnshape_guard.static.cache import FILE, Cache
from rnnshape_guard.static.fingerprints import Keys
from rnnshape_guard.static.outcomes import Consulted, Depends, Outcome, Resolved, from_json, to_json


def key(number: int) -> bytes:
    return number.to_bytes(16, "little")


def outcome(number: int = 0) -> Outcome:
    span = Span(f"file{number}.py", Position(number + 1, 5), Position(number + 1, 9))
    found = Diagnostic(code="RSG201", name="linear-in-features", severity=Severity.ERROR, message="wrong", span=span)
    return Outcome((found,), candidate=True, extra={"number": number, "padding": "x" * 200})


def always(depends: Depends) -> bool:
    return True


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def opened(folder: Path, told: list[str] | None = None) -> Cache:
    return Cache(folder, folder.parent, (told if told is not None else []).append)


def filled(folder: Path, numbers: range) -> None:
    with opened(folder) as cache:
        for number in numbers:
            cache.put(key(number), outcome(number))


def kept(folder: Path, numbers: range) -> list[int]:
    """The numbers whose rows can be read; each that can must hold what was written."""
    with opened(folder) as cache:
        rows = {number: cache.get(key(number), always) for number in numbers}
    assert all(row == outcome(number) for number, row in rows.items() if row is not None)
    return [number for number, row in rows.items() if row is not None]


# -- what goes in comes out ------------------------------------------------------------------------------------------

words = st.text(max_size=12) | st.just("dir/\udcff.py")  # a file name that is not UTF-8
positions = st.builds(Position, st.integers(1, 10**6), st.integers(1, 10**6))
spans = st.builds(Span, words, positions, positions)
notes = st.lists(st.builds(Note, words, st.none() | spans), max_size=3).map(tuple)
texts = dict.fromkeys(
    ("code", "name", "message", "primary", "expected", "found", "help", "condition", "url"),
    words,
)
diagnostics = st.builds(
    Diagnostic, severity=st.sampled_from(Severity), span=spans, labels=notes, evidence=notes, **texts
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
depends = st.builds(
    Depends,
    st.lists(st.builds(Consulted, words, st.none() | words), max_size=3).map(tuple),
    st.lists(st.builds(Resolved, words, st.integers(0, 9), words, st.none() | words), max_size=3).map(tuple),
)
outcomes = st.builds(
    Outcome,
    st.lists(diagnostics, max_size=3).map(tuple),
    st.booleans(),
    st.dictionaries(words, json_values, max_size=3),
    depends,
)


@given(outcomes)
def test_an_outcome_is_read_as_it_was_written(written: Outcome) -> None:
    text = to_json(written)

    assert text.isascii()
    assert from_json(text) == written


def test_the_strategy_above_fills_every_field_of_a_diagnostic() -> None:
    assert set(Diagnostic.__slots__) == {"severity", "span", "labels", "evidence", *texts}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "null",
        "[[]]",
        "[[], true, {}, []]",
        "[[], 1, {}, [], []]",
        "[[], true, [], [], []]",
        "[[[]], true, {}, [], []]",
        '[[], true, {}, [["a", 1]], []]',
        '[[], true, {}, [], [["a", true, "b", null]]]',
        "[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_foreign_json_is_no_outcome(text: str | bytes) -> None:
    assert from_json(text) is None


def test_a_diagnostic_with_a_field_too_many_or_of_another_type_is_no_outcome() -> None:
    text = to_json(outcome())
    assert from_json(text) is not None

    for wrong in (
        text.replace('"RSG201",', '"RSG201","RSG202",'),
        text.replace('"RSG201"', "201"),
        text.replace('"error"', '"fatal"'),
        text.replace('"file0.py",1,', '"file0.py",1.0,'),
        text.replace('"file0.py",1,', '"file0.py",true,'),
    ):
        assert wrong != text
        assert from_json(wrong) is None


def test_paths_inside_the_project_move_with_it(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    inside = Depends(
        (Consulted(f"{old}/a.py", "1"), Consulted("/elsewhere/b.py", None)),
        (Resolved(str(old), 1, "a", f"{old}/a.py"), Resolved(f"{old}/p", 0, "x", None)),
    )
    with Cache(old / "cache", old) as cache:
        cache.put(key(1), Outcome(depends=inside))
        cache.close()
        same = cache.get(key(1), always)
    old.rename(new)
    with Cache(new / "cache", new) as cache:
        moved = cache.get(key(1), always)

    assert same is not None
    assert moved is not None
    assert same.depends == inside
    assert moved.depends.files == (Consulted(f"{new}/a.py", "1"), Consulted("/elsewhere/b.py", None))
    assert moved.depends.imports[0] == Resolved(str(new), 1, "a", f"{new}/a.py")


# -- a row is used if it is current ------------------------------------------------------------------------------------


def test_what_was_kept_is_found_by_the_next_run(folder: Path) -> None:
    filled(folder, range(3))

    assert kept(folder, range(5)) == [0, 1, 2]


def test_what_it_depends_on_is_asked_about(folder: Path) -> None:
    rests = Depends((Consulted("/a.py", None),))
    with opened(folder) as cache:
        cache.put(key(1), Outcome(depends=rests))
    asked: list[Depends] = []
    with opened(folder) as cache:
        assert cache.get(key(1), lambda depends: bool(asked.append(depends))) is None

    assert asked == [rests]


def test_a_later_outcome_takes_the_place_of_an_earlier_one(folder: Path) -> None:
    filled(folder, range(2))
    with opened(folder) as cache:
        cache.put(key(0), outcome(7))
    with opened(folder) as cache:
        assert cache.get(key(0), always) == outcome(7)
        assert cache.get(key(1), always) == outcome(1)


def test_a_run_that_keeps_nothing_leaves_no_folder(folder: Path) -> None:
    with opened(folder) as cache:
        assert cache.get(key(1), always) is None

    assert not folder.exists()


def test_the_folder_says_that_it_is_a_cache(folder: Path) -> None:
    filled(folder, range(1))

    assert (folder / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f06886806bc55\n")
    assert "*" in (folder / ".gitignore").read_text().splitlines()


def test_a_folder_of_somebody_else_is_not_marked(folder: Path) -> None:
    folder.mkdir()
    filled(folder, range(1))

    assert [path.name for path in folder.iterdir()] == [FILE]


def test_more_rows_than_one_batch(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "BATCH", 10)
    filled(folder, range(25))

    assert kept(folder, range(30)) == list(range(25))


# -- it does not grow for ever -----------------------------------------------------------------------------------------


def on_day(monkeypatch: pytest.MonkeyPatch, day: int) -> None:
    monkeypatch.setattr(cache_module.time, "time", lambda: day * 86_400.0)


def test_rows_that_no_run_asks_for_are_dropped(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_day(monkeypatch, 100)
    filled(folder, range(2))
    on_day(monkeypatch, 120)
    assert kept(folder, range(1)) == [0]
    on_day(monkeypatch, 100 + cache_module.KEPT_DAYS + 1)
    filled(folder, range(5, 6))

    assert kept(folder, range(6)) == [0, 5]


def test_a_file_that_is_too_large_loses_the_rows_unused_for_longest(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_module, "MAX_BYTES", 60_000)
    for day in range(100, 120):
        on_day(monkeypatch, day)
        filled(folder, range(20 * day, 20 * day + 20))
        assert (folder / FILE).stat().st_size < 100_000

    rows = kept(folder, range(2000, 2400))
    assert rows[-20:] == list(range(2380, 2400))
    assert 2000 not in rows


def test_a_second_run_on_the_same_day_writes_nothing(folder: Path) -> None:
    filled(folder, range(3))
    before = (folder / FILE).stat().st_mtime_ns, (folder / FILE).read_bytes()
    kept(folder, range(3))

    assert ((folder / FILE).stat().st_mtime_ns, (folder / FILE).read_bytes()) == before


# -- damage ------------------------------------------------------------------------------------------------------------


def test_a_file_cut_off_anywhere_is_made_anew(folder: Path) -> None:
    filled(folder, range(40))
    whole = (folder / FILE).read_bytes()
    assert len(whole) > 16_000
    for length in [*range(0, 200, 23), *range(200, len(whole), 997), len(whole) - 1]:
        (folder / FILE).write_bytes(whole[:length])
        told: list[str] = []
        with opened(folder, told) as cache:
            rows = [cache.get(key(number), always) for number in range(40)]
            for number in range(40):
                cache.put(key(number), outcome(number))

        assert all(row is None or row == outcome(number) for number, row in enumerate(rows))
        assert told == []
        assert kept(folder, range(40)) == list(range(40)), length


def test_a_damaged_byte_anywhere_never_passes_for_a_result(folder: Path) -> None:
    filled(folder, range(40))
    whole = (folder / FILE).read_bytes()
    for place in range(0, len(whole), 311):
        damaged = bytearray(whole)
        damaged[place] ^= 0x55
        (folder / FILE).write_bytes(damaged)
        kept(folder, range(40))  # asserts that whatever is read is right
        filled(folder, range(40, 42))
        assert kept(folder, range(40, 42)) == [40, 41], place


@pytest.mark.parametrize("content", [b"", b"not a database at all\n" * 500, b"SQLite format 3\0" + b"\0" * 5000])
def test_a_file_that_is_no_database_is_made_anew(folder: Path, content: bytes) -> None:
    folder.mkdir()
    (folder / FILE).write_bytes(content)
    assert kept(folder, range(2)) == []
    filled(folder, range(2))

    assert kept(folder, range(2)) == [0, 1]


@pytest.mark.parametrize(
    "table",
    ["outcomes (key TEXT, value TEXT)", "outcomes (key, value, checksum, used, more)", "something (key)"],
)
def test_a_database_with_another_table_is_made_anew(folder: Path, table: str) -> None:
    folder.mkdir()
    with sqlite3.connect(folder / FILE) as connection:
        connection.execute(f"CREATE TABLE {table}")
        connection.execute(f"INSERT INTO {table.partition(' ')[0]} DEFAULT VALUES")
    connection.close()
    assert kept(folder, range(2)) == []
    filled(folder, range(2))

    assert kept(folder, range(2)) == [0, 1]


def test_rows_of_another_type_are_no_rows(folder: Path) -> None:
    filled(folder, range(2))
    with sqlite3.connect(folder / FILE) as connection:
        connection.execute("UPDATE outcomes SET value = 'text', used = 'never'")
    connection.close()
    assert kept(folder, range(2)) == []
    filled(folder, range(2))

    assert kept(folder, range(2)) == [0, 1]


# -- no cache is no error ------------------------------------------------------------------------------------------------


def test_a_folder_that_cannot_be_made_is_told_once_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    told: list[str] = []
    with Cache(tmp_path / "file" / "cache", tmp_path, told.append) as cache:
        assert cache.get(key(1), always) is None
        cache.put(key(1), outcome(1))
    cache.close()

    assert len(told) == 1
    assert "cannot be used" in told[0]


def test_a_folder_in_the_place_of_the_file(folder: Path) -> None:
    (folder / FILE).mkdir(parents=True)
    told: list[str] = []
    with opened(folder, told) as cache:
        cache.put(key(1), outcome(1))
        assert cache.get(key(1), always) is None

    assert len(told) == 1


def test_a_name_that_no_folder_can_have(tmp_path: Path) -> None:
    told: list[str] = []
    with Cache(tmp_path / "a\0b", tmp_path, told.append) as cache:
        assert cache.get(key(1), always) is None
        cache.put(key(1), outcome(1))

    assert len(told) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_is_read_only_is_read_and_not_written(folder: Path) -> None:
    filled(folder, range(2))
    folder.chmod(0o500)
    (folder / FILE).chmod(0o400)
    try:
        told: list[str] = []
        with opened(folder, told) as cache:
            assert cache.get(key(1), always) == outcome(1)
            cache.put(key(5), outcome(5))
        assert kept(folder, range(6)) == [0, 1]
    finally:
        folder.chmod(0o700)

    assert len(told) == 1


def test_a_file_that_another_run_holds_for_long(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "PATIENCE", 0.05)
    filled(folder, range(2))
    other = sqlite3.connect(folder / FILE, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    told: list[str] = []
    with opened(folder, told) as cache:
        assert cache.get(key(1), always) is None
        cache.put(key(5), outcome(5))
    other.execute("ROLLBACK")
    other.close()

    assert len(told) == 1
    assert "locked" in told[0]
    assert kept(folder, range(6)) == [0, 1]


def test_a_python_without_sqlite(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sqlite3", None)
    told: list[str] = []
    with opened(folder, told) as cache:
        assert cache.get(key(1), always) is None
        cache.put(key(1), outcome(1))

    assert len(told) == 1


# -- several runs, and runs that end early -------------------------------------------------------------------------------

WRITER = """
import sys
from pathlib import Path
sys.path[:0] = [{tests!r}]
from tests.static.test_cache import always, key, opened, outcome
from rnnshape_guard.static import cache as module

module.BATCH = 5
folder, first, last = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
with opened(folder, told := []) as cache:
    for number in range(first, last):
        assert cache.get(key(number % 50), always) in (None, outcome(number % 50))
        cache.put(key(number), outcome(number))
assert not told, told
"""


def started(folder: Path, first: int, last: int) -> subprocess.Popen[str]:
    program = textwrap.dedent(WRITER).format(tests=str(Path(__file__).parents[2]))
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(folder), str(first), str(last)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_several_runs_at_once_lose_nothing(folder: Path) -> None:
    processes = [started(folder, 100 * number, 100 * number + 60) for number in range(4)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors

    expected = [number for begin in range(0, 400, 100) for number in range(begin, begin + 60)]
    assert kept(folder, range(400)) == expected


def test_a_run_that_is_killed_in_the_middle_loses_at_most_rows(folder: Path) -> None:
    filled(folder, range(20))
    for first in range(1000, 13_000, 3000):
        process = started(folder, first, first + 100_000)
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
        while not kept(folder, range(first, first + 1)):
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert kept(folder, range(20)) == list(range(20))

    filled(folder, range(20, 40))
    assert kept(folder, range(40)) == list(range(40))


# -- keys ----------------------------------------------------------------------------------------------------------------

SOURCE = b"import torch\n"


def key_of(root: Path, **values: Any) -> bytes:
    settings = replace(Settings(root=root), **values)
    return Keys(root).key("a.py", SOURCE, settings, {"RSG201", "RSG101"})


def test_a_key_is_the_same_for_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert key_of(tmp_path) == key_of(tmp_path)


def test_a_key_changes_with_name_content_rules_and_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings(root=tmp_path)
    codes = {"RSG201"}
    keys = Keys(tmp_path)
    found = [
        keys.key("a.py", SOURCE, settings, codes),
        keys.key("b.py", SOURCE, settings, codes),
        keys.key(str(tmp_path / "a.py"), SOURCE, settings, codes),
        keys.key("a.py", SOURCE + b"\n", settings, codes),
        keys.key("a.py", SOURCE, settings, set()),
        keys.key("a.py", SOURCE, settings, codes, "named"),
        keys.key("a.py", SOURCE, settings, {"RSG201", "named"}),
        Keys(tmp_path.parent).key("a.py", SOURCE, settings, codes),
    ]

    assert len(set(found)) == len(found)


SETTINGS: dict[str, object] = {
    "select": ["RSG2"],
    "extend-select": ["RSG2"],
    "ignore": ["RSG2"],
    "exclude": ["x"],
    "extend-exclude": ["x"],
    "force-exclude": True,
    "respect-gitignore": False,
    "per-file-ignores": {"x": ["RSG2"]},
    "fail-on": "note",
    "output-format": "json",
    "jobs": 7,
    "rule-dirs": ["nowhere"],
    "roles": {"batch": ["n_envs"]},
    "cache-dir": "elsewhere",
}


def test_a_key_changes_with_the_settings_that_change_findings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    from rnnshape_guard.settings import READERS

    known = {key: value for key, value in SETTINGS.items() if key in READERS}
    assert known.keys() == READERS.keys()
    changing = {
        key for key, value in known.items() if key_of(tmp_path, **read_values({key: value}, "")) != key_of(tmp_path)
    }

    assert changing == {"roles"}


def test_a_key_changes_with_the_files_of_a_users_own_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rules = tmp_path / "rules" / "inner"
    rules.mkdir(parents=True)
    (rules.parent / "round").symlink_to(rules.parent)
    seen = [key_of(tmp_path, rule_dirs=("rules",))]
    (rules / "check.py").write_text("one")
    seen.append(key_of(tmp_path, rule_dirs=("rules",)))
    (rules / "check.py").write_text("two")
    seen.append(key_of(tmp_path, rule_dirs=("rules",)))

    assert len(set(seen)) == 3


def test_a_key_changes_with_the_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = key_of(tmp_path)
    package = tmp_path / "package" / "static"
    package.mkdir(parents=True)
    monkeypatch.setattr(fingerprints, "__file__", str(package / "fingerprints.py"))
    seen = {before}
    for content in ("one", "two"):
        (package / "module.py").write_text(content)
        fingerprints.of_tool.cache_clear()
        seen.add(key_of(tmp_path))
    monkeypatch.setattr(fingerprints, "__version__", "99")
    fingerprints.of_tool.cache_clear()
    seen.add(key_of(tmp_path))
    monkeypatch.undo()
    fingerprints.of_tool.cache_clear()

    assert len(seen) == 4


def test_settings_of_the_command_line_count_as_those_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    given_ = SettingsResolver(Overrides(values={"roles": {"batch": ("n_envs",)}}, root=tmp_path)).in_folder(tmp_path)
    (tmp_path / "rnnshape-guard.toml").write_text('[roles]\nbatch = ["n_envs"]\n')
    written = SettingsResolver(Overrides(root=tmp_path)).in_folder(tmp_path)

    assert Keys(tmp_path).key("a.py", SOURCE, given_, ()) == Keys(tmp_path).key("a.py", SOURCE, written, ())


def test_a_digest_tells_a_missing_file_from_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")

    assert fingerprints.of_file(str(tmp_path / "missing")) is None
    assert fingerprints.of_file(str(tmp_path / "empty")) == fingerprints.of_bytes(b"")
