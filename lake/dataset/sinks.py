"""Writing manifests, one after the other, in either layout."""

from __future__ import annotations

import abc
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from lake.dataset.sorted_lines import SortedLines
from lake.dataset.typed import misused
from lake_schemas.errors import FormatError
from lake_schemas.text import dump_line, dump_sample, dump_sample_yaml

if TYPE_CHECKING:
    from lake.fsio import Batch
    from lake_schemas.sample import SampleManifest

PART_SAMPLES = 1000
"""Lines in a part of the packed layout."""


class Sink(abc.ABC):
    """Takes manifests in any order, each id once."""

    @abc.abstractmethod
    def put(self, id: str, manifest: SampleManifest, before: SampleManifest | None) -> None:
        """The next manifest; `before` is what the directory has under that id now.

        Raises:
            UsageError: it cannot be written: too big, or an item that is nowhere.
        """

    @abc.abstractmethod
    def finish(self) -> None:
        """There are no more."""


class FileSink(Sink):
    """One file each."""

    def __init__(self, batch: Batch, prefix: str, format: str) -> None:
        self._batch = batch
        self._prefix = prefix
        self._format = format

    def put(self, id: str, manifest: SampleManifest, before: SampleManifest | None) -> None:
        self.put_text(f"{id}.{self._format}", file_text(id, manifest, self._format))

    def put_text(self, name: str, text: bytes) -> None:
        """The next manifest as it is to be written."""
        self._batch.write(self._prefix + name, text)

    def finish(self) -> None:
        return


class PartSink(Sink):
    """Lines of part files, sorted by id."""

    def __init__(self, batch: Batch, prefix: str) -> None:
        self._batch = batch
        self._prefix = prefix
        self._lines = SortedLines(batch.stage)

    def put(self, id: str, manifest: SampleManifest, before: SampleManifest | None) -> None:
        try:
            self.put_line(id, dump_line(id, manifest))
        except FormatError as error:
            raise misused(error, id) from None

    def put_line(self, id: str, line: bytes) -> None:
        """The next manifest as it is to be written."""
        self._lines.add(id, line)

    def finish(self) -> None:
        for name, data in self._parts():
            self.part(name, data)
        self._lines.close()

    def part(self, name: str, data: bytes) -> None:
        """One whole part."""
        self._batch.write(self._prefix + name, data)

    def _parts(self) -> Iterator[tuple[str, bytes]]:
        rows = iter(self._lines)
        number = 0
        while lines := [line for _, line in islice(rows, PART_SAMPLES)]:
            yield f"part-{number:05d}.jsonl", b"".join(lines)
            number += 1


def file_text(id: str, manifest: SampleManifest, format: str) -> bytes:
    """The text of one manifest's file; `format` is "json" or "yaml"."""
    try:
        return dump_sample(manifest) if format == "json" else dump_sample_yaml(manifest)
    except FormatError as error:
        raise misused(error, id) from None
