"""Bytes to put, in the forms they come in: in memory, in a file, from a stream."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from lake.errors import InputError
from lake.store.store import CHUNK, Body


class BytesBody:
    """Bytes in memory; `open` gives them as one chunk.

    >>> body = BytesBody(b"hello")
    >>> body.size, body.sha256[:8], list(body.open())
    (5, '2cf24dba', [b'hello'])
    """

    __slots__ = ("_sha256", "data")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._sha256: str | None = None

    @property
    def sha256(self) -> str:
        """The digest of the bytes: reckoned once, so that who names them and who stores them
        need not both do it."""
        if self._sha256 is None:
            self._sha256 = hashlib.sha256(self.data).hexdigest()
        return self._sha256

    @property
    def size(self) -> int:
        return len(self.data)

    def open(self) -> Iterator[bytes]:
        return iter((self.data,))


class FileBody:
    """The bytes of a regular file, read anew at each `open`.

    Args:
        source: the path, or a function that opens the file and returns its descriptor (as
            `lake.fsio.open_beneath` does); the descriptor is closed here.
        size: bytes; of a path it is asked when not given.
        where: the name that errors show.

    Raises:
        InputError: the file is not there, is not a regular file, cannot be read, or changes
            (size, time or identity) between the first `open` and the end of any read.
    """

    __slots__ = ("_seen", "_size", "_source", "where")

    def __init__(
        self,
        source: str | Path | Callable[[], int],
        size: int | None = None,
        *,
        where: str | None = None,
    ) -> None:
        self._source = source
        self._seen: tuple[int, ...] | None = None
        self.where = where or ("an open file" if callable(source) else os.fspath(source))
        self._size = size if size is not None else self._ask_size()

    @property
    def size(self) -> int:
        return self._size

    def open(self) -> Iterator[bytes]:
        fd = self._open()
        try:
            before = self._state(fd)
            if self._seen is None:
                self._seen = before
            if before != self._seen:
                raise self._changed()
            if before[0] != self._size:
                raise InputError(
                    f"{before[0]} bytes instead of {self._size}",
                    where=self.where,
                    hint="put the right file there, or run again once nothing writes to it",
                )
            left = self._size
            while left:
                chunk = os.read(fd, min(left, CHUNK))
                if not chunk:
                    raise self._changed()
                left -= len(chunk)
                if not left and self._state(fd) != before:
                    raise self._changed()  # before the last chunk is out: nobody has it whole
                yield chunk
        except OSError as error:
            raise self._unreadable(error) from error
        finally:
            os.close(fd)

    def _ask_size(self) -> int:
        fd = self._open()
        try:
            self._seen = self._state(fd)
            return self._seen[0]
        finally:
            os.close(fd)

    def _open(self) -> int:
        if callable(self._source):
            return self._source()
        try:
            # Without O_NONBLOCK a FIFO would block here for ever.
            return os.open(self._source, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            raise self._unreadable(error) from error

    def _state(self, fd: int) -> tuple[int, ...]:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise InputError("not a regular file", where=self.where)
        return (found.st_size, found.st_mtime_ns, found.st_ino, found.st_dev)

    def _changed(self) -> InputError:
        return InputError(
            "the file changed while it was read",
            where=self.where,
            hint="run again once nothing writes to it",
        )

    def _unreadable(self, error: OSError) -> InputError:
        return InputError(
            f"cannot read the file ({error.strerror})",
            where=self.where,
            hint="check its owner and mode" if isinstance(error, PermissionError) else None,
        )


class StreamBody:
    """Bytes that `opener` gives anew each time it is called, for example out of another store.

    Args:
        size: bytes in all; fewer or more raise InputError.
        opener: returns chunks: an iterator, or a `Stream`.
    """

    __slots__ = ("_opener", "_size", "where")

    def __init__(
        self, size: int, opener: Callable[[], Iterable[bytes]], *, where: str = "a stream"
    ) -> None:
        self._size = size
        self._opener = opener
        self.where = where

    @property
    def size(self) -> int:
        return self._size

    def open(self) -> Iterator[bytes]:
        source = self._opener()
        given = 0
        try:
            for chunk in source:
                given += len(chunk)
                if given > self._size:
                    raise InputError(f"more than the {self._size} bytes said", where=self.where)
                yield chunk
        finally:
            close = getattr(source, "close", None)
            if close is not None:
                close()
        if given < self._size:
            raise InputError(f"{given} bytes instead of {self._size}", where=self.where)


def in_memory(body: Body) -> BytesBody:
    """The same body with its bytes in memory; for bodies that fit."""
    return body if isinstance(body, BytesBody) else BytesBody(read_body(body))


def read_body(body: Body) -> bytes:
    """All bytes of a body; for bodies that fit in memory."""
    chunks = body.open()
    first = next(chunks, b"")
    if len(first) == body.size:
        # Exhausted on purpose: a file body checks for changes up to its very end.
        rest = b"".join(chunks)
        return first + rest if rest else first
    return b"".join((first, *chunks))
