"""From drafts to samples: new ones, and those that a dataset has already and that changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from lake.dataset import Dataset, DatasetWriter, Item, Sample
from lake.dataset.access import Access
from lake.errors import InputError, LakeError
from lake.importers.found import Draft, Found
from lake.importers.inline import inline
from lake.importers.intake import Either, Files, InPlace, Intake, Uploads
from lake.importers.options import InitOptions
from lake.importers.reading import Reader
from lake.stage import RunContext
from lake.transfer import Place, Pusher
from lake_schemas.blob import BlobRef
from lake_schemas.errors import FormatError
from lake_schemas.sample import SampleManifest

if TYPE_CHECKING:
    from lake.config import Remote

BATCH = 500
"""Samples that are hashed and uploaded together."""


class Maker:
    """Makes samples of what a reader finds.

    Attributes:
        seen: ids of the samples made so far.
    """

    def __init__(
        self, reader: Reader, old: Dataset | None, options: InitOptions, context: RunContext
    ) -> None:
        self._reader = reader
        self._old = old
        self._options = options
        self._context = context
        self._remotes = self._resolve()
        self._pusher = self._new_pusher(self._remotes) if self._remotes else None
        self._intake = self._new_intake()
        self.seen: set[str] = set()

    def _resolve(self) -> list[Remote]:
        config, out = self._reader.hub.config, self._reader.out
        declared = {} if self._old is None else dict(self._old.descriptor.remotes)
        found: dict[str, Remote] = {}
        for name in self._options.remotes:
            remote = config.remote(name, declared=declared, base=out, typed=True)
            found.setdefault(remote.alias, remote)
            declared.setdefault(remote.alias, remote.url_from(out))
        return list(found.values())

    def _new_pusher(self, remotes: Sequence[Remote]) -> Pusher:
        context = self._context
        return Pusher(
            self._reader.hub,
            remotes,
            jobs=context.jobs,
            progress=context.progress,
            keep_going=context.keep_going,
            recheck=context.recheck,
        )

    def _new_intake(self) -> Intake:
        objects = self._reader.objects
        listed = InPlace(objects, objects.place)
        if self._reader.root is None:
            return listed
        if self._pusher is None:
            ledger = None if self._old is None else self._reader.hub.ledger
            return Either(Files(ledger), listed)
        return Either(Uploads(self._pusher, self._place(self._reader.out)), listed)

    def _place(self, root: Path) -> Place:
        """Where the aliases of the remotes are meant, seen from a directory."""
        return Place(root, {remote.alias: remote.url_from(root) for remote in self._remotes})

    @property
    def declared(self) -> dict[str, str]:
        """Remotes that the descriptor must name, as far as they are known beforehand."""
        return {**self._place(self._reader.out).remotes, **self._reader.objects.declared}

    # Samples.

    def samples(self) -> Iterator[Sample]:
        """The samples, new or renewed; blobs of theirs that were uploaded are durable there."""
        found = self._reader.samples()
        while batch := list(islice(found, BATCH)):
            yield from self._made(batch)

    def _made(self, batch: list[Draft]) -> Iterator[Sample]:
        ready = [draft for draft in batch if self._inlined(draft)]
        parts = [part for draft in ready for part in draft.parts.values()]
        taken = iter(self._intake.take(parts))
        for draft in ready:
            items: dict[str, Item] = {}
            for name in draft.parts:
                item = next(taken)
                if isinstance(item, LakeError):
                    self._context.fail(item)
                else:
                    items[name] = item
            # A sample with a part missing would look whole: it is left out, and named.
            if len(items) == len(draft.parts):
                self.seen.add(draft.id)
                yield self._sample(draft, items)
        if self._pusher is None and self._reader.root is not None:
            size = sum(max(0, part.size) for part in parts)
            self._context.progress.advance(items=len(parts), size=size)

    def _inlined(self, draft: Draft) -> bool:
        try:
            inline(draft, self._options.inline)
        except LakeError as error:
            self._context.fail(error)
            return False
        return True

    def _sample(self, draft: Draft, items: dict[str, Item]) -> Sample:
        counts = self._context.counts
        made = Sample(draft.id, {**items, **draft.values})
        if self._old is None or draft.id not in self._old:
            counts["added"] += 1
            return made
        old = self._old.sample(draft.id)
        fresh = {name: made[name] for name in made if not _same(old, name, made[name])}
        counts["changed" if fresh else "unchanged"] += 1
        return old.merge(fresh) if fresh else old

    def kept(self) -> Iterator[Sample]:
        """Samples of the old dataset that nothing was found for any more."""
        if self._old is None:
            return
        for id_ in self._old.ids:
            if id_ not in self.seen:
                self._context.counts["kept"] += 1
                yield self._old.sample(id_)

    # What all samples share.

    def share(self, writer: DatasetWriter) -> None:
        """Hand the shared items to the writer."""
        draft = self._reader.shared()
        if not draft.parts or not self._inlined(draft):
            return
        items: dict[str, BlobRef] = {}
        for name, part in draft.parts.items():
            ref = self._shared_ref(part)
            if ref is not None:
                items[name] = ref
        root = self._reader.root or self._reader.out
        remotes = {**self._place(root).remotes, **self._reader.objects.declared_from(root)}
        manifest = SampleManifest(items=items, values=draft.values)
        writer.share(manifest, Access(Place(root, remotes), self._reader.hub))

    def _shared_ref(self, part: Found) -> BlobRef | None:
        try:
            [item] = self._intake.take([part])
            if isinstance(item, LakeError):
                raise item
            ref = item.ref
        except LakeError as error:
            self._context.fail(error)
            return None
        # A file of the directory that is read: the writer takes it from there.
        try:
            return ref if ref.placed else ref.with_file(part.rel)
        except FormatError as error:
            self._context.fail(InputError(error.what, where=part.where, hint=error.hint))
            return None

    def count_uploads(self) -> None:
        """Put into the counts what was uploaded."""
        if self._pusher is not None:
            report = self._pusher.report
            self._context.counts["uploaded"] = report.uploaded
            self._context.counts["known"] = report.known
            self._context.counts["bytes"] = report.size


def _same(old: Sample, name: str, item: Item) -> bool:
    if name not in old:
        return False
    known = old[name]
    if known.is_blob and item.is_blob:
        return (known.ref.sha256, known.ref.size) == (item.ref.sha256, item.ref.size)
    return known == item
