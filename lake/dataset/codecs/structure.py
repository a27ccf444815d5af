"""JSON, JSON lines, YAML and TOML: plain Python values."""

from __future__ import annotations

import json
from typing import Any

import orjson

from lake.errors import DecodeError, Unsupported
from lake_schemas.errors import FormatError
from lake_schemas.yaml import dump_yaml, load_yaml

MAX_YAML = 64 << 20


def decode(data: bytes, media_type: str) -> Any:
    """The value. JSON may hold NaN; YAML is lake's strict subset, as in manifests."""
    if media_type == "application/yaml":
        try:
            return load_yaml(data, where="item", max_size=MAX_YAML)
        except FormatError as error:
            raise DecodeError(
                str(error), hint="for all of YAML take item.bytes() and a reader of your own"
            ) from None
    if media_type == "application/toml":
        import tomllib

        return tomllib.loads(data.decode())
    if media_type == "application/jsonl":
        return [_json(line) for line in data.split(b"\n") if line.strip()]
    return _json(data)


def _json(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return json.loads(data)  # slower, but it takes NaN, big integers and other encodings


def encode(obj: Any, media_type: str) -> bytes:
    """Text of a value; numpy arrays and scalars become lists and numbers in JSON.

    TOML, which can be read without it, is written by an extra; it has no null.
    """
    if media_type == "application/toml":
        return _toml(obj)
    if media_type == "application/yaml":
        return dump_yaml(obj)
    options = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE
    if media_type == "application/jsonl":
        return b"".join(orjson.dumps(row, option=options) for row in obj)
    return orjson.dumps(obj, option=options | orjson.OPT_INDENT_2)


def _toml(obj: Any) -> bytes:
    try:
        import tomli_w
    except ModuleNotFoundError as error:
        raise Unsupported(
            "writing application/toml needs the package tomli-w",
            hint='pip install "lake-datasets[toml]", or write it as YAML or JSON',
        ) from error
    return tomli_w.dumps(obj).encode()
