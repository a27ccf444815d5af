"""A directory that appears whole or not at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from types import TracebackType

from lake.errors import ConflictError
from lake.fsio import native, system
from lake.fsio.batch import Batch
from lake.fsio.beneath import check_rel
from lake.fsio.oserrors import os_errors
from lake.fsio.owner import MARK, sweep, temp_name
from lake.fsio.staged import StagedFile
from lake.fsio.tree import DIRECTORY, make_dirs, remove_entry, sync_names


class _InPlace(Batch):
    """A batch in a directory that nobody sees yet: files get their final name at once."""

    def __init__(self, root: Path, mode: int) -> None:
        super().__init__(root, durable=False, mode=mode)

    def stage(self, rel: str | None = None) -> StagedFile:
        if rel is None:
            return super().stage()
        check_rel(rel)
        if self._folders.root_fd < 0:
            with self._lock:
                self._open_root()
        try:
            with self.errors:
                fd = self._create(rel)
        except ConflictError:
            return super().stage(rel)  # a second file of that name: the commit decides
        return _Placed(self, rel, self._folders.root_fd, fd, rel)

    def _create(self, rel: str) -> int:
        try:
            return system.current.create(rel, self._folders.root_fd, self._mode)
        except FileNotFoundError:
            self._folders.make(rel.rpartition("/")[0])
            return system.current.create(rel, self._folders.root_fd, self._mode)


class _Placed(StagedFile):
    """A staged file that lies under its final name already."""

    __slots__ = ()

    def publish_as(self, rel: str | None = None, *, replace: bool = True) -> None:
        if rel is not None and rel != self.name:
            super().publish_as(rel, replace=replace)
            return
        self._close()
        self.created = True


class NewDirectory:
    """Builds a directory beside `dest`, and gives it that name when the block ends well.

    One barrier makes all of it durable before the rename, one more the name. When the block
    fails, or the process is killed, `dest` is as it was; leftovers of killed processes are
    removed by the next one that builds the same `dest`.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with NewDirectory(Path(folder) / "out") as new:
    ...         _ = new.batch.write("samples/1.json", b"{}")
    ...     (Path(folder) / "out" / "samples" / "1.json").read_bytes()
    b'{}'

    Args:
        dest: the directory's name.
        replace: `dest` may exist: the new directory takes its place in one step, and the old
            one is removed after that. Where the file system cannot swap names, there is a
            moment without a `dest`.
        durable: False leaves out every sync.
        mode: permission bits of new files, before the umask.

    Attributes:
        path: the directory to build in, while the block runs.
        batch: writes files into it without a barrier of their own; no commit is needed.

    Raises:
        ConflictError: `dest` exists, at the start or by the end of the block (and must not).
        DiskError: the disk is full or fails.
    """

    path: Path
    batch: Batch

    def __init__(
        self,
        dest: str | os.PathLike[str],
        *,
        replace: bool = False,
        durable: bool = True,
        mode: int = 0o666,
    ) -> None:
        # Absolute, so that a later change of the working directory does not matter.
        self.dest = Path(dest).absolute()
        self._replace = replace
        self._durable = durable
        self._mode = mode
        self._parent_fd = -1
        self._swapped = False  # the temporary name stands for the old directory

    def __enter__(self) -> NewDirectory:
        with os_errors(self.dest):
            self._made = make_dirs(self.dest.parent, durable=False)
            if os.path.lexists(self.dest) and not self._replace:
                raise self._conflict()
            self._parent_fd = os.open(self.dest.parent, DIRECTORY)
            prefix = f".{self.dest.name[:40]}{MARK}-"
            self._temp = prefix + temp_name()
            try:
                system.current.mkdir(self._temp, self._parent_fd)
            except BaseException:
                os.close(self._parent_fd)
                raise
            made = os.stat(self._temp, dir_fd=self._parent_fd)
            sweep(self._parent_fd, prefix, now=made.st_mtime)
        self.path = self.dest.parent / self._temp
        self.batch = _InPlace(self.path, self._mode)
        # Errors name what the caller asked for, not where it is built.
        self.batch.errors = os_errors(self.dest)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            try:
                if error is None:
                    self.batch.commit()
            finally:
                self.batch.close()
            if error is None:
                with os_errors(self.dest):
                    self._publish()
        finally:
            # After a swap that did not become durable, this is what a power cut brings back.
            if not self._swapped:
                with contextlib.suppress(OSError):
                    remove_entry(self._temp, self._parent_fd)
            os.close(self._parent_fd)

    def _publish(self) -> None:
        if self._durable:
            fd = os.open(self._temp, DIRECTORY | os.O_NOFOLLOW, dir_fd=self._parent_fd)
            try:
                if system.current.syncs_whole(fd):
                    system.current.syncfs(fd)
                else:
                    _sync_tree(fd)
                    sync_names(self._made or [self.dest.parent])
            finally:
                os.close(fd)
        self._swapped = self._replace and self._take_over()
        if not self._swapped:
            self._rename()
        if self._durable:
            system.current.fsync(self._parent_fd)
        self._swapped = False

    def _take_over(self) -> bool:
        """Swap names with the old directory, which is then removed like any leftover; False
        where there is no old one."""
        here, name = self._parent_fd, self.dest.name
        try:
            system.current.exchange(self._temp, here, name, here)
            return True
        except FileNotFoundError:
            return False
        except OSError as error:
            if error.errno not in native.MISSING:
                raise
        if not os.path.lexists(self.dest):
            return False
        # Not a name that is ever swept: between the two renames this is the only copy.
        aside = f"{self._temp}-old"
        system.current.rename(name, here, aside, here)
        system.current.rename(self._temp, here, name, here)
        self._temp = aside
        return True

    def _rename(self) -> None:
        here, name = self._parent_fd, self.dest.name
        try:
            try:
                system.current.rename_new(self._temp, here, name, here)
            except FileExistsError:
                raise
            except OSError as error:
                if error.errno not in native.MISSING:
                    raise
                # Without the atomic call: look, then rename, which still fails on anything
                # but an empty directory.
                if os.path.lexists(self.dest):
                    raise self._conflict() from None
                system.current.rename(self._temp, here, name, here)
        except (FileExistsError, NotADirectoryError):
            raise self._conflict() from None

    def _conflict(self) -> ConflictError:
        return ConflictError(
            "already exists",
            where=str(self.dest),
            hint="choose another output, or remove this one first",
        )


def _sync_tree(fd: int) -> None:
    """fsync of all files and directories below an open directory, and of itself."""
    with os.scandir(fd) as entries:
        inside = [
            (entry.name, entry.is_dir(follow_symlinks=False))
            for entry in entries
            if not entry.is_symlink()
        ]
    for name, is_dir in inside:
        flags = DIRECTORY if is_dir else os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
        below = os.open(name, flags | os.O_NOFOLLOW, dir_fd=fd)
        try:
            if is_dir:
                _sync_tree(below)
            else:
                system.current.fsync(below)
        finally:
            os.close(below)
    system.current.fsync(fd)
