"""Stages and `init` against a bucket: typed addresses, objects as they lie, remote to remote."""

from __future__ import annotations

import contextlib
import json
import shutil
from pathlib import Path
from typing import Any

import boto3
import pytest

from .conftest import Person


@pytest.fixture
def bucket(s3_port: int, tmp_path: Path) -> Any:
    """Puts objects below a prefix of this test's own: `bucket.put(key, data)`."""

    class Bucket:
        endpoint = f"http://127.0.0.1:{s3_port}"
        prefix = tmp_path.name
        url = f"s3://bucket/{tmp_path.name}?endpoint={endpoint}"

        def client(self) -> Any:
            return contextlib.closing(
                boto3.client(
                    "s3",
                    endpoint_url=self.endpoint,
                    aws_access_key_id="a",
                    aws_secret_access_key="b",
                    region_name="us-east-1",
                )
            )

        def put(self, key: str, data: bytes) -> None:
            with self.client() as client:
                client.put_object(Bucket="bucket", Key=f"{self.prefix}/{key}", Body=data)

        def names(self) -> list[str]:
            with self.client() as client:
                found = client.list_objects_v2(Bucket="bucket", Prefix=self.prefix + "/")
            return [
                item["Key"].removeprefix(self.prefix + "/") for item in found.get("Contents", [])
            ]

    return Bucket()


def test_objects_become_samples_where_they_lie(person: Person, bucket: Any) -> None:
    for n in range(12):
        bucket.put(f"scans/{n:02d} x.bin", f"scan {n}".encode())
        bucket.put(f"scans/{n:02d} x.json", b"{}")
    before = bucket.names()
    words = ["init", "ds", "--from", bucket.url, "--alias", "old", "--exclude", "*.json"]
    person.lake(*words, "-j", "4")
    assert bucket.names() == before
    found = json.loads((person.root / "ds/samples/scans/03_x.json").read_text())
    assert found["items"]["bin"]["in"] == [{"old": "scans/03 x.bin"}]
    assert found["values"] == {"original": "scans/03 x"}
    said = person.python("import lake; print([s['bin'].bytes().decode() for s in lake.open('ds')])")
    assert said.out.strip() == str([f"scan {n}" for n in range(12)])
    bucket.put("scans/99.bin", b"scan 99")
    done = json.loads(person.lake(*words, "--update", "--json").out)
    assert (done["added"], done["unchanged"]) == (1, 12)


def test_from_a_bucket_to_a_folder_without_a_local_copy(person: Person, bucket: Any) -> None:
    for n in range(5):
        bucket.put(f"{n}.bin", f"blob {n}".encode())
    person.lake("init", "ds", "--from", bucket.url)
    person.lake("remote-add", "ds", "both", "-r", "./store")
    assert not (person.root / "both/files").exists()
    blobs = [p for p in (person.root / "store/sha256").rglob("*") if p.is_file()]
    assert {p.read_bytes() for p in blobs} == {f"blob {n}".encode() for n in range(5)}
    person.lake("remote-remove", "both", "--in-place", "-r", bucket.url)
    shutil.rmtree(person.home / ".cache", ignore_errors=True)
    person.lake("clone", "both", "back", "--mode", "copy")


def test_P9_a_password_typed_in_an_address_is_written_into_no_dataset(
    person: Person, bucket: Any, s3_port: int
) -> None:
    for name in [name for name in person.env if name.startswith("AWS_")]:
        del person.env[name]
    (person.root / "in").mkdir()
    (person.root / "in/a.bin").write_bytes(b"a")
    person.lake("init", "ds", "--from", "in")
    url = f"s3://user:typed-password-1@127.0.0.1:{s3_port}/bucket/{bucket.prefix}?secure=false"
    said = person.lake("remote-add", "ds", "out", "-r", url)
    assert "typed-password-1" not in said.text
    assert "lake.json" in bucket.names()
    for path in person.root.rglob("*"):
        assert not path.is_file() or b"typed-password-1" not in path.read_bytes(), path
    assert "endpoint=http://127.0.0.1" in (person.root / "out/dataset.yaml").read_text()
    # The password is in the user's own store: reading needs no environment.
    person.lake("clone", "out", "back", "--mode", "copy")


def test_an_empty_prefix_is_an_error_and_makes_nothing(person: Person, bucket: Any) -> None:
    said = person.lake("init", "ds", "--from", bucket.url, ok=False)
    assert said.code == 10, said.text
    assert not (person.root / "ds").exists()


def test_a_bucket_that_is_not_there(person: Person, bucket: Any) -> None:
    url = f"s3://no-such-bucket/x?endpoint={bucket.endpoint}"
    said = person.lake("init", "ds", "--from", url, ok=False)
    assert said.code in (3, 7), said.text
    assert "no-such-bucket" in said.err
    (person.root / "in").mkdir()
    (person.root / "in/a.bin").write_bytes(b"a")
    said = person.lake("init", "ds", "--from", "in", "-r", url, ok=False)
    assert said.code in (3, 7), said.text
    assert not (person.root / "ds").exists()
