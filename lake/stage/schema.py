"""JSON Schemas of stages, for editors and for checking pipeline files without running them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lake.stage.stage import Stage

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def stage_schema(stage: type[Stage]) -> dict[str, Any]:
    """The JSON Schema of one stage's parameters."""
    schema = stage.model_json_schema(by_alias=True, mode="validation")
    schema["description"] = _summary(stage)
    return schema


def stages_schema(stages: Mapping[str, type[Stage]]) -> dict[str, Any]:
    """The JSON Schema of a list of stages, `- clone: {mode: copy}`, over the given stages."""
    definitions: dict[str, Any] = {}
    choices: list[dict[str, Any]] = []
    for name, stage in sorted(stages.items()):
        schema = stage_schema(stage)
        # Definitions of a field's own types move up beside the stages', under a name of theirs.
        inner = schema.pop("$defs", {})
        schema = _renamed(schema, name, inner)
        definitions[name] = schema
        for key, value in inner.items():
            definitions[f"{name}.{key}"] = _renamed(value, name, inner)
        choices.append(
            {
                "type": "object",
                "description": schema["description"],
                "properties": {name: {"$ref": f"#/$defs/{name}"}},
                "required": [name],
                "additionalProperties": False,
            }
        )
        if not schema.get("required"):
            choices.append({"const": name, "description": schema["description"]})
    return {
        "$schema": DIALECT,
        "title": "lake stages",
        "description": "Stages, applied one after another.",
        "type": "array",
        "minItems": 1,
        "items": {"oneOf": choices},
        "$defs": definitions,
    }


def _summary(stage: type[Stage]) -> str:
    return (stage.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")


def _renamed(value: Any, stage: str, inner: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        found = {key: _renamed(part, stage, inner) for key, part in value.items()}
        target = found.get("$ref")
        if isinstance(target, str) and target.removeprefix("#/$defs/") in inner:
            found["$ref"] = f"#/$defs/{stage}.{target.removeprefix('#/$defs/')}"
        return found
    if isinstance(value, list):
        return [_renamed(part, stage, inner) for part in value]
    return value
