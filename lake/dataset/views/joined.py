"""Several views as one: one after the other, or side by side."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from lake.dataset.reading import Reading
from lake.dataset.sample import Sample
from lake.dataset.views.rows import Rows
from lake.errors import UsageError


class Cat(Rows):
    """One view after another."""

    def __init__(self, parts: Sequence[Rows]) -> None:
        self._parts = tuple(parts)
        self._ends: list[int] | None = None

    def _bounds(self) -> list[int]:
        if self._ends is None:
            self._ends = list(itertools.accumulate(len(part) for part in self._parts))
        return self._ends

    def _locate(self, index: int) -> tuple[int, int]:
        ends = self._bounds()
        which = bisect.bisect_right(ends, index)
        return which, index - (ends[which - 1] if which else 0)

    def __len__(self) -> int:
        ends = self._bounds()
        return ends[-1] if ends else 0

    def sample(self, index: int) -> Sample:
        which, at = self._locate(index)
        return self._parts[which].sample(at)

    def id(self, index: int) -> str:
        which, at = self._locate(index)
        return self._parts[which].id(at)

    @property
    def parents(self) -> Sequence[Rows]:
        return self._parts

    def walk(self, positions: Iterable[int], reading: Reading) -> Iterator[Sample]:
        # Each part gets as many neighbouring positions as there are, so that it can fetch ahead.
        located = map(self._locate, positions)
        for which, group in itertools.groupby(located, key=lambda each: each[0]):
            yield from self._parts[which].walk((at for _, at in group), reading)

    def all(self, reading: Reading) -> Iterator[Sample]:
        return itertools.chain.from_iterable(part.all(reading) for part in self._parts)

    def ids(self) -> Iterator[str]:
        return itertools.chain.from_iterable(part.ids() for part in self._parts)

    def find(self, id: str) -> int | None:
        for which, part in enumerate(self._parts):
            at = part.find(id)
            if at is not None:
                return at + (self._bounds()[which - 1] if which else 0)
        return None


class Zipped(Rows):
    """Two views side by side: each sample with the other's items too, under `format`."""

    def __init__(self, left: Rows, right: Rows, format: str) -> None:
        self._left = left
        self._right = right
        self._format = format

    def __len__(self) -> int:
        count, other = len(self._left), len(self._right)
        if count != other:
            raise UsageError(
                f"the two datasets have {count} and {other} samples",
                hint="zip goes by position; slice the longer one first",
            )
        return count

    def _merge(self, left: Sample, right: Sample) -> Sample:
        added = {self._format.replace("*", name): right[name] for name in right}
        both = sorted(name for name in added if name in left)
        if both:
            raise UsageError(
                f"both datasets have an item {both[0]!r}",
                where=left.id,
                hint='give the right one other names: zip(other, key_format="*_right")',
            )
        for name, item in added.items():
            left = left.set(name, item)
        return left

    def sample(self, index: int) -> Sample:
        return self._merge(self._left.sample(index), self._right.sample(index))

    def id(self, index: int) -> str:
        return self._left.id(index)

    @property
    def parents(self) -> Sequence[Rows]:
        return (self._left, self._right)

    def walk(self, positions: Iterable[int], reading: Reading) -> Iterator[Sample]:
        len(self)
        mine, others = itertools.tee(positions)
        return map(
            self._merge,
            self._left.walk(mine, reading),
            self._right.walk(others, self._right_reading(reading)),
        )

    def _right_reading(self, reading: Reading) -> Reading:
        """What is asked for by the names that items of the right one have here."""
        before, _, after = self._format.partition("*")

        def back(names: frozenset[str]) -> frozenset[str]:
            fitting = (n for n in names if n.startswith(before) and n.endswith(after))
            return frozenset(n[len(before) : len(n) - len(after)] for n in fitting)

        keys = None if reading.keys is None else back(reading.keys)
        return replace(reading, keys=keys, without=back(reading.without))

    def ids(self) -> Iterator[str]:
        return self._left.ids()

    def find(self, id: str) -> int | None:
        return self._left.find(id)

    def below(self, directory: str) -> Sequence[int]:
        return self._left.below(directory)
