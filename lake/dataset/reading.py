"""How a view is to be read: which blobs to fetch ahead of their use, and how many at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from queue import Empty, Full, Queue
from typing import TypeVar

T = TypeVar("T")
J = TypeVar("J")

AHEAD_BYTES = 64 << 20
"""Bytes of blobs that one window of prefetched samples may hold."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How samples are to be read from their dataset directory.

    Attributes:
        window: samples whose blobs are fetched at once; 0 fetches each when it is used.
        keys: items to fetch, by the names they have in the view that is asked; None for all.
        without: items not to fetch.
        ahead: fetch the next window in the background while this one is used.
    """

    window: int = 0
    keys: frozenset[str] | None = None
    without: frozenset[str] = frozenset()
    ahead: bool = False

    def wants(self, name: str) -> bool:
        """Whether the blob of that name is to be fetched."""
        return (self.keys is None or name in self.keys) and name not in self.without

    def only(self, keys: Iterable[str]) -> Reading:
        """Fetching no other items than these."""
        kept = frozenset(keys)
        return replace(self, keys=kept if self.keys is None else self.keys & kept)


LAZY = Reading()
"""Nothing is fetched before it is used."""


def windows(jobs: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of up to `size` jobs."""
    stream = iter(jobs)
    while window := list(islice(stream, size)):
        yield window


def in_background(jobs: Iterator[J], do: Callable[[J], T]) -> Iterator[T]:
    """`map(do, jobs)`, one result ahead: a thread works on the next while this one is used.

    An exception out of `do` or `jobs` is raised where its result would have been. Leaving early
    ends the thread.
    """
    results: Queue[tuple[bool, T | BaseException | None]] = Queue(maxsize=1)
    left = threading.Event()

    def put(good: bool, result: T | BaseException | None) -> bool:
        while not left.is_set():
            try:
                results.put((good, result), timeout=0.1)
                return True
            except Full:
                continue
        return False

    def work() -> None:
        try:
            for job in jobs:
                if not put(True, do(job)):
                    return
        except BaseException as error:
            put(False, error)
        else:
            put(False, None)

    thread = threading.Thread(target=work, name="lake-prefetch", daemon=True)
    thread.start()
    try:
        while True:
            good, result = _wait(results, thread)
            if good:
                yield result  # type: ignore[misc]
            elif result is None:
                return
            else:
                raise result  # type: ignore[misc]
    finally:
        left.set()


def _wait(
    results: Queue[tuple[bool, T | BaseException | None]], thread: threading.Thread
) -> tuple[bool, T | BaseException | None]:
    while True:
        try:
            return results.get(timeout=5)
        except Empty:
            # A forked child that goes on with its parent's iterator has no thread to wait for.
            if not thread.is_alive() and results.empty():
                return False, RuntimeError("an iterator with prefetch cannot cross a fork")
