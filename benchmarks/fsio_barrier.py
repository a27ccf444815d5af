"""What durability costs: files into a folder, hashed and fanned out, under five protocols.

    python -m benchmarks.fsio_barrier [--files 5000] [--size 20480] [--rounds 5]

Rounds are interleaved, each into a fresh folder on the disk of `--folder`; the disk is synced
before each, unmeasured. CPU is of this process, system time included; trust it and the ratios
rather than the wall time.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from lake import fsio
from lake.fsio import system
from lake.store import FileBody, blob_key
from lake.store.local import LocalStore


def floor(sources: list[str], out: Path) -> None:
    """Plain Python: read, sha256, write; nothing is durable."""
    made = set()
    for source in sources:
        with open(source, "rb") as file:
            data = file.read()
        digest = hashlib.sha256(data).hexdigest()
        if digest[:2] not in made:
            made.add(digest[:2])
            (out / digest[:2]).mkdir()
        with open(f"{out}/{digest[:2]}/{digest}", "wb") as file:
            file.write(data)


def one_by_one(sources: list[str], out: Path) -> None:
    """Each file: temporary, fsync, rename, fsync of its directory."""
    for source in sources:
        with open(source, "rb") as file:
            data = file.read()
        digest = hashlib.sha256(data).hexdigest()
        fsio.make_dirs(out / digest[:2])
        fsio.write_file(out / digest[:2] / digest, data)


def batched(sources: list[str], out: Path) -> None:
    """`fsio.Batch`: temporaries, one syncfs, renames, one more sync for the names."""
    with fsio.Batch(out) as batch:
        for source in sources:
            staged = batch.stage()
            digest, _ = fsio.copy_hashed(source, staged)
            staged.publish_as(f"{digest[:2]}/{digest}", replace=False)
        batch.commit()


def batched_without_syncfs(sources: list[str], out: Path) -> None:
    """The same on a file system whose syncfs does not promise enough: an fsync of each."""
    real = system.System.syncs_whole
    system.System.syncs_whole = lambda *_: False  # type: ignore[method-assign]
    try:
        batched(sources, out)
    finally:
        system.System.syncs_whole = real  # type: ignore[method-assign]


def store(sources: list[str], out: Path) -> None:
    """`LocalStore`: put of each, one flush."""
    folder = LocalStore(out)
    for source in sources:
        folder.put(blob_key, FileBody(source))
    folder.flush()
    folder.close()


def store_again(sources: list[str], out: Path) -> None:
    """`LocalStore`, all objects there already (and no ledger to know it)."""
    store(sources, out.parent / "kept")


PROTOCOLS: tuple[Callable[[list[str], Path], None], ...] = (
    floor,
    batched,
    store,
    store_again,
    batched_without_syncfs,
    one_by_one,
)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--files", type=int, default=5000)
    options.add_argument("--size", type=int, default=20_480)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--folder", type=Path, default=None)
    given = options.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        room = Path(name)
        (room / "in").mkdir()
        sources = [f"{room}/in/{n}" for n in range(given.files)]
        for source in sources:
            Path(source).write_bytes(os.urandom(given.size))
        store(sources, room / "kept")
        costs = measure(sources, room, given.rounds)
    print(f"{given.files} files x {given.size} bytes, median [best] of {given.rounds} rounds")
    base = statistics.median(cpu for _, cpu in costs["floor"])
    for name, found in costs.items():
        wall, cpu = ([pair[k] for pair in found] for k in (0, 1))
        print(
            f"{name:24} CPU {statistics.median(cpu):6.3f} [{min(cpu):6.3f}] s,"
            f" {statistics.median(cpu) / given.files * 1e6:6.0f} us a file,"
            f" {statistics.median(cpu) / base:5.2f} x floor;"
            f" wall {statistics.median(wall):6.3f} [{min(wall):6.3f}] s,"
            f" {given.files / statistics.median(wall):6.0f} files/s"
        )


def measure(sources: list[str], room: Path, rounds: int) -> dict[str, list[tuple[float, float]]]:
    """(wall, CPU) of each round of each protocol."""
    costs: dict[str, list[tuple[float, float]]] = {each.__name__: [] for each in PROTOCOLS}
    for number in range(rounds):
        for protocol in PROTOCOLS:
            out = room / f"out-{protocol.__name__}-{number}"
            out.mkdir()
            os.sync()
            wall, cpu = time.perf_counter(), time.process_time()
            protocol(sources, out)
            costs[protocol.__name__].append((time.perf_counter() - wall, time.process_time() - cpu))
    # Removed at the very end: ext4 is slow to give out inodes that were freed a moment ago.
    for out in room.glob("out-*"):
        shutil.rmtree(out)
    return costs


if __name__ == "__main__":
    main()
