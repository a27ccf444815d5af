"""The suite on S3 servers: which one, and how to look into it without lake."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import pytest

from lake.store.open import open_store
from lake.store.store import Store
from lake.testing import StoreSuite
from tests.servers.s3server import SECRET, S3Server

PREFIX = "some/prefix"


class S3Suite(StoreSuite):
    """Subclasses say which server, and with which driver."""

    server_name: ClassVar[str]
    driver: ClassVar[str] = "obstore"
    secrets = (SECRET,)

    @property
    def one_winner(self) -> bool:  # type: ignore[override]
        """Of 60 races on radosgw without its cluster, 40 had several winners; on Ceph none."""
        return self.server_name in ("moto", "ceph")

    @pytest.fixture
    def server(self, request: pytest.FixtureRequest) -> S3Server:
        found: S3Server = request.getfixturevalue(self.server_name)
        return found

    @pytest.fixture
    def client(self, server: S3Server) -> Iterator[Any]:
        with contextlib.closing(server.client()) as client:
            yield client

    @pytest.fixture
    def store(self, server: S3Server, client: Any) -> Iterator[Store]:
        self.client, self.bucket = client, server.new_bucket()
        address = server.address(self.bucket, PREFIX)
        store = open_store(address, credentials=server.credentials(), driver=self.driver)
        yield store
        store.close()

    def truth(self, store: Store) -> Mapping[str, bytes]:
        found = {}
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        for key in [entry["Key"] for page in pages for entry in page.get("Contents", ())]:
            answer = self.client.get_object(Bucket=self.bucket, Key=key)
            found[key.removeprefix(f"{PREFIX}/")] = answer["Body"].read()
        return found

    def plant(self, store: Store, key: str, data: bytes) -> None:
        self.client.put_object(Bucket=self.bucket, Key=f"{PREFIX}/{key}", Body=data)
