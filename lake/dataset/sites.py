"""The directory that a dataset is written to: a new one, or one that is there already."""

from __future__ import annotations

import abc
import os
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from lake import fsio
from lake.dataset.directory import DESCRIPTOR
from lake.dataset.files_index import SAMPLES
from lake.dataset.sinks import FileSink, PartSink, Sink
from lake_schemas.descriptor import Descriptor, dump_descriptor

if TYPE_CHECKING:
    from lake_schemas.sample import SampleManifest


class Site(abc.ABC):
    """Where samples, blobs and a descriptor are put.

    Attributes:
        dest: the directory's name.
        root: where its files lie while they are written.
        blobs: takes files of blobs.
        sink: takes manifests.
        incomplete: samples are missing that could not be read or written; what a directory has
            of them already is not removed.
    """

    dest: Path
    root: Path
    blobs: fsio.Batch
    sink: Sink
    incomplete = False

    @abc.abstractmethod
    def begin(self, descriptor: Descriptor) -> None:
        """Get ready; layout and format are those of `descriptor`."""

    @abc.abstractmethod
    def settle(self) -> None:
        """Make the blobs that were staged durable, before any manifest names them."""

    @abc.abstractmethod
    def finish(self, descriptor: Descriptor, extra: dict[str, bytes]) -> None:
        """Publish all manifests, the descriptor, and other small files, by path."""

    @abc.abstractmethod
    def leave(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """The end, good or bad: throw away what was not published."""

    def before(self, id: str) -> SampleManifest | None:
        """What the directory has under an id now, if that can be read."""
        return None

    def expect_new_file(self) -> None:
        """The file of a blob is to be added."""
        return

    def shared_before(self) -> SampleManifest | None:
        """What the directory's samples share now."""
        return None

    def put(self, id: str, manifest: SampleManifest, before: SampleManifest | None) -> None:
        """The next manifest; its blobs are in place."""
        self.sink.put(id, manifest, before)

    def is_same(self, root: Path) -> bool:
        """Whether a dataset at `root` is this very directory."""
        return False

    def size(self, rel: str) -> int | None:
        """Bytes of a file in the directory, or None."""
        try:
            return os.lstat(self.root / rel).st_size
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise fsio.translate(error, self.root / rel) from error

    def digest(self, rel: str) -> str:
        """The sha256 of a file in the directory."""
        fd = fsio.open_beneath(self.root, rel)
        try:
            return fsio.hash_file(fd)[0]
        finally:
            os.close(fd)


class NewSite(Site):
    """A directory that appears whole when it is finished."""

    def __init__(self, dest: Path) -> None:
        self.dest = dest
        self._new = fsio.NewDirectory(dest)

    def begin(self, descriptor: Descriptor) -> None:
        self._new.__enter__()
        self.root = self._new.path
        self.blobs = self._new.batch
        self.sink = make_sink(descriptor, self.blobs, f"{SAMPLES}/")

    def settle(self) -> None:
        # The whole directory is made durable before it gets its name.
        return

    def finish(self, descriptor: Descriptor, extra: dict[str, bytes]) -> None:
        self.sink.finish()
        for rel, data in extra.items():
            self.blobs.write(rel, data)
        self.blobs.write(DESCRIPTOR, dump_descriptor(descriptor))

    def leave(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._new.__exit__(kind, error, trace)


def make_sink(descriptor: Descriptor, batch: fsio.Batch, prefix: str) -> Sink:
    """What writes manifests in the layout and format of a descriptor."""
    if descriptor.layout == "packed":
        return PartSink(batch, prefix)
    return FileSink(batch, prefix, descriptor.format)
