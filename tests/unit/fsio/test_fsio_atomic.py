"""One file, replaced atomically; and what killed processes leave is swept."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from lake import fsio
from lake.errors import InputError
from lake.fsio import atomic, owner

from .looking import dead_pid, names_in, temp_of


def test_writes_and_replaces(tmp_path: Path) -> None:
    for data in (b"one", b"", b"two" * 100_000):
        fsio.write_file(tmp_path / "f", data)
        assert (tmp_path / "f").read_bytes() == data
    assert names_in(tmp_path) == ["f"]


def test_mode_is_as_asked(tmp_path: Path) -> None:
    fsio.write_file(tmp_path / "secret", b"x", mode=0o600)
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600


def test_a_symbolic_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"precious")
    (tmp_path / "f").symlink_to("other")
    fsio.write_file(tmp_path / "f", b"new")
    assert (tmp_path / "other").read_bytes() == b"precious"
    assert not (tmp_path / "f").is_symlink()


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no such file or directory.*missing"):
        fsio.write_file(tmp_path / "missing" / "f", b"")


def test_a_directory_in_the_way_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "f").mkdir()
    with pytest.raises(InputError):
        fsio.write_file(tmp_path / "f", b"")
    assert names_in(tmp_path) == ["f"]


def test_readers_see_the_old_bytes_or_the_new(tmp_path: Path) -> None:
    old, new = b"a" * 50_000, b"b" * 70_000
    fsio.write_file(tmp_path / "f", old)
    stop = threading.Event()
    seen = set()

    def read() -> None:
        while not stop.is_set():
            seen.add((tmp_path / "f").read_bytes())

    thread = threading.Thread(target=read)
    thread.start()
    for n in range(100):
        fsio.write_file(tmp_path / "f", (new, old)[n % 2], durable=False)
    stop.set()
    thread.join()
    assert seen <= {old, new}


def test_leftovers_of_dead_processes_are_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(atomic, "_swept", set())
    dead, alive = f".f.lake-tmp-{temp_of(dead_pid())}", f".f.lake-tmp-{temp_of(os.getppid())}"
    mine, foreign = f".f.lake-tmp-{owner.temp_name()}", ".f.lake-tmp-00000000-1-0123456789ab"
    old = ".f.lake-tmp-00000000-1-ba9876543210"
    for name in (dead, alive, mine, foreign, old, ".f.lake-tmp-x", "user.lake-tmp-file"):
        (tmp_path / name).write_bytes(b"left over")
    day_ago = (tmp_path / old).stat().st_mtime - owner.STALE_AFTER - 60
    os.utime(tmp_path / old, (day_ago, day_ago))
    fsio.write_file(tmp_path / "f", b"new")
    left = {alive, mine, foreign, ".f.lake-tmp-x", "user.lake-tmp-file", "f"}
    assert names_in(tmp_path) == sorted(left)


def test_moving_and_times(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "d").mkdir()
    fsio.move_file(tmp_path / "a", tmp_path / "d" / "b")
    fsio.set_times(tmp_path / "d" / "b", 5, 1_000_000_007)
    assert (tmp_path / "d" / "b").stat().st_mtime_ns == 1_000_000_007
    with pytest.raises(InputError):
        fsio.move_file(tmp_path / "a", tmp_path / "d" / "b")
    with pytest.raises(InputError):
        fsio.set_times(tmp_path / "a", 0, 0)


def test_trees(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_bytes(b"x")
    made = fsio.make_dirs(tmp_path / "a" / "b" / "c")
    assert [path.name for path in made] == ["a", "b", "c"]
    assert fsio.make_dirs(tmp_path / "a" / "b") == []
    (tmp_path / "a" / "b" / "f").write_bytes(b"")
    (tmp_path / "a" / "link").symlink_to(outside)
    fsio.remove_tree(tmp_path / "a")
    fsio.remove_tree(tmp_path / "a")
    assert names_in(tmp_path) == ["outside"]
    assert (outside / "precious").exists()
    fsio.remove_tree(outside / "precious")
    assert fsio.remove_file(outside / "none") is False
    assert fsio.remove_file(tmp_path / "none" / "none") is False
    with pytest.raises(InputError):
        fsio.remove_file(outside / "none", missing_ok=False)


def test_a_file_where_a_directory_should_be(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"")
    with pytest.raises(InputError, match="not a directory"):
        fsio.make_dirs(tmp_path / "f" / "sub")
    with pytest.raises(InputError):
        fsio.make_dirs(tmp_path / "f")
