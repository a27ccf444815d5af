"""A dataset as a program sees it: an immutable, lazy sequence of samples."""

from __future__ import annotations

import operator
import random
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from lake.dataset.reading import LAZY, Reading, windows
from lake.dataset.sample import Sample
from lake.dataset.views.filtered import Filtered, Flattened
from lake.dataset.views.joined import Cat, Zipped
from lake.dataset.views.keyed import Dropped, Relabelled, Selected
from lake.dataset.views.mapped import BatchMapped, Mapped, Renamed
from lake.dataset.views.picked import Ordered, Picked
from lake.dataset.views.rows import Listed, Rows
from lake.errors import NotFound, UsageError

if TYPE_CHECKING:
    from lake.dataset.access import Access
    from lake.progress import Progress
    from lake_schemas.descriptor import Descriptor

PREFETCH = 64
"""Samples whose blobs `Dataset.iter` fetches ahead of their use."""


class Dataset(Sequence[Sample]):
    """An immutable, lazy sequence of samples: a dataset directory, or a view derived from one.

        flowers = lake.open("flowers")
        flowers[0]["image"]()                       # one decoded item
        flowers["train"][:100].map(crop).write("crops")

    A method that returns a dataset returns a new view at once and does its work while that is
    read. Views can be pickled (as far as the functions passed in can), shared by threads, and
    used in forked and spawned processes.

    `dataset[i]` takes an int, a slice, a list of ints, or the name of a partition.
    """

    def __init__(
        self, rows: Rows, descriptor: Descriptor | None = None, access: Access | None = None
    ) -> None:
        from lake_schemas.descriptor import Descriptor

        self._rows = rows
        self._descriptor = descriptor or Descriptor()
        self._access = access

    @classmethod
    def from_samples(
        cls, samples: Iterable[Sample], descriptor: Descriptor | None = None
    ) -> Dataset:
        """A dataset of samples in memory.

        >>> len(Dataset.from_samples([Sample("a", {"label": 1}), Sample("b")]))
        2
        """
        return cls(Listed(samples), descriptor)

    # What it is.

    @property
    def descriptor(self) -> Descriptor:
        """Name, remotes, shared items and so on. Relative remotes start at `root`."""
        return self._descriptor

    @property
    def root(self) -> Path | None:
        """The dataset directory that this was opened from; None for samples in memory."""
        return None if self._access is None else self._access.place.root

    @property
    def roots(self) -> list[Path]:
        """All dataset directories that samples are read from."""
        return [directory.root for directory in self._rows.directories()]

    @property
    def access(self) -> Access | None:
        """Where the descriptor's remotes and shared items are meant."""
        return self._access

    @property
    def rows(self) -> Rows:
        """The view itself."""
        return self._rows

    @property
    def ids(self) -> Sequence[str]:
        """All ids, in order."""
        from lake.dataset.views.ids import RowIds

        return RowIds(self._rows)

    @property
    def partitions(self) -> list[str]:
        """Names of the partitions: the first directories of the ids, in order of appearance."""
        return list(dict.fromkeys(id.partition("/")[0] for id in self._rows.ids() if "/" in id))

    def digest(self) -> str:
        """What is in the dataset, as one sha256: the same whatever its layout, text format,
        remotes and order of samples; another one when any sample changes.

        Raises:
            UsageError: two samples have one id.
        """
        from lake.dataset.digest import dataset_digest

        return dataset_digest(self)

    # Samples.

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice | Sequence[int] | str) -> Dataset: ...
    def __getitem__(self, index: int | slice | Sequence[int] | str) -> Sample | Dataset:
        if isinstance(index, slice):
            return self._derive(Picked.of(self._rows, range(len(self))[index]))
        if isinstance(index, str):
            return self.partition(index)
        if hasattr(index, "__index__") and not getattr(index, "shape", ()):
            return self._rows.sample(self._position(index))
        if isinstance(index, Iterable):
            return self._derive(
                Picked.of(self._rows, array("q", (self._position(each) for each in index)))
            )
        raise UsageError(
            f"samples are not indexed by {type(index).__name__}",
            hint="an int, a slice, a list of ints or the name of a partition; ids: ds.sample(id)",
        )

    def _position(self, index: Any) -> int:
        if isinstance(index, bool) or not hasattr(index, "__index__"):
            raise UsageError(
                f"{index!r} is no position of a sample",
                hint="a list of ints; a mask is a filter: ds.filter(fn)",
            )
        at = operator.index(index)
        count = len(self._rows)
        if not -count <= at < count:
            raise OutOfRange(f"there is no sample {at}, only {count}")
        return at + count if at < 0 else at

    def sample(self, id: str) -> Sample:
        """The sample of that id.

        Raises:
            NotFound: there is none.
        """
        at = self._rows.find(id)
        if at is None:
            where = f"{self.root}: {id}" if self.root else id
            raise NotFound("no such sample", where=where, hint="ds.ids lists them")
        return self._rows.sample(at)

    def partition(self, name: str) -> Dataset:
        """The samples in one directory of ids: "train", or "train/2024".

        Raises:
            NotFound: there are none.
        """
        found = self._rows.below(name.strip("/"))
        if not len(found):
            names = ", ".join(self.partitions[:12])
            hint = f"it has: {names}" if names else "a sample by its id: ds.sample(id)"
            raise NotFound("no such partition", where=name, hint=hint)
        return self._derive(Picked.of(self._rows, found))

    def __contains__(self, sample: object) -> bool:
        """Whether a sample, or an id, is in the dataset."""
        if isinstance(sample, str):
            return self._rows.find(sample) is not None
        if not isinstance(sample, Sample):
            return False
        at = self._rows.find(sample.id)
        return at is not None and self._rows.sample(at) == sample

    def __iter__(self) -> Iterator[Sample]:
        return self._rows.all(LAZY)

    def iter(
        self, prefetch: int = PREFETCH, *, keys: Iterable[str] | None = None
    ) -> Iterator[Sample]:
        """Iterate while the blobs of the next samples are fetched in the background.

        Args:
            prefetch: samples that are fetched at once; as many again may be waiting. Their
                blobs take at most 64 MiB or so each time; blobs over 16 MiB are left alone.
            keys: items to fetch; all blobs unless given.
        """
        if prefetch <= 0:
            return iter(self)
        kept = None if keys is None else frozenset(keys)
        return self._rows.all(Reading(prefetch, keys=kept, ahead=True))

    def iter_batches(
        self, size: int, *, prefetch: int = 0, keys: Iterable[str] | None = None
    ) -> Iterator[list[Sample]]:
        """Iterate over lists of `size` samples; the last one may be shorter."""
        if size < 1:
            raise UsageError("a batch has at least one sample", where=str(size))
        return windows(self.iter(prefetch, keys=keys), size)

    def __getitems__(self, indices: Sequence[int]) -> list[Sample]:
        """The samples at these positions, their blobs fetched all at once.

        A torch DataLoader calls it with the positions of a whole batch. `select` the items that
        you need first, so that no others are fetched.
        """
        positions = [self._position(each) for each in indices]
        return list(self._rows.walk(positions, Reading(max(1, len(positions)))))

    # Views.

    def _derive(self, rows: Rows, descriptor: Descriptor | None = None) -> Dataset:
        return Dataset(rows, descriptor or self._descriptor, self._access)

    def map(self, fn: Callable[[Sample], Sample]) -> Dataset:
        """Every sample through `fn`, which returns a sample of the same id.

        Called whenever the sample is read. Use `filter` to drop samples, `flat_map` to drop or
        add them, `with_ids` to change ids.
        """
        return self._derive(Mapped(self._rows, fn))

    def map_batches(
        self, fn: Callable[[list[Sample]], Sequence[Sample]], size: int = 1000
    ) -> Dataset:
        """Lists of up to `size` samples through `fn`, which returns as many, ids unchanged."""
        if size < 1:
            raise UsageError("a batch has at least one sample", where=str(size))
        return self._derive(BatchMapped(self._rows, fn, size))

    def flat_map(self, fn: Callable[[Sample], Sample | Iterable[Sample] | None]) -> Dataset:
        """Whatever samples `fn` makes of each one: None, one, or several with ids of their own.

        The length, and a sample by its position, are known after `fn` has run on all of them.
        """
        return self._derive(Flattened(self._rows, fn))

    def filter(self, keep: Callable[[Sample], object]) -> Dataset:
        """The samples for which `keep` gives something true.

        The length, and a sample by its position, are known after `keep` has seen them all.
        """
        return self._derive(Filtered(self._rows, keep))

    def select(self, *names: str) -> Dataset:
        """Every sample with only these items, shared ones too, as far as it has them."""
        return self._derive(Selected(self._rows, names), self._sharing(lambda n: n in names))

    def drop(self, *names: str) -> Dataset:
        """Every sample without these items, shared ones too."""
        return self._derive(Dropped(self._rows, names), self._sharing(lambda n: n not in names))

    def rename(self, names: Mapping[str, str] | None = None, /, **more: str) -> Dataset:
        """Every sample with items renamed, old name to new: `ds.rename(img="image")`."""
        from lake.dataset.shared import renamed

        plan = {**(names or {}), **more}
        shared = renamed(self._descriptor.shared, plan)
        descriptor = self._descriptor.model_copy(update={"shared": shared})
        return self._derive(Relabelled(self._rows, plan), descriptor)

    def _sharing(self, keep: Callable[[str], bool]) -> Descriptor:
        from lake.dataset.shared import kept

        shared = kept(self._descriptor.shared, keep)
        return self._descriptor.model_copy(update={"shared": shared})

    def cat(self, *others: Dataset) -> Dataset:
        """This dataset and others, one after the other; `a + b` is the same."""
        from lake.dataset.shared import common

        shared = self._descriptor.shared
        for other in others:
            shared = common(shared, self._access, other.descriptor.shared, other.access)
        descriptor = self._descriptor.model_copy(update={"shared": shared})
        return self._derive(Cat([self._rows, *(other._rows for other in others)]), descriptor)

    def __add__(self, other: Dataset) -> Dataset:
        return self.cat(other) if isinstance(other, Dataset) else NotImplemented

    def zip(self, other: Dataset, key_format: str = "*") -> Dataset:
        """Side by side, by position: each sample with the other's items too; ids stay.

        Args:
            other: a dataset of the same length.
            key_format: the names of the other's items, "*" standing for what they were.
        """
        if key_format.count("*") != 1:
            raise UsageError("a key format holds one *", where=key_format, hint='such as "*_right"')
        return self._derive(Zipped(self._rows, other._rows, key_format))

    def sort(self, key: Callable[[Sample], Any] | str, *, reverse: bool = False) -> Dataset:
        """In the order of what `key` gives for each sample; equal ones keep their order.

        Args:
            key: a function, or a path as `Sample.deep_get` takes: "score", "meta.a[0]".
        """
        if isinstance(key, str):
            key = _Deep(key)
        return self._derive(Ordered(self._rows, key, reverse))

    def shuffle(self, seed: int | None = None) -> Dataset:
        """In random order; the same for the same seed."""
        order = array("q", range(len(self)))
        random.Random(seed).shuffle(order)  # noqa: S311 - no secret hangs on it
        return self._derive(Picked.of(self._rows, order))

    def repeat(self, times: int) -> Dataset:
        """The whole dataset, several times over."""
        if times < 0:
            raise UsageError("it cannot be repeated so many times", where=str(times))
        return self._derive(Cat([self._rows] * times))

    def with_ids(self, ids: Callable[[int, Sample], str] | str) -> Dataset:
        """The same samples under other ids.

        Args:
            ids: a function of position and sample, or a format of the position: "{:06d}".
        """
        return self._derive(Renamed(self._rows, _Numbered(ids) if isinstance(ids, str) else ids))

    def with_descriptor(self, descriptor: Descriptor) -> Dataset:
        """The same samples under another descriptor, whose relative remotes start at `root`."""
        return self._derive(self._rows, descriptor)

    def __or__(self, stage: Any) -> Dataset:
        """`dataset | stage`: what the stage makes of it."""
        apply = getattr(stage, "apply", None)
        return apply(self) if callable(apply) else NotImplemented

    # Out.

    def write(
        self,
        out: str | Path,
        *,
        mode: str = "auto",
        modes: Mapping[str, str] | None = None,
        layout: Literal["files", "packed"] | None = None,
        format: Literal["json", "yaml"] | None = None,
        overwrite: bool = False,
        in_place: bool = False,
        keep_going: bool = False,
        jobs: int | None = None,
        progress: Progress | None = None,
    ) -> Dataset:
        """Write a dataset directory, and open it.

        A new directory appears whole or not at all. In one that is there only what differs is
        written; README, assets and whatever else is in it stay.

        Args:
            out: the directory.
            mode: how blobs get there. "manifests" keeps pointers, and copies only what has no
                remote; "auto" also takes the files that lie in the input directory along,
                cheaply where the file system can share them; "copy", "reflink", "hardlink" and
                "symlink" bring every blob as a file, fetched where need be, byte for byte.
            modes: other modes for some items, by name.
            layout: one manifest a file, or packed; by default as the input.
            format: of new manifests; by default as the input.
            overwrite: replace what another dataset of that name holds.
            in_place: `out` may be a directory that this dataset is read from.
            keep_going: a blob that no source serves stays a pointer, a sample that cannot be
                read or written is left out, and what `out` has of it stays as it is; the
                failures are raised at the end.
            jobs: transfers at once.
            progress: who watches.

        Raises:
            ConflictError: `out` holds something else, or is the input, or lies in it.
            UsageError: two samples have one id.
            BlobUnavailable: no source served a blob that is to be copied.
            PartialFailure: with `keep_going`, when all else is written.
        """
        from lake.dataset.write import write

        return write(
            self,
            Path(out),
            mode=mode,
            modes=modes or {},
            layout=layout,
            format=format,
            overwrite=overwrite,
            in_place=in_place,
            keep_going=keep_going,
            jobs=jobs,
            progress=progress,
        )

    def __repr__(self) -> str:
        name = self._descriptor.name or (self.root.name if self.root else None)
        parts = [name, None if self._rows.runs_code else f"{len(self):,} samples"]
        return f"<Dataset {', '.join(part for part in parts if part) or 'view'}>"

    def _repr_html_(self) -> str:
        from lake.dataset.html import dataset_html

        return dataset_html(self)


class OutOfRange(NotFound, IndexError):
    """No sample at that position; an IndexError too, as sequences must raise."""

    __str__ = NotFound.__str__


class _Deep:
    """The value at a path of a sample."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __call__(self, sample: Sample) -> Any:
        return sample.deep_get(self._path)


class _Numbered:
    """An id made of the position."""

    def __init__(self, format: str) -> None:
        self._format = format

    def __call__(self, index: int, sample: Sample) -> str:
        return self._format.format(index)
