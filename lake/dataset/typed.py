"""Errors of the format, as the classes that lake's callers handle."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from pydantic import BaseModel

from lake.errors import ManifestError, UsageError
from lake_schemas.errors import FormatError
from lake_schemas.validate import checked

Model = TypeVar("Model", bound=BaseModel)


def broken(error: FormatError, where: str | None = None) -> ManifestError:
    """For text that was read: a manifest or descriptor breaks the format."""
    placed = error if where is None else error.at(where)
    return ManifestError(placed.what, where=placed.where, hint=placed.hint)


def misused(error: FormatError, where: str | None = None) -> UsageError:
    """For a value that a caller handed over."""
    placed = error if where is None else error.at(where)
    return UsageError(placed.what, where=placed.where, hint=placed.hint)


def built(build: Callable[[], Model], where: str) -> Model:
    """What `build` makes of a caller's values.

    Raises:
        UsageError: they are not what the format allows.
    """
    try:
        return checked(build, where)
    except FormatError as error:
        raise misused(error) from None
