"""The places that should hold a blob, and a look at each: is it there, is it right."""

from __future__ import annotations

import abc
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from lake.errors import IntegrityError, LakeError, NotFound
from lake.store.layout import blob_key
from lake.store.store import Expect
from lake.store.verify import checked_chunks, read_verified
from lake.transfer.sources import FEW_TRIES, MANY_TRIES, Spot
from lake.transfer.target import FOLDER_THREADS

if TYPE_CHECKING:
    from lake.transfer.hub import Hub
    from lake.transfer.mention import Mention
    from lake_schemas.blob import BlobRef, Location

IN_MEMORY = 1 << 20
"""Larger blobs are read in pieces."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One copy of one blob.

    Attributes:
        sample, key: an item that mentions it.
        source: "file", "cache", or the remote's alias.
        state: "ok", "missing", "size", "corrupt", "changed", "unreachable" or "repaired".
        detail: what exactly was found.
    """

    sample: str
    key: str
    sha256: str
    source: str
    where: str
    state: str
    detail: str = ""

    @property
    def mendable(self) -> bool:
        """Whether good bytes in this place would be right, as far as the state says."""
        return self.state in ("missing", "size", "corrupt")

    def to_dict(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return asdict(self)


class Holder(abc.ABC):
    """One place that should hold the blob of one mention."""

    name: str
    concurrency: ClassVar[int] = FOLDER_THREADS

    def __init__(self, hub: Hub, mention: Mention) -> None:
        self.hub = hub
        self.mention = mention

    @property
    def ref(self) -> BlobRef:
        """The blob."""
        return self.mention.ref

    @property
    @abc.abstractmethod
    def where(self) -> str:
        """Path or URL, for people."""

    @abc.abstractmethod
    def look(self, read_data: bool) -> tuple[str, str] | None:
        """(state, detail), or None where the blob need not be."""

    def check(self, read_data: bool) -> Finding | None:
        """Look, and tell."""
        found = self.look(read_data)
        if found is None:
            return None
        sample, key = self.mention.sample, self.mention.key
        return Finding(sample, key, self.ref.sha256, self.name, self.where, *found)


class OwnFile(Holder):
    """The dataset's own file."""

    name = "file"

    @property
    def path(self) -> Path:
        return (self.mention.place.root or Path()) / str(self.ref.file)

    @property
    def where(self) -> str:
        return str(self.path)

    def look(self, read_data: bool) -> tuple[str, str] | None:
        from lake.fsio import hash_file
        from lake.transfer.links import open_own

        try:
            fd = open_own(self.hub, self.mention.place.root or Path(), str(self.ref.file))
        except LakeError as error:
            there = os.path.lexists(self.path)
            return ("unreachable", error.what) if there else ("missing", "no such file")
        try:
            size = os.fstat(fd).st_size
            if size != self.ref.size:
                return "changed", f"{size} bytes instead of {self.ref.size}"
            if read_data and hash_file(fd)[0] != self.ref.sha256:
                return "changed", "other bytes"
        except LakeError as error:
            return "unreachable", error.what
        finally:
            os.close(fd)
        return "ok", ""


class Cached(Holder):
    """The cache, which need not hold the blob, but must hold it right."""

    name = "cache"

    @property
    def where(self) -> str:
        sha256 = self.ref.sha256
        return str(self.hub.cache.path / blob_key(sha256))

    def look(self, read_data: bool) -> tuple[str, str] | None:
        from lake.fsio import exists, hash_file

        cache, ref = self.hub.cache, self.ref
        there = exists(self.where)
        path = cache.get_path(ref.sha256, ref.size)
        if path is None:
            return ("corrupt", "moved aside") if there else None
        if read_data:
            try:
                if hash_file(path) != (ref.sha256, ref.size):
                    cache.quarantine(ref.sha256)
                    return "corrupt", "moved aside"
            except LakeError:
                return None  # evicted meanwhile
        return "ok", ""


class InRemote(Holder):
    """A remote that the manifest names."""

    def __init__(self, hub: Hub, mention: Mention, location: Location) -> None:
        super().__init__(hub, mention)
        self.name = location.alias
        self.adopted = location.key is not None
        self._key = location.key or blob_key(mention.ref.sha256)
        self._spot: Spot | None = None
        self._error: LakeError | None = None
        try:
            opened = hub.reach(mention.place, location.alias)
            folder = opened.root is not None
            threads = FOLDER_THREADS if folder else opened.store.properties.concurrency
            self.concurrency = threads  # type: ignore[misc]
            self._spot = Spot(location.alias, opened, self._key)
        except LakeError as error:
            self._error = error

    @property
    def spot(self) -> Spot | None:
        """The object; None where the remote cannot be used."""
        return self._spot

    @property
    def where(self) -> str:
        return self._key if self._spot is None else self._spot.where

    def look(self, read_data: bool) -> tuple[str, str] | None:
        if self._spot is None:
            return "unreachable", "" if self._error is None else self._error.what
        health, url = self.hub.health, self._spot.opened.url
        if not health.answers(url):
            return "unreachable", "did not answer before"
        try:
            found = self._look(self._spot, read_data)
        except NotFound:
            found = ("missing", "no such object")
        except LakeError as error:
            health.failed(url, error)
            return "unreachable", error.what
        health.worked(url)
        if found[0] != "ok":
            # Not to be read from when it is mended; the report tells it to the user.
            self.hub.quarantine.add(url, self.ref.sha256, found[1], quietly=True)
        return found

    def _look(self, spot: Spot, read_data: bool) -> tuple[str, str]:
        store, ref = spot.opened.store, self.ref
        if not read_data:
            size = store.stat(spot.key).size
            right = size == ref.size
            return ("ok", "") if right else ("size", f"{size} bytes instead of {ref.size}")
        expect = Expect(ref.sha256, ref.size)
        try:
            if ref.size <= IN_MEMORY:
                read_verified(store, spot.key, expect, source=spot.alias, tries=MANY_TRIES)
            else:
                self._read_through(spot, expect)
        except IntegrityError as error:
            return "corrupt", error.what
        return "ok", ""

    def _read_through(self, spot: Spot, expect: Expect) -> None:
        for left in reversed(range(FEW_TRIES)):
            try:
                with spot.opened.store.get(spot.key) as stream:
                    for _ in checked_chunks(stream, expect, source=spot.alias):
                        pass
                return
            except IntegrityError:
                # A bit may have flipped on the wire.
                if not left:
                    raise


def holders(hub: Hub, mention: Mention) -> Iterator[Holder]:
    """The places that should hold a mentioned blob."""
    if mention.ref.file is not None:
        yield OwnFile(hub, mention)
    yield Cached(hub, mention)
    for location in mention.ref.in_:
        yield InRemote(hub, mention, location)
