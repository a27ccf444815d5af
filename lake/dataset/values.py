"""Inline values: what of Python's data a manifest can keep as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lake.dataset.typed import misused
from lake_schemas.errors import FormatError
from lake_schemas.sample import check_value

PLAIN = (str, int, float, bool, type(None))


def inline(value: object, where: str) -> Any:
    """`value` as JSON that a manifest can hold: a copy, so that later changes do not reach it.

    Tuples become lists, numpy's scalars plain numbers.

    Raises:
        UsageError: it is not JSON, not finite, too deep or out of range.
    """
    plain = _plain(value, where)
    try:
        check_value(plain, where)
    except FormatError as error:
        raise misused(error) from None
    return plain


def is_inline(value: object) -> bool:
    """Whether `value` is of a kind that `inline` takes."""
    return isinstance(value, (*PLAIN, Mapping, list, tuple)) or _is_scalar(value)


def copied(value: Any) -> Any:
    """An equal value whose lists and objects are nobody else's."""
    kind = type(value)
    if kind is dict:
        return {key: copied(inner) for key, inner in value.items()}
    if kind is list:
        return [copied(inner) for inner in value]
    return value


def _plain(value: Any, where: str) -> Any:
    if type(value) in PLAIN:
        return value
    if isinstance(value, Mapping):
        return {key: _plain(inner, f"{where}.{key}") for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner, f"{where}[{n}]") for n, inner in enumerate(value)]
    if _is_scalar(value):
        return value.item()
    for kind in (bool, int, float, str):
        # Subclasses (enums, numpy's float64) are kept as what they derive from.
        if isinstance(value, kind):
            return kind(value)
    return value


def _is_scalar(value: Any) -> bool:
    """Whether it is a number of numpy's or the like, without importing numpy to find out."""
    return getattr(value, "shape", None) == () and callable(getattr(value, "item", None))
