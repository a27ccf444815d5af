"""Opening below a directory never leaves it, blocks on nothing, and errs with a type."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lake import fsio
from lake.errors import InputError, LakeError, ManifestError
from lake.fsio import beneath, native

from .looking import HOSTILE, names_in


@pytest.fixture(params=["openat2", "step by step"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(beneath, "_openat2_works", request.param == "openat2")
    name: str = request.param
    return name


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    root = tmp_path / "root"
    (root / "a" / "b").mkdir(parents=True)
    (root / "a" / "b" / "file").write_bytes(b"inside")
    (root / "top").write_bytes(b"top")
    (tmp_path / "secret").write_bytes(b"outside")
    (root / "up").symlink_to("..")
    (root / "a" / "abs").symlink_to(tmp_path)
    (root / "a" / "secret").symlink_to(tmp_path / "secret")
    (root / "a" / "inner").symlink_to("b")
    os.mkfifo(root / "a" / "fifo")
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(root)
        server.bind("socket")
        os.chdir(here)
        yield root


@pytest.mark.parametrize("rel", HOSTILE)
def test_P8_hostile_names(root: Path, way: str, rel: str) -> None:
    with pytest.raises(ManifestError):
        fsio.open_beneath(root, rel)


@pytest.mark.parametrize(
    "rel", ["up/secret", "a/abs/secret", "a/secret", "a/inner/file", "up", "a/inner"]
)
def test_P8_no_symbolic_link_is_followed(root: Path, way: str, rel: str) -> None:
    with pytest.raises(InputError):
        fsio.read_beneath(root, rel, limit=100)


@pytest.mark.parametrize("rel", ["a/fifo", "a", "a/b", "socket"])
def test_P8_only_regular_files_and_no_blocking(root: Path, way: str, rel: str) -> None:
    with pytest.raises(InputError, match="regular"):
        fsio.open_beneath(root, rel)


@pytest.mark.parametrize("rel", ["none", "a/none", "none/none", "top/x", "x" * 300])
def test_what_is_not_there(root: Path, way: str, rel: str) -> None:
    with pytest.raises(InputError):
        fsio.open_beneath(root, rel)


def test_reading(root: Path, way: str) -> None:
    assert fsio.read_beneath(root, "a/b/file", limit=6) == b"inside"
    assert fsio.read_beneath(root, "top", limit=100) == b"top"
    with pytest.raises(InputError, match="larger than the 5 bytes"):
        fsio.read_beneath(root, "a/b/file", limit=5)
    assert fsio.stat_beneath(root, "a/b/file").st_size == 6
    assert fsio.stat_beneath(root, "top").st_size == 3
    with pytest.raises(OSError, match=r"Too many levels|Not a directory"):
        fsio.stat_beneath(root, "up/secret")


def test_a_sandbox_that_forbids_openat2(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> int:
        raise OSError(errno.EPERM, "seccomp says no")

    monkeypatch.setattr(native, "open_beneath", forbidden)
    monkeypatch.setattr(beneath, "_openat2_works", True)
    assert fsio.read_beneath(root, "a/b/file", limit=6) == b"inside"
    with pytest.raises(InputError):
        fsio.read_beneath(root, "up/secret", limit=100)


def test_no_descriptor_leaks(root: Path, way: str) -> None:
    if not Path("/proc/self/fd").exists():
        pytest.skip("no /proc here")
    before = len(names_in(Path("/proc/self/fd")))
    for rel in ("a/fifo", "a/none", "up/secret", "a", "socket", "top/x"):
        with pytest.raises(InputError):
            fsio.open_beneath(root, rel)
    assert len(names_in(Path("/proc/self/fd"))) == before


parts = st.sampled_from(["a", "b", "file", "top", "up", "abs", "secret", "inner", "..", ".", ""])


@given(rel=st.one_of(st.lists(parts, max_size=5).map("/".join), st.text(max_size=12)))
def test_P8_every_name_reads_inside_or_fails_with_a_type(rel: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "root"
        (root / "a" / "b").mkdir(parents=True)
        (root / "a" / "b" / "file").write_bytes(b"inside")
        (root / "top").write_bytes(b"inside")
        (Path(name) / "secret").write_bytes(b"outside")
        (root / "up").symlink_to("..")
        (root / "a" / "secret").symlink_to("../../secret")
        with contextlib.suppress(LakeError):
            assert fsio.read_beneath(root, rel, limit=100) == b"inside"
