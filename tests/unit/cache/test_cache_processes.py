"""Many processes and threads on one cache, without a lock: nothing torn, nothing lost but by
eviction, no error."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import signal
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lake.store.cache import Cache
from tests.unit.fsio.looking import files_in, names_in

BLOBS = [hashlib.shake_128(b"%d" % n).digest(200 + 37 * n) for n in range(40)]
DIGESTS = [hashlib.sha256(data).hexdigest() for data in BLOBS]


def work(path: Path, seed: int, *, rounds: int = 400) -> None:
    """Do all that can be done with a cache, at random, and check what it hands out."""
    drawn = random.Random(seed)
    cache = Cache(path, max_size=15_000)
    for _ in range(rounds):
        n = drawn.randrange(1, len(BLOBS))
        digest, data = DIGESTS[n], BLOBS[n]
        match drawn.randrange(8):
            case 0 | 1:
                cache.add_bytes(digest, data)
            case 2:
                with cache.writer(digest, len(data)) as writer:
                    writer.write(data[:50])
                    writer.write(data[50:])
                    writer.commit()
            case 3 | 4:
                assert cache.read(digest, len(data)) in (None, data)
            case 5:
                found = cache.get_path(digest, len(data))
                with contextlib.suppress(FileNotFoundError):  # evicted since
                    assert found is None or found.read_bytes() == data
            case 6:
                cache.prune(max_size=drawn.randrange(20_000))
            case 7:
                cache.quarantine(digest)
        assert cache.read(DIGESTS[0], len(BLOBS[0])) == BLOBS[0], "a pinned blob is lost"
    cache.close()


def start(path: Path, seed: int, rounds: int) -> int:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work(path, seed, rounds=rounds)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    return child


def prepared(path: Path) -> Cache:
    cache = Cache(path, max_size=15_000)
    cache.add_bytes(DIGESTS[0], BLOBS[0])
    assert cache.pin(DIGESTS[0])
    return cache


def check(path: Path) -> None:
    for name, data in files_in(path).items():
        if name.startswith(("sha256/", "pins/")):
            assert hashlib.sha256(data).hexdigest() == name.rpartition("/")[2]


def test_P7_processes_race(tmp_path: Path) -> None:
    cache = prepared(tmp_path / "cache")
    children = [start(tmp_path / "cache", seed, 300) for seed in range(4)]
    assert {os.waitpid(child, 0)[1] for child in children} == {0}
    check(tmp_path / "cache")
    cache.close()
    assert "tmp" not in names_in(tmp_path / "cache")


def test_P7_threads_race(tmp_path: Path) -> None:
    prepared(tmp_path / "cache").close()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda seed: work(tmp_path / "cache", seed, rounds=100), range(4)))
    check(tmp_path / "cache")


def test_threads_of_one_cache(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache", max_size=5_000)

    def use(n: int) -> None:
        digest, data = DIGESTS[n % 40], BLOBS[n % 40]
        cache.add_bytes(digest, data)
        assert cache.read(digest, len(data)) in (None, data)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(use, range(400)))
    check(tmp_path / "cache")
    cache.close()


def test_P6_killed_processes_leave_a_good_cache(tmp_path: Path) -> None:
    prepared(tmp_path / "cache").close()
    for seed in range(6):
        child = start(tmp_path / "cache", seed, 100_000)
        time.sleep(0.05 + 0.02 * seed)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        check(tmp_path / "cache")
    work(tmp_path / "cache", 99, rounds=50)
    assert "tmp" not in names_in(tmp_path / "cache"), "what the dead left is swept"


@pytest.mark.parametrize("used_before", [True, False])
def test_a_forked_child_uses_its_parents_cache(tmp_path: Path, used_before: bool) -> None:
    cache = Cache(tmp_path / "cache")
    if used_before:
        cache.add_bytes(DIGESTS[0], BLOBS[0])
    child = os.fork()
    if child == 0:
        status = 1
        try:
            cache.add_bytes(DIGESTS[1], BLOBS[1])
            cache.close()
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    cache.add_bytes(DIGESTS[2], BLOBS[2])
    assert cache.read(DIGESTS[1], len(BLOBS[1])) == BLOBS[1]
    assert cache.read(DIGESTS[2], len(BLOBS[2])) == BLOBS[2]
    cache.close()
