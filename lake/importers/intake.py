"""From what was found to items: hashed and uploaded, or to be copied, or left where it lies."""

from __future__ import annotations

import abc
import contextlib
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lake.dataset import Item
from lake.dataset.codecs import media_type_of
from lake.dataset.pending import PendingFile
from lake.errors import LakeError
from lake.importers.found import Found
from lake.transfer.ledger import FileStamp
from lake_schemas.blob import BlobRef

if TYPE_CHECKING:
    from lake.importers.objects import Objects
    from lake.transfer import Ledger, Place, Pusher

Taken = Item | LakeError
"""The item of one thing found, or why there is none."""


class Intake(abc.ABC):
    """Makes items of what was found, many at a time."""

    @abc.abstractmethod
    def take(self, found: Sequence[Found]) -> list[Taken]:
        """One item, or one error, for each."""


class Files(Intake):
    """Leaves files to the writer, which copies or links them into the dataset.

    Args:
        ledger: where the digests of unchanged files are remembered, for an update that must
            tell which ones changed; None where the writer hashes them all anyway.
    """

    def __init__(self, ledger: Ledger | None = None) -> None:
        self._ledger = ledger

    def take(self, found: Sequence[Found]) -> list[Taken]:
        if self._ledger is None:
            return [Item.from_file(_path(each)) for each in found]
        began = time.time_ns()
        stamps: dict[str, FileStamp] = {}
        for each in found:
            # One that is gone by now is an error when it is read.
            with contextlib.suppress(OSError):
                stamps[os.path.abspath(_path(each))] = FileStamp.of(_path(each).stat())  # noqa: PTH100
        known = self._ledger.digests(stamps)
        taken: list[Taken] = []
        fresh: list[tuple[str, FileStamp, str]] = []
        for each in found:
            name = os.path.abspath(_path(each))  # noqa: PTH100
            item = PendingFile(_path(each), None)
            try:
                if name in known:
                    item = _KnownFile(_path(each), known[name], stamps[name].size)
                elif item.ref.size == each.size and name in stamps:
                    fresh.append((name, stamps[name], item.ref.sha256))
                taken.append(item)
            except LakeError as error:
                taken.append(error)
        self._ledger.remember_digests(fresh, hashed_at_ns=began)
        return taken


class _KnownFile(PendingFile):
    """A file whose digest is remembered, and so need not be read to be compared."""

    __slots__ = ("_known",)

    def __init__(self, path: Path, sha256: str, size: int) -> None:
        super().__init__(path, None)
        self._known = (sha256, size)

    def _identity(self) -> tuple[str, int]:
        return self._known


class Uploads(Intake):
    """Hashes and uploads files in one pass; the items point at the remotes."""

    def __init__(self, pusher: Pusher, place: Place) -> None:
        self._pusher = pusher
        self._place = place

    def take(self, found: Sequence[Found]) -> list[Taken]:
        taken: list[Taken] = []
        for file, added in zip(
            found, self._pusher.add_files([_path(each) for each in found]), strict=True
        ):
            if added.ref is None or not added.ref.in_:
                taken.append(added.error or LakeError("not uploaded", where=file.where))
                continue
            type_, ext = media_type_of(file.name)
            ref = added.ref.model_copy(update={"type": type_, "ext": ext})
            taken.append(Item.from_ref(ref, self._place))
        return taken


class InPlace(Intake):
    """Leaves objects in the bucket where they are; reads each once for its digest."""

    def __init__(self, objects: Objects, place: Callable[[], Place]) -> None:
        self._objects = objects
        self._place = place

    def take(self, found: Sequence[Found]) -> list[Taken]:
        taken: list[Taken] = []
        for each, identity in zip(found, self._objects.identify(found), strict=True):
            if isinstance(identity, LakeError):
                taken.append(identity)
                continue
            type_, ext = media_type_of(each.name)
            ref = BlobRef(
                sha256=identity.sha256,
                size=identity.size,
                type=type_,
                ext=ext,
                in_=identity.locations,
            )
            taken.append(Item.from_ref(ref, self._place()))
        return taken


class Either(Intake):
    """Files one way, and what lists of remotes name another way."""

    def __init__(self, files: Intake, listed: Intake) -> None:
        self._files = files
        self._listed = listed

    def take(self, found: Sequence[Found]) -> list[Taken]:
        files = iter(self._files.take([each for each in found if not each.urls]))
        listed = iter(self._listed.take([each for each in found if each.urls]))
        return [next(listed if each.urls else files) for each in found]


def _path(found: Found) -> Path:
    if found.path is None:
        raise LakeError("not a file", where=found.where)
    return found.path
