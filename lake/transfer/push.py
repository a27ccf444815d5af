"""Send blobs to remotes: each read once, sent only where it is missing, durable in the end."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from lake.errors import BlobUnavailable, LakeError
from lake.progress import Progress, Silent
from lake.store.body import BytesBody
from lake.store.store import Body
from lake.transfer.chunks import BIG, CHUNK, Tap
from lake.transfer.first import Answers
from lake.transfer.job import Job, collect, located, rounds
from lake.transfer.outcome import PushOutcome, PushReport
from lake.transfer.sidecars import provide
from lake.transfer.spread import SMALL, SourceFailed, send
from lake.transfer.supply import RemoteBody, Want
from lake.transfer.target import Target
from lake.transfer.window import Window

if TYPE_CHECKING:
    from lake.config import Remote
    from lake.transfer.hub import Hub
    from lake.transfer.place import Place
    from lake_schemas.blob import BlobRef, Location

STREAMED = 32 << 20
"""Bytes of memory that one streamed upload is taken to need."""


class Pusher:
    """Uploads blobs to remotes; what `push` reports as done is durable there.

    Args:
        hub: what is open.
        remotes: where to; each blob goes to all of them.
        jobs: transfers at once; by default what suits the remotes.
        progress: advanced by blobs and bytes; the caller starts and finishes it.
        keep_going: record failures and go on; else the first one is raised, once what was
            already sent is durable.
        recheck: ask the remotes for every blob, and believe neither ledger nor manifests.
        dry_run: send nothing; outcomes say "planned".

    Attributes:
        report: counts so far.
        targets: the remotes, in the order given.

    Raises:
        LakeError: a remote cannot be written to at all, unless `keep_going`.
    """

    def __init__(
        self,
        hub: Hub,
        remotes: Sequence[Remote],
        *,
        jobs: int | None = None,
        progress: Progress | None = None,
        keep_going: bool = False,
        recheck: bool = False,
        dry_run: bool = False,
    ) -> None:
        self._hub = hub
        self._jobs = jobs
        self._progress = progress or Silent()
        self._keep_going = keep_going
        self._recheck = recheck
        self._dry_run = dry_run
        self._window = Window()
        self.report = PushReport()
        self.targets = [Target(hub, remote, dry_run=dry_run) for remote in remotes]
        for target in self.targets:
            if target.down is not None and not keep_going:
                raise target.down

    def push(self, items: Sequence[Want]) -> list[PushOutcome]:
        """Have every blob in every remote; one outcome per item and remote, item by item.

        Args:
            items: (ref, place) pairs, or (ref, place, payload) triples whose payload is the
                blob's bytes, or the path of a file that holds them.

        Raises:
            BlobUnavailable: nothing that may hold a blob's bytes gave them.
            RemoteError: a remote did not take a blob.
        """
        jobs = collect(items)
        for part in rounds(list(jobs.values())):
            self._round(part)
        return [
            jobs[item[0].sha256, item[0].size].outcome(item[0], target)
            for item in items
            for target in self.targets
        ]

    def located(self, items: Sequence[Want]) -> list[BlobRef]:
        """Push; the refs of `items`, each with the remotes that hold it now."""
        outcomes = iter(self.push(items))
        refs = []
        for ref, *_ in items:
            for _ in self.targets:
                outcome = next(outcomes)
                if outcome.ok:
                    ref = located(ref, outcome.remote, outcome.ref.chunks)
            refs.append(ref)
        return refs

    def _round(self, jobs: list[Job]) -> None:
        for target in self.targets:
            self._settle_known(target, jobs)
        if self._dry_run:
            for job in jobs:
                for target in job.pending:
                    job.settle(target, "planned")
        else:
            self._transfer(jobs)
        for job in jobs:
            for target in self.targets:
                name = target.name
                self.report.count(job.states[name], job.ref.size, job.errors.get(name))

    def _settle_known(self, target: Target, jobs: list[Job]) -> None:
        """Settle what `target` holds already; the rest becomes pending."""
        if target.down is not None:
            for job in jobs:
                job.settle(target, "failed", target.down)
            return
        claims = set()
        for job in jobs:
            for ref, place, *_ in job.supply.wants:
                here = self._location(target, ref, place)
                if here is None:
                    continue
                if here.key is None:
                    claims.add(ref.sha256)
                elif not self._recheck or target.has(ref.sha256, ref.size, here.key):
                    job.settle(target, "known")
        held = target.holds([job.ref for job in jobs], claims, recheck=self._recheck)
        for job in jobs:
            if job.ref.sha256 in held:
                job.settle(target, "known")
            if target.name not in job.states:
                job.pending.append(target)

    def _location(self, target: Target, ref: BlobRef, place: Place) -> Location | None:
        """Where the ref says that it is in the target, if it does."""
        for location in ref.in_:
            try:
                if self._hub.reach(place, location.alias).url == target.opened.url:
                    return location
            except LakeError:
                continue
        return None

    def _transfer(self, jobs: list[Job]) -> None:
        work = []
        for job in jobs:
            if job.pending or job.ref.size >= BIG:
                work.append(job)
            else:
                self._progress.advance(items=1, size=job.ref.size)
        # The biggest first, so that none is left alone at the end.
        work.sort(key=lambda job: -job.ref.size if job.ref.size > SMALL else 0)
        try:
            self._hub.crew.run(work, self._do, threads=self._threads(len(work)))
        except LakeError:
            self._flush(jobs)
            raise
        except BaseException:
            # Ctrl-C: no waiting for a disk. What was not flushed is sent again next time.
            for target in self.targets:
                if not target.store.properties.staged:
                    target.flush()
            raise
        self._flush(jobs)

    def _threads(self, count: int) -> int:
        wish = self._jobs or max(t.concurrency for t in self.targets)
        return max(1, min(wish, count))

    def _flush(self, jobs: list[Job]) -> None:
        for target in self.targets:
            try:
                target.flush()
            except LakeError as error:
                for job in jobs:
                    if job.states.get(target.name) == "uploaded":
                        job.settle(target, "failed", error)
                if not self._keep_going:
                    raise

    def _do(self, job: Job) -> None:
        size = job.ref.size
        need = size if size <= SMALL else min(size, STREAMED * max(1, len(job.pending)))
        with self._window.room(need):
            sidecar = self._send(job)
            done = [t for t in self.targets if job.states.get(t.name) in ("uploaded", "known")]
            provide(self._hub, job, done, sidecar)
        self._progress.advance(items=1)

    def _send(self, job: Job) -> bytes | None:
        """Send one blob to its pending targets; its sidecar, if that was reckoned on the way."""
        left = list(job.pending)
        answers = Answers()
        for name, tap in self._taps(job, answers):
            for target in left:
                if target.down is not None:
                    self._failed(job, target, target.down)
            left = [target for target in left if target.down is None]
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

    def _taps(self, job: Job, answers: Answers) -> Iterator[tuple[str, Tap]]:
        """The places that may have the bytes, best first, until the caller has what it needs."""
        chunk = CHUNK if job.ref.size >= BIG else 0
        for name, body in job.supply.local(self._hub):
            yield name, Tap(body, chunk=chunk, flowed=self._flowed)
        with contextlib.suppress(BlobUnavailable):
            for _ in range(1 + 2 * len(job.ref.in_)):
                yield "", Tap(self._remote_body(job, answers), flowed=self._flowed)

    def _remote_body(self, job: Job, answers: Answers) -> Body:
        if job.ref.size <= SMALL:
            return BytesBody(job.supply.remote_bytes(self._hub, answers))
        return RemoteBody(job.supply, self._hub, answers)

    def _flowed(self, size: int) -> None:
        self._progress.advance(size=size)

    def _failed(self, job: Job, target: Target, error: LakeError) -> None:
        job.settle(target, "failed", error)
        if not self._keep_going:
            raise error

    def __enter__(self) -> Pusher:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None
