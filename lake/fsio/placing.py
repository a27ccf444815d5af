"""Putting the bytes of one file in another place: shared, linked or copied, never changed."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path
from typing import Literal

from lake.errors import UsageError
from lake.fsio import native, system
from lake.fsio.batch import Batch
from lake.fsio.hashing import CHUNK, changed, check_regular, read_chunks, same
from lake.fsio.oserrors import os_errors
from lake.fsio.staged import StagedFile

Mode = Literal["reflink", "hardlink", "symlink", "copy"]
"""How a file got to its place."""

_OPEN = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
_CANNOT = native.MISSING | {errno.EXDEV, errno.EMLINK, errno.EACCES}
_COPY_BYTES = 1 << 30


def place(
    src: str | os.PathLike[str],
    batch: Batch,
    rel: str,
    mode: str = "auto",
    *,
    replace: bool = True,
) -> Mode:
    """Stage the file `src` as `rel` in `batch`; the batch's commit publishes it.

    Args:
        mode: "reflink" (shared blocks, copied on write), "hardlink", "symlink", "copy", or
            "auto": reflink where the file system can, else copy. Hard and symbolic links
            share later changes with `src`, so they are made only when asked for by name.

    Returns the mode that was really used: what the file system cannot do becomes a copy.

    Raises:
        InputError: `src` is missing, unreadable, or changed while it was copied.
        DiskError: the disk is full or fails.
        UsageError: `mode` is none of these.
    """
    if mode == "hardlink":
        try:
            batch.stage_link("link", os.fspath(src), rel, replace=replace)
            return "hardlink"
        except OSError as error:
            if error.errno not in _CANNOT:
                with os_errors(src):
                    raise
    elif mode == "symlink":
        with os_errors(src):
            batch.stage_link("symlink", str(Path(src).absolute()), rel, replace=replace)
        return "symlink"
    elif mode not in ("auto", "reflink", "copy"):
        raise UsageError(f"no such mode: {mode}", hint="reflink, hardlink, symlink, copy or auto")
    staged = batch.stage(rel)
    try:
        used = _fill(Path(src), staged, share=mode != "copy")
    except BaseException:
        staged.discard()
        raise
    staged.publish_as(replace=replace)
    return used


def _fill(src: Path, staged: StagedFile, *, share: bool) -> Mode:
    with os_errors(src):
        fd = os.open(src, _OPEN)
    try:
        check_regular(os.fstat(fd), src)
        if share:
            try:
                system.current.clone(fd, staged.fd)
                return "reflink"
            except OSError as error:
                if error.errno not in _CANNOT:
                    with os_errors(src):
                        raise
        with os_errors(src):
            _copy(fd, staged, src)
        return "copy"
    finally:
        os.close(fd)


def _copy(fd: int, staged: StagedFile, src: Path) -> None:
    before = os.fstat(fd)
    done = 0
    try:
        while done < before.st_size:
            count = system.current.copy(fd, staged.fd, min(_COPY_BYTES, before.st_size - done))
            if count == 0:
                break
            done += count
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
    if done < before.st_size:  # the kernel cannot, or will not any further
        for chunk in read_chunks(fd, before.st_size - done):
            staged.write(chunk)
            done += len(chunk)
    if done != before.st_size or not same(before, os.fstat(fd)):
        raise changed(src)


def copy_hashed(src: str | os.PathLike[str] | int, staged: StagedFile) -> tuple[str, int]:
    """Copy a file (path or descriptor) into a staged one, hashing on the way, in one pass.

    Returns the sha256 (64 lower-case hex digits) and the size of exactly the bytes copied.

    Raises:
        InputError: `src` is missing, unreadable, or changed while it was copied.
        DiskError: the disk is full or fails.
    """
    if isinstance(src, int):
        return _copy_hashed(src, staged, f"descriptor {src}")
    with os_errors(src):
        fd = os.open(src, _OPEN)
        try:
            return _copy_hashed(fd, staged, os.fspath(src))
        finally:
            os.close(fd)


def _copy_hashed(fd: int, staged: StagedFile, where: str) -> tuple[str, int]:
    before = os.fstat(fd)
    check_regular(before, where)
    size = before.st_size
    if size < CHUNK:
        data = os.read(fd, size + 1)
        digest, count = hashlib.sha256(data).hexdigest(), len(data)
        staged.write(data)
    else:
        state, count = hashlib.sha256(), 0
        for chunk in read_chunks(fd, size):
            state.update(chunk)
            staged.write(chunk)
            count += len(chunk)
        digest = state.hexdigest()
    if count != size or not same(before, os.fstat(fd)):
        raise changed(where)
    return digest, size
