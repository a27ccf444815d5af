"""Symbolic links in the place of blobs' files: followed only where this user's lake made them.

A dataset directory may come from a stranger, and a link in it may lead anywhere, so links are
not followed. But whoever says `--mode symlink` wants them. The ledger remembers in which dataset
directories this machine's lake made links; a directory is known by its path and its inode, so
that another one of that name is not taken for it. What is read is verified as ever.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from lake.errors import InputError
from lake.fsio import open_beneath, os_errors, stat_beneath

if TYPE_CHECKING:
    from lake.transfer.hub import Hub

_OPEN = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY


def remember_links(hub: Hub, root: Path) -> None:
    """The links in this dataset directory are the user's own."""
    hub.ledger.remember_run(_key(root), _identity(root))


def open_own(hub: Hub, root: Path, rel: str) -> int:
    """A descriptor of a blob's file in a dataset directory, open for reading.

    Raises:
        InputError: it is missing, unreadable or no regular file, or a link of unknown origin.
        ManifestError: `rel` is not a plain path below the directory.
    """
    try:
        return open_beneath(root, rel)
    except InputError:
        if not _is_link(root, rel):
            raise
    if hub.ledger.run(_key(root)) != _identity(root):
        raise InputError(
            "a symbolic link, which is not followed: this machine's lake did not make it",
            where=str(root / rel),
            hint="lake clone DATASET COPY --mode symlink, from where its files are",
        )
    with os_errors(root / rel):
        fd = os.open(root / rel, _OPEN)
        if stat.S_ISREG(os.fstat(fd).st_mode):
            return fd
        os.close(fd)
    raise InputError("a link to what is no regular file", where=str(root / rel))


def own_size(hub: Hub, root: Path, rel: str) -> int | None:
    """Bytes of a blob's file in a dataset directory; None where there is none to be read."""
    from lake.errors import LakeError

    try:
        found = stat_beneath(root, rel)
        if stat.S_ISREG(found.st_mode):
            return found.st_size
        fd = open_own(hub, root, rel)
    except (OSError, LakeError):
        return None
    try:
        return os.fstat(fd).st_size
    finally:
        os.close(fd)


def _is_link(root: Path, rel: str) -> bool:
    try:
        return stat.S_ISLNK(stat_beneath(root, rel).st_mode)
    except OSError:
        return False


def _key(root: Path) -> str:
    return f"links in {os.path.realpath(root)}"


def _identity(root: Path) -> str:
    with os_errors(root):
        found = root.stat()
    return f"{found.st_dev}:{found.st_ino}"
