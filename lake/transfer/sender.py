"""Bring one blob into the remotes that lack it, from the first place that has its bytes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lake.errors import BlobUnavailable, LakeError
from lake.progress import Progress, Silent
from lake.transfer.chunks import BIG, CHUNK, Tap
from lake.transfer.first import Answers
from lake.transfer.sidecars import provide
from lake.transfer.spread import SMALL, Result, SourceFailed, send, send_bytes
from lake.transfer.supply import RemoteBody
from lake.transfer.window import Window

if TYPE_CHECKING:
    from lake.transfer.hub import Hub
    from lake.transfer.job import Job
    from lake.transfer.place import Place
    from lake.transfer.target import Target
    from lake_schemas.blob import BlobRef, Location

STREAMED = 64 << 20
"""Bytes of memory that one streamed upload may take: parts on their way, and those being read."""
TINY = 64 << 10
"""Up to this size blobs are not counted: all threads together hold little of them."""


@dataclass(slots=True)
class Sender:
    """Settles jobs, from many threads at once.

    Args:
        targets: the remotes, all of which get every blob.
        keep_going: record a failure in its job; else raise it.
        recheck: believe neither ledger nor manifests about what lies in a remote.
    """

    hub: Hub
    targets: Sequence[Target]
    progress: Progress = field(default_factory=Silent)
    keep_going: bool = False
    recheck: bool = False
    window: Window = field(default_factory=Window)

    def settle_known(self, jobs: Sequence[Job]) -> None:
        """Settle what the targets hold already; the rest becomes pending."""
        for target in self.targets:
            if target.down is None:
                try:
                    self._settle_known(target, jobs)
                except LakeError as error:
                    if not self.keep_going:
                        raise
                    target.down = error
            if target.down is not None:
                for job in jobs:
                    job.settle(target, "failed", target.down)

    def _settle_known(self, target: Target, jobs: Sequence[Job]) -> None:
        claims = set()
        adopted: list[tuple[Job, str]] = []
        for job in jobs:
            for ref, place, *_ in job.supply.wants:
                here = self._location(target, ref, place)
                if here is not None and here.key is None:
                    claims.add(ref.sha256)
                elif here is not None and here.key is not None:
                    adopted.append((job, here.key))

        def look(one: tuple[Job, str]) -> None:
            job, key = one
            if not self.recheck or target.has(job.ref.sha256, job.ref.size, key):
                job.settle(target, "known")

        threads = min(target.concurrency, len(adopted)) if self.recheck else 1
        self.hub.crew.run(adopted, look, threads=threads)
        held = target.holds([job.ref for job in jobs], claims, recheck=self.recheck)
        for job in jobs:
            if job.ref.sha256 in held:
                job.settle(target, "known")
            if target.name not in job.states:
                job.pending.append(target)

    def _location(self, target: Target, ref: BlobRef, place: Place) -> Location | None:
        """Where the ref says that it is in the target, if it does."""
        for location in ref.in_:
            try:
                if self.hub.reach(place, location.alias).url == target.opened.url:
                    return location
            except LakeError:
                continue
        return None

    def finish(self, job: Job) -> None:
        """Settle a job for good: send it where it is pending.

        Raises:
            BlobUnavailable: nothing that may hold its bytes gave them.
            RemoteError: a remote did not take it.
        """
        if not job.pending and job.ref.size < BIG:
            self.progress.advance(items=1, size=job.ref.size)
            return
        size = job.ref.size
        if size <= TINY:
            self._send_small(job)
        elif size <= SMALL:
            with self.window.room(size):
                self._send_small(job)
        else:
            with self.window.room(min(size, STREAMED)):
                sidecar = self._send_big(job)
                good = [t for t in self.targets if job.states.get(t.name) in ("uploaded", "known")]
                provide(self.hub, job, good, sidecar)
        self.progress.advance(items=1)

    def _send_small(self, job: Job) -> None:
        """Send one blob, held in memory, to its pending targets."""
        answers, expect = Answers(), job.supply.expect
        left = self._alive(job, job.pending)
        places = self._small(job, answers)
        while left:
            name, data = next(places, (None, b""))
            if name is None:
                self._fail_all(job, left, answers.unavailable(job.ref))
                return
            try:
                done = send_bytes(left, expect, data)
            except SourceFailed as failure:
                answers.add(name, failure.error)
                done = failure.done
            else:
                self.progress.advance(size=expect.size)
            left = self._settle(job, left, done)

    def _small(self, job: Job, answers: Answers) -> Iterator[tuple[str, bytes]]:
        """The bytes, from the places that may have them, best first."""
        yield from job.supply.local_bytes(self.hub, answers)
        with contextlib.suppress(BlobUnavailable):
            yield "a remote", job.supply.remote_bytes(self.hub, answers)

    def _send_big(self, job: Job) -> bytes | None:
        """Stream one blob to its pending targets; its sidecar, if that was reckoned on the way."""
        answers = Answers()
        left = self._alive(job, job.pending)
        for name, tap in self._taps(job, answers):
            if not left:
                return None
            try:
                done = send(left, job.supply.expect, tap)
            except SourceFailed as failure:
                done = failure.done
                if isinstance(failure.error, BlobUnavailable):
                    break
                if name:
                    answers.add(name, failure.error)
            left = self._settle(job, left, done)
            if not left:
                return tap.sidecar
        self._fail_all(job, left, answers.unavailable(job.ref))
        return None

    def _settle(
        self, job: Job, targets: Sequence[Target], done: Mapping[str, Result]
    ) -> list[Target]:
        """Enter what became of a blob; the targets that still have to get it."""
        for target in targets:
            result = done.get(target.name)
            if isinstance(result, LakeError):
                target.failed(result)
                self._failed(job, target, result)
            elif result is not None:
                job.settle(target, "uploaded" if result else "known")
        return self._alive(job, [target for target in targets if target.name not in done])

    def _alive(self, job: Job, targets: Sequence[Target]) -> list[Target]:
        for target in targets:
            if target.down is not None:
                self._failed(job, target, target.down)
        return [target for target in targets if target.down is None]

    def _taps(self, job: Job, answers: Answers) -> Iterator[tuple[str, Tap]]:
        """The places that may have the bytes, best first, until the caller has what it needs.

        Those that are not on this machine have no name here: they add to `answers` themselves.
        """
        chunk = CHUNK if job.ref.size >= BIG else 0
        for name, body in job.supply.local(self.hub):
            yield name, Tap(body, chunk=chunk, flowed=self._flowed)
        for _ in range(1 + 2 * len(job.ref.in_)):
            yield "", Tap(RemoteBody(job.supply, self.hub, answers), flowed=self._flowed)

    def _flowed(self, size: int) -> None:
        self.progress.advance(size=size)

    def _fail_all(self, job: Job, targets: Sequence[Target], error: LakeError) -> None:
        for target in targets:
            self._failed(job, target, error)

    def _failed(self, job: Job, target: Target, error: LakeError) -> None:
        job.settle(target, "failed", error)
        if not self.keep_going:
            raise error
