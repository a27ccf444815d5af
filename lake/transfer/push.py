"""Send blobs to remotes: each read once, sent only where it is missing, durable in the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

from lake.errors import LakeError
from lake.progress import Progress, Silent
from lake.transfer.job import Job, collect, located, rounds
from lake.transfer.outcome import PushOutcome, PushReport
from lake.transfer.sender import Sender
from lake.transfer.spread import SMALL
from lake.transfer.supply import Want
from lake.transfer.target import FOLDER_THREADS, Target

if TYPE_CHECKING:
    from lake.config import Remote
    from lake.transfer.adding import Added
    from lake.transfer.hub import Hub
    from lake_schemas.blob import BlobRef

J = TypeVar("J")


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
        self.hub = hub
        self.report = PushReport()
        self.targets = [Target(hub, remote, dry_run=dry_run) for remote in remotes]
        self.dry_run = dry_run
        self.keep_going = keep_going
        self.sender = Sender(hub, self.targets, progress or Silent(), keep_going, recheck)
        self._jobs = jobs
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

    def located(self, items: Sequence[Want], *, drop_files: bool = False) -> list[BlobRef]:
        """Push; the refs of `items`, each with the remotes that hold it now.

        Args:
            items: as for `push`.
            drop_files: the refs of blobs that all remotes hold now name no file any more.
        """
        outcomes = iter(self.push(items))
        refs = []
        for ref, *_ in items:
            everywhere = True
            for _ in self.targets:
                outcome = next(outcomes)
                everywhere &= outcome.ok
                if outcome.ok:
                    ref = located(ref, outcome.remote, outcome.ref.chunks)
            refs.append(ref.with_file(None) if drop_files and everywhere and ref.in_ else ref)
        return refs

    def add_files(self, paths: Sequence[Path]) -> list[Added]:
        """Hash files, and push what they hold in the same pass; one answer per path, in order.

        Files that have not changed since they were last hashed are not read when the remotes
        hold their bytes. Without remotes it only hashes.

        Raises:
            InputError: a file is missing, unreadable, or changes while it is read.
            RemoteError: a remote did not take a blob.
        """
        from lake.transfer.adding import add_files

        return add_files(self, paths)

    def _round(self, jobs: list[Job]) -> None:
        self.sender.settle_known(jobs)
        if self.dry_run:
            for job in jobs:
                for target in job.pending:
                    job.settle(target, "planned")
        else:
            # The biggest first, so that none is left alone at the end.
            work = sorted(jobs, key=lambda job: -job.ref.size if job.ref.size > SMALL else 0)
            self.run(work, self.sender.finish, lambda: jobs)
        self.count(jobs)

    def run(
        self, work: Sequence[J], do: Callable[[J], None], jobs: Callable[[], Iterable[Job]]
    ) -> None:
        """Do the work in threads, then make what became of the jobs durable."""
        wish = self._jobs or max((t.concurrency for t in self.targets), default=FOLDER_THREADS)
        try:
            self.hub.crew.run(work, do, threads=max(1, min(wish, len(work))))
        except LakeError:
            self._flush(jobs())
            raise
        except BaseException:
            # Ctrl-C: no waiting for a disk. What was not flushed is sent again next time.
            for target in self.targets:
                if not target.store.properties.staged:
                    target.flush()
            raise
        self._flush(jobs())

    def count(self, jobs: Iterable[Job]) -> None:
        """Enter settled jobs into the report."""
        for job in jobs:
            for target in self.targets:
                name = target.name
                self.report.count(job.states[name], job.ref.size, job.errors.get(name))

    def _flush(self, jobs: Iterable[Job]) -> None:
        for target in self.targets:
            try:
                target.flush()
            except LakeError as error:
                for job in jobs:
                    if job.states.get(target.name) == "uploaded":
                        job.settle(target, "failed", error)
                if not self.keep_going:
                    raise

    def __enter__(self) -> Pusher:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None
