"""Check blobs in all places that should hold them, and mend what is bad from what is good."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lake.progress import Progress, Silent
from lake.transfer.checks import Finding, Holder, holders
from lake.transfer.chunks import sidecar_ref
from lake.transfer.mention import Mention, Windows
from lake.transfer.repair import Repair
from lake.transfer.window import Window

if TYPE_CHECKING:
    from lake.transfer.hub import Hub

KEPT = 10_000
"""Findings that a report holds; its counts have the true numbers."""


@dataclass(slots=True)
class VerifyReport:
    """What a check found.

    Attributes:
        blobs, size: different blobs, and their bytes.
        checked: copies looked at, over all places.
        read: bytes read and hashed.
        counts: copies by state: "ok", "missing", "size", "corrupt", "changed" (an own file that
            is not what its manifest says), "unreachable", "repaired".
        unavailable: blobs of which no good copy was found.
        findings: all copies that are not "ok", at most 10,000.
    """

    blobs: int = 0
    size: int = 0
    checked: int = 0
    read: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    unavailable: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether every copy is good, or good again."""
        return not set(self.counts) - {"ok", "repaired"} and not self.unavailable

    def to_dict(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {
            "ok": self.ok,
            "blobs": self.blobs,
            "size": self.size,
            "checked": self.checked,
            "read": self.read,
            "counts": dict(sorted(self.counts.items())),
            "unavailable": self.unavailable,
            "findings": [finding.to_dict() for finding in self.findings],
        }


def verify_blobs(
    hub: Hub,
    mentions: Iterable[Mention],
    *,
    read_data: bool = False,
    repair: bool = False,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> VerifyReport:
    """Check every blob in its own file, in the cache if it is there, and in every remote named.

    Args:
        read_data: read and hash all bytes, believing no stamp; else only look at presence and
            size.
        repair: put good bytes, from wherever they are, in the place of missing and bad ones:
            in remotes, and where an own file is missing. An own file that was changed stays.
        jobs: copies checked at once.
        progress: advanced by copies and bytes.
    """
    report = VerifyReport()
    work = _Verify(hub, report, read_data, Repair(hub) if repair else None, progress or Silent())
    windows = Windows(_with_sidecars(mentions))
    for window in windows:
        threads = jobs or max((work.threads(mention) for mention in window), default=1)
        hub.crew.run(window, work.check, threads=max(1, min(threads, len(window))))
        work.finish_window()
    report.blobs, report.size = windows.blobs, windows.size
    # Threads find them in any order.
    report.findings.sort(key=lambda found: (found.sample, found.key, found.source))
    return report


def _with_sidecars(mentions: Iterable[Mention]) -> Iterator[Mention]:
    for mention in mentions:
        yield mention
        chunks = mention.ref.chunks
        if chunks is not None:
            side = sidecar_ref(mention.ref, chunks)
            if side.in_:
                yield mention._replace(key=f"{mention.key} (chunk digests)", ref=side)


class _Verify:
    def __init__(
        self,
        hub: Hub,
        report: VerifyReport,
        read_data: bool,
        repair: Repair | None,
        progress: Progress,
    ) -> None:
        self._hub = hub
        self._report = report
        self._read_data = read_data
        self._repair = repair
        self._progress = progress
        self._lock = threading.Lock()
        self._window = Window()
        self._mended: list[tuple[Holder, Finding]] = []

    def threads(self, mention: Mention) -> int:
        """How many threads suit the places of one blob."""
        return max((holder.concurrency for holder in holders(self._hub, mention)), default=1)

    def check(self, mention: Mention) -> None:
        """Check all copies of one blob."""
        copies: list[tuple[Holder, Finding]] = []
        for holder in holders(self._hub, mention):
            found = holder.check(self._read_data)
            if found is not None:
                copies.append((holder, found))
                self._progress.advance(items=1)
        bad = [copy for copy in copies if copy[1].state != "ok"]
        mended: list[tuple[Holder, Finding]] = []
        if bad and self._repair is not None:
            mended = self._mend(mention, bad)
        good = len(copies) - len(bad) + len(mended)
        with self._lock:
            report = self._report
            report.checked += len(copies)
            if self._read_data:
                report.read += mention.ref.size * sum(f.state == "ok" for _, f in copies)
            report.unavailable += not good
            self._mended += mended
            gone = {id(holder) for holder, _ in mended}
            for holder, finding in copies:
                if id(holder) not in gone:
                    self._enter(finding)

    def _mend(
        self, mention: Mention, bad: Sequence[tuple[Holder, Finding]]
    ) -> list[tuple[Holder, Finding]]:
        assert self._repair is not None  # noqa: S101 - the caller has looked
        mended = []
        for holder, finding in bad:
            if finding.mendable:
                with self._window.room(min(mention.ref.size, 32 << 20)):
                    if self._repair.mend(mention, holder):
                        mended.append((holder, finding))
        return mended

    def finish_window(self) -> None:
        """Make repairs durable, then count them."""
        if self._repair is None:
            return
        failed = self._repair.flush()
        for holder, finding in self._mended:
            good = holder.name not in failed
            self._enter(replace(finding, state="repaired") if good else finding)
        self._mended = []

    def _enter(self, finding: Finding) -> None:
        self._report.counts[finding.state] += 1
        if finding.state != "ok" and len(self._report.findings) < KEPT:
            self._report.findings.append(finding)
