"""Bringing a sample's blobs to where it is written: by pointer, by link, or byte for byte."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lake import fsio
from lake.dataset.item import Item, StoredItem
from lake.dataset.pending import PendingFile, PendingItem
from lake.errors import ConflictError, InputError, IntegrityError, LakeError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from lake.dataset.access import Access
    from lake.dataset.aliases import Aliases
    from lake.dataset.sites import Site
    from lake_schemas.blob import BlobRef
    from lake_schemas.sample import SampleManifest

Identity = tuple[str, int]
"""sha256 and size."""

MODES = ("auto", "manifests", "copy", "reflink", "hardlink", "symlink")
FILES = "files/"
"""Where in a dataset directory blobs lie that lake put there."""

_KEPT_NAMES = 4096


@dataclass(slots=True)
class Wanted:
    """A blob to fetch: the ref that its manifest is to have, where its file goes, and, for
    people, of which sample it is."""

    ref: BlobRef
    source: BlobRef
    access: Access
    rel: str
    where: str


class Carrier:
    """Brings blobs into one dataset directory that is being written.

    Args:
        site: the directory.
        aliases: its remotes.
        mode, modes: how blobs get there, for all items and for some by name.
        jobs: blobs fetched at once, or None for what suits the remotes.
    """

    def __init__(
        self,
        site: Site,
        aliases: Aliases,
        mode: str,
        modes: Mapping[str, str],
        jobs: int | None,
    ) -> None:
        for each in (mode, *modes.values()):
            if each not in MODES:
                raise UsageError("no such mode", where=each, hint=f"one of {', '.join(MODES)}")
        self._site = site
        self._aliases = aliases
        self._mode = mode
        self._modes = dict(modes)
        self._jobs = jobs
        # Which file names were given to which blob; older ones are looked up on disk.
        self._names: dict[str, str] = {}
        self.linked = False
        """Whether symbolic links were made."""
        # Whether the file system can share blocks; not known before the first file.
        self._reflinks: bool | None = None

    def bring(
        self, id: str, name: str, item: Item, before: SampleManifest | None
    ) -> BlobRef | Wanted:
        """The ref of one blob item for its new manifest, or what must be fetched for it.

        Args:
            id: of the sample.
            name: of the item.
            before: what the directory has under that id now.
        """
        mode = self._modes.get(name, self._mode)
        old = None if before is None else before.items.get(name)
        if isinstance(item, StoredItem):
            return self._stored(id, name, item, mode, old)
        if isinstance(item, PendingItem):
            return self._pending(id, name, item, mode, old)
        raise UsageError(
            f"an item of an unknown kind: {type(item).__name__}", where=f"{id}: {name}"
        )

    # Blobs that lie somewhere already.

    def _stored(
        self, id: str, name: str, item: StoredItem, mode: str, old: BlobRef | None
    ) -> BlobRef | Wanted:
        ref, place = item.ref, item.place
        here = self._aliases.rewritten(ref, place)
        if mode == "manifests" and ref.in_:
            return here.with_file(None)
        in_place = place.root is not None and self._site.is_same(place.root)
        # In place, a ref without a file had it taken out: its blob is in a remote now.
        if in_place and (ref.file is not None or (mode == "auto" and ref.in_)):
            return here
        if old is not None and self._has(old, ref):
            return here.with_file(old.file)
        if ref.file is None and mode in ("auto", "manifests") and ref.in_:
            return here
        target = self._rel(id, name, ref)
        if ref.file is not None and place.root is not None:
            carried = self._carry(place.root, ref, target, _file_mode(mode))
            if carried is not None:
                return here.with_file(carried)
            if mode in ("auto", "manifests") and ref.in_:
                return here.with_file(None)
        rel, there = self._claim(target, ref.sha256)
        if there:
            return here.with_file(rel)
        return Wanted(here.with_file(rel), ref, item.access, rel, f"{id}: {name}")

    def _has(self, old: BlobRef, ref: BlobRef) -> bool:
        """Whether the directory holds the blob already, under the name that `old` gives."""
        if old.file is None or (old.sha256, old.size) != (ref.sha256, ref.size):
            return False
        return self._site.size(old.file) == ref.size

    def _rel(self, id: str, name: str, ref: BlobRef) -> str:
        if ref.file is not None and ref.file.startswith(FILES):
            return ref.file
        return file_name(id, name, ref)

    def _carry(self, root: Path, ref: BlobRef, target: str, mode: str) -> str | None:
        """The name that the source's own file has here now; None where that file is missing or
        not what it should be, and another source has to serve."""
        try:
            os.close(fsio.open_beneath(root, str(ref.file)))
            rel, there = self._claim(target, ref.sha256)
            if not there:
                self._put(root / str(ref.file), rel, mode, (ref.sha256, ref.size))
        except (InputError, IntegrityError):
            return None
        return self._named(rel, ref.sha256)

    def _put(self, source: Path, rel: str, mode: str, expect: Identity | None) -> Identity:
        """Stage a file under a name; its bytes are hashed unless they are shared or linked.

        Raises:
            InputError: the file is missing, unreadable, or changed meanwhile.
            IntegrityError: it is not what was expected.
        """
        shares = mode in ("auto", "reflink") and self._reflinks is not False
        if mode in ("hardlink", "symlink") or shares:
            # What is linked or shared is not read, unless nobody knows what it is, or it is the
            # first that shows whether the file system can share.
            found = None if shares and self._reflinks is None else expect
            found = found or fsio.hash_file(source)
            if found[1] != source.stat().st_size:
                raise InputError("the file changed while it was read", where=str(source))
            _compare(found, expect, source)
            used = fsio.place(source, self._site.blobs, rel, mode, replace=False)
            if shares:
                self._reflinks = used == "reflink"
            self.linked = self.linked or used == "symlink"
            return found
        with self._site.blobs.stage(rel) as staged:
            staged.replace = False
            found = fsio.copy_hashed(source, staged)
            _compare(found, expect, source)
        return found

    # New blobs.

    def _pending(
        self, id: str, name: str, item: PendingItem, mode: str, old: BlobRef | None
    ) -> BlobRef:
        rel = file_name(id, name, item)
        if old is not None or rel in self._names or self._site.size(rel) is not None:
            # What lies there may be this very blob: that must be known before anything is copied.
            ref = item.ref
            if old is not None and self._has(old, ref):
                return ref.with_file(old.file)
            rel, there = self._claim(rel, ref.sha256)
            if there:
                return ref.with_file(rel)
        else:
            self._site.expect_new_file()
        if isinstance(item, PendingFile):
            expect = (item.ref.sha256, item.ref.size) if item.is_hashed else None
            ref = item.describe(*self._put(item.path(), rel, _file_mode(mode), expect))
        else:
            ref = item.ref
            self._site.blobs.write(rel, item.bytes(), replace=False)
        return ref.with_file(self._named(rel, ref.sha256))

    # Names.

    def _claim(self, rel: str, sha256: str) -> tuple[str, bool]:
        """A free name for a blob, or the one under which it lies there already."""
        stem, dot, ext = rel.rpartition(".")
        for candidate in (rel, f"{stem}-{sha256[:8]}{dot}{ext}", f"{stem}-{sha256}{dot}{ext}"):
            known = self._names.get(candidate)
            if known is None and self._site.size(candidate) is not None:
                known = self._site.digest(candidate)
            if known is None:
                self._site.expect_new_file()
                return candidate, False
            if known == sha256:
                return self._named(candidate, sha256), True
        raise ConflictError("another file is in the way", where=f"{self._site.root / rel}")

    def _named(self, rel: str, sha256: str) -> str:
        self._names[rel] = sha256
        return rel

    def settled(self) -> None:
        """All that was staged is visible in the directory; its names need not be remembered."""
        if len(self._names) > _KEPT_NAMES:
            self._names = dict(list(self._names.items())[-_KEPT_NAMES:])

    # Blobs from elsewhere.

    def fetch(self, wanted: Sequence[Wanted], fail: Callable[[LakeError], None]) -> list[BlobRef]:
        """Fetch blobs into the files that their new refs name.

        One that no source serves is told to `fail`; unless that raises, the blob stays a
        pointer.
        """
        failed: set[int] = set()
        for access in {id(each.access): each.access for each in wanted}.values():
            group = [each for each in wanted if each.access is access]
            errors = access.fetcher.copy_into(
                [(each.source, access.place, each.rel) for each in group],
                self._site.blobs,
                keep_going=True,
                jobs=self._jobs,
            )
            for each, error in zip(group, errors, strict=True):
                if error is None:
                    self._named(each.rel, each.ref.sha256)
                else:
                    failed.add(id(each))
                    error.where = f"{each.where}: {error.where}"
                    fail(error)
        return [each.ref.with_file(None) if id(each) in failed else each.ref for each in wanted]


def file_name(id: str, name: str, blob: BlobRef | Item) -> str:
    """Where a blob's file lies in a dataset directory, unless something is in the way."""
    return f"{FILES}{id}.{name}.{blob.ext or _extension(blob.type)}"


def _extension(type: str) -> str:
    from lake.dataset.codecs import extension_of

    return extension_of(type) or "bin"


def _file_mode(mode: str) -> str:
    return "auto" if mode == "manifests" else mode


def _compare(found: Identity, expect: Identity | None, source: Path) -> None:
    if expect is not None and found != expect:
        raise IntegrityError("the file is not what its manifest says", where=str(source))
