"""A store that fails on purpose, by a plan."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal, TypeVar

from lake.errors import AccessDenied, NotFound, RemoteError
from lake.store.store import Body, Expect, Key, ObjectInfo, PutResult, Store, Stream
from lake.store.stream import ChunkStream, cut
from lake.store.wrap import WrappedStore

Fault = Literal[
    "pass",
    "refuse",  # fails before it does anything; may pass later
    "lost",  # does it, and the answer is lost
    "permanent",  # fails, and always will
    "denied",
    "missing",
    "break",  # the stream stops half-way with an error
    "short",  # the stream ends half-way as if that were all
    "flip",  # one bit of the stream is another
    "more",  # the stream gives bytes that the object does not have
]
Plan = Iterable[Fault] | Callable[[str, str], Fault]
"""The fault of each call in turn (then none), or a function of the operation and the key."""

T = TypeVar("T")
_STREAM_FAULTS = ("break", "short", "flip", "more")


class FaultStore(WrappedStore):
    """Does what `inner` does, except where the plan says otherwise.

    `log` holds (operation, key, fault) of every call. Faults of streams mean nothing to other
    operations, which then pass.

    >>> from lake.store import BytesBody
    >>> from lake.store.memory import MemoryStore
    >>> store = FaultStore(MemoryStore(), ["lost"])
    >>> store.put("k", BytesBody(b"v"))
    Traceback (most recent call last):
    lake.errors.RemoteError: the answer was lost (planned fault): put k
    >>> store.put("k", BytesBody(b"v")).created
    False
    """

    def __init__(self, inner: Store, plan: Plan) -> None:
        super().__init__(inner)
        self.log: list[tuple[str, str, Fault]] = []
        self._lock = threading.Lock()
        self._plan = plan if callable(plan) else _in_turn(plan)

    def put(
        self, key: Key, body: Body, *, expect: Expect | None = None, replace: bool = False
    ) -> PutResult:
        name = key if isinstance(key, str) else "(named late)"
        return self._do(
            "put", name, lambda: self.inner.put(key, body, expect=expect, replace=replace)
        )

    def get(self, key: str, *, start: int = 0, stop: int | None = None) -> Stream:
        fault = self._next("get", key)
        _before(fault, "get", key)
        stream = self.inner.get(key, start=start, stop=stop)
        if fault == "lost":
            stream.close()
        _after(fault, "get", key)
        if fault not in _STREAM_FAULTS:
            return stream
        return ChunkStream(stream.size, _spoil(stream, fault, key), stream.close)

    def stat(self, key: str) -> ObjectInfo:
        return self._do("stat", key, lambda: self.inner.stat(key))

    def list(self, prefix: str = "", *, after: str = "") -> Iterator[ObjectInfo]:
        return self._do("list", prefix, lambda: self.inner.list(prefix, after=after))

    def delete(self, keys: Sequence[str]) -> None:
        self._do("delete", " ".join(keys), lambda: self.inner.delete(keys))

    def flush(self) -> None:
        self._do("flush", "", self.inner.flush)

    def _next(self, operation: str, key: str) -> Fault:
        with self._lock:
            fault = self._plan(operation, key)
            self.log.append((operation, key, fault))
        return fault

    def _do(self, operation: str, key: str, function: Callable[[], T]) -> T:
        fault = self._next(operation, key)
        _before(fault, operation, key)
        result = function()
        _after(fault, operation, key)
        return result


def chance(
    probability: float,
    faults: Sequence[Fault] = ("refuse", "lost", "break", "short"),
    seed: int = 0,
) -> Callable[[str, str], Fault]:
    """A plan under which each call fails with this probability, in one of these ways."""
    drawn = random.Random(seed)  # noqa: S311 - a test wants the same faults again

    def plan(operation: str, key: str) -> Fault:
        return drawn.choice(faults) if drawn.random() < probability else "pass"

    return plan


def _in_turn(faults: Iterable[Fault]) -> Callable[[str, str], Fault]:
    left = iter(faults)

    def plan(operation: str, key: str) -> Fault:
        return next(left, "pass")

    return plan


def _before(fault: Fault, operation: str, key: str) -> None:
    where = f"{operation} {key}"
    if fault == "refuse":
        raise RemoteError("refused (planned fault)", transient=True, where=where)
    if fault == "permanent":
        raise RemoteError("refused for good (planned fault)", where=where)
    if fault == "denied":
        raise AccessDenied("access denied (planned fault)", where=where)
    if fault == "missing":
        raise NotFound("no such object (planned fault)", where=where)


def _after(fault: Fault, operation: str, key: str) -> None:
    if fault == "lost":
        raise RemoteError(
            "the answer was lost (planned fault)", transient=True, where=f"{operation} {key}"
        )


def _spoil(stream: Stream, fault: Fault, key: str) -> Iterator[bytes]:
    half = stream.size // 2
    if fault in ("break", "short"):
        yield from cut(iter(stream), 0, half)
        if fault == "break":
            raise RemoteError("the stream broke (planned fault)", transient=True, where=key)
        return
    at = 0
    for chunk in stream:
        inside = half - at
        at += len(chunk)
        if fault == "flip" and 0 <= inside < len(chunk):
            flipped = bytes([chunk[inside] ^ 1])
            yield chunk[:inside] + flipped + chunk[inside + 1 :]
        else:
            yield chunk
    if fault == "more":
        yield b"\0"
