from collections.abc import Mapping

import pytest

from lake.store.memory import MemoryStore
from lake.store.store import Store
from lake.testing import StoreSuite


class TestMemoryStore(StoreSuite):
    big = 20 << 20

    @pytest.fixture
    def store(self) -> Store:
        return MemoryStore("suite")

    def truth(self, store: Store) -> Mapping[str, bytes]:
        assert isinstance(store, MemoryStore)
        return {key: data for key, (data, _) in store.objects.items()}

    def plant(self, store: Store, key: str, data: bytes) -> None:
        assert isinstance(store, MemoryStore)
        store.objects[key] = (data, 1_700_000_000.0)
