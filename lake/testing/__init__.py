"""What lake's own tests stand on, shipped so that third-party stores and stages can use it.

`StoreSuite` is what every store must pass, `FaultStore` a store that fails on purpose,
`strategies` hypothesis strategies. They need pytest and hypothesis; importing this does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lake.testing.faults import FaultStore as FaultStore
    from lake.testing.faults import chance as chance
    from lake.testing.suite import StoreSuite as StoreSuite

_HOMES = {
    "FaultStore": "lake.testing.faults",
    "StoreSuite": "lake.testing.suite",
    "chance": "lake.testing.faults",
}

__all__ = ["FaultStore", "StoreSuite", "chance"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
