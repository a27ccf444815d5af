"""A remote as the settings resolve it: an address, and who named it where."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lake_schemas.remote import RemoteAddress


class Named(StrEnum):
    """Who named a remote; only the first two are the person at the keyboard for sure."""

    TYPED = "typed"
    USER = "user"
    LOCAL = "local"
    PROJECT = "project"
    DATASET = "dataset"


@dataclass(frozen=True, slots=True)
class Origin:
    """Who named it, and where, such as `~/.config/lake/config.yaml:4`."""

    by: Named
    where: str


@dataclass(frozen=True, slots=True)
class Remote:
    """A store's address under a name, as this person's settings have it.

    Attributes:
        alias: its name in manifests.
        address: of the store; a folder's path is absolute.
        origin: who named it.
        home: for a remote that a text names, the folder that this text speaks for: relative
            folders below it are its own.
        relative: it was named by a relative path, and is to be written down as one.
        credentials: reference of saved credentials to use, or None for the usual chain.
        profile: AWS profile to use, or None for the usual one.
        order: sources with a lower one are asked first.
        read_only: never write to it.
        replaces: the URL for which this one stands in, where it is a mirror.
    """

    alias: str
    address: RemoteAddress
    origin: Origin
    home: Path | None = None
    relative: bool = False
    credentials: str | None = None
    profile: str | None = None
    order: int = 0
    read_only: bool = False
    replaces: str | None = None

    @property
    def typed_by_user(self) -> bool:
        """The user gave its URL in this very call."""
        return self.origin.by is Named.TYPED

    @property
    def url(self) -> str:
        """The clean URL."""
        return self.address.url

    @property
    def folder(self) -> Path | None:
        """The directory of a folder remote, absolute; None for others."""
        return Path(self.address.path) if self.address.scheme == "file" else None

    def url_from(self, directory: Path) -> str:
        """The text that names this remote in a file that lies in `directory`.

        Clean, the same for everyone: what a mirror stands in for rather than the mirror, and a
        relative path where the remote was named by one.
        """
        if self.replaces is not None:
            return self.replaces
        if self.folder is not None and self.relative:
            from lake_schemas.remote import RemoteAddress

            near = os.path.relpath(os.path.realpath(self.folder), os.path.realpath(directory))
            return RemoteAddress.parse(Path(near).as_posix()).url
        return self.url
