"""Fetch blobs into the cache, so that later reads need no remote."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lake.errors import BlobUnavailable, LakeError, NotFound
from lake.progress import Progress, Silent
from lake.transfer.chunks import BIG
from lake.transfer.download import RANGES, CacheFailed, download, into_cache
from lake.transfer.first import Answers, first_good
from lake.transfer.links import own_size
from lake.transfer.many import MOST_THREADS
from lake.transfer.mention import Mention, Windows
from lake.transfer.nearby import spot_path
from lake.transfer.target import FOLDER_THREADS

if TYPE_CHECKING:
    from lake.store.store import Store
    from lake.transfer.hub import Hub
    from lake.transfer.sources import Spot
    from lake_schemas.blob import BlobRef

BIG_AT_ONCE = 4
"""Big blobs fetched at a time; each keeps a connection busy."""


@dataclass(slots=True)
class PullReport:
    """What a pull found and did; counts of different blobs.

    Attributes:
        files: lie in the dataset's own files.
        cached: were in the cache already.
        fetched: are there now (in a dry run: would be).
        size: bytes fetched.
        failures: the first 1,000 errors.
    """

    files: int = 0
    cached: int = 0
    fetched: int = 0
    failed: int = 0
    size: int = 0
    failures: list[LakeError] = field(default_factory=list)


def pull_blobs(
    hub: Hub,
    mentions: Iterable[Mention],
    *,
    jobs: int | None = None,
    progress: Progress | None = None,
    keep_going: bool = False,
    dry_run: bool = False,
) -> PullReport:
    """Have every blob on this machine: in the dataset's own files, or in the cache.

    Own files are taken at their size; whoever reads them hashes them.

    Raises:
        BlobUnavailable: no source served a blob; with `keep_going` it is in the report.
        DiskError: the cache cannot take more.
    """
    work = _Pull(hub, progress or Silent(), keep_going, dry_run)
    for window in Windows(mentions):
        far = [mention for mention in window if not work.is_here(mention)]
        if dry_run:
            work.report.fetched += len(far)
            work.report.size += sum(mention.ref.size for mention in far)
            continue
        big = [mention for mention in far if mention.ref.size >= BIG]
        small = [mention for mention in far if mention.ref.size < BIG]
        threads = jobs or _threads(hub, small)
        hub.crew.run(small, work.fetch, threads=max(1, min(threads, len(small))))
        at_once = min(jobs or BIG_AT_ONCE, BIG_AT_ONCE, max(1, len(big)))
        work.ranges = max(1, RANGES // at_once)
        hub.crew.run(big, work.fetch, threads=at_once)
    return work.report


class _Pull:
    def __init__(self, hub: Hub, progress: Progress, keep_going: bool, dry_run: bool) -> None:
        self._hub = hub
        self._progress = progress
        self._keep_going = keep_going
        self._lock = threading.Lock()
        self.ranges = 1
        self.report = PullReport()

    def is_here(self, mention: Mention) -> bool:
        ref, root = mention.ref, mention.place.root or Path()
        if ref.file is not None and own_size(self._hub, root, ref.file) == ref.size:
            self.report.files += 1
        elif self._hub.cache.get_path(ref.sha256, ref.size) is not None:
            self.report.cached += 1
        else:
            return False
        self._progress.advance(items=1, size=ref.size)
        return True

    def fetch(self, mention: Mention) -> None:
        """Fetch one blob."""
        ref, answers = mention.ref, Answers()
        if ref.file is not None:
            answers.add(f"file {ref.file}", NotFound("it is missing, or of another size"))
        try:
            first_good(self._hub, ref, mention.place, partial(self._get, ref), answers)
        except CacheFailed as failure:
            raise failure.error from None
        except BlobUnavailable as error:
            error.where = f"{mention.name}, {error.where}"
            if not self._keep_going:
                raise
            with self._lock:
                self.report.failed += 1
                if len(self.report.failures) < 1000:
                    self.report.failures.append(error)
        else:
            with self._lock:
                self.report.fetched += 1
                self.report.size += ref.size
        self._progress.advance(items=1)

    def _get(self, ref: BlobRef, spot: Spot, store: Store) -> None:
        if spot.opened.root is None:
            download(self._hub, ref, spot, store, ranges=self.ranges, flowed=self._flowed)
            return
        path = spot_path(self._hub, spot, ref)
        into_cache(lambda: self._hub.cache.add_file(ref.sha256, ref.size, path))
        self._flowed(ref.size)

    def _flowed(self, size: int) -> None:
        self._progress.advance(size=size)


def _threads(hub: Hub, mentions: Sequence[Mention]) -> int:
    best = FOLDER_THREADS
    for place, aliases in {(mention.place, mention.ref.aliases) for mention in mentions}:
        for alias in aliases:
            with contextlib.suppress(LakeError):
                opened = hub.reach(place, alias)
                if opened.root is None:
                    best = max(best, opened.store.properties.concurrency)
    return min(best, MOST_THREADS)
