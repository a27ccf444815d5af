"""Bring one blob into the remotes that lack it, from the first place that has its bytes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lake.errors import BlobUnavailable, LakeError
from lake.progress import Progress, Silent
from lake.store.body import BytesBody
from lake.store.store import Body
from lake.transfer.chunks import BIG, CHUNK, Tap
from lake.transfer.first import Answers
from lake.transfer.sidecars import provide
from lake.transfer.spread import SMALL, SourceFailed, send
from lake.transfer.supply import RemoteBody
from lake.transfer.window import Window

if TYPE_CHECKING:
    from lake.transfer.hub import Hub
    from lake.transfer.job import Job
    from lake.transfer.place import Place
    from lake.transfer.target import Target
    from lake_schemas.blob import BlobRef, Location

STREAMED = 32 << 20
"""Bytes of memory that one streamed upload is taken to need."""


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
                self._settle_known(target, jobs)
            else:
                for job in jobs:
                    job.settle(target, "failed", target.down)

    def _settle_known(self, target: Target, jobs: Sequence[Job]) -> None:
        claims = set()
        for job in jobs:
            for ref, place, *_ in job.supply.wants:
                here = self._location(target, ref, place)
                if here is None:
                    continue
                if here.key is None:
                    claims.add(ref.sha256)
                elif not self.recheck or target.has(ref.sha256, ref.size, here.key):
                    job.settle(target, "known")
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
        need = size if size <= SMALL else min(size, STREAMED * max(1, len(job.pending)))
        with self.window.room(need):
            sidecar = self._send(job)
            done = [t for t in self.targets if job.states.get(t.name) in ("uploaded", "known")]
            provide(self.hub, job, done, sidecar)
        self.progress.advance(items=1)

    def _send(self, job: Job) -> bytes | None:
        """Send one blob to its pending targets; its sidecar, if that was reckoned on the way."""
        answers = Answers()
        left = list(job.pending)
        for name, tap in self._taps(job, answers):
            left = self._alive(job, left)
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
            for target in left:
                result = done.get(target.name)
                if isinstance(result, LakeError):
                    target.failed(result)
                    self._failed(job, target, result)
                elif result is not None:
                    job.settle(target, "uploaded" if result else "known")
            left = [target for target in left if target.name not in done]
            if not left:
                return tap.sidecar
        error = answers.unavailable(job.ref)
        for target in left:
            self._failed(job, target, error)
        return None

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
        with contextlib.suppress(BlobUnavailable):
            for _ in range(1 + 2 * len(job.ref.in_)):
                yield "", Tap(self._remote_body(job, answers), flowed=self._flowed)

    def _remote_body(self, job: Job, answers: Answers) -> Body:
        if job.ref.size <= SMALL:
            return BytesBody(job.supply.remote_bytes(self.hub, answers))
        return RemoteBody(job.supply, self.hub, answers)

    def _flowed(self, size: int) -> None:
        self.progress.advance(size=size)

    def _failed(self, job: Job, target: Target, error: LakeError) -> None:
        job.settle(target, "failed", error)
        if not self.keep_going:
            raise error
