"""Long-lived worker threads, and a caller that waits so that Ctrl-C works at once.

Backends block inside calls that no signal reaches. So they are called from daemon threads only,
which loop over the jobs (a future for each would cost as much as a small upload), while the
caller waits on a Python event.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from lake.transfer import forks

J = TypeVar("J")

IDLE = 20.0
"""Seconds after which a thread without work ends."""


class Crew:
    """Threads that stay, and grow in number as they are asked for.

    >>> done = []
    >>> Crew().run([1, 2, 3], done.append, threads=2)
    >>> sorted(done)
    [1, 2, 3]
    """

    def __init__(self) -> None:
        self.after_fork()
        forks.renew(self)

    def after_fork(self) -> None:
        """Forget the threads: a forked child has none of them."""
        self._lock = threading.Lock()
        self._queue: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._free = 0

    def run(self, jobs: Iterable[J], do: Callable[[J], None], *, threads: int) -> None:
        """Call `do` with every job, from up to `threads` threads, and return when all is done.

        `jobs` is iterated lazily, one at a time, as threads come free. The first exception out
        of `do` or `jobs` ends the handing out, and is raised here once the calls under way have
        returned. Ctrl-C is raised at once, without waiting for those.
        """
        if not jobs:
            return
        if threads <= 1 and threading.current_thread() is not threading.main_thread():
            for job in jobs:
                do(job)
            return
        shift = _Shift(iter(jobs), do, max(1, threads))
        self._start(shift.work, max(1, threads))
        try:
            shift.done.wait()
        finally:
            shift.stop = True
        if shift.error is not None:
            raise shift.error

    def _start(self, work: Callable[[], None], count: int) -> None:
        with self._lock:
            new = max(0, count - self._free)
            self._free += new - count
            for _ in range(count):
                self._queue.put(work)
        for _ in range(new):
            threading.Thread(target=self._serve, args=(self._queue,), daemon=True).start()

    def _serve(self, queue: SimpleQueue[Callable[[], None]]) -> None:
        while True:
            try:
                work = queue.get(timeout=IDLE)
            except Empty:
                with self._lock:
                    # Whoever counted on this thread has put its work by now, or never will.
                    if queue.empty():
                        self._free -= 1
                        return
                continue
            work()
            with self._lock:
                self._free += 1


class _Shift(Generic[J]):
    """One `Crew.run`: what its threads share."""

    def __init__(self, jobs: Iterator[J], do: Callable[[J], None], threads: int) -> None:
        self._jobs = jobs
        self._do = do
        self._lock = threading.Lock()
        self._running = threads
        self.stop = False
        self.done = threading.Event()
        self.error: BaseException | None = None

    def work(self) -> None:
        try:
            while not self.stop:
                with self._lock:
                    if self.stop:
                        break
                    job = next(self._jobs, self)
                if job is self:
                    break
                self._do(job)  # type: ignore[arg-type]
        except BaseException as error:
            self.error = self.error or error
            self.stop = True
        finally:
            with self._lock:
                self._running -= 1
                last = not self._running
            if last:
                self.done.set()
