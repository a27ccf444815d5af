"""The contract of a view, and the simplest one: samples in a list."""

from __future__ import annotations

import abc
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from lake.dataset.reading import Reading
from lake.dataset.sample import Sample

if TYPE_CHECKING:
    from lake.dataset.directory import DatasetDirectory


class Rows(abc.ABC):
    """A lazy, immutable sequence of samples. Positions are within 0 and `len`; callers check.

    Subclasses keep what they derive from in attributes and never change, so that a view can be
    pickled, shared by threads and used after a fork.
    """

    @abc.abstractmethod
    def __len__(self) -> int: ...

    @abc.abstractmethod
    def sample(self, index: int) -> Sample:
        """The sample at one position."""

    @abc.abstractmethod
    def id(self, index: int) -> str:
        """Its id, without running code of the user's where that can be avoided."""

    @property
    @abc.abstractmethod
    def parents(self) -> Sequence[Rows]:
        """The views that this one reads."""

    def walk(self, positions: Iterable[int], reading: Reading) -> Iterator[Sample]:
        """The samples at these positions, in their order."""
        return map(self.sample, positions)

    def all(self, reading: Reading) -> Iterator[Sample]:
        """All samples in order; where `len` is costly, without it."""
        return self.walk(range(len(self)), reading)

    def ids(self) -> Iterator[str]:
        """All ids in order."""
        return map(self.id, range(len(self)))

    def find(self, id: str) -> int | None:
        """The first position of an id, or None."""
        return next((at for at, found in enumerate(self.ids()) if found == id), None)

    def below(self, directory: str) -> Sequence[int]:
        """The positions of the ids in a directory of ids."""
        from array import array

        prefix = directory + "/"
        return array("q", (n for n, id in enumerate(self.ids()) if id.startswith(prefix)))

    @property
    def runs_code(self) -> bool:
        """Whether reading a sample runs a function that somebody passed in."""
        return any(parent.runs_code for parent in self.parents)

    def directories(self) -> list[DatasetDirectory]:
        """The dataset directories that samples come from."""
        found: list[DatasetDirectory] = []
        for parent in self.parents:
            found += [each for each in parent.directories() if each not in found]
        return found


class Listed(Rows):
    """Samples held in memory."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self._samples = tuple(samples)

    def __len__(self) -> int:
        return len(self._samples)

    def sample(self, index: int) -> Sample:
        return self._samples[index]

    def id(self, index: int) -> str:
        return self._samples[index].id

    @property
    def parents(self) -> Sequence[Rows]:
        return ()
