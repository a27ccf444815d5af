"""Many files by one barrier: atomic, thread-safe, reusable, bounded."""

from __future__ import annotations

import contextlib
import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lake import fsio
from lake.errors import DiskError, InputError, ManifestError
from lake.fsio import system

from .looking import HOSTILE, dead_pid, files_in, names_in, temp_of


def test_nothing_shows_before_the_commit(tmp_path: Path) -> None:
    with fsio.Batch(tmp_path / "new" / "root") as batch:
        staged = batch.write("a/b/c", b"1")
        with batch.stage("d") as late:
            late.write(b"2")
            late.write(b"3")
        assert [e.rel for e in fsio.scan(tmp_path, hidden=True)] == []
        assert staged.created is None
        batch.commit()
        assert staged.created is True
        assert files_in(tmp_path) == {"new/root/a/b/c": b"1", "new/root/d": b"23"}
    assert files_in(tmp_path) == {"new/root/a/b/c": b"1", "new/root/d": b"23"}
    assert not (tmp_path / "new" / "root" / ".lake-tmp").exists()


def test_leaving_without_a_commit_discards(tmp_path: Path) -> None:
    with fsio.Batch(tmp_path) as batch:
        batch.write("a", b"1")
        batch.remove("b")
        batch.stage().write(b"never published")
    assert names_in(tmp_path) == []


def test_a_failing_block_discards_its_file(tmp_path: Path) -> None:
    with fsio.Batch(tmp_path) as batch:
        with contextlib.suppress(RuntimeError), batch.stage("a") as staged:
            staged.write(b"half")
            raise RuntimeError
        batch.commit()
    assert names_in(tmp_path) == []


def test_an_existing_file_stays_unless_replaced(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    with fsio.Batch(tmp_path) as batch:
        kept, first, second = (
            batch.write(name, data, replace=False)
            for name, data in (("a", b"new"), ("b", b"first"), ("b", b"second"))
        )
        batch.commit()
        assert (kept.created, first.created, second.created) == (False, True, False)
        assert files_in(tmp_path) == {"a": b"old", "b": b"first"}
        assert batch.write("a", b"new").created is None
        batch.commit()
    assert files_in(tmp_path) == {"a": b"new", "b": b"first"}


def test_without_the_atomic_rename_links_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object) -> None:
        raise OSError(errno.EINVAL, "no flags here")

    monkeypatch.setattr(system.System, "rename_new", missing)
    test_an_existing_file_stays_unless_replaced(tmp_path)


@pytest.mark.parametrize("rel", HOSTILE)
def test_P8_hostile_names_are_refused(tmp_path: Path, rel: str) -> None:
    with fsio.Batch(tmp_path / "root") as batch:
        for call in (batch.stage, batch.remove, batch.rely_on):
            with pytest.raises(ManifestError):
                call(rel)
        with pytest.raises((ManifestError, ValueError)):
            batch.stage().publish_as(rel)


def test_P8_symbolic_links_on_the_way_are_not_followed(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (outside / "precious").write_bytes(b"x")
    (root / "link").symlink_to(outside)
    (root / "file").symlink_to(outside / "precious")
    with fsio.Batch(root) as batch:
        batch.write("link/evil", b"1")
        with pytest.raises(InputError):
            batch.commit()
    with fsio.Batch(root) as batch:
        batch.remove("link/precious")
        with pytest.raises(InputError):
            batch.commit()
    with fsio.Batch(root) as batch:
        batch.write("file", b"replaces the link")
        batch.commit()
    assert files_in(outside) == {"precious": b"x"}
    assert (root / "file").read_bytes() == b"replaces the link"
    assert not (root / "file").is_symlink()


def test_P8_a_planted_link_in_place_of_the_temporary_directory(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / ".lake-tmp").symlink_to(outside)
    with fsio.Batch(root) as batch, pytest.raises(InputError):
        batch.write("a", b"1")
    assert names_in(outside) == []


def test_many_threads_and_few_descriptors(tmp_path: Path) -> None:
    before = len(names_in(Path("/proc/self/fd"))) if Path("/proc/self/fd").exists() else 0
    with fsio.Batch(tmp_path) as batch:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: batch.write(f"d{n % 10}/{n}", b"%d" % n), range(500)))
            if before:
                assert len(names_in(Path("/proc/self/fd"))) < before + 10
        batch.commit()
    assert files_in(tmp_path) == {f"d{n % 10}/{n}": b"%d" % n for n in range(500)}


def test_commits_race_with_puts(tmp_path: Path) -> None:
    """What was published before a commit began is there when that commit returns."""
    with fsio.Batch(tmp_path) as batch:

        def put(n: int) -> bool:
            batch.write(f"{n}", b"%d" % n)
            batch.commit()
            return (tmp_path / str(n)).read_bytes() == b"%d" % n

        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(put, range(200)))


def test_a_failed_commit_can_be_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = system.System.rename, []

    def failing(self: system.System, *args: object) -> None:
        calls.append(args)
        if len(calls) == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(system.System, "rename", failing)
    (tmp_path / "old").write_bytes(b"")
    with fsio.Batch(tmp_path) as batch:
        for n in range(5):
            batch.write(f"{n}", b"%d" % n)
        batch.remove("old")
        with pytest.raises(DiskError, match="no space left"):
            batch.commit()
        assert (tmp_path / "old").exists(), "nothing is removed before the rest is durable"
        batch.commit()
    assert files_in(tmp_path) == {f"{n}": b"%d" % n for n in range(5)}


@pytest.mark.parametrize("kind", ["fsync", "syncfs"])
def test_P2_after_a_failed_sync_no_commit_claims_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """A system says only once that it lost bytes; a second sync would succeed."""

    def fail(self: system.System, fd: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with fsio.Batch(tmp_path) as batch:
        batch.write("a", b"1")
        with monkeypatch.context() as patched:
            patched.setattr(system.System, kind, fail)
            with pytest.raises(DiskError, match="the disk failed"):
                batch.commit()
        batch.write("b", b"2")
        for _ in range(2):
            with pytest.raises(DiskError, match="the disk failed"):
                batch.commit()
        batch.close()
        batch.write("c", b"3")
        batch.commit()
    assert "c" in files_in(tmp_path)
    assert "b" not in files_in(tmp_path)


def test_P2_a_repeated_commit_also_syncs_what_the_first_had_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[object] = []
    real = system.System.rename

    def fail_once(self: system.System, *args: object) -> None:
        if args[2] == "bad" and "failed" not in synced:
            synced.append("failed")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(self, *args)  # type: ignore[arg-type]

    def note(self: system.System, fd: int) -> None:
        synced.append(os.fstat(fd).st_ino)

    monkeypatch.setattr(system.System, "rename", fail_once)
    monkeypatch.setattr(system.System, "fsync", note)
    monkeypatch.setattr(system.System, "syncs_whole", lambda *_: False)
    with fsio.Batch(tmp_path) as batch:
        batch.write("first/good", b"1")
        batch.write("second/bad", b"2")
        with pytest.raises(DiskError):
            batch.commit()
        done = synced.index("failed")
        batch.commit()
    assert (tmp_path / "first").stat().st_ino in synced[done:]


def test_the_same_inode_twice(tmp_path: Path) -> None:
    """Renaming a hard link over another name of the same file leaves both, says POSIX."""
    (tmp_path / "a").write_bytes(b"x")
    os.link(tmp_path / "a", tmp_path / "b")
    with fsio.Batch(tmp_path) as batch:
        assert fsio.place(tmp_path / "a", batch, "b", "hardlink") == "hardlink"
        batch.commit()
    assert names_in(tmp_path) == ["a", "b"]


def test_leftovers_are_swept_and_those_of_the_living_are_not(tmp_path: Path) -> None:
    temp = tmp_path / ".lake-tmp"
    dead, alive = temp / temp_of(dead_pid()), temp / temp_of(os.getppid())
    for path in (dead, alive):
        path.mkdir(parents=True)
        (path / "0").write_bytes(b"left over")
    with fsio.Batch(tmp_path) as batch:
        batch.write("a", b"1")
        assert not dead.exists()
        assert alive.exists()
        batch.commit()
    assert alive.exists()


def test_an_old_directory_with_a_fresh_file_is_not_stale(tmp_path: Path) -> None:
    there = tmp_path / ".lake-tmp" / "00000000-1-0123456789ab"
    there.mkdir(parents=True)
    (there / "0").write_bytes(b"being written on another machine")
    os.utime(there, (1, 1))
    with fsio.Batch(tmp_path) as batch:
        batch.stage().discard()
    assert there.exists()
    os.utime(there / "0", (1, 1))
    os.utime(there, (1, 1))
    with fsio.Batch(tmp_path) as batch:
        batch.stage().discard()
    assert not there.exists()


def test_a_forked_child_works_on_its_own(tmp_path: Path) -> None:
    with fsio.Batch(tmp_path) as batch:
        batch.write("parent", b"1")
        child = os.fork()
        if child == 0:
            try:
                batch.write("child", b"2")
                batch.commit()
                batch.close()
                os._exit(0)
            finally:
                os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
        assert files_in(tmp_path).get("child") == b"2"
        assert "parent" not in files_in(tmp_path)
        batch.commit()
    assert files_in(tmp_path) == {"parent": b"1", "child": b"2"}


def test_two_batches_share_a_root(tmp_path: Path) -> None:
    def work(n: int) -> None:
        for k in range(20):
            with fsio.Batch(tmp_path, durable=False) as batch:
                batch.write(f"{n}/{k}", b"x")
                batch.commit()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert len(files_in(tmp_path)) == 80


def test_publishing_at_once(tmp_path: Path) -> None:
    with fsio.Batch(tmp_path, durable=False) as batch:
        staged = batch.stage()
        staged.write(b"x")
        staged.stamp(3, 1_000_000_007)
        assert staged.publish_now("deep/a")
        assert (tmp_path / "deep" / "a").stat().st_mtime_ns == 1_000_000_007
        again = batch.stage("deep/a")
        assert not again.publish_now(replace=False)
        with pytest.raises(ValueError, match="needs a name"):
            batch.stage().publish_now()
    assert files_in(tmp_path) == {"deep/a": b"x"}


def test_writing_at_offsets(tmp_path: Path) -> None:
    with fsio.Batch(tmp_path) as batch:
        with batch.stage("a") as staged, ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda n: staged.pwrite(b"%04d" % n, 4 * n), range(100)))
        batch.commit()
    assert files_in(tmp_path)["a"] == b"".join(b"%04d" % n for n in range(100))
