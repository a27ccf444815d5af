"""Opening what lies below a directory, and nothing else.

A dataset's directory may come from a stranger: a path in it must not lead out through "..", an
absolute name or a symbolic link, and must not be a FIFO or a device that blocks or acts.
"""

from __future__ import annotations

import errno
import os
import re
import stat

from lake.errors import InputError, ManifestError
from lake.fsio import native
from lake.fsio.oserrors import os_errors
from lake.fsio.tree import DIRECTORY

_HOSTILE = re.compile(r"(?:^|/)\.{0,2}(?:/|$)|[\0\ud800-\udfff]")
_FILE = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
_LOOK = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC
_AT_ONCE = 1 << 20
_openat2_works = True


def check_rel(rel: str) -> str:
    """`rel`, if it is a plain relative path: "/"-separated, no empty, "." or ".." part, no NUL.

    Raises:
        ManifestError: it is not.
    """
    if _HOSTILE.search(rel):
        raise ManifestError(
            "not a plain path below its directory",
            where=repr(rel)[:200],
            hint='a path has no "..", "." or empty part, and does not start with "/"',
        )
    return rel


def open_at(dir_fd: int, rel: str, flags: int) -> int:
    """Open `rel` below `dir_fd`, through no symbolic link. Raises plain `OSError`."""
    global _openat2_works
    check_rel(rel)
    if "/" not in rel:
        return os.open(rel, flags | os.O_NOFOLLOW, dir_fd=dir_fd)
    if _openat2_works:
        try:
            return native.open_beneath(dir_fd, rel, flags)
        except OSError as error:
            # Old kernels lack the call; old container sandboxes forbid it.
            if error.errno not in (errno.ENOSYS, errno.EPERM):
                raise
            _openat2_works = False
    return _open_step_by_step(dir_fd, rel, flags)


def _open_step_by_step(dir_fd: int, rel: str, flags: int) -> int:
    *parents, name = rel.split("/")
    at = dir_fd
    try:
        for part in parents:
            below = os.open(part, DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
            if at != dir_fd:
                os.close(at)
            at = below
        return os.open(name, flags | os.O_NOFOLLOW, dir_fd=at)
    finally:
        if at != dir_fd:
            os.close(at)


def open_file_at(dir_fd: int, rel: str) -> tuple[int, os.stat_result]:
    """Open a regular file below `dir_fd` for reading, and stat it.

    Raises plain `OSError`: EISDIR for a directory, EINVAL for a FIFO, socket or device.
    """
    try:
        fd = open_at(dir_fd, rel, _FILE)
    except OSError as error:
        if error.errno == errno.ENXIO:  # a socket
            raise OSError(errno.EINVAL, "not a regular file", rel) from error
        raise
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode):
        os.close(fd)
        number = errno.EISDIR if stat.S_ISDIR(found.st_mode) else errno.EINVAL
        raise OSError(number, "not a regular file", rel)
    return fd, found


def open_regular(root: str | os.PathLike[str], rel: str) -> tuple[int, os.stat_result]:
    """The same below a directory given by its path. Raises plain `OSError`."""
    root_fd = os.open(root, DIRECTORY)
    try:
        return open_file_at(root_fd, rel)
    finally:
        os.close(root_fd)


def stat_beneath(root: str | os.PathLike[str], rel: str) -> os.stat_result:
    """The stat of whatever `rel` below `root` is, a last symbolic link not followed.

    Raises plain `OSError`; ELOOP or ENOTDIR for a symbolic link on the way.
    """
    check_rel(rel)
    root_fd = os.open(root, DIRECTORY)
    try:
        folder, _, name = rel.rpartition("/")
        if not folder:
            return os.stat(name, dir_fd=root_fd, follow_symlinks=False)
        fd = open_at(root_fd, folder, _LOOK)
        try:
            return os.stat(name, dir_fd=fd, follow_symlinks=False)
        finally:
            os.close(fd)
    finally:
        os.close(root_fd)


def open_beneath(root: str | os.PathLike[str], rel: str) -> int:
    """A descriptor, open for reading, of the regular file `rel` below `root`.

    Raises:
        ManifestError: `rel` is not a plain relative path.
        InputError: it is missing, unreadable, behind a symbolic link, or no regular file.
    """
    return _open_named(root, rel, _shown(root, rel))[0]


def _open_named(root: str | os.PathLike[str], rel: str, where: str) -> tuple[int, os.stat_result]:
    with os_errors(where):
        try:
            return open_regular(root, rel)
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.EISDIR):
                raise InputError("not a regular file", where=where) from error
            raise


def _shown(root: str | os.PathLike[str], rel: str) -> str:
    # Not a Path: making one costs as much as opening the file.
    return f"{os.fspath(root)}/{rel}"


def read_beneath(root: str | os.PathLike[str], rel: str, *, limit: int) -> bytes:
    """All bytes of the regular file `rel` below `root`.

    Raises:
        ManifestError: `rel` is not a plain relative path.
        InputError: it is missing, unreadable, no regular file, or larger than `limit` bytes.
    """
    where = _shown(root, rel)
    fd, found = _open_named(root, rel, where)
    try:
        with os_errors(where):
            # One call reads a small file; it asks for more than there is, to see it end.
            data = os.read(fd, min(found.st_size, limit, _AT_ONCE) + 1)
            if len(data) != found.st_size:
                data += read_up_to(fd, limit + 1 - len(data))
    finally:
        os.close(fd)
    if len(data) > limit:
        raise InputError(f"larger than the {limit} bytes that are allowed here", where=where)
    return data


def read_up_to(fd: int, count: int) -> bytes:
    """At most `count` bytes from where `fd` stands; fewer only at the end of the file."""
    data = os.read(fd, min(count, _AT_ONCE))
    if len(data) == count or not data:
        return data
    parts, have = [data], len(data)
    while have < count and (more := os.read(fd, min(count - have, _AT_ONCE))):
        parts.append(more)
        have += len(more)
    return b"".join(parts)
