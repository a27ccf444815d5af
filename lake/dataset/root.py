"""A dataset directory, opened: what is read below it goes through one descriptor."""

from __future__ import annotations

import os
from pathlib import Path

from lake.errors import InputError, ManifestError
from lake.fsio.beneath import open_file_at, read_up_to
from lake.fsio.oserrors import os_errors, translate
from lake.fsio.tree import DIRECTORY
from lake_schemas.limits import MAX_TEXT


class Root:
    """An open directory. What lies below is opened through no symbolic link, and only if it is
    a regular file. The descriptor is closed when nobody uses the object any more.

    Raises:
        InputError: the directory cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._fd = -1
        self.path = path
        with os_errors(path):
            self._fd = os.open(path, DIRECTORY)

    @property
    def fd(self) -> int:
        """The directory's descriptor."""
        return self._fd

    def read(self, rel: str, limit: int = MAX_TEXT) -> bytes:
        """All bytes of a text file.

        Raises:
            ManifestError: it is larger than `limit`, or no regular file.
            InputError: it is missing or unreadable.
        """
        fd, _ = self.open(rel)
        try:
            data = read_up_to(fd, limit + 1)
        except OSError as error:
            raise translate(error, self.path / rel) from error
        finally:
            os.close(fd)
        if len(data) > limit:
            raise ManifestError(
                f"larger than the {limit:,} bytes that one text may have", where=self.where(rel)
            )
        return data

    def open(self, rel: str) -> tuple[int, os.stat_result]:
        """A descriptor, open for reading, of a regular file, and its stat."""
        try:
            return open_file_at(self._fd, rel)
        except OSError as error:
            typed = translate(error, self.path / rel)
            if isinstance(typed, InputError):
                raise typed from error
            raise ManifestError("not a regular file", where=self.where(rel)) from error

    def where(self, rel: str) -> str:
        """A file's path, for people."""
        return f"{self.path}/{rel}"

    def __del__(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
