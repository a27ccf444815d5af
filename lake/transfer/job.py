"""One blob on its way to several remotes, gathered from all items that mention it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lake.transfer.outcome import PushOutcome, State
from lake.transfer.supply import Supply, Want

if TYPE_CHECKING:
    from lake.errors import LakeError
    from lake.transfer.target import Target
    from lake_schemas.blob import BlobRef, ChunkRef

ROUND_ITEMS = 8192
ROUND_BYTES = 2 << 30
"""A flush makes durable at most so many blobs and bytes: what an interrupted push must redo."""


@dataclass(slots=True, eq=False)
class Job:
    """One blob.

    Attributes:
        supply: where its bytes come from.
        pending: targets that are to get it.
        states, errors: what became of it, by the target's name.
        chunks: pointer to the digests of its chunks, once known.
    """

    supply: Supply
    pending: list[Target] = field(default_factory=list)
    states: dict[str, State] = field(default_factory=dict)
    errors: dict[str, LakeError] = field(default_factory=dict)
    chunks: ChunkRef | None = None

    @property
    def ref(self) -> BlobRef:
        """The blob, as the first item has it."""
        return self.supply.ref

    def settle(self, target: Target, state: State, error: LakeError | None = None) -> None:
        """What became of it in one target."""
        self.states[target.name] = state
        if error is not None:
            self.errors[target.name] = error

    def outcome(self, ref: BlobRef, target: Target) -> PushOutcome:
        """The answer for one item that mentions the blob."""
        state, name = self.states[target.name], target.name
        if state != "failed":
            ref = located(ref, name, self.chunks)
        return PushOutcome(ref, name, state, self.errors.get(name))


def located(ref: BlobRef, alias: str, chunks: ChunkRef | None = None) -> BlobRef:
    """`ref`, also in `alias`; where it names that remote already, with or without a key of its
    own, it stays as it is."""
    if alias not in ref.aliases:
        ref = ref.with_location(alias)
    if chunks is not None and ref.chunks != chunks:
        ref = ref.model_copy(update={"chunks": chunks})
    return ref


def collect(items: Sequence[Want]) -> dict[tuple[str, int], Job]:
    """The different blobs among `items`, by (sha256, size), in their order."""
    jobs: dict[tuple[str, int], Job] = {}
    for item in items:
        ref = item[0]
        job = jobs.get((ref.sha256, ref.size))
        if job is None:
            jobs[ref.sha256, ref.size] = Job(Supply(ref, [item]), chunks=ref.chunks)
        else:
            job.supply.wants.append(item)
            job.chunks = job.chunks or ref.chunks
    return jobs


def rounds(jobs: Sequence[Job]) -> Iterator[list[Job]]:
    """`jobs` in parts that are flushed together."""
    part: list[Job] = []
    size = 0
    for job in jobs:
        if part and (len(part) >= ROUND_ITEMS or size + job.ref.size > ROUND_BYTES):
            yield part
            part, size = [], 0
        part.append(job)
        size += job.ref.size
    if part:
        yield part
