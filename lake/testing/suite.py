"""The suite that every store passes: subclass `StoreSuite`, give it a store and two helpers.

```python
class TestMyStore(StoreSuite):
    @pytest.fixture
    def store(self, tmp_path):
        return MyStore(tmp_path)

    def truth(self, store):
        return {...}   # every object's key and bytes, read by any way but the store

    def plant(self, store, key, data):
        ...            # put an object there by any way but the store
```

What a store's `properties` rule out is skipped. Tests look at what really lies in the backend
by `truth`, so a store cannot agree with itself and be wrong.
"""

# ruff: noqa: S101 - asserts are what tests are made of

from __future__ import annotations

import pickle
import urllib.request
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any, ClassVar

import pytest

from lake.errors import InputError, IntegrityError, NotFound, Unsupported, UsageError
from lake.store.body import BytesBody, StreamBody
from lake.store.layout import blob_key, ensure_layout, read_layout
from lake.store.retry import Retry
from lake.store.store import Expect, PutResult, Store
from lake.store.verify import Verify
from lake.testing.faults import FaultStore, chance
from lake.testing.strategies import some_bytes

SPECIAL_KEYS = (
    "with space",
    "plus+minus-under_score.dot",
    "a=b&c,d;e@f!g$h(i)'j'",
    "per%cent%20",
    "hash#tilde~caret^",
    'quote"brace{back`tick|pipe[x]<y>*',
    "colon:",
    "Upper/lower/UPPER",
    ".hidden/..twodots/x",
    "ünï/日本語/🌊",
)
BAD_KEYS = (
    "",
    "/a",
    "a/",
    "a//b",
    ".",
    "..",
    "a/../b",
    "a/./b",
    "a\0b",
    "a\nb",
    "\ud800",
    "k" * 1025,
)
RANGES = (
    (0, None), (0, 0), (0, 1), (0, 10), (3, 7), (9, 10), (9, None), (10, None), (4, 4),
    (0, 11), (5, 99), (11, None), (50, 60),
)  # fmt: skip


def expect_of(data: bytes) -> Expect:
    """What these bytes must be."""
    return Expect(sha256(data).hexdigest(), len(data))


class StoreSuite:
    """What every store does; see the module's docstring for how to run it on yours."""

    special_keys: ClassVar[tuple[str, ...]] = SPECIAL_KEYS
    """Keys out of the ordinary that the backend can hold."""
    listed: ClassVar[tuple[str, ...]] = (
        "a", "a-b", "a.b", "a/b", "a/b/c", "a0", "ab", "b/x", "b/y",
    )  # fmt: skip
    """Keys that the listing test plants; a folder cannot hold both "a" and "a/b"."""
    listing: ClassVar[int] = 1_100
    """Objects that the paging test lists: more than a page of the backend."""
    big: ClassVar[int] = 64 << 20
    """Bytes of the object that must pass through in parts."""
    racers: ClassVar[int] = 16
    one_winner: ClassVar[bool] = True
    """The backend keeps its word on conditional writes among racers too."""
    secrets: ClassVar[tuple[str, ...]] = ()
    """Texts that must appear in no repr and no pickle of the store."""

    @pytest.fixture
    def store(self) -> Iterator[Store]:
        """An empty store."""
        raise NotImplementedError

    def truth(self, store: Store) -> Mapping[str, bytes]:
        """Every object that really lies in the backend, found by another way."""
        raise NotImplementedError

    def plant(self, store: Store, key: str, data: bytes) -> None:
        """Lay an object into the backend by another way."""
        raise NotImplementedError

    def put(self, store: Store, key: str, data: bytes, **options: Any) -> PutResult:
        """Put and flush; skips where the store takes no objects."""
        if not store.properties.writable:
            pytest.skip("the store is read-only")
        result = store.put(key, BytesBody(data), **options)
        store.flush()
        return result

    # -- put ---------------------------------------------------------------------------------

    @pytest.mark.parametrize("size", [0, 1, 20_480, (1 << 20) + 1])
    def test_put_keeps_the_bytes(self, store: Store, size: int) -> None:
        data = some_bytes(size)
        result = self.put(store, "dir/object", data)
        digest = sha256(data).hexdigest()
        assert result == PutResult("dir/object", digest, size, created=True)
        assert self.truth(store) == {"dir/object": data}
        assert store.get("dir/object").read() == data
        assert store.stat("dir/object").size == size

    def test_an_object_that_lies_there_stays(self, store: Store) -> None:
        self.put(store, "k", b"first")
        assert not self.put(store, "k", b"other").created
        assert self.truth(store) == {"k": b"first"}

    def test_the_same_bytes_twice(self, store: Store) -> None:
        self.put(store, "k", b"same", expect=expect_of(b"same"))
        again = self.put(store, "k", b"same", expect=expect_of(b"same"))
        assert again.sha256 == sha256(b"same").hexdigest()
        assert self.truth(store) == {"k": b"same"}

    def test_replace(self, store: Store) -> None:
        self.put(store, "k", b"first")
        assert self.put(store, "k", b"second one", replace=True).created
        assert self.truth(store) == {"k": b"second one"}

    @pytest.mark.parametrize("wrong", [b"other", b"longer than it", b"ab", b""])
    def test_P1_unexpected_bytes_are_never_visible(self, store: Store, wrong: bytes) -> None:
        with pytest.raises(IntegrityError):
            self.put(store, "k", wrong, expect=expect_of(b"right"))
        store.flush()
        assert self.truth(store) == {}

    def test_P1_unexpected_bytes_in_parts_are_never_visible(self, store: Store) -> None:
        size = min(self.big, 20 << 20)
        with pytest.raises(IntegrityError):
            self._put_big(store, size, Expect("0" * 64, size))
        store.flush()
        assert self.truth(store) == {}

    @pytest.mark.parametrize("size", [9, 20 << 20])
    def test_P1_a_body_that_fails_leaves_nothing(self, store: Store, size: int) -> None:
        if not store.properties.writable:
            pytest.skip("the store is read-only")

        def half() -> Iterator[bytes]:
            yield bytes(size // 2)
            raise InputError("the file went away", where="body")

        with pytest.raises(InputError, match="went away"):
            store.put("k", StreamBody(size, half))
        store.flush()
        assert self.truth(store) == {}

    def test_P1_a_damaged_object_is_replaced(self, store: Store) -> None:
        self.plant(store, "k", b"tor")
        result = self.put(store, "k", b"torn no more", expect=expect_of(b"torn no more"))
        assert result.created
        assert self.truth(store) == {"k": b"torn no more"}

    def test_a_key_may_follow_from_the_digest(self, store: Store) -> None:
        if not store.properties.writable:
            pytest.skip("the store is read-only")
        if not store.properties.names_late:
            with pytest.raises(Unsupported):
                store.put(blob_key, BytesBody(b"late"))
            return
        result = store.put(blob_key, BytesBody(b"late"))
        store.flush()
        assert self.truth(store) == {result.key: b"late"}
        assert result.key == blob_key(sha256(b"late").hexdigest())

    def test_a_big_object_goes_through_in_parts(self, store: Store) -> None:
        digest = sha256()
        for chunk in _chunks(self.big):
            digest.update(chunk)
        expect = Expect(digest.hexdigest(), self.big)
        assert self._put_big(store, self.big, expect).created
        assert store.stat("big").size == self.big
        found = sha256()
        with store.get("big") as stream:
            assert stream.size == self.big
            for chunk in stream:
                assert len(chunk) <= 16 << 20, "a stream must not hand over an object at once"
                found.update(chunk)
        assert found.hexdigest() == expect.sha256

    # -- races -------------------------------------------------------------------------------

    def test_P7_one_of_many_racers_wins(self, store: Store) -> None:
        bodies = [bytes([n]) * 1000 for n in range(self.racers)]
        self.put(store, "warm-up", b"")
        with ThreadPoolExecutor(self.racers) as pool:
            results = list(pool.map(lambda data: store.put("k", BytesBody(data)), bodies))
        store.flush()
        left = self.truth(store)["k"]
        assert left in bodies, "the object is torn"
        if store.properties.conditional_put and self.one_winner:
            winners = [data for data, result in zip(bodies, results, strict=True) if result.created]
            assert winners == [left]

    def test_P7_racers_with_the_same_bytes_all_succeed(self, store: Store) -> None:
        data, key = some_bytes(5000), "same/bytes"
        self.put(store, "warm-up", b"")

        def run(_: int) -> PutResult:
            return store.put(key, BytesBody(data), expect=expect_of(data))

        with ThreadPoolExecutor(self.racers) as pool:
            results = list(pool.map(run, range(self.racers)))
        store.flush()
        assert {result.size for result in results} == {len(data)}
        assert self.truth(store)[key] == data

    def test_many_threads(self, store: Store) -> None:
        if not store.properties.writable:
            pytest.skip("the store is read-only")
        bodies = {f"t/{n}": some_bytes(n * 7, seed=n) for n in range(100)}
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda pair: store.put(pair[0], BytesBody(pair[1])), bodies.items()))
            store.flush()
            read = dict(
                zip(bodies, pool.map(lambda key: store.get(key).read(), bodies), strict=True)
            )
        assert read == bodies
        assert self.truth(store) == bodies

    # -- get, stat ---------------------------------------------------------------------------

    @pytest.mark.parametrize(("start", "stop"), RANGES)
    def test_ranges_are_slices(self, store: Store, start: int, stop: int | None) -> None:
        self.plant(store, "k", b"0123456789")
        with store.get("k", start=start, stop=stop) as stream:
            assert stream.size == len(b"0123456789"[start:stop])
            assert stream.read() == b"0123456789"[start:stop]

    def test_ranges_of_an_empty_object(self, store: Store) -> None:
        self.plant(store, "k", b"")
        for start, stop in ((0, None), (0, 5), (3, None)):
            assert store.get("k", start=start, stop=stop).read() == b""
        assert store.stat("k").size == 0

    def test_what_is_not_there(self, store: Store) -> None:
        with pytest.raises(NotFound, match="no/such"):
            store.get("no/such").read()
        with pytest.raises(NotFound):
            store.get("no/such", start=2, stop=5).read()
        with pytest.raises(NotFound):
            store.stat("no/such")

    def test_a_directory_is_not_an_object(self, store: Store) -> None:
        self.plant(store, "dir/k", b"x")
        with pytest.raises(NotFound):
            store.stat("dir")
        with pytest.raises(NotFound):
            store.get("dir").read()

    def test_a_stream_may_be_left_early(self, store: Store) -> None:
        self.plant(store, "k", some_bytes(3 << 20))
        for _ in range(20):
            with store.get("k") as stream:
                next(iter(stream))
        assert store.stat("k").size == 3 << 20

    def test_modified_is_about_now(self, store: Store) -> None:
        self.plant(store, "k", b"x")
        modified = store.stat("k").modified
        assert modified is None or modified > 1_600_000_000

    # -- keys --------------------------------------------------------------------------------

    def test_special_keys(self, store: Store) -> None:
        for key in self.special_keys:
            self.plant(store, key, key.encode())
        for key in self.special_keys:
            assert store.get(key).read() == key.encode()
            assert store.stat(key).size == len(key.encode())
        if store.properties.listable:
            listed = [info.key for info in store.list()]
            assert listed == sorted(self.special_keys, key=str.encode)

    def test_special_keys_are_written_as_they_are(self, store: Store) -> None:
        for key in self.special_keys:
            self.put(store, key, key.encode())
        assert self.truth(store) == {key: key.encode() for key in self.special_keys}
        store.delete(self.special_keys)
        assert self.truth(store) == {}

    @pytest.mark.parametrize("key", BAD_KEYS)
    def test_P8_bad_keys_are_refused(self, store: Store, key: str) -> None:
        with pytest.raises(UsageError):
            store.get(key)
        with pytest.raises(UsageError):
            store.stat(key)
        if store.properties.writable:
            with pytest.raises(UsageError):
                store.put(key, BytesBody(b"x"))
            with pytest.raises(UsageError):
                store.delete([key])

    # -- list, delete ------------------------------------------------------------------------

    def test_list(self, store: Store) -> None:
        if not store.properties.listable:
            with pytest.raises(Unsupported):
                list(store.list())
            return
        assert list(store.list()) == []
        keys = list(self.listed)
        for key in keys:
            self.plant(store, key, key.encode())
        found = list(store.list())
        assert [info.key for info in found] == sorted(keys)
        assert [info.size for info in found] == [len(key) for key in sorted(keys)]
        for prefix in ("a", "a/", "a/b", "b/", "b", "zz", "a/b/c/d"):
            got = [info.key for info in store.list(prefix)]
            assert got == sorted(key for key in keys if key.startswith(prefix)), prefix
        for after in ("a", "a/b", "a/a", "b", "zz", "A"):
            got = [info.key for info in store.list(after=after)]
            assert got == sorted(key for key in keys if key > after), after
        assert [info.key for info in store.list("a/", after="a/b")] == ["a/b/c"]
        assert [info.key for info in store.list("b/", after="a")] == ["b/x", "b/y"]

    def test_list_over_pages(self, store: Store) -> None:
        if not store.properties.listable or not store.properties.writable:
            pytest.skip("the store does not list")
        keys = sorted(f"p/{n % 7}/{n:05d}" for n in range(self.listing))
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda key: store.put(key, BytesBody(b"x")), keys))
        store.flush()
        assert [info.key for info in store.list()] == keys
        middle = keys[len(keys) // 2]
        assert [info.key for info in store.list("p/", after=middle)] == keys[len(keys) // 2 + 1 :]
        store.delete(keys)
        assert list(store.list()) == []
        assert self.truth(store) == {}

    def test_delete(self, store: Store) -> None:
        if not store.properties.writable:
            pytest.skip("the store is read-only")
        for key in ("a/1", "a/2", "b"):
            self.plant(store, key, b"x")
        store.delete(["a/1", "not/there", "b"])
        store.delete([])
        assert set(self.truth(store)) == {"a/2"}

    # -- through decorators ------------------------------------------------------------------

    def test_P1_faults_are_survived_by_retrying(self, store: Store) -> None:
        if not store.properties.writable:
            pytest.skip("the store is read-only")
        shaky = FaultStore(store, chance(0.3, seed=7))
        steady = Retry(Verify(shaky), tries=30, sleep=lambda _: None)
        bodies = {}
        for n in range(30):
            data = some_bytes(n * 1000, seed=n)
            bodies[blob_key(sha256(data).hexdigest())] = data
        for key, data in bodies.items():
            steady.put(key, BytesBody(data))
        steady.flush()
        assert self.truth(store) == bodies
        whole = Retry(shaky, tries=30, sleep=lambda _: None)
        for key, data in bodies.items():
            assert whole.get(key).read() == data
            assert whole.get(key, start=5, stop=500).read() == data[5:500]
        assert {fault for _, _, fault in shaky.log} >= {"pass", "refuse", "lost", "break", "short"}

    def test_P4_other_bytes_are_noticed(self, store: Store) -> None:
        data = some_bytes(3000)
        key = blob_key(sha256(data).hexdigest())
        for bad in (data[:-1], data + b"\0", bytes([data[0] ^ 1]) + data[1:], b""):
            self.plant(store, key, bad)
            with pytest.raises(IntegrityError):
                Verify(store).get(key).read()
        self.plant(store, key, data)
        assert Verify(store).get(key).read() == data

    def test_the_layout_is_written_once(self, store: Store) -> None:
        if not store.properties.writable:
            pytest.skip("the store is read-only")
        assert read_layout(store) is None
        with ThreadPoolExecutor(8) as pool:
            found = set(pool.map(lambda _: ensure_layout(store), range(8)))
        if store.properties.conditional_put and self.one_winner:
            assert len(found) == 1
        assert read_layout(store) in found

    # -- the rest ----------------------------------------------------------------------------

    def test_share_url(self, store: Store) -> None:
        self.plant(store, "dir/shared object", b"for all")
        try:
            url = store.share_url("dir/shared object", expires=60)
        except Unsupported:
            return
        with urllib.request.urlopen(url) as answer:  # noqa: S310 - the store's own
            assert answer.read() == b"for all"

    def test_P9_no_secret_shows(self, store: Store) -> None:
        shown = [repr(store), str(store), store.url, repr(store.properties), repr(Retry(store))]
        try:
            shown.append(repr(pickle.dumps(store)))
        except (TypeError, AttributeError, pickle.PicklingError) as error:
            shown.append(f"{error} {error!r}")
        with pytest.raises(NotFound) as caught:
            store.get("no/such").read()
        shown += [str(caught.value), repr(caught.value), repr(caught.value.__context__)]
        for text in shown:
            assert not [secret for secret in self.secrets if secret in text]
        assert "@" not in store.url

    def test_properties(self, store: Store) -> None:
        assert store.url.startswith(f"{store.properties.scheme}:")
        assert store.properties.concurrency >= 1
        if store.properties.staged:
            assert store.properties.writable

    def _put_big(self, store: Store, size: int, expect: Expect) -> PutResult:
        if not store.properties.writable:
            pytest.skip("the store is read-only")
        result = store.put("big", StreamBody(size, lambda: _chunks(size)), expect=expect)
        store.flush()
        return result


def _chunks(size: int) -> Iterator[bytes]:
    block = some_bytes(1 << 20)
    for start in range(0, size, len(block)):
        yield (start.to_bytes(8, "big") + block)[: min(len(block), size - start)]
