"""Text: str, in UTF-8."""

from __future__ import annotations

from lake.errors import DecodeError, UsageError


def decode(data: bytes, media_type: str) -> str:
    """The text, unchanged: no newline is translated, no byte order mark is dropped."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DecodeError(
            f"text that is not UTF-8 at byte {error.start}",
            hint="take item.bytes() and decode it yourself",
        ) from None


def encode(obj: object, media_type: str) -> bytes:
    """The text in UTF-8."""
    if not isinstance(obj, str):
        raise UsageError(f"{media_type} holds text, not {type(obj).__name__}")
    return obj.encode()
