"""Keeping a cache within its size, without looking through it at every addition."""

from __future__ import annotations

import random
import threading
from pathlib import Path

from lake.store.cache import eviction, pins, quarantine
from lake.store.cache.eviction import Amount

DEFAULT_SIZE = 50 << 30
"""Bytes that a cache may hold where the user does not say."""

_SLACK = 32  # by what part of its size a cache may be off before someone looks
_SPARE = 8  # and what part is freed at once, so that this is seldom


class Bounds:
    """Counts what this process adds, and looks at the whole cache when that may be too much.

    Processes share no count. Each looks after it added half of the room that it saw last, and
    at the latest after 1/32 of the limit; a new process starts at a random point of that, so
    that many short ones look as often, in proportion to what they add, as one long one.
    """

    def __init__(self, root: Path, max_size: int) -> None:
        self._root = root
        self._max = max_size
        self._room = random.randrange(max_size // _SLACK + 1)  # noqa: S311 - no secret
        self._looking = threading.Lock()

    def added(self, sha256: str, size: int) -> None:
        """A blob came in; others may have to go."""
        self._room -= size
        if self._room >= 0 or not self._looking.acquire(blocking=False):
            return
        try:
            have = self.size()
            if have > self._max:
                excess = have - self._max + self._max // _SPARE
                have -= self.evict(excess, frozenset({sha256})).size
            self._room = max((self._max - have) // 2, self._max // _SLACK)
        finally:
            self._looking.release()

    def size(self) -> int:
        """Bytes in blobs and in quarantine now."""
        return eviction.total(self._root).size + quarantine.total(self._root).size

    def shrink(self, limit: int) -> Amount:
        """Remove what was used longest ago until `limit` bytes are left."""
        excess = self.size() - limit
        return self.evict(excess) if excess > 0 else Amount()

    def evict(self, excess: int, spare: frozenset[str] = frozenset()) -> Amount:
        """Remove at least `excess` bytes: first what is bad, never what is pinned."""
        bad = quarantine.clear(self._root)
        old = eviction.evict(self._root, excess - bad.size, pins.pinned(self._root) | spare)
        return Amount(bad.blobs + old.blobs, bad.size + old.size)

    def clear(self) -> Amount:
        """Remove everything but what is pinned."""
        bad = quarantine.clear(self._root)
        kept = pins.pinned(self._root)
        going = [one.sha256 for one in eviction.held(self._root) if one.sha256 not in kept]
        rest = eviction.remove(self._root, going)
        return Amount(bad.blobs + rest.blobs, bad.size + rest.size)
