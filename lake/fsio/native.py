"""System calls that the standard library does not offer, each with a way to say "not here".

A call that this kernel, file system or platform lacks raises `OSError` with an errno in
`MISSING`; the callers then take the portable road.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import sys

MISSING = frozenset({errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM, errno.ENOTTY})
"""What the kernel answers when a call or a flag of it is not there."""

_LINUX = sys.platform.startswith("linux")
_OPENAT2 = 437
_RESOLVE = 0x08 | 0x04 | 0x02  # beneath the directory, no symlinks, no magic links
_RENAME_NOREPLACE = 1
_RENAME_EXCHANGE = 2
_FICLONE = 0x40049409

# File systems on which syncfs(2) is known to make data and directories durable. FUSE and the
# network file systems flush less than fsync does, so they are not in the list.
_SYNCFS_MAGIC = frozenset(
    {
        0xEF53,  # ext2, ext3, ext4
        0x58465342,  # xfs
        0x9123683E,  # btrfs
        0xF2F52010,  # f2fs
        0xCA451A4E,  # bcachefs
        0x2FC12FC1,  # zfs
        0x01021994,  # tmpfs: nothing to lose
        0x794C7630,  # overlayfs: syncs its upper file system
    }
)


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _fail() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))


def syncfs(fd: int) -> None:
    """Write out all of the file system that `fd` lies on."""
    if not _LINUX:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    if _libc().syncfs(fd) != 0:
        raise _fail()


def syncs_whole(fd: int) -> bool:
    """Whether `syncfs` on this file system promises all that fsync of each file would."""
    if not _LINUX:
        return False
    buffer = ctypes.create_string_buffer(512)
    if _libc().fstatfs(fd, buffer) != 0:
        return False
    kind = ctypes.c_long.from_buffer(buffer).value & 0xFFFFFFFF
    return kind in _SYNCFS_MAGIC


class _OpenHow(ctypes.Structure):
    _fields_ = (
        ("flags", ctypes.c_uint64),
        ("mode", ctypes.c_uint64),
        ("resolve", ctypes.c_uint64),
    )


def open_beneath(dir_fd: int, rel: str, flags: int) -> int:
    """openat2(2): open `rel`, going through no symlink and never out of `dir_fd`."""
    if not _LINUX:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    how = _OpenHow(flags, 0, _RESOLVE)
    fd: int = _libc().syscall(
        ctypes.c_long(_OPENAT2),
        ctypes.c_int(dir_fd),
        ctypes.c_char_p(os.fsencode(rel)),
        ctypes.byref(how),
        ctypes.c_size_t(ctypes.sizeof(how)),
    )
    if fd < 0:
        raise _fail()
    return fd


def rename_new(src: str, src_fd: int, dst: str, dst_fd: int) -> None:
    """Rename, unless the target exists: `FileExistsError`."""
    _rename(src, src_fd, dst, dst_fd, _RENAME_NOREPLACE)


def exchange(one: str, one_fd: int, other: str, other_fd: int) -> None:
    """Give two names that exist each other's file or directory, in one step."""
    _rename(one, one_fd, other, other_fd, _RENAME_EXCHANGE)


def _rename(src: str, src_fd: int, dst: str, dst_fd: int, flags: int) -> None:
    if not _LINUX:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    call = getattr(_libc(), "renameat2", None)
    if call is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    if call(src_fd, os.fsencode(src), dst_fd, os.fsencode(dst), flags) != 0:
        raise _fail()


def clone(src_fd: int, dst_fd: int) -> None:
    """Make `dst_fd` share the blocks of `src_fd` (a reflink)."""
    if not _LINUX:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
    import fcntl

    fcntl.ioctl(dst_fd, _FICLONE, src_fd)


def boot_id() -> str | None:
    """What names this boot of this machine, or None where nothing does."""
    if _LINUX:
        try:
            with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
                return file.read().strip() or None
        except OSError:
            return None
    if sys.platform == "darwin":
        buffer, size = ctypes.create_string_buffer(64), ctypes.c_size_t(64)
        if _libc().sysctlbyname(b"kern.bootsessionuuid", buffer, ctypes.byref(size), None, 0) == 0:
            return buffer.value.decode("ascii")
    return None
