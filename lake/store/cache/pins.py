"""Blobs that must stay, because no remote holds them: a second name for each, made durable."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from lake.errors import InputError
from lake.fsio import Batch, place, remove_file

FOLDER = "pins"


def pin(batch: Batch, path_of: Callable[[str], str], digests: Iterable[str]) -> frozenset[str]:
    """Pin the blobs that are at `path_of`; which of them were there.

    The second name is a hard link, so whoever evicts the first one at this very moment takes
    nothing away.
    """
    found = set()
    for sha256 in digests:
        with contextlib.suppress(InputError):
            place(path_of(sha256), batch, f"{FOLDER}/{sha256}", "hardlink", replace=False)
            found.add(sha256)
    batch.commit()
    return frozenset(found)


def unpin(root: Path, digests: Iterable[str]) -> None:
    """Take the second names away."""
    for sha256 in digests:
        remove_file(root / FOLDER / sha256)


def pinned(root: Path) -> frozenset[str]:
    """The digests of all pinned blobs."""
    try:
        with os.scandir(root / FOLDER) as entries:
            return frozenset(entry.name for entry in entries)
    except OSError:
        return frozenset()
