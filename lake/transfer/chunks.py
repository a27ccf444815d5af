"""Big blobs in chunks: their digests let a part of a blob be verified without the rest.

The digests of all chunks, 32 raw bytes each, make up a small blob of their own, the sidecar,
which lies in the same remotes under its own content address.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from lake.errors import IntegrityError, LakeError
from lake.store.store import Body
from lake_schemas.blob import BlobRef, ChunkRef

if TYPE_CHECKING:
    from collections.abc import Iterable

BIG = 64 << 20
"""From this size on a blob gets chunk digests."""
CHUNK = 8 << 20
"""Bytes in each of its chunks but the last."""
SIDECAR_TYPE = "application/octet-stream"

_RAW = 32


class ChunkDigests:
    """The sha256 of every `size` bytes of a stream.

    >>> digests = ChunkDigests(2)
    >>> digests.update(b"abc")
    >>> len(digests.sidecar()) == 2 * 32
    True
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._room = size
        self._hash = hashlib.sha256()
        self._done: list[bytes] = []

    def update(self, piece: bytes) -> None:
        """The next bytes of the stream."""
        view = memoryview(piece)
        while view:
            part, view = view[: self._room], view[self._room :]
            self._hash.update(part)
            self._room -= len(part)
            if not self._room:
                self._close()

    def sidecar(self) -> bytes:
        """The raw digests, one after the other; the last is that of what was left."""
        if self._room < self._size:
            self._close()
        return b"".join(self._done)

    def _close(self) -> None:
        self._done.append(self._hash.digest())
        self._hash, self._room = hashlib.sha256(), self._size


class Tap:
    """A body that is watched as it flows.

    Args:
        body: what flows.
        chunk: bytes per chunk to reckon digests of; 0 for none.
        flowed: called with the number of bytes of each piece.

    Attributes:
        failed: what the body itself raised, as opposed to whoever was reading it.
        sidecar: of the last time the body flowed to its end; None before, or without `chunk`.
    """

    def __init__(
        self, body: Body, *, chunk: int = 0, flowed: Callable[[int], None] | None = None
    ) -> None:
        self._body = body
        self._chunk = chunk
        self._flowed = flowed
        self.failed: LakeError | None = None
        self.sidecar: bytes | None = None

    @property
    def size(self) -> int:
        return self._body.size

    def open(self) -> Iterator[bytes]:
        digests = ChunkDigests(self._chunk) if self._chunk else None
        left = self.size
        try:
            for piece in self._body.open():
                left -= len(piece)
                if digests is not None:
                    digests.update(piece)
                    if not left:
                        # Before the last piece is out: a reader may ask for no more than that.
                        self.sidecar = digests.sidecar()
                if self._flowed is not None:
                    self._flowed(len(piece))
                yield piece
        except LakeError as error:
            self.failed = error
            raise


def sidecar_ref(ref: BlobRef, chunks: ChunkRef) -> BlobRef:
    """The sidecar as a blob, in the remotes that hold `ref` under its content address."""
    count = -(-ref.size // chunks.size)
    places = tuple(place for place in ref.in_ if place.key is None)
    return BlobRef(sha256=chunks.sha256, size=count * _RAW, type=SIDECAR_TYPE, in_=places)


def chunk_ref(sidecar: bytes, chunk: int = CHUNK) -> ChunkRef:
    """The pointer to a sidecar, as a manifest has it."""
    return ChunkRef(size=chunk, sha256=hashlib.sha256(sidecar).hexdigest())


def sidecar_of(pieces: Iterable[bytes], chunk: int = CHUNK) -> bytes:
    """The sidecar of a whole stream."""
    digests = ChunkDigests(chunk)
    for piece in pieces:
        digests.update(piece)
    return digests.sidecar()


def check_chunk(data: bytes, index: int, sidecar: bytes, *, source: str) -> bytes:
    """The same bytes, once they are known to be chunk number `index` of their blob.

    Raises:
        IntegrityError: they are not.
    """
    if hashlib.sha256(data).digest() != sidecar[index * _RAW : (index + 1) * _RAW]:
        raise IntegrityError(f"chunk {index} holds other bytes than its digest", where=source)
    return data
