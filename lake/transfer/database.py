"""The SQLite file behind the ledger: many processes, forks, and damage that is no disaster."""

from __future__ import annotations

import contextlib
import logging
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from lake.errors import LakeError
from lake.transfer import forks

if TYPE_CHECKING:
    import sqlite3

T = TypeVar("T")

log = logging.getLogger("lake.transfer")

PATIENCE = 5.0
"""Seconds to wait for another process that writes."""

_NAME = re.compile(r"ledger-(\d+)\.db")
_leaked: list[object] = []


class Database:
    """One connection to the newest `ledger-N.db` in a directory, or in memory when None.

    `do` raises nothing for a database that is locked, full, read-only or broken. A broken one is
    replaced by an empty one, and a forked child opens its own connection.
    """

    def __init__(self, directory: Path | None, schema: str) -> None:
        self.directory = directory
        self._schema = schema
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._number = 0
        forks.renew(self)
        # SQLite has locks of its own, for the whole process; a child forked while another thread
        # holds one could never use SQLite.
        forks.pause(self)

    def do(self, work: Callable[[sqlite3.Connection], T], default: T) -> T:
        """What `work` returns, in one transaction; `default` where the database is of no use."""
        import sqlite3

        with self._lock:
            for again in (True, False):
                try:
                    with self._open() as db:
                        return work(db)
                except sqlite3.Error as error:
                    if again and _broken(error):
                        self._replace()
                        continue
                    log.debug("the ledger remembers nothing now: %s", error)
                except LakeError as error:
                    log.debug("the ledger cannot be opened: %s", error)
                break
        return default

    def close(self) -> None:
        """Let go of the file; the next call opens it anew."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def work_lock(self) -> threading.RLock:
        """Held by whichever thread is inside SQLite, whose own locks do not survive a fork."""
        return self._lock

    def after_fork(self) -> None:
        """Start afresh in a forked child."""
        self._lock = threading.RLock()
        # SQLite forbids using, and even closing, a connection that was open before a fork.
        _leaked.append(self._connection)
        self._connection = None

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self.close()

    def _open(self) -> sqlite3.Connection:
        import sqlite3

        if self._connection is None:
            db = sqlite3.connect(
                self._file(), timeout=PATIENCE, check_same_thread=False, cached_statements=64
            )
            try:
                db.execute("PRAGMA journal_mode = WAL")
                db.execute("PRAGMA synchronous = NORMAL")
                db.executescript(self._schema)
            except BaseException:
                db.close()
                raise
            self._connection = db
        return self._connection

    def _file(self) -> str:
        if self.directory is None:
            return ":memory:"
        from lake import fsio

        fsio.make_dirs(self.directory, mode=0o700)
        found = (_NAME.fullmatch(path.name) for path in self.directory.glob("ledger-*.db"))
        self._number = max([self._number, *(int(match[1]) for match in found if match)])
        return str(self.directory / f"ledger-{self._number}.db")

    def _replace(self) -> None:
        """Go on with an empty database under the next name.

        The broken one must not be made anew under its own name: another process may still have
        it open, and would take the write-ahead log of the new file for its own.
        """
        log.warning("the ledger was broken and is built anew: %s", self.directory)
        with contextlib.suppress(Exception):
            self.close()
        self._connection = None
        self._number += 1
        if self.directory is not None:
            from lake import fsio

            for path in self.directory.glob(f"ledger-{self._number - 1}.db*"):
                with contextlib.suppress(LakeError):
                    fsio.remove_file(path)


def _broken(error: sqlite3.Error) -> bool:
    import sqlite3

    code = getattr(error, "sqlite_errorcode", None)
    # A plain SQLITE_ERROR here can only be a table or column that is not as it should be.
    bad = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
    return code is not None and (code & 0xFF) in bad
