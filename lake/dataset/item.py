"""One named thing of a sample: bytes in a blob, or a value kept in the manifest itself."""

from __future__ import annotations

import abc
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from lake.errors import UsageError

if TYPE_CHECKING:
    import builtins

    from lake.dataset.access import Access
    from lake.transfer import Place, Source
    from lake_schemas.blob import BlobRef


class Item(abc.ABC):
    """One named thing of a sample. Call it for what it means: `sample["image"]()`.

    Items never change. A new one comes from `from_file`, `from_bytes`, `from_value` or
    `from_ref`, and reaches a dataset by `Sample.set` and `Dataset.write`.
    """

    __slots__ = ()

    is_blob: bool
    """Whether bytes of its own stand behind it; else it is an inline value."""

    @abc.abstractmethod
    def __call__(self) -> Any:
        """The decoded object: an array, text, a table ...; bytes where no codec is known.

        Raises:
            BlobUnavailable: no source served the blob; says what each answered.
            Unsupported: the codec needs an extra that is not installed.
        """

    @abc.abstractmethod
    def bytes(self) -> builtins.bytes:
        """The bytes exactly as they were stored; verified. Of an inline value, its JSON text."""

    @abc.abstractmethod
    def open(self) -> BinaryIO:
        """The bytes as a seekable binary file; big blobs are read part by part."""

    @abc.abstractmethod
    def path(self) -> Path:
        """A real local file with the bytes, to be read only; fetched first if need be."""

    @property
    @abc.abstractmethod
    def ref(self) -> BlobRef:
        """Digest, size, media type, and where it is.

        Raises:
            UsageError: it is an inline value.
        """

    @property
    @abc.abstractmethod
    def value(self) -> Any:
        """The inline value.

        Raises:
            UsageError: it is a blob.
        """

    @property
    @abc.abstractmethod
    def type(self) -> str:
        """The media type, "application/json" for an inline value."""

    @property
    def ext(self) -> str | None:
        """The file's extension, where it is not the usual one of the media type."""
        return None

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.bytes())

    @property
    def sources(self) -> Sequence[Source]:
        """Where the blob can be read from now, in the order in which that is tried."""
        return ()

    @property
    def place(self) -> Place | None:
        """Where the ref's aliases and file are meant; None while no place holds the blob."""
        return None

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Item):
            return NotImplemented
        if self.is_blob != other.is_blob:
            return False
        if self.is_blob:
            return self.ref.content == other.ref.content
        return bool(self.value == other.value)

    __hash__ = None  # type: ignore[assignment]

    @staticmethod
    def from_bytes(
        data: builtins.bytes, *, type: str = "application/octet-stream", ext: str | None = None
    ) -> Item:
        """A new blob of these bytes, kept as they are.

        Args:
            data: the content.
            type: its media type.
            ext: a file extension without dot, where it is not the usual one of the media type.

        >>> Item.from_bytes(b"hello", type="text/plain")()
        'hello'
        """
        from lake.dataset.pending import PendingBytes

        return PendingBytes(data, type, ext)

    @staticmethod
    def from_file(path: str | Path, *, type: str | None = None) -> Item:
        """A new blob of a file's bytes, which are read when the item is used or written.

        The media type follows from the file's name unless given; unknown names are bytes.

        Raises:
            InputError: when it is used: the file is missing, unreadable, or changes meanwhile.
        """
        from lake.dataset.pending import PendingFile

        return PendingFile(Path(path), type)

    @staticmethod
    def from_value(obj: object, *, type: str, ext: str | None = None) -> Item:
        """A new blob of what a codec makes of `obj`: an array as type="image/png", say.

        It is encoded once, when its bytes are first asked for; leave `obj` as it is until then.
        """
        from lake.dataset.pending import PendingValue

        return PendingValue(obj, type, ext)

    @staticmethod
    def from_ref(ref: BlobRef, place: Place | None = None) -> Item:
        """A blob that lies somewhere already: `ref` says where, `place` what that means."""
        from lake.dataset.access import Access
        from lake.transfer import Place

        return StoredItem(ref, Access(place or Place()))


class InlineItem(Item):
    """A value that stands in the manifest."""

    __slots__ = ("_value",)

    is_blob = False

    def __init__(self, value: Any) -> None:
        self._value = value

    def __call__(self) -> Any:
        return self.value

    def bytes(self) -> builtins.bytes:
        import orjson

        return orjson.dumps(self._value)

    def open(self) -> BinaryIO:
        return io.BytesIO(self.bytes())

    def path(self) -> Path:
        raise UsageError("an inline value has no file", hint="call the item, or use .bytes()")

    @property
    def ref(self) -> BlobRef:
        raise UsageError("an inline value is not a blob", hint="look at .is_blob first")

    @property
    def value(self) -> Any:
        from lake.dataset.values import copied

        return copied(self._value)

    @property
    def type(self) -> str:
        return "application/json"

    def __repr__(self) -> str:
        text = repr(self._value)
        return f"<Item {text if len(text) <= 60 else text[:57] + '...'}>"


class StoredItem(Item):
    """A blob that a manifest points at. It keeps its bytes only where they were prefetched."""

    __slots__ = ("_access", "_data", "_ref")

    is_blob = True

    def __init__(self, ref: BlobRef, access: Access, data: builtins.bytes | None = None) -> None:
        self._ref = ref
        self._access = access
        self._data = data

    def __call__(self) -> Any:
        from lake.dataset.codecs import decode

        return decode(self.bytes(), self._ref.type)

    def bytes(self) -> builtins.bytes:
        if self._data is not None:
            return self._data
        return self._access.fetcher.read(self._ref, self._access.place)

    def open(self) -> BinaryIO:
        if self._data is not None:
            return io.BytesIO(self._data)
        return self._access.fetcher.open(self._ref, self._access.place)

    def path(self) -> Path:
        return self._access.fetcher.path(self._ref, self._access.place)

    @property
    def ref(self) -> BlobRef:
        return self._ref

    @property
    def value(self) -> Any:
        raise UsageError("a blob is not an inline value", hint="call the item to decode it")

    @property
    def type(self) -> str:
        return self._ref.type

    @property
    def ext(self) -> str | None:
        return self._ref.ext

    @property
    def size(self) -> int:
        return self._ref.size

    @property
    def sources(self) -> Sequence[Source]:
        return self._access.hub.sources(self._ref, self._access.place)

    @property
    def place(self) -> Place:
        return self._access.place

    @property
    def access(self) -> Access:
        """Where the ref is meant, and the hub to read it through."""
        return self._access

    def with_ref(self, ref: BlobRef, place: Place | None = None) -> StoredItem:
        """The same blob by another ref: in other remotes, in another file.

        Raises:
            UsageError: the ref is of other bytes.
        """
        if (ref.sha256, ref.size) != (self._ref.sha256, self._ref.size):
            raise UsageError("the new ref is of other bytes", where=ref.sha256)
        access = self._access if place is None else self._access.at(place)
        return StoredItem(ref, access, self._data)

    def loaded(self, data: builtins.bytes) -> StoredItem:
        """The same item with its bytes, fetched and verified by the caller, at hand."""
        return StoredItem(self._ref, self._access, data)

    def __reduce__(self) -> tuple[Any, ...]:
        return (StoredItem, (self._ref, self._access, self._data))

    def __repr__(self) -> str:
        return f"<Item {self._ref.type} {self._ref.size} B {self._ref.sha256[:12]}>"
