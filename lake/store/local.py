"""A folder as a store: on this machine's disk, or mounted from somewhere else.

`root / key` is the object's file. Objects are staged below `.lake-tmp`, and a `flush` makes all
of them durable and visible with one barrier (`lake.fsio.Batch`).
"""

from __future__ import annotations

import hashlib
import os
import stat
import threading
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path

from lake import fsio
from lake.errors import ConflictError, IntegrityError, LakeError, RemoteError, UsageError
from lake.store.keys import check_key, check_prefix
from lake.store.local_errors import Explain
from lake.store.store import (
    CHUNK,
    Body,
    Expect,
    Key,
    ObjectInfo,
    PutResult,
    Store,
    StoreProperties,
    Stream,
)
from lake.store.stream import BytesStream

_BLOB_MODE = 0o444  # objects never change: an editor that follows a hard link is told so


class LocalStore(Store):
    """Keeps objects as files below `root`, which the first `put` makes if need be.

    Thread-safe, and safe among processes: an object's name appears by one rename, after its
    bytes are durable. A forked child may go on using it.

    >>> import tempfile
    >>> from lake.store import BytesBody
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = LocalStore(folder)
    ...     result = store.put("a/b", BytesBody(b"hello"))
    ...     store.flush()
    ...     store.get("a/b").read(), store.put("a/b", BytesBody(b"other")).created
    ...     store.close()
    (b'hello', False)

    Raises, besides what every store does:
        DiskError: the disk under the folder is full.
        ConflictError: a key needs a directory where a file is, or the other way round.
    """

    def __init__(self, root: str | os.PathLike[str], *, durable: bool = True) -> None:
        # Absolute from the start: a later change of the working directory means nothing.
        self.root = Path(root).absolute()
        self.url = self.root.as_uri()
        self._prefix = f"{self.root}/"
        self.properties = StoreProperties(
            scheme="file", names_late=True, staged=True, root=self.root
        )
        self._durable = durable
        self._explain = Explain(self.root)
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._pending: dict[str, fsio.StagedFile] = {}
        self._batch = fsio.Batch(
            self.root, durable=self._durable, mode=_BLOB_MODE, using=self._explain
        )
        # Leaves no empty directory of temporaries behind when nobody calls `close`.
        self._end = weakref.finalize(self, self._batch.close)

    def __reduce__(self) -> tuple[object, ...]:
        return (_reopen, (str(self.root), self._durable))

    def __repr__(self) -> str:
        return f"LocalStore({str(self.root)!r})"

    # -- put

    def put(
        self, key: Key, body: Body, *, expect: Expect | None = None, replace: bool = False
    ) -> PutResult:
        name = _check(key) if isinstance(key, str) else None
        if self._pid != os.getpid():
            self._begin()
        if expect is not None:
            self._judge(body.size, expect.sha256, expect.size, expect)
            if not isinstance(key, str):
                name = _check(key(expect.sha256))
            if name is not None and not replace and self._holds(name, expect.size):
                return PutResult(name, expect.sha256, expect.size, created=False)
        chunks = body.open()
        first = next(chunks, b"")
        staged = None
        try:
            if len(first) == body.size:
                # Known as a whole before anything is written: most blobs, and all duplicates.
                size = len(first) + sum(len(chunk) for chunk in chunks)
                sha256 = hashlib.sha256(first).hexdigest()
            else:
                staged = self._batch.stage()
                size, sha256 = _pour(first, chunks, staged)
            self._judge(size, sha256, body.size, expect)
            if not isinstance(key, str):
                name = _check(key(sha256))
            # A size is known to be right when the name or the caller says what the bytes are.
            told = expect is not None or not isinstance(key, str)
            created = self._enter(name or "", size if told else None, replace, staged, first)
        except BaseException:
            if staged is not None:
                staged.discard()
            raise
        return PutResult(name or "", sha256, size, created)

    def _judge(self, size: int, sha256: str, planned: int, expect: Expect | None) -> None:
        if size != planned:
            raise IntegrityError(f"{size} bytes instead of {planned}", where=self.url)
        if expect is not None and sha256 != expect.sha256:
            raise IntegrityError("the bytes are not those that the digest names", where=self.url)

    def _enter(
        self,
        name: str,
        size: int | None,
        replace: bool,
        staged: fsio.StagedFile | None,
        data: bytes,
    ) -> bool:
        """Publish the object, unless one is there; True if it is to be published."""
        found = self._size_of(name)
        if not replace:
            if self._is_there(name, size, found):
                if staged is not None:
                    staged.discard()
                return False
            # What is there all the same was torn by a foreign tool, or is no plain file.
            replace = found is not None
        if staged is None:
            staged = self._batch.stage()
            try:
                staged.write(data)
            except BaseException:
                staged.discard()
                raise
        with self._lock:
            if not replace and name in self._pending:
                staged.discard()
                return False
            self._pending[name] = staged
            staged.publish_as(name, replace=replace)
        return True

    def _holds(self, name: str, size: int) -> bool:
        return self._is_there(name, size, self._size_of(name))

    def _is_there(self, name: str, size: int | None, found: int | None) -> bool:
        """Whether an object (of this size, when it is given) is there, or is about to be;
        `found` is what `_size_of` said."""
        if name in self._pending:
            return True
        if found is None or found < 0 or (size is not None and found != size):
            return False
        # Whoever wrote it may not have come to its barrier yet.
        self._batch.rely_on(name)
        return True

    def _size_of(self, name: str) -> int | None:
        """The size of an object's file; -1 if it is no plain file, None if it is absent.

        Raises:
            ConflictError: a directory has that name, or a file that of a directory above.
        """
        try:
            # First by its path, which is quick: most objects that are put are new.
            os.lstat(f"{self._prefix}{name}")
            found = fsio.stat_beneath(self.root, name)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._explain(error, name) from error
        if stat.S_ISDIR(found.st_mode):
            raise ConflictError(
                "a directory has the name of the object", where=f"{self.url} {name}"
            )
        return found.st_size if stat.S_ISREG(found.st_mode) else -1

    def flush(self) -> None:
        if self._pid != os.getpid():
            self._begin()
        self._batch.commit()
        with self._lock:
            done = [name for name, staged in self._pending.items() if staged.created is not None]
            for name in done:
                del self._pending[name]

    # -- get, stat, list, delete

    def get(self, key: str, *, start: int = 0, stop: int | None = None) -> Stream:
        fd, found = self._open(key)
        end = found.st_size if stop is None else min(stop, found.st_size)
        size = max(0, end - start)
        if size > CHUNK:
            return _FileStream(fd, start, size, f"{self.url} {key}")
        try:
            return BytesStream(os.pread(fd, size, start))
        except OSError as error:
            raise self._explain(error, key) from error
        finally:
            os.close(fd)

    def stat(self, key: str) -> ObjectInfo:
        fd, found = self._open(key)
        os.close(fd)
        return ObjectInfo(key, found.st_size, found.st_mtime)

    def _open(self, key: str) -> tuple[int, os.stat_result]:
        _check(key)
        try:
            return fsio.open_regular(self.root, key)
        except OSError as error:
            raise self._explain(error, key, reading=True) from error

    def list(self, prefix: str = "", *, after: str = "") -> Iterator[ObjectInfo]:
        check_prefix(prefix)
        try:
            self.root.stat()
        except (FileNotFoundError, NotADirectoryError):
            return iter(())
        except OSError as error:
            raise self._explain(error, reading=True) from error
        found = fsio.scan(self.root, hidden=True, prefix=prefix, after=after, using=self._explain)
        return (ObjectInfo(each.rel, each.size, each.mtime_ns / 1e9) for each in found)

    def delete(self, keys: Sequence[str]) -> None:
        names = [_check(key) for key in keys]
        if any(name in self._pending for name in names):
            self.flush()
        with fsio.Batch(self.root, durable=self._durable, using=self._explain) as batch:
            there = [name for name in names if self._lies(name)]
            for name in there:
                batch.remove(name)
            if there:
                batch.commit()

    def _lies(self, name: str) -> bool:
        try:
            return self._size_of(name) is not None
        except ConflictError:
            return False  # a directory is no object

    def share_url(self, key: str, *, expires: float = 3600) -> str:
        self.stat(key)
        return (self.root / key).as_uri()

    def close(self) -> None:
        self._batch.close()
        self._pending = {}


class _FileStream(Stream):
    """A large file, a chunk at a time."""

    def __init__(self, fd: int, start: int, size: int, where: str) -> None:
        self.size = size
        self._fd = fd
        self._at = start
        self._left = size
        self._where = where

    def __iter__(self) -> Iterator[bytes]:
        try:
            while self._left and self._fd >= 0:
                yield self._next()
        finally:
            self.close()

    def _next(self) -> bytes:
        try:
            chunk = os.pread(self._fd, min(CHUNK, self._left), self._at)
        except OSError as error:
            raise _unreadable(error.strerror or "read failed", self._where) from error
        if not chunk:
            raise _unreadable("the file became shorter", self._where)
        self._at += len(chunk)
        self._left -= len(chunk)
        return chunk

    def close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def __del__(self) -> None:
        self.close()


def _unreadable(why: str, where: str) -> LakeError:
    return RemoteError(f"cannot read the object ({why})", where=where)


def _pour(first: bytes, rest: Iterator[bytes], staged: fsio.StagedFile) -> tuple[int, str]:
    """Write chunks, hashing them; returns their size and sha256."""
    digest = hashlib.sha256(first)
    staged.write(first)
    size = len(first)
    for chunk in rest:
        digest.update(chunk)
        staged.write(chunk)
        size += len(chunk)
    return size, digest.hexdigest()


def _check(key: str) -> str:
    if fsio.RESERVED in check_key(key) and any(
        part.startswith(".") and fsio.RESERVED in part for part in key.split("/")
    ):
        raise UsageError("names like .lake-... are lake's own", where=repr(key[:200]))
    return key


def _reopen(root: str, durable: bool) -> LocalStore:
    return LocalStore(root, durable=durable)
