"""A sample's manifest as text: canonical JSON, YAML, and one line of a packed file."""

from __future__ import annotations

from typing import Any

import orjson

from lake_schemas.blob import BlobRef
from lake_schemas.errors import FormatError
from lake_schemas.jsontext import canonical, strict_json
from lake_schemas.limits import check_size
from lake_schemas.names import check_id
from lake_schemas.quick import quick_sample
from lake_schemas.sample import SampleManifest
from lake_schemas.validate import checked, refuse_field
from lake_schemas.yaml import flow, load_yaml

_dumps = orjson.dumps
_SORT = orjson.OPT_SORT_KEYS
_SORT_LINE = orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
_LINE = b'{"id":"'


def dump_sample(manifest: SampleManifest) -> bytes:
    """Canonical JSON: sorted keys, one item or value a line, "\\n" at each end.

    >>> print(dump_sample(SampleManifest(values={"label": "daisy"})).decode(), end="")
    {
      "items": {},
      "values": {
        "label": "daisy"
      }
    }

    Raises:
        FormatError: an item that says neither `in` nor `file`; a text of more than 1 MiB.
    """
    items = manifest.items
    values = manifest.values
    item_lines = [f'    "{name}": {_ref_text(name, items[name])}' for name in sorted(items)]
    value_lines = [f'    "{name}": {canonical(values[name])}' for name in sorted(values)]
    text = f'{{\n  "items": {_block(item_lines)},\n  "values": {_block(value_lines)}\n}}\n'
    data = text.encode()
    check_size(data, "manifest")
    return data


def _block(lines: list[str]) -> str:
    return "{\n" + ",\n".join(lines) + "\n  }" if lines else "{}"


def load_sample(data: bytes, *, format: str, where: str) -> SampleManifest:
    """A manifest from the text of one file; `format` is "json" or "yaml".

    Raises:
        FormatError: text that is not what docs/format.md describes.
    """
    check_size(data, where)
    if format == "json":
        return _load_json(data, where)
    raw = load_yaml(data, where=where)
    return sample_from_raw(raw, where)


def _load_json(data: bytes, where: str) -> SampleManifest:
    # A text that is its own canonical form holds no duplicate keys, no NaN, nothing doubtful:
    # only what people wrote or changed by hand goes the long way.
    try:
        raw = orjson.loads(data)
        if _spelled(raw) == data:
            return quick_sample(raw) or sample_from_raw(raw, where)
    except (TypeError, KeyError, AttributeError, orjson.JSONDecodeError):
        pass
    return sample_from_raw(strict_json(data, where=where), where)


def _spelled(raw: Any) -> bytes:
    """Canonical text of a manifest that was parsed from such; else other bytes, or an error."""
    parts = [
        b",\n".join(
            [b'    "%b": %b' % (name.encode(), _dumps(rows[name], None, _SORT)) for name in rows]
        )
        for rows in (raw["items"], raw["values"])
    ]
    blocks = [b"{\n%b\n  }" % part if part else b"{}" for part in parts]
    return b'{\n  "items": %b,\n  "values": %b\n}\n' % tuple(blocks)


def sample_from_raw(raw: Any, where: str) -> SampleManifest:
    """A manifest from parsed text, with all rules applied.

    Raises:
        FormatError: also for an item that says neither `in` nor `file`.
    """
    if isinstance(raw, dict) and isinstance(raw.get("items"), dict):
        for name, item in raw["items"].items():
            refuse_field(item, "in_", f"{where}: items.{name}")
    manifest = checked(lambda: SampleManifest.model_validate(raw), where)
    for name, ref in manifest.items.items():
        if not ref.placed:
            raise _unplaced(name).at(where)
    return manifest


def sample_to_raw(manifest: SampleManifest) -> dict[str, Any]:
    """A manifest as plain dicts and lists, sorted as its text is."""
    items = {}
    for name in sorted(manifest.items):
        ref = manifest.items[name]
        if not ref.placed:
            raise _unplaced(name)
        items[name] = ref_to_raw(ref)
    return {"items": items, "values": _sorted(manifest.values)}


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(inner) for inner in value] if isinstance(value, list) else value


def ref_to_raw(ref: BlobRef) -> dict[str, Any]:
    """One item as a plain dict, sorted as its text is."""
    raw: dict[str, Any] = {}
    if ref.chunks is not None:
        raw["chunks"] = {"sha256": ref.chunks.sha256, "size": ref.chunks.size}
    if ref.ext is not None:
        raw["ext"] = ref.ext
    if ref.file is not None:
        raw["file"] = ref.file
    if ref.in_:
        raw["in"] = [place.to_json() for place in ref.in_]
    raw["sha256"] = ref.sha256
    raw["size"] = ref.size
    raw["type"] = ref.type
    return raw


def dump_sample_yaml(manifest: SampleManifest) -> bytes:
    """Canonical YAML: the same model, one item or value a line."""
    raw = sample_to_raw(manifest)
    lines: list[str] = []
    for part in ("items", "values"):
        rows = [f"  {flow(name)}: {flow(value)}" for name, value in raw[part].items()]
        lines.extend([f"{part}:", *rows] if rows else [f"{part}: {{}}"])
    data = ("\n".join(lines) + "\n").encode()
    check_size(data, "manifest")
    return data


def dump_line(id: str, manifest: SampleManifest) -> bytes:
    """One line of a packed file, with its "\\n"; starts with `{"id":"`."""
    check_id(id)
    data = _line(id, manifest)
    check_size(data, id)
    return data


def _line(id: str, manifest: SampleManifest) -> bytes:
    items = manifest.items
    values = manifest.values
    item_texts = [f'"{name}":{_ref_text(name, items[name])}' for name in sorted(items)]
    inner = f'"items":{{{",".join(item_texts)}}},"values":{canonical(values)}'
    return f'{{"id":"{id}",{inner}}}\n'.encode()


def load_line(data: bytes, *, where: str) -> tuple[str, SampleManifest]:
    """Id and manifest from one line of a packed file, with or without its line end.

    Raises:
        FormatError: text that is not what docs/format.md describes.
    """
    check_size(data, where)
    try:
        raw = orjson.loads(data)
        option = _SORT_LINE if data.endswith(b"\n") else _SORT
        if _dumps(raw, None, option) == data and len(raw) == 3:
            id = check_id(raw.pop("id"))
            return id, quick_sample(raw) or sample_from_raw(raw, where)
    except (TypeError, KeyError, AttributeError, orjson.JSONDecodeError):
        pass
    raw = strict_json(data, where=where)
    id = _take_id(raw, where)
    return id, sample_from_raw(raw, where)


def line_id(data: bytes) -> str:
    """The id of a packed line, without parsing the rest where the line is as lake writes it.

    >>> line_id(b'{"id":"train/1","items":{},"values":{}}')
    'train/1'
    """
    if data.startswith(_LINE):
        text = data[len(_LINE) : data.find(b'"', len(_LINE))].decode("utf-8", "replace")
        try:
            return check_id(text)
        except FormatError:
            pass  # an escape within the id; the parser below knows
    return _take_id(strict_json(data, where="packed line"), "packed line")


def _take_id(raw: Any, where: str) -> str:
    if not isinstance(raw, dict):
        raise FormatError("must be an object", where=where)
    id = raw.pop("id", None)
    if not isinstance(id, str):
        raise FormatError('"id" is missing, or is not text', where=where)
    try:
        return check_id(id)
    except FormatError as error:
        raise error.at(where) from None


def _ref_text(name: str, ref: BlobRef) -> str:
    # By hand, since this runs for each item on each write, load and digest. Digests, types,
    # aliases and extensions need no escapes: their grammars leave no room for any.
    head = "{"
    if ref.chunks is not None:
        head = f'{{"chunks":{{"sha256":"{ref.chunks.sha256}","size":{ref.chunks.size}}},'
    if ref.ext is not None:
        head += f'"ext":"{ref.ext}",'
    if ref.file is not None:
        head += f'"file":{canonical(ref.file)},'
    if ref.in_:
        places = [
            f'"{place.alias}"' if place.key is None else canonical({place.alias: place.key})
            for place in ref.in_
        ]
        head += f'"in":[{",".join(places)}],'
    elif ref.file is None:
        raise _unplaced(name)
    return f'{head}"sha256":"{ref.sha256}","size":{ref.size},"type":"{ref.type}"}}'


def _unplaced(name: str) -> FormatError:
    return FormatError(
        "an item says neither `in` nor `file`",
        where=f"items.{name}",
        hint="where can its bytes be had?",
    )
