"""A store over a client library: the parts of the contract that all object storage shares.

A driver is a `Wire`: the few calls that its library offers, with its errors translated. What
makes a store of them (keys, hashing, conditional writes, parts in bounded memory) is here.
"""

from __future__ import annotations

import abc
import hashlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from dataclasses import replace as _replace
from typing import TYPE_CHECKING, ClassVar

from lake.config.endpoint import endpoint_of
from lake.errors import IntegrityError, NotFound, RemoteError, Unsupported, UsageError
from lake.store.body import in_memory
from lake.store.endpoints import is_providers_own
from lake.store.keys import check_key, check_prefix
from lake.store.store import (
    Body,
    Expect,
    Key,
    ObjectInfo,
    PutResult,
    Store,
    StoreProperties,
    Stream,
)
from lake.store.stream import BytesStream, ChunkStream
from lake.store.verify import check_digest

if TYPE_CHECKING:
    from collections.abc import Callable

    from lake_schemas.remote import RemoteAddress

PART = 8 << 20
"""Bytes of a part; objects up to this size go in one request."""
_MOST_PARTS = 9_000  # S3 allows 10,000


class Occupied(Exception):
    """A conditional write found an object in its place."""


class Unconditional(Exception):
    """The server does not know conditional writes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The bytes of an object on their way: `size` of them, in `chunks`."""

    size: int
    chunks: Iterator[bytes]
    close: Callable[[], None]


def unnameable(url: str, key: str | None) -> RemoteError:
    """The error for a listing that comes to a key which no lake store takes."""
    found = f" ({key})" if key else ""
    return RemoteError(
        f"it holds an object whose key lake cannot name{found}",
        where=url,
        hint="rename that object, or name a prefix without it in the remote",
    )


class Wire(abc.ABC):
    """What a client library can do. Keys are whole: the store's prefix is in them.

    Every method raises lake's errors, and no other.
    """

    joins: ClassVar[bool] = False
    """`put_parts` makes parts of one length itself, out of whatever chunks it is given."""

    @abc.abstractmethod
    def put(self, key: str, data: bytes, *, absent: bool) -> None:
        """Write an object in one request; with `absent` only where none is.

        Raises:
            Occupied: there is one.
            Unconditional: the server cannot tell.
        """

    @abc.abstractmethod
    def put_parts(self, key: str, size: int, parts: Iterator[bytes], *, absent: bool) -> None:
        """Write an object of `size` bytes part by part; when `parts` raises, nothing is left.

        All parts but the last are equally long, unless the wire `joins`. Raises as `put` does.
        """

    @abc.abstractmethod
    def get(self, key: str, start: int, stop: int | None) -> Answer | None:
        """A range of an object that is not empty; None when the object ends before it."""

    @abc.abstractmethod
    def stat(self, key: str) -> tuple[int, float | None]:
        """Size in bytes and time of change in seconds since the epoch."""

    @abc.abstractmethod
    def list(self, prefix: str, after: str) -> Iterator[tuple[str, int, float | None]]:
        """Key, size and time of what starts with `prefix` and sorts after `after`, in order."""

    @abc.abstractmethod
    def delete(self, keys: Sequence[str]) -> None:
        """Remove objects; those that are not there count as removed."""

    def share_url(self, key: str, expires: float) -> str:
        """A URL that is valid for so many seconds."""
        raise Unsupported("this store gives no shareable URLs")

    def close(self) -> None:  # noqa: B027 - not every library has something to let go of
        """Let go of connections."""


class WireStore(Store):
    """A store over a wire. Fork-safe where its wire is."""

    def __init__(self, address: RemoteAddress, wire: Wire, properties: StoreProperties) -> None:
        self.url = address.url
        self.properties = properties
        self._prefix = address.key("") if address.prefix else ""
        self._wire = wire
        # The providers keep their word; of any other server it is found out at the first put.
        self._proven = is_providers_own(address.scheme, endpoint_of(address) or "")
        self._proving = threading.Lock()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"

    # -- put

    def put(
        self, key: Key, body: Body, *, expect: Expect | None = None, replace: bool = False
    ) -> PutResult:
        if not isinstance(key, str):
            raise Unsupported("this store must know the key before the bytes", where=self.url)
        check_key(key)
        if expect is not None and body.size != expect.size:
            raise IntegrityError(f"{body.size} bytes instead of {expect.size}", where=self.url)
        if body.size <= PART:
            return self._put_whole(key, body, expect, replace)
        return self._put_parts(key, body, expect, replace)

    def _put_whole(self, key: str, body: Body, expect: Expect | None, replace: bool) -> PutResult:
        held = in_memory(body)
        data, sha256 = held.data, held.sha256
        if len(data) != body.size:
            raise IntegrityError(f"{len(data)} bytes instead of {body.size}", where=self.url)
        if expect is not None:
            check_digest(sha256, len(data), expect, source=self.url)

        def send(absent: bool) -> None:
            self._wire.put(self._prefix + key, data, absent=absent)

        if not replace and not self._proven:
            created = self._write_proving(key, expect, send)
        else:
            created = self._write(key, expect, replace, send)
        return PutResult(key, sha256, len(data), created)

    def _put_parts(self, key: str, body: Body, expect: Expect | None, replace: bool) -> PutResult:
        if not replace and (expect is not None or not self._proven):
            there = self._size(key)
            if there is not None and (expect is None or there == expect.size):
                digest = _digest(body) if expect is None else expect.sha256
                return PutResult(key, digest, body.size, created=False)
        found = ""

        def send(absent: bool) -> None:
            nonlocal found
            parts = _Parts(body, expect, self.url, joined=not self._wire.joins)
            self._wire.put_parts(self._prefix + key, body.size, iter(parts), absent=absent)
            found = parts.sha256

        created = self._write(key, expect, replace, send)
        if not found:
            found = expect.sha256 if expect is not None else _digest(body)
        return PutResult(key, found, body.size, created)

    def _write_proving(self, key: str, expect: Expect | None, send: Callable[[bool], None]) -> bool:
        """The first write to a server of which nobody knows whether it heeds conditions.

        Some do not, and would silently overwrite. So it is asked what is there, and after the
        write the same bytes are offered once more: a server that takes them heeds nothing.
        """
        with self._proving:
            if self._proven:
                return self._write(key, expect, False, send)
            size = self._size(key)
            if size is not None:
                return self._mend(size, expect, send)
            created = self._write(key, expect, False, send)
            if self.properties.conditional_put:
                with suppress(Occupied):
                    send(True)
                    self.properties = _replace(self.properties, conditional_put=False)
            self._proven = True
            return created

    def _write(
        self, key: str, expect: Expect | None, replace: bool, send: Callable[[bool], None]
    ) -> bool:
        """Send what is not there yet, or is there with another size than its digest's."""
        if replace:
            send(False)
            return True
        if self.properties.conditional_put:
            try:
                send(True)
                return True
            except Occupied:
                pass
            except Unconditional:
                self.properties = _replace(self.properties, conditional_put=False)
        return self._mend(self._size(key), expect, send)

    def _mend(self, size: int | None, expect: Expect | None, send: Callable[[bool], None]) -> bool:
        """Send when nothing is there, or what is there (`size` bytes) is damaged."""
        if size is not None and (expect is None or size == expect.size):
            return False
        send(False)
        return True

    def _size(self, key: str) -> int | None:
        try:
            return self._wire.stat(self._prefix + key)[0]
        except NotFound:
            return None

    # -- get, list, delete

    def get(self, key: str, *, start: int = 0, stop: int | None = None) -> Stream:
        whole = self._prefix + check_key(key)
        if stop is not None and stop <= start:
            self._wire.stat(whole)
            return BytesStream(b"")
        answer = self._wire.get(whole, start, stop)
        if answer is None:
            return BytesStream(b"")
        return ChunkStream(answer.size, answer.chunks, answer.close)

    def stat(self, key: str) -> ObjectInfo:
        size, modified = self._wire.stat(self._prefix + check_key(key))
        return ObjectInfo(key, size, modified)

    def list(self, prefix: str = "", *, after: str = "") -> Iterator[ObjectInfo]:
        check_prefix(prefix)
        whole, begin = self._prefix + prefix, len(self._prefix)
        for key, size, modified in self._wire.list(whole, self._prefix + after if after else ""):
            if key.endswith("/"):
                continue  # what some tools leave for an empty directory
            yield ObjectInfo(self._nameable(key[begin:]), size, modified)

    def _nameable(self, key: str) -> str:
        try:
            return check_key(key)
        except UsageError as error:
            raise unnameable(self.url, error.where) from None

    def delete(self, keys: Sequence[str]) -> None:
        whole = [self._prefix + check_key(key) for key in keys]
        if whole:
            self._wire.delete(whole)

    def share_url(self, key: str, *, expires: float = 3600) -> str:
        return self._wire.share_url(self._prefix + check_key(key), expires)

    def close(self) -> None:
        self._wire.close()


class _Parts:
    """A body in parts, of one length if `joined`, hashed on the way; the last one comes only
    once size and digest are known to be right."""

    def __init__(self, body: Body, expect: Expect | None, source: str, *, joined: bool) -> None:
        self.sha256 = ""
        self._body = body
        self._expect = expect
        self._source = source
        self._length = max(PART, -(-body.size // _MOST_PARTS)) if joined else 0

    def __iter__(self) -> Iterator[bytes]:
        digest, held, size = hashlib.sha256(), bytearray(), 0
        for chunk in self._body.open():
            digest.update(chunk)
            size += len(chunk)
            if not self._length and held and chunk:
                yield bytes(held)
                held.clear()
            held += chunk
            while 0 < self._length < len(held):
                yield bytes(held[: self._length])
                del held[: self._length]
        if size != self._body.size:
            raise IntegrityError(f"{size} bytes instead of {self._body.size}", where=self._source)
        found = digest.hexdigest()
        if self._expect is not None and found != self._expect.sha256:
            raise IntegrityError(
                "the bytes are not those that the digest names", where=self._source
            )
        self.sha256 = found
        yield bytes(held)


def _digest(body: Body) -> str:
    digest = hashlib.sha256()
    for chunk in body.open():
        digest.update(chunk)
    return digest.hexdigest()
