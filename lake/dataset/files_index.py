"""The layout "files": one manifest a file, its id the path below `samples/`."""

from __future__ import annotations

import os
from collections.abc import Iterator

from lake.dataset.ids import Ids, refuse_collisions
from lake.dataset.root import Root
from lake.dataset.typed import broken
from lake.errors import ManifestError
from lake.fsio.oserrors import os_errors
from lake.fsio.tree import DIRECTORY
from lake_schemas.errors import FormatError
from lake_schemas.names import check_id
from lake_schemas.sample import SampleManifest
from lake_schemas.text import load_sample

SAMPLES = "samples"
"""The directory of the manifests, in the dataset directory."""

SUFFIXES = (".json", ".yaml", ".yml")
FORMATS = ("json", "yaml", "yaml")


class FilesIndex:
    """Ids of all manifests in files, and where each one is.

    Only names are read to build it, and no file is opened before its sample is asked for.

    Raises:
        ManifestError: a name is not legal, two collide, or something that is no regular file
            has the name of a manifest.
    """

    def __init__(self, root: Root) -> None:
        self._root = root
        found: list[bytes] = []
        others: dict[bytes, int] = {}
        for directory, names in _directories(root):
            _collect(root, directory, names, found, others)
        found.sort()
        refuse_collisions(found, root.where(SAMPLES))
        self.ids = Ids.of(found)
        # One byte a sample, and none where all are JSON.
        self._kinds = bytes(others.get(id, 0) for id in found) if others else None

    @property
    def formats(self) -> set[str]:
        """The text formats that occur."""
        if self._kinds is None:
            return {"json"} if len(self.ids) else set()
        return {FORMATS[kind] for kind in set(self._kinds)}

    def rel(self, index: int) -> str:
        """The manifest's path in the dataset directory."""
        return f"{SAMPLES}/{self.ids[index]}{SUFFIXES[self._kind(index)]}"

    def read(self, index: int) -> bytes:
        """The manifest's text."""
        return self._root.read(self.rel(index))

    def manifest(self, index: int) -> SampleManifest:
        """The manifest.

        Raises:
            ManifestError: its text breaks the format.
            InputError: the file is gone or unreadable.
        """
        rel = self.rel(index)
        data = self._root.read(rel)
        try:
            where = self._root.where(rel)
            return load_sample(data, format=FORMATS[self._kind(index)], where=where)
        except FormatError as error:
            raise broken(error) from None

    def _kind(self, index: int) -> int:
        return 0 if self._kinds is None else self._kinds[index]


def _directories(root: Root) -> Iterator[tuple[str, list[str]]]:
    """Each directory below `samples/` with the names of its manifests, following no link."""
    waiting = [SAMPLES]
    while waiting:
        rel = waiting.pop()
        with os_errors(root.path / rel):
            fd = _open_directory(root, rel)
            try:
                names, below = _list(root, rel, fd)
            finally:
                os.close(fd)
        yield rel[len(SAMPLES) + 1 :], names
        waiting += [f"{rel}/{name}" for name in below]


def _open_directory(root: Root, rel: str) -> int:
    from lake.fsio.beneath import open_at

    return open_at(root.fd, rel, DIRECTORY)


def _list(root: Root, rel: str, fd: int) -> tuple[list[str], list[str]]:
    names: list[str] = []
    below: list[str] = []
    with os.scandir(fd) as entries:
        for entry in entries:
            name = entry.name
            if name.startswith("."):
                continue
            if entry.is_file(follow_symlinks=False):
                if name.endswith(SUFFIXES):
                    names.append(name)
            elif entry.is_dir(follow_symlinks=False):
                below.append(name)
            elif name.endswith(SUFFIXES) or entry.is_dir():
                # A directory behind a link would be missed without a word.
                raise ManifestError(
                    "a manifest must be a regular file in a directory, not a link or a device",
                    where=root.where(f"{rel}/{name}"),
                    hint="put what it stands for in its place",
                )
    return names, below


def _collect(
    root: Root, directory: str, names: list[str], found: list[bytes], others: dict[bytes, int]
) -> None:
    prefix = f"{directory}/" if directory else ""
    for name in names:
        stem, _, ext = name.rpartition(".")
        try:
            id = check_id(prefix + stem).encode()
        except FormatError as error:
            raise broken(error, root.where(f"{SAMPLES}/{prefix}{name}")) from None
        found.append(id)
        if ext != "json":
            others[id] = SUFFIXES.index(f".{ext}")
