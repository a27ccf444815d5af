"""How long work tells whoever watches: a protocol, and the watcher that shows nothing.

The engines call it; the command line shows bars with rich, `--json` prints events. No engine
imports a terminal library.
"""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives the course of one piece of work; may be called from many threads."""

    def start(self, what: str, *, items: int | None = None, size: int | None = None) -> None:
        """Work named `what` begins: `items` and `size` (bytes) in all, where known."""

    def advance(self, *, items: int = 0, size: int = 0) -> None:
        """So many more items and bytes are done."""

    def finish(self) -> None:
        """The work begun last has ended, well or not."""


class Silent:
    """Shows nothing."""

    def start(self, what: str, *, items: int | None = None, size: int | None = None) -> None: ...

    def advance(self, *, items: int = 0, size: int = 0) -> None: ...

    def finish(self) -> None: ...
