"""JSON: the canonical spelling of a value, and a loader that lets nothing doubtful through."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, NoReturn

import orjson

from lake_schemas.errors import FormatError, mending, quoted
from lake_schemas.limits import MAX_NESTING, check_size

# Finds every float that orjson may write in another way than repr does, and some other text.
_exponent = re.compile(r"\de|0\.0000").search


def canonical(value: Any) -> str:
    """A JSON value in canonical text: no spaces, keys sorted by code point, UTF-8 unescaped,
    floats as the shortest decimal that reads back, the way Python's `repr` lays it out.

    >>> canonical({"b": [1.0, 1e16, "é"], "a": None})
    '{"a":null,"b":[1.0,1e+16,"é"]}'
    """
    try:
        text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
        # orjson is ten times faster, but how it writes exponents changed from version to version.
        if _exponent(text) is None:
            return text
        return json.dumps(
            value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
        )
    except (TypeError, ValueError, RecursionError) as error:
        raise FormatError(f"not a JSON value: {type(error).__name__}") from None


def strict_json(data: bytes, *, where: str) -> Any:
    """JSON as the format allows it: UTF-8 without a byte order mark, no duplicate keys, no NaN,
    at most 32 levels deep, at most 1 MiB.

    Raises:
        FormatError: any other text, naming line and column where they are known.
    """
    check_size(data, where)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(f"not UTF-8 at byte {error.start}", where=where) from None
    if text.startswith("\ufeff"):
        raise FormatError("starts with a byte order mark", where=where, hint="save without BOM")
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except FormatError as error:
        raise error.at(where) from None
    except json.JSONDecodeError as error:
        raise FormatError(
            f"not JSON: {error.msg}, line {error.lineno} column {error.colno}",
            where=where,
            hint=mending(text),
        ) from None
    except RecursionError:
        raise FormatError(f"more than {MAX_NESTING} levels deep", where=where) from None
    except ValueError:  # CPython refuses to read integers of more than 4,300 digits
        raise FormatError("an integer does not fit 64 bits", where=where) from None
    check_depth(value, where)
    return value


def check_depth(value: Any, where: str) -> None:
    """Refuse more than 32 levels of lists and objects, without recursion."""
    level = _containers([value])
    for _ in range(MAX_NESTING):
        level = [
            inner
            for outer in level
            for inner in _containers(outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return
    raise FormatError(f"more than {MAX_NESTING} levels deep", where=where)


def _containers(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if isinstance(value, list | dict)]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise FormatError(f"{quoted(twice)} is there twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise FormatError(f"{name} is not JSON", hint="use null")
