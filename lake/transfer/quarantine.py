"""Bad bytes seen in this process: not asked for again, named in the end, offered for repair."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass

log = logging.getLogger("lake.transfer")


@dataclass(frozen=True, slots=True)
class Bad:
    """One blob that one source gave wrongly: `source` is its name for people, `why` what was
    wrong."""

    source: str
    sha256: str
    why: str


class Quarantine:
    """What was bad, by (source, sha256); thread-safe, for the life of one hub."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bad: dict[tuple[str, str], Bad] = {}

    def add(self, source: str, sha256: str, why: str, *, quietly: bool = False) -> None:
        """Remember a bad blob, and say so in the log unless `quietly`."""
        with self._lock:
            new = (source, sha256) not in self._bad
            self._bad[source, sha256] = Bad(source, sha256, why)
        if new and not quietly:
            log.warning(
                "bad blob %s: %s: %s; `lake verify DATASET --repair` mends it from a good source",
                sha256[:12],
                source,
                why,
            )

    def why(self, source: str, sha256: str) -> str | None:
        """What was wrong with this blob in this source, or None when nothing is known."""
        if not self._bad:
            return None
        with self._lock:
            found = self._bad.get((source, sha256))
        return None if found is None else found.why

    def lift(self, source: str, sha256: str) -> None:
        """The blob was mended."""
        with self._lock:
            self._bad.pop((source, sha256), None)

    def entries(self) -> list[Bad]:
        """All that was bad, in the order seen."""
        with self._lock:
            return list(self._bad.values())
