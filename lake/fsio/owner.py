"""Names of temporary files, and the removal of those whose process is gone.

A temporary name says who made it: `<machine>-<pid>-<random>`, where `<machine>` stands for this
boot and this process namespace. It is stale when its maker is known to be dead (same machine
tag, no such process), or when nothing in it changed for a day, by the file system's own clock.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import re
import secrets
import stat
from pathlib import Path

from lake.fsio import native
from lake.fsio.tree import remove_entry

STALE_AFTER = 24 * 3600.0
"""Seconds without a change after which a temporary of an unknown maker counts as left over."""

RESERVED = ".lake-"
"""A name that starts with a dot and holds this is lake's own."""

MARK = ".lake-tmp"
"""What every temporary name holds; no id, item or file of a dataset can."""

_NAME = re.compile(r"([0-9a-f]{8})-([0-9]+)-[0-9a-f]{12}$")


@functools.cache
def _machine() -> str:
    # A pid means something only within one boot and one pid namespace: two containers on one
    # machine may share a disk and both have a process 7.
    boot = native.boot_id()
    if boot is None:
        return secrets.token_hex(4)
    try:
        space = str(Path("/proc/self/ns/pid").stat().st_ino)
    except OSError:
        space = ""
    return hashlib.sha256(f"{boot} {space}".encode()).hexdigest()[:8]


def temp_name() -> str:
    """A fresh name that says which process made it."""
    return f"{_machine()}-{os.getpid()}-{secrets.token_hex(6)}"


def _maker_alive(name: str) -> bool | None:
    """Whether the process that made `name` still runs; None where that cannot be known."""
    found = _NAME.search(name)
    if found is None or found[1] != _machine():
        return None
    try:
        os.kill(int(found[2]), 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _newest(name: str, dir_fd: int) -> float:
    """When `name`, or a file directly in it, last changed."""
    found = os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
    if not stat.S_ISDIR(found.st_mode):
        return found.st_mtime
    fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=dir_fd)
    try:
        with os.scandir(fd) as entries:
            inside = (entry.stat(follow_symlinks=False).st_mtime for entry in entries)
            return max(found.st_mtime, max(inside, default=0.0))
    finally:
        os.close(fd)


def sweep(dir_fd: int, prefix: str, *, now: float) -> int:
    """Remove the stale temporaries in a directory whose name starts with `prefix`.

    `now` is the time by the clock of the file system (the mtime of something just made).
    Returns how many went. Never raises: what cannot be removed stays for another day.
    """
    gone = 0
    with contextlib.suppress(OSError), os.scandir(dir_fd) as entries:
        names = [e.name for e in entries if e.name.startswith(prefix) and _NAME.search(e.name)]
        for name in names:
            with contextlib.suppress(OSError):
                alive = _maker_alive(name)
                if alive is None:
                    alive = now - _newest(name, dir_fd) <= STALE_AFTER
                if not alive:
                    remove_entry(name, dir_fd)
                    gone += 1
    return gone
