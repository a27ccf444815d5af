"""Where one blob may be had: the dataset's own file, the cache, then remotes by user order."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lake.errors import LakeError
from lake.store.layout import blob_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lake.transfer.hub import Hub
    from lake.transfer.opened import Opened
    from lake.transfer.place import Place
    from lake_schemas.blob import BlobRef, Location


@dataclass(frozen=True, slots=True)
class Source:
    """One place that may serve a blob.

    Attributes:
        kind: "file" for the dataset's own, "cache", or "remote".
        name: "file", "cache", or the remote's alias.
        where: path or URL, for people.
    """

    kind: Literal["file", "cache", "remote"]
    name: str
    where: str


FEW_TRIES = 3
MANY_TRIES = 10


@dataclass(slots=True)
class Spot:
    """One object in one remote that should be a certain blob.

    `tries` says how often to read it when it comes wrong, before it is taken to be wrong: bits
    flip on wires, too. Where there is another source that is not worth much time.
    """

    alias: str
    opened: Opened
    key: str
    tries: int = FEW_TRIES

    @property
    def where(self) -> str:
        """For people."""
        return f"{self.opened.url} {self.key}"

    @property
    def path(self) -> Path | None:
        """The object's file, when the remote is a folder."""
        root = self.opened.root
        return None if root is None else root / self.key


def spots(
    hub: Hub, ref: BlobRef, place: Place, failed: list[tuple[str, LakeError]] | None = None
) -> Iterator[Spot]:
    """The objects in remotes that should be the blob, in the order in which to try them.

    Args:
        failed: receives (alias, error) of those that cannot even be opened.
    """
    for location in _ordered(hub, ref, place):
        try:
            opened = hub.reach(place, location.alias)
        except LakeError as error:
            if failed is not None:
                failed.append((location.alias, error))
            continue
        yield Spot(location.alias, opened, location.key or blob_key(ref.sha256))


def _ordered(hub: Hub, ref: BlobRef, place: Place) -> tuple[Location, ...]:
    places = ref.in_
    if len(places) < 2:
        return places
    return tuple(places[n] for n in hub.order(place, ref.aliases))


def sources(hub: Hub, ref: BlobRef, place: Place) -> list[Source]:
    """All places that may serve the blob, in order; the cache only if it holds it."""
    found: list[Source] = []
    if ref.file is not None:
        found.append(Source("file", "file", str((place.root or Path()) / ref.file)))
    cached = hub.cache.get_path(ref.sha256, ref.size)
    if cached is not None:
        found.append(Source("cache", "cache", str(cached)))
    failed: list[tuple[str, LakeError]] = []
    found += [Source("remote", spot.alias, spot.where) for spot in spots(hub, ref, place, failed)]
    found += [Source("remote", alias, f"cannot be used: {error.what}") for alias, error in failed]
    return found
