"""The samples of a dataset directory, and fetching their blobs many at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from lake.dataset.reading import AHEAD_BYTES, Reading, in_background
from lake.dataset.sample import Sample
from lake.dataset.views.rows import Rows
from lake.errors import LakeError

if TYPE_CHECKING:
    from lake.dataset.directory import DatasetDirectory
    from lake_schemas.blob import BlobRef

BIG = 16 << 20
"""Blobs larger than this are not fetched ahead: they are better read part by part."""


class StoredRows(Rows):
    """All samples of one dataset directory, in the order of their ids."""

    def __init__(self, directory: DatasetDirectory) -> None:
        self._directory = directory

    def __len__(self) -> int:
        return len(self._directory.ids)

    def sample(self, index: int) -> Sample:
        return self._directory.sample_at(index)

    def id(self, index: int) -> str:
        return self._directory.ids[index]

    @property
    def parents(self) -> Sequence[Rows]:
        return ()

    def walk(self, positions: Iterable[int], reading: Reading) -> Iterator[Sample]:
        if not reading.window:
            yield from map(self._directory.sample_at, positions)
            return
        drafts = _Drafts(self._directory, reading).windows(positions)
        if reading.ahead:
            filled: Iterator[list[Sample]] = in_background(drafts, self._fill)
        else:
            filled = map(self._fill, drafts)
        for samples in filled:
            yield from samples

    def _fill(self, draft: _Draft) -> list[Sample]:
        """Fetch a window's blobs and hand them to its samples.

        Where one cannot be had, all are left to be fetched when they are used: the error then
        comes up with the very item that it is about.
        """
        if draft.refs:
            access = self._directory.access
            try:
                blobs = access.fetcher.read_many([(ref, access.place) for ref in draft.refs])
            except LakeError:
                return draft.samples
            for (data, name), blob in zip(draft.owners, blobs, strict=True):
                data[name] = blob
        return draft.samples

    def ids(self) -> Iterator[str]:
        return iter(self._directory.ids)

    def find(self, id: str) -> int | None:
        return self._directory.ids.find(id)

    def below(self, directory: str) -> Sequence[int]:
        return self._directory.ids.below(directory)

    def directories(self) -> list[DatasetDirectory]:
        return [self._directory]


class _Draft:
    """A window of samples, and the blobs to fetch for them."""

    __slots__ = ("owners", "refs", "samples", "size")

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self.owners: list[tuple[dict[str, bytes], str]] = []
        self.refs: list[BlobRef] = []
        self.size = 0


class _Drafts:
    """Cuts positions into windows that are bounded in samples and in bytes."""

    def __init__(self, directory: DatasetDirectory, reading: Reading) -> None:
        self._directory = directory
        self._reading = reading

    def windows(self, positions: Iterable[int]) -> Iterator[_Draft]:
        """The windows; an error of a manifest comes after the samples before it."""
        draft = _Draft()
        try:
            for position in positions:
                self._add(draft, position)
                if len(draft.samples) >= self._reading.window or draft.size >= AHEAD_BYTES:
                    full, draft = draft, _Draft()
                    yield full
        except LakeError:
            if draft.samples:
                yield draft
            raise
        if draft.samples:
            yield draft

    def _add(self, draft: _Draft, position: int) -> None:
        data: dict[str, bytes] = {}
        sample = self._directory.sample_at(position, data)
        draft.samples.append(sample)
        for name, ref in sample.manifest.items.items():
            if ref.size <= BIG and self._reading.wants(name):
                draft.owners.append((data, name))
                draft.refs.append(ref)
                draft.size += ref.size
