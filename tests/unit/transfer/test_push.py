from __future__ import annotations

from pathlib import Path

import pytest

from lake.errors import AccessDenied, BlobUnavailable, LakeError, RemoteError, Unsupported
from lake.store.body import BytesBody
from lake.store.layout import blob_key
from lake.testing.faults import Plan
from lake.transfer import Place, Pusher
from lake.transfer.target import PROBES
from lake_schemas.blob import BlobRef
from tests.unit.transfer.world import World, sha

MANY = [f"content {n}".encode() for n in range(60)]


def _files(world: World, contents: list[bytes] = MANY) -> list[tuple[BlobRef, Place]]:
    place = Place(world.data)
    return [(world.file(f"{n}.txt", data), place) for n, data in enumerate(contents)]


@pytest.mark.parametrize("folder", [False, True])
def test_files_become_blobs_under_their_digest(world: World, folder: bool) -> None:
    main = world.remote("main", folder=folder)
    items = _files(world)
    with Pusher(world.hub, [main]) as pusher:
        outcomes = pusher.push(items)
    assert [outcome.state for outcome in outcomes] == ["uploaded"] * 60
    assert all(outcome.ref.aliases == ("main",) for outcome in outcomes)
    assert [world.holds("main", ref) for ref, _ in items] == MANY
    assert pusher.report.uploaded == 60
    assert pusher.report.size == sum(map(len, MANY))


@pytest.mark.parametrize("folder", [False, True])
def test_a_second_push_sends_nothing(world: World, folder: bool) -> None:
    main = world.remote("main", folder=folder)
    items = _files(world)
    Pusher(world.hub, [main]).push(items)
    world.faults["main"].log.clear()
    again = Pusher(world.hub, [main]).push(items)
    assert {outcome.state for outcome in again} == {"known"}
    assert world.calls("main", "put") == 0
    assert world.calls("main", "get") == 0
    assert world.calls("main", "list") == 0
    assert world.calls("main", "stat") <= PROBES


def test_one_content_in_many_items_is_sent_once(world: World) -> None:
    main = world.remote("main")
    items = _files(world, [b"same"] * 5)
    outcomes = Pusher(world.hub, [main]).push(items)
    assert len(outcomes) == 5
    assert [call for call in world.faults["main"].log if call[1].startswith("sha256/")] == [
        ("put", blob_key(sha(b"same")), "pass")
    ]


def test_several_remotes_get_each_blob_and_outcomes_come_item_by_item(world: World) -> None:
    main, nas = world.remote("main"), world.remote("nas", folder=True)
    items = _files(world)
    outcomes = Pusher(world.hub, [main, nas]).push(items)
    assert [outcome.remote for outcome in outcomes] == ["main", "nas"] * 60
    for ref, _ in items:
        assert world.holds("main", ref) == world.holds("nas", ref) is not None


def test_located_merges_the_remotes_into_one_ref(world: World) -> None:
    main, nas = world.remote("main"), world.remote("nas")
    items = _files(world)
    refs = Pusher(world.hub, [main, nas]).located(items)
    assert all(ref.aliases == ("main", "nas") for ref in refs)
    assert [ref.file for ref in refs] == [ref.file for ref, _ in items]


def test_bytes_and_foreign_files_are_pushed_without_a_dataset(world: World, tmp_path: Path) -> None:
    main = world.remote("main")
    path = tmp_path / "elsewhere"
    path.write_bytes(b"from a file")
    refs = [world.blob(b"in memory"), world.blob(b"from a file")]
    payloads: list[bytes | Path] = [b"in memory", path]
    items = [(ref, Place(), payload) for ref, payload in zip(refs, payloads, strict=True)]
    Pusher(world.hub, [main]).push(items)
    assert [world.holds("main", ref) for ref in refs] == [b"in memory", b"from a file"]


@pytest.mark.parametrize("size", [10, 5 << 20])
def test_remote_to_remote_needs_no_local_copy(world: World, size: int) -> None:
    far, near = world.remote("far"), world.remote("near")
    content = bytes(size)
    ref = world.blob(content, "far")
    outcomes = Pusher(world.hub, [near]).push([(ref, world.place("far"))])
    assert outcomes[0].ref.aliases == ("far", "near")
    assert world.holds("near", ref) == content
    assert world.hub.cache.get_path(ref.sha256, ref.size) is None
    assert far.alias == "far"


def test_dry_run_sends_nothing_and_says_what_it_would(world: World) -> None:
    main = world.remote("main")
    pusher = Pusher(world.hub, [main], dry_run=True)
    assert {outcome.state for outcome in pusher.push(_files(world))} == {"planned"}
    assert (pusher.report.planned, pusher.report.size) == (60, sum(map(len, MANY)))
    assert world.calls("main", "put") == 0


def test_a_file_that_is_not_what_its_manifest_says_is_not_sent(world: World) -> None:
    main = world.remote("main")
    items = _files(world)
    (world.data / "7.txt").write_bytes(b"CONTENT 7")
    with pytest.raises(BlobUnavailable) as caught:
        Pusher(world.hub, [main]).push(items)
    assert "7.txt" in str(caught.value)
    assert world.holds("main", items[7][0]) is None
    # What was fine is durable, and not sent again.
    (world.data / "7.txt").write_bytes(MANY[7])
    states = [outcome.state for outcome in Pusher(world.hub, [main]).push(items)]
    assert states.count("uploaded") >= 1


@pytest.mark.parametrize("folder", [False, True])
def test_keep_going_sends_the_rest_and_names_what_failed(world: World, folder: bool) -> None:
    main = world.remote("main", folder=folder)
    items = _files(world)
    (world.data / "3.txt").unlink()
    (world.data / "5.txt").write_bytes(b"other")
    pusher = Pusher(world.hub, [main], keep_going=True)
    outcomes = pusher.push(items)
    failed = [number for number, outcome in enumerate(outcomes) if not outcome.ok]
    assert failed == [3, 5]
    assert pusher.report.uploaded == 58
    assert pusher.report.failed == len(pusher.report.failures) == 2
    assert outcomes[3].ref == items[3][0]


def test_a_bad_local_file_is_replaced_by_another_source(world: World) -> None:
    world.remote("far")
    near = world.remote("near")
    ref = world.blob(b"content", "far").with_file("x")
    (world.data / "x").write_bytes(b"changed")
    assert Pusher(world.hub, [near]).push([(ref, world.place("far"))])[0].ok
    assert world.holds("near", ref) == b"content"


def test_a_dead_remote_fails_everything_quickly_and_the_other_gets_all(world: World) -> None:
    dead = world.remote("dead", lambda operation, key: "refuse" if operation == "put" else "pass")
    main = world.remote("main")
    world.stores["dead"].put("lake.json", _lake_json())
    items = _files(world)
    pusher = Pusher(world.hub, [dead, main], keep_going=True, jobs=1)
    outcomes = pusher.push(items)
    assert {outcome.state for outcome in outcomes if outcome.remote == "dead"} == {"failed"}
    assert {outcome.state for outcome in outcomes if outcome.remote == "main"} == {"uploaded"}
    assert world.calls("dead", "put") == 9  # three blobs, three tries each
    assert all(isinstance(outcome.error, RemoteError | None) for outcome in outcomes)


def test_wrong_credentials_are_one_error_at_the_start(world: World) -> None:
    main = world.remote("main", lambda operation, key: "denied")
    with pytest.raises(AccessDenied):
        Pusher(world.hub, [main])
    pusher = Pusher(world.hub, [main], keep_going=True)
    assert {outcome.state for outcome in pusher.push(_files(world))} == {"failed"}
    assert world.calls("main", "put") == 0


def test_a_read_only_remote_is_refused(world: World) -> None:
    from dataclasses import replace

    main = replace(world.remote("main"), read_only=True)
    with pytest.raises(Unsupported):
        Pusher(world.hub, [main])


def test_hiccups_are_retried(world: World) -> None:
    main = world.remote("main", ["pass", "refuse", "lost", "pass", "refuse"])
    items = _files(world)
    assert all(outcome.ok for outcome in Pusher(world.hub, [main], jobs=1).push(items))
    assert [world.holds("main", ref) for ref, _ in items] == MANY


def test_blobs_removed_behind_our_back_are_noticed_and_sent_again(world: World) -> None:
    main = world.remote("main")
    items = _files(world)
    Pusher(world.hub, [main]).push(items)
    world.stores["main"].delete([blob_key(ref.sha256) for ref, _ in items])
    assert all(outcome.ok for outcome in Pusher(world.hub, [main]).push(items))
    assert [world.holds("main", ref) for ref, _ in items] == MANY


def test_recheck_finds_even_one_missing_blob(world: World) -> None:
    main = world.remote("main")
    items = _files(world)
    Pusher(world.hub, [main]).push(items)
    world.stores["main"].delete([blob_key(items[11][0].sha256)])
    states = [outcome.state for outcome in Pusher(world.hub, [main], recheck=True).push(items)]
    assert states.count("uploaded") == 1
    assert states[11] == "uploaded"


def test_one_missing_blob_in_a_folder_is_found_without_being_asked_to(world: World) -> None:
    main = world.remote("main", folder=True)
    items = _files(world)
    Pusher(world.hub, [main]).push(items)
    (world.root / "main" / blob_key(items[11][0].sha256)).unlink()
    states = [outcome.state for outcome in Pusher(world.hub, [main]).push(items)]
    assert states.count("uploaded") == 1
    assert states[11] == "uploaded"


def test_another_store_at_the_same_address_is_not_believed_to_hold_anything(world: World) -> None:
    items = _files(world)
    Pusher(world.hub, [world.remote("main")]).push(items)
    world.hub.close()
    states = {o.state for o in Pusher(world.hub, [world.remote("main")]).push(items)}
    assert states == {"uploaded"}


@pytest.mark.parametrize("folder", [False, True])
@pytest.mark.parametrize("size", [100, 5 << 20])
def test_P1_a_truncated_blob_in_the_remote_is_replaced(
    world: World, folder: bool, size: int
) -> None:
    main = world.remote("main", folder=folder)
    content = bytes(size)
    ref = world.file("x", content)
    world.spoil("main", ref, b"half")
    assert Pusher(world.hub, [main]).push([(ref, Place(world.data))])[0].ok
    assert world.holds("main", ref) == content


def test_what_a_manifest_claims_is_not_sent_again(world: World) -> None:
    main = world.remote("main")
    refs = [world.blob(data, "main").with_file(f"{n}") for n, data in enumerate(MANY)]
    outcomes = Pusher(world.hub, [main]).push([(ref, world.place("main")) for ref in refs])
    assert {outcome.state for outcome in outcomes} == {"known"}


def test_a_false_claim_of_a_manifest_is_found_out(world: World) -> None:
    main = world.remote("main")
    items = [(ref.with_location("main"), world.place("main")) for ref, _ in _files(world)]
    assert {outcome.state for outcome in Pusher(world.hub, [main]).push(items)} == {"uploaded"}


def test_an_adopted_object_stays_under_its_own_key(world: World) -> None:
    main = world.remote("main")
    world.stores["main"].put("old/name.tif", BytesBody(b"adopted"))
    ref = world.blob(b"adopted").with_location("main", "old/name.tif")
    (outcome,) = Pusher(world.hub, [main]).push([(ref, world.place("main"))])
    assert (outcome.state, outcome.ref) == ("known", ref)


def test_a_new_machine_soon_asks_before_it_sends(world: World) -> None:
    main = world.remote("main")
    for data in MANY:
        world.blob(data, "main")
    assert all(o.ok for o in Pusher(world.hub, [main], jobs=1).push(_files(world)))
    assert world.calls("main", "put") < 25
    assert world.calls("main", "stat") > 35


@pytest.mark.parametrize("bad", [0, 1])
def test_a_big_blob_goes_to_two_remotes_in_one_read(world: World, bad: int) -> None:
    refusing: Plan = lambda operation, key: "refuse" if operation == "put" else "pass"  # noqa: E731
    main, nas = world.remote("main"), world.remote("nas", refusing if bad else ())
    world.stores["nas"].put("lake.json", _lake_json())
    content = bytes(6 << 20)
    ref = world.file("big", content)
    outcomes = Pusher(world.hub, [main, nas], keep_going=True).push([(ref, Place(world.data))])
    assert [outcome.ok for outcome in outcomes] == [True, not bad]
    assert world.holds("main", ref) == content


def test_a_big_file_with_other_bytes_reaches_no_remote(world: World) -> None:
    main, nas = world.remote("main"), world.remote("nas")
    ref = world.file("big", bytes(6 << 20))
    (world.data / "big").write_bytes(b"\1" * (6 << 20))
    with pytest.raises(BlobUnavailable):
        Pusher(world.hub, [main, nas]).push([(ref, Place(world.data))])
    assert world.holds("main", ref) is world.holds("nas", ref) is None


def test_an_error_ends_the_push_soon(world: World) -> None:
    main = world.remote("main", lambda operation, key: "pass")
    items = _files(world, [f"{n}".encode() for n in range(400)])
    for path in world.data.iterdir():
        path.unlink()
    with pytest.raises(LakeError):
        Pusher(world.hub, [main], jobs=4).push(items)
    assert world.calls("main", "put") < 8


def test_progress_hears_of_every_blob_and_byte(world: World) -> None:
    class Counting:
        items = size = 0

        def start(self, what: str, *, items: int | None = None, size: int | None = None) -> None:
            raise AssertionError("the caller starts it")

        def advance(self, *, items: int = 0, size: int = 0) -> None:
            self.items += items
            self.size += size

        def finish(self) -> None:
            raise AssertionError("the caller finishes it")

    main = world.remote("main")
    for _ in range(2):
        progress = Counting()
        Pusher(world.hub, [main], progress=progress, jobs=1).push(_files(world))
        assert progress.items == 60
        assert progress.size == sum(map(len, MANY))


def _lake_json() -> BytesBody:
    from lake.store.layout import LakeFile

    return BytesBody(LakeFile(1, "f" * 32).dump())


def test_P3_when_push_returns_every_blob_is_flushed(world: World) -> None:
    main = world.remote("main", folder=True)
    items = _files(world)
    Pusher(world.hub, [main]).push(items)
    operations = [name for name, _, _ in world.faults["main"].log]
    assert operations[-1] == "flush"
    assert operations.count("flush") <= 2  # lake.json's own, and one for the whole batch


def test_P3_a_file_is_dropped_only_where_every_remote_holds_its_blob(world: World) -> None:
    refusing: Plan = lambda operation, key: "refuse" if operation == "put" else "pass"  # noqa: E731
    main, sick = world.remote("main"), world.remote("sick", refusing)
    world.stores["sick"].put("lake.json", _lake_json())
    place = world.place("main", "sick")
    # The manifest claims that the sick remote holds it, which is found to be false.
    items = [(ref.with_location("sick"), place) for ref, _ in _files(world)]
    refs = Pusher(world.hub, [main, sick], keep_going=True).located(items, drop_files=True)
    assert all(ref.file is not None for ref in refs)
    refs = Pusher(world.hub, [main]).located(items, drop_files=True)
    assert all(ref.file is None and "main" in ref.aliases for ref in refs)


@pytest.mark.parametrize("size", [10, 5 << 20])
def test_what_is_at_hand_is_not_read_from_anywhere_else(world: World, size: int) -> None:
    world.remote("far")
    near = world.remote("near")
    ref = world.blob(bytes(size), "far").with_file("x")
    (world.data / "x").write_bytes(bytes(size))
    assert Pusher(world.hub, [near]).push([(ref, world.place("far"))])[0].ok
    assert world.faults["far"].log == []


def test_keep_going_past_a_remote_that_does_not_say_what_it_holds(world: World) -> None:
    mute: Plan = lambda operation, key: "refuse" if operation == "stat" else "pass"  # noqa: E731
    sick, main = world.remote("sick", mute), world.remote("main")
    items = _files(world)
    with pytest.raises(RemoteError):
        Pusher(world.hub, [sick], recheck=True).push(items)
    outcomes = Pusher(world.hub, [sick, main], recheck=True, keep_going=True).push(items)
    assert {o.state for o in outcomes if o.remote == "sick"} == {"failed"}
    assert {o.state for o in outcomes if o.remote == "main"} == {"uploaded"}


def test_recheck_looks_at_adopted_objects_too(world: World) -> None:
    main = world.remote("main")
    refs = []
    for n in range(5):
        world.stores["main"].put(f"old/{n}", BytesBody(b"%d" % n))
        refs.append(world.blob(b"%d" % n).with_location("main", f"old/{n}").with_file(f"{n}"))
        (world.data / f"{n}").write_bytes(b"%d" % n)
    world.stores["main"].delete(["old/3"])
    items = [(ref, world.place("main")) for ref in refs]
    assert {o.state for o in Pusher(world.hub, [main]).push(items)} == {"known"}
    states = [o.state for o in Pusher(world.hub, [main], recheck=True).push(items)]
    assert states == ["known"] * 3 + ["uploaded", "known"]
