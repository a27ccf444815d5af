"""Stages: pydantic-typed transformations of a dataset into a dataset.

    from lake.stage import SampleStage, Stage

One class gives the command, the YAML form, the Python object and the JSON Schema.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lake.stage.context import RunContext as RunContext
    from lake.stage.context import current as current
    from lake.stage.registry import find_stage as find_stage
    from lake.stage.registry import installed as installed
    from lake.stage.run import StageRun as StageRun
    from lake.stage.run import run_stage as run_stage
    from lake.stage.stage import Composition as Composition
    from lake.stage.stage import SampleStage as SampleStage
    from lake.stage.stage import Stage as Stage

_HOMES = {
    "Composition": "lake.stage.stage",
    "RunContext": "lake.stage.context",
    "SampleStage": "lake.stage.stage",
    "Stage": "lake.stage.stage",
    "StageRun": "lake.stage.run",
    "current": "lake.stage.context",
    "find_stage": "lake.stage.registry",
    "installed": "lake.stage.registry",
    "run_stage": "lake.stage.run",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    # The registry is read for `lake --help`, which must not pay for pydantic.
    if name in _HOMES:
        import importlib

        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
