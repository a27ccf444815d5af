"""What an importer found: files or objects, and the samples that they are to become."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lake.errors import ConflictError, InputError
from lake_schemas.errors import FormatError
from lake_schemas.names import check_id, safe_name


@dataclass(frozen=True, slots=True)
class Found:
    """One file, or one object of a bucket, as a listing gives it.

    Attributes:
        rel: its path below the directory, or its key below the bucket's prefix.
        size: bytes.
        path: of a file.
        urls: where a list of remotes says that it lies, in place of a path (pipelime).
        modified: of an object, seconds since the epoch by the server's clock.
    """

    rel: str
    size: int
    path: Path | None = None
    urls: tuple[str, ...] = ()
    modified: float | None = None

    @property
    def where(self) -> str:
        """For people."""
        return str(self.path) if self.path is not None else self.rel

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.rel.rpartition("/")[2]


@dataclass(slots=True)
class Draft:
    """A sample to be: its id, what was found for each of its items, and values."""

    id: str
    parts: dict[str, Found] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """For people: what the sample was made of."""
        return next((part.where for part in self.parts.values()), self.id)


def legal_id(text: str, where: str) -> str:
    """A legal id made of any path: each part made legal by itself.

    Raises:
        InputError: it is too long or too deep to be an id.
    """
    made = "/".join(safe_name(part) for part in text.split("/") if part)
    try:
        return check_id(made)
    except FormatError as error:
        raise InputError(error.what, where=where, hint=error.hint) from None


def collision(what: str, one: str, other: str) -> ConflictError:
    """Two files that would become one thing."""
    return ConflictError(
        f"two files would become {what}",
        where=f"{one} and {other}",
        hint="rename one of them, or leave one out with --exclude",
    )
