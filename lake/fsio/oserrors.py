"""What the operating system says, as lake's own errors."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from types import TracebackType

from lake.errors import ConflictError, DiskError, InputError, LakeError

_DISK = {
    errno.ENOSPC: ("no space left on the disk", "free some space, then run the same command again"),
    errno.EDQUOT: ("the disk quota is used up", "free some space, then run the same command again"),
    errno.EROFS: ("the file system is read-only", "choose another place, or remount it writable"),
    errno.EIO: ("the disk failed", "check the disk (dmesg, smartctl) before you go on"),
    errno.EFBIG: ("the file is larger than is allowed here", "see `ulimit -f` and the file system"),
    errno.EMFILE: ("too many open files", "raise `ulimit -n`"),
    errno.ENFILE: ("too many open files on this machine", "close some programs"),
    errno.ENOMEM: ("out of memory", None),
}
_INPUT = {
    errno.ENOENT: ("no such file or directory", None),
    errno.ENOTDIR: ("a part of the path is a file, not a directory", None),
    errno.EISDIR: ("a directory, where a file was expected", None),
    errno.EACCES: ("permission denied", "check the owner and mode of the file and its directories"),
    errno.EPERM: ("operation not permitted", "check the owner and mode of the file"),
    errno.ELOOP: ("a symbolic link that is not followed here, or leads in a circle", None),
    errno.EXDEV: ("leads out of its directory", None),
    errno.ENAMETOOLONG: ("the name is too long for the file system", None),
}
_CONFLICT = {
    errno.EEXIST: ("already exists", None),
    errno.ENOTEMPTY: ("the directory is not empty", None),
}


def translate(error: OSError, where: str | os.PathLike[str] | None = None) -> LakeError:
    """The typed error for what the operating system raised.

    >>> translate(FileNotFoundError(2, "No such file or directory", "a.png"))
    InputError('no such file or directory', 'a.png', None)
    """
    place = os.fspath(where) if where is not None else error.filename
    if isinstance(place, bytes):
        place = os.fsdecode(place)
    shown = None if place is None else str(place)
    for table, kind in ((_DISK, DiskError), (_INPUT, InputError), (_CONFLICT, ConflictError)):
        found = table.get(error.errno or 0)
        if found is not None:
            return kind(found[0], where=shown, hint=found[1])
    return DiskError(error.strerror or type(error).__name__, where=shown)


Translate = Callable[[OSError, "str | os.PathLike[str] | None"], LakeError]
"""Turns what the operating system raised, and where, into a typed error."""


class os_errors:
    """A `with` block whose `OSError`s leave as lake's errors, naming `where`.

    >>> with os_errors("pictures"):
    ...     os.mkdir("/proc/nowhere")
    Traceback (most recent call last):
    lake.errors.InputError: no such file or directory: pictures

    `using` translates in place of `translate`: for a store's folder the same errno says
    something else than for a file of the user's.
    """

    __slots__ = ("_where", "using")

    def __init__(
        self, where: str | os.PathLike[str] | None = None, *, using: Translate = translate
    ) -> None:
        self._where = where
        self.using = using

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, OSError):
            raise self.using(error, self._where) from error
