"""The cache: only verified bytes enter or leave, it stays within bounds, and pins hold."""

from __future__ import annotations

import gc
import hashlib
import os
import pickle
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lake.errors import DiskError, InputError, IntegrityError
from lake.fsio import system
from lake.store.cache import Cache, stamp
from tests.unit.fsio.looking import files_in, names_in

DATA = hashlib.shake_128(b"seed").digest(20_480)
DIGEST = hashlib.sha256(DATA).hexdigest()
SIZE = len(DATA)


def blob(n: int, size: int = 1000) -> tuple[str, bytes]:
    data = hashlib.shake_128(b"%d" % n).digest(size)
    return hashlib.sha256(data).hexdigest(), data


def used_at(path: Path, seconds: float) -> None:
    """Say that a cached file was last used so many seconds ago, with its stamp as it is."""
    found = path.stat()
    os.utime(path, ns=(time.time_ns() - int(seconds * 1e9), found.st_mtime_ns))


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Cache]:
    cache = Cache(tmp_path / "cache")
    yield cache
    cache.close()


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that were hashed again."""
    from lake.store.cache import reading

    done: list[str] = []
    real = reading._right

    def note(fd: int, found: os.stat_result, sha256: str, size: int, keep: bool) -> bytes | None:
        done.append(sha256)
        return real(fd, found, sha256, size, keep)

    monkeypatch.setattr(reading, "_right", note)
    return done


# -- adding and reading


def test_an_empty_cache(cache: Cache) -> None:
    assert cache.get_path(DIGEST, SIZE) is None
    assert cache.read(DIGEST, SIZE) is None
    assert not cache.quarantine(DIGEST)
    assert cache.pinned() == frozenset()
    assert cache.prune(all=True).blobs == 0
    assert cache.info().blobs == 0
    assert not cache.path.exists(), "reading makes nothing"


def by_bytes(cache: Cache, tmp_path: Path) -> Path:
    return cache.add_bytes(DIGEST, DATA)


def by_file(cache: Cache, tmp_path: Path) -> Path:
    (tmp_path / "file").write_bytes(DATA)
    return cache.add_file(DIGEST, SIZE, tmp_path / "file")


def by_writer(cache: Cache, tmp_path: Path) -> Path:
    with cache.writer(DIGEST, SIZE) as writer:
        writer.write(DATA[:7])
        writer.write(DATA[7:])
        return writer.commit()


@pytest.mark.parametrize("add", [by_bytes, by_file, by_writer])
def test_what_enters_comes_out(
    cache: Cache, tmp_path: Path, add: Callable[[Cache, Path], Path], hashed: list[str]
) -> None:
    path = add(cache, tmp_path)
    assert path == cache.path / "sha256" / DIGEST[:2] / DIGEST
    assert path.read_bytes() == DATA
    assert cache.get_path(DIGEST, SIZE) == path
    assert hashed == [], "a stamp spares the hashing"
    assert cache.read(DIGEST, SIZE) == DATA
    assert hashed == [DIGEST], "read always hashes"
    assert stat.S_IMODE(cache.path.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o444
    assert add(cache, tmp_path) == path
    assert [name for name in files_in(cache.path) if name.startswith("tmp")] == []


def test_P1_wrong_bytes_do_not_enter(cache: Cache, tmp_path: Path) -> None:
    for wrong in (DATA[:-1], DATA + b"x", b"", bytes(SIZE)):
        (tmp_path / "file").write_bytes(wrong)
        with pytest.raises(IntegrityError):
            cache.add_bytes(DIGEST, wrong)
        with pytest.raises(IntegrityError):
            cache.add_file(DIGEST, SIZE, tmp_path / "file")
        with cache.writer(DIGEST, SIZE) as writer:
            if len(wrong) <= SIZE:
                writer.write(wrong)
            with pytest.raises(IntegrityError):
                writer.write(wrong) if len(wrong) > SIZE else writer.commit()
    with pytest.raises(InputError):
        cache.add_file(DIGEST, SIZE, tmp_path / "none")
    cache.writer(DIGEST, SIZE).discard()
    assert files_in(cache.path) == {}


def test_a_writer_stops_at_the_size(cache: Cache) -> None:
    with cache.writer(DIGEST, SIZE) as writer:
        writer.write(DATA)
        with pytest.raises(IntegrityError, match=f"at least {SIZE + 1} bytes"):
            writer.write(b"x")


def test_an_empty_blob_and_a_large_one(cache: Cache) -> None:
    for size in (0, (1 << 20) + 1):
        digest, data = blob(0, size)
        cache.add_bytes(digest, data)
        assert cache.read(digest, size) == data
        again = Cache(cache.path)
        os.utime(cache.add_bytes(digest, data), (1, 1))
        assert again.get_path(digest, size) is not None


# -- what happened to a file since


def flip(path: Path) -> None:
    path.chmod(0o600)
    with open(path, "r+b") as file:
        file.seek(100)
        byte = file.read(1)
        file.seek(100)
        file.write(bytes([byte[0] ^ 1]))
    path.chmod(0o444)


def flip_keeping_the_mtime(path: Path) -> None:
    before = path.stat()
    time.sleep(0.01)
    flip(path)
    used = before.st_atime_ns - 10_000_000_000
    os.utime(path, ns=(used, before.st_mtime_ns))


def cut(path: Path) -> None:
    path.chmod(0o600)
    os.truncate(path, 100)


def grow(path: Path) -> None:
    path.chmod(0o600)
    with open(path, "ab") as file:
        file.write(b"more")


def to_link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def to_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def to_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


SPOILERS = [flip, flip_keeping_the_mtime, cut, grow, to_link, to_fifo, to_directory]


@pytest.mark.parametrize("spoil", SPOILERS)
def test_P4_P5_a_changed_file_is_set_aside(cache: Cache, spoil: Callable[[Path], None]) -> None:
    for call in (cache.get_path, cache.read):
        path = cache.add_bytes(DIGEST, DATA)
        spoil(path)
        assert call(DIGEST, SIZE) is None
        assert not path.exists()
    assert cache.info().quarantined == 2
    assert cache.add_bytes(DIGEST, DATA).read_bytes() == DATA


@pytest.mark.parametrize("spoil", SPOILERS)
def test_adding_heals_what_is_there_and_bad(cache: Cache, spoil: Callable[[Path], None]) -> None:
    spoil(cache.add_bytes(DIGEST, DATA))
    path = cache.add_bytes(DIGEST, DATA)
    assert path.read_bytes() == DATA
    assert cache.get_path(DIGEST, SIZE) == path


def test_P4_a_file_of_another_size_than_the_manifest_says(cache: Cache) -> None:
    cache.add_bytes(DIGEST, DATA)
    assert cache.read(DIGEST, SIZE + 1) is None


@pytest.mark.parametrize("change", ["touch", "copy", "link", "chmod"])
def test_P4_an_unsure_file_is_hashed_again_and_stamped(
    cache: Cache, tmp_path: Path, hashed: list[str], change: str
) -> None:
    path = cache.add_bytes(DIGEST, DATA)
    if change == "touch":
        os.utime(path)
    elif change == "copy":  # cp -a: times as they were, another inode
        found = path.stat()
        path.rename(tmp_path / "moved")
        path.write_bytes(DATA)
        os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    elif change == "link":
        used_at(path, 5)
        os.link(path, tmp_path / "clone")
    else:
        path.chmod(0o664)
    assert cache.get_path(DIGEST, SIZE) == path
    assert hashed == [DIGEST]
    if change != "chmod":
        assert cache.get_path(DIGEST, SIZE) == path
        assert hashed == [DIGEST], "once"


def test_P4_another_boot_voids_all_stamps(
    cache: Cache, hashed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = cache.add_bytes(DIGEST, DATA)
    monkeypatch.setattr(stamp, "_boot", lambda: 12345)
    assert cache.get_path(DIGEST, SIZE) == path
    assert hashed == [DIGEST]
    monkeypatch.setattr(stamp, "_boot", lambda: None)
    for _ in range(3):
        assert cache.get_path(DIGEST, SIZE) == path
    assert len(hashed) == 4, "a machine that does not say its boot has no stamps"
    assert cache.add_bytes(*blob(1)).exists()


def test_a_good_file_that_took_the_place_of_a_bad_one_stays(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process heals the blob between the reading and the setting aside."""
    path = cache.add_bytes(DIGEST, DATA)
    flip(path)
    real = system.System.rename
    other = Cache(cache.path)
    monkeypatch.setattr(system.System, "rename", lambda self, *args: heal(self, *args))

    def heal(self: system.System, *args: object) -> None:
        monkeypatch.setattr(system.System, "rename", real)
        path.unlink()
        other.add_bytes(DIGEST, DATA)
        real(self, *args)  # type: ignore[arg-type]

    assert cache.read(DIGEST, SIZE) is None
    assert cache.read(DIGEST, SIZE) == DATA
    assert cache.info().quarantined == 0
    other.close()


# -- bounds


def fill(cache: Cache, count: int, size: int = 1000) -> list[str]:
    digests = []
    for n in range(count):
        digest, data = blob(n, size)
        used_at(cache.add_bytes(digest, data), 100_000 - n)
        digests.append(digest)
    return digests


def left(cache: Cache, digests: list[str]) -> list[int]:
    return [
        n
        for n, digest in enumerate(digests)
        if (cache.path / "sha256" / digest[:2] / digest).exists()
    ]


def test_what_was_used_longest_ago_goes_first(cache: Cache) -> None:
    digests = fill(cache, 20)
    assert cache.get_path(digests[3], 1000) is not None
    assert cache.read(digests[5], 1000) is not None
    gone = cache.prune(max_size=6000)
    assert (gone.blobs, gone.size) == (14, 14_000)
    assert left(cache, digests) == [3, 5, 16, 17, 18, 19]


def test_use_is_noted_once_a_minute(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    path = cache.add_bytes(DIGEST, DATA)
    before, now = path.stat().st_atime_ns, time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now + 30 * 10**9)
    cache.read(DIGEST, SIZE)
    cache.get_path(DIGEST, SIZE)
    assert path.stat().st_atime_ns - before < 10**9
    for call, later in ((cache.get_path, 90), (cache.read, 180)):
        monkeypatch.setattr(time, "time_ns", lambda later=later: now + later * 10**9)
        call(DIGEST, SIZE)
        assert path.stat().st_atime_ns == now + later * 10**9
        assert cache.get_path(DIGEST, SIZE) == path


@pytest.mark.parametrize("sizes", [[1000], [400], [0, 5000, 30, 700], [120_000]])
def test_it_stays_about_within_its_size(tmp_path: Path, sizes: list[int]) -> None:
    limit = 100_000
    cache = Cache(tmp_path / "cache", max_size=limit)
    total = n = 0
    while total < 5 * limit:
        size = sizes[n % len(sizes)]
        digest, data = blob(n, size)
        path = cache.add_bytes(digest, data)
        assert path.exists(), "what was just added stays"
        total, n = total + size, n + 1
        if n % 100 == 0:
            assert cache.info().size <= limit + limit // 32 + max(sizes)
    assert cache.info().size > 0
    cache.close()


def test_short_lived_processes_keep_it_in_bounds_too(tmp_path: Path) -> None:
    """Each adds little and is gone; together they still look often enough."""
    limit = 50_000
    for n in range(400):
        cache = Cache(tmp_path / "cache", max_size=limit)
        cache.add_bytes(*blob(n, 700))
        cache.close()
    assert Cache(tmp_path / "cache").info().size < 2 * limit


def test_it_does_not_look_at_each_addition(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lake.store.cache import eviction

    looks = []
    real = eviction.total
    monkeypatch.setattr(eviction, "total", lambda root: (looks.append(root), real(root))[1])
    cache = Cache(tmp_path / "cache", max_size=1_000_000)
    for n in range(2000):
        cache.add_bytes(*blob(n, 1000))
    assert len(looks) <= 40
    cache.close()


def test_pruning_all(cache: Cache) -> None:
    digests = fill(cache, 5)
    empty, nothing = blob(9, 0)
    cache.add_bytes(empty, nothing)
    cache.pin(digests[2])
    flip(cache.add_bytes(DIGEST, DATA))
    assert cache.read(DIGEST, SIZE) is None
    gone = cache.prune(all=True)
    assert gone.blobs == 6
    assert left(cache, [*digests, empty]) == [2]
    assert cache.info().quarantined == 0


def test_bad_files_go_before_good_ones(cache: Cache) -> None:
    digests = fill(cache, 5)
    flip(cache.add_bytes(DIGEST, DATA))
    cache.read(DIGEST, SIZE)
    cache.prune(max_size=5000)
    assert left(cache, digests) == [0, 1, 2, 3, 4]


def test_room_is_made_for_a_large_blob(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    digests = fill(cache, 5)
    real = os.statvfs

    def nearly_full(path: Path) -> os.statvfs_result:
        found = list(real(path))
        found[4] = (2_000_000 - 3000) // found[1]
        return os.statvfs_result(found)

    monkeypatch.setattr(os, "statvfs", nearly_full)
    digest, data = blob(99, 2_000_000)
    cache.add_bytes(digest, data)
    assert len(left(cache, digests)) < 3
    assert cache.read(digest, 2_000_000) == data


# -- pins


def test_a_pinned_blob_stays(cache: Cache) -> None:
    digests = fill(cache, 10)
    assert cache.pin(digests[0], digests[1], "f" * 64) == {digests[0], digests[1]}
    assert cache.pin(digests[0]) == {digests[0]}
    cache.prune(max_size=3000)
    assert left(cache, digests) == [0, 1, 9]
    cache.prune(max_size=0)
    assert left(cache, digests) == [0, 1]
    assert cache.info().pinned == 2
    cache.unpin(digests[0], "f" * 64)
    cache.prune(max_size=0)
    assert left(cache, digests) == [1]


def test_a_blob_that_is_evicted_while_it_is_pinned(cache: Cache) -> None:
    """Whoever evicts takes only one of its two names away."""
    digests = fill(cache, 1)
    cache.pin(digests[0])
    (cache.path / "sha256" / digests[0][:2] / digests[0]).unlink()
    assert cache.read(digests[0], 1000) == blob(0)[1]
    found = cache.get_path(digests[0], 1000)
    assert found is not None
    assert found.read_bytes() == blob(0)[1]


def test_pinning_in_an_empty_cache(cache: Cache) -> None:
    assert cache.pin(DIGEST) == frozenset()


# -- the rest


def test_info(cache: Cache) -> None:
    digests = fill(cache, 3)
    cache.pin(digests[0])
    cache.quarantine(digests[1])
    info = cache.info()
    assert (info.blobs, info.size, info.pinned, info.quarantined) == (2, 3000, 1, 1)
    assert info.private
    assert info.path == cache.path


def test_it_can_be_pickled_and_closed_and_used_again(cache: Cache) -> None:
    cache.add_bytes(DIGEST, DATA)
    again = pickle.loads(pickle.dumps(cache))
    assert (again.path, again.max_size) == (cache.path, cache.max_size)
    cache.close()
    cache.add_bytes(*blob(1))
    cache.close()
    assert names_in(cache.path) == ["sha256"]


def test_nothing_is_left_when_nobody_closes(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    cache.add_bytes(DIGEST, DATA)
    del cache
    gc.collect()
    assert names_in(tmp_path / "cache") == ["sha256"]


def test_a_full_disk_is_said_and_leaves_nothing(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno

    cache.add_bytes(*blob(1))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(system.System, "write", full)
    with pytest.raises(DiskError):
        cache.add_bytes(DIGEST, DATA)
    with cache.writer(DIGEST, SIZE) as writer, pytest.raises(DiskError):
        writer.write(DATA)
    assert len(files_in(cache.path)) == 1
