"""Making files and names durable: by one syncfs where that is enough, else by many an fsync."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from lake.fsio import system
from lake.fsio.beneath import open_at
from lake.fsio.folders import Folders
from lake.fsio.tree import sync_names

_FEW = 4  # directories up to which an fsync of each is cheaper than one more syncfs


class Barrier:
    """The syncs of one batch.

    Another writer may have made a directory, or written a file, a moment ago and not have come
    to its own syncs: so what a batch finds is never taken for durable.

    Attributes:
        failed: the first sync's failure, if there was one. The system may have dropped bytes
            then, and would not say so a second time: nothing after it can be believed.
    """

    def __init__(self, folders: Folders, unnamed: list[Path]) -> None:
        self._folders = folders
        self._whole = system.current.syncs_whole(folders.root_fd)
        self._unnamed = unnamed  # the root, and those above it, until their names are durable
        self._named: dict[str, int] = {}  # directories whose own name is durable: their inode
        self.failed: OSError | None = None

    def before(self, files: Iterable[tuple[str, int]], relied: Collection[str]) -> None:
        """All bytes of `files` (name and open directory), and what is relied on, are durable.

        With syncfs, so is everything else: directories just made, and whoever made them.
        """
        with self._noting():
            if self._whole:
                system.current.syncfs(self._folders.root_fd)
                return
            for name, at in files:
                self._sync_file(name, at)
            for rel in relied:
                self._sync_file(rel, self._folders.root_fd)
            self._sync_chains({rel.rpartition("/")[0] for rel in relied})

    def after(self, folders: Collection[str]) -> None:
        """The names in these directories are durable, and those that lead there."""
        with self._noting():
            if not self._whole:
                self._sync_chains(folders)
                sync_names(self._unnamed)
                self._unnamed = []
            elif len(folders) > _FEW:
                system.current.syncfs(self._folders.root_fd)
            else:
                self._sync_folders(folders)

    def removed(self, folders: Collection[str]) -> None:
        """The names that went from these directories stay away."""
        with self._noting():
            self._sync_folders(folders)

    @contextlib.contextmanager
    def _noting(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.failed = error
            raise

    def _sync_file(self, rel: str, at: int) -> None:
        try:
            fd = open_at(at, rel, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            if error.errno == errno.ELOOP:
                return  # a symbolic link has no bytes to sync
            raise
        try:
            system.current.fsync(fd)
        finally:
            os.close(fd)

    def _sync_folders(self, folders: Iterable[str]) -> None:
        for folder in folders:
            with self._folders.opened(folder) as fd:
                system.current.fsync(fd)

    def _sync_chains(self, folders: Collection[str]) -> None:
        """Directories, and those above them as long as these are not known to hold their names.

        What this batch once synced, and is still the same directory, need not be synced again.
        """
        chain, named = set(folders), {}
        for folder in folders:
            at = folder
            while at and (inode := self._inode(at)) != self._named.get(at):
                named[at] = inode
                at = at.rpartition("/")[0]
                chain.add(at)
        self._sync_folders(sorted(chain))
        self._named |= named

    def _inode(self, folder: str) -> int:
        with self._folders.opened(folder) as fd:
            return os.fstat(fd).st_ino
