"""Which blobs leave the cache when it is too large: those that were used longest ago."""

from __future__ import annotations

import contextlib
import heapq
import os
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lake.errors import LakeError
from lake.fsio import remove_file


@dataclass(frozen=True, slots=True)
class Held:
    """One blob in the cache; `used` in ns since the epoch, in steps of a minute or so."""

    used: int
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Amount:
    """So many blobs, of so many bytes in all."""

    blobs: int = 0
    size: int = 0


def held(root: Path) -> Iterator[Held]:
    """All blobs in a cache, in no order; what others remove meanwhile is passed over."""
    with contextlib.suppress(OSError), os.scandir(root / "sha256") as shards:
        for shard in shards:
            with contextlib.suppress(OSError), os.scandir(shard.path) as entries:
                for entry in entries:
                    with contextlib.suppress(OSError):
                        found = entry.stat(follow_symlinks=False)
                        yield Held(found.st_atime_ns, found.st_size, entry.name)


def total(root: Path) -> Amount:
    """How many blobs a cache holds, and how many bytes they are."""
    blobs = size = 0
    for one in held(root):
        blobs += 1
        size += one.size
    return Amount(blobs, size)


def evict(root: Path, excess: int, spare: Container[str]) -> Amount:
    """Remove at least `excess` bytes, if there are so many outside `spare`.

    Holds only the blobs that are to go in memory, however many there are.
    """
    if excess <= 0:
        return Amount()
    going: list[tuple[int, int, str]] = []  # the one used last is on top
    freed = 0
    for one in held(root):
        if one.sha256 in spare or (freed >= excess and one.used >= -going[0][0]):
            continue
        heapq.heappush(going, (-one.used, one.size, one.sha256))
        freed += one.size
        while freed - going[0][1] >= excess:
            freed -= heapq.heappop(going)[1]
    return remove(root, (sha256 for _, _, sha256 in going))


def remove(root: Path, digests: Iterable[str]) -> Amount:
    """Take blobs out of a cache."""
    blobs = size = 0
    for sha256 in digests:
        path = root / "sha256" / sha256[:2] / sha256
        with contextlib.suppress(OSError, LakeError):  # what cannot be removed stays
            found = path.lstat().st_size
            if remove_file(path):
                blobs += 1
                size += found
    return Amount(blobs, size)
