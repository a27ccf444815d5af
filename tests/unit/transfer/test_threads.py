"""The crew that works, and the tee that lets several remotes drink from one read."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator

import pytest

from lake.errors import InputError, LakeError, RemoteError
from lake.store.body import BytesBody, StreamBody
from lake.transfer import tee as tee_module
from lake.transfer.crew import Crew
from lake.transfer.tee import Tee


@pytest.mark.parametrize("threads", [1, 3, 20])
def test_every_job_is_done_once(threads: int) -> None:
    done: list[int] = []
    crew = Crew()
    for _ in range(3):
        crew.run(range(200), done.append, threads=threads)
    assert sorted(done) == sorted([*range(200)] * 3)


def test_jobs_are_drawn_as_threads_come_free() -> None:
    drawn: list[int] = []
    let_go = threading.Event()
    crew = Crew()

    def jobs() -> Iterator[int]:
        for n in range(1000):
            drawn.append(n)
            yield n

    def do(job: int) -> None:
        if job == 3:
            raise ValueError("enough")
        let_go.wait(0.01)

    with pytest.raises(ValueError, match="enough"):
        crew.run(jobs(), do, threads=2)
    assert len(drawn) < 20


def test_an_error_of_the_jobs_themselves_is_raised() -> None:
    def jobs() -> Iterator[int]:
        yield 1
        raise InputError("no more")

    with pytest.raises(InputError):
        Crew().run(jobs(), lambda job: None, threads=3)


def test_work_may_ask_the_same_crew_for_more() -> None:
    crew = Crew()
    done: list[tuple[int, int]] = []

    def outer(n: int) -> None:
        crew.run(range(5), lambda m: done.append((n, m)), threads=3)

    crew.run(range(6), outer, threads=4)
    assert sorted(done) == [(n, m) for n in range(6) for m in range(5)]


def test_idle_threads_end_and_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lake.transfer.crew.IDLE", 0.02)
    crew = Crew()
    before = threading.active_count()
    for _ in range(3):
        done: list[int] = []
        crew.run(range(50), done.append, threads=8)
        assert len(done) == 50
        while threading.active_count() > before:
            threading.Event().wait(0.01)


def test_all_branches_get_all_bytes_of_one_read() -> None:
    opened = itertools.count()

    def source() -> Iterator[bytes]:
        next(opened)
        return (bytes([n]) * 1000 for n in range(50))

    tee = Tee(StreamBody(50_000, source), 3)
    found: dict[int, bytes] = {}

    def read(number: int) -> None:
        found[number] = b"".join(tee.branches[number].open())

    readers = [threading.Thread(target=read, args=(number,)) for number in range(3)]
    for reader in readers:
        reader.start()
    tee.pump()
    for reader in readers:
        reader.join()
    assert set(found.values()) == {b"".join(bytes([n]) * 1000 for n in range(50))}
    assert next(opened) == 1


def test_a_branch_that_is_opened_again_reads_for_itself() -> None:
    tee = Tee(BytesBody(b"x" * 10), 1)
    first = tee.branches[0].open()
    second = tee.branches[0]
    reader = threading.Thread(target=lambda: b"".join(first))
    reader.start()
    tee.pump()
    reader.join()
    assert b"".join(second.open()) == b"x" * 10


def test_a_branch_that_takes_nothing_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tee_module, "STALL", 0.05)
    tee = Tee(StreamBody(100, lambda: (b"x" for _ in range(100))), 2)
    found: list[bytes] = []
    lazy = tee.branches[1].open()
    reader = threading.Thread(target=lambda: found.append(b"".join(tee.branches[0].open())))
    reader.start()
    tee.pump()
    reader.join()
    assert found == [b"x" * 100]
    with pytest.raises(RemoteError, match="left behind"):
        list(lazy)
    assert b"".join(tee.branches[1].open()) == b"x" * 100


def test_what_the_body_raises_every_branch_raises() -> None:
    def broken() -> Iterator[bytes]:
        yield b"x"
        raise InputError("changed")

    tee = Tee(StreamBody(10, broken), 2)
    errors: list[LakeError] = []

    def read(number: int) -> None:
        try:
            list(tee.branches[number].open())
        except LakeError as error:
            errors.append(error)

    readers = [threading.Thread(target=read, args=(number,)) for number in range(2)]
    for reader in readers:
        reader.start()
    tee.pump()
    for reader in readers:
        reader.join()
    assert [error.what for error in errors] == ["changed", "changed"]
