"""One sample in, one sample out: a function over each sample, over batches, or over ids."""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterable, Iterator, Sequence

from lake.dataset.reading import Reading, windows
from lake.dataset.sample import Sample
from lake.dataset.views.rows import Rows
from lake.errors import UsageError

SampleFn = Callable[[Sample], Sample]
BatchFn = Callable[[list[Sample]], Sequence[Sample]]


class OneToOne(Rows):
    """A view with one sample, of the same id, for each of its parent's."""

    def __init__(self, parent: Rows) -> None:
        self._parent = parent

    @abc.abstractmethod
    def _apply(self, sample: Sample) -> Sample:
        """What becomes of one sample."""

    def __len__(self) -> int:
        return len(self._parent)

    def sample(self, index: int) -> Sample:
        return self._apply(self._parent.sample(index))

    def id(self, index: int) -> str:
        return self._parent.id(index)

    @property
    def parents(self) -> Sequence[Rows]:
        return (self._parent,)

    def walk(self, positions: Iterable[int], reading: Reading) -> Iterator[Sample]:
        return map(self._apply, self._parent.walk(positions, reading))

    def all(self, reading: Reading) -> Iterator[Sample]:
        return map(self._apply, self._parent.all(reading))

    def ids(self) -> Iterator[str]:
        return self._parent.ids()

    def find(self, id: str) -> int | None:
        return self._parent.find(id)

    def below(self, directory: str) -> Sequence[int]:
        return self._parent.below(directory)


class Mapped(OneToOne):
    """`fn` over every sample, called when the sample is read."""

    def __init__(self, parent: Rows, fn: SampleFn) -> None:
        super().__init__(parent)
        self._fn = fn

    def _apply(self, sample: Sample) -> Sample:
        return same_id(sample, self._fn(sample))

    @property
    def runs_code(self) -> bool:
        return True


class BatchMapped(OneToOne):
    """`fn` over lists of up to `size` samples; a single sample is a list of one."""

    def __init__(self, parent: Rows, fn: BatchFn, size: int) -> None:
        super().__init__(parent)
        self._fn = fn
        self._size = size

    def _apply(self, sample: Sample) -> Sample:
        return self._many([sample])[0]

    @property
    def runs_code(self) -> bool:
        return True

    def _many(self, samples: list[Sample]) -> list[Sample]:
        given = list(samples)
        done = list(self._fn(samples))
        if len(done) != len(given):
            raise UsageError(
                f"the function was given {len(given)} samples and returned {len(done)}",
                hint="map_batches is one to one; use filter or flat_map to drop or add samples",
            )
        return [same_id(old, new) for old, new in zip(given, done, strict=True)]

    def walk(self, positions: Iterable[int], reading: Reading) -> Iterator[Sample]:
        return self._batched(self._parent.walk(positions, reading))

    def all(self, reading: Reading) -> Iterator[Sample]:
        return self._batched(self._parent.all(reading))

    def _batched(self, samples: Iterator[Sample]) -> Iterator[Sample]:
        for window in windows(samples, self._size):
            yield from self._many(window)


def same_id(old: Sample, new: object) -> Sample:
    """`new`, if it is a sample with the id of `old`; else an error that says what to use."""
    if not isinstance(new, Sample):
        raise UsageError(
            f"the function returned {type(new).__name__} instead of a sample",
            where=old.id,
            hint="use filter to drop samples, flat_map to drop or add them",
        )
    if new.id != old.id:
        raise UsageError(
            f"the function changed the id to {new.id!r}",
            where=old.id,
            hint="map keeps ids; use with_ids or flat_map to change them",
        )
    return new


class Renamed(Rows):
    """The same samples under the ids that `fn(position, sample)` gives."""

    def __init__(self, parent: Rows, fn: Callable[[int, Sample], str]) -> None:
        self._parent = parent
        self._fn = fn

    def __len__(self) -> int:
        return len(self._parent)

    def _apply(self, index: int, sample: Sample) -> Sample:
        return sample.with_id(self._fn(index, sample))

    def sample(self, index: int) -> Sample:
        return self._apply(index, self._parent.sample(index))

    def id(self, index: int) -> str:
        return self._fn(index, self._parent.sample(index))

    @property
    def parents(self) -> Sequence[Rows]:
        return (self._parent,)

    @property
    def runs_code(self) -> bool:
        return True

    def walk(self, positions: Iterable[int], reading: Reading) -> Iterator[Sample]:
        wanted = list(positions)
        return map(self._apply, wanted, self._parent.walk(wanted, reading))

    def all(self, reading: Reading) -> Iterator[Sample]:
        for index, sample in enumerate(self._parent.all(reading)):
            yield self._apply(index, sample)
