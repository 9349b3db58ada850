"""What earlier runs found out, so that what nobody touched is not worked out again.

One SQLite file holds rows of JSON under keys that are digests. Nothing about a cache ever fails a run: what cannot be read
is a miss, what cannot be written is not kept, and a file that is damaged is made anew.

Several runs may share it. Rows are written in a few short transactions, by the process that hands out the work, never by
its workers. Nothing waits for the disk, so a power cut may damage the file; a row carries a checksum, so that no damage
passes for a result.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import sqlite3

FILE = "rnnshape_guard-1.sqlite3"
"""The number counts forms of the table: a tool that writes another form writes another file."""

PATIENCE = 5.0
"""Seconds to wait for another run that is writing."""

KEPT_DAYS = 30
"""A row that no run has asked for in so many days is dropped."""

MAX_BYTES = 64 * 2**20
"""Beyond this the rows unused for longest are dropped as well."""

BATCH = 500
"""Rows that are held back to be written at once."""

_TABLE = (
    "CREATE TABLE IF NOT EXISTS rows "
    "(key BLOB NOT NULL PRIMARY KEY, value BLOB NOT NULL, checksum BLOB NOT NULL, used INTEGER NOT NULL)"
)
_INDEX = "CREATE INDEX IF NOT EXISTS rows_by_use ON rows (used)"
_READ = "SELECT value, checksum, used FROM rows WHERE key = ?"
_WRITE = "INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?)"
_TOUCH = "UPDATE rows SET used = ? WHERE key = ?"
_DROP_UNUSED = "DELETE FROM rows WHERE used < ?"
_DROP_OLDEST = (
    "DELETE FROM rows WHERE rowid IN "
    "(SELECT rowid FROM rows ORDER BY used LIMIT (SELECT max(count(*) / 4, 1) FROM rows))"
)

_TAG = """Signature: 8a477f597d28d172789f06886806bc55
# This folder is a cache of rnnshape_guard and can be deleted at any time.
# About such tags: https://bford.info/cachedir/
"""


class Cache:
    """The rows kept in `folder`, which is made when there is something to write.

    `tell` hears, in a few words, why the cache is of no use, if it is of none.
    """

    def __init__(self, folder: Path, tell: Callable[[str], None] = lambda words: None) -> None:
        self._folder = folder
        self._tell = tell
        self._today = int(time.time() // 86_400)
        self._connection: sqlite3.Connection | None = None
        self._opened = False
        self._damaged = False
        self._useless = False
        self._pending: dict[bytes, bytes] = {}
        self._touched: list[bytes] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def get(self, key: bytes) -> bytes | None:
        """What was kept under `key`."""
        if key in self._pending:
            return self._pending[key]
        row = self._row(key)
        if row is None:
            return None
        value, checksum, used = row
        if checksum != _checksum(key, value):
            self._damaged = True
            return None
        if used != self._today:
            self._touched.append(key)
        return value

    def put(self, key: bytes, value: bytes) -> None:
        """Keep a row, in place of any that has the same key."""
        if self._useless:
            return
        self._pending[key] = value
        if len(self._pending) >= BATCH:
            self.flush()

    def close(self) -> None:
        """Write what is to be kept, and let go of the file. Using the cache again opens it again."""
        self.flush()
        self._disconnect()

    # -- reading

    def _row(self, key: bytes) -> tuple[bytes, bytes, int] | None:
        if self._useless or self._damaged:
            return None
        try:
            import sqlite3
        except ImportError:
            self._give_up("this Python has no sqlite3")
            return None
        try:
            if not self._opened:
                self._opened = True
                if (self._folder / FILE).exists():
                    self._connection = self._connect()
            if self._connection is None:
                return None
            found: object = self._connection.execute(_READ, (key,)).fetchone()
        except (sqlite3.Error, OSError, ValueError) as problem:
            self._take(problem)
            return None
        match found:
            case (bytes() as value, bytes() as checksum, int() as used):
                return value, checksum, used
            case _:
                self._damaged = found is not None
                return None

    # -- writing

    def flush(self) -> None:
        """Write what is to be kept."""
        if self._useless or not (self._pending or self._touched or self._damaged):
            return
        import sqlite3

        try:
            self._make_folder()
            try:
                if self._damaged:
                    self._remove()
                self._write()
            except sqlite3.Error as problem:
                if not self._take(problem):
                    return
                self._remove()
                self._write()
        except (sqlite3.Error, OSError, ValueError) as problem:
            self._give_up(str(problem))
        self._pending.clear()
        self._touched.clear()

    def _write(self) -> None:
        connection = self._connection = self._connection or self._connect()
        self._opened = True
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.execute(_TABLE)
            connection.execute(_INDEX)
            rows = self._pending.items()
            connection.executemany(_WRITE, [(key, value, _checksum(key, value), self._today) for key, value in rows])
            connection.executemany(_TOUCH, [(self._today, key) for key in self._touched])
            connection.execute(_DROP_UNUSED, (self._today - KEPT_DAYS,))
            if self._bytes(connection) > MAX_BYTES:
                connection.execute(_DROP_OLDEST)
            connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(Exception):
                connection.execute("ROLLBACK")
            raise

    @staticmethod
    def _bytes(connection: sqlite3.Connection) -> int:
        pages, free, size = (
            int(connection.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("page_count", "freelist_count", "page_size")
        )
        return (pages - free) * size

    def _make_folder(self) -> None:
        try:
            self._folder.mkdir(parents=True)
        except FileExistsError:
            # Made by an earlier run, or not ours to mark.
            return
        (self._folder / ".gitignore").write_text("# Made by rnnshape_guard.\n*\n", encoding="utf-8")
        (self._folder / "CACHEDIR.TAG").write_text(_TAG, encoding="utf-8")

    # -- the connection

    def _connect(self) -> sqlite3.Connection:
        import sqlite3

        # Autocommit: transactions are written out above. The statements are few and the file may be damaged: a closed
        # connection is the only thing to clean up.
        connection = sqlite3.connect(self._folder / FILE, timeout=PATIENCE, isolation_level=None)
        connection.execute("PRAGMA synchronous = OFF")
        return connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(Exception):
                self._connection.close()
        self._connection = None
        self._opened = False

    def _remove(self) -> None:
        """Take a damaged file away, the journal last: it must not be applied to the file that comes next."""
        self._disconnect()
        self._damaged = False
        for name in (FILE, f"{FILE}-journal"):
            (self._folder / name).unlink(missing_ok=True)

    def _take(self, problem: Exception) -> bool:
        """Decide what a failure means: a damaged file, which can be made anew, or no cache in this run."""
        import sqlite3

        if isinstance(problem, sqlite3.Error):
            match getattr(problem, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF:
                case sqlite3.SQLITE_ERROR if "no such table" in str(problem):
                    # Another run is about to make it.
                    self._disconnect()
                    self._opened = True
                    return True
                case sqlite3.SQLITE_ERROR | sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_MISMATCH:
                    self._damaged = True
                    return True
        self._give_up(str(problem))
        return False

    def _give_up(self, why: str) -> None:
        self._useless = True
        self._pending.clear()
        self._touched.clear()
        self._disconnect()
        self._tell(f"{self._folder} cannot be used: {why}")


def _checksum(key: bytes, value: bytes) -> bytes:
    from hashlib import blake2b

    return blake2b(value, key=key, digest_size=16).digest()
