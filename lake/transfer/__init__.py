"""Moving blobs: push them to remotes, fetch them from the first good source, check them all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lake.transfer.place import Place

if TYPE_CHECKING:
    from lake.transfer.adding import Added as Added
    from lake.transfer.fetch import Fetcher as Fetcher
    from lake.transfer.hub import Hub as Hub
    from lake.transfer.hub import default_hub as default_hub
    from lake.transfer.ledger import Ledger as Ledger
    from lake.transfer.mention import Mention as Mention
    from lake.transfer.outcome import PushOutcome as PushOutcome
    from lake.transfer.outcome import PushReport as PushReport
    from lake.transfer.pull import PullReport as PullReport
    from lake.transfer.pull import pull_blobs as pull_blobs
    from lake.transfer.push import Pusher as Pusher
    from lake.transfer.sources import Source as Source
    from lake.transfer.status import Status as Status
    from lake.transfer.status import blob_status as blob_status
    from lake.transfer.verify import VerifyReport as VerifyReport
    from lake.transfer.verify import verify_blobs as verify_blobs

_HOMES = {
    "Added": "lake.transfer.adding",
    "Fetcher": "lake.transfer.fetch",
    "Hub": "lake.transfer.hub",
    "Ledger": "lake.transfer.ledger",
    "Mention": "lake.transfer.mention",
    "PullReport": "lake.transfer.pull",
    "PushOutcome": "lake.transfer.outcome",
    "PushReport": "lake.transfer.outcome",
    "Pusher": "lake.transfer.push",
    "Source": "lake.transfer.sources",
    "Status": "lake.transfer.status",
    "VerifyReport": "lake.transfer.verify",
    "blob_status": "lake.transfer.status",
    "default_hub": "lake.transfer.hub",
    "pull_blobs": "lake.transfer.pull",
    "verify_blobs": "lake.transfer.verify",
}

__all__ = [
    "Added",
    "Fetcher",
    "Hub",
    "Ledger",
    "Mention",
    "Place",
    "PullReport",
    "PushOutcome",
    "PushReport",
    "Pusher",
    "Source",
    "Status",
    "VerifyReport",
    "blob_status",
    "default_hub",
    "pull_blobs",
    "verify_blobs",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
