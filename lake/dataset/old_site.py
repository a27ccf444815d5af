"""Writing into a dataset directory that is there: only what differs, and nothing half."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from lake import fsio
from lake.dataset.carry import FILES
from lake.dataset.directory import DESCRIPTOR, DatasetDirectory
from lake.dataset.files_index import FORMATS, SAMPLES, SUFFIXES, FilesIndex
from lake.dataset.packed_index import SUFFIX, PackedIndex
from lake.dataset.sinks import PART_SAMPLES, FileSink, PartSink, Sink, file_text
from lake.dataset.sites import Site, make_sink
from lake.errors import ConflictError, InputError, LakeError, ManifestError, NotFound
from lake_schemas.descriptor import Descriptor, dump_descriptor, load_descriptor
from lake_schemas.limits import MAX_TEXT
from lake_schemas.sample import SampleManifest

PART_LIMIT = PART_SAMPLES * (MAX_TEXT + 1)
"""Bytes that a part can have at most."""


class OldSite(Site):
    """A directory that exists.

    Blobs are put beside those that are there, durable before a manifest names them. Manifests
    change all at the end: file by file where each sample has its own, else by giving a new
    directory of manifests the old one's name in one step. README, assets, `.git` and all else
    stay as they are.

    Args:
        dest: the directory.
        may_change: else any difference is refused, and nothing is written.
        reformat: bring manifests that are there into the descriptor's format.
    """

    def __init__(self, dest: Path, *, may_change: bool, reformat: bool) -> None:
        self.dest = self.root = Path(os.path.realpath(dest))
        self._may_change = may_change
        self._reformat = reformat
        self._old = self._open_old()
        # Which of the old samples were written again.
        self._seen = bytearray(0 if self._old is None else len(self._old.ids))
        self._new_samples: fsio.NewDirectory | None = None
        # Files of blobs that no manifest may name any more, and that lie in a remote as well.
        self._loose: set[str] = set()
        self.changed = False

    def _open_old(self) -> DatasetDirectory | None:
        if not fsio.is_dir(self.root):
            raise ConflictError(
                "something else than a directory lies here already",
                where=str(self.dest),
                hint="choose another output",
            )
        try:
            return DatasetDirectory(self.root)
        except NotFound:
            with fsio.os_errors(self.root), os.scandir(self.root) as entries:
                empty = not any(True for _ in entries)
            if empty or self._may_change:
                return None
            raise ConflictError(
                "this directory holds something else than a dataset",
                where=str(self.root),
                hint="choose another output",
            ) from None

    def begin(self, descriptor: Descriptor) -> None:
        self._sweep()
        self.blobs = fsio.Batch(self.root)
        self._text = fsio.Batch(self.root)
        old = self._old
        index = None if old is None else old.index
        if isinstance(index, FilesIndex) and self._patches(index, descriptor):
            self.sink = _PatchSink(self, index, self._text, descriptor.format)
            return
        samples = fsio.NewDirectory(self.root / SAMPLES, replace=True)
        samples.__enter__()
        self._new_samples = samples
        if descriptor.layout == "packed" and old is not None:
            self.sink = _ComparedParts(self, samples.batch)
            return
        if old is not None and len(old.ids):
            self.change()
        self.sink = make_sink(descriptor, samples.batch, "")

    def _sweep(self) -> None:
        """Remove what killed writers left, also when this one will have nothing to write."""
        with fsio.os_errors(self.root), os.scandir(self.root) as entries:
            if not any(fsio.RESERVED in entry.name for entry in entries):
                return
        with fsio.Batch(self.root) as batch:
            batch.stage().discard()
        samples = fsio.NewDirectory(self.root / SAMPLES, replace=True)
        samples.__enter__()
        _discard(samples)

    def _patches(self, index: FilesIndex, descriptor: Descriptor) -> bool:
        """Whether manifests are replaced one by one, rather than all at once."""
        if descriptor.layout != "files" or not len(index.ids):
            return False
        return not self._reformat or index.formats == {descriptor.format}

    def change(self) -> None:
        """Something will differ.

        Raises:
            ConflictError: nothing may.
        """
        self.changed = True
        if not self._may_change and self._old is not None:
            raise ConflictError(
                "the output holds something else already",
                where=str(self.dest),
                hint="overwrite it on purpose (--overwrite, overwrite=True), or choose another",
            )

    def before(self, id: str) -> SampleManifest | None:
        if self._old is None:
            return None
        try:
            at = self._old.ids.find(id)
            return None if at is None else self._old.index.manifest(at)
        except LakeError:
            # What cannot be read is written anew.
            return None

    def expect_new_file(self) -> None:
        # A file may have to be restored though no manifest changes.
        if not self._may_change:
            self.change()

    def shared_before(self) -> SampleManifest | None:
        return None if self._old is None else self._old.descriptor.shared

    def note(self, before: SampleManifest | None, after: SampleManifest) -> None:
        """A manifest will be replaced; files that only the old one names may go in the end."""
        if before is None:
            return
        stored = {ref.sha256 for ref in after.items.values() if ref.in_}
        named = {ref.file for ref in after.items.values()}
        for ref in before.items.values():
            if ref.file is None or ref.file in named or not ref.file.startswith(FILES):
                continue
            # The only copy of a blob is never removed.
            if ref.in_ or ref.sha256 in stored:
                self._loose.add(ref.file)

    def put(self, id: str, manifest: SampleManifest, before: SampleManifest | None) -> None:
        if before is None:
            self.change()
        self.note(before, manifest)
        self.sink.put(id, manifest, before)
        at = None if self._old is None else self._old.ids.find(id)
        if at is not None:
            self._seen[at] = 1

    def is_same(self, root: Path) -> bool:
        return root == self.root

    def settle(self) -> None:
        self.blobs.commit()

    def finish(self, descriptor: Descriptor, extra: dict[str, bytes]) -> None:
        if self.incomplete and self._old is not None:
            for at in self.unseen():
                self._keep(self._old.index, at)
            remotes = {**self._old.descriptor.remotes, **descriptor.remotes}
            descriptor = descriptor.model_copy(update={"remotes": remotes})
        self.sink.finish()
        for rel, data in extra.items():
            if self.read(rel) != data:
                self.change()
                self.blobs.write(rel, data)
        self.settle()
        self._bridge(descriptor)
        self._text.commit()
        self._publish_samples()
        if not self._says(descriptor):
            self.change()
            self._text.write(DESCRIPTOR, dump_descriptor(descriptor))
            self._text.commit()
        self._remove_loose()

    def unseen(self) -> Iterator[int]:
        """Positions of the old samples that were not written again."""
        return (at for at, seen in enumerate(self._seen) if not seen)

    def _keep(self, index: FilesIndex | PackedIndex, at: int) -> None:
        """Leave an old sample as it is, to the letter: it may be the one that cannot be read."""
        sink = self.sink
        if isinstance(sink, _PatchSink):
            pass
        elif isinstance(index, PackedIndex) and isinstance(sink, PartSink):
            sink.put_line(index.ids[at], index.read(at) + b"\n")
        elif isinstance(index, FilesIndex) and isinstance(sink, FileSink):
            sink.put_text(index.rel(at).removeprefix(f"{SAMPLES}/"), index.read(at))
        else:
            sink.put(index.ids[at], index.manifest(at), None)
        self._seen[at] = 1

    def _publish_samples(self) -> None:
        samples, self._new_samples = self._new_samples, None
        if samples is None:
            return
        if self.changed or self._old is None:
            self._keep_strangers(samples)
            samples.__exit__(None, None, None)
        else:
            _discard(samples)

    def _keep_strangers(self, samples: fsio.NewDirectory) -> None:
        """Take along what lies among the manifests and is none."""
        there = self.root / SAMPLES
        if not there.is_dir():
            return
        for entry in fsio.scan(there, hidden=True):
            hidden = entry.rel.startswith(".") or "/." in entry.rel
            if hidden or not entry.rel.endswith((*SUFFIXES, SUFFIX)):
                fsio.place(there / entry.rel, samples.batch, entry.rel, "hardlink")

    def _bridge(self, descriptor: Descriptor) -> None:
        """Let the descriptor first declare what old and new manifests need: a reader, or a
        power cut, in between finds either kind with all its remotes and shared items."""
        if self._old is None:
            return
        old = self._old.descriptor
        shared = descriptor.shared
        new_names = {*shared.items, *shared.values}
        both = descriptor.model_copy(
            update={
                "remotes": {**old.remotes, **descriptor.remotes},
                "shared": SampleManifest(
                    items={
                        **{n: r for n, r in old.shared.items.items() if n not in new_names},
                        **shared.items,
                    },
                    values={
                        **{n: v for n, v in old.shared.values.items() if n not in new_names},
                        **shared.values,
                    },
                ),
            }
        )
        if self.changed and both != descriptor and not self._says(both):
            self.change()
            fsio.write_file(self.root / DESCRIPTOR, dump_descriptor(both))

    def _says(self, descriptor: Descriptor) -> bool:
        """Whether the descriptor that is there says just this, in whatever spelling."""
        data = self.read(DESCRIPTOR)
        if data is None:
            return False
        try:
            return dump_descriptor(load_descriptor(data, DESCRIPTOR)) == dump_descriptor(descriptor)
        except ValueError:
            return False

    def read(self, rel: str, limit: int = MAX_TEXT) -> bytes | None:
        """A file of the directory as it is now, or None if there is none that can be read."""
        try:
            return fsio.read_beneath(self.root, rel, limit=limit)
        except LakeError:
            return None

    def part_names(self) -> list[str]:
        """Names of the parts that are there now."""
        index = None if self._old is None else self._old.index
        return index.parts if isinstance(index, PackedIndex) else []

    def _remove_loose(self) -> None:
        """Remove files of blobs that are in a remote by now, once no manifest names them."""
        if not self._loose:
            return
        fresh = DatasetDirectory(self.root)
        try:
            for manifest in (fresh.descriptor.shared, *_manifests(fresh)):
                named = (ref.file for ref in manifest.items.values() if ref.file)
                self._loose.difference_update(named)
        except (ManifestError, InputError):
            # Whatever cannot be read may name any of them.
            return
        for rel in sorted(self._loose):
            self.blobs.remove(rel)
        self.blobs.commit()

    def leave(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        samples, self._new_samples = self._new_samples, None
        if samples is not None:
            _discard(samples)
        self._text.close()
        self.blobs.close()


def _discard(new: fsio.NewDirectory) -> None:
    reason = ConflictError("not wanted after all")
    new.__exit__(type(reason), reason, None)


def _manifests(directory: DatasetDirectory) -> Iterator[SampleManifest]:
    return map(directory.index.manifest, range(len(directory.ids)))


class _PatchSink(Sink):
    """Manifests in files: those that say something new are replaced, each by itself, in the end."""

    def __init__(self, site: OldSite, old: FilesIndex, batch: fsio.Batch, format: str) -> None:
        self._site = site
        self._old = old
        self._batch = batch
        self._format = format

    def put(self, id: str, manifest: SampleManifest, before: SampleManifest | None) -> None:
        rel, format = f"{SAMPLES}/{id}.{self._format}", self._format
        at = self._old.ids.find(id)
        if at is not None:
            # Whatever its spelling: somebody's own layout and comments stay.
            if before == manifest:
                return
            rel = self._old.rel(at)
            format = FORMATS[SUFFIXES.index(rel[rel.rindex(".") :])]
        data = file_text(id, manifest, format)
        self._site.change()
        self._batch.write(rel, data)

    def finish(self) -> None:
        nothing = SampleManifest()
        for at in self._site.unseen():
            self._site.change()
            self._site.note(self._site.before(self._old.ids[at]), nothing)
            self._batch.remove(self._old.rel(at))


class _ComparedParts(PartSink):
    """Packed manifests, compared with those that are there."""

    def __init__(self, site: OldSite, batch: fsio.Batch) -> None:
        super().__init__(batch, "")
        self._site = site
        self._names: set[str] = set()

    def part(self, name: str, data: bytes) -> None:
        super().part(name, data)
        self._names.add(name)
        if not self._site.changed and self._site.read(f"{SAMPLES}/{name}", PART_LIMIT) != data:
            self._site.change()

    def finish(self) -> None:
        super().finish()
        if self._names != set(self._site.part_names()):
            self._site.change()
