"""A file system that notes every change that `lake.fsio` makes to it."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Container, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lake.fsio import system
from lake.testing.crash_disk import SYNCS, Disk, File, Op


class Recorder(system.System):
    """Does what `System` does, but for the syncs, and notes every change below `root`.

    Used as a context manager it takes the place of `lake.fsio.system.current`.

    Args:
        root: the directory whose fate is of interest; what is in it at first is durable.
        whole: whether the file system claims that one `syncfs` is enough.
        drop: numbers of the operations in `STEPS` (counted from 0) that are left out, as if
            the code did not have them.
    """

    def __init__(
        self, root: str | os.PathLike[str], *, whole: bool = True, drop: Container[int] = ()
    ) -> None:
        self.root = Path(root)
        self.ops: list[Op] = []
        self.steps: list[str] = []
        self._whole = whole
        self._drop = drop
        self._marks: list[tuple[int, str]] = []
        self._nodes: dict[tuple[int, int], int] = {}
        self._fresh = itertools.count()
        self._lock = threading.RLock()
        self._foreign = False
        self.start = Disk(self._know(self.root.stat()))
        self._load(self.root, self.start)

    def __enter__(self) -> Recorder:
        self._before = system.current
        system.current = self
        return self

    def __exit__(self, *_: object) -> None:
        system.current = self._before

    def mark(self, what: str) -> None:
        """Note that something was reported to the caller now; see `State.marks`."""
        self._marks.append((len(self.ops), what))

    def marks_at(self, point: int) -> tuple[str, ...]:
        """What was reported before the operation number `point`."""
        return tuple(what for at, what in self._marks if at <= point)

    @contextmanager
    def unsynced(self) -> Iterator[None]:
        """In this block no sync takes effect, and no step counts: the work of someone else, who
        has not come to its syncs yet."""
        self._foreign = True
        try:
            yield
        finally:
            self._foreign = False

    # -- what System does

    def create(self, name: str, dir_fd: int, mode: int = 0o666) -> int:
        with self._lock:
            fd = super().create(name, dir_fd, mode)
            self._note("create", *self._entry(name, dir_fd), self._new(os.fstat(fd)))
            return fd

    def write(self, fd: int, data: bytes | bytearray | memoryview) -> None:
        with self._lock:
            super().write(fd, data)
            # Asked for afterwards, which is right for files that are appended to, too.
            at = os.lseek(fd, 0, os.SEEK_CUR) - len(data)
            self._note("write", self._node(fd), at, bytes(data))

    def pwrite(self, fd: int, data: bytes | bytearray | memoryview, offset: int) -> None:
        with self._lock:
            super().pwrite(fd, data, offset)
            self._note("write", self._node(fd), offset, bytes(data))

    def copy(self, src_fd: int, dst_fd: int, count: int) -> int:
        with self._lock:
            at = os.lseek(dst_fd, 0, os.SEEK_CUR)
            done = super().copy(src_fd, dst_fd, count)
            self._note("write", self._node(dst_fd), at, os.pread(dst_fd, done, at))
            return done

    def clone(self, src_fd: int, dst_fd: int) -> None:
        with self._lock:
            super().clone(src_fd, dst_fd)
            data = os.pread(dst_fd, os.fstat(dst_fd).st_size, 0)
            self._note("write", self._node(dst_fd), 0, data)

    def fsync(self, fd: int) -> None:
        with self._lock:
            if self._step("fsync"):
                self._note("fsync", self._node(fd))

    def syncfs(self, fd: int) -> None:
        with self._lock:
            if self._step("syncfs"):
                self._note("syncfs")

    def syncs_whole(self, fd: int) -> bool:
        return self._whole

    def rename(self, src: str, src_fd: int, dst: str, dst_fd: int) -> None:
        with self._lock:
            if self._step("rename"):
                moved = (*self._entry(src, src_fd), *self._entry(dst, dst_fd))
                super().rename(src, src_fd, dst, dst_fd)
                self._note("rename", *moved)

    def rename_new(self, src: str, src_fd: int, dst: str, dst_fd: int) -> None:
        with self._lock:
            if self._step("rename_new"):
                moved = (*self._entry(src, src_fd), *self._entry(dst, dst_fd))
                super().rename_new(src, src_fd, dst, dst_fd)
                self._note("rename", *moved)

    def exchange(self, one: str, one_fd: int, other: str, other_fd: int) -> None:
        with self._lock:
            if self._step("exchange"):
                swapped = (*self._entry(one, one_fd), *self._entry(other, other_fd))
                super().exchange(one, one_fd, other, other_fd)
                self._note("exchange", *swapped)

    def link(self, src: str, src_fd: int | None, dst: str, dst_fd: int) -> None:
        with self._lock:
            if self._step("link"):
                found = os.stat(src, dir_fd=src_fd, follow_symlinks=src_fd is None)
                super().link(src, src_fd, dst, dst_fd)
                self._note("link", *self._entry(dst, dst_fd), self._know(found))

    def symlink(self, target: str, name: str, dir_fd: int) -> None:
        with self._lock:
            super().symlink(target, name, dir_fd)
            node = self._new(os.stat(name, dir_fd=dir_fd, follow_symlinks=False))
            self._note("symlink", *self._entry(name, dir_fd), node, target)

    def unlink(self, name: str, dir_fd: int) -> None:
        with self._lock:
            super().unlink(name, dir_fd)
            self._note("unlink", *self._entry(name, dir_fd))

    def mkdir(self, name: str, dir_fd: int, mode: int = 0o777) -> None:
        with self._lock:
            super().mkdir(name, dir_fd, mode)
            node = self._new(os.stat(name, dir_fd=dir_fd))
            self._note("mkdir", *self._entry(name, dir_fd), node)

    def rmdir(self, name: str, dir_fd: int) -> None:
        with self._lock:
            super().rmdir(name, dir_fd)
            self._note("unlink", *self._entry(name, dir_fd))

    # -- notes

    def _note(self, kind: str, *args: Any) -> None:
        self.ops.append(Op(kind, args))

    def _step(self, kind: str) -> bool:
        """Count a step; False if it is one that is left out."""
        if self._foreign:
            return kind not in SYNCS
        self.steps.append(kind)
        return len(self.steps) - 1 not in self._drop

    def _node(self, fd: int) -> int:
        return self._know(os.fstat(fd))

    def _know(self, found: os.stat_result) -> int:
        return self._nodes.setdefault((found.st_dev, found.st_ino), next(self._fresh))

    def _new(self, found: os.stat_result) -> int:
        # The file system may give a new file the number of one that is gone.
        self._nodes.pop((found.st_dev, found.st_ino), None)
        return self._know(found)

    def _entry(self, name: str, dir_fd: int) -> tuple[int, str]:
        folder, _, last = name.rpartition("/")
        found = os.stat(folder, dir_fd=dir_fd) if folder else os.fstat(dir_fd)
        return self._know(found), last

    def _load(self, path: Path, disk: Disk) -> None:
        here = disk.folders.setdefault(self._know(path.stat()), {})
        for each in path.iterdir():
            node = self._know(each.lstat())
            here[each.name] = [node]
            if each.is_symlink():
                disk.links[node] = str(each.readlink())
            elif each.is_dir():
                self._load(each, disk)
            else:
                disk.files[node] = File(each.read_bytes())
