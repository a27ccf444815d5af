"""A store in this process's memory: for tests, examples and what need not last."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence

from lake.errors import IntegrityError, NotFound
from lake.store.body import in_memory
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
from lake.store.stream import BytesStream
from lake.store.verify import check_digest

_named: dict[str, MemoryStore] = {}
_naming = threading.Lock()


class MemoryStore(Store):
    """Keeps objects in a dict; thread-safe, gone with the process.

    >>> from lake.store import BytesBody
    >>> store = MemoryStore()
    >>> store.put("k", BytesBody(b"v")).created, store.put("k", BytesBody(b"w")).created
    (True, False)
    >>> store.get("k").read()
    b'v'
    """

    def __init__(self, name: str = "") -> None:
        self.url = f"memory://{name}"
        self.properties = StoreProperties(scheme="memory", names_late=True, fork_safe=True)
        self.objects: dict[str, tuple[bytes, float]] = {}
        self._lock = threading.Lock()

    @classmethod
    def named(cls, name: str) -> MemoryStore:
        """The one store of this name in this process."""
        with _naming:
            return _named.setdefault(name, cls(name))

    def put(
        self, key: Key, body: Body, *, expect: Expect | None = None, replace: bool = False
    ) -> PutResult:
        if isinstance(key, str):
            check_key(key)
        held = in_memory(body)
        data, sha256 = held.data, held.sha256
        if len(data) != body.size:
            raise IntegrityError(f"{len(data)} bytes instead of {body.size}", where=self.url)
        if expect is not None:
            check_digest(sha256, len(data), expect, source=self.url)
        name = key if isinstance(key, str) else check_key(key(sha256))
        with self._lock:
            there = self.objects.get(name)
            torn = there is not None and expect is not None and len(there[0]) != expect.size
            created = replace or there is None or torn
            if created:
                self.objects[name] = (data, time.time())
        return PutResult(name, sha256, len(data), created)

    def get(self, key: str, *, start: int = 0, stop: int | None = None) -> Stream:
        return BytesStream(self._find(key)[0][start:stop])

    def stat(self, key: str) -> ObjectInfo:
        data, modified = self._find(key)
        return ObjectInfo(key, len(data), modified)

    def list(self, prefix: str = "", *, after: str = "") -> Iterator[ObjectInfo]:
        check_prefix(prefix)
        with self._lock:
            found = [
                ObjectInfo(key, len(data), modified)
                for key, (data, modified) in self.objects.items()
                if key.startswith(prefix) and key.encode() > after.encode()
            ]
        found.sort(key=lambda info: info.key.encode())
        return iter(found)

    def delete(self, keys: Sequence[str]) -> None:
        with self._lock:
            for key in keys:
                self.objects.pop(check_key(key), None)

    def _find(self, key: str) -> tuple[bytes, float]:
        with self._lock:
            found = self.objects.get(check_key(key))
        if found is None:
            raise NotFound("no such object", where=f"{self.url} {key}")
        return found

    def __repr__(self) -> str:
        return f"MemoryStore({self.url!r}, {len(self.objects)} objects)"
