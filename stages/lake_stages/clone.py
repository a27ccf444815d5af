"""`lake clone`: copy a dataset, with its blobs as files, as links, or not at all."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from lake.dataset import Dataset
from lake.stage import Stage

Mode = Literal["auto", "manifests", "copy", "reflink", "hardlink", "symlink"]


def _for_all(value: Any) -> Any:
    return {"*": value} if isinstance(value, str) else value


def _plain(modes: dict[str, str]) -> Any:
    return modes["*"] if modes.keys() == {"*"} else modes


_MODES = {"enum": list(get_args(Mode))}

Modes = Annotated[
    dict[str, Mode],
    BeforeValidator(_for_all),
    PlainSerializer(_plain),
    WithJsonSchema({"anyOf": [_MODES, {"type": "object", "additionalProperties": _MODES}]}),
]


class Clone(Stage, name="clone"):
    """Copy a dataset, with its blobs as files, as links, or not at all.

    \b
    manifests  the pointers alone; what no remote holds is copied
    copy       every blob as a file, fetched where need be, byte for byte
    reflink, hardlink, symlink
               as copy, but sharing what lies on this file system
    auto       pointers where a remote holds the blob; local files are taken along, sharing
               their blocks where the file system can

    A mode may be given for all items, and others for some: --mode manifests --mode mask=copy.
    """

    mode: Modes = Field(
        {"*": "auto"},
        description="How blobs get there.",
        json_schema_extra={"short": "-m"},
    )

    def apply(self, dataset: Dataset) -> Dataset:
        """The dataset as it is: only the writing differs."""
        return dataset

    def writing(self) -> dict[str, Any]:
        """The modes."""
        others = {key: mode for key, mode in self.mode.items() if key != "*"}
        return {"mode": self.mode.get("*", "auto"), "modes": others}
