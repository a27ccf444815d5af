"""A folder passes the suite that every store passes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from lake.store.local import LocalStore
from lake.store.store import Store
from lake.testing.suite import StoreSuite


class TestLocalStore(StoreSuite):
    listed = ("a-b", "a.b", "a/a", "a/b/c", "a0", "ab", "b/x", "b/y")

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        store = LocalStore(tmp_path / "store")
        yield store
        store.close()

    def truth(self, store: Store) -> Mapping[str, bytes]:
        root = store.properties.root
        assert root is not None
        return {
            path.relative_to(root).as_posix(): path.read_bytes()
            for path in root.rglob("*")
            if path.is_file() and ".lake-tmp" not in path.parts
        }

    def plant(self, store: Store, key: str, data: bytes) -> None:
        root = store.properties.root
        assert root is not None
        path = root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_bytes(data)
