"""A quick door for canonical manifests: takes the plain cases, and leaves all others, and every
verdict of "wrong", to pydantic. It halves the cost of loading a sample; the tests hold both
doors to the same results."""

from __future__ import annotations

import functools
import re
from typing import Any

from lake_schemas.blob import DIGEST, MAX_SIZE, MEDIA_TYPE, BlobRef, plain_places
from lake_schemas.names import NAME
from lake_schemas.sample import SampleManifest, fault

_digest = re.compile(DIGEST).fullmatch
_name = re.compile(NAME).fullmatch
_media_type = re.compile(MEDIA_TYPE).fullmatch
_REF_FIELDS = frozenset({"sha256", "size", "type", "in_"})
_SAMPLE_FIELDS = frozenset({"items", "values"})
_set = object.__setattr__


def quick_sample(raw: dict[str, Any]) -> SampleManifest | None:
    """The manifest of parsed canonical text, or None where pydantic should look at it.

    `raw` has exactly "items" and "values", both dicts, and is not used by anyone else: the
    values become the manifest's own.
    """
    values = raw["values"]
    items: dict[str, BlobRef] = {}
    for name, item in raw["items"].items():
        ref = _quick_ref(item)
        if ref is None:
            return None
        items[name] = ref
    for value in values.values():
        if fault(value, 0) is not None:
            return None
    names = (*items, *values)
    if len(set(map(str.lower, names))) < len(names) or not all(map(_is_name, names)):
        return None
    manifest = SampleManifest.__new__(SampleManifest)
    _fill(manifest, {"items": items, "values": values}, _SAMPLE_FIELDS)
    return manifest


def _quick_ref(raw: Any) -> BlobRef | None:
    # The plain case: four fields, and aliases alone. (A str has no "in" key, a list no str one.)
    if type(raw) is not dict or len(raw) != 4 or "in" not in raw:
        return None
    digest, size, kind, places = raw.get("sha256"), raw.get("size"), raw.get("type"), raw["in"]
    if (
        type(digest) is not str
        or type(size) is not int
        or type(kind) is not str
        or type(places) is not list
        or _digest(digest) is None
        or not 0 <= size <= MAX_SIZE
        or not _is_media_type(kind)
    ):
        return None
    for place in places:
        if type(place) is not str:
            return None
    try:
        known = plain_places(tuple(places))
    except ValueError:
        return None
    if not known:
        return None
    ref = BlobRef.__new__(BlobRef)
    fields = {"sha256": digest, "size": size, "type": kind, "ext": None, "in_": known}
    fields["file"] = fields["chunks"] = None
    _fill(ref, fields, _REF_FIELDS)
    return ref


def _fill(model: Any, fields: dict[str, Any], given: frozenset[str]) -> None:
    # What `model_construct` does, without its walk over the fields.
    _set(model, "__dict__", fields)
    _set(model, "__pydantic_fields_set__", set(given))
    _set(model, "__pydantic_extra__", None)
    _set(model, "__pydantic_private__", None)


@functools.lru_cache(maxsize=4096)
def _is_name(text: str) -> bool:
    return _name(text) is not None


@functools.lru_cache(maxsize=1024)
def _is_media_type(text: str) -> bool:
    return _media_type(text) is not None
