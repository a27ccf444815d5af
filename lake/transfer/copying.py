"""Blobs as files somewhere else: staged in a batch, verified on the way, never changed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lake.errors import IntegrityError, LakeError
from lake.store.store import Expect
from lake.store.verify import checked_chunks
from lake.transfer.download import CacheFailed, into_cache
from lake.transfer.first import Answers, first_good
from lake.transfer.many import threads_for
from lake.transfer.nearby import OTHER

if TYPE_CHECKING:
    from lake.fsio import Batch
    from lake.store.store import Store
    from lake.transfer.fetch import Fetcher
    from lake.transfer.place import Place
    from lake.transfer.sources import Spot
    from lake_schemas.blob import BlobRef

CopyWant = tuple["BlobRef", "Place", str]
"""A blob, where its names are meant, and the path that the copy gets in the batch."""


def copy_into(
    fetcher: Fetcher,
    wants: Sequence[CopyWant],
    batch: Batch,
    *,
    keep_going: bool,
    jobs: int | None,
) -> list[LakeError | None]:
    """See `Fetcher.copy_into`."""
    results: list[LakeError | None] = [None] * len(wants)

    def one(number: int) -> None:
        try:
            _copy(fetcher, *wants[number], batch)
        except CacheFailed as failure:
            raise failure.error from None
        except LakeError as error:
            if not keep_going:
                raise
            results[number] = error

    threads = jobs or threads_for(fetcher, [(ref, place) for ref, place, _ in wants])
    fetcher.hub.crew.run(range(len(wants)), one, threads=min(threads, len(wants)))
    return results


def _copy(fetcher: Fetcher, ref: BlobRef, place: Place, rel: str, batch: Batch) -> None:
    hub, answers = fetcher.hub, Answers()
    if ref.file is not None:
        from lake.transfer.links import open_own

        try:
            fd = open_own(hub, place.root or Path(), ref.file)
            try:
                return _copy_file(fd, ref, rel, batch, f"file {ref.file}")
            finally:
                os.close(fd)
        except LakeError as error:
            answers.add(f"file {ref.file}", error)
    cached = hub.cache.get_path(ref.sha256, ref.size)
    if cached is not None:
        try:
            return _copy_file(cached, ref, rel, batch, "cache")
        except LakeError as error:
            answers.add("cache", error)

    def use(spot: Spot, store: Store) -> None:
        staged = into_cache(lambda: batch.stage(rel))
        try:
            with store.get(spot.key) as stream:
                expect = Expect(ref.sha256, ref.size)
                for chunk in checked_chunks(stream, expect, source=spot.alias):
                    into_cache(lambda chunk=chunk: staged.write(chunk))  # type: ignore[misc]
        except BaseException:
            staged.discard()
            raise
        staged.publish_as(replace=False)

    return first_good(hub, ref, place, use, answers)


def _copy_file(source: Path | int, ref: BlobRef, rel: str, batch: Batch, name: str) -> None:
    from lake.fsio import copy_hashed

    staged = into_cache(lambda: batch.stage(rel))
    try:
        if copy_hashed(source, staged) != (ref.sha256, ref.size):
            raise IntegrityError(OTHER, where=name)
    except BaseException:
        staged.discard()
        raise
    staged.publish_as(replace=False)
