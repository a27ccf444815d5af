"""One file of a batch, while it is written."""

from __future__ import annotations

import os
from types import TracebackType
from typing import TYPE_CHECKING

from lake.fsio import system
from lake.fsio.beneath import check_rel

if TYPE_CHECKING:
    from lake.fsio.batch import Batch


class StagedFile:
    """One file being written; it has no name yet. Made by `Batch.stage`.

    Used by one thread at a time. As a context manager it is published at the end of the block
    (if it was given a name), or discarded when the block fails.

    Attributes:
        fd: its descriptor, open for reading and writing, until it is published.
        created: after the commit: False if the name was taken and `replace` was False.
    """

    __slots__ = ("_batch", "at", "created", "fd", "name", "rel", "replace")

    def __init__(self, batch: Batch, name: str, at: int, fd: int, rel: str) -> None:
        self._batch = batch
        self.name = name
        self.at = at  # the open directory in which `name` lies
        self.fd = fd
        self.rel = rel
        self.replace = True
        self.created: bool | None = None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append `data`. Raises DiskError when the disk is full or fails."""
        with self._batch.errors:
            system.current.write(self.fd, data)

    def pwrite(self, data: bytes | bytearray | memoryview, offset: int) -> None:
        """Write `data` at `offset`; may be called by several threads at once."""
        with self._batch.errors:
            system.current.pwrite(self.fd, data, offset)

    def publish_as(self, rel: str | None = None, *, replace: bool = True) -> None:
        """The next `commit` gives the file this name; nothing may be written any more.

        With `replace=False` a file that already has the name keeps it (see `created`).
        """
        self._named(rel, replace)
        self._close()
        self._batch._add(self)

    def _named(self, rel: str | None, replace: bool) -> None:
        if rel is not None:
            self.rel = check_rel(rel)
        if not self.rel:
            raise ValueError("a staged file needs a name to be published")
        self.replace = replace

    def publish_now(self, rel: str | None = None, *, replace: bool = True) -> bool:
        """Give the file its name at once: whole for readers, but with no barrier at all.

        A power cut may leave any bytes under the name. Returns `created`.
        """
        self._named(rel, replace)
        self._close()
        with self._batch.errors:
            self.created = self._batch._name_now(self)
        return self.created

    def stamp(self, atime_ns: int, mtime_ns: int) -> None:
        """Set the file's times, once all is written."""
        with self._batch.errors:
            system.current.utime(self.fd, atime_ns, mtime_ns)

    def discard(self) -> None:
        """Throw the file away. Does nothing once it is published."""
        if self.fd >= 0:
            self._close()
            self._batch._drop(self)

    def _close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def __enter__(self) -> StagedFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.fd < 0:
            return
        if error is None and self.rel:
            self.publish_as(self.rel, replace=self.replace)
        else:
            self.discard()
