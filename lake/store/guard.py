"""Decorators that hold a store back: from writing, and from keys that are not digests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from lake.errors import LakeError, Unsupported
from lake.store.layout import LAYOUT_KEY, digest_of
from lake.store.store import Body, Expect, Key, ObjectInfo, PutResult, Store, Stream
from lake.store.wrap import WrappedStore


class ReadOnly(WrappedStore):
    """Gives, and takes nothing; `error` is raised at every attempt to write."""

    def __init__(self, inner: Store, error: LakeError | None = None) -> None:
        super().__init__(inner)
        self._error = error or Unsupported("this remote is read only here", where=inner.url)
        self.properties = replace(inner.properties, writable=False)

    def put(
        self, key: Key, body: Body, *, expect: Expect | None = None, replace: bool = False
    ) -> PutResult:
        raise self._error.with_traceback(None)

    def delete(self, keys: Sequence[str]) -> None:
        raise self._error.with_traceback(None)


class ContentOnly(ReadOnly):
    """Read only, and only under content addresses.

    For a folder outside of the dataset that names it. What is read there is checked against a
    digest that the reader asked for, so it shows nobody a file whose content they do not know;
    any other key would let a dataset point at any file of the user's. `error` is raised at every
    attempt to write, `unread` at every read under another key.
    """

    def __init__(self, inner: Store, error: LakeError, unread: LakeError) -> None:
        super().__init__(inner, error)
        self._unread = unread

    def get(self, key: str, *, start: int = 0, stop: int | None = None) -> Stream:
        return super().get(self._checked(key), start=start, stop=stop)

    def stat(self, key: str) -> ObjectInfo:
        return super().stat(self._checked(key))

    def list(self, prefix: str = "", *, after: str = "") -> Iterator[ObjectInfo]:
        found = super().list(prefix, after=after)
        return (info for info in found if digest_of(info.key) is not None)

    def share_url(self, key: str, *, expires: float = 3600) -> str:
        return super().share_url(self._checked(key), expires=expires)

    def _checked(self, key: str) -> str:
        if digest_of(key) is None and key != LAYOUT_KEY:
            raise self._unread.with_traceback(None)
        return key
