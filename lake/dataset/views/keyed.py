"""The same samples with fewer items, or with other names for them."""

from __future__ import annotations

import abc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from lake.dataset.reading import Reading
from lake.dataset.sample import Sample
from lake.dataset.views.mapped import OneToOne
from lake.dataset.views.rows import Rows


class Keyed(OneToOne):
    """A view that changes no item, only which there are and what they are called."""

    @abc.abstractmethod
    def _narrowed(self, reading: Reading) -> Reading:
        """How the parent is to be read, so that no item is fetched in vain."""

    def walk(self, positions: Iterable[int], reading: Reading) -> Iterator[Sample]:
        return super().walk(positions, self._narrowed(reading))

    def all(self, reading: Reading) -> Iterator[Sample]:
        return super().all(self._narrowed(reading))


class Selected(Keyed):
    """Only these items, as far as a sample has them."""

    def __init__(self, parent: Rows, names: Sequence[str]) -> None:
        super().__init__(parent)
        self._names = tuple(names)

    def _apply(self, sample: Sample) -> Sample:
        return sample.select(*self._names)

    def _narrowed(self, reading: Reading) -> Reading:
        return reading.only(self._names)


class Dropped(Keyed):
    """All but these items."""

    def __init__(self, parent: Rows, names: Sequence[str]) -> None:
        super().__init__(parent)
        self._names = tuple(names)

    def _apply(self, sample: Sample) -> Sample:
        return sample.drop(*self._names)

    def _narrowed(self, reading: Reading) -> Reading:
        return replace(reading, without=reading.without.union(self._names))


class Relabelled(Keyed):
    """Items under new names, as far as a sample has them under the old ones."""

    def __init__(self, parent: Rows, names: Mapping[str, str]) -> None:
        super().__init__(parent)
        self._plan = dict(names)

    def _apply(self, sample: Sample) -> Sample:
        return sample.rename({old: new for old, new in self._plan.items() if old in sample})

    def _narrowed(self, reading: Reading) -> Reading:
        back = {new: old for old, new in self._plan.items()}
        keys = reading.keys
        return replace(
            reading,
            keys=None if keys is None else frozenset(back.get(key, key) for key in keys),
            without=frozenset(back.get(key, key) for key in reading.without),
        )
