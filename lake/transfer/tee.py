"""One body, read once, for several readers at the same time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from queue import Empty, Full, Queue

from lake.errors import LakeError, RemoteError
from lake.store.store import Body

DEPTH = 4
"""Pieces that the fastest reader may be ahead of the slowest."""
STALL = 30.0
"""Seconds after which a reader that takes nothing is left behind."""
_TICK = 0.05


class Tee:
    """Splits `body` into `branches`; `pump` makes the bytes flow, in the calling thread.

    Each branch is read in a thread of its own. A branch that is opened again (a retry), or that
    was left behind, reads the body anew for itself.
    """

    def __init__(self, body: Body, count: int) -> None:
        self._body = body
        self.branches = [Branch(body) for _ in range(count)]

    def pump(self) -> None:
        """Read the body once and hand every piece to all branches; raises nothing: what the
        body raises, the branches raise."""
        end: LakeError | None = None
        try:
            for piece in self._body.open():
                live = [branch for branch in self.branches if not branch.done]
                if not live:
                    break
                for branch in live:
                    branch.offer(piece)
        except LakeError as error:
            end = error
        for branch in self.branches:
            branch.offer(end)


class Branch:
    """One reader's view of the body."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._queue: Queue[bytes | LakeError | None] = Queue(DEPTH)
        self._shared = True
        self._lock = threading.Lock()
        self.done = False

    @property
    def size(self) -> int:
        return self._body.size

    def open(self) -> Iterator[bytes]:
        with self._lock:
            shared, self._shared = self._shared, False
        if not shared:
            self.done = True
            yield from self._body.open()
            return
        while True:
            try:
                piece = self._queue.get(timeout=_TICK)
            except Empty:
                if self.done:
                    raise RemoteError("left behind by the others", transient=True) from None
                continue
            if piece is None:
                return
            if isinstance(piece, LakeError):
                raise piece
            yield piece

    def offer(self, piece: bytes | LakeError | None) -> None:
        """Hand a piece on, waiting for room while the reader is alive."""
        since = time.monotonic()
        while not self.done:
            try:
                self._queue.put(piece, timeout=_TICK)
                return
            except Full:
                self.done = time.monotonic() - since > STALL
