"""Progress bars on a terminal: items, bytes, rate and time left."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from rich.console import Console, RenderableType
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

from lake.cli.output import size_text


class Bars:
    """Shows each piece of work as one line on stderr; implements `lake.progress.Progress`.

    Counting is two additions under a lock: the screen is drawn five times a second from the
    sums, however many items pass.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._lock = threading.Lock()
        self._line: _Line | None = None

    def start(self, what: str, *, items: int | None = None, size: int | None = None) -> None:
        """Begin a line named `what`."""
        self.finish()
        line = _Line(self._console, what, items, size)
        with self._lock:
            self._line = line
        line.start()

    def advance(self, *, items: int = 0, size: int = 0) -> None:
        """Count what is done."""
        with self._lock:
            if self._line is not None:
                self._line.items += items
                self._line.size += size

    def finish(self) -> None:
        """End the line begun last."""
        with self._lock:
            line, self._line = self._line, None
        if line is not None:
            line.stop()


class _Line(RichProgress):
    """One bar; its numbers are read when it is drawn."""

    def __init__(self, console: Console, what: str, items: int | None, size: int | None) -> None:
        super().__init__(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[counts]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            refresh_per_second=5,
        )
        self.items = self.size = 0
        self._items, self._size = items, size
        self.add_task(what, total=size or items, counts="")

    def get_renderables(self) -> Iterable[RenderableType]:
        for task in self.tasks:
            self.update(
                task.id,
                completed=self.size if self._size else self.items,
                counts=self._counts(task.elapsed or 0.0),
            )
        return super().get_renderables()

    def _counts(self, elapsed: float) -> str:
        parts = [f"{self.items:,}" + (f"/{self._items:,}" if self._items else "")]
        if self.size:
            parts.append(size_text(self.size) + (f"/{size_text(self._size)}" if self._size else ""))
        if elapsed > 0:
            parts.append(
                f"{size_text(self.size / elapsed)}/s"
                if self.size
                else f"{self.items / elapsed:,.0f}/s"
            )
        return "  ".join(parts)
