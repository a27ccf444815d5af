"""The engines over real S3 requests: pushes, fetches, faults of the wire, forked readers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lake.config import Config, Remote
from lake.errors import AccessDenied, BlobUnavailable
from lake.store.layout import blob_key
from lake.transfer import (
    Fetcher,
    Hub,
    Mention,
    Place,
    Pusher,
    blob_status,
    pull_blobs,
    verify_blobs,
)
from lake.transfer.chunks import BIG
from lake_schemas.blob import BlobRef
from tests.servers.faulty import Faulty
from tests.servers.s3server import S3Server
from tests.unit.transfer.world import sha

pytestmark = pytest.mark.server

CONTENTS = [b"content %d " % n * 50 for n in range(100)]


def located(server: S3Server, bucket: str) -> Remote:
    """A remote that the user typed."""
    url = server.address(bucket, "blobs").url
    return replace(Config().remote(url, typed=True), alias="s3")


@pytest.fixture
def hub(tmp_path: Path, moto: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", moto.access)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", moto.secret)
    with Hub(Config(), directory=tmp_path / "home") as made:
        yield made


def wants(contents: list[bytes]) -> list[tuple[BlobRef, Place, bytes]]:
    return [
        (BlobRef(sha256=sha(data), size=len(data), type="a/b"), Place(), data) for data in contents
    ]


def another(hub: Hub, name: str) -> Hub:
    """A hub with an empty cache and ledger."""
    return Hub(hub.config, directory=hub.directory.parent / name)


@pytest.mark.parametrize("kind", ["moto", "radosgw", "rclone", "unconditional"])
def test_blobs_go_to_every_kind_of_server_and_come_back(
    hub: Hub, kind: str, request: pytest.FixtureRequest
) -> None:
    server: S3Server = request.getfixturevalue(kind)
    bucket = server.new_bucket()
    remote = located(server, bucket)
    items = [*wants(CONTENTS), *wants([bytes(9 << 20)])]
    with Pusher(hub, [remote]) as pusher:
        refs = pusher.located(items)
    assert pusher.report.uploaded == 101
    again = Pusher(hub, [remote])
    again.push(items)
    assert (again.report.uploaded, again.report.known) == (0, 101)
    place = Place(None, {"s3": remote.url})
    with another(hub, "reader") as reader:
        assert Fetcher(reader).read_many([(ref, place) for ref in refs]) == [
            data for _, _, data in items
        ]
    with another(hub, "newcomer") as newcomer:
        # Another machine, that knows nothing: all is found to be there.
        fresh = Pusher(newcomer, [remote])
        fresh.push(items)
        assert (fresh.report.uploaded, fresh.report.known) == (0, 101)


def test_a_big_blob_is_pushed_and_read_in_parts(
    hub: Hub, radosgw: S3Server, tmp_path: Path
) -> None:
    remote = located(radosgw, radosgw.new_bucket())
    path = tmp_path / "big"
    content = os.urandom(1 << 20) * (BIG >> 20) + b"end"
    path.write_bytes(content)
    (added,) = Pusher(hub, [remote]).add_files([path])
    ref = added.ref
    assert ref is not None
    assert ref.chunks is not None
    place = Place(None, {"s3": remote.url})
    with another(hub, "reader") as reader:
        with Fetcher(reader).open(ref, place) as file:
            file.seek(-5, 2)
            assert file.read() == content[-5:]
        assert reader.cache.get_path(ref.sha256, ref.size) is None
        assert Fetcher(reader).path(ref, place).read_bytes() == content


def test_a_re_run_asks_next_to_nothing(hub: Hub, faulty_radosgw: tuple[Faulty, S3Server]) -> None:
    proxy, server = faulty_radosgw
    remote = located(server, server.new_bucket())
    Pusher(hub, [remote]).push(wants(CONTENTS))
    hub.close()
    proxy.log.clear()
    pusher = Pusher(hub, [remote])
    pusher.push(wants(CONTENTS))
    assert pusher.report.known == 100
    assert len(proxy.log) <= 10  # lake.json, and a spot check
    assert {method for method, _, _ in proxy.log} <= {"GET", "HEAD"}


@pytest.mark.parametrize("fault", ["flip", "truncate", "reset", "drop", "lost", 503])
def test_P5_a_wire_that_fails_one_time_in_four_costs_no_byte(
    hub: Hub, faulty_radosgw: tuple[Faulty, S3Server], fault: str | int
) -> None:
    proxy, server = faulty_radosgw
    remote = located(server, server.new_bucket())
    count = 0

    def plan(method: str, path: str, headers: dict[str, str]) -> str | int:
        nonlocal count
        count += 1
        return fault if count % 4 == 0 and "sha256" in path else "pass"

    proxy.plan = plan
    items = wants(CONTENTS[:40])
    refs = Pusher(hub, [remote]).located(items)
    place = Place(None, {"s3": remote.url})
    with another(hub, "reader") as reader:
        found = Fetcher(reader).read_many([(ref, place) for ref in refs])
    assert found == CONTENTS[:40]


def test_P5_a_poisoned_bucket_is_found_out_and_mended_from_another(
    hub: Hub, radosgw: S3Server, moto: S3Server
) -> None:
    first = located(radosgw, radosgw.new_bucket())
    second = replace(located(moto, moto.new_bucket()), alias="spare")
    refs = Pusher(hub, [first, second]).located(wants(CONTENTS[:10]))
    client = radosgw.client()
    for ref in refs[:5]:
        client.put_object(
            Bucket=first.address.bucket, Key=f"blobs/{blob_key(ref.sha256)}", Body=b"poison"
        )
    client.close()
    place = Place(None, {"s3": first.url, "spare": second.url})
    with another(hub, "reader") as reader:
        assert Fetcher(reader).read_many([(ref, place) for ref in refs]) == CONTENTS[:10]
        assert len(reader.quarantine.entries()) == 5
        mentions = [Mention("a", "b", ref, place) for ref in refs]
        report = verify_blobs(reader, mentions, repair=True)
        assert (report.ok, report.counts["repaired"]) == (True, 5)
    with another(hub, "later") as later:
        assert verify_blobs(later, mentions, read_data=True).counts == {"ok": 20}
        assert blob_status(later, mentions, ask=True).remotes["s3"].there == 10
        assert pull_blobs(later, mentions).fetched == 10


def test_wrong_keys_are_an_access_error_that_holds_no_secret(
    tmp_path: Path, radosgw: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = located(radosgw, radosgw.new_bucket())
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong-secret-words")
    with Hub(Config(), directory=tmp_path / "home") as hub:
        with pytest.raises(AccessDenied) as caught:
            Pusher(hub, [remote])
        assert "wrong-secret-words" not in str(caught.value)
        ref = wants([b"x"])[0][0].with_location("s3")
        with pytest.raises(BlobUnavailable) as lost:
            Fetcher(hub).read(ref, Place(None, {"s3": remote.url}))
        assert "wrong-secret-words" not in str(lost.value)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_forked_workers_go_on_reading_after_the_parent_has(hub: Hub, radosgw: S3Server) -> None:
    remote = located(radosgw, radosgw.new_bucket())
    refs = Pusher(hub, [remote]).located(wants(CONTENTS[:20]))
    place = Place(None, {"s3": remote.url})
    reader = another(hub, "reader")
    fetcher = Fetcher(reader)
    assert fetcher.read(refs[0], place) == CONTENTS[0]
    children = []
    for worker in range(3):
        pid = os.fork()
        if pid == 0:
            signal.alarm(120)  # a child that hangs must not outlive the test
            code = 1
            try:
                mine = [(ref, place) for ref in refs[worker::3]]
                code = 0 if fetcher.read_many(mine) == CONTENTS[:20][worker::3] else 2
            finally:
                os._exit(code)
        children.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0, 0, 0]
    assert fetcher.read(refs[1], place) == CONTENTS[1]
    reader.close()


def test_ctrl_c_ends_a_push_to_a_server_that_says_nothing(
    faulty_radosgw: tuple[Faulty, S3Server], tmp_path: Path
) -> None:
    proxy, server = faulty_radosgw
    (tmp_path / "files").mkdir()
    for n in range(20):
        (tmp_path / "files" / f"{n}.bin").write_bytes(b"%d" % n)
    here = Path(__file__).parents[3]
    path = os.pathsep.join(str(here / part) for part in (".", "schemas", "stages"))
    environment = {**os.environ, **server.environment(), "PYTHONPATH": path}

    def lake(*words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "lake.cli.main", *words],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    out, _ = lake("init", "data", "--from", "files").communicate()
    url = server.address(server.new_bucket(), "blobs").url
    hung = threading.Event()

    def plan(method: str, path: str, headers: dict[str, str]) -> str:
        if method == "PUT" and "sha256" in path:
            hung.set()
            return "hang"
        return "pass"

    proxy.plan = plan
    process = lake("push", "data", "-r", url)
    assert hung.wait(60), out
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)  # the server would have kept it for ten minutes
    assert process.returncode == 130, out
    assert "run the same command again" in out
    proxy.plan = ()
    process = lake("push", "data", "-r", url, "--json")
    out, _ = process.communicate()
    assert process.returncode == 0, out
    assert json.loads(out)["uploaded"] == 20
