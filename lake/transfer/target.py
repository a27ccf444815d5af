"""One remote that a push writes to: what it holds already, how it takes a blob, when it is down."""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from lake.errors import (
    AccessDenied,
    DiskError,
    IntegrityError,
    LakeError,
    NotFound,
    RemoteError,
    Unsupported,
)
from lake.store.layout import blob_key
from lake.store.store import Body, Expect, Store

if TYPE_CHECKING:
    from pathlib import Path

    from lake.config import Remote
    from lake.transfer.hub import Hub
    from lake.transfer.ledger import StoreKey
    from lake_schemas.blob import BlobRef

PROBES = 8
"""Blobs looked for, of those believed to be there, before the belief is acted on."""
MOST_PROBES = 32
"""The same over all batches of one push."""
STAT_FROM = 1 << 20
"""From this size on, one request more is cheaper than sending what is there already."""
FOLDER_THREADS = 2
_DOWN_AFTER = 3
_OFTEN = 16


class Target:
    """A remote during a push. Thread-safe.

    Attributes:
        name: the alias, for people.
        down: why nothing more is sent to it, or None.
    """

    def __init__(self, hub: Hub, remote: Remote, *, dry_run: bool = False) -> None:
        self._hub = hub
        self.opened = hub.opened(remote)
        self.remote = remote
        self.name = remote.alias
        self.down: LakeError | None = None
        self._lock = threading.Lock()
        self._failures = 0
        self._puts = self._there = self._probed = 0
        self._unflushed: dict[str, None] = {}
        self.key: StoreKey | None = None
        try:
            self._begin(dry_run)
        except LakeError as error:
            self.down = error

    def _begin(self, dry_run: bool) -> None:
        if self.remote.read_only or not self.store.properties.writable:
            raise Unsupported("this remote is read-only", where=self.opened.url)
        self.key = self.opened.key(create=not dry_run)
        if self.key is not None:
            self._hub.ledger.remember_store(self.opened.url, self.key)

    @property
    def concurrency(self) -> int:
        """How many threads serve it well."""
        # On a local disk more threads only take the interpreter from each other.
        return FOLDER_THREADS if self.opened.root else self.store.properties.concurrency

    @property
    def store(self) -> Store:
        """Where blobs go."""
        return self.opened.store

    def holds(self, refs: Sequence[BlobRef], claimed: Iterable[str], *, recheck: bool) -> set[str]:
        """The digests of those of `refs` that need not be sent.

        What the ledger knows, or a manifest says (`claimed`), is believed once a few of them,
        picked at random, were seen to be there; in a folder each one is looked for, which costs
        next to nothing. With `recheck` each one is looked for everywhere.
        """
        with self._lock:
            sent = {ref.sha256 for ref in refs if ref.sha256 in self._unflushed}
        sizes = {ref.sha256: ref.size for ref in refs if ref.sha256 not in sent}
        return sent | self._hold(sizes, claimed, recheck) if sizes else sent

    def _hold(self, sizes: dict[str, int], claimed: Iterable[str], recheck: bool) -> set[str]:
        believed = sizes.keys() & set(claimed)
        if self.key is not None:
            believed |= self._hub.ledger.known(self.key, list(sizes))
        ask = list(sizes) if recheck else sorted(believed)
        root = self.opened.root
        if root is not None:
            return {sha for sha in ask if _is_file(root / blob_key(sha), sizes[sha])}
        if recheck:
            return self._look_for(ask, sizes)
        count = min(PROBES, len(ask), MOST_PROBES - self._probed)
        picked = random.sample(ask, count)
        self._probed += count
        if len(self._look_for(picked, sizes)) < len(picked):
            # Somebody removed blobs behind our back: nothing is believed any more.
            if self.key is not None:
                self._hub.ledger.forget_known(self.key)
            return self._look_for(ask, sizes)
        return believed

    def _look_for(self, digests: Sequence[str], sizes: dict[str, int]) -> set[str]:
        found: set[str] = set()

        def look(sha256: str) -> None:
            if self.has(sha256, sizes[sha256]):
                found.add(sha256)

        threads = min(self.store.properties.concurrency, len(digests))
        self._hub.crew.run(digests, look, threads=threads)
        return found

    def has(self, sha256: str, size: int, key: str | None = None) -> bool:
        """Whether a blob of that digest and size lies there, by asking.

        Args:
            key: the object's, when it is not the blob's content address.
        """
        try:
            return self.store.stat(key or blob_key(sha256)).size == size
        except NotFound:
            return False

    def put(self, expect: Expect, body: Body) -> bool:
        """Send one blob; False when it lay there already.

        Raises:
            IntegrityError: `body` is not what `expect` says.
        """
        key = blob_key(expect.sha256)
        staged = self.store.properties.staged
        created = False
        if staged or not self._worth_asking(expect) or not self.has(expect.sha256, expect.size):
            try:
                created = self.store.put(key, body, expect=expect).created
            except IntegrityError:
                if not self._holds_other(key, expect):
                    raise
                created = self.store.put(key, body, expect=expect, replace=True).created
        self._count(expect.sha256, created)
        return created

    def _count(self, sha256: str, created: bool) -> None:
        with self._lock:
            self._puts += 1
            self._there += not created
            self._failures = 0
            self._unflushed[sha256] = None

    @property
    def names_late(self) -> bool:
        """Whether `put_late` works."""
        return self.store.properties.names_late

    def put_late(self, body: Body) -> tuple[str, bool]:
        """Send a blob whose digest comes out on the way; (its digest, whether it was new)."""
        result = self.store.put(blob_key, body)
        self._count(result.sha256, result.created)
        return result.sha256, result.created

    def _worth_asking(self, expect: Expect) -> bool:
        if expect.size >= STAT_FROM:
            return True
        # A new machine that pushes what is there already: asking first spares the sending.
        return self._puts >= _OFTEN and self._there * 2 > self._puts

    def _holds_other(self, key: str, expect: Expect) -> bool:
        """Whether the object under the blob's name is of another size, so certainly bad."""
        with contextlib.suppress(NotFound):
            return self.store.stat(key).size != expect.size
        return False

    def failed(self, error: LakeError) -> None:
        """Count a failure of this remote; after some in a row it is left alone."""
        if not isinstance(error, RemoteError | DiskError):
            return
        hopeless = isinstance(error, AccessDenied | DiskError)
        with self._lock:
            self._failures += 1
            if hopeless or self._failures >= _DOWN_AFTER:
                self.down = self.down or error

    def flush(self) -> None:
        """Make all that was put durable, and remember it."""
        with self._lock:
            digests, self._unflushed = self._unflushed, {}
        self.store.flush()
        if self.key is not None:
            self._hub.ledger.add_known(self.key, digests)


def _is_file(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False
