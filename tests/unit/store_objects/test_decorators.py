from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lake.errors import AccessDenied, IntegrityError, NotFound, RemoteError
from lake.store.body import BytesBody, StreamBody
from lake.store.layout import blob_key
from lake.store.limit import Limit
from lake.store.memory import MemoryStore
from lake.store.pump import Pump
from lake.store.retry import Retry
from lake.store.store import Store, Stream
from lake.store.verify import Verify, read_verified
from lake.store.wrap import WrappedStore
from lake.testing.faults import Fault, FaultStore, chance
from lake.testing.strategies import some_bytes
from lake.testing.suite import expect_of

DATA = some_bytes(1000)


def shaky(*faults: Fault) -> tuple[Retry, FaultStore, list[float]]:
    inner = MemoryStore()
    inner.put("k", BytesBody(DATA))
    slept: list[float] = []
    store = FaultStore(inner, faults)
    return Retry(store, tries=4, base=1, cap=3, sleep=slept.append, seed=1), store, slept


def test_transient_failures_are_tried_again_with_growing_pauses() -> None:
    store, faults, slept = shaky("refuse", "refuse", "refuse")
    assert store.stat("k").size == 1000
    assert len(faults.log) == 4
    assert all(0 <= pause <= most for pause, most in zip(slept, (1, 2, 3), strict=True))


def test_the_last_failure_is_raised() -> None:
    store, faults, _ = shaky(*["refuse"] * 9)
    with pytest.raises(RemoteError, match="planned"):
        store.stat("k")
    assert len(faults.log) == 4


@pytest.mark.parametrize(
    ("fault", "error"),
    [("permanent", RemoteError), ("denied", AccessDenied), ("missing", NotFound)],
)
def test_other_failures_are_not_tried_again(fault: Fault, error: type[Exception]) -> None:
    store, faults, slept = shaky(fault)
    with pytest.raises(error):
        store.get("k")
    assert (len(faults.log), slept) == (1, [])


@pytest.mark.parametrize("fault", ["break", "short"])
def test_a_stream_goes_on_where_it_broke(fault: Fault) -> None:
    store, faults, _ = shaky(fault, fault, fault)
    assert store.get("k").read() == DATA
    assert len(faults.log) == 4
    store, _, _ = shaky(fault, "refuse", fault, "lost")
    assert store.get("k", start=10, stop=900).read() == DATA[10:900]


def test_a_stream_that_makes_headway_never_runs_out_of_tries() -> None:
    store, _, _ = shaky(*["break"] * 8)
    assert store.get("k").read() == DATA


def test_a_listing_goes_on_after_the_last_key() -> None:
    class Stumbling(WrappedStore):
        def list(self, prefix: str = "", *, after: str = "") -> Iterator:  # type: ignore[type-arg]
            for number, info in enumerate(self.inner.list(prefix, after=after)):
                if number == 3:
                    raise RemoteError("stumbled", transient=True)
                yield info

    inner = MemoryStore()
    keys = [f"k{number}" for number in range(10)]
    for key in keys:
        inner.put(key, BytesBody(b""))
    found = Retry(Stumbling(inner), tries=2, sleep=lambda _: None).list()
    assert [info.key for info in found] == keys


@given(st.integers(0, 2**32), st.integers(0, 1000), st.integers(0, 1000))
def test_P4_any_faults_give_the_right_bytes_or_an_error(seed: int, start: int, stop: int) -> None:
    inner = MemoryStore()
    key = blob_key(expect_of(DATA).sha256)
    faults = FaultStore(
        inner, chance(0.4, ("refuse", "lost", "break", "short", "flip", "more"), seed)
    )
    store = Retry(faults, tries=50, sleep=lambda _: None)
    store.put(key, BytesBody(DATA), expect=expect_of(DATA))
    with suppress(IntegrityError):
        assert Verify(store).get(key).read() == DATA
    assert read_verified(store, key, expect_of(DATA), source="s", tries=200) == DATA


def test_a_limit_of_calls() -> None:
    running, most, lock = 0, 0, threading.Lock()

    class Counting(WrappedStore):
        def stat(self, key: str):  # type: ignore[no-untyped-def]
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            time.sleep(0.002)
            with lock:
                running -= 1
            return self.inner.stat(key)

    inner = MemoryStore()
    inner.put("k", BytesBody(b"x"))
    store = Limit(Counting(inner), calls=3)
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda _: store.stat("k"), range(50)))
    assert 1 < most <= 3


def test_a_limited_store_copies_within_itself() -> None:
    store: Store = Limit(MemoryStore(), calls=1)
    store.put("a", BytesBody(DATA))
    store.put("b", StreamBody(len(DATA), lambda: store.get("a")))
    assert store.get("b").read() == DATA
    assert [info.key for info in store.list()] == ["a", "b"]


def test_a_limit_of_bytes() -> None:
    now, slept = 0.0, 0.0

    def sleep(seconds: float) -> None:
        nonlocal now, slept
        now += seconds
        slept += seconds

    store = Limit(MemoryStore(), bytes_per_second=100, sleep=sleep, clock=lambda: now)
    store.put("k", BytesBody(DATA))
    assert slept == pytest.approx(10)
    assert store.get("k").read() == DATA
    assert slept == pytest.approx(20)


def test_decorators_pass_on_what_they_do_not_change() -> None:
    inner = MemoryStore("name")
    for store in (WrappedStore(inner), Retry(inner), Limit(inner), Verify(inner)):
        assert (store.url, store.properties) == ("memory://name", inner.properties)
        assert store.put("k", BytesBody(b"v"), replace=True).created
        assert isinstance(store.get("k"), Stream)
        store.delete(["k"])
        store.flush()
        store.close()
    assert inner.objects == {}


def test_verify_names_what_it_puts() -> None:
    store = Verify(MemoryStore())
    with pytest.raises(IntegrityError):
        store.put(blob_key("0" * 64), BytesBody(b"other"))
    assert list(store.list()) == []


def test_a_pump_stops_when_its_consumer_does() -> None:
    drawn = []

    def source() -> Iterator[int]:
        for number in range(10**9):
            drawn.append(number)
            yield number

    def consume(items: Iterator[int]) -> None:
        assert [next(items) for _ in range(5)] == [0, 1, 2, 3, 4]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Pump(source()).run(consume)
    assert len(drawn) < 20


def test_a_pump_ends_its_consumer_when_the_source_fails() -> None:
    ended = []

    def source() -> Iterator[int]:
        yield 1
        raise ZeroDivisionError

    def consume(items: Iterator[int]) -> None:
        try:
            list(items)
        except ZeroDivisionError:
            ended.append(True)
            raise

    with pytest.raises(ZeroDivisionError):
        Pump(source()).run(consume)
    assert ended == [True]


def test_a_pump_survives_a_consumer_that_has_enough() -> None:
    Pump(iter(range(10_000))).run(lambda items: next(items))
