"""Take in files whose digest nobody knows yet: hashed and sent in one pass."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lake.errors import LakeError
from lake.store.body import FileBody, read_body
from lake.transfer.chunks import BIG, CHUNK, Tap
from lake.transfer.job import Job, located
from lake.transfer.ledger import FileStamp
from lake.transfer.outcome import PushOutcome
from lake.transfer.place import Place
from lake.transfer.sender import STREAMED
from lake.transfer.sidecars import provide
from lake.transfer.supply import Payload, Supply
from lake_schemas.blob import BlobRef

if TYPE_CHECKING:
    from lake.transfer.push import Pusher
    from lake.transfer.target import Target

TYPE = "application/octet-stream"
"""Media type of the refs made here; nobody has looked at the files' names."""
GROUP_ITEMS = 64
GROUP_BYTES = 1 << 20
"""Files up to this size are read into memory, in groups up to this size."""

_NOWHERE = Place()


@dataclass(slots=True, eq=False)
class Added:
    """One file that was taken in.

    Attributes:
        ref: digest, size and the remotes that hold it; its media type is not looked at. None
            when the file could not be read.
        outcomes: one per remote.
        error: what was wrong with the file, or with the first remote that failed.
    """

    path: Path
    ref: BlobRef | None = None
    outcomes: tuple[PushOutcome, ...] = ()
    error: LakeError | None = None


def add_files(pusher: Pusher, paths: Sequence[Path]) -> list[Added]:
    """See `Pusher.add_files`."""
    adder = _Adder(pusher)
    files = [adder.look_at(path) for path in paths]
    adder.recall(files)
    groups = list(_groups([file for file in files if file.error is None]))
    try:
        pusher.run(groups, adder.take, lambda: adder.jobs)
    finally:
        adder.remember(files)
    pusher.count(adder.jobs)
    return [adder.answer(file) for file in files]


@dataclass(slots=True, eq=False)
class _File:
    path: Path
    name: str
    stamp: FileStamp | None = None
    sha256: str | None = None
    recalled: bool = False
    error: LakeError | None = None

    @property
    def size(self) -> int:
        return 0 if self.stamp is None else self.stamp.size


class _Adder:
    def __init__(self, pusher: Pusher) -> None:
        self._pusher = pusher
        self._hub = pusher.hub
        self._sender = pusher.sender
        self._started = time.time_ns()
        self._where = os.getcwd()  # noqa: PTH109
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}

    @property
    def jobs(self) -> list[Job]:
        """The different blobs so far."""
        with self._lock:
            return list(self._jobs.values())

    def look_at(self, path: Path) -> _File:
        from lake.fsio import os_errors

        # Absolute by text alone: resolving links would cost a call for each part.
        file = _File(path, os.path.join(self._where, path))  # noqa: PTH118
        try:
            with os_errors(path):
                file.stamp = FileStamp.of(path.stat())
        except LakeError as error:
            self._failed(file, error)
        return file

    def recall(self, files: Sequence[_File]) -> None:
        """Fill in the digests of files that did not change since they were last hashed."""
        stamps = {file.name: file.stamp for file in files if file.stamp is not None}
        known = self._hub.ledger.digests(stamps)
        for file in files:
            file.sha256 = known.get(file.name)
            file.recalled = file.sha256 is not None

    def remember(self, files: Sequence[_File]) -> None:
        """Keep the digests of the files that were hashed now."""
        self._hub.ledger.remember_digests(
            (
                (file.name, file.stamp, file.sha256)
                for file in files
                if file.sha256 is not None and file.stamp is not None and not file.recalled
            ),
            hashed_at_ns=self._started,
        )

    def take(self, group: Sequence[_File]) -> None:
        """Hash some files, and send what the remotes lack."""
        jobs = []
        for file in group:
            try:
                job = self._job(file)
            except LakeError as error:
                self._failed(file, error)
            else:
                jobs += [job] if job is not None else []
        fresh = [job for job in jobs if not job.states]
        self._sender.settle_known(fresh)
        if self._pusher.dry_run:
            for job in fresh:
                for target in job.pending:
                    job.settle(target, "planned")
            return
        for job in jobs:
            self._sender.finish(job)
            for n, want in enumerate(job.supply.wants):  # the bytes have done their service
                job.supply.wants[n] = (want[0], want[1])

    def _job(self, file: _File) -> Job | None:
        """A job for the file's blob, unless there is one already."""
        if file.sha256 is not None:
            return self._claim(file.sha256, file.size, file.path)
        if file.size <= GROUP_BYTES:
            data = read_body(FileBody(file.path, file.size))
            sha256 = hashlib.sha256(data).hexdigest()
            self._hashed(file, sha256)
            return self._claim(sha256, file.size, data)
        late = next((t for t in self._pusher.targets if t.names_late and t.down is None), None)
        if late is None or self._pusher.dry_run:
            return self._hash(file)
        return self._stream(file, late)

    def _hash(self, file: _File) -> Job | None:
        from lake.fsio import hash_file

        sha256, _ = hash_file(file.path)
        self._hashed(file, sha256)
        return self._claim(sha256, file.size, file.path)

    def _stream(self, file: _File, late: Target) -> Job | None:
        """Hash and send a big file in one pass, as the target names it when all is read."""
        tap = Tap(FileBody(file.path, file.size), chunk=CHUNK if file.size >= BIG else 0)
        with self._sender.window.room(min(file.size, STREAMED)):
            try:
                sha256, created = late.put_late(tap)
            except LakeError as error:
                if tap.failed is not None:
                    raise
                # The remote's fault, so the file is still to go to the others.
                late.failed(error)
                return self._hash(file)
        self._hashed(file, sha256)
        job = self._claim(sha256, file.size, file.path)
        if job is not None:
            self._sender.settle_known([job])
            job.pending = [target for target in job.pending if target is not late]
            job.settle(late, "uploaded" if created else "known")
            provide(self._hub, job, [late], tap.sidecar)
        return job

    def _hashed(self, file: _File, sha256: str) -> None:
        from lake.fsio import os_errors

        file.sha256 = sha256
        with os_errors(file.path):
            # The stamp is remembered with the digest only if it is still that of the file.
            if FileStamp.of(file.path.stat()) != file.stamp:
                file.recalled = True

    def _claim(self, sha256: str, size: int, payload: Payload) -> Job | None:
        ref = BlobRef(sha256=sha256, size=size, type=TYPE)
        with self._lock:
            if sha256 in self._jobs:
                return None
            job = self._jobs[sha256] = Job(Supply(ref, [(ref, _NOWHERE, payload)]))
            return job

    def _failed(self, file: _File, error: LakeError) -> None:
        file.error = error
        if not self._pusher.keep_going:
            raise error

    def answer(self, file: _File) -> Added:
        """What became of one file."""
        job = None if file.sha256 is None else self._jobs.get(file.sha256)
        if job is None:
            return Added(file.path, error=file.error)
        outcomes = tuple(job.outcome(job.ref, target) for target in self._pusher.targets)
        ref = job.ref
        for outcome in outcomes:
            if outcome.ok:
                ref = located(ref, outcome.remote, outcome.ref.chunks)
        error = next((outcome.error for outcome in outcomes if outcome.error), file.error)
        return Added(file.path, ref, outcomes, error)


def _groups(files: Sequence[_File]) -> Iterator[list[_File]]:
    """Files to be handled together: the big ones alone and first."""
    for file in sorted(files, key=lambda file: -file.size):
        if file.size > GROUP_BYTES:
            yield [file]
    group: list[_File] = []
    size = 0
    for file in files:
        if file.size > GROUP_BYTES:
            continue
        if group and (len(group) >= GROUP_ITEMS or size + file.size > GROUP_BYTES):
            yield group
            group, size = [], 0
        group.append(file)
        size += file.size
    if group:
        yield group
