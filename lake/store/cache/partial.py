"""A large blob on its way into the cache; what came of it outlives the process that fetched it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

from lake.errors import IntegrityError, LakeError
from lake.fsio import CHUNK, remove_file, remove_tree
from lake.fsio.growing import GrowingFile, open_growing

FOLDER = "partial"
KEPT = 7 * 24 * 3600.0
"""Seconds after which nobody is expected to come back for the rest."""


class PartialWriter:
    """Takes the rest of a blob; `commit` lets the whole into the cache if it is the right one.

    Leaving the `with` block without a commit keeps what is there for the next attempt. Made by
    `Cache.resume`.

    Attributes:
        done: bytes that are there; the next ones are to follow.
        resumed: some of them were there from the start.
    """

    def __init__(
        self, sha256: str, size: int, file: GrowingFile, enter: Callable[[GrowingFile], Path]
    ) -> None:
        self.sha256 = sha256
        self.size = size
        self._file = file
        self._enter = enter
        # Nothing but their digest says whether the bytes that are there are any good.
        self._digest = _digest_of(file.fd)
        self.resumed = file.size > 0

    @property
    def done(self) -> int:
        return self._file.size

    def write(self, data: bytes) -> None:
        """The next bytes.

        Raises:
            IntegrityError: there are more than the blob's size.
            DiskError: the disk is full or fails.
        """
        if self.done + len(data) > self.size:
            raise self._wrong(f"at least {self.done + len(data)} bytes instead of {self.size}")
        self._digest.update(data)
        self._file.write(data)

    def commit(self) -> Path:
        """Let the blob in; returns its path in the cache.

        Raises:
            IntegrityError: the bytes are fewer than, or other than, the digest says; nothing of
                them is kept.
        """
        if self.done != self.size:
            raise self._wrong(f"{self.done} bytes instead of {self.size}")
        if self._digest.hexdigest() != self.sha256:
            raise self._wrong("the bytes are not those that the digest names")
        return self._enter(self._file)

    def discard(self) -> None:
        """Throw away what is there."""
        with contextlib.suppress(LakeError):
            remove_file(self._file.path)
        self._file.close()

    def _wrong(self, what: str) -> IntegrityError:
        self.discard()
        return IntegrityError(what, where=f"sha256:{self.sha256}")

    def __enter__(self) -> PartialWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def open_partial(root: Path, sha256: str, size: int) -> GrowingFile | None:
    """What there is of a blob so far; None while another process fetches the same one."""
    sweep(root, older_than=KEPT)
    path = root / FOLDER / sha256
    file = open_growing(path)
    if file is not None and file.size > size:
        remove_file(path)
        file.close()
        file = open_growing(path)
    return file


def sweep(root: Path, *, older_than: float) -> None:
    """Remove what nobody added to for so many seconds."""
    with contextlib.suppress(OSError, LakeError), os.scandir(root / FOLDER) as entries:
        for entry in entries:
            if time.time() - entry.stat(follow_symlinks=False).st_mtime > older_than:
                remove_file(entry.path)


def clear(root: Path) -> None:
    """Remove all of them; who is writing one begins anew."""
    with contextlib.suppress(LakeError):
        remove_tree(root / FOLDER)


def _digest_of(fd: int) -> hashlib._Hash:
    digest, at = hashlib.sha256(), 0
    while data := os.pread(fd, CHUNK, at):
        digest.update(data)
        at += len(data)
    return digest
