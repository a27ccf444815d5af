"""What the operating system says of a store's folder, as a store's errors."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from lake.errors import (
    AccessDenied,
    ConflictError,
    DiskError,
    LakeError,
    NotFound,
    RemoteError,
)
from lake.fsio import is_dir, translate

_DENIED = {
    errno.EACCES: "check who owns the folder and its mode (ls -ld)",
    errno.EPERM: "check who owns the folder and its mode (ls -ld, lsattr)",
    errno.EROFS: "the file system is mounted read-only: remount it, or use another remote",
}
_PASSING = {errno.EAGAIN, errno.ESTALE, errno.ETIMEDOUT, errno.EBUSY, errno.ENOTCONN}
_HERE = {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EFBIG}
_IRREGULAR = {errno.ELOOP, errno.EXDEV, errno.EINVAL}


class Explain:
    """Turns an `OSError` under a store's folder into the error that the contract names."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def __call__(
        self,
        error: OSError,
        where: str | os.PathLike[str] | None = None,
        *,
        reading: bool = False,
    ) -> LakeError:
        number = error.errno or 0
        place = self._place(where)
        if number in (errno.ENOENT, errno.ENOTDIR, errno.EISDIR) and reading:
            return NotFound("no such object", where=place, hint=self._folder_hint())
        if number in _DENIED:
            what = "may not read from the folder" if reading else "may not write to the folder"
            return AccessDenied(what, where=place, hint=_DENIED[number])
        if number in _HERE:
            found = translate(error, place)
            return found if isinstance(found, DiskError) else DiskError(found.what, where=place)
        if number in (errno.ENOTDIR, errno.EISDIR, errno.EEXIST):
            return ConflictError(
                "a file lies where the store needs a directory, or the other way round",
                where=place,
                hint="choose another folder, or move it out of the way",
            )
        if number in _IRREGULAR:
            return RemoteError(
                "not a plain file",
                where=place,
                hint="symbolic links and special files below a store's folder are not followed",
            )
        return RemoteError(
            f"the folder failed ({error.strerror or number})",
            transient=number in _PASSING,
            where=place,
            hint=self._folder_hint(),
        )

    def _place(self, where: str | os.PathLike[str] | None) -> str:
        text = os.fspath(where) if where is not None else ""
        if not text or text == str(self._root):
            return self._root.as_uri()
        return text if Path(text).is_absolute() else f"{self._root.as_uri()} {text}"

    def _folder_hint(self) -> str | None:
        if is_dir(self._root):
            return None
        return f"the folder {self._root} is not there: is it mounted?"
