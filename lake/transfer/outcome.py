"""What a push did: per blob and remote, and in all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from lake.errors import LakeError
    from lake_schemas.blob import BlobRef

State = Literal["uploaded", "known", "planned", "failed"]


@dataclass(frozen=True, slots=True)
class PushOutcome:
    """One blob in one remote.

    Attributes:
        ref: the blob, with the remote among its locations unless the push failed, and with
            digests of its chunks when it is big.
        remote: the remote's alias.
        state: "uploaded", "known" (it lay there already), "planned" (a dry run would have
            uploaded it), or "failed".
        error: what went wrong, when it failed.
    """

    ref: BlobRef
    remote: str
    state: State
    error: LakeError | None = None

    @property
    def ok(self) -> bool:
        """Whether the remote durably holds the blob now (or would, in a dry run)."""
        return self.state != "failed"


@dataclass(slots=True)
class PushReport:
    """Counts over all remotes; one blob in two remotes counts twice.

    Attributes:
        uploaded, known, planned, failed: blobs.
        size: bytes uploaded (or planned).
        failures: the first 1,000 errors.
    """

    uploaded: int = 0
    known: int = 0
    planned: int = 0
    failed: int = 0
    size: int = 0
    failures: list[LakeError] = field(default_factory=list)

    def count(self, state: State, size: int, error: LakeError | None = None) -> None:
        """Add one blob in one remote."""
        setattr(self, state, getattr(self, state) + 1)
        if state in ("uploaded", "planned"):
            self.size += size
        if error is not None and len(self.failures) < 1000:
            self.failures.append(error)
