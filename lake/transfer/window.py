"""How many bytes may be in memory at once, over all threads."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

IN_FLIGHT = 128 << 20
"""Bytes of blobs held in memory at a time by one push or fetch."""


class Window:
    """Lets bytes in while there is room; one caller too big for it is let in alone.

    >>> window = Window(10)
    >>> with window.room(8): window.used
    8
    >>> window.used
    0
    """

    def __init__(self, limit: int = IN_FLIGHT) -> None:
        self.limit = limit
        self.used = 0
        self._space = threading.Condition()
        # Whoever waits for room holds the gate, so that small ones do not starve a big one.
        self._gate = threading.Lock()

    @contextlib.contextmanager
    def room(self, size: int) -> Iterator[None]:
        """Hold `size` bytes of the window for the time of the `with` block."""
        with self._gate, self._space:
            while self.used and self.used + size > self.limit:
                self._space.wait()
            self.used += size
        try:
            yield
        finally:
            with self._space:
                self.used -= size
                self._space.notify()
