"""The layout "packed": manifests as lines of `samples/part-00000.jsonl` and so on."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator
from functools import lru_cache

from lake.dataset.files_index import SAMPLES
from lake.dataset.ids import Ids, refuse_collisions
from lake.dataset.root import Root
from lake.dataset.typed import broken
from lake.errors import ConflictError, ManifestError
from lake.fsio.oserrors import translate
from lake_schemas.errors import FormatError
from lake_schemas.limits import MAX_TEXT
from lake_schemas.names import check_id
from lake_schemas.sample import SampleManifest
from lake_schemas.text import line_id, load_line

SUFFIX = ".jsonl"
OPEN_PARTS = 64
"""Parts kept open at a time."""

_HEAD = b'{"id":"'
_BLOCK = 4 << 20


class PackedIndex:
    """Ids of all lines, and at which place of which part each one is: 20 bytes a sample.

    Raises:
        ManifestError: a line has no legal id, two collide, or a part is no regular file.
    """

    def __init__(self, root: Root, parts: list[str]) -> None:
        self._root = root
        self._parts = sorted(parts)
        self._stats: list[tuple[int, int, int]] = []
        ids: list[bytes] = []
        which, start, length = array("I"), array("Q"), array("I")
        for number, name in enumerate(self._parts):
            part = _Part(root, f"{SAMPLES}/{name}")
            self._stats.append(part.stamp)
            for id, at, size in _lines(part):
                ids.append(id)
                which.append(number)
                start.append(at)
                length.append(size)
        if any(ids[n] >= ids[n + 1] for n in range(len(ids) - 1)):
            order = sorted(range(len(ids)), key=ids.__getitem__)
            ids = [ids[n] for n in order]
            which = array("I", (which[n] for n in order))
            start = array("Q", (start[n] for n in order))
            length = array("I", (length[n] for n in order))
        refuse_collisions(ids, root.where(SAMPLES))
        self.ids = Ids.of(ids)
        self._which, self._start, self._length = which, start, length
        self._open = lru_cache(maxsize=OPEN_PARTS)(self._reopened)

    @property
    def parts(self) -> list[str]:
        """Names of the part files, in order."""
        return list(self._parts)

    def read(self, index: int) -> bytes:
        """The sample's line."""
        number, size = self._which[index], self._length[index]
        part = self._open(number)
        data = part.read(size, self._start[index])
        if len(data) != size:
            raise part.changed()
        return data

    def manifest(self, index: int) -> SampleManifest:
        """The manifest.

        Raises:
            ManifestError: its line breaks the format.
            ConflictError: the part was rewritten since the dataset was opened.
        """
        data = self.read(index)
        expected = self.ids[index]
        where = self._root.where(f"{SAMPLES}/{self._parts[self._which[index]]}: {expected}")
        try:
            id, manifest = load_line(data, where=where)
        except FormatError as error:
            raise broken(error) from None
        if id != expected:
            raise self._open(self._which[index]).changed()
        return manifest

    def _reopened(self, number: int) -> _Part:
        part = _Part(self._root, f"{SAMPLES}/{self._parts[number]}")
        if part.stamp != self._stats[number]:
            raise part.changed()
        return part


class _Part:
    """An open part file; closed when the last reader lets go of it."""

    def __init__(self, root: Root, rel: str) -> None:
        self._fd = -1
        self.rel = rel
        self.where = root.where(rel)
        self._root = root
        self._fd, found = root.open(rel)
        self.size = found.st_size
        self.stamp = (found.st_ino, found.st_size, found.st_mtime_ns)

    def read(self, size: int, start: int) -> bytes:
        # pread leaves no trace on the descriptor, so threads and forked children can share it.
        try:
            return os.pread(self._fd, size, start)
        except OSError as error:
            raise translate(error, self._root.path / self.rel) from error

    def changed(self) -> ConflictError:
        return ConflictError(
            "the dataset changed since it was opened",
            where=self.where,
            hint="open it again",
        )

    def __del__(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _lines(part: _Part) -> Iterator[tuple[bytes, int, int]]:
    """(id, start, length) of each line, in bounded memory; length without the line end."""
    begin = 0
    while begin < part.size:
        block = part.read(_BLOCK, begin)
        end = block.rfind(b"\n") + 1
        if begin + len(block) >= part.size:
            end = len(block)
        elif end == 0 or not block:
            raise ManifestError(
                f"a line of more than {MAX_TEXT:,} bytes", where=f"{part.where} at byte {begin}"
            )
        at = begin
        for line in block[:end].split(b"\n"):
            if line:
                yield _id(line, part, at), at, len(line)
            at += len(line) + 1
        begin += end


def _id(line: bytes, part: _Part, at: int) -> bytes:
    try:
        if line.startswith(_HEAD):
            id = line[len(_HEAD) : line.find(b'"', len(_HEAD))]
            return check_id(id.decode("ascii")).encode()
        return line_id(line).encode()
    except (FormatError, UnicodeDecodeError):
        pass
    try:
        return line_id(line).encode()
    except FormatError as error:
        raise broken(error, f"{part.where} at byte {at}") from None
