from collections.abc import Mapping

import pytest

from lake.store.limit import Limit
from lake.store.memory import MemoryStore
from lake.store.retry import Retry
from lake.store.store import Store
from lake.store.verify import Verify
from lake.store.wrap import WrappedStore
from lake.testing import StoreSuite


def inmost(store: Store) -> MemoryStore:
    while isinstance(store, WrappedStore):
        store = store.inner
    assert isinstance(store, MemoryStore)
    return store


class TestMemoryStore(StoreSuite):
    big = 20 << 20

    @pytest.fixture
    def store(self) -> Store:
        return MemoryStore("suite")

    def truth(self, store: Store) -> Mapping[str, bytes]:
        return {key: data for key, (data, _) in inmost(store).objects.items()}

    def plant(self, store: Store, key: str, data: bytes) -> None:
        inmost(store).objects[key] = (data, 1_700_000_000.0)


class TestDecoratedStore(TestMemoryStore):
    """Decorators change nothing of what a store does when nothing goes wrong."""

    @pytest.fixture
    def store(self) -> Store:
        return Retry(Limit(Verify(MemoryStore("suite")), calls=4))

    def test_P4_other_bytes_are_noticed(self, store: Store) -> None:
        super().test_P4_other_bytes_are_noticed(inmost(store))
