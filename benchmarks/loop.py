"""One reader's loop over samples, in a process of its own; prints what each pass cost as JSON.

usage: loop.py WHO PATH PASSES     WHO: files, hashed or lake

Batches of 32 in a shuffled order, as a data loader asks for them. What is counted is the CPU time
of this process with all its threads, net of start-up and of opening the dataset.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

BATCH = 32
Reader = tuple[int, Callable[[list[int]], list[bytes]]]


def files(path: Path) -> Reader:
    """The limit: files read as they lie, nothing checked."""
    names = sorted(p for p in path.rglob("*") if p.is_file())
    return len(names), lambda batch: [names[index].read_bytes() for index in batch]


def hashed(path: Path) -> Reader:
    """Files read and hashed, the result compared: the least that a verifying reader does."""
    count, read = files(path)
    _, right = count, [hashlib.sha256(blob).digest() for blob in read(list(range(count)))]

    def checked(batch: list[int]) -> list[bytes]:
        found = read(batch)
        for index, blob in zip(batch, found, strict=True):
            if hashlib.sha256(blob).digest() != right[index]:
                raise SystemExit("not what it was")
        return found

    return count, checked


def lake(path: Path) -> Reader:
    """lake's datasets, through the door that data loaders use."""
    import lake as package

    dataset = package.open(path)
    (key,) = dataset[0].keys()
    len(dataset)
    return len(dataset), lambda batch: [s[key].bytes() for s in dataset.__getitems__(batch)]


def main() -> None:
    who, path, passes = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    count, read = {"files": files, "hashed": hashed, "lake": lake}[who](path)
    order = list(range(count))
    shuffle = random.Random(1)
    found = []
    for _ in range(passes):
        shuffle.shuffle(order)
        cpu, wall, size = time.process_time(), time.perf_counter(), 0
        for start in range(0, count, BATCH):
            size += sum(map(len, read(order[start : start + BATCH])))
        found.append(
            {
                "cpu_us": (time.process_time() - cpu) / count * 1e6,
                "rate": count / (time.perf_counter() - wall),
                "bytes": size,
            }
        )
    print(json.dumps(found))


if __name__ == "__main__":
    main()
