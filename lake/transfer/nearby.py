"""Blobs that are files on this machine: the dataset's own, and those in folder remotes.

They are read where they lie, with no second copy in the cache, and hashed each time, but for
files that this process hashed before and that have not changed since.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from lake.errors import InputError, IntegrityError, LakeError, NotFound

if TYPE_CHECKING:
    from lake.transfer.first import Answers
    from lake.transfer.hub import Hub
    from lake.transfer.place import Place
    from lake.transfer.sources import Spot
    from lake_schemas.blob import BlobRef

OTHER = "other bytes than its manifest says"


def own_bytes(hub: Hub, ref: BlobRef, place: Place, answers: Answers) -> bytes | None:
    """The verified bytes of the dataset's own file, or None, with the reason in `answers`."""
    file = str(ref.file)
    try:
        data = read_own(hub, place.root or Path(), file, ref.size)
    except LakeError as error:
        answers.add(f"file {file}", error)
        return None
    if len(data) == ref.size and hashlib.sha256(data).hexdigest() == ref.sha256:
        return data
    answers.add(f"file {file}", IntegrityError(OTHER))
    return None


def read_own(hub: Hub, root: Path, file: str, size: int) -> bytes:
    """The unverified bytes of a dataset's own file, at most one more than `size`.

    Raises:
        InputError, ManifestError: the file is missing, unreadable or larger, or no such file may
            be read.
    """
    from lake.fsio import os_errors, read_beneath, read_up_to
    from lake.transfer.links import open_own

    try:
        return read_beneath(root, file, limit=size)
    except InputError:
        # Perhaps a link that may be followed; else the same error once more.
        fd = open_own(hub, root, file)
    try:
        with os_errors(root / file):
            return read_up_to(fd, size + 1)
    finally:
        os.close(fd)


def own_path(hub: Hub, ref: BlobRef, place: Place, answers: Answers) -> Path | None:
    """The dataset's own file once it is known to be right, or None."""
    from lake.transfer.links import open_own

    root, file = place.root or Path(), str(ref.file)
    try:
        return _verified(hub, open_own(hub, root, file), root / file, ref, f"file {file}")
    except LakeError as error:
        answers.add(f"file {file}", error)
        return None


def own_file(hub: Hub, ref: BlobRef, place: Place, answers: Answers) -> BinaryIO | None:
    """The dataset's own file, open, once it is known to be right, or None."""
    from lake.transfer.links import open_own

    root, file = place.root or Path(), str(ref.file)
    try:
        fd = open_own(hub, root, file)
        try:
            check_open_file(hub, fd, str(root / file), ref, f"file {file}")
            os.lseek(fd, 0, os.SEEK_SET)
        except BaseException:
            os.close(fd)
            raise
        # The very file that was hashed: its name may mean another one by now.
        return os.fdopen(fd, "rb")
    except LakeError as error:
        answers.add(f"file {file}", error)
        return None


def spot_path(hub: Hub, spot: Spot, ref: BlobRef) -> Path:
    """The object's file in a folder remote, verified.

    Raises:
        NotFound, IntegrityError, RemoteError: as when reading from that remote.
    """
    # Asked of the store, which may forbid this key, before the file is touched.
    spot.opened.store.stat(spot.key)
    root = spot.opened.root
    if root is None:
        raise NotFound("this remote is no folder", where=spot.where)
    return verified_path(hub, root, spot.key, ref, spot.alias)


def verified_path(hub: Hub, root: Path, rel: str, ref: BlobRef, source: str) -> Path:
    """`root / rel`, once its bytes are known to be the blob.

    Raises:
        IntegrityError: they are not.
        InputError: the file is missing, unreadable, or changes while it is read.
    """
    from lake.fsio import open_beneath

    return _verified(hub, open_beneath(root, rel), root / rel, ref, source)


def _verified(hub: Hub, fd: int, path: Path, ref: BlobRef, source: str) -> Path:
    """`path`, which is open as `fd`; closes that."""
    try:
        check_open_file(hub, fd, str(path), ref, source)
    finally:
        os.close(fd)
    return path


def check_open_file(hub: Hub, fd: int, name: str, ref: BlobRef, source: str) -> None:
    """Verify an open file; remembered as long as it does not change. Raises IntegrityError."""
    from lake.fsio import hash_file
    from lake.transfer.ledger import FileStamp

    stamp = FileStamp.of(os.fstat(fd))
    if hub.stamps.right(name, stamp, ref.sha256):
        return
    if stamp.size != ref.size:
        raise IntegrityError(f"{stamp.size} bytes instead of {ref.size}", where=source)
    sha256, _ = hash_file(fd)
    if sha256 != ref.sha256:
        raise IntegrityError(OTHER, where=source)
    hub.stamps.add(name, stamp, ref.sha256)
