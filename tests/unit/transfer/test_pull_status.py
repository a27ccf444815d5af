from __future__ import annotations

import pytest

from lake.errors import BlobUnavailable
from lake.transfer import Mention, Place, Pusher, blob_status, pull_blobs
from lake.transfer.chunks import BIG
from lake_schemas.blob import BlobRef
from tests.unit.transfer.world import World

CONTENTS = [f"content {n}".encode() for n in range(30)]


def mentions(refs: list[BlobRef], place: Place) -> list[Mention]:
    return [Mention(f"{n:03d}", "image", ref, place) for n, ref in enumerate(refs)]


@pytest.mark.parametrize("folder", [False, True])
def test_pull_brings_blobs_into_the_cache(world: World, folder: bool) -> None:
    world.remote("main", folder=folder)
    refs = [world.blob(data, "main") for data in [*CONTENTS, bytes(5 << 20)]]
    place = world.place("main")
    report = pull_blobs(world.hub, mentions(refs, place))
    assert (report.fetched, report.cached, report.failed) == (31, 0, 0)
    assert all(world.hub.cache.get_path(ref.sha256, ref.size) for ref in refs)
    again = pull_blobs(world.hub, mentions(refs, place))
    assert (again.fetched, again.cached) == (0, 31)


def test_pull_fetches_big_blobs_and_counts_their_bytes(world: World) -> None:
    world.remote("main")
    refs = [world.blob(bytes([n]) * BIG, "main") for n in range(2)]
    report = pull_blobs(world.hub, mentions(refs, world.place("main")))
    assert (report.fetched, report.size) == (2, 2 * BIG)


def test_pull_leaves_own_files_and_what_is_twice(world: World) -> None:
    world.remote("main")
    own = world.file("x", b"own").with_location("main")
    refs = [own, world.blob(b"far", "main"), world.blob(b"far", "main")]
    report = pull_blobs(world.hub, mentions(refs, world.place("main")))
    assert (report.files, report.fetched) == (1, 1)


def test_a_dry_pull_fetches_nothing(world: World) -> None:
    world.remote("main")
    refs = [world.blob(data, "main") for data in CONTENTS]
    report = pull_blobs(world.hub, mentions(refs, world.place("main")), dry_run=True)
    assert (report.fetched, report.size) == (30, sum(map(len, CONTENTS)))
    assert world.calls("main", "get") == 0


def test_what_cannot_be_pulled_is_named_and_the_rest_comes(world: World) -> None:
    world.remote("main")
    refs = [world.blob(data, "main") for data in CONTENTS]
    refs[4] = world.blob(b"lost").with_location("main")
    world.spoil("main", refs[9], b"CONTENT 9")
    with pytest.raises(BlobUnavailable, match=r"004: image|009: image"):
        pull_blobs(world.hub, mentions(refs, world.place("main")))
    report = pull_blobs(world.hub, mentions(refs, world.place("main")), keep_going=True)
    assert report.failed == len(report.failures) == 2
    assert report.cached + report.fetched == 28


def test_status_counts_where_blobs_are(world: World) -> None:
    main = world.remote("main")
    world.remote("nas", folder=True)
    pushed = Pusher(world.hub, [main]).located(
        [(world.file(f"{n}", data), Place(world.data)) for n, data in enumerate(CONTENTS)]
    )
    only_here = world.file("only", b"only here")
    changed = world.file("changed", b"changed").with_location("main")
    (world.data / "changed").write_bytes(b"changed!")
    gone = world.file("gone", b"gone")
    (world.data / "gone").unlink()
    far = world.blob(b"far", "nas")
    world.hub.cache.add_bytes(far.sha256, b"far")
    refs = [*pushed, only_here, changed, gone, far, far]
    place = world.place("main", "nas")
    world.faults["main"].log.clear()
    found = blob_status(world.hub, mentions(refs, place))
    assert world.faults["main"].log == []
    assert (found.items, found.blobs) == (35, 34)
    assert (found.files, found.changed, found.cached) == (31, 1, 1)
    assert (found.local_only, found.lost) == (1, 1)
    assert (found.remotes["main"].named, found.remotes["main"].known) == (31, 30)
    asked = blob_status(world.hub, mentions(refs, place), ask=True)
    assert (asked.remotes["main"].there, asked.remotes["main"].missing) == (30, 1)
    assert (asked.remotes["nas"].there, asked.remotes["nas"].missing) == (1, 0)
    assert asked.lost == 2
    assert asked.to_dict()["remotes"]["nas"]["there"] == 1
    assert "there" not in found.to_dict()["remotes"]["nas"]


def test_status_of_a_remote_that_does_not_answer(world: World) -> None:
    world.remote("dead", lambda operation, key: "refuse")
    refs = [world.blob(data, "dead") for data in CONTENTS]
    found = blob_status(world.hub, mentions(refs, world.place("dead")), ask=True, jobs=1)
    row = found.remotes["dead"]
    assert (row.there, row.missing, row.unanswered) == (0, 0, 30)
    assert row.error
    assert found.lost == 0
    assert world.calls("dead", "stat") == 3
