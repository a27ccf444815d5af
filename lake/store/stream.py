"""The streams that stores hand out: over bytes in memory, and over an iterator of chunks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lake.store.store import CHUNK, Stream


class BytesStream(Stream):
    """Bytes that are in memory already."""

    def __init__(self, data: bytes) -> None:
        self.size = len(data)
        self._left: bytes | None = data

    def __iter__(self) -> Iterator[bytes]:
        data, self._left = self._left or b"", None
        if len(data) > CHUNK:
            yield from (data[at : at + CHUNK] for at in range(0, len(data), CHUNK))
        elif data:
            yield data

    def read(self) -> bytes:
        data, self._left = self._left, None
        return data or b""

    def close(self) -> None:
        self._left = None


class ChunkStream(Stream):
    """Chunks from an iterator; `on_close` is called once, at the end or at `close`."""

    def __init__(
        self, size: int, chunks: Iterator[bytes], on_close: Callable[[], None] | None = None
    ) -> None:
        self.size = size
        self._chunks = chunks
        self._on_close = on_close

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._chunks
        finally:
            self.close()

    def close(self) -> None:
        self._chunks = iter(())
        on_close, self._on_close = self._on_close, None
        if on_close is not None:
            on_close()


def cut(chunks: Iterator[bytes], start: int, stop: int) -> Iterator[bytes]:
    """The bytes from `start` up to `stop` of what `chunks` give: a range, read the hard way.

    >>> list(cut(iter([b"abc", b"def"]), 2, 4))
    [b'c', b'd']
    """
    at = 0
    for chunk in chunks:
        part = chunk[max(0, start - at) : max(0, stop - at)]
        at += len(chunk)
        if part:
            yield part
        if at >= stop:
            return
