"""The cache: what goes in comes out, whatever happens to its file meanwhile, and nothing that happens to it is an error."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from rnnshape_guard.static import cache as cache_module
from rnnshape_guard.static.cache import FILE, Cache


def key(number: int) -> bytes:
    return number.to_bytes(16, "little")


def row(number: int = 0) -> bytes:
    return b"%d " % number + b"x" * 400


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def opened(folder: Path, told: list[str] | None = None) -> Cache:
    return Cache(folder, (told if told is not None else []).append)


def filled(folder: Path, numbers: range) -> None:
    with opened(folder) as cache:
        for number in numbers:
            cache.put(key(number), row(number))


def kept(folder: Path, numbers: range) -> list[int]:
    """The numbers whose rows can be read; each that can must hold what was written."""
    with opened(folder) as cache:
        rows = {number: cache.get(key(number)) for number in numbers}
    assert all(found in (None, row(number)) for number, found in rows.items())
    return [number for number, found in rows.items() if found is not None]


# -- what was kept ------------------------------------------------------------------------------------


def test_what_was_kept_is_found_by_the_next_run(folder: Path) -> None:
    filled(folder, range(3))

    assert kept(folder, range(5)) == [0, 1, 2]


def test_what_is_not_yet_written_is_found_as_well(folder: Path) -> None:
    with opened(folder) as cache:
        cache.put(key(1), row(1))
        assert cache.get(key(1)) == row(1)
        cache.put(key(1), row(2))
        assert cache.get(key(1)) == row(2)


def test_a_later_row_takes_the_place_of_an_earlier_one(folder: Path) -> None:
    filled(folder, range(2))
    with opened(folder) as cache:
        cache.put(key(0), row(7))
    with opened(folder) as cache:
        assert cache.get(key(0)) == row(7)
        assert cache.get(key(1)) == row(1)


def test_a_run_that_keeps_nothing_leaves_no_folder(folder: Path) -> None:
    with opened(folder) as cache:
        assert cache.get(key(1)) is None

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
            rows = [cache.get(key(number)) for number in range(40)]
            for number in range(40):
                cache.put(key(number), row(number))

        assert all(found in (None, row(number)) for number, found in enumerate(rows))
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
    ["rows (key TEXT, value TEXT)", "rows (key, value, checksum, used, more)", "something (key)"],
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
        connection.execute("UPDATE rows SET value = 'text', used = 'never'")
    connection.close()
    assert kept(folder, range(2)) == []
    filled(folder, range(2))

    assert kept(folder, range(2)) == [0, 1]


# -- no cache is no error ------------------------------------------------------------------------------------------------


def test_a_folder_that_cannot_be_made_is_told_once_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    told: list[str] = []
    with Cache(tmp_path / "file" / "cache", told.append) as cache:
        assert cache.get(key(1)) is None
        cache.put(key(1), row(1))
    cache.close()

    assert len(told) == 1
    assert "cannot be used" in told[0]


def test_a_folder_in_the_place_of_the_file(folder: Path) -> None:
    (folder / FILE).mkdir(parents=True)
    told: list[str] = []
    with opened(folder, told) as cache:
        assert cache.get(key(1)) is None
        cache.put(key(1), row(1))
        cache.flush()
        assert cache.get(key(1)) is None

    assert len(told) == 1


def test_a_name_that_no_folder_can_have(tmp_path: Path) -> None:
    told: list[str] = []
    with Cache(tmp_path / "a\0b", told.append) as cache:
        assert cache.get(key(1)) is None
        cache.put(key(1), row(1))

    assert len(told) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_is_read_only_is_read_and_not_written(folder: Path) -> None:
    filled(folder, range(2))
    folder.chmod(0o500)
    (folder / FILE).chmod(0o400)
    try:
        told: list[str] = []
        with opened(folder, told) as cache:
            assert cache.get(key(1)) == row(1)
            cache.put(key(5), row(5))
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
        assert cache.get(key(1)) is None
        cache.put(key(5), row(5))
    other.execute("ROLLBACK")
    other.close()

    assert len(told) == 1
    assert "locked" in told[0]
    assert kept(folder, range(6)) == [0, 1]


def test_a_python_without_sqlite(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sqlite3", None)
    told: list[str] = []
    with opened(folder, told) as cache:
        assert cache.get(key(1)) is None
        cache.put(key(1), row(1))

    assert len(told) == 1


# -- several runs, and runs that end early -------------------------------------------------------------------------------

WRITER = """
import sys
from pathlib import Path
sys.path[:0] = [{tests!r}]
from tests.static.test_cache import key, opened, row
from rnnshape_guard.static import cache as module

module.BATCH = 5
folder, first, last = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
with opened(folder, told := []) as cache:
    for number in range(first, last):
        assert cache.get(key(number % 50)) in (None, row(number % 50))
        cache.put(key(number), row(number))
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
