"""See to it that big blobs in a remote have the digests of their chunks beside them.

A service to readers, never a condition: where it fails, the blob is still whole and good, and a
reader of a part of it fetches all of it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from lake.errors import LakeError
from lake.store.body import BytesBody
from lake.store.store import Expect
from lake.store.verify import checked_chunks
from lake.transfer.chunks import BIG, CHUNK, chunk_ref, sidecar_of, sidecar_ref
from lake.transfer.first import Answers
from lake.transfer.supply import Supply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lake.transfer.hub import Hub
    from lake.transfer.job import Job
    from lake.transfer.target import Target
    from lake_schemas.blob import BlobRef, ChunkRef

log = logging.getLogger("lake.transfer")


def provide(hub: Hub, job: Job, targets: Sequence[Target], sidecar: bytes | None) -> None:
    """Set `job.chunks`, with the sidecar in every one of `targets`, if the blob is big and its
    chunks are known, or its bytes are on this machine.

    Args:
        sidecar: its content, when it was reckoned on the way of the bytes.
    """
    if job.ref.size < BIG:
        return
    chunks = job.chunks
    if sidecar is not None:
        chunks = chunk_ref(sidecar)
        hub.ledger.remember_sidecar(job.ref.sha256, CHUNK, chunks.sha256)
    elif chunks is None:
        known = hub.ledger.sidecar(job.ref.sha256, CHUNK)
        chunks = _pointer(known) if known else None
    try:
        for target in targets:
            if chunks is not None and sidecar is None and _there(job.ref, chunks, target):
                continue
            sidecar = sidecar or _content(hub, job, chunks)
            if sidecar is None:
                return
            chunks = chunk_ref(sidecar, CHUNK if chunks is None else chunks.size)
            expect = Expect(chunks.sha256, len(sidecar))
            target.put(expect, BytesBody(sidecar))
        job.chunks = chunks
    except LakeError as error:
        log.debug("no chunk digests for %s: %s", job.ref.sha256[:12], error)


def _pointer(sha256: str) -> ChunkRef:
    from lake_schemas.blob import ChunkRef

    return ChunkRef(size=CHUNK, sha256=sha256)


def _there(ref: BlobRef, chunks: ChunkRef, target: Target) -> bool:
    side = sidecar_ref(ref, chunks)
    claims = [side.sha256] if ref.chunks == chunks and target.name in side.aliases else []
    return bool(target.holds([side], claims, recheck=False))


def _content(hub: Hub, job: Job, chunks: ChunkRef | None) -> bytes | None:
    """The sidecar, reckoned from bytes on this machine, else as another remote has it."""
    size = CHUNK if chunks is None else chunks.size
    for name, body in job.supply.local(hub):
        try:
            pieces = checked_chunks(body.open(), job.supply.expect, source=name)
            return sidecar_of(pieces, size)
        except LakeError:
            continue
    if chunks is None:
        return None
    side = sidecar_ref(job.ref, chunks)
    wants = [(sidecar_ref(want[0], chunks), want[1]) for want in job.supply.wants]
    return Supply(side, list(wants)).remote_bytes(hub, Answers())
