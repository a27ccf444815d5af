"""Kills, interrupts, forks and spawned workers; memory that does not grow with the work."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from lake.config import Config
from lake.store.body import read_body
from lake.store.layout import digest_of
from lake.store.memory import MemoryStore
from lake.store.store import Body, Expect, Key, PutResult, StoreProperties
from lake.transfer import Fetcher, Hub, Mention, Place, Pusher, blob_status, verify_blobs
from lake.transfer.window import Window
from lake_schemas.blob import BlobRef
from tests.unit.transfer.world import World, sha

HERE = Path(__file__).parents[3]


def python(code: str, *words: str) -> subprocess.Popen[str]:
    """Another process that runs `code` with this project importable."""
    path = os.pathsep.join(str(HERE / part) for part in (".", "schemas", "stages"))
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *words],
        env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


PUSH = """
    import sys
    from pathlib import Path
    from lake.config import Config
    from lake.transfer import Hub, Pusher
    import lake.transfer.job
    lake.transfer.job.ROUND_ITEMS = 200
    room = Path(sys.argv[1])
    with Hub(Config(), directory=room / "home") as hub:
        pusher = Pusher(hub, [hub.config.remote(str(room / "store"), typed=True)])
        print("begin", flush=True)
        added = pusher.add_files(sorted((room / "data").iterdir()))
        print(len(added), pusher.report.uploaded, flush=True)
"""


@pytest.mark.slow
def test_P6_a_push_that_was_killed_is_finished_by_the_next(tmp_path: Path) -> None:
    contents = {os.urandom(500 + n) for n in range(2000)}
    (tmp_path / "data").mkdir()
    for n, data in enumerate(sorted(contents)):
        (tmp_path / "data" / f"{n:05d}").write_bytes(data)
    killed = 0
    for step in range(12):
        process = python(PUSH, str(tmp_path))
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.02 + 0.05 * step)
        process.kill()
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
        # P1: whatever is visible is what its name says.
        for path in (tmp_path / "store").glob("sha256/*/*"):
            assert sha(path.read_bytes()) == path.name
    assert killed
    process = python(PUSH, str(tmp_path))
    out, _ = process.communicate()
    assert process.returncode == 0, out
    names = {path.name for path in (tmp_path / "store").glob("sha256/*/*")}
    assert names == {sha(data) for data in contents}


SLOW_PUSH = """
    import sys, threading, time
    from dataclasses import replace
    from pathlib import Path
    from lake.config import Config
    from lake.store.memory import MemoryStore
    from lake.transfer import Hub, Pusher

    class Slow(MemoryStore):
        def put(self, key, body, **more):
            if not str(key).endswith(".json"):
                print("putting", flush=True)
                time.sleep(600)
            return super().put(key, body, **more)

    room = Path(sys.argv[1])
    hub = Hub(Config(), connect=lambda remote: Slow(), directory=room / "home")
    pusher = Pusher(hub, [Config().remote("memory://x", typed=True)])
    try:
        pusher.add_files(sorted((room / "data").iterdir()))
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        sys.exit(130)
"""


def test_ctrl_c_works_while_every_thread_waits_for_a_remote(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for n in range(20):
        (tmp_path / "data" / f"{n}").write_bytes(b"%d" % n * (1 << 20))
    process = python(SLOW_PUSH, str(tmp_path))
    assert process.stdout is not None
    assert process.stdout.readline().startswith("putting")  # two threads may share a line
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)  # one put takes ten minutes
    assert process.returncode == 130, out
    assert "interrupted" in out


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_reads_and_pushes_through_the_same_hub(tmp_path: Path) -> None:
    """While other threads of the parent hold this and that lock."""
    contents = [f"{n}".encode() for n in range(20)]
    refs = [BlobRef(sha256=sha(d), size=len(d), type="a/b").with_location("main") for d in contents]
    place = Place(tmp_path, {"main": "store"})
    wants = [(ref, place) for ref in refs]
    hub = Hub(Config(), directory=tmp_path / "home")
    main = hub.config.remote(str(tmp_path / "store"), typed=True)
    Pusher(hub, [main]).push([(*want, d) for want, d in zip(wants, contents, strict=True)])
    hub.ledger.remember_run("k", "v")
    fetcher, stop = Fetcher(hub), threading.Event()

    def use() -> None:
        while not stop.is_set():
            fetcher.read_many(wants)
            fetcher.paths_many(wants)
            blob_status(hub, [Mention("a", "b", *want) for want in wants], ask=True)
            hub.ledger.remember_run("k", "v")

    threads = [threading.Thread(target=use) for _ in range(3)]
    for thread in threads:
        thread.start()
    children = []
    for _ in range(15):
        pid = os.fork()
        if pid == 0:
            signal.alarm(120)  # a child that hangs must not outlive the test
            code = 1
            try:
                right = fetcher.read_many(wants) == contents
                pushed = Pusher(hub, [main]).push([(*wants[0], b"0")])
                code = 0 if right and pushed[0].ok and hub.ledger.run("k") == "v" else 2
            finally:
                os._exit(code)
        children.append(pid)
    ended = [os.waitpid(pid, 0)[1] for pid in children]
    stop.set()
    for thread in threads:
        thread.join()
    hub.close()
    assert ended == [0] * 15


def _read(fetcher: Fetcher, ref: BlobRef, place: Place) -> str:
    return sha(fetcher.read(ref, place))


def test_a_spawned_worker_gets_fetcher_ref_and_place_by_pickle(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / "x"
    path.write_bytes(b"content")
    store = str(tmp_path / "store")
    with Hub(Config(), directory=tmp_path / "home") as hub:
        (added,) = Pusher(hub, [hub.config.remote(store, typed=True)]).add_files([path])
        assert added.ref is not None
        (alias,) = added.ref.aliases
        wanted = (Fetcher(hub), added.ref, Place(None, {alias: store}))
        with multiprocessing.get_context("spawn").Pool(2) as pool:
            assert pool.starmap(_read, [wanted] * 4) == [added.ref.sha256] * 4


class Void(MemoryStore):
    """Takes everything and keeps nothing."""

    def put(
        self, key: Key, body: Body, *, expect: Expect | None = None, replace: bool = False
    ) -> PutResult:
        if isinstance(key, str) and digest_of(key) is None:
            return super().put(key, body, expect=expect, replace=replace)
        data = read_body(body)
        assert expect is not None
        return PutResult(str(key), expect.sha256, len(data), created=True)


def _peak(tmp_path: Path, batches: int) -> int:
    hub = Hub(Config(), connect=lambda remote: Void(), directory=tmp_path / f"home{batches}")
    pusher = Pusher(hub, [Config().remote("memory://void", typed=True)])
    data = bytes(1000)
    tracemalloc.start()
    for batch in range(batches):
        items = []
        for n in range(500):
            content = data + b"%d %d" % (batch, n)
            ref = BlobRef(sha256=sha(content), size=len(content), type="a/b")
            items.append((ref, Place(), content))
        pusher.push(items)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    hub.close()
    return peak


def test_memory_does_not_grow_with_the_number_of_blobs(tmp_path: Path) -> None:
    _peak(tmp_path, 1)
    few, many = _peak(tmp_path, 4), _peak(tmp_path, 40)
    assert many < few + (1 << 20)


def test_a_check_remembers_a_digest_of_each_blob_and_no_more(world: World) -> None:
    world.remote("main")

    def mentions(count: int) -> Iterator[Mention]:
        for n in range(count):
            sha256 = hashlib.sha256(b"%d" % n).hexdigest()
            ref = BlobRef(sha256=sha256, size=9, type="a/b").with_location("main")
            yield Mention(f"{n}", "x", ref, place)

    place = world.place("main")
    verify_blobs(world.hub, mentions(2500))
    world.faults["main"].log.clear()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    blob_status(world.hub, mentions(30_000))
    after, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 1 << 20
    assert peak - before < 30_000 * 130 + (12 << 20)


def test_the_window_is_never_overfull_and_lets_everyone_through() -> None:
    window = Window(100)
    most, done = 0, []

    def work(size: int) -> None:
        nonlocal most
        for _ in range(50):
            with window.room(size):
                used = window.used
                most = max(most, used if used != size else 0)
        done.append(size)

    threads = [threading.Thread(target=work, args=(size,)) for size in (1, 7, 40, 60, 99, 300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [1, 7, 40, 60, 99, 300]
    assert most <= 100
    assert window.used == 0


def test_blobs_in_memory_stay_within_the_window(tmp_path: Path) -> None:
    inside = most = 0
    lock = threading.Lock()

    class Gauge(Void):
        def put(
            self, key: Key, body: Body, *, expect: Expect | None = None, replace: bool = False
        ) -> PutResult:
            nonlocal inside, most
            with lock:
                inside += body.size
                most = max(most, inside)
            time.sleep(0.001)
            result = super().put(key, body, expect=expect, replace=replace)
            with lock:
                inside -= body.size
            return result

    class Wide(Gauge):
        def __init__(self) -> None:
            super().__init__()
            self.properties = StoreProperties(scheme="memory", concurrency=64)

    hub = Hub(Config(), connect=lambda remote: Wide(), directory=tmp_path / "home")
    pusher = Pusher(hub, [Config().remote("memory://wide", typed=True)])
    pusher.sender.window.limit = 10 << 20
    items = []
    for n in range(100):
        content = b"%3d" % n * (1 << 19)
        ref = BlobRef(sha256=sha(content), size=len(content), type="a/b")
        items.append((ref, Place(), content))
    assert all(outcome.ok for outcome in pusher.push(items))
    assert most <= 10 << 20
