"""Bad files, set aside in the cache where nobody takes them for blobs."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from lake.errors import LakeError
from lake.fsio import make_dirs, move_file, remove_tree
from lake.store.cache.eviction import Amount

_FOLDER = "quarantine"


def set_aside(root: Path, path: str, *, inode: int | None = None) -> bool:
    """Move a file out of the way; True if there was one.

    With `inode`, only that very file: another process may have put a good one in its place
    since it was found to be bad. What cannot be moved stays.
    """
    if not os.path.lexists(path):
        return False
    aside = root / _FOLDER / f"{Path(path).name}-{secrets.token_hex(4)}"
    with contextlib.suppress(LakeError, OSError):
        make_dirs(aside.parent, durable=False)
        move_file(path, aside)
        if inode is not None and aside.lstat().st_ino != inode:
            move_file(aside, path)
            return False
        return True
    return False


def total(root: Path) -> Amount:
    """How much lies in quarantine."""
    count = size = 0
    with contextlib.suppress(OSError), os.scandir(root / _FOLDER) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                size += entry.stat(follow_symlinks=False).st_size
                count += 1
    return Amount(count, size)


def clear(root: Path) -> Amount:
    """Remove all that lies in quarantine."""
    gone = total(root)
    if gone.blobs:
        with contextlib.suppress(LakeError):
            remove_tree(root / _FOLDER)
    return gone
