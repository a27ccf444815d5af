from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lake.errors import InputError
from lake.store.body import BytesBody, FileBody
from lake.store.layout import LakeFile
from lake.transfer import Pusher
from lake.transfer.chunks import BIG
from tests.unit.transfer.world import World, sha


def _old_files(root: Path, contents: dict[str, bytes]) -> list[Path]:
    paths = []
    for name, data in contents.items():
        path = root / name
        path.write_bytes(data)
        os.utime(path, ns=(1, 1_500_000_001))
        paths.append(path)
    return paths


MANY = {f"{n}.bin": f"content {n}".encode() for n in range(200)}


@pytest.mark.parametrize("folder", [False, True])
def test_files_are_hashed_and_sent_in_one_pass(world: World, folder: bool) -> None:
    main = world.remote("main", folder=folder)
    paths = _old_files(world.data, {**MANY, "big": bytes(3 << 20), "same": b"content 7"})
    pusher = Pusher(world.hub, [main])
    added = pusher.add_files(paths)
    assert [one.path for one in added] == paths
    for one in added:
        data = one.path.read_bytes()
        assert one.ref is not None
        assert (one.ref.sha256, one.ref.size, one.ref.aliases) == (sha(data), len(data), ("main",))
        assert world.holds("main", one.ref) == data
    assert pusher.report.uploaded == 201


def test_unchanged_files_are_not_read_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    main = world.remote("main")
    paths = _old_files(world.data, MANY)
    # ctime cannot be set: pretend that the files have been lying there for a while.
    monkeypatch.setattr("lake.transfer.ledger.RACY_NS", -(10**10))
    first = Pusher(world.hub, [main]).add_files(paths)
    monkeypatch.setattr("lake.transfer.adding.FileBody", None)
    again = Pusher(world.hub, [main]).add_files(paths)
    assert [one.ref for one in again] == [one.ref for one in first]
    assert all(outcome.state == "known" for one in again for outcome in one.outcomes)
    assert world.calls("main", "put") == len(MANY) + 1


def test_a_changed_file_is_read_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lake.transfer.ledger.RACY_NS", -(10**10))
    paths = _old_files(world.data, MANY)
    Pusher(world.hub, []).add_files(paths)
    paths[3].write_bytes(b"CONTENT 3")
    os.utime(paths[3], ns=(1, 1_500_000_001))  # same size, same mtime
    added = Pusher(world.hub, []).add_files(paths)
    assert added[3].ref is not None
    assert added[3].ref.sha256 == sha(b"CONTENT 3")


def test_without_remotes_files_are_only_hashed(world: World) -> None:
    added = Pusher(world.hub, []).add_files(_old_files(world.data, MANY))
    assert [one.ref.sha256 for one in added if one.ref] == [sha(data) for data in MANY.values()]
    assert all(one.outcomes == () for one in added)


def test_a_missing_file_is_an_input_error(world: World) -> None:
    paths = _old_files(world.data, MANY)
    paths[5].unlink()
    with pytest.raises(InputError, match=r"5\.bin"):
        Pusher(world.hub, []).add_files(paths)


def test_keep_going_takes_in_the_rest(world: World) -> None:
    main = world.remote("main")
    paths = _old_files(world.data, MANY)
    paths[5].unlink()
    paths[6].unlink()
    paths[6].mkdir()
    added = Pusher(world.hub, [main], keep_going=True).add_files(paths)
    assert [n for n, one in enumerate(added) if one.error] == [5, 6]
    assert all(isinstance(added[n].error, InputError) for n in (5, 6))
    assert sum(one.ref is not None for one in added) == len(MANY) - 2


def test_dry_run_hashes_and_sends_nothing(world: World) -> None:
    main = world.remote("main", folder=True)
    pusher = Pusher(world.hub, [main], dry_run=True)
    added = pusher.add_files(_old_files(world.data, {**MANY, "big": bytes(2 << 20)}))
    assert {outcome.state for one in added for outcome in one.outcomes} == {"planned"}
    assert world.calls("main", "put") == 0


@pytest.mark.parametrize("folder", [False, True])
def test_a_big_file_gets_chunk_digests(world: World, folder: bool) -> None:
    main, nas = world.remote("main", folder=folder), world.remote("nas")
    path = world.data / "big"
    with path.open("wb") as file:
        file.truncate(BIG + 5)
    (one,) = Pusher(world.hub, [main, nas]).add_files([path])
    assert one.ref is not None
    assert one.ref.aliases == ("main", "nas")
    assert one.ref.chunks is not None
    for alias in ("main", "nas"):
        side = one.ref.model_copy(update={"sha256": one.ref.chunks.sha256})
        content = world.holds(alias, side)
        assert content is not None
        assert len(content) == 9 * 32


def test_a_folder_that_fails_does_not_keep_a_big_file_from_the_others(world: World) -> None:
    sick = world.remote("sick", lambda op, key: "permanent" if op == "put" else "pass", folder=True)
    main = world.remote("main")
    world.stores["sick"].put("lake.json", BytesBody(LakeFile(1, "f" * 32).dump()))
    world.stores["sick"].flush()
    (path,) = _old_files(world.data, {"big": bytes(3 << 20)})
    (one,) = Pusher(world.hub, [sick, main], keep_going=True).add_files([path])
    assert one.ref is not None
    assert one.ref.aliases == ("main",)
    assert [outcome.state for outcome in one.outcomes] == ["failed", "uploaded"]
    assert world.holds("main", one.ref) == bytes(3 << 20)


@pytest.mark.parametrize("folder", [False, True])
def test_a_big_file_is_read_once(world: World, folder: bool) -> None:
    main = world.remote("main", folder=folder)
    path = world.data / "big"
    with path.open("wb") as file:
        file.truncate(BIG)
    read = 0

    class Counting(FileBody):
        def open(self) -> Iterator[bytes]:
            nonlocal read
            for piece in super().open():
                read += len(piece)
                yield piece

    with pytest.MonkeyPatch.context() as patch:
        for module in ("adding", "supply"):
            patch.setattr(f"lake.transfer.{module}.FileBody", Counting)
        (one,) = Pusher(world.hub, [main]).add_files([path])
    assert one.ref is not None
    assert one.ref.chunks is not None
    # A store that must know the name first costs a pass for the digest, which is not counted.
    assert read == BIG
