"""One sample: an immutable mapping from names to items, with an id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lake.dataset.deep import MISSING, deep_get
from lake.dataset.item import InlineItem, Item, StoredItem
from lake.dataset.typed import built, misused
from lake.errors import NotFound, UsageError
from lake_schemas.errors import FormatError
from lake_schemas.names import check_id, check_name
from lake_schemas.sample import SampleManifest

if TYPE_CHECKING:
    from lake.dataset.access import Access


class Stored:
    """What a dataset directory holds of one sample: its manifest and the shared items.

    `data` has the bytes of blobs that were fetched ahead, by name.
    """

    __slots__ = ("access", "data", "manifest", "shared")

    def __init__(
        self,
        manifest: SampleManifest,
        shared: SampleManifest,
        access: Access,
        data: Mapping[str, bytes] | None = None,
    ) -> None:
        self.manifest = manifest
        self.shared = shared
        self.access = access
        self.data = data

    def item(self, name: str) -> Item | None:
        """The item of that name; the sample's own wins over a shared one."""
        ref = self.manifest.items.get(name)
        if ref is not None:
            data = None if self.data is None else self.data.get(name)
            return StoredItem(ref, self.access, data)
        if name in self.manifest.values:
            return InlineItem(self.manifest.values[name])
        ref = self.shared.items.get(name)
        if ref is not None:
            return StoredItem(ref, self.access)
        if name in self.shared.values:
            return InlineItem(self.shared.values[name])
        return None

    def names(self) -> set[str]:
        """Names of all items, shared ones too."""
        manifest, shared = self.manifest, self.shared
        return {*manifest.items, *manifest.values, *shared.items, *shared.values}

    def __reduce__(self) -> tuple[Any, ...]:
        return (Stored, (self.manifest, self.shared, self.access, self.data))


class Sample(Mapping[str, Item]):
    """An immutable mapping from names to items, with an id.

    `sample["image"]()` decodes, `sample.set("label", "daisy")` gives a new sample.

    Args:
        id: names joined by "/"; the first of several is the partition.
        items: by name: items, or whatever `set` takes.

    Raises:
        UsageError: the id or a name is not legal, or a value is not JSON.

    >>> sample = Sample("train/000042", {"label": "daisy", "box": [1, 2, 30, 40]})
    >>> sample["label"](), sample.deep_get("box[2]")
    ('daisy', 30)
    """

    __slots__ = ("_changed", "_id", "_stored")

    def __init__(self, id: str, items: Mapping[str, object] | None = None) -> None:
        try:
            self._id = check_id(id)
        except FormatError as error:
            raise misused(error) from None
        self._stored: Stored | None = None
        # Items put in place of, or beside, the stored ones; None where one was dropped.
        self._changed: dict[str, Item | None] = {
            _checked(name): _as_item(value, name, None) for name, value in (items or {}).items()
        }

    @classmethod
    def stored(cls, id: str, stored: Stored) -> Sample:
        """A sample of a dataset directory, its id and names checked by the reader."""
        self = cls.__new__(cls)
        self._id = id
        self._stored = stored
        self._changed = {}
        return self

    @property
    def id(self) -> str:
        """The sample's id."""
        return self._id

    @property
    def partition(self) -> str | None:
        """The first name of an id that has several: "train" of "train/000042"."""
        head, slash, _ = self._id.partition("/")
        return head if slash else None

    def __getitem__(self, name: str) -> Item:
        item = self._find(name)
        if item is None:
            raise MissingItem(self, name)
        return item

    def _find(self, name: str) -> Item | None:
        if name in self._changed:
            return self._changed[name]
        return None if self._stored is None else self._stored.item(name)

    def __contains__(self, name: object) -> bool:
        if name in self._changed:
            return self._changed[name] is not None
        return self._stored is not None and name in self._stored.names()

    def _names(self) -> list[str]:
        names = set() if self._stored is None else self._stored.names()
        for name, item in self._changed.items():
            if item is None:
                names.discard(name)
            else:
                names.add(name)
        return sorted(names)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    def set(self, name: str, value: object) -> Sample:
        """The sample with `name` as `value`, which may be

        - an `Item`;
        - JSON (numbers, text, lists, objects, None): kept in the manifest itself;
        - `bytes`, or a `Path` of a file: a blob of exactly these bytes;
        - any object at all where a blob is replaced: encoded as that blob's media type.

        Raises:
            UsageError: the name is not legal, or the value is none of these.
        """
        return self._with({_checked(name): _as_item(value, name, self._find(name))})

    def drop(self, *names: str) -> Sample:
        """The sample without these items, as far as it has them."""
        return self._with(dict.fromkeys(name for name in names if name in self))

    def select(self, *names: str) -> Sample:
        """The sample with only these items, as far as it has them."""
        return self.drop(*(name for name in self._names() if name not in names))

    def rename(self, names: Mapping[str, str] | None = None, /, **more: str) -> Sample:
        """The sample with items renamed, old name to new; two may swap their names.

        Raises:
            NotFound: it has no item of an old name.
            UsageError: a new name is not legal or is taken.

        >>> Sample("a", {"label": 1}).rename(label="class_")["class_"]()
        1
        """
        plan = {**(names or {}), **more}
        moved = {_checked(new): self[old] for old, new in plan.items()}
        stay = [name for name in self._names() if name not in plan]
        taken = [new for new in plan.values() if new in stay]
        if taken or len(moved) < len(plan):
            raise UsageError(
                "two items would have one name", where=f"{self._id}: {', '.join(taken) or plan}"
            )
        return self._with({**dict.fromkeys(plan), **moved})

    def with_id(self, id: str) -> Sample:
        """The same items under another id.

        Raises:
            UsageError: the id is not legal.
        """
        fresh = Sample(id)
        fresh._stored = self._stored
        fresh._changed = self._changed
        return fresh

    def merge(self, other: Mapping[str, Item]) -> Sample:
        """The sample with all items of another one too; the other's win."""
        return self._with({name: other[name] for name in other})

    def deep_get(self, path: str, default: Any = MISSING) -> Any:
        """What lies at a path into the decoded items: `sample.deep_get("meta.a[0].b")`.

        Raises:
            NotFound: nothing lies there, and no default was given.
        """
        return deep_get(self, path, default)

    def to_dict(self) -> dict[str, Any]:
        """Every item decoded, by name."""
        return {name: self[name]() for name in self._names()}

    @property
    def manifest(self) -> SampleManifest:
        """The sample's own items as a manifest; shared items are not part of it.

        New blobs are hashed for it; their refs name no place.
        """
        if self._stored is not None and not self._changed:
            return self._stored.manifest
        names = (n for n in self._names() if n in self._changed or self.is_stored_own(n))
        return self.as_manifest({name: self[name] for name in names}, self._id)

    def is_stored_own(self, name: str) -> bool:
        """Whether the item stands, unchanged, in the sample's own manifest."""
        if self._stored is None or name in self._changed:
            return False
        own = self._stored.manifest
        return name in own.items or name in own.values

    def is_shared(self, name: str) -> bool:
        """Whether the item comes from the descriptor, where all samples have it from."""
        if self._stored is None or name in self._changed or self.is_stored_own(name):
            return False
        shared = self._stored.shared
        return name in shared.items or name in shared.values

    @property
    def dropped(self) -> list[str]:
        """Items that were dropped or renamed since the sample was read, shared ones too."""
        return sorted(name for name, item in self._changed.items() if item is None)

    @staticmethod
    def as_manifest(items: Mapping[str, Item], where: str) -> SampleManifest:
        """The manifest that holds these items."""
        blobs = {name: item.ref for name, item in items.items() if item.is_blob}
        values = {name: item.value for name, item in items.items() if not item.is_blob}
        return built(lambda: SampleManifest(items=blobs, values=values), where)

    @property
    def backing(self) -> Stored | None:
        """What a dataset directory holds of it, as long as nothing was changed."""
        return None if self._changed else self._stored

    def _with(self, changes: Mapping[str, Item | None]) -> Sample:
        fresh = Sample.__new__(Sample)
        fresh._id = self._id
        fresh._stored = self._stored
        fresh._changed = {**self._changed, **changes}
        return fresh

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Sample):
            return NotImplemented
        names = self._names()
        return (
            self._id == other._id
            and names == other._names()
            and all(self[name] == other[name] for name in names)
        )

    __hash__ = None  # type: ignore[assignment]

    def __getstate__(self) -> tuple[Any, ...]:
        return (self._id, self._stored, self._changed)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self._id, self._stored, self._changed = state

    def __repr__(self) -> str:
        names = self._names()
        shown = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
        return f"<Sample {self._id}: {shown}>"

    def _repr_html_(self) -> str:
        from lake.dataset.html import sample_html

        return sample_html(self)


class MissingItem(NotFound, KeyError):
    """A sample has no item of that name; a KeyError too, as mappings must raise."""

    def __init__(self, sample: Sample, name: str) -> None:
        import difflib

        names = list(sample)
        near = difflib.get_close_matches(str(name), names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"it has: {', '.join(names[:12])}"
        NotFound.__init__(self, f"the sample has no item {name!r}", where=sample.id, hint=hint)

    # KeyError's own would show the first argument only.
    __str__ = NotFound.__str__


def _checked(name: str) -> str:
    try:
        return check_name(name, "name of an item")
    except FormatError as error:
        raise misused(error) from None


def _as_item(value: object, name: str, replaced: Item | None) -> Item:
    from lake.dataset.values import inline, is_inline

    if isinstance(value, Item):
        return value
    if is_inline(value):
        return InlineItem(inline(value, name))
    blob = replaced if replaced is not None and replaced.is_blob else None
    if isinstance(value, Path):
        return Item.from_file(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        if blob is None:
            return Item.from_bytes(bytes(value))
        return Item.from_bytes(bytes(value), type=blob.type, ext=blob.ext)
    if blob is None:
        raise UsageError(
            f"how to keep this {type(value).__name__} is not clear",
            where=name,
            hint='say it with Item.from_value(obj, type="image/png"), or whichever media type',
        )
    return Item.from_value(value, type=blob.type, ext=blob.ext)
