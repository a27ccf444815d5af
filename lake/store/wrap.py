"""The base of decorators: a store that passes every call on to another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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


class WrappedStore(Store):
    """Passes everything on to `inner`; decorators override what they change."""

    def __init__(self, inner: Store) -> None:
        self.inner = inner
        self.url = inner.url
        self._own_properties: StoreProperties | None = None

    @property
    def properties(self) -> StoreProperties:
        """Those of `inner` as they are now, which it may learn in use, or this decorator's own."""
        return self._own_properties or self.inner.properties

    @properties.setter
    def properties(self, properties: StoreProperties) -> None:
        self._own_properties = properties

    def put(
        self, key: Key, body: Body, *, expect: Expect | None = None, replace: bool = False
    ) -> PutResult:
        return self.inner.put(key, body, expect=expect, replace=replace)

    def get(self, key: str, *, start: int = 0, stop: int | None = None) -> Stream:
        return self.inner.get(key, start=start, stop=stop)

    def stat(self, key: str) -> ObjectInfo:
        return self.inner.stat(key)

    def list(self, prefix: str = "", *, after: str = "") -> Iterator[ObjectInfo]:
        return self.inner.list(prefix, after=after)

    def delete(self, keys: Sequence[str]) -> None:
        self.inner.delete(keys)

    def flush(self) -> None:
        self.inner.flush()

    def share_url(self, key: str, *, expires: float = 3600) -> str:
        return self.inner.share_url(key, expires=expires)

    def close(self) -> None:
        self.inner.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.inner!r})"
