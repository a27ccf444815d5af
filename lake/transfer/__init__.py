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
    from lake.transfer.outcome import PushOutcome as PushOutcome
    from lake.transfer.outcome import PushReport as PushReport
    from lake.transfer.push import Pusher as Pusher
    from lake.transfer.sources import Source as Source

_HOMES = {
    "Added": "lake.transfer.adding",
    "Fetcher": "lake.transfer.fetch",
    "Hub": "lake.transfer.hub",
    "Ledger": "lake.transfer.ledger",
    "PushOutcome": "lake.transfer.outcome",
    "PushReport": "lake.transfer.outcome",
    "Pusher": "lake.transfer.push",
    "Source": "lake.transfer.sources",
    "default_hub": "lake.transfer.hub",
}

__all__ = [
    "Added",
    "Fetcher",
    "Hub",
    "Ledger",
    "Place",
    "PushOutcome",
    "PushReport",
    "Pusher",
    "Source",
    "default_hub",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
