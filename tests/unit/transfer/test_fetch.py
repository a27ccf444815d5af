from __future__ import annotations

import errno
import logging
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from lake import fsio
from lake.errors import BlobUnavailable, DiskError, IntegrityError
from lake.fsio import system
from lake.store.body import read_body
from lake.store.layout import blob_key
from lake.testing.faults import Plan
from lake.transfer import Fetcher, Place, Pusher
from lake.transfer.chunks import BIG, CHUNK
from lake.transfer.spread import SMALL
from lake_schemas.blob import BlobRef
from tests.unit.transfer.world import World, sha


def _opened(fetcher: Fetcher, ref: BlobRef, place: Place) -> bytes:
    with fetcher.open(ref, place) as file:
        return file.read()


READERS: dict[str, Callable[[Fetcher, BlobRef, Place], bytes]] = {
    "read": lambda fetcher, ref, place: fetcher.read(ref, place),
    "path": lambda fetcher, ref, place: fetcher.path(ref, place).read_bytes(),
    "open": _opened,
    "body": lambda fetcher, ref, place: read_body(fetcher.body(ref, place)),
    "many": lambda fetcher, ref, place: fetcher.read_many([(ref, place)] * 2)[1],
    "paths": lambda fetcher, ref, place: fetcher.paths_many([(ref, place)])[0].read_bytes(),
}

readers = pytest.mark.parametrize("how", READERS.values(), ids=READERS.keys())
kinds = pytest.mark.parametrize("folder", [False, True], ids=["object", "folder"])

SIZES = pytest.mark.parametrize("size", [0, 10, 3 << 20, 9 << 20])


@readers
@kinds
@SIZES
def test_bytes_come_back_as_they_went(
    world: World, how: Callable[[Fetcher, BlobRef, Place], bytes], folder: bool, size: int
) -> None:
    world.remote("main", folder=folder)
    content = (b"0123456789" * (size // 10 + 1))[:size]
    ref = world.blob(content, "main")
    assert how(Fetcher(world.hub), ref, world.place("main")) == content
    assert how(Fetcher(world.hub), ref, world.place("main")) == content


@readers
def test_the_datasets_own_file_comes_first(
    world: World, how: Callable[[Fetcher, BlobRef, Place], bytes]
) -> None:
    world.remote("main")
    ref = world.file("x", b"mine").with_location("main")
    assert how(Fetcher(world.hub), ref, world.place("main")) == b"mine"
    assert world.faults["main"].log == []


@readers
def test_P4_a_changed_own_file_is_not_given_out_and_the_remote_serves(
    world: World, how: Callable[[Fetcher, BlobRef, Place], bytes]
) -> None:
    world.remote("main")
    ref = world.blob(b"right", "main").with_file("x")
    for wrong in (b"wrong", b"longer than right", b""):
        (world.data / "x").write_bytes(wrong)
        assert how(Fetcher(world.hub), ref, world.place("main")) == b"right"


SPOILED = {
    "flipped": lambda data: bytes([data[0] ^ 1]) + data[1:],
    "truncated": lambda data: data[:-1],
    "emptied": lambda data: b"",
    "longer": lambda data: data + b"!",
    "much longer": lambda data: data * 3,
}


@readers
@kinds
@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED.keys())
@pytest.mark.parametrize("size", [100, 5 << 20])
def test_P5_a_bad_source_is_skipped_named_and_never_cached(
    world: World,
    how: Callable[[Fetcher, BlobRef, Place], bytes],
    folder: bool,
    spoil: Callable[[bytes], bytes],
    size: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    world.remote("bad", folder=folder)
    world.remote("good")
    content = b"x" * size
    ref = world.blob(content, "bad", "good")
    world.spoil("bad", ref, spoil(content))
    place = world.place("bad", "good")
    with caplog.at_level(logging.WARNING):
        if how is READERS["body"] and size > SMALL:
            # A stream that turned out bad is started again by whoever draws it.
            with pytest.raises(IntegrityError):
                how(Fetcher(world.hub), ref, place)
        assert how(Fetcher(world.hub), ref, place) == content
    (bad,) = world.hub.quarantine.entries()
    assert bad.sha256 == ref.sha256
    assert str(world.root / "bad") in bad.source or "bad" in bad.source
    assert "--repair" in caplog.text
    cached = world.hub.cache.get_path(ref.sha256, ref.size)
    assert cached is None or cached.read_bytes() == content
    # It is not asked again.
    before = len(world.faults["bad"].log)
    assert Fetcher(world.hub).read(ref, place) == content
    assert len(world.faults["bad"].log) == before


@readers
@kinds
def test_P5_when_all_sources_are_bad_the_error_names_them_all(
    world: World, how: Callable[[Fetcher, BlobRef, Place], bytes], folder: bool
) -> None:
    for alias in ("one", "two"):
        world.remote(alias, folder=folder)
    world.remote("gone")
    ref = world.blob(b"content", "one", "two").with_location("gone").with_file("mine")
    world.spoil("one", ref, b"CONTENT")
    world.spoil("two", ref, b"con")
    (world.data / "mine").write_bytes(b"c0ntent")
    with pytest.raises(BlobUnavailable) as caught:
        how(Fetcher(world.hub), ref, world.place("one", "two", "gone"))
    text = str(caught.value)
    assert ref.sha256 in text
    for name in ("one", "two", "gone"):
        assert name in text
    assert "--repair" in text
    assert world.hub.cache.get_path(ref.sha256, ref.size) is None


@readers
@pytest.mark.parametrize("fault", ["flip", "short", "break", "more", "refuse", "lost"])
def test_faults_of_the_wire_are_survived(
    world: World, how: Callable[[Fetcher, BlobRef, Place], bytes], fault: str
) -> None:
    plan: Plan = [fault]  # type: ignore[list-item]
    world.remote("main", plan)
    content = b"0123456789" * 1000
    ref = world.blob(content, "main")
    place = world.place("main")
    assert how(Fetcher(world.hub), ref, place) == content
    assert world.hub.quarantine.entries() == []


def test_a_dead_remote_is_not_waited_for_again_and_again(world: World) -> None:
    world.remote("dead", lambda operation, key: "refuse")
    world.remote("good")
    contents = [f"{n}".encode() for n in range(50)]
    refs = [world.blob(data, "dead", "good") for data in contents]
    fetcher = Fetcher(world.hub)
    assert [fetcher.read(ref, world.place("dead", "good")) for ref in refs] == contents
    assert world.calls("dead", "get") <= 6


def test_a_dead_remote_without_another_is_one_clear_error_each_time(world: World) -> None:
    world.remote("dead", lambda operation, key: "refuse")
    refs = [world.blob(f"{n}".encode(), "dead") for n in range(50)]
    for ref in refs:
        with pytest.raises(BlobUnavailable, match="dead"):
            Fetcher(world.hub).read(ref, world.place("dead"))
    assert world.calls("dead", "get") <= 6


def test_a_hiccup_of_the_only_remote_is_waited_out_but_not_that_of_one_of_two(
    world: World,
) -> None:
    world.remote("shaky", ["refuse"] * 4)
    world.remote("good")
    ref = world.blob(b"x", "shaky", "good")
    assert Fetcher(world.hub).read(ref, world.place("shaky", "good")) == b"x"
    assert world.calls("good", "get") == 1
    only = world.blob(b"y", "shaky")
    assert Fetcher(world.hub).read(only, world.place("shaky")) == b"y"


def test_denied_here_and_served_there(world: World) -> None:
    world.remote("theirs", lambda operation, key: "denied")
    world.remote("mine")
    ref = world.blob(b"x", "theirs", "mine")
    assert Fetcher(world.hub).read(ref, world.place("theirs", "mine")) == b"x"
    alone = world.blob(b"y", "theirs")
    with pytest.raises(BlobUnavailable, match="access denied"):
        Fetcher(world.hub).read(alone, world.place("theirs"))


def test_an_alias_that_nobody_knows_is_an_answer_like_others(world: World) -> None:
    world.remote("main")
    ref = world.blob(b"x").with_location("nowhere").with_location("main")
    world.blob(b"x", "main")
    assert Fetcher(world.hub).read(ref, world.place("main")) == b"x"
    lost = world.blob(b"z").with_location("nowhere")
    with pytest.raises(BlobUnavailable, match="nowhere"):
        Fetcher(world.hub).read(lost, world.place("main"))


def test_an_adopted_object_is_read_under_its_own_key(world: World) -> None:
    from lake.store.body import BytesBody

    world.remote("old")
    world.stores["old"].put("2019/scan.tif", BytesBody(b"x"))
    ref = world.blob(b"x").with_location("old", "2019/scan.tif")
    assert Fetcher(world.hub).read(ref, world.place("old")) == b"x"


def test_what_was_fetched_is_read_from_the_cache(world: World) -> None:
    world.remote("main")
    ref = world.blob(b"x", "main")
    fetcher = Fetcher(world.hub)
    for _ in range(3):
        assert fetcher.read(ref, world.place("main")) == b"x"
    assert world.calls("main", "get") == 1
    assert [source.kind for source in world.hub.sources(ref, world.place("main"))] == [
        "cache",
        "remote",
    ]


def test_P4_a_spoiled_cache_entry_is_not_believed(world: World) -> None:
    world.remote("main")
    ref = world.blob(b"right", "main")
    fetcher = Fetcher(world.hub)
    path = fetcher.path(ref, world.place("main"))
    path.chmod(0o600)
    path.write_bytes(b"WRONG")
    for how in READERS.values():
        assert how(fetcher, ref, world.place("main")) == b"right"


def test_a_folder_is_read_where_it_lies(world: World) -> None:
    world.remote("nas", folder=True)
    ref = world.blob(b"x", "nas")
    fetcher = Fetcher(world.hub)
    assert fetcher.read(ref, world.place("nas")) == b"x"
    assert fetcher.path(ref, world.place("nas")) == world.root / "nas" / blob_key(ref.sha256)
    assert world.hub.cache.get_path(ref.sha256, ref.size) is None


class FullDisk(system.System):
    def write(self, fd: int, data: bytes | bytearray | memoryview) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("size", [100, 5 << 20, BIG])
def test_a_full_disk_under_the_cache_does_not_keep_bytes_from_the_user(
    world: World, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.remote("main")
    content = bytes(size)
    ref = world.blob(content, "main")
    monkeypatch.setattr(system, "current", FullDisk())
    fetcher = Fetcher(world.hub)
    assert fetcher.read(ref, world.place("main")) == content
    assert fetcher.read_many([(ref, world.place("main"))]) == [content]
    with pytest.raises(DiskError, match="no space"):
        fetcher.path(ref, world.place("main"))
    monkeypatch.undo()
    assert world.hub.cache.get_path(ref.sha256, ref.size) is None


def _big(world: World, alias: str) -> tuple[BlobRef, bytes]:
    content = b"".join(bytes([n]) * CHUNK for n in range(8)) + b"the end"
    ref = world.file("big", content)
    (located,) = Pusher(world.hub, [world.remote(alias)]).located([(ref, Place(world.data))])
    return located.with_file(None), content


def test_a_part_of_a_big_blob_costs_only_its_chunks(world: World) -> None:
    ref, content = _big(world, "main")
    assert ref.chunks is not None
    place = world.place("main")
    world.faults["main"].log.clear()
    with Fetcher(world.hub).open(ref, place) as file:
        assert file.seek(-10, 2) == len(content) - 10
        assert file.read() == content[-10:]
        file.seek(CHUNK - 5)
        assert file.read(10) == content[CHUNK - 5 : CHUNK + 5]
    assert world.calls("main", "get") == 5  # the sidecar, and four chunks of nine
    assert world.hub.cache.get_path(ref.sha256, ref.size) is None


def test_P5_a_chunk_that_is_bad_in_one_remote_comes_from_another(world: World) -> None:
    ref, content = _big(world, "main")
    (ref,) = Pusher(world.hub, [world.remote("other")]).located([(ref, world.place("main"))])
    spoiled = bytearray(content)
    spoiled[3 * CHUNK + 7] ^= 1
    world.spoil("main", ref, bytes(spoiled))
    place = world.place("main", "other")
    with Fetcher(world.hub).open(ref, place) as file:
        assert file.read() == content
    assert [bad.sha256 for bad in world.hub.quarantine.entries()] == [ref.sha256]


def test_without_its_sidecar_a_big_blob_is_fetched_whole(world: World) -> None:
    ref, content = _big(world, "main")
    assert ref.chunks is not None
    world.stores["main"].delete([blob_key(ref.chunks.sha256)])
    with Fetcher(world.hub).open(ref, world.place("main")) as file:
        file.seek(5)
        assert file.read(4) == content[5:9]
    assert world.hub.cache.get_path(ref.sha256, ref.size) is not None


def test_big_blobs_come_by_several_ranges(world: World) -> None:
    ref, content = _big(world, "main")
    world.faults["main"].log.clear()
    assert Fetcher(world.hub).path(ref, world.place("main")).read_bytes() == content
    assert world.calls("main", "get") == 9


def test_many_blobs_keep_their_order_and_each_is_fetched_once(world: World) -> None:
    world.remote("main")
    world.remote("nas", folder=True)
    contents = [f"{n % 40}".encode() for n in range(200)]
    refs = [world.blob(data, "main" if n % 3 else "nas") for n, data in enumerate(contents)]
    place = world.place("main", "nas")
    assert Fetcher(world.hub).read_many([(ref, place) for ref in refs]) == contents
    assert world.calls("main", "get") <= 40


def test_copies_are_verified_and_appear_with_the_batch(world: World, tmp_path: Path) -> None:
    world.remote("main")
    world.remote("nas", folder=True)
    refs = [
        world.blob(b"far", "main"),
        world.blob(b"folder", "nas"),
        world.file("own", b"own"),
        world.blob(bytes(5 << 20), "main"),
    ]
    place = world.place("main", "nas")
    out = tmp_path / "out"
    with fsio.Batch(out) as batch:
        wants = [(ref, place, f"files/{n}") for n, ref in enumerate(refs)]
        assert Fetcher(world.hub).copy_into(wants, batch) == [None] * 4
        assert not (out / "files").exists()
        batch.commit()
    assert [sha((out / f"files/{n}").read_bytes()) for n in range(4)] == [r.sha256 for r in refs]


def test_a_copy_that_cannot_be_had_is_an_error_and_the_rest_goes_on(
    world: World, tmp_path: Path
) -> None:
    world.remote("main")
    good, lost, own = (
        world.blob(b"good", "main"),
        world.blob(b"lost").with_location("main"),
        world.file("own", b"own"),
    )
    (world.data / "own").write_bytes(b"changed")
    place = world.place("main")
    with fsio.Batch(tmp_path / "out") as batch:
        wants = [(ref, place, str(n)) for n, ref in enumerate([good, lost, own])]
        results = Fetcher(world.hub).copy_into(wants, batch, keep_going=True)
        batch.commit()
    assert [type(result) for result in results] == [type(None), BlobUnavailable, BlobUnavailable]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["0"]


def test_fetchers_and_places_survive_pickling() -> None:
    fetcher = pickle.loads(pickle.dumps(Fetcher()))
    assert isinstance(fetcher, Fetcher)
    place = Place(Path("/x"), {"main": "s3://b/p", "nas": "/y"})
    assert pickle.loads(pickle.dumps(place)) == place
    assert hash(pickle.loads(pickle.dumps(place))) == hash(place)


def test_settings_beside_a_dataset_hold_where_the_working_folder_is_in_no_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lake.transfer import Hub

    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    (project / ".lake").mkdir(parents=True)
    elsewhere.mkdir()
    (project / ".lake/config.local.yaml").write_text(
        "remotes: {spare: ../spare}\norder: [spare, main]\n"
    )
    place = Place(project / "data", {"main": "../main"})
    monkeypatch.chdir(elsewhere)
    with Hub() as hub:
        assert hub.remote(place, "spare").folder == project / "spare"
        assert hub.remote(place, "main").folder == project / "main"
        assert hub.order(place, ("main", "spare")) == (1, 0)
    (elsewhere / ".lake").mkdir()
    with Hub() as hub:
        assert hub.order(place, ("main", "spare")) == (0, 1)


def test_P8_an_open_file_stays_the_one_that_was_verified(world: World) -> None:
    content = b"right" * (1 << 20)
    ref = world.file("x", content)
    with Fetcher(world.hub).open(ref, Place(world.data)) as file:
        (world.data / "x").unlink()
        (world.data / "x").symlink_to("/etc/hostname")
        assert file.read() == content
    for how in READERS.values():
        with pytest.raises(BlobUnavailable):
            how(Fetcher(world.hub), ref, Place(world.data))
