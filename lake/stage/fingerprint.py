"""Whether a run is still done: fingerprints of directories and settings by file stats alone.

Nothing is read but names and stats, some 4 µs a file, so that an identical re-run costs hardly
more than starting the program.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import xxhash

SETTLED_NS = 50_000_000
"""A file younger than this may change again without its time stamps showing it."""


def tree_fingerprint(root: Path) -> tuple[str, int]:
    """The fingerprint of all files below `root`, and when the newest of them changed.

    Names that start with a dot are left out: git's own directory, temporary files. A symbolic
    link counts as itself. The time is in nanoseconds since the epoch. ("", 0) if `root` is no
    directory that can be read.
    """
    state = xxhash.xxh3_128()
    newest = 0
    try:
        for line, changed in _rows(os.fspath(root), ""):
            state.update(line)
            newest = max(newest, changed)
    except OSError:
        return "", 0
    return state.hexdigest(), newest


def _rows(folder: str, prefix: str) -> Iterator[tuple[bytes, int]]:
    below: list[str] = []
    files: list[tuple[str, os.stat_result]] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                below.append(entry.name)
            else:
                files.append((entry.name, entry.stat(follow_symlinks=False)))
    files.sort()
    newest = 0
    lines: list[str] = []
    for name, stat in files:
        # A new modification time that was set back shows in the change time.
        newest = max(newest, stat.st_mtime_ns, stat.st_ctime_ns)
        lines.append(
            f"{name}\0{stat.st_ino} {stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns}\n"
        )
    text = "".join([f"{prefix}\0{len(lines)}\n", *lines])
    # A name that is not UTF-8 holds surrogates.
    yield text.encode("utf-8", "surrogateescape"), newest
    for name in sorted(below):
        yield from _rows(f"{folder}/{name}", f"{prefix}{name}/")


def change_of(stat: os.stat_result) -> tuple[int, int]:
    """What changes whenever a directory gains or loses an entry, or a file is rewritten."""
    return stat.st_ino, stat.st_mtime_ns


def settled(newest_ns: int) -> bool:
    """Whether a later change of files that changed last at `newest_ns` is certain to show."""
    return newest_ns + SETTLED_NS < time.time_ns()


def files_fingerprint(paths: Iterable[Path]) -> list[tuple[str, int, int]]:
    """(path, size, time of change) of single files; those that are absent as (path, -1, -1)."""
    found: list[tuple[str, int, int]] = []
    for path in paths:
        try:
            stat = path.stat()
        except OSError:
            found.append((str(path), -1, -1))
        else:
            found.append((str(path), stat.st_size, stat.st_mtime_ns))
    return found
