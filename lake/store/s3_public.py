"""Reading a public bucket without keys, over connections that go nowhere else.

Anybody's dataset may name any public bucket, so what is read there never follows a redirect to
another server; see `lake.store.web`.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import quote, urlsplit

from lake.errors import AccessDenied, RemoteError
from lake.store.s3_options import endpoint_of_bucket
from lake.store.store import StoreProperties
from lake.store.web import Web, escaped
from lake.store.wire import Answer, Wire, WireStore

if TYPE_CHECKING:
    from lake.store.credentials import CredentialSource
    from lake_schemas.remote import RemoteAddress

_MOST_LISTED = 16 << 20
"""Bytes of one page of a listing; 1,000 of the longest keys are less."""


def from_address(
    address: RemoteAddress,
    *,
    credentials: CredentialSource | None = None,
    base: Path | None = None,
) -> WireStore:
    """The store at an S3 address, unsigned, so read only."""
    properties = StoreProperties(scheme="s3", writable=False, conditional_put=False, concurrency=16)
    return WireStore(address, PublicWire(address), properties)


class PublicWire(Wire):
    """Plain GET and HEAD requests; each process has connections of its own."""

    def __init__(self, address: RemoteAddress) -> None:
        self._address = address
        endpoint, virtual = endpoint_of_bucket(address)
        parts = urlsplit(endpoint)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._root = parts.path.rstrip("/") + ("" if virtual else f"/{address.bucket}")
        self._web = Web(self._origin, address.url)

    def get(self, key: str, start: int, stop: int | None) -> Answer | None:
        return self._web.get(self._path(key), start, stop, key=key)

    def stat(self, key: str) -> tuple[int, float | None]:
        return self._web.stat(self._path(key), key=key)

    def list(self, prefix: str, after: str) -> Iterator[tuple[str, int, float | None]]:
        query = {"list-type": "2", "prefix": prefix, "start-after": after}
        while True:
            text = "&".join(
                f"{name}={quote(value, safe='')}" for name, value in query.items() if value
            )
            page = self._page(f"{self._root}/?{text}", prefix)
            for entry in page.iterfind("{*}Contents"):
                key = entry.findtext("{*}Key") or ""
                size = entry.findtext("{*}Size") or ""
                if not size.isdecimal():
                    raise self._odd()
                yield key, int(size), _seconds(entry)
            more = page.findtext("{*}NextContinuationToken")
            if page.findtext("{*}IsTruncated") != "true" or not more:
                return
            query["continuation-token"] = more

    def share_url(self, key: str, expires: float) -> str:
        return self._origin + self._path(key)

    def put(self, key: str, data: bytes, *, absent: bool) -> None:
        self._refuse(key)

    def put_parts(self, key: str, size: int, parts: Iterator[bytes], *, absent: bool) -> None:
        self._refuse(key)

    def delete(self, keys: Sequence[str]) -> None:
        self._refuse(keys[0])

    def close(self) -> None:
        self._web.close()

    def _path(self, key: str) -> str:
        return f"{self._root}/{escaped(key)}"

    def _page(self, path: str, prefix: str) -> ElementTree.Element:
        data = self._web.page(path, _MOST_LISTED, key=prefix)
        # Without a document type there are no entities that could grow.
        if b"<!DOCTYPE" not in data:
            try:
                return ElementTree.fromstring(data)  # noqa: S314
            except ElementTree.ParseError:
                pass
        raise self._odd()

    def _odd(self) -> RemoteError:
        return RemoteError("the server's listing is not one of S3", where=self._address.url)

    def _refuse(self, key: str) -> NoReturn:
        raise AccessDenied(
            "without credentials this bucket is only read",
            where=f"{self._address.url} {key}",
            hint="take public=true out of the remote's URL and give it credentials",
        )


def _seconds(entry: ElementTree.Element) -> float | None:
    try:
        return datetime.fromisoformat(entry.findtext("{*}LastModified") or "").timestamp()
    except ValueError:
        return None
