"""The cache against a model: a dict of what it may hold, whatever is done to its files."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from lake.errors import IntegrityError
from lake.store.cache import Cache

BLOBS = [bytes([65 + n]) * (n * 100) for n in range(6)]
DIGESTS = [hashlib.sha256(data).hexdigest() for data in BLOBS]
numbers = st.integers(0, len(BLOBS) - 1)


class CacheMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.cache = Cache(self.folder / "cache")
        self.held: set[int] = set()  # what it must hold
        self.pinned: set[int] = set()

    def path(self, n: int) -> Path:
        return self.folder / "cache" / "sha256" / DIGESTS[n][:2] / DIGESTS[n]

    @rule(n=numbers, way=st.sampled_from(["bytes", "file", "writer"]))
    def add(self, n: int, way: str) -> None:
        if way == "bytes":
            found = self.cache.add_bytes(DIGESTS[n], BLOBS[n])
        elif way == "file":
            (self.folder / "source").write_bytes(BLOBS[n])
            found = self.cache.add_file(DIGESTS[n], len(BLOBS[n]), self.folder / "source")
        else:
            with self.cache.writer(DIGESTS[n], len(BLOBS[n])) as writer:
                writer.write(BLOBS[n])
                found = writer.commit()
        assert found.read_bytes() == BLOBS[n]
        self.held.add(n)

    @rule(n=numbers, other=numbers)
    def add_wrong(self, n: int, other: int) -> None:
        if n != other:
            with pytest.raises(IntegrityError):
                self.cache.add_bytes(DIGESTS[n], BLOBS[other])

    @rule(n=numbers)
    def read(self, n: int) -> None:
        found = self.cache.read(DIGESTS[n], len(BLOBS[n]))
        assert found == (BLOBS[n] if n in self.held else None)

    @rule(n=numbers)
    def get_path(self, n: int) -> None:
        found = self.cache.get_path(DIGESTS[n], len(BLOBS[n]))
        assert (found is not None) == (n in self.held)
        assert found is None or found.read_bytes() == BLOBS[n]

    @rule(n=numbers, how=st.sampled_from(["flip", "cut", "remove", "foreign", "link"]))
    def spoil(self, n: int, how: str) -> None:
        path = self.path(n)
        if not path.is_file() or path.is_symlink():
            return
        if n in self.pinned and how in ("flip", "cut"):
            return  # both names of a pinned blob are one file
        if how == "flip" and BLOBS[n]:
            path.chmod(0o600)
            path.write_bytes(b"!" + BLOBS[n][1:])
        elif how == "cut" and BLOBS[n]:
            path.chmod(0o600)
            os.truncate(path, len(BLOBS[n]) // 2)
        elif how in ("remove", "link"):
            path.unlink()
            if how == "link":
                path.symlink_to("nowhere")
        elif how == "foreign":
            path.unlink()
            path.write_bytes(BLOBS[n])
            return
        else:
            return
        if n not in self.pinned:
            self.held.discard(n)

    @rule(n=numbers)
    def pin(self, n: int) -> None:
        there = self.cache.get_path(DIGESTS[n], len(BLOBS[n])) is not None
        assert there == (n in self.held)
        assert self.cache.pin(DIGESTS[n]) == ({DIGESTS[n]} if n in self.held else set())
        if n in self.held:
            self.pinned.add(n)

    @rule(n=numbers)
    def unpin(self, n: int) -> None:
        self.cache.unpin(DIGESTS[n])
        self.pinned.discard(n)
        if self.cache.read(DIGESTS[n], len(BLOBS[n])) is None:
            self.held.discard(n)

    @rule(n=numbers)
    def quarantine(self, n: int) -> None:
        self.cache.quarantine(DIGESTS[n])
        self.held.discard(n)
        self.pinned.discard(n)

    @rule()
    def prune_all(self) -> None:
        self.cache.prune(all=True)
        self.held = set(self.pinned)

    @rule(limit=st.integers(0, 1500))
    def prune(self, limit: int) -> None:
        self.cache.prune(max_size=limit)
        for n in list(self.held - self.pinned):
            if not self.path(n).exists():
                self.held.discard(n)
        kept = sum(len(BLOBS[n]) for n in self.held - self.pinned)
        assert kept <= limit

    @precondition(lambda self: self.held)
    @rule()
    def reopen(self) -> None:
        self.cache.close()
        self.cache = Cache(self.folder / "cache")

    @invariant()
    def pins_are_as_modelled(self) -> None:
        assert self.cache.pinned() == {DIGESTS[n] for n in self.pinned}

    def teardown(self) -> None:
        self.cache.close()
        shutil.rmtree(self.folder)


TestCacheMachine = CacheMachine.TestCase
