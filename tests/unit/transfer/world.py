"""A small world to move blobs in: a hub of its own, remotes by alias, refs by content."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from lake.config import Config, Remote
from lake.store.body import BytesBody
from lake.store.layout import blob_key
from lake.store.local import LocalStore
from lake.store.memory import MemoryStore
from lake.store.retry import Retry
from lake.store.store import Store
from lake.testing.faults import FaultStore, Plan
from lake.transfer.hub import Hub
from lake.transfer.place import Place
from lake_schemas.blob import BlobRef


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class World:
    """Remotes are memory stores (or folders) behind planned faults; nothing sleeps."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.data = root / "data"
        self.data.mkdir()
        self.stores: dict[str, Store] = {}
        self.faults: dict[str, FaultStore] = {}
        self.hub = Hub(Config(), connect=self.connect, directory=root / "home")

    def remote(self, alias: str, plan: Plan = (), *, folder: bool = False) -> Remote:
        """A remote of this name, which fails by `plan`."""
        url = str(self.root / alias) if folder else f"memory://{self.root.name}-{alias}"
        inner = LocalStore(self.root / alias) if folder else MemoryStore(alias)
        self.faults[alias] = FaultStore(inner, plan)
        self.stores[alias] = inner
        return replace(Config().remote(url, typed=True), alias=alias)

    def connect(self, remote: Remote) -> Store:
        return Retry(self.faults[remote.alias], tries=3, sleep=lambda _: None, seed=0)

    def place(self, *aliases: str) -> Place:
        """Where `aliases` mean the remotes of these names and files lie in `data`."""
        urls = {}
        for alias in aliases:
            folder = isinstance(self.stores[alias], LocalStore)
            urls[alias] = str(self.root / alias) if folder else f"memory://{self.root.name}-{alias}"
        return Place(self.data, urls)

    def file(self, name: str, content: bytes) -> BlobRef:
        """A file in the dataset directory, and its ref."""
        (self.data / name).write_bytes(content)
        return BlobRef(sha256=sha(content), size=len(content), type="text/plain", file=name)

    def blob(self, content: bytes, *aliases: str) -> BlobRef:
        """A blob that lies in these remotes, put there past the engines."""
        ref = BlobRef(sha256=sha(content), size=len(content), type="text/plain")
        for alias in aliases:
            self.stores[alias].put(blob_key(ref.sha256), BytesBody(content))
            self.stores[alias].flush()
            ref = ref.with_location(alias)
        return ref

    def holds(self, alias: str, ref: BlobRef) -> bytes | None:
        """What lies in a remote under the blob's content address."""
        from lake.errors import NotFound

        try:
            return self.stores[alias].get(blob_key(ref.sha256)).read()
        except NotFound:
            return None

    def spoil(self, alias: str, ref: BlobRef, content: bytes) -> None:
        """Other bytes under the blob's name."""
        self.stores[alias].put(blob_key(ref.sha256), BytesBody(content), replace=True)
        self.stores[alias].flush()

    def calls(self, alias: str, operation: str) -> int:
        """How often a remote was asked."""
        return sum(1 for name, _, _ in self.faults[alias].log if name == operation)
