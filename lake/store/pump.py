"""Hands an iterator's items from this thread to a consumer that runs in another one."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")
_AHEAD = 2


class Pump(Generic[T]):
    """Draws `source` in the calling thread while a consumer takes the items in a thread of its own.

    At most two items lie between them. What `source` raises, the consumer meets in its iterator;
    what the consumer raises ends the drawing. Either way `run` raises it.

    >>> total = []
    >>> Pump(iter([1, 2, 3])).run(total.extend)
    >>> total
    [1, 2, 3]
    """

    def __init__(self, source: Iterator[T]) -> None:
        self._source = source
        self._between: queue.Queue[tuple[T] | BaseException | None] = queue.Queue(_AHEAD)
        self._over = False
        self._failed: BaseException | None = None

    def run(self, consume: Callable[[Iterator[T]], object]) -> None:
        """Let `consume` take all items; returns once it has returned."""
        thread = threading.Thread(target=self._consume, args=(consume,), daemon=True)
        thread.start()
        try:
            for item in self._source:
                if self._over:
                    break
                self._between.put((item,))
            self._between.put(None)
        except BaseException as error:
            self._between.put(error)
            thread.join()
            raise
        thread.join()
        if self._failed is not None:
            raise self._failed

    def _consume(self, consume: Callable[[Iterator[T]], object]) -> None:
        try:
            consume(self._items())
        except BaseException as error:
            self._failed = error
        finally:
            # From here on at most one item more is put, or the end: both fit.
            self._over = True
            while not self._between.empty():
                self._between.get_nowait()

    def _items(self) -> Iterator[T]:
        while (item := self._between.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item[0]
