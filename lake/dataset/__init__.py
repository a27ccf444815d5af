"""Datasets, samples and items: reading, deriving views, writing.

from lake.dataset import Dataset, Item, Sample
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lake.dataset.dataset import Dataset as Dataset
    from lake.dataset.directory import DatasetDirectory as DatasetDirectory
    from lake.dataset.item import Item as Item
    from lake.dataset.opening import create as create
    from lake.dataset.opening import open_dataset as open_dataset
    from lake.dataset.sample import Sample as Sample
    from lake.dataset.writer import DatasetWriter as DatasetWriter

_HOMES = {
    "Dataset": "lake.dataset.dataset",
    "DatasetDirectory": "lake.dataset.directory",
    "DatasetWriter": "lake.dataset.writer",
    "Item": "lake.dataset.item",
    "Sample": "lake.dataset.sample",
    "create": "lake.dataset.opening",
    "open_dataset": "lake.dataset.opening",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        import importlib

        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
