"""The decorator that holds back: calls at once, and bytes a second."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from lake.store.store import Body, Expect, Key, ObjectInfo, PutResult, Store, Stream
from lake.store.stream import ChunkStream
from lake.store.wrap import WrappedStore


class Limit(WrappedStore):
    """Lets at most `calls` calls run at once, and moves at most `bytes_per_second`, both ways.

    A stream holds its place only while it fetches a chunk, so that copying within one store
    cannot lock itself out.
    """

    def __init__(
        self,
        inner: Store,
        calls: int | None = None,
        bytes_per_second: float | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(inner)
        self._places = threading.Semaphore(calls) if calls else None
        self._rate = bytes_per_second
        self._sleep = sleep
        self._clock = clock
        self._lock = threading.Lock()
        self._free_at = clock()
        self._holding = threading.local()

    def put(
        self, key: Key, body: Body, *, expect: Expect | None = None, replace: bool = False
    ) -> PutResult:
        with self._place():
            return self.inner.put(key, _PacedBody(body, self), expect=expect, replace=replace)

    def get(self, key: str, *, start: int = 0, stop: int | None = None) -> Stream:
        with self._place():
            stream = self.inner.get(key, start=start, stop=stop)
        return ChunkStream(stream.size, self._chunks(stream), stream.close)

    def stat(self, key: str) -> ObjectInfo:
        with self._place():
            return self.inner.stat(key)

    def list(self, prefix: str = "", *, after: str = "") -> Iterator[ObjectInfo]:
        infos = self.inner.list(prefix, after=after)
        while True:
            with self._place():
                info = next(infos, None)
            if info is None:
                return
            yield info

    def delete(self, keys: Sequence[str]) -> None:
        with self._place():
            self.inner.delete(keys)

    def pace(self, size: int) -> None:
        """Sleep as long as these bytes take at the allowed rate."""
        if not self._rate:
            return
        with self._lock:
            now = self._clock()
            self._free_at = max(self._free_at, now) + size / self._rate
            pause = self._free_at - now
        if pause > 0:
            self._sleep(pause)

    def _chunks(self, stream: Stream) -> Iterator[bytes]:
        chunks = iter(stream)
        while True:
            with self._place():
                chunk = next(chunks, None)
            if chunk is None:
                return
            self.pace(len(chunk))
            yield chunk

    @contextmanager
    def _place(self) -> Iterator[None]:
        # A put whose body streams from this same store holds a place already.
        if self._places is None or getattr(self._holding, "yes", False):
            yield
            return
        with self._places:
            self._holding.yes = True
            try:
                yield
            finally:
                self._holding.yes = False


class _PacedBody:
    def __init__(self, body: Body, limit: Limit) -> None:
        self._body = body
        self._limit = limit

    @property
    def size(self) -> int:
        return self._body.size

    def open(self) -> Iterator[bytes]:
        for chunk in self._body.open():
            self._limit.pace(len(chunk))
            yield chunk
