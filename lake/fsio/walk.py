"""Walking a directory in order, lazily, following no symbolic link, in bounded memory."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from lake.errors import InputError
from lake.fsio.oserrors import Translate, os_errors, translate
from lake.fsio.owner import RESERVED
from lake.fsio.tree import DIRECTORY

PAGE = 100_000
"""Names of one directory that are held at once; a larger one is read in several passes."""

DEPTH = 100
"""Directories within directories that are still walked; each costs a descriptor."""

OnSkip = Callable[[str, str], None]
"""Told of each entry that a walk passes over: its path, and why."""


class Entry(NamedTuple):
    """One regular file found: `rel` is its path below the root; `size` in bytes."""

    rel: str
    size: int
    mtime_ns: int
    inode: int


def scan(
    root: str | os.PathLike[str],
    *,
    suffixes: tuple[str, ...] = (),
    hidden: bool = False,
    by_stem: bool = False,
    prefix: str = "",
    after: str = "",
    on_skip: OnSkip | None = None,
    using: Translate = translate,
) -> Iterator[Entry]:
    """The regular files below `root`, in the byte order of their paths.

    Lake's own temporary files and directories are never among them.

    Args:
        root: the directory; it may itself be a symbolic link, nothing below it may.
        suffixes: only files whose name ends with one of these; empty for all.
        hidden: also names that start with a dot.
        by_stem: order by the path without its (longest matching) suffix, as samples are
            ordered by id. Needs `suffixes`.
        prefix: only files whose path (or stem) starts with this.
        after: only files that come after this path (or stem) in the order.
        on_skip: called with (path, reason) for symbolic links, FIFOs, devices, and names that
            are not UTF-8; other suffixes and hidden names are left out silently.
        using: makes a typed error of what the operating system raises.

    Raises:
        InputError: `root` or a directory below it cannot be read, or is nested too deeply.
    """
    with os_errors(root, using=using):
        fd = os.open(root, DIRECTORY)
    walk = _Walk(Path(root), suffixes, hidden, by_stem, prefix, after, on_skip, using)
    yield from walk.directory(fd, "")


@dataclass(slots=True)
class _Walk:
    root: Path
    suffixes: tuple[str, ...]
    hidden: bool
    by_stem: bool
    prefix: str
    after: str
    on_skip: OnSkip | None
    using: Translate

    def directory(self, fd: int, at: str) -> Iterator[Entry]:
        """Entries below the open directory `fd`, which this closes."""
        try:
            last: tuple[str, str] | None = None
            while True:
                with os_errors(self.root / at, using=self.using):
                    page, more = self._page(fd, at, last)
                for key, name in page:
                    if key.endswith("/"):
                        yield from self._below(fd, name, at)
                    elif not self.after or at + key > self.after:
                        found = self._file(fd, name, at)
                        if found is not None:
                            yield found
                if not more:
                    return
                last = page[-1]
        finally:
            os.close(fd)

    def _below(self, fd: int, name: str, at: str) -> Iterator[Entry]:
        rel = f"{at}{name}/"
        # All paths below start with `rel`: they come after `after` unless it is beyond them.
        if self.after and not self.after.startswith(rel) and rel <= self.after:
            return
        if at.count("/") >= DEPTH:
            raise InputError(f"directories more than {DEPTH} deep", where=str(self.root / rel))
        with os_errors(self.root / rel, using=self.using):
            try:
                below = os.open(name, DIRECTORY | os.O_NOFOLLOW, dir_fd=fd)
            except (FileNotFoundError, NotADirectoryError):
                return  # gone, or replaced, since it was listed
        yield from self.directory(below, rel)

    def _file(self, fd: int, name: str, at: str) -> Entry | None:
        try:
            found = os.stat(name, dir_fd=fd, follow_symlinks=False)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self.using(error, self.root / at / name) from error
        if not stat.S_ISREG(found.st_mode):
            return None
        return Entry(at + name, found.st_size, found.st_mtime_ns, found.st_ino)

    def _page(
        self, fd: int, at: str, last: tuple[str, str] | None
    ) -> tuple[list[tuple[str, str]], bool]:
        """The first `PAGE` (key, name) pairs after `last`, sorted, and whether there are more.

        A directory's key ends in "/", so that the order within each directory makes the order
        of whole paths. Code points sort as their UTF-8 bytes do.
        """
        kept: list[tuple[str, str]] = []
        more = False
        with os.scandir(fd) as entries:
            for entry in entries:
                pair = self._pair(entry, at)
                if pair is None or (last is not None and pair <= last):
                    continue
                if self.prefix and not self._may_start(at + pair[0]):
                    continue
                kept.append(pair)
                if len(kept) >= 2 * PAGE:
                    kept.sort()
                    del kept[PAGE:]
                    more = True
        kept.sort()
        if len(kept) > PAGE:
            del kept[PAGE:]
            more = True
        return kept, more

    def _pair(self, entry: os.DirEntry[str], at: str) -> tuple[str, str] | None:
        name = entry.name
        if name.startswith(".") and (not self.hidden or RESERVED in name):
            return None
        if not entry.is_file(follow_symlinks=False):
            if entry.is_dir(follow_symlinks=False):
                return (name + "/", name) if self._is_text(name, at) else None
            self._skip(at + name, "a symbolic link" if entry.is_symlink() else "not a file")
            return None
        if self.suffixes and not name.endswith(self.suffixes):
            return None
        if not self._is_text(name, at):
            return None
        if not self.by_stem:
            return name, name
        longest = max(len(suffix) for suffix in self.suffixes if name.endswith(suffix))
        return name[: len(name) - longest], name

    def _is_text(self, name: str, at: str) -> bool:
        if name.isascii():
            return True
        try:
            name.encode()
        except UnicodeEncodeError:
            self._skip(at + name, "its name is not UTF-8")
            return False
        return True

    def _may_start(self, path: str) -> bool:
        """Whether `path`, or something below it, starts with the prefix that is asked for."""
        return path.startswith(self.prefix) or (path.endswith("/") and self.prefix.startswith(path))

    def _skip(self, rel: str, why: str) -> None:
        if self.on_skip is not None:
            self.on_skip(rel, why)
