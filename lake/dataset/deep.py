"""Paths into a sample: "meta.a[0].b" is item "meta", its key "a", element 0, key "b"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lake.errors import NotFound, UsageError

MISSING = object()

_STEP = re.compile(r"\.?([^.\[\]]+)|\[(-?\d+)\]")


def deep_get(items: Mapping[str, Any], path: str, default: Any = MISSING) -> Any:
    """What lies at `path` below a mapping of callable items.

    An item's own name may hold dots: the longest one that exists is taken.

    Raises:
        NotFound: nothing lies there, and no default was given.
        UsageError: the path cannot be read.
    """
    steps = list(_steps(path))
    for name, rest in _heads(path, steps):
        if name in items:
            return _walk(items[name](), rest, path, default)
    return _missing(path, default)


def _steps(path: str) -> Iterator[tuple[int, str | int]]:
    """Each step with the position in `path` at which it ends."""
    at = 0
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None:
            raise UsageError(
                "this path cannot be read", where=path, hint='write it like "meta.a[0].b"'
            )
        at = match.end()
        yield at, match[1] if match[2] is None else int(match[2])


def _heads(
    path: str, steps: Sequence[tuple[int, str | int]]
) -> Iterator[tuple[str, Sequence[tuple[int, str | int]]]]:
    for count in range(len(steps), 0, -1):
        yield path[: steps[count - 1][0]], steps[count:]


def _walk(value: Any, steps: Sequence[tuple[int, str | int]], path: str, default: Any) -> Any:
    for _, step in steps:
        try:
            value = value[step]
        except (LookupError, TypeError, ValueError):
            return _missing(path, default)
    return value


def _missing(path: str, default: Any) -> Any:
    if default is MISSING:
        raise NotFound("nothing lies at this path", where=path)
    return default
