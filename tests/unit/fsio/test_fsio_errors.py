"""What the disk and the kernel say comes out as lake's own errors."""

from __future__ import annotations

import errno
import os
import pickle
import resource
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lake import fsio
from lake.errors import ConflictError, DiskError, InputError, LakeError

from .looking import as_nobody, names_in

CLASSES = {
    errno.ENOSPC: DiskError,
    errno.EDQUOT: DiskError,
    errno.EROFS: DiskError,
    errno.EIO: DiskError,
    errno.EMFILE: DiskError,
    errno.ESTALE: DiskError,
    errno.ENOENT: InputError,
    errno.EACCES: InputError,
    errno.EPERM: InputError,
    errno.ELOOP: InputError,
    errno.ENAMETOOLONG: InputError,
    errno.EEXIST: ConflictError,
    errno.ENOTEMPTY: ConflictError,
}


@pytest.mark.parametrize(("number", "kind"), CLASSES.items())
def test_every_errno_has_a_class(number: int, kind: type[LakeError]) -> None:
    with pytest.raises(kind) as caught, fsio.os_errors("some/file"):
        raise OSError(number, os.strerror(number))
    assert caught.value.where == "some/file"
    assert isinstance(caught.value.__cause__, OSError)
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)


def test_other_errors_pass(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="mine"), fsio.os_errors(tmp_path):
        raise ValueError("mine")
    error = fsio.translate(OSError(errno.ENOENT, "x", b"bytes-name"))
    assert error.where == "bytes-name"


def work(folder: Path, data: bytes) -> None:
    with fsio.Batch(folder) as batch:
        for n in range(8):
            batch.write(f"{n}/f", data)
        batch.commit()


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    mount = shutil.which("mount")
    command = [mount or "", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(tmp_path)]
    if mount is None or subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("may not mount a file system here")
    try:
        yield tmp_path
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_full_disk(tiny_disk: Path) -> None:
    full = b"x" * 200_000
    with pytest.raises(DiskError, match="no space left") as caught:
        work(tiny_disk / "out", full)
    assert "free some space" in str(caught.value)
    assert names_in(tiny_disk / "out") == []
    fsio.write_file(tiny_disk / "f", b"old")
    with pytest.raises(DiskError):
        fsio.write_file(tiny_disk / "f", full * 2)
    assert (tiny_disk / "f").read_bytes() == b"old"

    def build() -> None:
        with fsio.NewDirectory(tiny_disk / "new") as new:
            for n in range(8):
                new.batch.write(f"{n}", full)

    with pytest.raises(DiskError):
        build()
    assert names_in(tiny_disk) == ["f", "out"]
    work(tiny_disk / "out", b"x")


def test_a_file_size_limit(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises(DiskError, match="larger than is allowed"):
            work(tmp_path / "out", b"x" * 20_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert names_in(tmp_path / "out") == []


def test_a_directory_that_is_not_writable(open_path: Path) -> None:
    open_path.chmod(0o555)
    for folder in (open_path, open_path / "out"):
        error = as_nobody(lambda folder=folder: work(folder, b"x"))
        assert isinstance(error, InputError)
        assert "permission denied" in str(error)


def test_a_read_only_file_system() -> None:
    if not Path("/proc/self").exists():
        pytest.skip("no /proc here")
    with pytest.raises((InputError, DiskError)):
        work(Path("/proc/self"), b"x")
