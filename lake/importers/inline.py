"""Small text files beside a sample, put into the manifest as values on request."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from typing import Any

import orjson

from lake.errors import InputError
from lake.fsio import os_errors
from lake.importers.found import Draft, Found
from lake.importers.group import split_extension
from lake_schemas.errors import FormatError
from lake_schemas.names import check_name
from lake_schemas.sample import check_value
from lake_schemas.yaml import load_yaml

KINDS = ("json", "yaml", "toml", "txt")
"""What can be put into a manifest; "yaml" also stands for the extension yml."""

LIMIT = 64 << 10
"""Larger files stay blobs: a manifest as a whole is limited to 1 MiB."""

_EXTENSIONS = {"json": "json", "yaml": "yaml", "yml": "yaml", "toml": "toml", "txt": "txt"}


def inline(draft: Draft, kinds: Collection[str]) -> None:
    """Turn small files of the given kinds from items into values, in place.

    The members of a JSON, YAML or TOML object become values of their own; anything else, and
    text without its last line break, becomes one value called as the item would be.

    Raises:
        InputError: a file is unreadable, not what its extension says, or its values cannot be
            kept in a manifest.
    """
    for key, part in list(draft.parts.items()):
        kind = _EXTENSIONS.get(split_extension(part.name)[1].lower())
        if kind not in kinds or part.size > LIMIT or part.path is None:
            continue
        value = _read(part, kind)
        found = value if isinstance(value, dict) else {key: value}
        for name, inner in found.items():
            _keep(draft, str(name), inner, part, key)
        del draft.parts[key]


def _keep(draft: Draft, name: str, value: Any, part: Found, own_key: str) -> None:
    taken = {known.lower() for known in (*draft.parts, *draft.values)} - {own_key.lower()}
    if name.lower() in taken:
        raise InputError(
            f"a second {name} in one sample",
            where=part.where,
            hint="leave this kind of file out of --inline, or rename the member",
        )
    try:
        check_name(name, "name of a value")
        check_value(value, name)
    except FormatError as error:
        raise InputError(error.what, where=part.where, hint=error.hint) from None
    draft.values[name] = value


def _read(part: Found, kind: str | None) -> Any:
    with os_errors(part.where):
        data = part.path.read_bytes() if part.path is not None else b""
    try:
        if kind == "json":
            return orjson.loads(data)
        if kind == "yaml":
            return load_yaml(data, where=part.where)
        text = data.decode()
        return tomllib.loads(text) if kind == "toml" else text.removesuffix("\n").removesuffix("\r")
    except FormatError as error:
        raise InputError(error.what, where=error.where, hint=error.hint) from None
    except ValueError as error:
        raise InputError(
            f"this is no {kind} as its name says: {error}",
            where=part.where,
            hint="mend the file, or leave its kind out of --inline",
        ) from None
