"""The least that a safe one-pass copy can cost in plain Python; run as a process by the benchmarks.

usage: floor.py IN OUT: read, sha256, write to a temporary name, one sync barrier,
rename to the digest, sync the folders: lake's protocol without lake's manifests.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import sys
from pathlib import Path

CHUNK = 1 << 20


def copy(source: Path, out: Path) -> None:
    """Copy every file below `source` to `out`/ab/<digest>, durably, with one barrier for all."""
    temps: list[tuple[str, str]] = []
    staging = out / "tmp"
    staging.mkdir(parents=True)
    buffer = bytearray(CHUNK)
    view = memoryview(buffer)
    for root, _, names in os.walk(source):
        for name in names:
            hasher = hashlib.sha256()
            temp = str(staging / str(len(temps)))
            with (
                open(os.path.join(root, name), "rb", buffering=0) as file,  # noqa: PTH118
                open(temp, "wb", buffering=0) as copy,
            ):
                while count := file.readinto(buffer):
                    hasher.update(view[:count])
                    copy.write(view[:count])
            temps.append((temp, hasher.hexdigest()))
    handle = os.open(out, os.O_RDONLY)
    if ctypes.CDLL(None, use_errno=True).syncfs(handle):
        raise OSError(ctypes.get_errno(), "syncfs")
    folders = {digest[:2] for _, digest in temps}
    for folder in folders:
        (out / folder).mkdir()
    for temp, digest in temps:
        os.rename(temp, f"{out}/{digest[:2]}/{digest}")  # noqa: PTH104
    for folder in folders:
        child = os.open(out / folder, os.O_RDONLY)
        os.fsync(child)
        os.close(child)
    os.fsync(handle)
    os.close(handle)


if __name__ == "__main__":
    copy(Path(sys.argv[1]), Path(sys.argv[2]))
