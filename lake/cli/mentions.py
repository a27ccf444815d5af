"""The blobs that a dataset's manifests mention, for the verbs that move and check blobs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lake.dataset import DatasetDirectory
from lake.errors import LakeError, NotFound
from lake.fsio import exists, is_dir
from lake.transfer import Hub, Mention, default_hub

if TYPE_CHECKING:
    from lake.progress import Progress
    from lake_schemas.sample import SampleManifest


@dataclass(slots=True)
class Blobs:
    """The blob items of a dataset, or of a part of it; iterate as often as need be.

    Args:
        directory: the dataset's.
        below: an id, or the leading directories of ids; empty for all.
        keys: items to take; None for all.
        fail: what to do about a manifest that cannot be read; raise by default.
    """

    directory: DatasetDirectory
    below: str = ""
    keys: frozenset[str] | None = None
    fail: Callable[[LakeError], None] | None = None

    @property
    def hub(self) -> Hub:
        """Through which they move."""
        return default_hub()

    def __iter__(self) -> Iterator[Mention]:
        if not self.below:
            yield from self._of("", self.directory.descriptor.shared)
        index = self.directory.index
        for number, id in enumerate(self.directory.ids):
            if not self._wanted(id):
                continue
            try:
                manifest = index.manifest(number)
            except LakeError as error:
                if self.fail is None:
                    raise
                self.fail(error)
            else:
                yield from self._of(id, manifest)

    def _of(self, id: str, manifest: SampleManifest) -> Iterator[Mention]:
        for key, ref in manifest.items.items():
            if self.keys is None or key in self.keys:
                yield Mention(id, key, ref, self.directory.place)

    def _wanted(self, id: str) -> bool:
        return not self.below or id == self.below or id.startswith(self.below + "/")

    def announce(self, progress: Progress, what: str) -> None:
        """Tell a progress that shows something how much there is; reads all manifests."""
        from lake.progress import Silent

        if isinstance(progress, Silent):
            return
        count = size = 0
        for mention in self:
            count += 1
            size += mention.ref.size
        progress.start(what, items=count, size=size)


def blobs_of(
    target: Path, keys: Sequence[str] | None, fail: Callable[[LakeError], None] | None = None
) -> Blobs:
    """The blobs of DATASET, or of DATASET:ID where ID may be the leading part of ids.

    Raises:
        NotFound: there is no such dataset, or no such id in it.
    """
    path, below = target, ""
    if not exists(target):
        head, colon, tail = str(target).rpartition(":")
        if colon and is_dir(head):
            path, below = Path(head), tail.strip("/")
    blobs = Blobs(DatasetDirectory(path), below, frozenset(keys) if keys else None, fail)
    if below and not any(blobs._wanted(id) for id in blobs.directory.ids):
        raise NotFound("no such id, nor one below it", where=str(target))
    return blobs
