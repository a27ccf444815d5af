"""A dataset directory: descriptor, and manifests found when they are first needed."""

from __future__ import annotations

import os
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lake.dataset.access import Access
from lake.dataset.files_index import SAMPLES, FilesIndex
from lake.dataset.ids import Ids
from lake.dataset.packed_index import SUFFIX, PackedIndex
from lake.dataset.root import Root
from lake.dataset.sample import Sample, Stored
from lake.dataset.typed import broken
from lake.errors import ConflictError, InputError, ManifestError, NotFound
from lake.fsio.beneath import open_at
from lake.fsio.oserrors import os_errors
from lake.fsio.tree import DIRECTORY
from lake_schemas.descriptor import Descriptor, load_descriptor
from lake_schemas.errors import FormatError
from lake_schemas.sample import SampleManifest

if TYPE_CHECKING:
    from lake.transfer import Hub, Place

DESCRIPTOR = "dataset.yaml"
"""The descriptor's name; a directory without one is no dataset."""


class DatasetDirectory:
    """Reads a dataset directory, trusting nothing in it.

    No code in it is run, nothing outside of it is read. The descriptor is read at once, names of
    manifests with the first question about samples, each manifest when it is asked for.

    Args:
        root: the directory.
        hub: through which blobs are fetched; by default the process's own.

    Raises:
        NotFound: there is no such directory, or it is no dataset.
        ManifestError: the descriptor breaks the format.
    """

    def __init__(self, root: str | os.PathLike[str], *, hub: Hub | None = None) -> None:
        from lake.transfer import Place

        self.root: Path = _resolved(Path(root))
        self._opened = Root(self.root)
        self.descriptor: Descriptor = _descriptor(self._opened)
        self.access = Access(Place(self.root, self.descriptor.remotes), hub)
        self._hub = hub
        self._index: FilesIndex | PackedIndex | None = None

    @property
    def place(self) -> Place:
        """What aliases and files in these manifests mean."""
        return self.access.place

    @property
    def index(self) -> FilesIndex | PackedIndex:
        """Where every manifest is; built when first asked for."""
        if self._index is None:
            # Two threads may both build it; they build the same.
            self._index = _index(self._opened)
        return self._index

    @property
    def layout(self) -> str:
        """Which layout lies in `samples/`: "files" or "packed"."""
        if not len(self.ids):
            return self.descriptor.layout
        return "packed" if isinstance(self.index, PackedIndex) else "files"

    @property
    def ids(self) -> Ids:
        """All ids, sorted by their bytes."""
        return self.index.ids

    def manifest(self, id: str) -> SampleManifest:
        """The manifest of one sample.

        Raises:
            NotFound: there is no such sample.
            ManifestError: the manifest breaks the format.
        """
        at = self.ids.find(id)
        if at is None:
            raise NotFound("no such sample", where=f"{self.root}: {id}")
        return self.index.manifest(at)

    def sample_at(self, index: int, data: dict[str, bytes] | None = None) -> Sample:
        """The sample at a position among `ids`; `data` holds blobs fetched already."""
        found = self.index
        stored = Stored(found.manifest(index), self.descriptor.shared, self.access, data)
        return Sample.stored(found.ids[index], stored)

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__

    def __reduce__(self) -> tuple[Any, ...]:
        # Built here if need be: whoever unpickles it must find the same samples.
        return (_reopened, (str(self.root), self._hub, len(self.ids), self.ids.fingerprint))

    def __repr__(self) -> str:
        return f"DatasetDirectory({str(self.root)!r})"


_reopenings: weakref.WeakValueDictionary[tuple[str, str], DatasetDirectory] = (
    weakref.WeakValueDictionary()
)


def _reopened(root: str, hub: Hub | None, count: int, fingerprint: str) -> DatasetDirectory:
    """The directory that was pickled, opened once in this process however often it arrives."""
    key = (root, fingerprint)
    known = _reopenings.get(key)
    if known is not None and known._hub is hub:
        return known
    fresh = DatasetDirectory(root, hub=hub)
    if (len(fresh.ids), fresh.ids.fingerprint) != (count, fingerprint):
        raise ConflictError(
            "the dataset changed since it was pickled for this process",
            where=root,
            hint="open it again, and leave it alone while workers read it",
        )
    _reopenings[key] = fresh
    return fresh


def _resolved(path: Path) -> Path:
    with os_errors(path):
        found = Path(os.path.realpath(path))
    with os_errors(path):
        is_there, is_directory = found.exists(), found.is_dir()
    if not is_there:
        raise NotFound(
            "no such directory",
            where=str(path),
            hint=f"lake init {path} --from PICTURES makes a dataset of a directory of files",
        )
    if not is_directory:
        raise NotFound(
            "a file, not a dataset directory",
            where=str(path),
            hint=f"open its directory: {path.parent}" if path.name == DESCRIPTOR else None,
        )
    return found


def _descriptor(root: Root) -> Descriptor:
    try:
        data = root.read(DESCRIPTOR)
    except InputError as error:
        if os.path.lexists(root.path / DESCRIPTOR):
            raise
        raise NotFound(
            f"this directory is not a dataset: it has no {DESCRIPTOR}",
            where=str(root.path),
            hint=_instead(root.path),
        ) from error
    try:
        return load_descriptor(data, root.where(DESCRIPTOR))
    except FormatError as error:
        raise broken(error) from None


def _instead(path: Path) -> str:
    """What to do about a directory that is no dataset."""
    with os_errors(path):
        for parent in path.parents:
            if (parent / DESCRIPTOR).is_file():
                return f"it lies in the dataset {parent}"
    return f"lake init NEW --from {path} makes a dataset of a directory of files"


def _index(root: Root) -> FilesIndex | PackedIndex:
    parts, others = [], False
    with os_errors(root.path / SAMPLES):
        try:
            fd = open_at(root.fd, SAMPLES, DIRECTORY)
        except FileNotFoundError:
            return PackedIndex(root, [])
        except NotADirectoryError:
            raise ManifestError(
                f"{SAMPLES} must be a directory, not a link or a file",
                where=root.where(SAMPLES),
                hint="put the manifests, or their parts, in a directory of that name",
            ) from None
        try:
            with os.scandir(fd) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    if entry.name.endswith(SUFFIX):
                        parts.append(entry.name)
                    else:
                        others = True
        finally:
            os.close(fd)
    if not parts:
        return FilesIndex(root)
    if others and len(FilesIndex(root).ids):
        raise ManifestError(
            "both layouts at once: manifests in files, and packed ones",
            where=root.where(SAMPLES),
            hint="remove the ones or the others",
        )
    return PackedIndex(root, parts)
