"""The files that the benchmarks work on: made once, the same bytes every time."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path


def files(folder: Path, count: int, size: int, *, suffix: str = ".bin") -> Path:
    """`count` files of `size` random bytes, 1,000 to a folder; read once, so in the page cache."""
    done = folder / ".done"
    if not done.exists():
        source = random.Random(size)
        for number in range(count):
            path = folder / "data" / f"{number // 1000:03d}" / f"{number:06d}{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                # In pieces: a child's peak memory as the kernel reports it starts at its parent's.
                for start in range(0, size, 1 << 20):
                    file.write(source.randbytes(min(1 << 20, size - start)))
        done.touch()
    return warm(folder / "data")


def underfolder(folder: Path, count: int, size: int) -> Path:
    """pipelime's own layout: `count` samples of a binary item, a JSON item and a text item."""
    done = folder / ".done"
    if not done.exists():
        source = random.Random(size)
        data = folder / "input" / "data"
        data.mkdir(parents=True)
        for number in range(count):
            (data / f"{number:06d}_blob.bin").write_bytes(source.randbytes(size))
            meta = {"number": number, "score": source.random(), "tags": ["a", "b"]}
            (data / f"{number:06d}_meta.json").write_text(json.dumps(meta))
            (data / f"{number:06d}_count.txt").write_text(f"{number}\n")
        done.touch()
    return warm(folder / "input")


def warm(folder: Path) -> Path:
    """Read everything below `folder` once."""
    buffer = bytearray(1 << 20)
    for root, _, names in os.walk(folder):
        for name in names:
            with (Path(root) / name).open("rb", buffering=0) as file:
                while file.readinto(buffer):
                    pass
    return folder
