"""A big blob as a seekable file that fetches and verifies only the chunks that are read."""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

KEPT = 3
"""Chunks that an open file holds in memory."""


class ChunkedFile(io.RawIOBase):
    """A read-only file over chunks of `chunk` bytes, each fetched whole, verified, when needed.

    Raw: one read ends where a chunk ends; `io.BufferedReader` around it reads on. Thread-safe as
    far as the position is not shared.

    Args:
        size: bytes in all.
        chunk: bytes in each chunk but the last.
        fetch: gives the verified bytes of a chunk by its number.

    >>> with ChunkedFile(5, 2, lambda number: b"hello"[number * 2 : number * 2 + 2]) as file:
    ...     file.seek(1), file.read(3), file.read(9), file.read()
    (1, b'e', b'll', b'o')
    """

    def __init__(self, size: int, chunk: int, fetch: Callable[[int], bytes]) -> None:
        super().__init__()
        self._size = size
        self._chunk = chunk
        self._fetch = fetch
        self._at = 0
        self._kept: OrderedDict[int, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("a position before the start of the file")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        self._checkClosed()
        view = memoryview(buffer).cast("B")
        if self._at >= self._size or not view:
            return 0
        number, skip = divmod(self._at, self._chunk)
        part = memoryview(self._get(number))[skip : skip + len(view)]
        view[: len(part)] = part
        self._at += len(part)
        return len(part)

    def _get(self, number: int) -> bytes:
        with self._lock:
            data = self._kept.get(number)
            if data is None:
                data = self._kept[number] = self._fetch(number)
                if len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(number)
            return data
