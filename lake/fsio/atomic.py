"""One small file, replaced atomically."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

from lake.fsio import system
from lake.fsio.oserrors import os_errors
from lake.fsio.owner import MARK, sweep, temp_name
from lake.fsio.tree import DIRECTORY

_swept: set[tuple[int, int]] = set()
_swept_lock = threading.Lock()


def write_file(
    path: str | os.PathLike[str], data: bytes, *, mode: int = 0o644, durable: bool = True
) -> None:
    """Make `data` the content of `path`: at every moment it holds the old bytes or the new.

    With `durable` the new bytes survive a power cut once this returns. The directory must
    exist. A symbolic link at `path` is replaced, not followed.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_file(Path(folder) / "a.txt", b"hello")
    ...     (Path(folder) / "a.txt").read_bytes()
    b'hello'

    Raises:
        DiskError: the disk is full, read-only or failing.
        InputError: the directory is missing or not writable.
    """
    target = Path(path)
    with os_errors(target):
        parent = os.open(target.parent, DIRECTORY)
        try:
            temp = f".{target.name[:40]}{MARK}-{temp_name()}"
            fd = system.current.create(temp, parent, mode)
            try:
                try:
                    _sweep_once(parent, os.fstat(fd).st_mtime)
                    system.current.write(fd, data)
                    if durable:
                        system.current.fsync(fd)
                finally:
                    os.close(fd)
                system.current.rename(temp, parent, target.name, parent)
            except BaseException:
                with contextlib.suppress(OSError):
                    system.current.unlink(temp, parent)
                raise
            if durable:
                system.current.fsync(parent)
        finally:
            os.close(parent)


def _sweep_once(dir_fd: int, now: float) -> None:
    """Remove what killed processes left in this directory; once in the life of a process."""
    found = os.fstat(dir_fd)
    key = (found.st_dev, found.st_ino)
    with _swept_lock:
        if key in _swept:
            return
        if len(_swept) > 4096:
            _swept.clear()
        _swept.add(key)
    sweep(dir_fd, ".", now=now)


def move_file(src: str | os.PathLike[str], dst: str | os.PathLike[str]) -> None:
    """Rename within a file system, in place of what `dst` was; not made durable.

    Raises:
        InputError: `src` or the directory of `dst` is missing, or on another file system.
    """
    old, new = Path(src), Path(dst)
    with os_errors(old):
        src_fd = os.open(old.parent, DIRECTORY)
        try:
            dst_fd = os.open(new.parent, DIRECTORY)
            try:
                system.current.rename(old.name, src_fd, new.name, dst_fd)
            finally:
                os.close(dst_fd)
        finally:
            os.close(src_fd)


def set_times(path: str | os.PathLike[str], atime_ns: int, mtime_ns: int) -> None:
    """Set when a file was used and changed, in ns since the epoch; follows no symbolic link."""
    with os_errors(path):
        system.current.utime(path, atime_ns, mtime_ns)
