"""Many files made durable by one barrier.

Files are written under temporary names; `commit` makes all their bytes durable at once, gives
them their names, and makes the names durable. A power cut at any point leaves each name either
absent (or as it was) or with all of its bytes.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import threading
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from types import TracebackType

from lake.errors import LakeError
from lake.fsio import native, system
from lake.fsio.beneath import check_rel, open_at
from lake.fsio.oserrors import Translate, os_errors, translate
from lake.fsio.owner import MARK, sweep, temp_name
from lake.fsio.tree import DIRECTORY, make_dirs, remove_entry, sync_names

_FEW_DIRECTORIES = 4  # up to here an fsync of each is cheaper than one more syncfs
_ATTEMPTS = 10


class StagedFile:
    """One file being written; it has no name yet. Made by `Batch.stage`.

    Used by one thread at a time. As a context manager it is published at the end of the block
    (if it was given a name), or discarded when the block fails.

    Attributes:
        fd: its descriptor, open for reading and writing, until it is published.
        created: after the commit: False if the name was taken and `replace` was False.
    """

    __slots__ = ("_batch", "at", "created", "fd", "name", "rel", "replace")

    def __init__(self, batch: Batch, name: str, at: int, fd: int, rel: str) -> None:
        self._batch = batch
        self.name = name
        self.at = at  # the open directory in which `name` lies
        self.fd = fd
        self.rel = rel
        self.replace = True
        self.created: bool | None = None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append `data`. Raises DiskError when the disk is full or fails."""
        with self._batch.errors:
            system.current.write(self.fd, data)

    def pwrite(self, data: bytes | bytearray | memoryview, offset: int) -> None:
        """Write `data` at `offset`; may be called by several threads at once."""
        with self._batch.errors:
            system.current.pwrite(self.fd, data, offset)

    def publish_as(self, rel: str | None = None, *, replace: bool = True) -> None:
        """The next `commit` gives the file this name; nothing may be written any more.

        With `replace=False` a file that already has the name keeps it (see `created`).
        """
        self._named(rel, replace)
        self._close()
        self._batch._add(self)

    def _named(self, rel: str | None, replace: bool) -> None:
        if rel is not None:
            self.rel = check_rel(rel)
        if not self.rel:
            raise ValueError("a staged file needs a name to be published")
        self.replace = replace

    def publish_now(self, rel: str | None = None, *, replace: bool = True) -> bool:
        """Give the file its name at once: whole for readers, but with no barrier at all.

        A power cut may leave any bytes under the name. Returns `created`.
        """
        self._named(rel, replace)
        self._close()
        with self._batch.errors:
            self.created = self._batch._name_now(self)
        return self.created

    def stamp(self, atime_ns: int, mtime_ns: int) -> None:
        """Set the file's times, once all is written."""
        with self._batch.errors:
            system.current.utime(self.fd, atime_ns, mtime_ns)

    def discard(self) -> None:
        """Throw the file away. Does nothing once it is published."""
        if self.fd >= 0:
            self._close()
            self._batch._drop(self)

    def _close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def __enter__(self) -> StagedFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.fd < 0:
            return
        if error is None and self.rel:
            self.publish_as(self.rel, replace=self.replace)
        else:
            self.discard()


class Batch:
    """Writes many files below `root`, all durable after one `commit`.

    Thread-safe: many threads may stage and publish while one commits; what was published
    before `commit` is called is durable and visible when it returns. Open descriptors do not
    grow with the number of files. Leaving the `with` block without a commit discards.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, Batch(Path(folder)) as batch:
    ...     _ = batch.write("a/b.txt", b"hello")
    ...     batch.commit()
    ...     (Path(folder) / "a" / "b.txt").read_bytes()
    b'hello'

    Args:
        root: the directory, made if it is missing.
        durable: False leaves out every sync: atomic for readers, not for power cuts.
        mode: permission bits of new files, before the umask.
        temp: where, below `root`, files lie until they are published.
        using: makes a typed error of what the operating system raises.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        *,
        durable: bool = True,
        mode: int = 0o666,
        temp: str = MARK,
        using: Translate = translate,
    ) -> None:
        self.root = Path(root)
        self.durable = durable
        self.errors = os_errors(self.root, using=using)
        self._mode = mode
        self._temp_parent = temp
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.RLock()
        self._committing = threading.Lock()
        self._numbers = itertools.count()
        self._ready: list[StagedFile] = []
        self._removals: list[str] = []
        self._relied: list[str] = []
        self._root_fd = -1
        self._temp_fd = -1
        self._temp_name = ""
        self._whole = False
        self._unnamed: list[Path] = []  # the root, and those above, until their names are durable
        self._named: dict[str, int] = {}  # directories whose own name is durable: their inode

    # -- staging

    def stage(self, rel: str | None = None) -> StagedFile:
        """A new file to write, later to be named `rel`, or by `StagedFile.publish_as`."""
        if rel is not None:
            check_rel(rel)
        if self._temp_fd < 0 or self._pid != os.getpid():
            self._open()
        name = str(next(self._numbers))
        with self.errors:
            fd = system.current.create(name, self._temp_fd, self._mode)
        return StagedFile(self, name, self._temp_fd, fd, rel or "")

    def stage_link(self, make: str, src: str, rel: str, *, replace: bool = True) -> StagedFile:
        """Stage a hard link to (`make="link"`) or a symbolic link at (`"symlink"`) `src`.

        Raises plain `OSError` when the file system will not, so that a caller can fall back.
        """
        check_rel(rel)
        if self._temp_fd < 0 or self._pid != os.getpid():
            self._open()
        name = str(next(self._numbers))
        if make == "link":
            system.current.link(src, None, name, self._temp_fd)
        else:
            system.current.symlink(src, name, self._temp_fd)
        staged = StagedFile(self, name, self._temp_fd, -1, rel)
        staged.replace = replace
        self._add(staged)
        return staged

    def write(self, rel: str, data: bytes, *, replace: bool = True) -> StagedFile:
        """Stage a whole file; `commit` publishes it."""
        staged = self.stage(rel)
        try:
            staged.write(data)
        except BaseException:
            staged.discard()
            raise
        staged.publish_as(replace=replace)
        return staged

    def remove(self, rel: str) -> None:
        """The next `commit` removes this file, after all it publishes is durable."""
        check_rel(rel)
        with self._lock:
            self._removals.append(rel)

    def rely_on(self, rel: str) -> None:
        """The next `commit` also makes this file, which someone else wrote, durable.

        A writer that finds its bytes already there must not report them as safe before that:
        the other writer may not have come to its own barrier yet.
        """
        check_rel(rel)
        with self._lock:
            self._relied.append(rel)

    def _add(self, staged: StagedFile) -> None:
        with self._lock:
            self._ready.append(staged)

    def _drop(self, staged: StagedFile) -> None:
        with contextlib.suppress(OSError):
            system.current.unlink(staged.name, staged.at)

    def _open(self) -> None:
        if self._pid != os.getpid():
            # A forked child starts anew: locks, files and temporaries are the parent's.
            self._begin()
        with self._lock, self.errors:
            if self._temp_fd >= 0:
                return
            self._open_root()
            for attempt in range(_ATTEMPTS):
                try:
                    self._temp_fd = self._make_temp()
                    return
                except FileNotFoundError:
                    # Another writer that was done took the shared parent away just now.
                    if attempt == _ATTEMPTS - 1:
                        raise

    def _open_root(self) -> None:
        if self._root_fd < 0:
            made = make_dirs(self.root, durable=False)
            self._root_fd = os.open(self.root, DIRECTORY)
            self._whole = self.durable and system.current.syncs_whole(self._root_fd)
            self._unnamed = made or [self.root]

    def _make_temp(self) -> int:
        """A directory of this batch's own, in the one that all writers share."""
        with contextlib.suppress(FileExistsError):
            system.current.mkdir(self._temp_parent, self._root_fd)
        parent = open_at(self._root_fd, self._temp_parent, DIRECTORY)
        try:
            self._temp_name = temp_name()
            system.current.mkdir(self._temp_name, parent, 0o700)
            fd = os.open(self._temp_name, DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
            sweep(parent, "", now=os.fstat(fd).st_mtime)
            return fd
        finally:
            os.close(parent)

    # -- committing

    def commit(self) -> None:
        """Make all that was published durable and visible, then remove what is to go.

        When it fails, what is left stays pending, and another `commit` tries again. The batch
        can be used on for a next round.

        Raises:
            DiskError: the disk is full or fails.
            InputError: a directory on the way is not a plain directory, or not writable.
        """
        if self._pid != os.getpid():
            self._begin()  # what is pending is the parent's to commit
        with self._committing:
            with self._lock:
                ready, self._ready = self._ready, []
                removals, self._removals = self._removals, []
                relied, self._relied = self._relied, []
            if not ready and not removals and not relied:
                return
            try:
                with self.errors:
                    self._open_root()
                    self._publish(ready, relied)
                    self._remove(removals)
            except BaseException:
                with self._lock:
                    self._ready[:0] = [each for each in ready if each.created is None]
                    self._removals[:0] = removals
                    # Those that have their names already still wait for a barrier.
                    named = [each.rel for each in ready if each.created is not None]
                    self._relied[:0] = [*relied, *named]
                raise

    def _publish(self, ready: Sequence[StagedFile], relied: Sequence[str]) -> None:
        folders: dict[str, list[StagedFile]] = defaultdict(list)
        for staged in ready:
            folders[staged.rel.rpartition("/")[0]].append(staged)
        for folder in folders:
            self._make_folder(folder)
        if self._whole:
            # Also covers the directories just made, and whatever another process put here.
            system.current.syncfs(self._root_fd)
        elif self.durable:
            self._sync_each(ready, relied)
        for folder, files in folders.items():
            fd = self._open_folder(folder)
            try:
                for staged in files:
                    staged.created = self._name(staged, fd)
            finally:
                os.close(fd)
        if self.durable:
            self._sync_folders(folders)

    def _name_now(self, staged: StagedFile) -> bool:
        folder = staged.rel.rpartition("/")[0]
        try:
            fd = self._open_folder(folder)
        except FileNotFoundError:
            self._make_folder(folder)
            fd = self._open_folder(folder)
        try:
            return self._name(staged, fd)
        finally:
            os.close(fd)

    def _name(self, staged: StagedFile, folder_fd: int) -> bool:
        target = staged.rel.rpartition("/")[2]
        if staged.replace:
            system.current.rename(staged.name, staged.at, target, folder_fd)
            return True
        try:
            try:
                system.current.rename_new(staged.name, staged.at, target, folder_fd)
                return True
            except FileExistsError:
                raise
            except OSError as error:
                if error.errno not in native.MISSING:
                    raise
            system.current.link(staged.name, staged.at, target, folder_fd)
            created = True
        except FileExistsError:
            created = False
        system.current.unlink(staged.name, staged.at)
        return created

    def _sync_each(self, ready: Iterable[StagedFile], relied: Iterable[str]) -> None:
        for staged in ready:
            try:
                fd = os.open(staged.name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=staged.at)
            except OSError as error:
                if error.errno == errno.ELOOP:
                    continue  # a symbolic link has no bytes to sync
                raise
            try:
                system.current.fsync(fd)
            finally:
                os.close(fd)
        for rel in relied:
            fd = open_at(self._root_fd, rel, os.O_RDONLY | os.O_NONBLOCK)
            try:
                system.current.fsync(fd)
            finally:
                os.close(fd)
        self._sync_chains({rel.rpartition("/")[0] for rel in relied})

    def _sync_folders(self, folders: Collection[str]) -> None:
        if not self._whole:
            self._sync_chains(folders)
            # The root may be another writer's, made a moment ago.
            sync_names(self._unnamed)
            self._unnamed = []
        elif len(folders) > _FEW_DIRECTORIES:
            system.current.syncfs(self._root_fd)
        else:
            for folder in folders:
                self._sync_folder(folder)

    def _sync_chains(self, folders: Iterable[str]) -> None:
        """Directories, and those above whose names of them may not be durable yet.

        Any may have been made a moment ago, by whomever; what this batch once synced, and is
        still the same directory, need not be synced again.
        """
        chain, named = set(folders), {}
        for folder in list(chain):
            while folder and (inode := self._inode(folder)) != self._named.get(folder):
                named[folder] = inode
                folder = folder.rpartition("/")[0]
                chain.add(folder)
        for folder in sorted(chain):
            self._sync_folder(folder)
        self._named |= named

    def _inode(self, folder: str) -> int:
        fd = self._open_folder(folder)
        try:
            return os.fstat(fd).st_ino
        finally:
            os.close(fd)

    def _sync_folder(self, folder: str) -> None:
        fd = self._open_folder(folder)
        try:
            system.current.fsync(fd)
        finally:
            os.close(fd)

    def _remove(self, removals: Sequence[str]) -> None:
        touched = set()
        for rel in removals:
            folder, _, name = rel.rpartition("/")
            with contextlib.suppress(FileNotFoundError):
                fd = self._open_folder(folder)
                try:
                    system.current.unlink(name, fd)
                    touched.add(folder)
                finally:
                    os.close(fd)
        if self.durable:
            for folder in touched:
                self._sync_folder(folder)

    def _open_folder(self, folder: str) -> int:
        if not folder:
            return os.dup(self._root_fd)
        return open_at(self._root_fd, folder, DIRECTORY)

    def _make_folder(self, folder: str) -> None:
        try:
            os.close(self._open_folder(folder))
            return
        except FileNotFoundError:
            pass
        parent, _, name = folder.rpartition("/")
        self._make_folder(parent)
        fd = self._open_folder(parent)
        try:
            with contextlib.suppress(FileExistsError):
                system.current.mkdir(name, fd)
        finally:
            os.close(fd)

    # -- the end

    def close(self) -> None:
        """Throw away what was not committed. The batch may be used again afterwards."""
        if self._pid != os.getpid():
            return
        with self._committing, self._lock:
            self._ready.clear()
            self._removals.clear()
            self._relied.clear()
            if self._temp_fd >= 0:
                os.close(self._temp_fd)
                self._temp_fd = -1
                with contextlib.suppress(OSError, LakeError):
                    self._remove_temp()
            if self._root_fd >= 0:
                os.close(self._root_fd)
                self._root_fd = -1

    def _remove_temp(self) -> None:
        parent = open_at(self._root_fd, self._temp_parent, DIRECTORY)
        try:
            remove_entry(self._temp_name, parent)
        finally:
            os.close(parent)
        # Fails, as it should, while another writer has its own temporaries in there.
        system.current.rmdir(self._temp_parent, self._root_fd)

    def __enter__(self) -> Batch:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
