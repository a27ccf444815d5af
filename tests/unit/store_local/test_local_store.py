"""What a folder as a store does beyond the common suite: links, conflicts, limits, forks."""

from __future__ import annotations

import errno
import gc
import hashlib
import os
import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lake.errors import (
    AccessDenied,
    ConflictError,
    DiskError,
    InputError,
    IntegrityError,
    LakeError,
    NotFound,
    RemoteError,
    UsageError,
)
from lake.fsio import system
from lake.store import BytesBody, Expect, FileBody, StreamBody, blob_key
from lake.store.local import LocalStore
from tests.unit.fsio.looking import as_nobody, files_in, names_in


def expect_of(data: bytes) -> Expect:
    return Expect(hashlib.sha256(data).hexdigest(), len(data))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LocalStore]:
    store = LocalStore(tmp_path / "store")
    yield store
    store.close()


def put(store: LocalStore, key: str, data: bytes) -> None:
    store.put(key, BytesBody(data))
    store.flush()


def test_nothing_shows_before_the_flush(store: LocalStore) -> None:
    result = store.put(blob_key, BytesBody(b"hello"))
    assert result.created
    assert list(store.list()) == []
    with pytest.raises(NotFound):
        store.get(result.key)
    store.flush()
    assert store.get(result.key).read() == b"hello"
    assert (store.root / result.key).stat().st_mode & 0o222 == 0


def test_close_forgets_what_was_not_flushed(store: LocalStore) -> None:
    store.put("a", BytesBody(b"x"))
    store.close()
    store.flush()
    assert files_in(store.root) == {}
    put(store, "a", b"y")
    assert files_in(store.root) == {"a": b"y"}


def test_nothing_is_left_when_nobody_closes(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    put(store, "a", b"x")
    del store
    gc.collect()
    assert names_in(tmp_path) == ["a"]


def test_a_duplicate_is_known_before_its_body_is_read(store: LocalStore) -> None:
    data = b"x" * 3_000_000
    put(store, blob_key(expect_of(data).sha256), data)

    def never() -> Iterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    body = StreamBody(len(data), never)
    assert not store.put(blob_key, body, expect=expect_of(data)).created


def test_a_duplicate_of_unknown_digest_is_not_written(store: LocalStore) -> None:
    put(store, blob_key(expect_of(b"twin").sha256), b"twin")
    result = store.put(blob_key, BytesBody(b"twin"))
    assert (result.created, result.size) == (False, 4)


@pytest.mark.parametrize("torn", [b"", b"tw", b"twins"])
def test_P1_a_torn_object_is_replaced(store: LocalStore, torn: bytes) -> None:
    key = blob_key(expect_of(b"twin").sha256)
    put(store, key, torn)
    assert store.put(blob_key, BytesBody(b"twin")).created
    store.flush()
    assert store.get(key).read() == b"twin"


def test_a_conditional_put_of_no_digest_loses_whatever_the_size(store: LocalStore) -> None:
    put(store, "lake.json", b"first")
    assert not store.put("lake.json", BytesBody(b"second one")).created
    store.flush()
    assert store.get("lake.json").read() == b"first"


@pytest.mark.parametrize("kind", ["link", "dangling", "fifo"])
def test_what_is_no_plain_file_is_replaced_and_never_read(store: LocalStore, kind: str) -> None:
    put(store, "other", b"precious")
    path = store.root / "a"
    if kind == "fifo":
        os.mkfifo(path)
    else:
        path.symlink_to("other" if kind == "link" else "nowhere")
    with pytest.raises(RemoteError, match="not a plain file"):
        store.get("a")
    assert [info.key for info in store.list()] == ["other"]
    assert store.put("a", BytesBody(b"new")).created
    store.flush()
    assert files_in(store.root) == {"a": b"new", "other": b"precious"}


def test_P8_links_to_elsewhere_are_not_followed(store: LocalStore, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    store.root.mkdir()
    (store.root / "d").symlink_to(outside)
    for call in (
        lambda: store.get("d/secret"),
        lambda: store.stat("d/secret"),
        lambda: put(store, "d/new", b"x"),
    ):
        with pytest.raises((RemoteError, ConflictError, NotFound)):
            call()
    store.delete(["d/secret"])
    assert list(store.list()) == []
    assert files_in(outside) == {"secret": b"secret"}


def test_a_file_and_a_directory_of_one_name(store: LocalStore) -> None:
    put(store, "a", b"x")
    put(store, "d/e", b"x")
    for key in ("a/b", "d"):
        with pytest.raises(ConflictError):
            store.put(key, BytesBody(b"y"))
    with pytest.raises(NotFound):
        store.get("a/b")
    store.delete(["a/b", "d"])
    assert files_in(store.root) == {"a": b"x", "d/e": b"x"}


@pytest.mark.parametrize(
    "key", [".lake-tmp", ".lake-tmp/x", "a/.lake-x/y", ".a.lake-tmp-1", "../x", "/x", "a//b"]
)
def test_keys_that_are_not_taken(store: LocalStore, key: str) -> None:
    with pytest.raises(UsageError):
        store.put(key, BytesBody(b"x"))
    with pytest.raises(UsageError):
        store.put(lambda _: key, BytesBody(b"x"))
    with pytest.raises(UsageError):
        store.get(key)


def test_a_name_too_long_for_the_file_system(store: LocalStore) -> None:
    with pytest.raises(LakeError) as caught:
        put(store, "k" * 300, b"x")
    assert "too long" in str(caught.value).lower()
    store.close()


def test_wrong_bytes_leave_nothing(store: LocalStore) -> None:
    big = b"x" * 3_000_000
    for data in (b"small", big):
        wrong = Expect("0" * 64, len(data))
        with pytest.raises(IntegrityError):
            store.put(blob_key, BytesBody(data), expect=wrong)
        with pytest.raises(IntegrityError):
            store.put("k", StreamBody(len(data), lambda d=data: iter([d[:2], d[2:]])), expect=wrong)
    store.flush()
    assert files_in(store.root) == {}


def test_a_body_that_fails_is_the_bodys_error(store: LocalStore, tmp_path: Path) -> None:
    body = FileBody(tmp_path / "gone", size=5)
    with pytest.raises(InputError, match="cannot read"):
        store.put("k", body)


def test_a_large_object_in_ranges(store: LocalStore) -> None:
    data = hashlib.shake_128(b"seed").digest(5_000_000)
    put(store, "big", data)
    for start, stop in ((0, None), (1, 4_999_999), (2_000_000, 2_000_003), (4_999_999, 9_999_999)):
        assert store.get("big", start=start, stop=stop).read() == data[start:stop]


def test_an_object_that_shrinks_while_it_is_read(store: LocalStore) -> None:
    put(store, "big", b"x" * 5_000_000)
    (store.root / "big").chmod(0o600)
    with store.get("big") as stream:
        chunks = iter(stream)
        next(chunks)
        os.truncate(store.root / "big", 1_500_000)
        with pytest.raises(RemoteError, match="became shorter"):
            list(chunks)


def test_descriptors_are_bounded(store: LocalStore) -> None:
    if not Path("/proc/self/fd").exists():
        pytest.skip("no /proc here")
    before = len(names_in(Path("/proc/self/fd")))
    for n in range(300):
        store.put(blob_key, BytesBody(b"%d" % n))
    assert len(names_in(Path("/proc/self/fd"))) < before + 8
    store.flush()
    assert len(list(store.list())) == 300


def test_the_working_directory_may_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = LocalStore("store")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    put(store, "a", b"x")
    again = pickle.loads(pickle.dumps(store))
    assert again.root == tmp_path / "store"
    assert again.get("a").read() == b"x"
    store.close()
    assert names_in(tmp_path / "elsewhere") == []


def test_a_forked_child_goes_on_on_its_own(store: LocalStore) -> None:
    store.put("parent", BytesBody(b"1"))
    child = os.fork()
    if child == 0:
        try:
            store.put("child", BytesBody(b"2"))
            store.flush()
            good = store.get("child").read() == b"2" and "parent" not in files_in(store.root)
            store.close()
            os._exit(0 if good else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    store.flush()
    assert files_in(store.root) == {"parent": b"1", "child": b"2"}


def test_one_of_many_processes_wins(tmp_path: Path) -> None:
    def race(n: int) -> None:
        store = LocalStore(tmp_path / "store")
        for k in range(20):
            store.put(f"{k}", BytesBody(b"%d" % n * 1000))
            store.put(blob_key, BytesBody(b"same %d" % k))
            store.flush()
        store.close()

    children = []
    for n in range(4):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                race(n)
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    assert {os.waitpid(child, 0)[1] for child in children} == {0}
    found = files_in(tmp_path / "store")
    assert len(found) == 40
    for key, data in found.items():
        if "/" in key:
            assert hashlib.sha256(data).hexdigest() == key.rpartition("/")[2]
        else:
            assert data in {b"%d" % n * 1000 for n in range(4)}
    assert ".lake-tmp" not in names_in(tmp_path / "store")


def test_P2_flushes_of_many_threads(store: LocalStore) -> None:
    def work(n: int) -> bool:
        result = store.put(blob_key, BytesBody(b"blob %d" % (n % 50)))
        store.flush()
        return store.get(result.key).read() == b"blob %d" % (n % 50)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(200)))


def test_a_folder_that_may_not_be_written(open_path: Path) -> None:
    open_path.chmod(0o555)
    for root in (open_path, open_path / "sub"):
        error = as_nobody(lambda root=root: put(LocalStore(root), "a", b"x"))
        assert isinstance(error, AccessDenied)
        assert "check who owns the folder" in str(error)
        assert not error.transient


def test_a_folder_that_may_not_be_read(open_path: Path) -> None:
    put(LocalStore(open_path), "d/a", b"x")
    (open_path / "d" / "a").chmod(0)
    error = as_nobody(lambda: LocalStore(open_path).get("d/a"))
    assert isinstance(error, AccessDenied)
    (open_path / "d").chmod(0)
    error = as_nobody(lambda: list(LocalStore(open_path).list()))
    assert isinstance(error, AccessDenied)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "unmounted")
    assert list(store.list()) == []
    with pytest.raises(NotFound, match="is it mounted"):
        store.get("a")
    store.delete(["a"])
    assert names_in(tmp_path) == []


FAILURES = {
    errno.ENOSPC: (DiskError, False),
    errno.EDQUOT: (DiskError, False),
    errno.EROFS: (AccessDenied, False),
    errno.EIO: (RemoteError, False),
    errno.ESTALE: (RemoteError, True),
    errno.EAGAIN: (RemoteError, True),
}


@pytest.mark.parametrize("call", ["create", "write", "syncfs", "mkdir", "rename_new"])
@pytest.mark.parametrize("number", FAILURES)
def test_failures_have_a_class(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    kind, transient = FAILURES[number]
    put(store, "d/before", b"x")
    with monkeypatch.context() as patched:
        patched.setattr(system.System, call, fail)
        with pytest.raises(kind) as caught:
            put(store, "new/k", b"y")
    assert getattr(caught.value, "transient", False) is transient
    assert "file://" in str(caught.value)
    store.close()
    put(store, "new/k", b"y")
    assert files_in(store.root) == {"d/before": b"x", "new/k": b"y"}


def test_a_flush_that_failed_can_be_repeated(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    store.put("k", BytesBody(b"x"))
    with monkeypatch.context() as patched:
        patched.setattr(system.System, "rename_new", full)
        with pytest.raises(DiskError):
            store.flush()
    assert not store.put("k", BytesBody(b"x")).created
    store.flush()
    assert files_in(store.root)["k"] == b"x"


def test_share_url(store: LocalStore) -> None:
    put(store, "a b/ü", b"x")
    assert store.share_url("a b/ü") == f"{store.url}/a%20b/%C3%BC"
    with pytest.raises(NotFound):
        store.share_url("none")
