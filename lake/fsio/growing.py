"""A file that is written front to back and keeps its name when the writer dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from lake.fsio import system
from lake.fsio.oserrors import os_errors
from lake.fsio.tree import DIRECTORY, make_dirs

_OPEN = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


class GrowingFile:
    """A file below a private directory, appended to by one process at a time.

    Nothing is synced: after a power cut it may hold anything, so whoever goes on with it has to
    look at what is there. Made by `open_growing`.

    Attributes:
        fd: its descriptor, open for reading and appending.
        size: bytes that are there.
    """

    def __init__(self, path: Path, fd: int) -> None:
        self.path = path
        self.fd = fd
        self.size = os.fstat(fd).st_size

    def write(self, data: bytes) -> None:
        """Append. Raises DiskError when the disk is full or fails."""
        with os_errors(self.path):
            system.current.write(self.fd, data)
        self.size += len(data)

    def set_mode(self, mode: int) -> None:
        """Change its permission bits, when it is whole."""
        with os_errors(self.path):
            system.current.chmod(self.fd, mode)

    def close(self) -> None:
        """Let go of it; what was written stays for the next one."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def open_growing(path: Path, *, mode: int = 0o600) -> GrowingFile | None:
    """Open the file, making it if need be; None while another process is writing it.

    Raises:
        DiskError, InputError: it cannot be made or opened.
    """
    with os_errors(path):
        make_dirs(path.parent, mode=0o700, durable=False)
        folder = os.open(path.parent, DIRECTORY)
        try:
            while True:
                fd = _open(path.name, folder, mode)
                with contextlib.ExitStack() as on_failure:
                    on_failure.callback(os.close, fd)
                    try:
                        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    except BlockingIOError:
                        return None
                    # The one that held the lock may have moved the file to its final place.
                    with contextlib.suppress(FileNotFoundError):
                        if os.stat(path.name, dir_fd=folder).st_ino == os.fstat(fd).st_ino:
                            on_failure.pop_all()
                            return GrowingFile(path, fd)
        finally:
            os.close(folder)


def _open(name: str, folder: int, mode: int) -> int:
    while True:
        with contextlib.suppress(FileExistsError):
            # Closed and opened again, so that it appends.
            os.close(system.current.create(name, folder, mode))
        try:
            return os.open(name, _OPEN, dir_fd=folder)
        except FileNotFoundError:
            continue
