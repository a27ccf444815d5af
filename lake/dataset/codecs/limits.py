"""How big a decoded object may be. Codecs look at headers before they reserve memory."""

from __future__ import annotations

from lake.errors import DecodeError

MAX_BYTES = 4 << 30
"""Bytes of a decoded array, sound or archive; set it higher for bigger ones:
`lake.dataset.codecs.limits.MAX_BYTES = 16 << 30`. Pictures have their pixels limited by
`PIL.Image.MAX_IMAGE_PIXELS` besides."""


def check_bytes(count: int, what: str) -> None:
    """Refuse what would take more than MAX_BYTES once decoded."""
    if count > MAX_BYTES:
        raise DecodeError(
            f"{what} would take {count:,} bytes once decoded; at most {MAX_BYTES:,}",
            hint="is it a decompression bomb? If not, raise lake.dataset.codecs.limits.MAX_BYTES",
        )
