"""Placing and hashing: bytes stay exactly as they are, and a change meanwhile is noticed."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lake import fsio
from lake.errors import InputError, UsageError
from lake.fsio import system

from .looking import files_in, names_in

SIZES = [0, 1, 20_480, (1 << 20) - 1, 1 << 20, (3 << 20) + 17]


def some(size: int) -> bytes:
    return hashlib.shake_128(b"seed").digest(size)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("mode", ["auto", "reflink", "hardlink", "symlink", "copy"])
def test_every_mode_keeps_the_bytes(tmp_path: Path, mode: str, size: int) -> None:
    src = tmp_path / "src"
    src.write_bytes(some(size))
    with fsio.Batch(tmp_path / "out") as batch:
        used = fsio.place(src, batch, "d/f", mode)
        batch.commit()
    out = tmp_path / "out" / "d" / "f"
    assert out.read_bytes() == some(size)
    assert used in (
        {"auto": ("reflink", "copy"), "reflink": ("reflink", "copy")}.get(mode, (mode,))
    )
    assert out.is_symlink() == (mode == "symlink")
    assert (out.stat().st_ino == src.stat().st_ino) == (mode in ("hardlink", "symlink"))


@pytest.mark.parametrize("error", [errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP])
def test_what_cannot_be_linked_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    def cannot(*_: object) -> None:
        raise OSError(error, os.strerror(error))

    for call in ("link", "clone", "copy"):
        monkeypatch.setattr(system.System, call, cannot)
    (tmp_path / "src").write_bytes(some(70_000))
    with fsio.Batch(tmp_path / "out") as batch:
        for mode in ("auto", "reflink", "hardlink", "copy"):
            assert fsio.place(tmp_path / "src", batch, mode, mode) == "copy"
        batch.commit()
    assert set(files_in(tmp_path / "out").values()) == {some(70_000)}


def test_a_link_to_a_file_is_placed_as_the_file(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"x")
    (tmp_path / "link").symlink_to("real")
    with fsio.Batch(tmp_path / "out") as batch:
        for mode in ("hardlink", "copy"):
            fsio.place(tmp_path / "link", batch, mode, mode)
        batch.commit()
    for path in (tmp_path / "out").iterdir():
        assert not path.is_symlink()
        assert path.read_bytes() == b"x"


@pytest.mark.parametrize("mode", ["auto", "copy", "hardlink"])
def test_what_is_no_file_is_refused(tmp_path: Path, mode: str) -> None:
    os.mkfifo(tmp_path / "fifo")
    with fsio.Batch(tmp_path / "out") as batch:
        with pytest.raises(InputError, match="regular"):
            fsio.place(tmp_path, batch, "d", mode)
        with pytest.raises(InputError):
            fsio.place(tmp_path / "none", batch, "n", mode)
        if mode != "hardlink":
            with pytest.raises(InputError, match="regular"):
                fsio.place(tmp_path / "fifo", batch, "f", mode)
        with pytest.raises(UsageError, match="no such mode"):
            fsio.place(tmp_path / "fifo", batch, "f", "teleport")
    assert names_in(tmp_path) == ["fifo", "out"]


def test_an_existing_name_stays(tmp_path: Path) -> None:
    (tmp_path / "src").write_bytes(b"new")
    (tmp_path / "kept").write_bytes(b"old")
    with fsio.Batch(tmp_path) as batch:
        for mode in ("copy", "hardlink", "symlink"):
            fsio.place(tmp_path / "src", batch, "kept", mode, replace=False)
        batch.commit()
    assert (tmp_path / "kept").read_bytes() == b"old"


@pytest.mark.parametrize("size", SIZES)
def test_hashing(tmp_path: Path, size: int) -> None:
    path = tmp_path / "f"
    path.write_bytes(some(size))
    expected = (hashlib.sha256(some(size)).hexdigest(), size)
    assert fsio.hash_file(path) == expected
    with open(path, "rb") as file:
        file.read(3)
        assert fsio.hash_file(file.fileno()) == expected
    with fsio.Batch(tmp_path / "out") as batch:
        with batch.stage("copy") as staged:
            assert fsio.copy_hashed(path, staged) == expected
        batch.commit()
    assert (tmp_path / "out" / "copy").read_bytes() == some(size)


def test_hashing_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path, tmp_path / "none", tmp_path / "fifo"):
        with pytest.raises(InputError):
            fsio.hash_file(path)


def grow(path: Path) -> None:
    with open(path, "ab") as file:
        file.write(b"more")


def shrink(path: Path) -> None:
    os.truncate(path, 5)


def rewrite(path: Path) -> None:
    before = path.stat()
    with open(path, "r+b") as file:
        file.write(b"other")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))


@pytest.mark.parametrize("change", [grow, shrink, rewrite])
@pytest.mark.parametrize("size", [20_480, 3 << 20])
def test_a_change_while_reading_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None], size: int
) -> None:
    path = tmp_path / "f"
    real = os.read

    def read(fd: int, count: int) -> bytes:
        data = real(fd, count)
        monkeypatch.setattr(os, "read", real)
        change(path)
        return data

    def spoilt() -> None:
        path.write_bytes(some(size))
        monkeypatch.setattr(os, "read", read)

    spoilt()
    with pytest.raises(InputError, match="changed while it was read"):
        fsio.hash_file(path)
    with fsio.Batch(tmp_path / "out") as batch:
        spoilt()
        with pytest.raises(InputError, match="changed while it was read"):
            fsio.copy_hashed(path, batch.stage())


@pytest.mark.parametrize("change", [grow, rewrite])
def test_a_change_while_copying_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None]
) -> None:
    path = tmp_path / "f"
    path.write_bytes(some(20_480))
    real = system.System.copy

    def copy(self: system.System, src: int, dst: int, count: int) -> int:
        change(path)
        return real(self, src, dst, count)

    monkeypatch.setattr(system.System, "copy", copy)
    with fsio.Batch(tmp_path / "out") as batch:
        with pytest.raises(InputError, match="changed while it was read"):
            fsio.place(path, batch, "f", "copy")
        batch.commit()
    assert names_in(tmp_path / "out") == []
