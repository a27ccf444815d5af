"""Directories: made with their parents, removed with what is in them."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from lake.fsio import system
from lake.fsio.oserrors import Translate, os_errors, translate

DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
"""Flags to open a directory with."""


def make_dirs(
    path: str | os.PathLike[str],
    *,
    mode: int = 0o777,
    durable: bool = True,
    using: Translate = translate,
) -> list[Path]:
    """Make a directory and the parents it lacks; returns those made, the outermost first.

    With `durable`, each new name survives a power cut once this returns.
    """
    target = Path(path)
    with os_errors(target, using=using):
        missing: list[Path] = []
        at = target
        while not at.is_dir():
            missing.append(at)
            if at.parent == at:
                break
            at = at.parent
        missing.reverse()
        for new in missing:
            _make_one(new, mode)
        if durable:
            sync_names(missing)
        return missing


def _make_one(path: Path, mode: int) -> None:
    parent = os.open(path.parent, DIRECTORY)
    try:
        system.current.mkdir(path.name, parent, mode)
    except FileExistsError:
        if not path.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None
    finally:
        os.close(parent)


def sync_names(paths: Iterable[Path]) -> None:
    """Make the names of these directories durable, by syncing the ones that hold them."""
    for path in paths:
        parent = os.open(path.parent, DIRECTORY)
        try:
            system.current.fsync(parent)
        finally:
            os.close(parent)


def remove_file(path: str | os.PathLike[str], *, missing_ok: bool = True) -> bool:
    """Take one file (or symlink) away; True if it was there."""
    target = Path(path)
    with os_errors(target):
        try:
            parent = os.open(target.parent, DIRECTORY)
        except FileNotFoundError:
            if missing_ok:
                return False
            raise
        try:
            system.current.unlink(target.name, parent)
        except FileNotFoundError:
            if missing_ok:
                return False
            raise
        finally:
            os.close(parent)
    return True


def remove_tree(path: str | os.PathLike[str]) -> None:
    """Take a directory away with all that is in it, following no symlink; absent is fine."""
    target = Path(path)
    with os_errors(target):
        try:
            parent = os.open(target.parent, DIRECTORY)
        except FileNotFoundError:
            return
        try:
            remove_entry(target.name, parent)
        finally:
            os.close(parent)


def remove_entry(name: str, dir_fd: int) -> None:
    """The same for one name in an open directory, whatever kind of thing it is."""
    try:
        found = os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(found.st_mode):
        with contextlib.suppress(FileNotFoundError):
            system.current.unlink(name, dir_fd)
        return
    fd = os.open(name, DIRECTORY | os.O_NOFOLLOW, dir_fd=dir_fd)
    try:
        with os.scandir(fd) as entries:
            inside = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
        for each, is_dir in inside:
            if is_dir:
                remove_entry(each, fd)
            else:
                with contextlib.suppress(FileNotFoundError):
                    system.current.unlink(each, fd)
    finally:
        os.close(fd)
    with contextlib.suppress(FileNotFoundError):
        system.current.rmdir(name, dir_fd)
