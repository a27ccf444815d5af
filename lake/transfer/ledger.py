"""What this machine remembers: a small SQLite database of derived facts, safe to lose.

It spares work and is never trusted for bytes: what a reader gets is hashed whatever stands here.
Three memories: which blobs a store is known to hold, which digest an unchanged file has, and
which runs are already done. Many processes share one file (WAL). A ledger that cannot be opened
remembers nothing and says nothing; a corrupt one is replaced by an empty one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from lake.transfer.database import Database

if TYPE_CHECKING:
    import sqlite3

T = TypeVar("T")

BATCH = 500
"""Rows asked for in one statement; older SQLite takes at most 999 parameters."""

RACY_NS = 50_000_000
"""A file this young could change again without its time stamp showing it."""
COARSE_RACY_NS = 2_000_000_000
"""The same for file systems that keep whole seconds only."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS stores (
    n INTEGER PRIMARY KEY, id TEXT NOT NULL, generation INTEGER NOT NULL, UNIQUE (id, generation)
);
CREATE TABLE IF NOT EXISTS urls (
    url TEXT PRIMARY KEY, id TEXT NOT NULL, generation INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS known (
    store INTEGER NOT NULL, digest BLOB NOT NULL, PRIMARY KEY (store, digest)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files (
    path TEXT PRIMARY KEY, inode INTEGER NOT NULL, size INTEGER NOT NULL,
    mtime INTEGER NOT NULL, ctime INTEGER NOT NULL, digest BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS runs (key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS chunks (
    digest BLOB NOT NULL, size INTEGER NOT NULL, sidecar BLOB NOT NULL, PRIMARY KEY (digest, size)
) WITHOUT ROWID;
"""


class StoreKey(NamedTuple):
    """Whose memory it is: the id in the store's own `lake.json`, and its generation, which a
    garbage collection raises, so that what it removed is no longer believed to be there."""

    id: str
    generation: int


class FileStamp(NamedTuple):
    """What tells that a file is still the one that was hashed; times in nanoseconds."""

    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, stat: os.stat_result) -> FileStamp:
        """The stamp of a file from its `os.stat`."""
        return cls(stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)

    def settled(self, now_ns: int) -> bool:
        """Whether a later change of the file is certain to give it another stamp."""
        newest = max(self.mtime_ns, self.ctime_ns)
        margin = RACY_NS if newest % 1_000_000_000 else COARSE_RACY_NS
        return newest + margin < now_ns


class Ledger:
    """The memory of this machine at `path` (a directory), or in this process only when None.

    Usable from many threads and processes; a forked child opens its own connection. No method
    raises for a database that is locked, full, read-only or broken: it then remembers nothing.

    >>> ledger = Ledger(None)
    >>> store = StoreKey("6d2b", 0)
    >>> ledger.add_known(store, ["ab" * 32])
    >>> ledger.known(store, ["ab" * 32, "cd" * 32]) == {"ab" * 32}
    True
    """

    def __init__(self, path: Path | None) -> None:
        self._database = Database(path, _SCHEMA)

    # What a store is known to hold.

    def known(self, store: StoreKey, digests: Sequence[str]) -> set[str]:
        """Those of `digests` that `store` was seen to hold."""

        def ask(db: sqlite3.Connection) -> set[str]:
            row = db.execute(
                "SELECT n FROM stores WHERE id = ? AND generation = ?", tuple(store)
            ).fetchone()
            if row is None:
                return set()
            found: set[str] = set()
            for part in _batches([bytes.fromhex(digest) for digest in digests]):
                # Only question marks are put together here, never a value.
                marks = ",".join("?" * len(part))
                sql = f"SELECT digest FROM known WHERE store = ? AND digest IN ({marks})"  # noqa: S608
                found.update(digest.hex() for (digest,) in db.execute(sql, (row[0], *part)))
            return found

        return self._database.do(ask, set()) if digests else set()

    def add_known(self, store: StoreKey, digests: Iterable[str]) -> None:
        """Remember that `store` durably holds `digests`; call it after the store's `flush`."""
        rows = [bytes.fromhex(digest) for digest in digests]

        def keep(db: sqlite3.Connection) -> None:
            db.execute("INSERT OR IGNORE INTO stores (id, generation) VALUES (?, ?)", tuple(store))
            (number,) = db.execute(
                "SELECT n FROM stores WHERE id = ? AND generation = ?", tuple(store)
            ).fetchone()
            db.executemany(
                "INSERT OR IGNORE INTO known (store, digest) VALUES (?, ?)",
                ((number, digest) for digest in rows),
            )

        if rows:
            self._database.do(keep, None)

    def forget_known(self, store: StoreKey, digests: Iterable[str] | None = None) -> None:
        """Unlearn that `store` holds `digests`, or all that is known of it when None."""
        rows = None if digests is None else [bytes.fromhex(digest) for digest in digests]
        of_store = "store IN (SELECT n FROM stores WHERE id = ? AND generation = ?)"

        def drop(db: sqlite3.Connection) -> None:
            if rows is None:
                db.execute(f"DELETE FROM known WHERE {of_store}", tuple(store))  # noqa: S608
                return
            db.executemany(
                f"DELETE FROM known WHERE {of_store} AND digest = ?",  # noqa: S608
                ((*store, digest) for digest in rows),
            )

        self._database.do(drop, None)

    def store_at(self, url: str) -> StoreKey | None:
        """Which store was last seen at an address; spares asking it where it need not be sure."""

        def ask(db: sqlite3.Connection) -> StoreKey | None:
            row = db.execute("SELECT id, generation FROM urls WHERE url = ?", (url,)).fetchone()
            return None if row is None else StoreKey(*row)

        return self._database.do(ask, None)

    def remember_store(self, url: str, store: StoreKey) -> None:
        """Remember which store was seen at an address."""

        def keep(db: sqlite3.Connection) -> None:
            db.execute("INSERT OR REPLACE INTO urls VALUES (?, ?, ?)", (url, *store))

        if self.store_at(url) != store:
            self._database.do(keep, None)

    # Which digest an unchanged file has.

    def digests(self, files: Mapping[str, FileStamp]) -> dict[str, str]:
        """The sha256 of those of `files` (absolute path to stamp) that did not change since."""

        def ask(db: sqlite3.Connection) -> dict[str, str]:
            found: dict[str, str] = {}
            for part in _batches(list(files)):
                marks = ",".join("?" * len(part))
                sql = (
                    "SELECT path, inode, size, mtime, ctime, digest"  # noqa: S608
                    f" FROM files WHERE path IN ({marks})"
                )
                for path, inode, size, mtime, ctime, digest in db.execute(sql, part):
                    if files[path] == (inode, size, mtime, ctime):
                        found[path] = digest.hex()
            return found

        return self._database.do(ask, {}) if files else {}

    def remember_digests(
        self, files: Iterable[tuple[str, FileStamp, str]], *, hashed_at_ns: int
    ) -> None:
        """Remember (absolute path, stamp, sha256) of files whose hashing began at
        `hashed_at_ns` of the wall clock. Those too young to be told apart from a later change
        are left out."""
        rows = [
            (path, *stamp, bytes.fromhex(digest))
            for path, stamp, digest in files
            if stamp.settled(hashed_at_ns)
        ]

        def keep(db: sqlite3.Connection) -> None:
            db.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)", rows)

        if rows:
            self._database.do(keep, None)

    # Which runs are done, and how big blobs are divided.

    def run(self, key: str) -> str | None:
        """The fingerprint under which the run `key` was last completed, or None."""

        def ask(db: sqlite3.Connection) -> str | None:
            row = db.execute("SELECT fingerprint FROM runs WHERE key = ?", (key,)).fetchone()
            return None if row is None else str(row[0])

        return self._database.do(ask, None)

    def remember_run(self, key: str, fingerprint: str | None) -> None:
        """Remember that the run `key` is complete as `fingerprint`; None unlearns it."""

        def keep(db: sqlite3.Connection) -> None:
            if fingerprint is None:
                db.execute("DELETE FROM runs WHERE key = ?", (key,))
            else:
                db.execute("INSERT OR REPLACE INTO runs VALUES (?, ?)", (key, fingerprint))

        self._database.do(keep, None)

    def sidecar(self, digest: str, chunk: int) -> str | None:
        """The digest of the list of chunk digests of a blob, for chunks of `chunk` bytes."""

        def ask(db: sqlite3.Connection) -> str | None:
            row = db.execute(
                "SELECT sidecar FROM chunks WHERE digest = ? AND size = ?",
                (bytes.fromhex(digest), chunk),
            ).fetchone()
            return None if row is None else str(row[0].hex())

        return self._database.do(ask, None)

    def remember_sidecar(self, digest: str, chunk: int, sidecar: str) -> None:
        """Remember the digest of the list of chunk digests of a blob."""
        row = (bytes.fromhex(digest), chunk, bytes.fromhex(sidecar))

        def keep(db: sqlite3.Connection) -> None:
            db.execute("INSERT OR REPLACE INTO chunks VALUES (?, ?, ?)", row)

        self._database.do(keep, None)

    def close(self) -> None:
        """Let go of the database; the next call opens it anew."""
        self._database.close()

    def __getstate__(self) -> Path | None:
        return self._database.directory

    def __setstate__(self, directory: Path | None) -> None:
        self._database = Database(directory, _SCHEMA)


def _batches(values: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(values), BATCH):
        yield values[start : start + BATCH]
