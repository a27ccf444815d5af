"""Files that this process has hashed and found right, for as long as they do not change."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict

from lake.transfer.ledger import FileStamp

LIMIT = 100_000


class Stamps:
    """Path to (stamp, sha256) in memory, the least recently used forgotten first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: OrderedDict[str, tuple[FileStamp, str]] = OrderedDict()

    def right(self, path: str, stamp: FileStamp, sha256: str) -> bool:
        """Whether the file was seen to hold that blob and has not changed since."""
        with self._lock:
            found = self._seen.get(path)
            if found is not None:
                self._seen.move_to_end(path)
            return found == (stamp, sha256)

    def add(self, path: str, stamp: FileStamp, sha256: str) -> None:
        """The file was read just now, with this stamp before and after, and holds that blob."""
        if not stamp.settled(time.time_ns()):
            return
        with self._lock:
            self._seen[path] = (stamp, sha256)
            if len(self._seen) > LIMIT:
                self._seen.popitem(last=False)
