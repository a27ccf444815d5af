"""Lines in the order of their ids, however they come and however many there are."""

from __future__ import annotations

import heapq
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from lake.fsio.oserrors import os_errors

if TYPE_CHECKING:
    from lake.fsio import StagedFile

BUFFER = 4 << 20
"""Bytes of lines held in memory; more are sorted in parts, on disk, and merged."""
_BLOCK = 256 << 10

Row = tuple[bytes, bytes]


class SortedLines:
    """Takes lines with their ids in any order; gives them back in the order of the ids.

    Args:
        stage: makes a temporary file to put lines aside in.
    """

    def __init__(self, stage: Callable[[], StagedFile], buffer: int = BUFFER) -> None:
        self._stage = stage
        self._limit = buffer
        self._rows: list[Row] = []
        self._size = 0
        self._spool: StagedFile | None = None
        self._runs: list[tuple[int, int]] = []

    def add(self, id: str, line: bytes) -> None:
        """The next line, which ends in its only "\\n"."""
        self._rows.append((id.encode(), line))
        self._size += len(line)
        if self._size >= self._limit:
            self._put_aside()

    def _put_aside(self) -> None:
        if self._spool is None:
            self._spool = self._stage()
        self._rows.sort()
        begin = self._runs[-1][1] if self._runs else 0
        # Each id stands before its line, so that merging need not parse anything.
        data = b"".join(id + b"\0" + line for id, line in self._rows)
        self._spool.write(data)
        self._runs.append((begin, begin + len(data)))
        self._rows.clear()
        self._size = 0

    def __iter__(self) -> Iterator[Row]:
        """(id, line) in order. Nothing can be added any more."""
        self._rows.sort()
        if self._spool is None:
            return iter(self._rows)
        runs = [self._run(begin, end) for begin, end in self._runs]
        return heapq.merge(*runs, self._rows)

    def _run(self, begin: int, end: int) -> Iterator[Row]:
        spool = self._spool
        if spool is None:
            return
        rest = b""
        while begin < end:
            with os_errors("temporary file"):
                block = os.pread(spool.fd, min(_BLOCK, end - begin), begin)
            begin += len(block)
            *lines, rest = (rest + block).split(b"\n")
            for row in lines:
                id, _, line = row.partition(b"\0")
                yield id, line + b"\n"

    def close(self) -> None:
        """Throw away what was put aside."""
        if self._spool is not None:
            self._spool.discard()
            self._spool = None
