"""The read-only store over plain HTTP: objects that a web server gives out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lake.errors import Unsupported
from lake.store.keys import check_key
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
from lake.store.web import Web, escaped

if TYPE_CHECKING:
    from lake.store.credentials import CredentialSource
    from lake_schemas.remote import RemoteAddress

CONCURRENCY = 16


def from_address(
    address: RemoteAddress,
    *,
    credentials: CredentialSource | None = None,
    base: Path | None = None,
) -> HttpStore:
    """The store at an http(s) address; it is read without credentials."""
    return HttpStore(f"{address.scheme}://{address.bucket}", address.prefix, address.url)


class HttpStore(Store):
    """What lies below a path of a web server; reads only, and cannot list.

    Args:
        origin: scheme, host and port.
        prefix: the path, without slashes at its ends.
        url: the clean address that errors show.
    """

    def __init__(self, origin: str, prefix: str, url: str) -> None:
        self.url = url
        self.properties = StoreProperties(
            scheme=origin.partition(":")[0],
            writable=False,
            listable=False,
            conditional_put=False,
            concurrency=CONCURRENCY,
        )
        self._origin = origin
        self._path = f"/{escaped(prefix)}/" if prefix else "/"
        self._web = Web(origin, url)

    def get(self, key: str, *, start: int = 0, stop: int | None = None) -> Stream:
        path = self._path + escaped(check_key(key))
        if stop is not None and stop <= start:
            self._web.stat(path, key=key)
            return BytesStream(b"")
        answer = self._web.get(path, start, stop, key=key)
        if answer is None:
            return BytesStream(b"")
        return ChunkStream(answer.size, answer.chunks, answer.close)

    def stat(self, key: str) -> ObjectInfo:
        size, modified = self._web.stat(self._path + escaped(check_key(key)), key=key)
        return ObjectInfo(key, size, modified)

    def share_url(self, key: str, *, expires: float = 3600) -> str:
        """The object's own URL, which does not expire."""
        return self._origin + self._path + escaped(check_key(key))

    def put(
        self, key: Key, body: Body, *, expect: Expect | None = None, replace: bool = False
    ) -> PutResult:
        raise self._read_only()

    def delete(self, keys: Sequence[str]) -> None:
        raise self._read_only()

    def list(self, prefix: str = "", *, after: str = "") -> Iterator[ObjectInfo]:
        raise Unsupported("a web server does not list its objects", where=self.url)

    def close(self) -> None:
        self._web.close()

    def _read_only(self) -> Unsupported:
        return Unsupported(
            "a web server is read only", where=self.url, hint="push to another remote"
        )

    def __repr__(self) -> str:
        return f"HttpStore({self.url!r})"
