"""The model of a manifest: one sample's items and values."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from lake_schemas.blob import BlobRef
from lake_schemas.errors import FormatError
from lake_schemas.names import NAME

MAX_DEPTH = 24
"""Lists and objects inside one another in one value."""
MAX_INT = 2**63 - 1
MIN_INT = -(2**63)

ItemName = Annotated[str, Field(pattern=f"^{NAME}$")]


class SampleManifest(BaseModel):
    """What one sample is made of: blobs by reference, and values kept in the text itself.

    A name is in `items` or in `values`, never in both, and no two names differ by case alone.
    Both mappings are to be left as they are: derive a new manifest instead.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    items: dict[ItemName, BlobRef] = Field(default_factory=dict)
    values: dict[ItemName, JsonValue] = Field(default_factory=dict)

    def model_post_init(self, context: Any, /) -> None:
        for name, value in self.values.items():
            check_value(value, name)
        names = (*self.items, *self.values)
        if len(set(map(str.lower, names))) < len(names):
            raise FormatError("two items or values have one name, or differ only by case")

    @property
    def names(self) -> list[str]:
        """Names of all items and values, sorted."""
        return sorted([*self.items, *self.values])


def check_value(value: object, where: str) -> None:
    """Refuse what is not JSON as the format has it.

    Integers are within 64 bits, numbers are finite, at most 24 levels deep, and text is what
    UTF-8 can write.

    Raises:
        FormatError: naming the place inside the value.
    """
    found = fault(value, 0)
    if found is not None:
        what, path = found
        raise FormatError(what, where=where + path)


def fault(value: Any, depth: int) -> tuple[str, str] | None:
    """What `check_value` has against a value, and the path to it inside the value."""
    # Runs for every value of every manifest: the path to a fault is only built on the way back.
    kind = type(value)
    if kind is str:
        return None if value.isascii() else _text_fault(value)
    if kind is float:
        return None if math.isfinite(value) else ("a number is not finite", "")
    if kind is int:
        return None if MIN_INT <= value <= MAX_INT else ("an integer does not fit 64 bits", "")
    if kind is bool or value is None:
        return None
    if kind is not list and kind is not dict:
        return f"{kind.__name__} is not a JSON value", ""
    if depth == MAX_DEPTH:
        return f"a value is more than {MAX_DEPTH} levels deep", ""
    if kind is list:
        for index, inner in enumerate(value):
            found = fault(inner, depth + 1)
            if found is not None:
                return found[0], f"[{index}]{found[1]}"
        return None
    for key, inner in value.items():
        found = ("a key is not text", "") if type(key) is not str else _text_fault(key)
        if found is not None:
            return found
        found = fault(inner, depth + 1)
        if found is not None:
            return found[0], f".{key}{found[1]}"
    return None


def _text_fault(text: str) -> tuple[str, str] | None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return "text holds half a surrogate pair", ""
    return None
