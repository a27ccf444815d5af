"""Public buckets, read without keys and without following anybody anywhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lake.errors import AccessDenied, RemoteError
from lake.store.body import BytesBody
from lake.store.credentials import Anonymous
from lake.store.open import open_store
from lake.store.s3_public import PublicWire
from lake.store.store import Store
from tests.conformance.s3suite import PREFIX, S3Suite
from tests.servers.faulty import faulty
from tests.servers.nginx import WebServer
from tests.servers.s3server import S3Server

pytestmark = pytest.mark.server


def make_public(client: Any, bucket: str) -> None:
    """Let anybody read and list."""
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": ["s3:GetObject", "s3:ListBucket"],
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    client.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))


class PublicSuite(S3Suite):
    @pytest.fixture
    def store(self, server: S3Server, client: Any) -> Iterator[Store]:
        self.client, self.bucket = client, server.new_bucket()
        make_public(client, self.bucket)
        store = open_store(server.address(self.bucket, PREFIX, public="true"))
        assert isinstance(store._wire, PublicWire)  # type: ignore[attr-defined]
        yield store
        store.close()

    def test_pages(self, store: Store) -> None:
        keys = sorted(f"{n:04d}" for n in range(1_050))
        for key in keys:
            self.plant(store, key, b"x")
        assert [info.key for info in store.list()] == keys
        assert [info.key for info in store.list(after="0999")] == keys[1000:]


@pytest.mark.slow
class TestPublicOnCeph(PublicSuite):
    server_name = "ceph"


class TestPublicOnRadosgw(PublicSuite):
    server_name = "radosgw"

    @pytest.fixture(autouse=True)
    def _no_lists(self, request: pytest.FixtureRequest) -> None:
        if request.function.__name__ in ("test_list", "test_pages"):
            pytest.skip("radosgw without its cluster lists wrongly; see TestPublicOnCeph")


def test_without_keys_nothing_is_written(moto: S3Server) -> None:
    bucket = moto.new_bucket()
    store = open_store(moto.address(bucket), credentials=Anonymous())
    assert not store.properties.writable
    with pytest.raises(AccessDenied, match="only read"):
        store.put("k", BytesBody(b"x"))
    with pytest.raises(AccessDenied, match="only read"):
        store.delete(["k"])


def test_P8_redirects_of_a_strangers_server_are_refused(moto: S3Server) -> None:
    with faulty(moto.endpoint) as proxy:
        store = open_store(S3Server("stranger's", proxy.url).address("bucket", public="true"))
        proxy.plan = lambda *_: ("redirect", "http://169.254.169.254/latest/meta-data/")
        for call in (lambda: store.get("k"), lambda: store.stat("k"), lambda: list(store.list())):
            with pytest.raises(RemoteError, match="redirects to"):
                call()


@pytest.mark.parametrize("driver", [None, "obstore"])
def test_P8_an_address_cannot_ask_for_what_follows_redirects(driver: str | None) -> None:
    options = {"driver": driver} if driver else {}
    address = S3Server("any", "http://127.0.0.1:9").address("bucket", public="true", **options)
    for source in (None, Anonymous()):
        store = open_store(address, credentials=source)
        assert isinstance(store._wire, PublicWire)  # type: ignore[attr-defined]


def test_listings_that_are_none(nginx: WebServer) -> None:
    (nginx.data / "bucket").mkdir()
    bucket, server = nginx.data / "bucket", S3Server("odd", nginx.url)
    store = open_store(server.address("bucket", public="true"))
    for text in (
        "<a",
        "no XML",
        "<!DOCTYPE a [<!ENTITY b 'c'>]><a/>",
        "<a><Contents><Key>k</Key><Size>many</Size></Contents></a>",
    ):
        (bucket / "index.html").write_text(text)
        with pytest.raises(RemoteError):
            list(store.list())
