"""lake: datasets in git, blobs in remotes, loaded lazily and verified.

    import lake

    flowers = lake.open("flowers")
    image = flowers[0]["image"]()

Everything here is imported when it is first used, so that `import lake` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lake.dataset.dataset import Dataset as Dataset
    from lake.dataset.item import Item as Item
    from lake.dataset.opening import create as create
    from lake.dataset.opening import open_dataset as open
    from lake.dataset.sample import Sample as Sample
    from lake.dataset.writer import DatasetWriter as DatasetWriter
    from lake.errors import LakeError as LakeError
    from lake.stage.stage import SampleStage as SampleStage
    from lake.stage.stage import Stage as Stage

    __version__: str

_HOMES = {
    "Dataset": ("lake.dataset.dataset", "Dataset"),
    "DatasetWriter": ("lake.dataset.writer", "DatasetWriter"),
    "Item": ("lake.dataset.item", "Item"),
    "LakeError": ("lake.errors", "LakeError"),
    "Sample": ("lake.dataset.sample", "Sample"),
    "SampleStage": ("lake.stage.stage", "SampleStage"),
    "Stage": ("lake.stage.stage", "Stage"),
    "create": ("lake.dataset.opening", "create"),
    "open": ("lake.dataset.opening", "open_dataset"),
}

__all__ = [
    "Dataset",
    "DatasetWriter",
    "Item",
    "LakeError",
    "Sample",
    "SampleStage",
    "Stage",
    "__version__",
    "create",
    "open",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        import importlib.metadata

        return importlib.metadata.version("lake-datasets")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    module, attribute = _HOMES[name]
    found = getattr(importlib.import_module(module), attribute)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
