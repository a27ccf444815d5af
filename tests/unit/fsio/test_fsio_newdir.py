"""A directory that appears whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lake import fsio
from lake.errors import ConflictError, DiskError, InputError
from lake.fsio import system

from .looking import as_nobody, dead_pid, files_in, names_in, temp_of


def missing(*_: object) -> None:
    raise OSError(errno.EINVAL, "no flags here")


@pytest.fixture(params=["renameat2", "plain rename"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "plain rename":
        monkeypatch.setattr(system.System, "rename_new", missing)
        monkeypatch.setattr(system.System, "exchange", missing)
    name: str = request.param
    return name


def test_it_appears_at_the_end(tmp_path: Path, way: str) -> None:
    dest = tmp_path / "up" / "out"
    with fsio.NewDirectory(dest) as new:
        new.batch.write("a/b", b"1")
        new.batch.write("a/b", b"2")
        with new.batch.stage("c") as staged:
            staged.write(b"3")
        late = new.batch.stage()
        late.write(b"4")
        late.publish_as("z/late")
        other = new.batch.stage("first-name")
        other.write(b"5")
        other.publish_as("second-name")
        dropped = new.batch.stage("dropped")
        dropped.discard()
        (new.path / "by-hand").write_bytes(b"6")
        assert not dest.exists()
    expected = {"a/b": b"2", "c": b"3", "z/late": b"4", "second-name": b"5", "by-hand": b"6"}
    assert files_in(dest) == expected
    assert names_in(tmp_path / "up") == ["out"]


def test_a_failing_block_leaves_nothing(tmp_path: Path) -> None:
    with contextlib.suppress(RuntimeError), fsio.NewDirectory(tmp_path / "out") as new:
        new.batch.write("a", b"1")
        raise RuntimeError
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("kind", ["file", "directory", "link"])
@pytest.mark.parametrize("late", [True, False])
def test_what_is_there_stays(tmp_path: Path, way: str, kind: str, late: bool) -> None:
    dest = tmp_path / "out"

    def appear() -> None:
        if kind == "file":
            dest.write_bytes(b"precious")
        elif kind == "directory":
            dest.mkdir()
        else:
            dest.symlink_to("nowhere")

    def build() -> None:
        with fsio.NewDirectory(dest) as new:
            new.batch.write("a", b"1")
            if late:
                appear()

    if not late:
        appear()
    with pytest.raises(ConflictError, match="already exists"):
        build()
    assert names_in(tmp_path) == ["out"]
    assert not dest.is_dir() or names_in(dest) == []


def test_replacing(tmp_path: Path, way: str) -> None:
    for content in (b"first", b"second"):
        with fsio.NewDirectory(tmp_path / "out", replace=True) as new:
            new.batch.write(content.decode(), content)
    assert files_in(tmp_path) == {"out/second": b"second"}
    assert names_in(tmp_path) == ["out"]


def test_a_swap_that_did_not_become_durable_keeps_the_old_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: system.System, fd: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").write_bytes(b"old")
    monkeypatch.setattr(system.System, "fsync", fail)

    def build() -> None:
        with fsio.NewDirectory(tmp_path / "out", replace=True) as new:
            new.batch.write("new", b"new")

    with pytest.raises(DiskError):
        build()
    assert sorted(files_in(tmp_path).values()) == [b"new", b"old"]


def test_one_of_many_builders_wins(tmp_path: Path) -> None:
    def build(n: int) -> bool:
        try:
            with fsio.NewDirectory(tmp_path / "out") as new:
                new.batch.write("who", b"%d" % n)
            return True
        except ConflictError:
            return False

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(build, range(8)))
    assert sum(won) == 1
    assert files_in(tmp_path) == {"out/who": b"%d" % won.index(True)}


def test_leftovers_of_killed_builders_are_swept(tmp_path: Path) -> None:
    dead = tmp_path / f".out.lake-tmp-{temp_of(dead_pid())}"
    other = tmp_path / f".other.lake-tmp-{temp_of(dead_pid())}"
    for path in (dead, other):
        (path / "deep").mkdir(parents=True)
        (path / "deep" / "f").write_bytes(b"")
    with fsio.NewDirectory(tmp_path / "out"):
        assert not dead.exists()
    assert names_in(tmp_path) == [other.name, "out"]


def test_the_working_directory_may_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with fsio.NewDirectory("out") as new:
        monkeypatch.chdir(tmp_path / "elsewhere")
        new.batch.write("a", b"1")
    assert files_in(tmp_path) == {"out/a": b"1"}


def test_a_long_name(tmp_path: Path) -> None:
    with fsio.NewDirectory(tmp_path / ("n" * 255)) as new:
        new.batch.write("a", b"1")
    assert files_in(tmp_path) == {"n" * 255 + "/a": b"1"}


def test_a_parent_that_is_not_writable(open_path: Path) -> None:
    open_path.chmod(0o555)
    error = as_nobody(lambda: fsio.NewDirectory(open_path / "out").__enter__())
    assert isinstance(error, InputError)
    assert "permission denied" in str(error)


def test_a_parent_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"")
    with pytest.raises(InputError), fsio.NewDirectory(tmp_path / "f" / "out"):
        pass
