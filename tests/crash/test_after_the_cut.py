"""What lake does with a disk that a power cut left: it carries on, and is not deceived."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from lake import fsio
from lake.store import BytesBody, blob_key
from lake.store.cache import Cache, stamp
from lake.store.local import LocalStore
from lake.testing.crash import Recorder, State, states

BLOBS = [bytes([65 + n]) * 50 for n in range(3)]
DIGESTS = [hashlib.sha256(blob).hexdigest() for blob in BLOBS]


def put_all(root: Path) -> LocalStore:
    store = LocalStore(root)
    for blob in BLOBS:
        store.put(blob_key, BytesBody(blob))
    store.flush()
    return store


@pytest.mark.parametrize("whole", [True, False])
def test_P6_the_same_push_again_completes_the_store(tmp_path: Path, whole: bool) -> None:
    (tmp_path / "first").mkdir()
    with Recorder(tmp_path / "first", whole=whole) as recorder:
        put_all(tmp_path / "first" / "store").close()
    left = list(states(recorder, limit=20, seed=1))
    assert len(left) > 100
    for number, state in enumerate(left[:: max(1, len(left) // 60)]):
        root = tmp_path / str(number)
        root.mkdir()
        state.write_to(root)
        store = put_all(root / "store")
        assert [info.key for info in store.list()] == sorted(map(blob_key, DIGESTS))
        for digest, blob in zip(DIGESTS, BLOBS, strict=True):
            assert store.get(blob_key(digest)).read() == blob
        store.close()


def test_P6_a_directory_is_built_again(tmp_path: Path) -> None:
    def build(root: Path) -> None:
        if not (root / "out").exists():
            with fsio.NewDirectory(root / "out") as new:
                new.batch.write("samples/a.json", b"{}")

    (tmp_path / "first").mkdir()
    with Recorder(tmp_path / "first") as recorder:
        build(tmp_path / "first")
    for number, state in enumerate(states(recorder)):
        root = tmp_path / str(number)
        root.mkdir()
        state.write_to(root)
        build(root)
        assert [entry.rel for entry in fsio.scan(root / "out")] == ["samples/a.json"]
        assert (root / "out" / "samples" / "a.json").read_bytes() == b"{}"


def _cached(tmp_path: Path) -> list[State]:
    (tmp_path / "first").mkdir()
    with Recorder(tmp_path / "first") as recorder:
        cache = Cache(tmp_path / "first" / "cache")
        for digest, blob in zip(DIGESTS, BLOBS, strict=True):
            cache.add_bytes(digest, blob)
        cache.close()
    return list(states(recorder, limit=30))


def _stamp_all(root: Path) -> int:
    """Make every file carry a good stamp: its times reached the disk, its bytes maybe not."""
    count = 0
    for path in root.glob("cache/sha256/*/*"):
        mark = stamp.stamp_of(path.name, path.stat().st_ino)
        assert mark is not None
        now = path.stat().st_ctime_ns + 1_000_000_000
        os.utime(path, ns=(now, mark))
        count += 1
    return count


def _wrong_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, boots: bool) -> list[Path]:
    """Paths of wrong bytes that a cache hands out after a power cut."""
    boot = 0
    monkeypatch.setattr(stamp, "_boot", lambda: boot)
    wrong, stamped = [], 0
    for number, state in enumerate(_cached(tmp_path)):
        root = tmp_path / str(number)
        root.mkdir()
        state.write_to(root)
        if (root / "cache").is_dir():
            (root / "cache").chmod(0o700)
        for path in root.glob("cache/sha256/*/*"):
            path.chmod(0o444)
        stamped += _stamp_all(root)
        if boots:
            boot += 1
        cache = Cache(root / "cache")
        for digest, blob in zip(DIGESTS, BLOBS, strict=True):
            assert cache.read(digest, 50) in (None, blob) or not boots
            found = cache.get_path(digest, 50)
            if found is not None and found.read_bytes() != blob:
                wrong.append(found)
    assert stamped > 50
    return wrong


def test_P4_the_cache_never_hands_out_what_a_power_cut_tore(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _wrong_paths(tmp_path, monkeypatch, boots=True) == []


def test_without_the_boot_in_its_stamp_the_cache_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Cache, "read", lambda *_: None)
    assert _wrong_paths(tmp_path, monkeypatch, boots=False)
