"""Bring one blob out of a remote into the cache: streamed, or by several ranges at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from lake.errors import DiskError, InputError, IntegrityError, LakeError, RemoteError
from lake.store.cache.partial import PartialWriter
from lake.store.store import Expect, Store
from lake.store.verify import read_verified
from lake.transfer.chunks import BIG
from lake.transfer.sources import FEW_TRIES
from lake.transfer.spread import SMALL

if TYPE_CHECKING:
    from lake.store.cache import CacheWriter
    from lake.transfer.crew import Crew
    from lake.transfer.hub import Hub
    from lake.transfer.sources import Spot
    from lake_schemas.blob import BlobRef

T = TypeVar("T")

PIECE = 8 << 20
"""Bytes asked for at a time when a blob is fetched by ranges."""
RANGES = 4
"""Ranges of one blob fetched at a time; each holds a piece in memory."""


class CacheFailed(Exception):
    """The cache could not take a blob, through no fault of its source; `error` says why.

    Never leaves this package.
    """

    def __init__(self, error: LakeError) -> None:
        super().__init__(error)
        self.error = error


def download(
    hub: Hub,
    ref: BlobRef,
    spot: Spot,
    store: Store,
    *,
    ranges: int = RANGES,
    flowed: Callable[[int], None] | None = None,
) -> Path:
    """The blob's path in the cache, once it is there and verified.

    Args:
        ranges: how many ranges of a big blob to fetch at a time.
        flowed: called with the number of bytes of each piece.

    Raises:
        IntegrityError: the remote gave other bytes.
        CacheFailed: the disk is full, say.
    """
    if ref.size <= SMALL:
        expect = Expect(ref.sha256, ref.size)
        data = read_verified(store, spot.key, expect, source=spot.alias, tries=spot.tries)
        if flowed is not None:
            flowed(len(data))
        return into_cache(lambda: hub.cache.add_bytes(ref.sha256, data))
    left = FEW_TRIES
    while True:
        left -= 1
        with into_cache(lambda: _writer(hub, ref, store)) as writer:
            resumed = writer.done if isinstance(writer, PartialWriter) else 0
            line = _Line(writer, flowed)
            try:
                if ranges > 1 and store.properties.ranged and ref.size - resumed > PIECE:
                    _by_ranges(hub.crew, store, spot.key, resumed, ref.size, ranges, line)
                else:
                    _in_one(store, spot.key, resumed, line)
                return into_cache(writer.commit)
            except IntegrityError:
                # A bit may have flipped on the wire; and what an earlier process left may be
                # what is bad, but that is gone now.
                if not resumed and left <= 0:
                    raise


def _writer(hub: Hub, ref: BlobRef, store: Store) -> CacheWriter | PartialWriter:
    if ref.size >= BIG and store.properties.ranged:
        partial = hub.cache.resume(ref.sha256, ref.size)
        if partial is not None:
            return partial
    return hub.cache.writer(ref.sha256, ref.size)


def into_cache(do: Callable[[], T]) -> T:
    """What `do` returns; its troubles with this machine's disk become CacheFailed."""
    try:
        return do()
    except (DiskError, InputError) as error:
        raise CacheFailed(error) from error


class _Line:
    """Where pieces wait for their turn to be written."""

    def __init__(
        self, writer: CacheWriter | PartialWriter, flowed: Callable[[int], None] | None
    ) -> None:
        self._writer = writer
        self._flowed = flowed
        self._turn = threading.Condition()
        self._next = 0
        self._broken = False

    def write(self, data: bytes) -> None:
        into_cache(lambda: self._writer.write(data))
        if self._flowed is not None:
            self._flowed(len(data))

    def write_in_turn(self, number: int, data: bytes) -> None:
        """Write piece `number`, after all before it."""
        with self._turn:
            while self._next != number and not self._broken:
                self._turn.wait()
            if self._broken:
                return
            self.write(data)
            self._next += 1
            self._turn.notify_all()

    def give_up(self) -> None:
        """Let all who wait go on: a piece before theirs will never come."""
        with self._turn:
            self._broken = True
            self._turn.notify_all()


def _in_one(store: Store, key: str, start: int, line: _Line) -> None:
    with store.get(key, start=start) as stream:
        for chunk in stream:
            line.write(chunk)


def _by_ranges(
    crew: Crew, store: Store, key: str, done: int, size: int, ranges: int, line: _Line
) -> None:
    def fetch(number: int) -> None:
        start = done + number * PIECE
        stop = min(size, start + PIECE)
        try:
            with store.get(key, start=start, stop=stop) as stream:
                data = stream.read()
            if len(data) != stop - start:
                raise RemoteError(
                    f"{len(data)} bytes instead of {stop - start}", where=f"{store.url} {key}"
                )
            line.write_in_turn(number, data)
        except BaseException:
            line.give_up()
            raise

    # Pieces are handed out in order, so the one that all others wait for is always under way.
    crew.run(range(-(-(size - done) // PIECE)), fetch, threads=ranges)
