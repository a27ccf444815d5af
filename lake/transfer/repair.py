"""Put good bytes in the place of missing and bad ones."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from lake.errors import IntegrityError, LakeError, RemoteError
from lake.store.store import Expect
from lake.transfer.checks import Cached, Holder, InRemote, OwnFile
from lake.transfer.supply import Supply

if TYPE_CHECKING:
    from lake.fsio import Batch
    from lake.store.store import Body
    from lake.transfer.hub import Hub
    from lake.transfer.mention import Mention
    from lake.transfer.opened import Opened

log = logging.getLogger("lake.transfer")

_TRIES = 3


class Repair:
    """Mends copies of blobs; `flush` makes what was mended durable. Thread-safe."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._lock = threading.Lock()
        self._stores: dict[str, tuple[Opened, list[str]]] = {}
        self._batches: dict[Path, Batch] = {}

    def mend(self, mention: Mention, holder: Holder) -> bool:
        """Put the right bytes there; False where that cannot be done."""
        body = Supply(mention.ref, [(mention.ref, mention.place)]).verified(self._hub)
        try:
            if isinstance(holder, Cached):
                return True  # what was bad is out of the way, and the cache need not hold it
            if isinstance(holder, OwnFile):
                self._write_file(mention, body)
            elif isinstance(holder, InRemote):
                return self._put(holder, body)
        except LakeError as error:
            log.warning("%s in %s cannot be mended: %s", mention.name, holder.name, error.what)
            return False
        return True

    def _put(self, holder: InRemote, body: Body) -> bool:
        spot = holder.spot
        if spot is None or holder.adopted:
            # An object under a key of its own is somebody else's.
            return False
        ref, store = holder.ref, spot.opened.store
        expect = Expect(ref.sha256, ref.size)
        _persist(lambda: store.put(spot.key, body, expect=expect, replace=True))
        with self._lock:
            _, digests = self._stores.setdefault(spot.opened.url, (spot.opened, []))
            digests.append(ref.sha256)
        return True

    def _write_file(self, mention: Mention, body: Body) -> None:
        from lake.fsio import Batch

        root = mention.place.root or Path()
        with self._lock:
            batch = self._batches.get(root)
            if batch is None:
                batch = self._batches[root] = Batch(root)

        def write() -> None:
            staged = batch.stage(str(mention.ref.file))
            try:
                for chunk in body.open():
                    staged.write(chunk)
            except BaseException:
                staged.discard()
                raise
            # What somebody else put there meanwhile stays.
            staged.publish_as(replace=False)

        _persist(write)

    def flush(self) -> set[str]:
        """Make all repairs durable; the names of the places in which that failed."""
        failed = set()
        stores, self._stores = self._stores, {}
        for opened, digests in stores.values():
            try:
                opened.store.flush()
                key = opened.key(create=True)
                if key is not None:
                    self._hub.ledger.add_known(key, digests)
            except LakeError as error:
                log.warning("%s: %s", opened.url, error.what)
                failed.add(opened.remote.alias)
            for sha256 in digests:
                self._hub.quarantine.lift(opened.url, sha256)
        batches, self._batches = self._batches, {}
        for batch in batches.values():
            with batch:
                try:
                    batch.commit()
                except LakeError as error:
                    log.warning("%s", error)
                    failed.add(OwnFile.name)
        return failed


def _persist(do: Callable[[], object]) -> None:
    """Do it again when a source turned out bad: opened anew, the body comes out of the next."""
    for left in reversed(range(_TRIES)):
        try:
            do()
            return
        except (IntegrityError, RemoteError):
            if not left:
                raise
