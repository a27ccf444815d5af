"""JSON Schemas of the text formats, for editors and other languages.

`python -m lake_schemas.export` writes schemas/json; with `--check` it only compares.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from lake_schemas.config import ProjectConfig, UserConfig
from lake_schemas.descriptor import Descriptor
from lake_schemas.names import MAX_ID, MAX_PARTS, NAME
from lake_schemas.sample import SampleManifest

DIRECTORY = Path(__file__).parent.parent / "json"

MODELS: dict[str, type[BaseModel]] = {
    "sample": SampleManifest,
    "dataset": Descriptor,
    "project-config": ProjectConfig,
    "user-config": UserConfig,
}


def schemas() -> dict[str, dict[str, Any]]:
    """Every schema by its file's stem."""
    found = {stem: _schema(model) for stem, model in MODELS.items()}
    packed = json.loads(json.dumps(found["sample"]))
    packed["title"] = "PackedLine"
    packed["description"] = "One line of a packed file: a sample's manifest with its id."
    packed["properties"]["id"] = {
        "type": "string",
        "maxLength": MAX_ID,
        "pattern": f"^{NAME}(/{NAME}){{0,{MAX_PARTS - 1}}}$",
    }
    packed["required"] = ["id"]
    found["packed-line"] = packed
    # The models have a default, so that Python code can leave it out; text never may.
    found["dataset"]["required"] = ["lake"]
    found["dataset"]["properties"]["lake"]["const"] = 1
    return found


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema(by_alias=True)
    _tidy(schema)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _tidy(part: Any) -> None:
    if isinstance(part, dict):
        if "patternProperties" in part:  # what the pattern does not match is refused
            part["additionalProperties"] = False
        if isinstance(part.get("description"), str):  # editors show it; the example is for Python
            part["description"] = part["description"].partition("\n\n>>>")[0]
        for inner in part.values():
            _tidy(inner)
    elif isinstance(part, list):
        for inner in part:
            _tidy(inner)


def texts() -> dict[str, str]:
    """Every schema's file name and text."""
    return {
        f"{stem}.schema.json": json.dumps(schema, indent=2, sort_keys=True) + "\n"
        for stem, schema in schemas().items()
    }


def main(arguments: Sequence[str] = ()) -> int:
    """Write the schemas, or with `--check` say which differ; the exit code."""
    stale = []
    for name, text in texts().items():
        path = DIRECTORY / name
        if not path.exists() or path.read_text() != text:
            stale.append(name)
            if "--check" not in arguments:
                path.write_text(text)
    if "--check" in arguments and stale:
        print(f"not up to date: {', '.join(stale)}; run python -m lake_schemas.export")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
