"""The contract of a store: a place that keeps objects under keys.

Eight methods, blocking, thread-safe. A store knows nothing of datasets or manifests. What cuts
across all stores (retry, verify, limit, fault injection) is a decorator around this contract.
Every store passes `lake.testing.StoreSuite`.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

CHUNK = 1 << 20
"""Bytes that streams hand over at a time, unless a backend has a size of its own."""


@dataclass(frozen=True, slots=True)
class Expect:
    """What some bytes must be: `sha256` as 64 lower-case hex digits, `size` in bytes."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """One object as a store lists it: `size` in bytes, `modified` in seconds since the epoch
    by the server's clock, or None where it does not say."""

    key: str
    size: int
    modified: float | None = None


@dataclass(frozen=True, slots=True)
class PutResult:
    """What `Store.put` did. `created` is False when the object already lay there."""

    key: str
    sha256: str
    size: int
    created: bool


@dataclass(frozen=True, slots=True)
class StoreProperties:
    """What a store can do, as data; callers look here and never at the class.

    Attributes:
        scheme: of the URL, "file", "s3", "gs", "https", "memory".
        writable: `put` and `delete` work.
        listable: `list` works.
        conditional_put: `put(replace=False)` is atomic on the server: one of many racers wins.
        ranged: `get(start, stop)` reads only that range from the backend.
        names_late: `put` takes a callable key and names the object after the bytes were hashed.
        staged: `put` becomes visible and durable only at `flush`; otherwise at return.
        root: for a folder, the directory in which `root / key` is the object's file.
        concurrency: how many blocking calls at once serve it well.
        fork_safe: an instance that the parent used still works in a forked child.
    """

    scheme: str
    writable: bool = True
    listable: bool = True
    conditional_put: bool = True
    ranged: bool = True
    names_late: bool = False
    staged: bool = False
    root: Path | None = None
    concurrency: int = 8
    fork_safe: bool = True


class Body(Protocol):
    """Bytes to put. `open` may be called again for a retry, and gives the same bytes anew."""

    @property
    def size(self) -> int: ...

    def open(self) -> Iterator[bytes]: ...


Key = str | Callable[[str], str]
"""An object's key, or (where `names_late`) a function from the sha256 to the key."""


class Stream(abc.ABC):
    """The bytes of one object (or a range), read once, in chunks. Close it, or use `with`."""

    size: int
    """Bytes this stream will give, as the backend announced them."""

    @abc.abstractmethod
    def __iter__(self) -> Iterator[bytes]: ...

    def close(self) -> None:  # noqa: B027 - most streams hold nothing
        """Let go of the connection; reading on is an error."""

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self) -> bytes:
        """All that is left, as one bytes object."""
        return b"".join(self)


class Store(abc.ABC):
    """A place that keeps objects under keys ("/"-separated, relative, no "." or ".." parts).

    Raises, from every method:
        RemoteError: the backend failed; `transient=True` when a retry may help.
        AccessDenied: credentials are missing, wrong or insufficient.
        NotFound: `get`, `stat`: no object under that key.
        Unsupported: the method is one that `properties` rules out.
    """

    url: str
    """The clean address: no user, password or token in it."""
    properties: StoreProperties

    @abc.abstractmethod
    def put(
        self, key: Key, body: Body, *, expect: Expect | None = None, replace: bool = False
    ) -> PutResult:
        """Keep `body` under `key`, hashing it on the way through, in one pass.

        The object appears whole or not at all. With `replace=False` an object that already lies
        there stays, and `created` is False. With `expect`, other bytes are never made visible,
        and an object that lies there with another size is damaged and gets replaced.

        Raises:
            IntegrityError: the body is not what `expect` says.
        """

    @abc.abstractmethod
    def get(self, key: str, *, start: int = 0, stop: int | None = None) -> Stream:
        """The bytes of an object from `start` up to, not including, `stop` (default: its end).

        Stores do not verify; `lake.store.verify` does.
        """

    @abc.abstractmethod
    def stat(self, key: str) -> ObjectInfo:
        """Size and time of one object."""

    @abc.abstractmethod
    def list(self, prefix: str = "", *, after: str = "") -> Iterator[ObjectInfo]:
        """Objects whose key starts with `prefix` and sorts after `after`, in key order (by
        UTF-8 bytes), lazily, page by page."""

    @abc.abstractmethod
    def delete(self, keys: Sequence[str]) -> None:
        """Remove objects; those that are not there count as removed."""

    def flush(self) -> None:  # noqa: B027 - nothing to do unless staged
        """Return once every `put` that has returned is durable and visible.

        Many threads put, one flushes: that is what makes a batch cheap. Where `staged` is
        False there is nothing to do.
        """

    def share_url(self, key: str, *, expires: float = 3600) -> str:
        """A URL from which the object can be read for `expires` seconds without credentials."""
        from lake.errors import Unsupported

        raise Unsupported("this store gives no shareable URLs", where=self.url)

    def close(self) -> None:  # noqa: B027 - some stores hold nothing
        """Let go of connections and of what was put but never flushed."""
