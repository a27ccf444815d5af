"""Walking a directory of the user's own: in order of path, links followed, hidden names left out.

Unlike a dataset's directory, this one is the user's: a folder of links into a cache or another
disk is as good as the files themselves.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from lake.errors import InputError, LakeError
from lake.fsio import is_dir, os_errors
from lake.importers.found import Found

OnError = Callable[[LakeError], None]
"""Told of a file that cannot be used; raises it, or notes it and lets the walk go on."""
Identity = tuple[int, int]
"""Device and inode."""


class Globs:
    """Which paths to take: those that match one of `include` (default: all) and none of
    `exclude`. A pattern is held against the path and the name; "*" also matches "/".

    >>> globs = Globs(include=["*.png"], exclude=["draft/*"])
    >>> globs.takes("a/b.png"), globs.takes("draft/b.png"), globs.takes("b.txt")
    (True, False, False)
    """

    def __init__(self, include: list[str] | None = None, exclude: list[str] | None = None) -> None:
        self.include = include or []
        self.exclude = exclude or []

    def takes(self, rel: str) -> bool:
        """Whether a file is taken."""
        if self.include and not _matches(rel, self.include):
            return False
        return not _matches(rel, self.exclude)

    def enters(self, rel: str) -> bool:
        """Whether a directory may hold files that are taken."""
        return not _matches(rel, self.exclude)


def _matches(rel: str, patterns: list[str]) -> bool:
    name = rel.rpartition("/")[2]
    return any(fnmatchcase(rel, p) or fnmatchcase(name, p) for p in patterns)


def walk(
    root: Path, globs: Globs, on_error: OnError, *, without: Path | None = None
) -> Iterator[Found]:
    """The regular files below `root`, in the byte order of their paths.

    Args:
        without: a directory to leave out: that which is being made, say.

    Raises:
        InputError: `root` is missing or no directory that can be read.
    """
    with os_errors(root):
        if not stat.S_ISDIR(root.stat().st_mode):
            raise InputError("not a directory", where=str(root))
    skipped = _identity(without) if without and is_dir(without) else None
    yield from _directory(root, "", globs, on_error, (), skipped)


def _identity(folder: Path) -> Identity:
    with os_errors(folder):
        found = folder.stat()
        return found.st_dev, found.st_ino


def _directory(
    folder: Path,
    prefix: str,
    globs: Globs,
    on_error: OnError,
    above: tuple[Identity, ...],
    skipped: Identity | None,
) -> Iterator[Found]:
    entries: list[tuple[str, str]] = []
    try:
        own = _identity(folder)
        if own == skipped:
            return
        with os_errors(folder):
            if own in above:
                raise InputError("a link leads back to a directory above it", where=str(folder))
            with os.scandir(folder) as found:
                for entry in found:
                    if not entry.name.startswith("."):
                        entries.append((entry.name + "/" * _is_dir(entry), entry.name))
    except LakeError as error:
        if not prefix:
            raise
        on_error(error)
        return
    entries.sort()
    inside = (*above, own)
    for key, name in entries:
        rel = prefix + name
        if key.endswith("/"):
            if globs.enters(rel):
                yield from _directory(folder / name, f"{rel}/", globs, on_error, inside, skipped)
        elif globs.takes(rel):
            file = _file(folder / name, rel, on_error)
            if file is not None:
                yield file


def _is_dir(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads in a circle, say: told when it is taken for a file
        return False


def _file(path: Path, rel: str, on_error: OnError) -> Found | None:
    try:
        with os_errors(path):
            try:
                rel.encode()
            except UnicodeEncodeError:
                raise InputError("the name is not UTF-8", where=ascii(str(path))) from None
            info = path.stat()
            if not stat.S_ISREG(info.st_mode):
                raise InputError("neither a file nor a directory", where=str(path))
    except LakeError as error:
        on_error(error)
        return None
    return Found(rel, info.st_size, path)
