"""Verified blobs, shared by all processes of one user without a lock."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
import weakref
from dataclasses import dataclass
from pathlib import Path

from lake import fsio
from lake.errors import IntegrityError
from lake.fsio.growing import GrowingFile
from lake.store.cache import eviction, partial, pins, quarantine
from lake.store.cache.bounds import DEFAULT_SIZE, Bounds
from lake.store.cache.eviction import Amount
from lake.store.cache.partial import PartialWriter
from lake.store.cache.reading import checked, used
from lake.store.cache.stamp import is_private, is_stamped, stamp_of
from lake.store.cache.writer import CacheWriter

_MODE = 0o444  # blobs never change
_TEMP = "tmp"
_LARGE = 1 << 20


@dataclass(frozen=True, slots=True)
class CacheInfo:
    """What a cache holds; sizes in bytes. `private`: only its user can change it."""

    path: Path
    max_size: int
    blobs: int
    size: int
    pinned: int
    quarantined: int
    private: bool


class Cache:
    """A folder of verified blobs.

    Only verified bytes enter, under a stamp that shows later changes (see `stamp.py`). They lie
    in `sha256/9f/9f86...`; other processes may add, use and evict at any moment, so a path
    that was handed out may be gone when it is opened (an open file stays good).

    A cache that others can write to is used, but no stamp in it is trusted.

    Methods that read never fail: what cannot be read is not in the cache. Methods that add raise
    DiskError or InputError when the folder cannot be written.

    Args:
        path: the folder, made with mode 0700 when something is first added.
        max_size: bytes; about so much is held, by removing what was used longest ago.
            None: `DEFAULT_SIZE`.
    """

    def __init__(self, path: str | os.PathLike[str], *, max_size: int | None = None) -> None:
        self.path = Path(path).absolute()
        self.max_size = DEFAULT_SIZE if max_size is None else max_size
        self._blobs = f"{self.path}/sha256/"
        self._pins = f"{self.path}/{pins.FOLDER}/"
        self._batch = fsio.Batch(self.path, durable=False, mode=_MODE, temp=_TEMP)
        self._bounds = Bounds(self.path, self.max_size)
        self._private: bool | None = None
        # Leaves no empty directory of temporaries behind when nobody calls `close`.
        self._end = weakref.finalize(self, self._batch.close)

    def __reduce__(self) -> tuple[object, ...]:
        return (_reopen, (str(self.path), self.max_size))

    def __repr__(self) -> str:
        return f"Cache({str(self.path)!r})"

    # -- reading

    def get_path(self, sha256: str, size: int) -> Path | None:
        """The file of a blob whose bytes are as they were when verified, or None.

        One stat where the stamp holds; else the file is hashed again, and what is not the
        blob goes into quarantine.
        """
        for path in (self._path(sha256), self._pins + sha256):
            try:
                found = os.lstat(path)
            except OSError:
                continue
            if is_stamped(found, sha256, size) and self._is_private():
                used(path, found)
                return Path(path)
            if checked(self.path, path, sha256, size, keep=False) is not None:
                return Path(path)
        return None

    def read(self, sha256: str, size: int) -> bytes | None:
        """The bytes of a blob, hashed again at each call, or None."""
        data = checked(self.path, self._path(sha256), sha256, size, keep=True)
        if data is None:
            data = checked(self.path, self._pins + sha256, sha256, size, keep=True)
        return data

    def _path(self, sha256: str) -> str:
        return f"{self._blobs}{sha256[:2]}/{sha256}"

    def _is_private(self) -> bool:
        if self._private is None:
            try:
                self._private = is_private(self.path.stat())
            except OSError:
                return False
        return self._private

    # -- adding

    def add_bytes(self, sha256: str, data: bytes) -> Path:
        """Let a blob in; returns its path.

        Raises:
            IntegrityError: `data` is not the blob; nothing enters.
        """
        if hashlib.sha256(data).hexdigest() != sha256:
            raise _wrong(sha256)
        staged = self._stage(len(data))
        try:
            staged.write(data)
            return self._enter(sha256, len(data), staged)
        finally:
            staged.discard()

    def add_file(self, sha256: str, size: int, source: str | os.PathLike[str]) -> Path:
        """Let a copy of a file in, hashing it on the way; returns its path.

        Raises:
            IntegrityError: the file is not the blob; nothing enters.
            InputError: it is missing, unreadable, or changes meanwhile.
        """
        staged = self._stage(size)
        try:
            if fsio.copy_hashed(source, staged) != (sha256, size):
                raise _wrong(sha256)
            return self._enter(sha256, size, staged)
        finally:
            staged.discard()

    def writer(self, sha256: str, size: int) -> CacheWriter:
        """Takes a blob's bytes as they come; nothing enters before its `commit`."""
        staged = self._stage(size)
        return CacheWriter(sha256, size, staged, lambda: self._enter(sha256, size, staged))

    def resume(self, sha256: str, size: int) -> PartialWriter | None:
        """Takes the rest of a large blob that an interrupted process began to fetch, or all of
        it; None while another process is doing so."""
        self._prepare()
        self._ensure_free(size)
        file = partial.open_partial(self.path, sha256, size)
        if file is None:
            return None
        return PartialWriter(sha256, size, file, lambda file: self._adopt(sha256, size, file))

    def _adopt(self, sha256: str, size: int, file: GrowingFile) -> Path:
        """Stamp and name a growing file whose bytes were verified."""
        found = self.get_path(sha256, size)
        if found is not None:
            fsio.remove_file(file.path)
            return found
        file.set_mode(_MODE)
        stamp = stamp_of(sha256, os.fstat(file.fd).st_ino)
        if stamp is not None:
            fsio.set_times(file.path, time.time_ns(), stamp)
        path = Path(self._path(sha256))
        fsio.make_dirs(path.parent, durable=False)
        fsio.move_file(file.path, path)
        self._bounds.added(sha256, size)
        return path

    def _prepare(self) -> None:
        if self._private is None:
            fsio.make_dirs(self.path, mode=0o700)
            self._is_private()

    def _stage(self, size: int) -> fsio.StagedFile:
        self._prepare()
        if size >= _LARGE:
            self._ensure_free(size)
        return self._batch.stage()

    def _ensure_free(self, size: int) -> None:
        """Give blobs up where the disk has no room for a large one."""
        with contextlib.suppress(OSError):
            disk = os.statvfs(self.path)
            free = disk.f_bavail * disk.f_frsize
            if free < size:
                self._bounds.evict(size - free)

    def _enter(self, sha256: str, size: int, staged: fsio.StagedFile) -> Path:
        """Stamp and name a file whose bytes were verified."""
        found = self.get_path(sha256, size)  # sets aside what is there and bad
        if found is not None:
            return found
        stamp = stamp_of(sha256, os.fstat(staged.fd).st_ino)
        if stamp is not None:
            staged.stamp(time.time_ns(), stamp)
        staged.publish_now(f"sha256/{sha256[:2]}/{sha256}")
        self._bounds.added(sha256, size)
        return Path(self._path(sha256))

    # -- keeping

    def prune(self, max_size: int | None = None, *, all: bool = False) -> Amount:
        """Remove what was used longest ago, and what is bad, but no pinned blob.

        Args:
            max_size: bytes that may be left; the cache's own limit by default.
            all: leave nothing but pinned blobs.
        """
        if all:
            partial.clear(self.path)
            return self._bounds.clear()
        return self._bounds.shrink(self.max_size if max_size is None else max_size)

    def pin(self, *digests: str) -> frozenset[str]:
        """Keep blobs that no remote holds: durable at return, and never evicted.

        Returns those of them that are pinned now; the cache does not hold the others.
        """
        self._prepare()
        with fsio.Batch(self.path, mode=_MODE, temp=_TEMP) as batch:
            found = pins.pin(batch, self._path, digests)
        return found | (self.pinned() & frozenset(digests))

    def unpin(self, *digests: str) -> None:
        """Let go of blobs that a remote holds by now; they may be evicted again."""
        pins.unpin(self.path, digests)

    def pinned(self) -> frozenset[str]:
        """The digests of all pinned blobs."""
        return pins.pinned(self.path)

    def quarantine(self, sha256: str) -> bool:
        """Set a blob aside that turned out to be bad; True if there was one."""
        places = (self._path(sha256), self._pins + sha256)
        return sum(quarantine.set_aside(self.path, path) for path in places) > 0

    def info(self) -> CacheInfo:
        """What the cache holds now; looks at every file."""
        good, bad = eviction.total(self.path), quarantine.total(self.path)
        return CacheInfo(
            path=self.path,
            max_size=self.max_size,
            blobs=good.blobs,
            size=good.size + bad.size,
            pinned=len(self.pinned()),
            quarantined=bad.blobs,
            private=self._is_private(),
        )

    def close(self) -> None:
        """Throw away what was begun and not let in. The cache may be used again."""
        self._batch.close()


def _wrong(sha256: str) -> IntegrityError:
    return IntegrityError("the bytes are not those that the digest names", where=f"sha256:{sha256}")


def _reopen(path: str, max_size: int) -> Cache:
    return Cache(path, max_size=max_size)
