"""Many blobs at once: what is on this machine by the caller itself, the rest by many threads."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lake.transfer.first import Answers
from lake.transfer.sources import spots

if TYPE_CHECKING:
    from lake.transfer.fetch import Fetcher
    from lake.transfer.opened import Opened
    from lake.transfer.place import Place
    from lake_schemas.blob import BlobRef

MOST_THREADS = 64
SLOW = 0.002
"""Seconds a read from a folder may take before it is worth a thread of its own: on a local disk
threads only take the interpreter from each other, on a network drive they hide its latency."""

Wants = Sequence[tuple["BlobRef", "Place"]]


def read_many(fetcher: Fetcher, wants: Wants) -> list[bytes]:
    """See `Fetcher.read_many`."""
    results: list[bytes | None] = [None] * len(wants)
    far: dict[str, tuple[list[int], Answers]] = {}
    threads = 1
    for number, (ref, place) in enumerate(wants):
        if ref.sha256 in far:
            far[ref.sha256][0].append(number)
            continue
        answers = Answers()
        data = fetcher.read_here(ref, place, answers)
        if data is None:
            first = next(spots(fetcher.hub, ref, place), None)
            if first is not None and is_quick(first.opened):
                began = time.perf_counter()
                data = fetcher.read_remote(ref, place, answers)
                first.opened.took(time.perf_counter() - began)
            else:
                far[ref.sha256] = ([number], answers)
                if first is not None:
                    threads = max(threads, first.opened.store.properties.concurrency)
        results[number] = data

    def fetch(sha256: str) -> None:
        numbers, answers = far[sha256]
        data = fetcher.read_remote(*wants[numbers[0]], answers)
        for number in numbers:
            results[number] = data

    fetcher.hub.crew.run(far, fetch, threads=min(threads, MOST_THREADS, len(far)))
    return [data for data in results if data is not None]


def paths_many(fetcher: Fetcher, wants: Wants) -> list[Path]:
    """See `Fetcher.paths_many`."""
    return _each(fetcher, wants, fetcher.path)


def is_quick(opened: Opened) -> bool:
    """Whether reading from this remote is no more than reading a file on a local disk."""
    return opened.root is not None and opened.seconds < SLOW


def _each(fetcher: Fetcher, wants: Wants, do: Callable[[BlobRef, Place], Path]) -> list[Path]:
    results: dict[int, Path] = {}

    def one(number: int) -> None:
        results[number] = do(*wants[number])

    threads = min(threads_for(fetcher, wants), len(wants))
    fetcher.hub.crew.run(range(len(wants)), one, threads=threads)
    return [results[number] for number in range(len(wants))]


def threads_for(fetcher: Fetcher, wants: Wants) -> int:
    """How many threads suit the remotes that some blobs are first looked for in."""
    best = 2
    for place, aliases in {(place, ref.aliases): None for ref, place in wants}:
        for alias in aliases:
            opened = fetcher.hub.reach(place, alias)
            if not is_quick(opened):
                best = max(best, opened.store.properties.concurrency)
    return min(best, MOST_THREADS)
