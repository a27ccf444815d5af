"""The transfer engines beside what plain Python must do at least, in interleaved rounds.

    python -m benchmarks.transfer_floor [--files 5000] [--size 20480] [--rounds 5]

CPU is that of this process and its threads; medians, and the ratio to the floor.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from lake.config import Config
from lake.store.store import Store
from lake.transfer import Fetcher, Hub, Place, Pusher
from lake.transfer.ledger import Ledger
from lake_schemas.blob import BlobRef


def floor_push(files: list[Path], out: Path) -> None:
    """read + sha256 + write under the digest + one sync + rename."""
    temp = out / "tmp"
    temp.mkdir(parents=True)
    names = []
    for number, path in enumerate(files):
        fd = os.open(path, os.O_RDONLY)
        data = os.read(fd, os.fstat(fd).st_size + 1)
        os.close(fd)
        name = hashlib.sha256(data).hexdigest()
        fd = os.open(temp / str(number), os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        os.write(fd, data)
        os.close(fd)
        names.append(name)
    for shard in {name[:2] for name in names}:
        (out / shard).mkdir()
    os.sync()
    for number, name in enumerate(names):
        os.rename(temp / str(number), out / name[:2] / name)  # noqa: PTH104
    os.sync()


def floor_read(files: list[Path]) -> None:
    """open + fstat + read + sha256."""
    for path in files:
        fd = os.open(path, os.O_RDONLY)
        data = os.read(fd, os.fstat(fd).st_size + 1)
        os.close(fd)
        hashlib.sha256(data).hexdigest()


def floor_cold(files: list[Path], out: Path) -> None:
    """open + read + sha256 + write to a temporary + rename: a cache of no promises."""
    (out / "tmp").mkdir(parents=True)
    made = set()
    for number, path in enumerate(files):
        fd = os.open(path, os.O_RDONLY)
        data = os.read(fd, os.fstat(fd).st_size + 1)
        os.close(fd)
        name = hashlib.sha256(data).hexdigest()
        temp = out / "tmp" / str(number)
        fd = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        os.write(fd, data)
        os.close(fd)
        if name[:2] not in made:
            made.add(name[:2])
            (out / name[:2]).mkdir()
        os.rename(temp, out / name[:2] / name)  # noqa: PTH104


class Bench:
    def __init__(self, room: Path, count: int, size: int) -> None:
        self.room = room
        self.count = count
        data = room / "data"
        data.mkdir()
        self.files = []
        refs = []
        for number in range(count):
            content = os.urandom(size)
            path = data / f"{number:06d}.bin"
            path.write_bytes(content)
            self.files.append(path)
            digest = hashlib.sha256(content).hexdigest()
            refs.append(BlobRef(sha256=digest, size=size, type="image/jpeg", file=path.name))
        self.wants = [(ref, Place(data)) for ref in refs]
        self.stored = [ref.with_location("main").with_file(None) for ref in refs]
        self.store = room
        self.number = 0
        self.times: dict[str, list[tuple[float, float]]] = {}

    def timed(self, name: str, work: Callable[[], object]) -> None:
        os.sync()
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        self.times.setdefault(name, []).append(
            (time.process_time() - cpu, time.perf_counter() - wall)
        )

    def fresh(self, name: str) -> Path:
        """A new place. Nothing is removed before the end: ext4 does not use an inode again for
        half a minute, and looks past all of them at each file that it makes."""
        self.number += 1
        return self.room / f"{name}{self.number}"

    def hub(self, home: Path) -> Hub:
        return Hub(Config(), directory=home)

    def round(self) -> None:
        self.timed("floor push", lambda: floor_push(self.files, self.fresh("floor")))
        home, self.store = self.fresh("home"), self.fresh("store")
        with self.hub(home) as hub:
            main = hub.config.remote(str(self.store), typed=True)
            self.timed("push", lambda: Pusher(hub, [main]).push(self.wants))
        with self.hub(home) as hub:
            self.timed("push again", lambda: Pusher(hub, [main]).push(self.wants))
        with self.hub(self.fresh("home")) as hub:
            other = hub.config.remote(str(self.fresh("store")), typed=True)
            self.timed("add", lambda: Pusher(hub, [other]).add_files(self.files))
        self.timed("floor read", lambda: floor_read(self.files))
        stored = [(ref, Place(None, {"main": str(self.store)})) for ref in self.stored]
        with self.hub(home) as hub:
            self.timed("read own files", lambda: read_all(hub, self.wants))
            self.timed("read folder", lambda: read_all(hub, stored))
            self.timed("read folder, 32 at once", lambda: read_many(hub, stored))
            self.fill(hub)
            self.timed("read cache", lambda: read_all(hub, stored))
        self.timed("floor cold", lambda: floor_cold(self.files, self.fresh("floor")))
        with Hub(Config(), directory=self.fresh("home"), connect=self.not_a_folder) as hub:
            self.timed("read object, cold", lambda: read_all(hub, stored))

    def not_a_folder(self, remote: object) -> Store:
        """The same folder, but read as if it were far away: through the cache."""
        from dataclasses import replace

        from lake.store.local import LocalStore

        store = LocalStore(self.store)
        store.properties = replace(store.properties, root=None)
        return store

    def fill(self, hub: Hub) -> None:
        for ref, path in zip(self.stored, self.files, strict=True):
            hub.cache.add_bytes(ref.sha256, path.read_bytes())

    def report(self) -> None:
        middle = {
            name: (statistics.median(t[0] for t in times), statistics.median(t[1] for t in times))
            for name, times in self.times.items()
        }
        print(f"{'':26}{'CPU us':>9}{'x floor':>9}{'wall us':>9}   (a file, medians)")
        for name, (cpu, wall) in middle.items():
            floor = middle[_floor_of(name)][0]
            scale = 1e6 / self.count
            print(f"{name:26}{cpu * scale:9.1f}{cpu / floor:9.2f}{wall * scale:9.1f}")


def _floor_of(name: str) -> str:
    if "cold" in name:
        return "floor cold"
    return "floor push" if "push" in name or name == "add" else "floor read"


def read_all(hub: Hub, wants: list[tuple[BlobRef, Place]]) -> None:
    fetcher = Fetcher(hub)
    for ref, place in wants:
        fetcher.read(ref, place)


def read_many(hub: Hub, wants: list[tuple[BlobRef, Place]]) -> None:
    fetcher = Fetcher(hub)
    for start in range(0, len(wants), 32):
        fetcher.read_many(wants[start : start + 32])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--size", type=int, default=20 << 10)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--room", type=Path, help="a directory on the disk to measure")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.room) as room:
        bench = Bench(Path(room), args.files, args.size)
        Ledger(None).known  # noqa: B018 - import SQLite before the clock starts
        for _ in range(args.rounds):
            bench.round()
        bench.report()


if __name__ == "__main__":
    main()
