"""Views whose length is known only once every sample was looked at."""

from __future__ import annotations

import bisect
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from lake.dataset.reading import LAZY, Reading
from lake.dataset.sample import Sample
from lake.dataset.views.rows import Rows
from lake.errors import UsageError


class Filtered(Rows):
    """The samples for which `keep` holds. Looked for when the length or a position is asked
    for, and then remembered; plain iteration looks at each sample once and needs no memory."""

    def __init__(self, parent: Rows, keep: Callable[[Sample], object]) -> None:
        self._parent = parent
        self._keep = keep
        self._found: array[int] | None = None

    def _positions(self) -> array[int]:
        # Two threads may both look; they find the same.
        if self._found is None:
            samples = self._parent.all(LAZY)
            self._found = array("q", (n for n, each in enumerate(samples) if self._keep(each)))
        return self._found

    def __len__(self) -> int:
        return len(self._positions())

    def sample(self, index: int) -> Sample:
        return self._parent.sample(self._positions()[index])

    def id(self, index: int) -> str:
        return self._parent.id(self._positions()[index])

    @property
    def parents(self) -> Sequence[Rows]:
        return (self._parent,)

    @property
    def runs_code(self) -> bool:
        return True

    def walk(self, positions: Iterable[int], reading: Reading) -> Iterator[Sample]:
        return self._parent.walk(map(self._positions().__getitem__, positions), reading)

    def all(self, reading: Reading) -> Iterator[Sample]:
        if self._found is not None:
            return self._parent.walk(self._found, reading)
        return filter(self._keep, self._parent.all(reading))

    def find(self, id: str) -> int | None:
        found = self._positions()
        at = self._parent.find(id)
        if at is None:
            return None
        place = bisect.bisect_left(found, at)
        if place < len(found) and found[place] == at:
            return place
        return super().find(id)


class Flattened(Rows):
    """Whatever samples `fn` makes of each sample: none, one or several.

    A position is found by calling `fn` on every sample once; reading it calls `fn` again on the
    one that it came from, so `fn` must give the same for the same sample.
    """

    def __init__(self, parent: Rows, fn: Callable[[Sample], Any]) -> None:
        self._parent = parent
        self._fn = fn
        # Where the samples made of each sample begin.
        self._starts: array[int] | None = None

    def _apply(self, sample: Sample) -> list[Sample]:
        made = self._fn(sample)
        if made is None:
            return []
        if isinstance(made, Sample):
            return [made]
        samples = list(made) if isinstance(made, Iterable) else [made]
        for each in samples:
            if not isinstance(each, Sample):
                raise UsageError(
                    f"the function made {type(each).__name__} instead of samples", where=sample.id
                )
        return samples

    def _index(self) -> array[int]:
        if self._starts is None:
            starts = array("q", [0])
            for sample in self._parent.all(LAZY):
                starts.append(starts[-1] + len(self._apply(sample)))
            self._starts = starts
        return self._starts

    def __len__(self) -> int:
        return self._index()[-1]

    def sample(self, index: int) -> Sample:
        starts = self._index()
        source = bisect.bisect_right(starts, index) - 1
        return self._apply(self._parent.sample(source))[index - starts[source]]

    def id(self, index: int) -> str:
        return self.sample(index).id

    @property
    def parents(self) -> Sequence[Rows]:
        return (self._parent,)

    @property
    def runs_code(self) -> bool:
        return True

    def walk(self, positions: Iterable[int], reading: Reading) -> Iterator[Sample]:
        starts = self._index()
        wanted = list(positions)
        sources = [bisect.bisect_right(starts, each) - 1 for each in wanted]
        for at, source, sample in zip(
            wanted, sources, self._parent.walk(sources, reading), strict=True
        ):
            yield self._apply(sample)[at - starts[source]]

    def all(self, reading: Reading) -> Iterator[Sample]:
        for sample in self._parent.all(reading):
            yield from self._apply(sample)

    def ids(self) -> Iterator[str]:
        return (sample.id for sample in self.all(LAZY))
