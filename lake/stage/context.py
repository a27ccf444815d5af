"""What a run asks of stages beyond their own parameters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lake.errors import LakeError
from lake.progress import Progress, Silent

if TYPE_CHECKING:
    from lake.config import Remote

_MOST = 1000


@dataclass(frozen=True)
class RunContext:
    """One run's wishes, and what its stages have to tell at the end.

    Attributes:
        jobs: transfers at once, or None for what suits the remote.
        progress: who watches.
        keep_going: note a failure with `fail` and go on.
        dry_run: count what would be done; upload and write nothing.
        recheck: ask remotes again for what the local ledger says they hold.
        typed: remotes that a stage names come from the person at the keyboard, not from a file.
        counts: what was done, by name, for the summary.
        failures: what was noted, at most 1,000; `counts["failed"]` has the true number.
        remotes: those that the stages fill: the run is done while these hold what they held.
    """

    jobs: int | None = None
    progress: Progress = field(default_factory=Silent)
    keep_going: bool = False
    dry_run: bool = False
    recheck: bool = False
    typed: bool = True
    counts: Counter[str] = field(default_factory=Counter)
    failures: list[LakeError] = field(default_factory=list)
    remotes: list[Remote] = field(default_factory=list)

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process has no screen, and counts for itself.
        wishes = (self.jobs, Silent(), self.keep_going, self.dry_run, self.recheck, self.typed)
        return (RunContext, wishes)

    def fail(self, error: LakeError) -> None:
        """Note a failure, or raise it where the run stops at the first."""
        if not self.keep_going:
            raise error
        self.counts["failed"] += 1
        if len(self.failures) < _MOST:
            self.failures.append(error)


_current: ContextVar[RunContext | None] = ContextVar("lake_run", default=None)


def current() -> RunContext:
    """The run that a stage is applied in; outside of one, a silent run that stops at failures.

    Ask for it in `apply`, and hand it on to what works later: a view is read when `apply` has
    long returned.
    """
    return _current.get() or RunContext()


@contextmanager
def running(context: RunContext) -> Iterator[RunContext]:
    """Make `context` the current run within a `with` block."""
    token = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(token)
