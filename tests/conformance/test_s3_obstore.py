"""S3 through obstore, on servers that are good, odd and hostile."""

from __future__ import annotations

import pytest

from lake.store.store import Store
from tests.conformance.s3suite import S3Suite

pytestmark = pytest.mark.server


class TestObstoreOnMoto(S3Suite):
    server_name = "moto"


@pytest.mark.slow
class TestObstoreOnCeph(S3Suite):
    server_name = "ceph"


class OnRadosgw(S3Suite):
    server_name = "radosgw"

    def test_list(self, store: Store) -> None:
        pytest.skip("radosgw without its cluster lists wrongly; see TestObstoreOnCeph")


class TestObstoreOnRadosgw(OnRadosgw):
    pass


class TestObstoreWhereConditionsAreRefused(OnRadosgw):
    server_name = "unconditional"

    def test_what_was_learnt(self, store: Store) -> None:
        assert store.properties.conditional_put
        self.put(store, "k", b"x")
        assert not store.properties.conditional_put


class TestObstoreWhereConditionsAreIgnored(S3Suite):
    server_name = "rclone"
    listed = ("a-b", "a.b", "a/a", "a/b/c", "a0", "ab", "b/x", "b/y")

    def test_what_was_learnt(self, store: Store) -> None:
        assert store.properties.conditional_put
        self.put(store, "k", b"x")
        assert not store.properties.conditional_put


@pytest.mark.slow
class TestObstoreOnSwift(S3Suite):
    server_name = "swift"

    def test_what_was_learnt(self, store: Store) -> None:
        assert store.properties.conditional_put
        self.put(store, "k", b"x")
        assert not store.properties.conditional_put
