"""New blobs that no place holds yet: bytes, a file of the user's, an object to encode."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from lake.dataset.item import Item
from lake.dataset.typed import built
from lake.errors import UsageError

if TYPE_CHECKING:
    import builtins

    from lake_schemas.blob import BlobRef


class PendingItem(Item):
    """A blob on its way into a dataset; its ref names no place."""

    __slots__ = ("_ext", "_ref", "_type")

    is_blob = True

    def __init__(self, type: str, ext: str | None) -> None:
        self._type = type
        self._ext = ext
        self._ref: BlobRef | None = None

    @property
    def ref(self) -> BlobRef:
        if self._ref is None:
            self._ref = self.describe(*self._identity())
        return self._ref

    @property
    def is_hashed(self) -> bool:
        """Whether the ref is known without reading anything."""
        return self._ref is not None

    @property
    def payload(self) -> builtins.bytes | Path:
        """The bytes, or the file that holds them; what a push takes beside the ref."""
        return self.bytes()

    def describe(self, sha256: str, size: int) -> BlobRef:
        """The ref for content that was just hashed, by a writer that copied it, say."""
        from lake_schemas.blob import BlobRef

        return built(
            lambda: BlobRef(sha256=sha256, size=size, type=self._type, ext=self._ext),
            f"media type {self._type!r}, extension {self._ext!r}",
        )

    def _identity(self) -> tuple[str, int]:
        import hashlib

        data = self.bytes()
        return hashlib.sha256(data).hexdigest(), len(data)

    def __call__(self) -> Any:
        from lake.dataset.codecs import decode

        return decode(self.bytes(), self._type)

    def open(self) -> BinaryIO:
        return io.BytesIO(self.bytes())

    def path(self) -> Path:
        raise UsageError(
            "this blob has no file yet", hint="write the dataset first, or use .bytes()"
        )

    @property
    def value(self) -> Any:
        raise UsageError("a blob is not an inline value", hint="call the item to decode it")

    @property
    def type(self) -> str:
        return self._type

    @property
    def ext(self) -> str | None:
        return self._ext

    def _source(self) -> str:
        return "in memory"

    def __repr__(self) -> str:
        return f"<Item {self._type}, new, {self._source()}>"


class PendingBytes(PendingItem):
    """A new blob whose bytes are in memory."""

    __slots__ = ("_data",)

    def __init__(self, data: builtins.bytes, type: str, ext: str | None) -> None:
        super().__init__(type, ext)
        self._data = bytes(data)

    def bytes(self) -> builtins.bytes:
        return self._data


class PendingValue(PendingItem):
    """A new blob that a codec makes of an object, when its bytes are first asked for."""

    __slots__ = ("_data", "_object")

    def __init__(self, obj: object, type: str, ext: str | None) -> None:
        super().__init__(type, ext)
        self._object = obj
        self._data: builtins.bytes | None = None

    def __call__(self) -> Any:
        return self._object

    def bytes(self) -> builtins.bytes:
        if self._data is None:
            from lake.dataset.codecs import encode

            self._data = encode(self._object, self._type)
        return self._data


class PendingFile(PendingItem):
    """A new blob whose bytes are in a file of the user's."""

    __slots__ = ("_path",)

    def __init__(self, path: Path, type: str | None) -> None:
        from lake.dataset.codecs import media_type_of

        found, ext = media_type_of(path.name)
        if type is not None and type != found:
            found, ext = type, path.suffix.removeprefix(".") or None
        super().__init__(found, ext)
        self._path = path.absolute()

    def bytes(self) -> builtins.bytes:
        from lake import fsio

        with fsio.os_errors(str(self._path)):
            return self._path.read_bytes()

    def open(self) -> BinaryIO:
        from lake import fsio

        with fsio.os_errors(str(self._path)):
            return self._path.open("rb")

    def path(self) -> Path:
        return self._path

    @property
    def payload(self) -> Path:
        return self._path

    def _identity(self) -> tuple[str, int]:
        from lake import fsio

        return fsio.hash_file(self._path)

    @property
    def size(self) -> int:
        from lake import fsio

        with fsio.os_errors(str(self._path)):
            return self._path.stat().st_size

    def _source(self) -> str:
        return f"from {self._path}"
