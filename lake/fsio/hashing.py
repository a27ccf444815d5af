"""The digest of a file, in one pass, noticing when the file changes under the reader."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from lake.errors import InputError
from lake.fsio.oserrors import os_errors

CHUNK = 1 << 20
"""Bytes read at a time from a large file."""

_OPEN = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY


def read_chunks(fd: int, size: int) -> Iterator[bytes]:
    """The bytes of a file from where `fd` stands, at most `size` of them.

    Asks for one byte beyond the end too, so that a file which grew is seen to be longer.
    """
    left = size + 1
    while left > 0 and (data := os.read(fd, min(CHUNK, left))):
        left -= len(data)
        yield data


def same(before: os.stat_result, after: os.stat_result) -> bool:
    """Whether a file is unchanged between two stats of its descriptor."""
    return (
        before.st_size == after.st_size
        and before.st_mtime_ns == after.st_mtime_ns
        and before.st_ino == after.st_ino
    )


def changed(where: str | os.PathLike[str]) -> InputError:
    """The error for a file that changed while it was read."""
    return InputError(
        "the file changed while it was read",
        where=os.fspath(where),
        hint="run the command again once nothing writes to it",
    )


def check_regular(found: os.stat_result, where: str | os.PathLike[str]) -> None:
    """Raises InputError for what is no regular file: a FIFO or device has no bytes to keep."""
    if not stat.S_ISREG(found.st_mode):
        raise InputError("not a regular file", where=os.fspath(where))


def hash_file(file: str | os.PathLike[str] | int) -> tuple[str, int]:
    """The sha256 (64 lower-case hex digits) and the size of a file, by path or descriptor.

    A descriptor is read from its start, and stays open.

    Raises:
        InputError: the file is missing, unreadable, or changed meanwhile.
    """
    if isinstance(file, int):
        with os_errors(f"descriptor {file}"):
            os.lseek(file, 0, os.SEEK_SET)
            return _hash_fd(file, f"descriptor {file}")
    with os_errors(file):
        fd = os.open(file, _OPEN)
        try:
            return _hash_fd(fd, Path(file))
        finally:
            os.close(fd)


def _hash_fd(fd: int, where: str | os.PathLike[str]) -> tuple[str, int]:
    before = os.fstat(fd)
    check_regular(before, where)
    size = before.st_size
    if size < CHUNK:
        data = os.read(fd, size + 1)
        digest, count = hashlib.sha256(data).hexdigest(), len(data)
    else:
        state, count = hashlib.sha256(), 0
        for chunk in read_chunks(fd, size):
            state.update(chunk)
            count += len(chunk)
        digest = state.hexdigest()
    if count != size or not same(before, os.fstat(fd)):
        raise changed(where)
    return digest, size
