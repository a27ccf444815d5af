"""Reading a cached file and judging it."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import time
from pathlib import Path

from lake.errors import LakeError
from lake.fsio import CHUNK, read_chunks, read_up_to, set_times
from lake.store.cache import quarantine
from lake.store.cache.stamp import is_private, stamp_of

_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
_STEP_NS = 60 * 1_000_000_000  # how exactly it is known when a blob was used


def checked(root: Path, path: str, sha256: str, size: int, *, keep: bool) -> bytes | None:
    """Hash a file of the cache: its bytes (b"" unless `keep`) if it is the blob, else None.

    A good one without a stamp gets one; a bad one goes into quarantine.
    """
    try:
        fd = os.open(path, _READ)
    except OSError as error:
        if error.errno == errno.ELOOP:  # a symbolic link is not of lake's making
            quarantine.set_aside(root, path)
        return None
    try:
        found = os.fstat(fd)
        data = _right(fd, found, sha256, size, keep)
        if data is None:
            quarantine.set_aside(root, path, inode=found.st_ino)
            return None
        stamp = stamp_of(sha256, found.st_ino)
        if found.st_mtime_ns == stamp:
            used(path, found)
        elif stamp is not None and is_private(found):
            touch(path, stamp)
        return data
    except OSError:
        return None
    finally:
        os.close(fd)


def _right(fd: int, found: os.stat_result, sha256: str, size: int, keep: bool) -> bytes | None:
    if found.st_size != size or not stat.S_ISREG(found.st_mode):
        return None
    if keep or size <= CHUNK:
        data = read_up_to(fd, size)
        return data if hashlib.sha256(data).hexdigest() == sha256 else None
    digest = hashlib.sha256()
    for chunk in read_chunks(fd, size):
        digest.update(chunk)
    return b"" if digest.hexdigest() == sha256 else None


def used(path: str, found: os.stat_result) -> None:
    """Note that a file is used now; about once a minute is enough."""
    if time.time_ns() - found.st_atime_ns > _STEP_NS:
        touch(path, found.st_mtime_ns)


def touch(path: str, mtime_ns: int) -> None:
    """Set a file's stamp, and the atime to now; in a cache that cannot be written, nothing."""
    try:
        set_times(path, time.time_ns(), mtime_ns)
    except LakeError:
        return
