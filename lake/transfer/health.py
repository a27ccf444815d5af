"""Which remotes do not answer, so that not every blob waits for them again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from lake.errors import LakeError

FAILURES = 3
"""Failures in a row after which a remote counts as dead."""
FIRST_PAUSE = 2.0
LONGEST_PAUSE = 300.0


@dataclass(slots=True)
class _Record:
    failures: int = 0
    pause: float = 0.0
    probe_at: float = 0.0
    last: LakeError | None = None


class Health:
    """Remembers failures by remote; a dead one is probed by one caller at a time, ever later.

    >>> now = [0.0]
    >>> health = Health(clock=lambda: now[0])
    >>> for _ in range(3): health.failed("nas", LakeError("no route"))
    >>> health.answers("nas")
    False
    >>> now[0] = 5.0
    >>> health.answers("nas"), health.answers("nas")    # one caller goes to see, the next waits
    (True, False)
    >>> health.worked("nas"); health.answers("nas")
    True
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._records: dict[str, _Record] = {}

    def answers(self, remote: str) -> bool:
        """Whether to try `remote` now; True of a dead one is the turn to probe it."""
        if not self._records:
            return True
        with self._lock:
            record = self._records.get(remote)
            if record is None or record.failures < FAILURES:
                return True
            now = self._clock()
            if now < record.probe_at:
                return False
            record.probe_at = now + record.pause
            return True

    def failed(self, remote: str, error: LakeError, *, fatal: bool = False) -> None:
        """`remote` did not do what was asked; `fatal` makes it dead at once."""
        with self._lock:
            record = self._records.setdefault(remote, _Record())
            record.failures = max(record.failures + 1, FAILURES if fatal else 0)
            record.last = error
            if record.failures >= FAILURES:
                record.pause = min(LONGEST_PAUSE, record.pause * 2 or FIRST_PAUSE)
                record.probe_at = self._clock() + record.pause

    def worked(self, remote: str) -> None:
        """`remote` answered, if only that it has no such object."""
        if self._records:
            with self._lock:
                self._records.pop(remote, None)

    def why(self, remote: str) -> LakeError | None:
        """The last failure of a remote that does not answer."""
        with self._lock:
            record = self._records.get(remote)
            return None if record is None else record.last
