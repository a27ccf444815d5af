"""What the cache costs beside the bare system calls.

    python -m benchmarks.fsio_cache [--files 3000] [--size 20480] [--rounds 5]

CPU of this process in microseconds a blob, medians over interleaved rounds.
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

from lake.store.cache import Cache


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--files", type=int, default=3000)
    options.add_argument("--size", type=int, default=20_480)
    options.add_argument("--rounds", type=int, default=5)
    given = options.parse_args()
    blobs = [os.urandom(given.size) for _ in range(given.files)]
    digests = [hashlib.sha256(data).hexdigest() for data in blobs]
    costs: dict[str, list[float]] = {}

    def measured(name: str, work: Callable[[], object]) -> None:
        cpu = time.process_time()
        work()
        costs.setdefault(name, []).append((time.process_time() - cpu) / given.files * 1e6)

    with tempfile.TemporaryDirectory() as folder:
        for number in range(given.rounds):
            cache = Cache(Path(folder) / f"cache-{number}")
            bare = Path(folder) / f"bare-{number}"
            bare.mkdir()

            def bare_add(bare: Path = bare) -> None:
                for digest, data in zip(digests, blobs, strict=True):
                    if hashlib.sha256(data).hexdigest() == digest:
                        with open(f"{bare}/{digest}.tmp", "wb") as file:
                            file.write(data)
                        os.rename(f"{bare}/{digest}.tmp", f"{bare}/{digest}")  # noqa: PTH104

            def bare_read(bare: Path = bare) -> None:
                for digest in digests:
                    fd = os.open(f"{bare}/{digest}", os.O_RDONLY)
                    data = os.read(fd, os.fstat(fd).st_size)
                    os.close(fd)
                    assert hashlib.sha256(data).hexdigest() == digest

            def bare_stat(bare: Path = bare) -> None:
                for digest in digests:
                    os.stat(f"{bare}/{digest}")  # noqa: PTH116

            def add(cache: Cache = cache) -> None:
                for digest, data in zip(digests, blobs, strict=True):
                    cache.add_bytes(digest, data)

            def read(cache: Cache = cache) -> None:
                for digest in digests:
                    assert cache.read(digest, given.size) is not None

            def get_path(cache: Cache = cache) -> None:
                for digest in digests:
                    assert cache.get_path(digest, given.size) is not None

            def miss(cache: Cache = cache) -> None:
                for digest in digests:
                    assert cache.get_path("0" * 24 + digest[24:], given.size) is None

            measured("add, bare: sha256, write, rename", bare_add)
            measured("add_bytes", add)
            measured("read, bare: open, fstat, read, sha256, close", bare_read)
            measured("read", read)
            measured("get_path, bare: stat", bare_stat)
            measured("get_path", get_path)
            measured("get_path of what is not there", miss)
            cache.close()
    print(f"{given.files} blobs x {given.size} bytes, CPU us a blob, {given.rounds} rounds")
    for name, found in costs.items():
        print(f"{name:48} {statistics.median(found):7.1f} [{min(found):7.1f}]")


if __name__ == "__main__":
    main()
