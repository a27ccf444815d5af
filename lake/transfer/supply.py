"""Where a push takes bytes from: in memory, a file, the cache, else another remote."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from lake.errors import BlobUnavailable, IntegrityError, LakeError, RemoteError
from lake.store.body import BytesBody, FileBody, read_body
from lake.store.store import Body, Expect
from lake.store.verify import checked_chunks, read_verified
from lake.transfer.first import Answers, first_good
from lake.transfer.nearby import read_own

if TYPE_CHECKING:
    from lake.store.store import Store
    from lake.transfer.hub import Hub
    from lake.transfer.place import Place
    from lake.transfer.sources import Spot
    from lake_schemas.blob import BlobRef

T = TypeVar("T")

Payload = bytes | Path
Want = tuple["BlobRef", "Place"] | tuple["BlobRef", "Place", Payload | None]
"""A blob, where its names are meant, and its bytes (or a file that holds them) if at hand."""


@dataclass(slots=True)
class Supply:
    """All the places that the bytes of one blob may come from.

    Args:
        ref: which blob.
        wants: every mention of it; each may know other places.
    """

    ref: BlobRef
    wants: list[Want] = field(default_factory=list)

    @property
    def expect(self) -> Expect:
        """What the bytes must be."""
        return Expect(self.ref.sha256, self.ref.size)

    def local(self, hub: Hub) -> Iterator[tuple[str, Body]]:
        """(Name for people, unverified body) of each place on this machine."""
        tried = set()
        for want in self.wants:
            ref, place = want[0], want[1]
            payload = want[2] if len(want) > 2 else None
            if isinstance(payload, bytes):
                yield "memory", BytesBody(payload)
            elif payload is not None:
                yield str(payload), FileBody(payload, ref.size)
            if ref.file is not None and (place, ref.file) not in tried:
                tried.add((place, ref.file))
                where = f"file {ref.file}"
                yield where, FileBody(_opener(hub, place, ref.file), ref.size, where=where)
        cached = hub.cache.get_path(self.ref.sha256, self.ref.size)
        if cached is not None:
            yield "cache", FileBody(cached, self.ref.size)

    def local_bytes(self, hub: Hub, answers: Answers) -> Iterator[tuple[str, bytes]]:
        """The same as unverified bytes, for a small blob; what cannot be read is in `answers`."""
        for want in self.wants:
            ref, place = want[0], want[1]
            payload = want[2] if len(want) > 2 else None
            if isinstance(payload, bytes):
                yield "memory", payload
            elif payload is not None:
                try:
                    data = read_body(FileBody(payload, ref.size))
                except LakeError as error:
                    answers.add(str(payload), error)
                else:
                    yield str(payload), data
            if ref.file is not None:
                try:
                    data = read_own(hub, place.root or Path(), ref.file, ref.size)
                except LakeError as error:
                    answers.add(f"file {ref.file}", error)
                else:
                    yield f"file {ref.file}", data
        cached = hub.cache.read(self.ref.sha256, self.ref.size)
        if cached is not None:
            yield "cache", cached

    def remote_bytes(self, hub: Hub, answers: Answers) -> bytes:
        """The verified bytes out of the first remote that serves them.

        Raises:
            BlobUnavailable: none does; lists also what `answers` holds already.
        """

        def read(spot: Spot, store: Store) -> bytes:
            return read_verified(store, spot.key, self.expect, source=spot.alias, tries=spot.tries)

        return self._each_place(hub, answers, read)

    def verified(self, hub: Hub) -> Body:
        """A body out of the first good place, verified as it flows; opened again after a
        failure, out of the next."""
        return GoodBody(self, hub)

    def _each_place(self, hub: Hub, answers: Answers, use: Callable[[Spot, Store], T]) -> T:
        places = {(want[1], want[0].in_): want for want in self.wants}
        for want in places.values():
            try:
                return first_good(hub, want[0], want[1], use, answers)
            except BlobUnavailable:
                continue
        raise answers.unavailable(self.ref)


class RemoteBody:
    """Bytes streamed out of a remote; opened again, out of the next good one."""

    def __init__(self, supply: Supply, hub: Hub, answers: Answers) -> None:
        self._supply = supply
        self._hub = hub
        self._answers = answers

    @property
    def size(self) -> int:
        return self._supply.ref.size

    def open(self) -> Iterator[bytes]:
        served: list[Spot] = []

        def begin(spot: Spot, store: Store) -> Iterator[bytes]:
            served[:] = [spot]
            stream = store.get(spot.key)
            return checked_chunks(stream, self._supply.expect, source=spot.alias)

        chunks = self._supply._each_place(self._hub, self._answers, begin)
        try:
            yield from chunks
        except IntegrityError as error:
            self._hub.quarantine.add(served[0].opened.url, self._supply.ref.sha256, error.what)
            self._answers.add(served[0].alias, error)
            raise
        except LakeError as error:
            self._hub.health.failed(served[0].opened.url, error)
            self._answers.add(served[0].alias, error)
            raise


class GoodBody:
    """The bytes of a blob, whole and right or not at all: the last piece is held back until the
    digest is known. Opened again, it goes on to the next place that may have them."""

    def __init__(self, supply: Supply, hub: Hub) -> None:
        self._supply = supply
        self._hub = hub
        self._answers = Answers()
        self._bad: set[str] = set()

    @property
    def size(self) -> int:
        return self._supply.ref.size

    def open(self) -> Iterator[bytes]:
        for name, body in self._supply.local(self._hub):
            if name in self._bad:
                continue
            given = False
            try:
                for chunk in checked_chunks(body.open(), self._supply.expect, source=name):
                    given = True
                    yield chunk
                return
            except LakeError as error:
                self._bad.add(name)
                self._answers.add(name, error)
                if given:
                    # Too late to go on with other bytes: whoever reads has to begin anew.
                    raise RemoteError(error.what, transient=True, where=name) from error
        yield from RemoteBody(self._supply, self._hub, self._answers).open()


def is_bad(body: Body, expect: Expect) -> bool:
    """Whether a body's bytes are not those expected; reads it once more."""
    try:
        for _ in checked_chunks(body.open(), expect, source=""):
            pass
    except LakeError:
        return True
    return False


def _opener(hub: Hub, place: Place, file: str) -> Callable[[], int]:
    from lake.transfer.links import open_own

    root = place.root or Path()
    return lambda: open_own(hub, root, file)
