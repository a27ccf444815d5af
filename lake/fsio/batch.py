"""Many files made durable by one barrier.

Files are written under temporary names; `commit` makes all their bytes durable at once, gives
them their names, and makes the names durable. A power cut at any point leaves each name either
absent (or as it was) or with all of its bytes.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from lake.errors import LakeError
from lake.fsio import native, system
from lake.fsio.barrier import Barrier
from lake.fsio.beneath import check_rel, open_at
from lake.fsio.folders import Folders
from lake.fsio.oserrors import Translate, os_errors, translate
from lake.fsio.owner import MARK, sweep, temp_name
from lake.fsio.staged import StagedFile
from lake.fsio.tree import DIRECTORY, make_dirs, remove_entry

_ATTEMPTS = 10


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
        self._folders = Folders(-1)
        self._temp_fd = -1
        self._temp_name = ""
        self._barrier: Barrier | None = None

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
        if self._folders.root_fd < 0:
            made = make_dirs(self.root, durable=False, using=self.errors.using)
            self._folders = Folders(os.open(self.root, DIRECTORY))
            if self.durable:
                self._barrier = Barrier(self._folders, made or [self.root])

    def _make_temp(self) -> int:
        """A directory of this batch's own, in the one that all writers share."""
        with contextlib.suppress(FileExistsError):
            system.current.mkdir(self._temp_parent, self._folders.root_fd)
        parent = open_at(self._folders.root_fd, self._temp_parent, DIRECTORY)
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
            DiskError: the disk is full or fails. Once a sync has failed every commit does, until
                `close`: the system may have dropped the bytes, and would not say so again.
            InputError: a directory on the way is not a plain directory, or not writable.
        """
        if self._pid != os.getpid():
            self._begin()  # what is pending is the parent's to commit
        with self._committing:
            if self._barrier is not None and self._barrier.failed is not None:
                with self.errors:
                    raise self._barrier.failed
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
        by_folder: dict[str, list[StagedFile]] = defaultdict(list)
        for staged in ready:
            by_folder[staged.rel.rpartition("/")[0]].append(staged)
        for folder in by_folder:
            self._folders.make(folder)
        if self._barrier is not None and (ready or relied):
            self._barrier.before(((staged.name, staged.at) for staged in ready), relied)
        for folder, files in by_folder.items():
            with self._folders.opened(folder) as fd:
                for staged in files:
                    staged.created = _name(staged, fd)
        if self._barrier is not None and (ready or relied):
            self._barrier.after(by_folder)

    def _name_now(self, staged: StagedFile) -> bool:
        folder = staged.rel.rpartition("/")[0]
        try:
            fd = self._folders.open(folder)
        except FileNotFoundError:
            self._folders.make(folder)
            fd = self._folders.open(folder)
        try:
            return _name(staged, fd)
        finally:
            os.close(fd)

    def _remove(self, removals: Sequence[str]) -> None:
        touched = set()
        for rel in removals:
            folder, _, name = rel.rpartition("/")
            with contextlib.suppress(FileNotFoundError), self._folders.opened(folder) as fd:
                system.current.unlink(name, fd)
                touched.add(folder)
        if self._barrier is not None:
            self._barrier.removed(touched)

    # -- the end

    def close(self) -> None:
        """Throw away what was not committed. The batch may be used again afterwards."""
        if self._pid != os.getpid():
            return
        with self._committing, self._lock:
            self._barrier = None
            self._ready.clear()
            self._removals.clear()
            self._relied.clear()
            if self._temp_fd >= 0:
                os.close(self._temp_fd)
                self._temp_fd = -1
                with contextlib.suppress(OSError, LakeError):
                    self._remove_temp()
            if self._folders.root_fd >= 0:
                os.close(self._folders.root_fd)
                self._folders = Folders(-1)

    def _remove_temp(self) -> None:
        parent = open_at(self._folders.root_fd, self._temp_parent, DIRECTORY)
        try:
            remove_entry(self._temp_name, parent)
        finally:
            os.close(parent)
        # Fails, as it should, while another writer has its own temporaries in there.
        system.current.rmdir(self._temp_parent, self._folders.root_fd)

    def __enter__(self) -> Batch:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _name(staged: StagedFile, folder_fd: int) -> bool:
    """Give a staged file its name in an open directory; False if the name stays another's."""
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
