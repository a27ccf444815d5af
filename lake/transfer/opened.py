"""One remote in use: its store, opened when first needed, and what the store says of itself."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lake.config import Remote
    from lake.store.store import Store
    from lake.transfer.ledger import StoreKey


class Opened:
    """A remote's store for this process.

    Attributes:
        remote: which one.
        url: its clean address, under which health and quarantine know it.
        seconds: how long a read took lately.
    """

    def __init__(self, remote: Remote, connect: Callable[[Remote], Store]) -> None:
        self.remote = remote
        self.url = remote.url
        self._connect = connect
        self._lock = threading.Lock()
        self._store: Store | None = None
        self._quick: Store | None = None
        self._key: StoreKey | None = None
        self._without_key = False
        self.seconds = 0.0

    @property
    def store(self) -> Store:
        """The store, which tries again and again where that may help."""
        if self._store is None:
            with self._lock:
                if self._store is None:
                    self._store = self._connect(self.remote)
        return self._store

    @property
    def quick(self) -> Store:
        """The same store with one retry at most, for when other sources may serve at once."""
        if self._quick is None:
            self._quick = _hurried(self.store)
        return self._quick

    @property
    def root(self) -> Path | None:
        """The directory, when the remote is a folder."""
        return self.store.properties.root

    def took(self, seconds: float) -> None:
        """Enter how long a read took; slow and quick ones fade alike."""
        self.seconds += (seconds - self.seconds) / 8

    def key(self, *, create: bool = False) -> StoreKey | None:
        """Under what the ledger files this store, from its lake.json.

        Args:
            create: write a lake.json where there is none; else the answer is None then.
        """
        from lake.store.layout import ensure_layout, read_layout
        from lake.transfer.ledger import StoreKey

        if self._key is None and (create or not self._without_key):
            found = ensure_layout(self.store) if create else read_layout(self.store)
            self._without_key = found is None
            if found is not None:
                self._key = StoreKey(found.id, found.generation)
        return self._key

    def close(self) -> None:
        """Close the store, if it was opened."""
        with self._lock:
            store, self._store, self._quick, self._key = self._store, None, None, None
        if store is not None:
            store.close()

    def __repr__(self) -> str:
        return f"Opened({self.url!r})"


def _hurried(store: Store) -> Store:
    from lake.store.guard import ReadOnly
    from lake.store.retry import Retry

    if isinstance(store, Retry):
        return Retry(store.inner, tries=2, base=0.05)
    if isinstance(store, ReadOnly):
        hurried = copy.copy(store)
        hurried.inner = _hurried(store.inner)
        return hurried
    return store
