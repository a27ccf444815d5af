"""The whole walk on an S3 server: offload, clone the text, load, trust, adopt a bucket."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Person
from .test_walk_second_person import LOAD, loaded, make_pictures


@pytest.fixture
def endpoint(s3_port: int) -> str:
    return f"http://127.0.0.1:{s3_port}"


@pytest.fixture
def shared(people: Callable[[str], Person], endpoint: str, tmp_path: Path):
    """Ann's repository, its blobs in a bucket under a prefix of this test's own."""
    ann = people("ann")
    pictures = make_pictures(ann.root / "pictures")
    ann.git("init", "-q", ".")
    ann.lake("init", "raw", "--from", "pictures", "--inline", "json")
    ann.lake("remote", "add", "main", f"s3://bucket/{tmp_path.name}?endpoint={endpoint}")
    ann.lake("remote-add", "raw", "shared", "-r", "main", "-j", "4")
    ann.git("add", "shared", ".lake")
    ann.git("commit", "-qm", "The data, as text")
    return ann, pictures


def test_load_from_s3_then_from_the_cache(shared, people, endpoint: str) -> None:
    ann, pictures = shared
    ben = people("ben")
    ben.env["AWS_ENDPOINT_URL"] = endpoint
    ben.git("clone", "-q", ann.root, "repo")
    assert loaded(ben.python(LOAD, "repo/shared").out) == pictures
    # With the endpoint gone, the cache alone serves, after what was read was checked.
    ben.env["AWS_ENDPOINT_URL"] = "http://127.0.0.1:9"
    text = (ben.root / "repo/shared/dataset.yaml").read_text()
    (ben.root / "repo/shared/dataset.yaml").write_text(text.replace(endpoint, "http://127.0.0.1:9"))
    assert loaded(ben.python(LOAD, "repo/shared").out) == pictures


def test_strangers_endpoint_gets_no_credentials_until_trusted(shared, people) -> None:
    ann, pictures = shared
    ben = people("ben")
    ben.git("clone", "-q", ann.root, "repo")
    said = ben.lake("clone", "repo/shared", "back", "--mode", "copy", ok=False)
    assert said.code in (3, 8), said.text
    assert "lake remote trust" in said.err
    assert not (ben.root / "back").exists()
    (line,) = {line for line in said.err.splitlines() if "hint: if you know it: lake " in line}
    words = shlex.split(line.partition("if you know it: lake ")[2])
    ben.lake(*words)
    ben.lake("clone", "repo/shared", "back", "--mode", "copy")
    assert {p.read_bytes() for p in (ben.root / "back").rglob("*.png")} == set(pictures.values())


def test_again_is_no_work_and_verify_reads_it_all(shared) -> None:
    ann, _ = shared
    said = json.loads(ann.lake("remote-add", "raw", "shared", "-r", "main", "--json").out)
    assert said["unchanged"] is True
    ann.lake("verify", "shared", "--read-data")
    ann.lake("status", "shared", "--json")


def test_remote_to_remote_without_files(shared, people, endpoint: str, tmp_path: Path) -> None:
    ann, pictures = shared
    ben = people("ben")
    ben.env["AWS_ENDPOINT_URL"] = endpoint
    ben.git("clone", "-q", ann.root, "repo")
    ben.lake("remote-add", "repo/shared", "--in-place", "-r", tmp_path / "folder")
    dea = people("dea")  # Has never named the endpoint: only the folder can serve.
    ben.git("-C", "repo", "commit", "-qam", "A folder too")
    dea.git("clone", "-q", ben.root / "repo", "repo")
    assert loaded(dea.python(LOAD, "repo/shared").out) == pictures


def test_adopt_a_bucket_in_place(shared, endpoint: str, tmp_path: Path) -> None:
    ann, _ = shared
    import urllib.request

    bodies = {f"scan{n}.txt": f"scan number {n}\n".encode() for n in range(3)}
    for name, body in bodies.items():
        url = f"{endpoint}/bucket/{tmp_path.name}-old/2019/{name}"
        headers = {"Content-Type": "text/plain"}
        put = urllib.request.Request(url, data=body, method="PUT", headers=headers)
        urllib.request.urlopen(put, timeout=10)
    ann.lake("init", "scans", "--from", f"s3://bucket/{tmp_path.name}-old?endpoint={endpoint}")
    read = "import lake; print(sorted(i.bytes() for s in lake.open('scans') for i in s.values()))"
    assert ann.python(read).out.strip() == repr(sorted(bodies.values()))


def test_wrong_bucket_and_dead_server_are_typed_errors(shared) -> None:
    ann, _ = shared
    missing = ann.lake(
        "remote-add", "raw", "x", "-r", "s3://bucket?endpoint=http://127.0.0.1:9", ok=False
    )
    assert missing.code == 7
    assert "error: " in missing.err
    assert not (ann.root / "x").exists()
