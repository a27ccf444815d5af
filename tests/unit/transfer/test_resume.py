from __future__ import annotations

import itertools
import os
import time
from pathlib import Path

import pytest

from lake.errors import BlobUnavailable
from lake.store.cache import Cache
from lake.testing.faults import Fault
from lake.transfer import Fetcher
from lake.transfer.chunks import BIG
from lake.transfer.download import PIECE
from lake_schemas.blob import BlobRef
from tests.unit.transfer.world import World

CONTENT = b"".join(bytes([n]) * (1 << 20) for n in range(BIG >> 20)) + b"the end"


@pytest.fixture
def ref(world: World) -> BlobRef:
    good, bad = itertools.repeat("pass", 4), itertools.repeat("permanent", 20)
    plan: list[Fault] = [*good, *bad]  # type: ignore[list-item]
    world.remote("main", plan)
    return world.blob(CONTENT, "main")


def partials(world: World) -> list[Path]:
    return list((world.hub.cache.path / "partial").iterdir())


def test_P6_a_fetch_that_broke_off_goes_on_where_it_was(world: World, ref: BlobRef) -> None:
    place = world.place("main")
    with pytest.raises(BlobUnavailable):
        Fetcher(world.hub).path(ref, place)
    (partial,) = partials(world)
    done = partial.stat().st_size
    assert 0 < done < BIG
    world.remote("main")
    world.blob(CONTENT, "main")
    world.hub.close()
    assert Fetcher(world.hub).path(ref, place).read_bytes() == CONTENT
    assert world.calls("main", "get") == -(-(len(CONTENT) - done) // PIECE)
    assert partials(world) == []


@pytest.mark.parametrize("damage", ["other", "longer"])
def test_P5_what_was_left_is_not_believed_and_no_source_blamed_for_it(
    world: World, ref: BlobRef, damage: str
) -> None:
    folder = world.hub.cache.path / "partial"
    folder.mkdir(parents=True)
    left = bytes(10 << 20) if damage == "other" else CONTENT + b"more"
    (folder / ref.sha256).write_bytes(left)
    world.remote("main")
    world.blob(CONTENT, "main")
    assert Fetcher(world.hub).path(ref, world.place("main")).read_bytes() == CONTENT
    assert world.hub.quarantine.entries() == []


def test_a_bad_source_leaves_nothing_behind(world: World) -> None:
    world.remote("main")
    ref = world.blob(CONTENT, "main")
    world.spoil("main", ref, CONTENT[:-1] + b"!")
    with pytest.raises(BlobUnavailable):
        Fetcher(world.hub).path(ref, world.place("main"))
    assert partials(world) == []
    assert world.hub.cache.get_path(ref.sha256, ref.size) is None


def test_two_who_fetch_the_same_do_not_mix_their_bytes(world: World, ref: BlobRef) -> None:
    world.remote("main")
    world.blob(CONTENT, "main")
    with_lock = Cache(world.hub.cache.path).resume(ref.sha256, ref.size)
    assert with_lock is not None
    with with_lock as other:
        other.write(b"garbage")
        assert Fetcher(world.hub).path(ref, world.place("main")).read_bytes() == CONTENT


def test_what_nobody_comes_back_for_is_swept(world: World, ref: BlobRef) -> None:
    folder = world.hub.cache.path / "partial"
    folder.mkdir(parents=True)
    (folder / ("ab" * 32)).write_bytes(b"old")
    os.utime(folder / ("ab" * 32), (0, time.time() - 8 * 86400))
    (folder / ("cd" * 32)).write_bytes(b"new")
    world.remote("main")
    world.blob(CONTENT, "main")
    Fetcher(world.hub).path(ref, world.place("main"))
    assert [path.name for path in partials(world)] == ["cd" * 32]
    world.hub.cache.prune(all=True)
    assert not folder.exists()


def test_P4_an_adopted_file_carries_a_stamp_and_is_read_only(world: World, ref: BlobRef) -> None:
    world.remote("main")
    world.blob(CONTENT, "main")
    path = Fetcher(world.hub).path(ref, world.place("main"))
    assert path.stat().st_mode & 0o777 == 0o444
    assert world.hub.cache.get_path(ref.sha256, ref.size) == path
    path.chmod(0o600)
    with path.open("r+b") as file:
        file.write(b"X")
    assert world.hub.cache.get_path(ref.sha256, ref.size) is None
