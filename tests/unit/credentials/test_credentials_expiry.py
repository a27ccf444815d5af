"""Keys that run out while a store is in use are renewed, by every driver."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from lake.secrets import SecretStr
from lake.store import BytesBody
from lake.store.credentials import S3Credentials
from lake_schemas.remote import RemoteAddress
from tests.servers.loopback import Reply, Request, answering


class Rotating:
    """Gives new keys at each time it is asked once the last are about to run out."""

    name = "rotating"

    def __init__(self) -> None:
        self.given = 0
        self._lock = threading.Lock()

    def get(self) -> S3Credentials:
        with self._lock:
            self.given += 1
            return S3Credentials(
                f"AK{self.given}",
                SecretStr(f"rotating-secret-{self.given}"),
                SecretStr(f"rotating-token-{self.given}"),
                datetime.now(UTC) + timedelta(seconds=30),
            )


@pytest.mark.parametrize("driver", ["obstore", "minio", "boto3"])
def test_keys_are_renewed(driver: str) -> None:
    from lake.store.open import open_store

    def answer(_: Request) -> Reply:
        return Reply(headers={"ETag": '"0"'})

    with answering(answer) as server:
        address = RemoteAddress.parse(f"s3://bucket?endpoint={server.url}")
        store = open_store(address, credentials=Rotating(), driver=driver)
        for n in range(3):
            store.put(f"k{n}", BytesBody(b"x"), replace=True)
            time.sleep(0.15)  # obstore asks for keys at most every 0.1 s
        store.close()
        puts = [request for request in server.requests if request.method == "PUT"]
        signers = [request.headers["authorization"].split("Credential=")[1] for request in puts]
        tokens = [request.headers["x-amz-security-token"] for request in puts]
    assert len({signer.split("/")[0] for signer in signers}) == 3
    assert len(set(tokens)) == 3
