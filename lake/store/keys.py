"""What may be the key of an object, in every store alike."""

from __future__ import annotations

import re

from lake.errors import UsageError

MAX_KEY = 1024
"""Bytes of UTF-8 that a key may have, as in S3."""

_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*(?:[./][A-Za-z0-9_-]+)*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def check_key(key: str) -> str:
    """The key itself when it is legal: relative, "/"-separated, no empty, "." or ".." parts.

    Raises:
        UsageError: it is not.

    >>> check_key("sha256/9f/9f86")
    'sha256/9f/9f86'
    """
    if _PLAIN.fullmatch(key) and len(key) <= MAX_KEY:
        return key
    try:
        encoded = key.encode()
    except UnicodeEncodeError:
        raise _bad(key, "is not text that UTF-8 can hold") from None
    if len(encoded) > MAX_KEY:
        raise _bad(key, f"is longer than {MAX_KEY} bytes")
    if _CONTROL.search(key):
        raise _bad(key, "holds a control character")
    if not key or any(part in ("", ".", "..") for part in key.split("/")):
        raise _bad(key, 'is empty or has an empty, "." or ".." part')
    return key


def check_prefix(prefix: str) -> str:
    """The prefix itself when keys can start with it; it may be empty, or end in "/".

    Raises:
        UsageError: no legal key starts so.
    """
    if prefix:
        check_key(prefix.removesuffix("/"))
    return prefix


def _bad(key: str, why: str) -> UsageError:
    return UsageError(f"an object's key {why}", where=repr(key[:200]))
