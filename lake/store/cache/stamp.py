"""The stamp of a cached file: says, in its own times, that it was verified and not touched since.

The mtime is not when the file changed but a number made of the digest, the inode and the boot of
the machine. Whoever writes to the file afterwards sets another mtime; a copy has another inode;
and after a power cut the boot is another, so that bytes which never reached the disk are not
taken for verified ones. The ctime, which nobody can choose, must not be later than the atime,
which is set along with the stamp: that shows a change whose author put the mtime back.
"""

from __future__ import annotations

import functools
import hashlib
import os
import stat

from lake.fsio.native import boot_id

_SLACK_NS = 2_000_000_000  # between a time that we set and the clock of the file system
_EPOCH = 1 << 29  # stamps lie in the years 1987 to 2004, where no real change does
_TICKS = 10_000_000  # of 100 ns: the finest that all file systems keep


@functools.cache
def _boot() -> int | None:
    name = boot_id()
    if name is None:
        return None
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


def stamp_of(sha256: str, inode: int) -> int | None:
    """The mtime, in ns, of a verified file; None where the machine does not say its boot."""
    boot = _boot()
    if boot is None:
        return None
    mixed = int(sha256[:16], 16) ^ boot ^ (inode * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF)
    seconds = _EPOCH + mixed % _EPOCH
    return seconds * 1_000_000_000 + (mixed // _EPOCH) % _TICKS * 100


def is_stamped(found: os.stat_result, sha256: str, size: int) -> bool:
    """Whether a file's stat says that it was verified in this boot and is as it was."""
    return (
        found.st_size == size
        and found.st_mtime_ns == stamp_of(sha256, found.st_ino)
        and found.st_ctime_ns <= found.st_atime_ns + _SLACK_NS
        and is_private(found)
        and stat.S_ISREG(found.st_mode)
    )


def is_private(found: os.stat_result) -> bool:
    """Whether only this user (and root) can change what this stat is of."""
    return found.st_uid == os.geteuid() and not found.st_mode & 0o022
