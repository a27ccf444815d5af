"""Verification: bytes are what their digest says, or an error; never silently other ones."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from lake.errors import IntegrityError
from lake.store.layout import digest_of
from lake.store.store import Body, Expect, Key, PutResult, Store, Stream
from lake.store.wrap import WrappedStore


def verified(stream: Stream, expect: Expect, *, source: str) -> Stream:
    """The same stream, checked: its last chunk is given out only once the digest is right.

    Args:
        stream: a whole object, not a range.
        expect: what it must be.
        source: the name that an error shows.

    The stream raises IntegrityError as soon as there are more bytes than expected, and at the
    end when there are fewer or they are others. It reads at most one chunk beyond `expect.size`.

    >>> import hashlib
    >>> from lake.store.stream import BytesStream
    >>> good = Expect(hashlib.sha256(b"hello").hexdigest(), 5)
    >>> verified(BytesStream(b"hello"), good, source="main").read()
    b'hello'
    >>> verified(BytesStream(b"jello"), good, source="main").read()
    Traceback (most recent call last):
    lake.errors.IntegrityError: the bytes are not those that the digest names: main
    """
    return _VerifiedStream(stream, expect, source)


def check_bytes(data: bytes, expect: Expect, *, source: str) -> bytes:
    """The same bytes, once they are known to be the expected ones.

    Raises:
        IntegrityError: they are not.
    """
    check_digest(hashlib.sha256(data).hexdigest(), len(data), expect, source=source)
    return data


def check_digest(sha256: str, size: int, expect: Expect, *, source: str) -> None:
    """Raise IntegrityError unless bytes of this digest and size are the expected ones."""
    if size != expect.size:
        raise _wrong_size(size, expect, source)
    if sha256 != expect.sha256:
        raise _wrong_bytes(source)


def checked_chunks(chunks: Iterable[bytes], expect: Expect, *, source: str) -> Iterator[bytes]:
    """Chunks on their way, the last held back until size and digest are known to be right."""
    digest = hashlib.sha256()
    seen = 0
    held: bytes | None = None
    for chunk in chunks:
        if not chunk:
            continue  # an empty chunk at the end must not set the last one free
        seen += len(chunk)
        if seen > expect.size:
            raise _wrong_size(seen, expect, source, at_least=True)
        if held is not None:
            yield held
        digest.update(chunk)
        held = chunk
    if seen != expect.size:
        raise _wrong_size(seen, expect, source)
    if digest.hexdigest() != expect.sha256:
        raise _wrong_bytes(source)
    if held is not None:
        yield held


class Verify(WrappedStore):
    """Checks whole objects that lie under a content address ("sha256/9f/9f86..."), both ways.

    Ranges, and keys that are no content address, pass through unchecked.
    """

    def put(
        self, key: Key, body: Body, *, expect: Expect | None = None, replace: bool = False
    ) -> PutResult:
        named = digest_of(key) if isinstance(key, str) else None
        if expect is None and named is not None:
            expect = Expect(named, body.size)
        return self.inner.put(key, body, expect=expect, replace=replace)

    def get(self, key: str, *, start: int = 0, stop: int | None = None) -> Stream:
        stream = self.inner.get(key, start=start, stop=stop)
        named = digest_of(key)
        if named is None or start or stop is not None:
            return stream
        return verified(stream, Expect(named, stream.size), source=f"{self.url} {key}")


def read_verified(store: Store, key: str, expect: Expect, *, source: str, tries: int = 3) -> bytes:
    """A whole object as bytes, verified; read again when it came wrong, as a wire can flip bits.

    Raises:
        IntegrityError: it came wrong `tries` times: the source itself is bad.
    """
    while True:
        tries -= 1
        try:
            with store.get(key) as stream:
                if stream.size > expect.size:
                    raise _wrong_size(stream.size, expect, source)
                return check_bytes(stream.read(), expect, source=source)
        except IntegrityError:
            if tries <= 0:
                raise


class _VerifiedStream(Stream):
    def __init__(self, stream: Stream, expect: Expect, source: str) -> None:
        self.size = expect.size
        self._stream = stream
        self._expect = expect
        self._source = source
        self._chunks = checked_chunks(stream, expect, source=source)

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._chunks
        finally:
            self.close()

    def close(self) -> None:
        self._stream.close()


def _wrong_size(
    seen: int, expect: Expect, source: str, *, at_least: bool = False
) -> IntegrityError:
    found = f"at least {seen}" if at_least else str(seen)
    return IntegrityError(f"{found} bytes instead of {expect.size}", where=source)


def _wrong_bytes(source: str) -> IntegrityError:
    return IntegrityError("the bytes are not those that the digest names", where=source)
