"""Directories below an open one, reached through no symbolic link."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from lake.fsio import system
from lake.fsio.beneath import open_at
from lake.fsio.tree import DIRECTORY


class Folders:
    """Opens and makes directories below the open directory `root_fd`; "" is that one itself.

    All methods raise plain `OSError`.
    """

    def __init__(self, root_fd: int) -> None:
        self.root_fd = root_fd

    @contextlib.contextmanager
    def opened(self, folder: str) -> Iterator[int]:
        """The directory's descriptor, for the time of the block."""
        fd = self.open(folder)
        try:
            yield fd
        finally:
            os.close(fd)

    def open(self, folder: str) -> int:
        """The directory's descriptor, for the caller to close."""
        return open_at(self.root_fd, folder, DIRECTORY) if folder else os.dup(self.root_fd)

    def make(self, folder: str) -> None:
        """Make the directory, and those above it, where they are missing."""
        try:
            os.close(self.open(folder))
            return
        except FileNotFoundError:
            pass
        parent, _, name = folder.rpartition("/")
        self.make(parent)
        with self.opened(parent) as fd, contextlib.suppress(FileExistsError):
            system.current.mkdir(name, fd)
