import json
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from urllib.parse import quote

import pytest

from lake.store.gcs import from_address
from lake.store.store import Store
from lake.testing import StoreSuite
from lake_schemas.remote import RemoteAddress
from tests.servers.gcs import gcs_server

PREFIX = "some/prefix/"

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with gcs_server() as url:
        yield url


class TestGoogleStore(StoreSuite):
    big = 40 << 20

    @pytest.fixture
    def store(self, endpoint: str) -> Iterator[Store]:
        bucket = f"b{uuid.uuid4().hex}"
        self.api = f"{endpoint}/storage/v1/b"
        self.upload = f"{endpoint}/upload/storage/v1/b/{bucket}/o?uploadType=media&name="
        _post(f"{self.api}?project=none", json.dumps({"name": bucket}).encode())
        self.objects = f"{self.api}/{bucket}/o"
        store = from_address(RemoteAddress.parse(f"gs://{bucket}/{PREFIX}?endpoint={endpoint}"))
        yield store
        store.close()

    def truth(self, store: Store) -> Mapping[str, bytes]:
        found = {}
        with urllib.request.urlopen(self.objects) as answer:
            for item in json.load(answer).get("items", ()):
                with urllib.request.urlopen(
                    f"{self.objects}/{quote(item['name'], safe='')}?alt=media"
                ) as data:
                    found[item["name"].removeprefix(PREFIX)] = data.read()
        return found

    def plant(self, store: Store, key: str, data: bytes) -> None:
        _post(self.upload + quote(PREFIX + key, safe=""), data)


def _post(url: str, data: bytes) -> None:
    headers = {"Content-Type": "application/octet-stream"}
    urllib.request.urlopen(urllib.request.Request(url, data, headers)).close()
