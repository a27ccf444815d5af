"""Writing a dataset directory, sample by sample, in bounded memory."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from lake.dataset.aliases import Aliases
from lake.dataset.carry import Carrier, Wanted
from lake.dataset.own import own_items
from lake.dataset.sample import Sample
from lake.dataset.typed import built
from lake.errors import DiskError, LakeError, PartialFailure, UsageError
from lake.progress import Progress, Silent
from lake.transfer import default_hub
from lake.transfer.links import remember_links
from lake_schemas.descriptor import Descriptor
from lake_schemas.sample import SampleManifest

if TYPE_CHECKING:
    from lake.dataset.access import Access
    from lake.dataset.sites import Site
    from lake.transfer import Hub
    from lake_schemas.blob import BlobRef

ROUND = 1000
"""Samples whose blobs are made durable together."""
_MOST_FAILURES = 1000


class DatasetWriter:
    """Writes samples into a dataset directory, in any order, as they come.

        with DatasetWriter("flowers", Descriptor(name="flowers")) as writer:
            for n, path in enumerate(pictures):
                writer.add(Sample(f"{n:06d}", {"image": path}))

    A new directory appears whole when the block ends well; when it fails, or the process is
    killed, there is nothing. In a directory that is there, what differs changes at the end.

    Args:
        dest: the directory.
        descriptor: of the dataset; its relative remotes start at `dest`. Remotes that samples
            need beyond it are added.
        mode: how blobs get there, as in `Dataset.write`.
        modes: other modes for some items, by name.
        overwrite: replace the samples of a dataset that is there.
        reformat: with `overwrite`, also bring manifests that stay into the descriptor's format.
        keep_going: leave out samples that cannot be written, and keep pointers to blobs that no
            source serves; `PartialFailure` is raised at the end.
        jobs: blobs fetched at once; by default what suits the remotes.
        progress: who watches.
        hub: what remembers, on this machine, that links in the directory are the user's own.

    Raises:
        ConflictError: something else is there already.
        UsageError: an id is there twice, or differs from another by case alone.
    """

    def __init__(
        self,
        dest: str | Path,
        descriptor: Descriptor,
        *,
        mode: str = "auto",
        modes: Mapping[str, str] | None = None,
        overwrite: bool = False,
        reformat: bool = False,
        keep_going: bool = False,
        jobs: int | None = None,
        progress: Progress | None = None,
        hub: Hub | None = None,
    ) -> None:
        self.dest = Path(dest)
        self._descriptor = descriptor
        self._overwrite = overwrite
        self._reformat = reformat
        self._keep_going = keep_going
        self._progress = progress or Silent()
        self._hub = hub
        self._aliases = Aliases(Path(os.path.realpath(self.dest)), descriptor.remotes)
        self._carrying = (mode, dict(modes or {}), jobs)
        self._seen = _Seen()
        self._round: list[Sample] = []
        self._extra: dict[str, bytes] = {}
        self.count = 0
        """Samples written so far."""
        self.failures: list[LakeError] = []
        """What failed and was passed over; at most 1,000."""
        self.lost: list[str] = []
        """Ids of samples that were added and could not be written; at most 1,000."""

    def __enter__(self) -> DatasetWriter:
        self._site = self._open_site()
        self._carrier = Carrier(self._site, self._aliases, *self._carrying)
        self._site.begin(self._descriptor)
        return self

    def _open_site(self) -> Site:
        from lake.dataset.old_site import OldSite
        from lake.dataset.sites import NewSite

        if os.path.lexists(self.dest):
            return OldSite(self.dest, may_change=self._overwrite, reformat=self._reformat)
        return NewSite(self.dest)

    def add(self, sample: Sample) -> None:
        """Take the next sample."""
        self._round.append(sample)
        if len(self._round) >= ROUND:
            self._flush()

    def add_all(self, samples: Iterable[Sample]) -> None:
        """Take many."""
        for sample in samples:
            self.add(sample)

    def share(self, shared: SampleManifest, access: Access) -> None:
        """What all samples have, with its blobs as they are meant in another directory."""
        drafts: dict[str, BlobRef | Wanted] = {}
        from lake.dataset.item import StoredItem

        for name, ref in shared.items.items():
            item = StoredItem(ref, access)
            drafts[name] = self._carrier.bring("shared", name, item, self._site.shared_before())
        [(_, items)] = self._fetched([("shared", drafts)])
        self._descriptor = self._descriptor.model_copy(
            update={"shared": SampleManifest(items=items, values=shared.values)}
        )

    def put_file(self, rel: str, data: bytes) -> None:
        """Also write a small file, such as the schema that the descriptor names."""
        self._extra[rel] = data

    def fail(self, error: LakeError) -> None:
        """Note a failure, or raise it where the first one ends it all: on a full disk, say,
        nothing else will go through either."""
        if not self._keep_going or isinstance(error, DiskError):
            raise error
        if len(self.failures) < _MOST_FAILURES:
            self.failures.append(error)

    def lose(self, error: LakeError | None, id: str | None = None) -> None:
        """Note that a sample cannot be read or written, or raise; what the directory has of it
        stays. Without an error, that was told already."""
        if error is not None:
            self.fail(error)
        self._site.incomplete = True
        if id is not None and len(self.lost) < _MOST_FAILURES:
            self.lost.append(id)

    # A round: blobs first, then manifests.

    def _flush(self) -> None:
        samples, self._round = self._round, []
        drafts = []
        for sample in samples:
            try:
                drafts.append(self._draft(sample))
            except LakeError as error:
                self.lose(error, sample.id)
        done = self._fetched([(draft.id, draft.blobs) for draft in drafts])
        self._site.settle()
        self._carrier.settled()
        for draft, (_, items) in zip(drafts, done, strict=True):
            if draft.lacks(items):
                self.lose(None, draft.id)
                continue
            try:
                self._site.put(draft.id, draft.manifest(items), draft.before)
                self.count += 1
            except LakeError as error:
                self.lose(error, draft.id)
        self._progress.advance(items=len(samples))

    def _draft(self, sample: Sample) -> _Draft:
        shared = self._descriptor.shared
        for name in sample.dropped:
            if name not in sample and (name in shared.items or name in shared.values):
                raise UsageError(
                    f"the sample dropped {name!r}, which all samples share",
                    where=sample.id,
                    hint=f"drop it from the whole dataset: ds.drop({name!r})",
                )
        self._seen.add(sample.id)
        before = self._site.before(sample.id)
        draft = _Draft(sample.id, before)
        for name, item in own_items(sample, shared).items():
            if item.is_blob:
                draft.blobs[name] = self._carrier.bring(sample.id, name, item, before)
            else:
                draft.values[name] = item.value
        return draft

    def _fetched(
        self, drafts: list[tuple[str, dict[str, BlobRef | Wanted]]]
    ) -> list[tuple[str, dict[str, BlobRef]]]:
        """The refs of all blobs, those that had to be fetched among them."""
        wanted = [b for _, blobs in drafts for b in blobs.values() if isinstance(b, Wanted)]
        fetched = iter(self._carrier.fetch(wanted, self.fail) if wanted else ())
        return [
            (
                id,
                {n: next(fetched) if isinstance(b, Wanted) else b for n, b in blobs.items()},
            )
            for id, blobs in drafts
        ]

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._flush()
                descriptor = self._descriptor.model_copy(update={"remotes": self._aliases.remotes})
                self._site.finish(descriptor, self._extra)
        except BaseException as failed:
            self._site.leave(type(failed), failed, failed.__traceback__)
            raise
        self._site.leave(kind, error, trace)
        if error is None and self._carrier.linked:
            remember_links(self._hub or default_hub(), self.dest)
        if error is None and self.failures:
            raise PartialFailure(
                f"{self.count} samples are written; {len(self.failures)} failures",
                failures=self.failures,
                where=str(self.dest),
            )


class _Draft:
    """A sample on its way into the directory."""

    __slots__ = ("before", "blobs", "id", "values")

    def __init__(self, id: str, before: SampleManifest | None) -> None:
        self.id = id
        self.before = before
        self.blobs: dict[str, BlobRef | Wanted] = {}
        self.values: dict[str, Any] = {}

    def lacks(self, items: dict[str, BlobRef]) -> bool:
        """Whether a blob that could not be fetched is nowhere else, so that no pointer to it
        would make sense; that it failed was told already."""
        return any(
            isinstance(blob, Wanted) and not items[name].placed for name, blob in self.blobs.items()
        )

    def manifest(self, items: dict[str, BlobRef]) -> SampleManifest:
        """What is written, with the refs that all blobs have now."""
        return built(lambda: SampleManifest(items=items, values=self.values), self.id)


class _Seen:
    """The ids that were written: each one once, and none but for its case the same."""

    def __init__(self) -> None:
        self._ids: set[str] = set()
        self._directories: dict[str, str] = {}

    def add(self, id: str) -> None:
        """Raises UsageError for an id that is there already."""
        folded = id.lower()
        if folded in self._ids:
            raise UsageError(
                "two samples have this id, or one that differs by case alone",
                where=id,
                hint='give them others: ds.with_ids("{:06d}")',
            )
        self._ids.add(folded)
        directory = id.rpartition("/")[0]
        while directory and self._directories.get(directory.lower()) != directory:
            self._check(directory, id)
            directory = directory.rpartition("/")[0]

    def _check(self, directory: str, id: str) -> None:
        known = self._directories.setdefault(directory.lower(), directory)
        if known != directory:
            raise UsageError(
                f"ids in {known!r} and {directory!r} would meet on many file systems",
                where=id,
                hint="rename one of the two",
            )
