from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lake.errors import InputError, IntegrityError
from lake.store.body import BytesBody, FileBody, StreamBody, read_body
from lake.store.store import CHUNK, Expect
from lake.store.stream import BytesStream, ChunkStream, cut
from lake.store.verify import checked_chunks, verified
from lake.testing.strategies import chunked, some_bytes
from lake.testing.suite import expect_of


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_a_file_is_read_whole_and_again(tmp_path: Path, size: int) -> None:
    path, data = tmp_path / "f", some_bytes(size)
    path.write_bytes(data)
    for body in (
        FileBody(path),
        FileBody(str(path), size),
        FileBody(lambda: os.open(path, os.O_RDONLY), size),
    ):
        assert body.size == size
        assert b"".join(body.open()) == data
        assert read_body(body) == data
        assert all(len(chunk) <= CHUNK for chunk in body.open())


@pytest.mark.parametrize("change", ["longer", "shorter", "rewritten", "replaced"])
def test_a_file_that_changes_before_it_is_read(tmp_path: Path, change: str) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"before")
    body = FileBody(path)
    _change(path, change)
    with pytest.raises(InputError, match="changed") as caught:
        list(body.open())
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("change", ["longer", "shorter", "rewritten"])
def test_a_file_that_changes_while_it_is_read(tmp_path: Path, change: str) -> None:
    path = tmp_path / "f"
    path.write_bytes(bytes(3 * CHUNK))
    chunks = FileBody(path).open()
    given_out = [next(chunks)]
    _change(path, change)
    with pytest.raises(InputError, match="changed"):
        given_out.extend(chunks)
    assert len(b"".join(given_out)) < 3 * CHUNK, "nobody may come to hold it whole"


def _change(path: Path, how: str) -> None:
    data = path.read_bytes()
    if how == "replaced":
        other = path.with_name("other")
        other.write_bytes(data)
        other.rename(path)
        return
    new = {"longer": data + b"x", "shorter": data[:-1], "rewritten": b"X" + data[1:]}[how]
    path.write_bytes(new)
    os.utime(path, ns=(10**18, 10**18))


def test_a_change_between_two_tries_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"before")
    body = FileBody(path)
    assert list(body.open()) == [b"before"]
    _change(path, "rewritten")
    with pytest.raises(InputError, match="changed"):
        list(body.open())


def test_files_that_are_none(tmp_path: Path) -> None:
    for path in (tmp_path / "missing", tmp_path):
        with pytest.raises(InputError):
            FileBody(path)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with pytest.raises(InputError, match="not a regular file"):
        FileBody(fifo)


def test_a_file_is_closed_when_reading_stops_early(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(bytes(3 * CHUNK))
    before = len(list(Path("/dev/fd").iterdir()))
    chunks = FileBody(path).open()
    next(chunks)
    chunks.close()  # type: ignore[attr-defined]
    assert len(list(Path("/dev/fd").iterdir())) == before


@given(st.binary(max_size=200).flatmap(lambda data: st.tuples(st.just(data), chunked(data))))
def test_streams_give_what_was_said(case: tuple[bytes, list[bytes]]) -> None:
    data, chunks = case
    assert b"".join(StreamBody(len(data), lambda: iter(chunks)).open()) == data
    for wrong in (len(data) - 1, len(data) + 1):
        with pytest.raises(InputError):
            list(StreamBody(wrong, lambda: iter(chunks)).open())


def test_a_stream_is_closed_when_reading_stops() -> None:
    closed = []
    stream = ChunkStream(3, iter([b"abc"]), lambda: closed.append(True))
    chunks = StreamBody(3, lambda: stream).open()
    next(chunks)
    chunks.close()  # type: ignore[attr-defined]
    assert closed == [True]


@given(
    st.binary(max_size=100).flatmap(lambda data: st.tuples(st.just(data), chunked(data))),
    st.integers(0, 110),
    st.integers(0, 110),
)
def test_cut_is_a_slice(case: tuple[bytes, list[bytes]], start: int, stop: int) -> None:
    data, chunks = case
    assert b"".join(cut(iter(chunks), start, stop)) == data[start:stop]


@given(st.binary(max_size=200).flatmap(lambda data: st.tuples(st.just(data), chunked(data))))
def test_P4_right_bytes_pass(case: tuple[bytes, list[bytes]]) -> None:
    data, chunks = case
    assert b"".join(checked_chunks(chunks, expect_of(data), source="s")) == data


@given(
    st.binary(max_size=200).flatmap(lambda data: st.tuples(st.just(data), chunked(data))),
    st.binary(max_size=200),
)
def test_P4_wrong_bytes_never_come_out_whole(
    case: tuple[bytes, list[bytes]], wanted: bytes
) -> None:
    data, chunks = case
    if data == wanted:
        return
    out = []
    with pytest.raises(IntegrityError, match="from here"):
        out.extend(checked_chunks(chunks, expect_of(wanted), source="from here"))
    assert b"".join(out) != data or not data
    assert len(b"".join(out)) <= len(wanted)


def test_P4_nothing_is_read_beyond_what_is_expected() -> None:
    read = []

    def endless() -> Iterator[bytes]:
        while True:
            read.append(1)
            yield b"0123456789"

    with pytest.raises(IntegrityError, match="at least 30 bytes instead of 25"):
        list(checked_chunks(endless(), Expect("0" * 64, 25), source="s"))
    assert len(read) == 3


def test_verified_closes_what_it_reads() -> None:
    closed = []
    stream = ChunkStream(3, iter([b"abc"]), lambda: closed.append(True))
    assert verified(stream, expect_of(b"abc"), source="s").read() == b"abc"
    assert closed == [True]
    with verified(BytesStream(b"abc"), expect_of(b"abc"), source="s") as left:
        assert left.size == 3


def test_digest_of_bytes_in_one_chunk() -> None:
    data = some_bytes(100)
    assert read_body(BytesBody(data)) is data
    assert expect_of(data).sha256 == hashlib.sha256(data).hexdigest()
