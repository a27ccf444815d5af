from __future__ import annotations

import pytest

from lake.store.body import BytesBody
from lake.store.layout import blob_key
from lake.transfer import Fetcher, Mention, Place, Pusher, VerifyReport, verify_blobs
from lake.transfer.chunks import BIG
from lake_schemas.blob import BlobRef
from tests.unit.transfer.world import World

CONTENTS = [f"content {n}".encode() for n in range(20)]


def mentions(refs: list[BlobRef], place: Place) -> list[Mention]:
    return [Mention(f"{n:03d}", "image", ref, place) for n, ref in enumerate(refs)]


def states(report: VerifyReport) -> list[tuple[str, str, str]]:
    return sorted((one.sample, one.source, one.state) for one in report.findings)


@pytest.fixture
def two(world: World) -> tuple[World, list[BlobRef], Place]:
    world.remote("main")
    world.remote("nas", folder=True)
    return world, [world.blob(data, "main", "nas") for data in CONTENTS], world.place("main", "nas")


@pytest.mark.parametrize("read_data", [False, True])
def test_all_is_well(two: tuple[World, list[BlobRef], Place], read_data: bool) -> None:
    world, refs, place = two
    report = verify_blobs(world.hub, mentions(refs, place), read_data=read_data)
    assert report.ok
    assert report.counts == {"ok": 40}
    assert (report.blobs, report.size) == (20, sum(map(len, CONTENTS)))
    assert report.read == (2 * report.size if read_data else 0)


def test_without_read_data_only_presence_and_size_are_looked_at(
    two: tuple[World, list[BlobRef], Place],
) -> None:
    world, refs, place = two
    world.stores["main"].delete([blob_key(refs[1].sha256)])
    world.spoil("nas", refs[2], b"short")
    world.spoil("main", refs[3], b"CONTENT 3")
    report = verify_blobs(world.hub, mentions(refs, place))
    assert states(report) == [("001", "main", "missing"), ("002", "nas", "size")]
    assert not report.ok
    assert world.calls("main", "get") == 0


def test_read_data_finds_every_wrong_byte(two: tuple[World, list[BlobRef], Place]) -> None:
    world, refs, place = two
    world.spoil("main", refs[3], b"CONTENT 3")
    world.spoil("nas", refs[4], b"c0ntent 4")
    world.stores["nas"].delete([blob_key(refs[5].sha256)])
    report = verify_blobs(world.hub, mentions(refs, place), read_data=True)
    assert states(report) == [
        ("003", "main", "corrupt"),
        ("004", "nas", "corrupt"),
        ("005", "nas", "missing"),
    ]
    assert report.unavailable == 0


@pytest.mark.parametrize("size", [0, 5 << 20])
def test_repair_mends_each_copy_from_a_good_one(
    two: tuple[World, list[BlobRef], Place], size: int
) -> None:
    world, refs, place = two
    refs = [*refs, world.blob(bytes(size), "main", "nas")]
    world.spoil("main", refs[3], b"CONTENT 3")
    world.spoil("nas", refs[4], b"c0ntent 4")
    world.spoil("nas", refs[20], b"1" * (size or 1))
    world.stores["main"].delete([blob_key(refs[5].sha256)])
    report = verify_blobs(world.hub, mentions(refs, place), read_data=True, repair=True)
    assert report.ok
    assert report.counts == {"ok": 38, "repaired": 4}
    assert verify_blobs(world.hub, mentions(refs, place), read_data=True).counts == {"ok": 42}
    assert world.hub.quarantine.entries() == []


def test_a_blob_that_is_bad_everywhere_is_said_to_be_lost(
    two: tuple[World, list[BlobRef], Place],
) -> None:
    world, refs, place = two
    world.spoil("main", refs[3], b"CONTENT 3")
    world.spoil("nas", refs[3], b"c0ntent 3")
    report = verify_blobs(world.hub, mentions(refs, place), read_data=True, repair=True)
    assert not report.ok
    assert report.unavailable == 1
    assert report.counts == {"ok": 38, "corrupt": 2}
    assert world.holds("main", refs[3]) == b"CONTENT 3"


def test_a_good_local_file_mends_the_remotes(world: World) -> None:
    world.remote("main")
    ref = world.file("x", b"good").with_location("main")
    world.spoil("main", ref, b"evil")
    report = verify_blobs(
        world.hub, mentions([ref], world.place("main")), read_data=True, repair=True
    )
    assert report.ok
    assert world.holds("main", ref) == b"good"


def test_a_changed_own_file_is_told_and_never_overwritten(world: World) -> None:
    world.remote("main")
    ref = world.blob(b"right", "main").with_file("x")
    (world.data / "x").write_bytes(b"mine!")
    report = verify_blobs(
        world.hub, mentions([ref], world.place("main")), read_data=True, repair=True
    )
    assert states(report) == [("000", "file", "changed")]
    assert (world.data / "x").read_bytes() == b"mine!"


@pytest.mark.parametrize("size", [5, 5 << 20])
def test_a_missing_own_file_is_brought_back(world: World, size: int) -> None:
    world.remote("main")
    ref = world.blob(bytes(size), "main").with_file("files/x")
    report = verify_blobs(world.hub, mentions([ref], world.place("main")), repair=True)
    assert report.counts == {"ok": 1, "repaired": 1}
    assert (world.data / "files/x").read_bytes() == bytes(size)


def test_an_object_of_somebody_elses_is_not_written_to(world: World) -> None:
    world.remote("old")
    world.remote("main")
    world.stores["old"].put("a/b", BytesBody(b"wrong"))
    ref = world.blob(b"right", "main").with_location("old", "a/b")
    report = verify_blobs(
        world.hub, mentions([ref], world.place("old", "main")), read_data=True, repair=True
    )
    assert states(report) == [("000", "old", "corrupt")]
    assert world.stores["old"].get("a/b").read() == b"wrong"


@pytest.mark.parametrize("how", ["bytes", "size"])
def test_a_bad_cache_entry_is_told_and_gone(world: World, how: str) -> None:
    world.remote("main")
    ref = world.blob(b"right", "main")
    path = Fetcher(world.hub).path(ref, world.place("main"))
    path.chmod(0o600)
    path.write_bytes(b"WRONG" if how == "bytes" else b"W")
    report = verify_blobs(world.hub, mentions([ref], world.place("main")), read_data=True)
    assert states(report) == [("000", "cache", "corrupt")]
    assert verify_blobs(world.hub, mentions([ref], world.place("main"))).ok


def test_P4_read_data_believes_no_stamp(world: World) -> None:
    world.remote("main")
    ref = world.blob(b"right", "main")
    path = Fetcher(world.hub).path(ref, world.place("main"))
    before = path.stat()
    path.chmod(0o600)
    path.write_bytes(b"WRONG")
    import os

    os.utime(path, ns=(before.st_atime_ns + 10**13, before.st_mtime_ns))
    report = verify_blobs(world.hub, mentions([ref], world.place("main")), read_data=True)
    assert [(one.source, one.state) for one in report.findings] == [("cache", "corrupt")]


def test_a_remote_that_does_not_answer_is_unreachable_not_missing(world: World) -> None:
    world.remote("dead", lambda operation, key: "refuse")
    world.remote("main")
    refs = [world.blob(data, "dead", "main") for data in CONTENTS]
    report = verify_blobs(
        world.hub, mentions(refs, world.place("dead", "main")), repair=True, jobs=1
    )
    assert report.counts == {"ok": 20, "unreachable": 20}
    assert not report.ok
    assert world.calls("dead", "stat") < 15


def test_a_flipped_bit_on_the_wire_is_no_finding(world: World) -> None:
    world.remote("main", ["flip", "pass", "flip"])
    refs = [world.blob(data, "main") for data in (b"small", bytes(2 << 20))]
    report = verify_blobs(world.hub, mentions(refs, world.place("main")), read_data=True, jobs=1)
    assert report.ok


def test_chunk_digests_are_checked_with_their_blob(world: World) -> None:
    main = world.remote("main")
    path = world.data / "big"
    with path.open("wb") as file:
        file.truncate(BIG)
    (added,) = Pusher(world.hub, [main]).add_files([path])
    ref = added.ref
    assert ref is not None
    assert ref.chunks is not None
    world.stores["main"].delete([blob_key(ref.chunks.sha256)])
    report = verify_blobs(world.hub, mentions([ref], world.place("main")))
    assert [(one.key, one.state) for one in report.findings] == [
        ("image (chunk digests)", "missing")
    ]


def test_one_blob_in_many_samples_is_checked_once(world: World) -> None:
    world.remote("main")
    ref = world.blob(b"x", "main")
    report = verify_blobs(world.hub, mentions([ref] * 50, world.place("main")))
    assert (report.blobs, report.checked) == (1, 1)


def test_the_report_speaks_json(two: tuple[World, list[BlobRef], Place]) -> None:
    import json

    world, refs, place = two
    world.spoil("main", refs[3], b"x")
    facts = json.loads(json.dumps(verify_blobs(world.hub, mentions(refs, place)).to_dict()))
    assert facts["ok"] is False
    assert facts["findings"][0]["source"] == "main"
