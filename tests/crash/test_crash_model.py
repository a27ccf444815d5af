"""The enumerator itself: known bad protocols are caught, and what it gives is what it says."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lake.fsio import system
from lake.fsio.growing import open_growing
from lake.testing.crash import Recorder, State, states, violations

OLD, NEW = b"old bytes", b"new bytes, longer"
Run = Callable[[int], None]


@pytest.fixture
def room(tmp_path: Path) -> Path:
    (tmp_path / "room").mkdir()
    return tmp_path / "room"


def recorded(room: Path, run: Run) -> Recorder:
    with Recorder(room) as recorder:
        fd = os.open(room, os.O_RDONLY)
        run(fd)
        os.close(fd)
        recorder.mark("done")
    return recorder


def write(name: str, fd: int, data: bytes, *, sync: bool) -> None:
    file = system.current.create(name, fd)
    system.current.write(file, data)
    if sync:
        system.current.fsync(file)
    os.close(file)


def in_place(fd: int) -> None:
    system.current.unlink("f", fd)
    write("f", fd, NEW, sync=True)
    system.current.fsync(fd)


def rename_without_fsync(fd: int) -> None:
    write("temp", fd, NEW, sync=False)
    system.current.rename("temp", fd, "f", fd)
    system.current.fsync(fd)


def no_fsync_of_the_directory(fd: int) -> None:
    write("temp", fd, NEW, sync=True)
    system.current.rename("temp", fd, "f", fd)


def fsync_after_the_rename(fd: int) -> None:
    write("temp", fd, NEW, sync=False)
    system.current.rename("temp", fd, "f", fd)
    system.current.syncfs(fd)


def right(fd: int) -> None:
    write("temp", fd, NEW, sync=True)
    system.current.rename("temp", fd, "f", fd)
    system.current.fsync(fd)


def old_or_new(state: State) -> None:
    found = state.tree.get("f")
    assert found in (OLD, NEW)
    assert found == NEW or not state.marks


@pytest.mark.parametrize(
    ("protocol", "is_right"),
    [
        (in_place, False),
        (rename_without_fsync, False),
        (no_fsync_of_the_directory, False),
        (fsync_after_the_rename, False),
        (right, True),
    ],
)
def test_known_protocols(room: Path, protocol: Run, is_right: bool) -> None:
    (room / "f").write_bytes(OLD)
    found = violations(recorded(room, protocol), old_or_new)
    assert (found == []) is is_right
    for each in found:
        assert each.state.last


def test_what_an_unsynced_file_may_hold(room: Path) -> None:
    recorder = recorded(room, lambda fd: write("f", fd, b"12345678", sync=False))
    found = {state.tree.get("f") for state in states(recorder)}
    assert found == {None, b"", b"1234", b"1234" + bytes(4), bytes(8), b"12345678"}


def test_a_sample_is_the_same_for_the_same_seed(room: Path) -> None:
    def many(fd: int) -> None:
        for n in range(12):
            write(f"{n}", fd, b"12345678", sync=False)

    recorder = recorded(room, many)

    def drawn(seed: int) -> list[State]:
        return list(states(recorder, limit=10, seed=seed))

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_all_kinds_of_operations(room: Path, tmp_path: Path) -> None:
    (room / "dir").mkdir()
    (room / "dir" / "f").write_bytes(OLD)
    (room / "link").symlink_to("dir/f")

    def run(fd: int) -> None:
        system.current.mkdir("new", fd)
        system.current.symlink("dir", "other", fd)
        system.current.link("dir/f", fd, "new/twin", fd)
        file = system.current.create("copy", fd)
        with open(room / "dir" / "f", "rb") as source:
            while system.current.copy(source.fileno(), file, 4):
                pass
        system.current.pwrite(file, b"!", 20)
        os.close(file)
        growing = open_growing(room / "new" / "grown")
        assert growing is not None
        growing.write(b"one ")
        growing.close()
        growing = open_growing(room / "new" / "grown")
        assert growing is not None
        growing.write(b"two")
        growing.close()
        system.current.rmdir("gone", fd)
        system.current.syncfs(fd)

    (room / "gone").mkdir()
    *_, last = states(recorded(room, run), limit=1)
    assert last.tree == {
        "dir/": None,
        "dir/f": OLD,
        "link@": b"dir/f",
        "other@": b"dir",
        "new/": None,
        "new/twin": OLD,
        "new/grown": b"one two",
        "copy": OLD + bytes(20 - len(OLD)) + b"!",
    }
    (tmp_path / "again").mkdir()
    last.write_to(tmp_path / "again")
    assert (tmp_path / "again" / "link").read_bytes() == OLD
    assert (tmp_path / "again" / "new" / "grown").read_bytes() == b"one two"
    assert last.marks == ("done",)


def test_the_model_ends_as_the_disk_does(room: Path) -> None:
    """With everything persisted, the last state is what is really there."""

    def run(fd: int) -> None:
        write("a", fd, OLD, sync=True)
        write("b", fd, NEW, sync=False)
        system.current.exchange("a", fd, "b", fd)
        system.current.rename("a", fd, "c", fd)
        system.current.syncfs(fd)

    *_, last = states(recorded(room, run))
    assert last.tree == {"b": OLD, "c": NEW}
    assert (room / "b").read_bytes() == OLD
    assert (room / "c").read_bytes() == NEW
