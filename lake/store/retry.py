"""The decorator that tries again: transient failures only, with backoff and full jitter."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from lake.errors import RemoteError
from lake.store.store import Body, Expect, Key, ObjectInfo, PutResult, Store, Stream
from lake.store.wrap import WrappedStore

T = TypeVar("T")


class Retry(WrappedStore):
    """Repeats what failed with `RemoteError(transient=True)`; everything else passes at once.

    Args:
        inner: the store to call.
        tries: calls in all, the first included, per piece of progress: a stream that broke goes
            on at the byte it had reached, a listing after the last key, and each starts counting
            anew.
        base, cap: seconds; before try n+1 it sleeps a random time up to
            `min(cap, base * 2 ** n)`.
        sleep, seed: for tests.
    """

    def __init__(
        self,
        inner: Store,
        tries: int = 10,
        base: float = 0.1,
        cap: float = 20.0,
        sleep: Callable[[float], None] = time.sleep,
        seed: int | None = None,
    ) -> None:
        super().__init__(inner)
        self.tries = tries
        self._base = base
        self._cap = cap
        self._sleep = sleep
        self._random = random.Random(seed)  # noqa: S311 - jitter, not a secret
        self._lock = threading.Lock()

    def put(
        self, key: Key, body: Body, *, expect: Expect | None = None, replace: bool = False
    ) -> PutResult:
        return self._call(lambda: self.inner.put(key, body, expect=expect, replace=replace))

    def get(self, key: str, *, start: int = 0, stop: int | None = None) -> Stream:
        opened = self._call(lambda: self.inner.get(key, start=start, stop=stop))
        return _ResumedStream(self, opened, key, start)

    def stat(self, key: str) -> ObjectInfo:
        return self._call(lambda: self.inner.stat(key))

    def list(self, prefix: str = "", *, after: str = "") -> Iterator[ObjectInfo]:
        failures = 0
        while True:
            try:
                for info in self.inner.list(prefix, after=after):
                    yield info
                    after, failures = info.key, 0
                return
            except RemoteError as error:
                failures = self.wait(error, failures)

    def delete(self, keys: Sequence[str]) -> None:
        self._call(lambda: self.inner.delete(keys))

    def flush(self) -> None:
        self._call(self.inner.flush)

    def wait(self, error: RemoteError, failures: int) -> int:
        """Sleep before another try and return the new count, or raise when there is no sense."""
        failures += 1
        if not error.transient or failures >= self.tries:
            raise error
        with self._lock:
            share = self._random.random()
        self._sleep(share * min(self._cap, self._base * 2 ** (failures - 1)))
        return failures

    def _call(self, function: Callable[[], T]) -> T:
        failures = 0
        while True:
            try:
                return function()
            except RemoteError as error:
                failures = self.wait(error, failures)


class _ResumedStream(Stream):
    """Opens the rest of the object anew whenever the stream breaks or ends early."""

    def __init__(self, retry: Retry, stream: Stream, key: str, start: int) -> None:
        self.size = stream.size
        self._retry = retry
        self._stream = stream
        self._key = key
        self._at = start
        self._stop = start + stream.size

    def __iter__(self) -> Iterator[bytes]:
        failures = 0
        try:
            while True:
                try:
                    for chunk in self._stream:
                        self._at += len(chunk)
                        failures = 0
                        yield chunk
                    if self._at >= self._stop:
                        return
                    raise RemoteError(
                        f"the stream ended {self._stop - self._at} bytes early",
                        transient=True,
                        where=f"{self._retry.url} {self._key}",
                    )
                except RemoteError as error:
                    failures = self._reopen(error, failures)
        finally:
            self.close()

    def _reopen(self, error: RemoteError, failures: int) -> int:
        self._stream.close()
        while True:
            failures = self._retry.wait(error, failures)
            try:
                self._stream = self._retry.inner.get(self._key, start=self._at, stop=self._stop)
                return failures
            except RemoteError as again:
                error = again

    def close(self) -> None:
        self._stream.close()
