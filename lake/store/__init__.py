"""Stores: places that keep objects under keys. `lake.store.store` is the contract.

>>> from lake.store import BytesBody
>>> from lake.store.memory import MemoryStore
>>> store = MemoryStore()
>>> store.put("a/b", BytesBody(b"hello")).created
True
>>> store.get("a/b").read()
b'hello'
"""

from __future__ import annotations

from lake.store.body import BytesBody, FileBody, StreamBody
from lake.store.layout import blob_key
from lake.store.open import open_store
from lake.store.store import (
    CHUNK,
    Body,
    Expect,
    Key,
    ObjectInfo,
    PutResult,
    Store,
    StoreProperties,
    Stream,
)

__all__ = [
    "CHUNK",
    "Body",
    "BytesBody",
    "Expect",
    "FileBody",
    "Key",
    "ObjectInfo",
    "PutResult",
    "Store",
    "StoreProperties",
    "Stream",
    "StreamBody",
    "blob_key",
    "open_store",
]
