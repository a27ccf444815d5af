"""Get blobs from the first good source: verified, whatever the sources give."""

from __future__ import annotations

import io
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from lake.errors import IntegrityError, LakeError
from lake.fsio import translate
from lake.store.body import BytesBody
from lake.store.store import Expect
from lake.store.verify import read_verified
from lake.transfer import copying, many
from lake.transfer.chunks import BIG, check_chunk, sidecar_ref
from lake.transfer.download import CacheFailed, download, into_cache
from lake.transfer.first import Answers, first_good
from lake.transfer.hub import Hub, default_hub
from lake.transfer.nearby import own_bytes, own_file, own_path, spot_path
from lake.transfer.ranged import ChunkedFile
from lake.transfer.sources import Spot, spots
from lake.transfer.supply import Supply

if TYPE_CHECKING:
    from lake.fsio import Batch
    from lake.store.store import Body, Store
    from lake.transfer.copying import CopyWant
    from lake.transfer.place import Place
    from lake_schemas.blob import BlobRef, ChunkRef

T = TypeVar("T")

log = logging.getLogger("lake.transfer")

IN_MEMORY = 4 << 20
"""Up to this size `open` gives a file in memory."""
_TRIES = 3


class Fetcher:
    """Reads blobs; every byte it gives was checked against the digest in the ref.

    Sources are tried in order: the dataset's own file, the cache, remotes in the user's order.
    Thread-safe, and safe to use after a fork; pickles as its hub does.

    Raises, from every method that reads:
        BlobUnavailable: no source served the blob; lists what each one answered.
    """

    def __init__(self, hub: Hub | None = None) -> None:
        self.hub = hub or default_hub()

    def read(self, ref: BlobRef, place: Place) -> bytes:
        """All bytes of a blob."""
        answers = Answers()
        data = self.read_here(ref, place, answers)
        return self.read_remote(ref, place, answers) if data is None else data

    def read_here(self, ref: BlobRef, place: Place, answers: Answers) -> bytes | None:
        """All bytes of a blob if the dataset's own file or the cache has it."""
        if ref.file is not None:
            data = own_bytes(self.hub, ref, place, answers)
            if data is not None:
                return data
        return self.hub.cache.read(ref.sha256, ref.size)

    def read_remote(self, ref: BlobRef, place: Place, answers: Answers) -> bytes:
        """All bytes of a blob out of a remote, and into the cache unless that is a folder."""
        expect = Expect(ref.sha256, ref.size)

        def use(spot: Spot, store: Store) -> tuple[bytes, bool]:
            folder = spot.opened.root is not None
            if ref.size >= BIG and not folder and not self.hub.cache_failed:
                try:
                    download(self.hub, ref, spot, store)
                    data = self.hub.cache.read(ref.sha256, ref.size)
                    if data is not None:
                        return data, True
                except CacheFailed as failure:
                    self._give_cache_up(failure.error)
            data = read_verified(store, spot.key, expect, source=spot.alias, tries=spot.tries)
            return data, folder

        data, kept = first_good(self.hub, ref, place, use, answers)
        if not kept and not self.hub.cache_failed:
            try:
                into_cache(lambda: self.hub.cache.add_bytes(ref.sha256, data))
            except CacheFailed as failure:
                self._give_cache_up(failure.error)
        return data

    def path(self, ref: BlobRef, place: Place) -> Path:
        """A local file with the blob's bytes, for reading only: the dataset's own, one in a
        folder remote, or one in the cache, fetched into it if need be.

        Raises:
            DiskError: the cache cannot take it.
        """
        answers = Answers()
        if ref.file is not None:
            own = own_path(self.hub, ref, place, answers)
            if own is not None:
                return own
        return self._path(ref, place, answers)

    def _path(self, ref: BlobRef, place: Place, answers: Answers) -> Path:
        """The same, from cache and remotes."""
        cached = self.hub.cache.get_path(ref.sha256, ref.size)
        if cached is not None:
            return cached

        def use(spot: Spot, store: Store) -> Path:
            if spot.opened.root is not None:
                return spot_path(self.hub, spot, ref)
            return download(self.hub, ref, spot, store)

        try:
            return first_good(self.hub, ref, place, use, answers)
        except CacheFailed as failure:
            raise failure.error from None

    def open(self, ref: BlobRef, place: Place) -> BinaryIO:
        """A blob as a seekable binary file.

        A small one is read at once. Of a big one that is not on this machine, and whose chunks
        have digests, only the chunks that are read are fetched. Any other is fetched whole.
        """
        if ref.size <= IN_MEMORY:
            return io.BytesIO(self.read(ref, place))
        answers = Answers()
        if ref.file is not None:
            own = own_file(self.hub, ref, place, answers)
            if own is not None:
                return own
        if ref.chunks is not None and self._is_far(ref, place):
            try:
                return self._open_chunked(ref, place, ref.chunks)
            except LakeError as error:
                log.debug("chunks of %s cannot be used: %s", ref.sha256[:12], error)
        for left in reversed(range(_TRIES)):
            path = self._path(ref, place, answers)
            try:
                return path.open("rb")
            except OSError as error:
                # Another process may have evicted it from the cache just now.
                if not left:
                    raise translate(error, path) from error
        raise AssertionError("unreachable")

    def _is_far(self, ref: BlobRef, place: Place) -> bool:
        """Whether the bytes would come over a network."""
        if self.hub.cache.get_path(ref.sha256, ref.size) is not None:
            return False
        first = next(spots(self.hub, ref, place), None)
        return first is not None and first.opened.root is None

    def _open_chunked(self, ref: BlobRef, place: Place, chunks: ChunkRef) -> BinaryIO:
        sidecar = self.read(sidecar_ref(ref, chunks), place)

        def fetch(number: int) -> bytes:
            start = number * chunks.size
            stop = min(ref.size, start + chunks.size)

            def use(spot: Spot, store: Store) -> bytes:
                for left in reversed(range(spot.tries)):
                    with store.get(spot.key, start=start, stop=stop) as stream:
                        data = stream.read()
                    try:
                        return check_chunk(data, number, sidecar, source=spot.alias)
                    except IntegrityError:
                        if not left:
                            raise
                raise AssertionError("unreachable")

            return first_good(self.hub, ref, place, use)

        return io.BufferedReader(ChunkedFile(ref.size, chunks.size, fetch), 1 << 16)

    def body(self, ref: BlobRef, place: Place) -> Body:
        """The bytes as something to put into a store; streamed, verified, no local copy made."""
        if ref.size <= IN_MEMORY:
            return BytesBody(self.read(ref, place))
        return Supply(ref, [(ref, place)]).verified(self.hub)

    def read_many(self, wants: Sequence[tuple[BlobRef, Place]]) -> list[bytes]:
        """The bytes of many blobs, in order; those in remotes are fetched concurrently."""
        return many.read_many(self, wants)

    def paths_many(self, wants: Sequence[tuple[BlobRef, Place]]) -> list[Path]:
        """A local file for each of many blobs, in order, as `path` gives them."""
        return many.paths_many(self, wants)

    def copy_into(
        self,
        wants: Sequence[CopyWant],
        batch: Batch,
        *,
        keep_going: bool = False,
        jobs: int | None = None,
    ) -> list[LakeError | None]:
        """Stage each blob as a file in `batch`, verified; the batch's commit publishes them.

        Args:
            wants: (ref, place, path below the batch's root).
            keep_going: give the errors in the place of failed blobs; else raise the first.
            jobs: blobs at once; by default what suits the remotes.
        """
        return copying.copy_into(self, wants, batch, keep_going=keep_going, jobs=jobs)

    def _give_cache_up(self, error: LakeError) -> None:
        """Go on without a cache that cannot be written."""
        if not self.hub.cache_failed:
            self.hub.cache_failed = True
            log.warning("nothing more is cached: %s", error)

    def __repr__(self) -> str:
        return f"Fetcher({self.hub!r})"
