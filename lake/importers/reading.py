"""What there is to make samples of: a directory, an underfolder, or a bucket."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lake.dataset.codecs import media_type_of
from lake.importers.found import Draft, Found
from lake.importers.group import drafts
from lake.importers.objects import Objects, bucket_remote
from lake.importers.options import InitOptions
from lake.importers.underfolder import is_underfolder, samples, shared_items
from lake.importers.walk import walk
from lake.stage import RunContext

if TYPE_CHECKING:
    from lake.transfer import Hub


class Reader:
    """Finds the samples to be, in order, lazily.

    Args:
        declared: the remotes that the dataset names already, if it is there.

    Attributes:
        hub: opens remotes.
        root: the directory that is read; None for a bucket.
        objects: those of the bucket, or those that lists of remotes name.
    """

    def __init__(
        self,
        hub: Hub,
        out: Path,
        options: InitOptions,
        context: RunContext,
        declared: Mapping[str, str],
    ) -> None:
        self.hub = hub
        self.out = out
        self.root = options.directory
        self._options = options
        self._fail = context.fail
        remote = None
        if options.source is not None and self.root is None:
            remote = bucket_remote(hub, options.source, options.alias, out, declared)
        self.objects = Objects(
            hub, out, remote=remote, jobs=context.jobs, progress=context.progress
        )
        self._underfolder = options.format == "underfolder" or (
            options.format == "auto" and self.root is not None and is_underfolder(self.root)
        )

    def shared(self) -> Draft:
        """What all samples share."""
        if self.root is not None and self._underfolder:
            return shared_items(self.root, self._options.globs, self._fail)
        return Draft("shared")

    def samples(self) -> Iterator[Draft]:
        """The samples."""
        options = self._options
        if options.source is None:
            return iter(())
        if self.root is None:
            found = self.objects.listed()
            files: Iterator[Found] = (each for each in found if options.globs.takes(each.rel))
        elif self._underfolder:
            return samples(self.root, options.globs, self._fail)
        else:
            files = walk(self.root, options.globs, self._fail, without=self.out)
        return drafts(files, options.grouping, media_type_of, self._fail)
