"""Positions of another view: slices, lists, partitions, orders."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence

from lake.dataset.reading import Reading
from lake.dataset.sample import Sample
from lake.dataset.views.rows import Rows


class Picked(Rows):
    """Samples of `parent` at `positions`, a range or an array, which take little memory."""

    def __init__(self, parent: Rows, positions: range | array[int]) -> None:
        self._parent = parent
        self._positions = positions

    @classmethod
    def of(cls, parent: Rows, positions: Sequence[int]) -> Picked:
        """With positions of another `Picked` resolved, so that chains stay one step long."""
        if not isinstance(positions, range | array):
            positions = array("q", positions)
        if not isinstance(parent, Picked):
            return cls(parent, positions)
        inner = parent._positions
        if isinstance(positions, range):
            # Slicing keeps a range a range; a stop below zero means "to the very start".
            stop: int | None = positions.stop if positions.stop >= 0 else None
            if not positions:
                return cls(parent._parent, range(0))
            return cls(parent._parent, inner[positions.start : stop : positions.step])
        return cls(parent._parent, array("q", (inner[n] for n in positions)))

    def __len__(self) -> int:
        return len(self._positions)

    def sample(self, index: int) -> Sample:
        return self._parent.sample(self._positions[index])

    def id(self, index: int) -> str:
        return self._parent.id(self._positions[index])

    @property
    def parents(self) -> Sequence[Rows]:
        return (self._parent,)

    def walk(self, positions: Iterable[int], reading: Reading) -> Iterator[Sample]:
        return self._parent.walk(map(self._positions.__getitem__, positions), reading)

    def find(self, id: str) -> int | None:
        if isinstance(self._positions, range):
            at = self._parent.find(id)
            if at is not None and at in self._positions:
                return self._positions.index(at)
            # With ids that are there twice, another one may be in the range.
        return super().find(id)


class Ordered(Rows):
    """Samples of `parent` in the order of what `key` gives for each; found when first needed."""

    def __init__(self, parent: Rows, key: object, reverse: bool) -> None:
        self._parent = parent
        self._key = key
        self._reverse = reverse
        self._order: array[int] | None = None

    def _positions(self) -> array[int]:
        if self._order is None:
            keys = [self._key(sample) for sample in self._parent.all(Reading())]  # type: ignore[operator]
            order = sorted(range(len(keys)), key=keys.__getitem__, reverse=self._reverse)
            self._order = array("q", order)
        return self._order

    def __len__(self) -> int:
        return len(self._parent)

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

    def find(self, id: str) -> int | None:
        at = self._parent.find(id)
        return None if at is None else self._positions().index(at)
