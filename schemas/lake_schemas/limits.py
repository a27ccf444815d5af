"""How big a text may be; beyond, a typed error."""

from __future__ import annotations

from lake_schemas.errors import FormatError

MAX_TEXT = 1 << 20
"""Bytes of one manifest, one packed line, one descriptor, one configuration file."""
MAX_NESTING = 32
"""Lists and objects inside one another in a whole text, before its model is looked at."""


def check_size(data: bytes, where: str, limit: int = MAX_TEXT) -> None:
    """Refuse a text of more than 1 MiB, or of another limit."""
    if len(data) > limit:
        raise FormatError(
            f"{len(data):,} bytes are too many for one text; at most {limit:,}",
            where=where,
            hint="keep big values as blob items",
        )
