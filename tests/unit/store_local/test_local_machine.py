"""A folder store against a model: two dicts, of what is visible and what is pending."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from lake.errors import IntegrityError, NotFound
from lake.store import BytesBody, Expect, blob_key
from lake.store.local import LocalStore
from tests.unit.fsio.looking import files_in

keys = st.sampled_from(["a", "a-b", "b/c", "b/d", "b.x/e", "f/g/h"])
blobs = st.sampled_from([b"", b"1", b"22", b"33", b"4444"])


class LocalStoreMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.store = LocalStore(self.root)
        self.visible: dict[str, bytes] = {}
        self.pending: dict[str, bytes] = {}
        self.replaces: set[str] = set()

    @rule(key=keys, data=blobs, replace=st.booleans())
    def put(self, key: str, data: bytes, replace: bool) -> None:
        result = self.store.put(key, BytesBody(data), replace=replace)
        assert result.created == (replace or (key not in self.visible and key not in self.pending))
        self.note(key, data, result.created, replace)

    @rule(key=keys, data=blobs)
    def put_expected(self, key: str, data: bytes) -> None:
        expect = Expect(hashlib.sha256(data).hexdigest(), len(data))
        result = self.store.put(key, BytesBody(data), expect=expect)
        torn = key in self.visible and len(self.visible[key]) != len(data)
        there = key in self.pending or (key in self.visible and not torn)
        assert result.created == (not there)
        self.note(key, data, result.created, torn)

    @rule(data=blobs)
    def put_by_digest(self, data: bytes) -> None:
        result = self.store.put(blob_key, BytesBody(data))
        assert result.created == (result.key not in self.visible | self.pending)
        self.note(result.key, data, result.created, False)

    def note(self, key: str, data: bytes, created: bool, replace: bool) -> None:
        if created:
            self.pending[key] = data
            if replace:
                self.replaces.add(key)

    @rule(key=keys, data=blobs)
    def put_wrong(self, key: str, data: bytes) -> None:
        with pytest.raises(IntegrityError):
            self.store.put(key, BytesBody(data), expect=Expect("0" * 64, len(data)), replace=True)

    @rule()
    def flush(self) -> None:
        self.store.flush()
        for key, data in self.pending.items():
            if key not in self.visible or key in self.replaces:
                self.visible[key] = data
        self.pending, self.replaces = {}, set()

    @rule(key=keys, data=blobs)
    def someone_else_puts(self, key: str, data: bytes) -> None:
        other = LocalStore(self.root)
        created = other.put(key, BytesBody(data)).created
        other.flush()
        other.close()
        assert created == (key not in self.visible)
        self.visible.setdefault(key, data)

    @rule(wanted=st.lists(keys, max_size=3))
    def delete(self, wanted: list[str]) -> None:
        if set(wanted) & set(self.pending):
            self.flush()
        self.store.delete(wanted)
        for key in wanted:
            self.visible.pop(key, None)

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = LocalStore(self.root)
        self.pending, self.replaces = {}, set()

    @rule(key=keys, start=st.integers(0, 5), stop=st.none() | st.integers(0, 5))
    def get(self, key: str, start: int, stop: int | None) -> None:
        if key in self.visible:
            assert self.store.get(key, start=start, stop=stop).read() == (
                self.visible[key][start:stop] if stop is None or stop >= start else b""
            )
            assert self.store.stat(key).size == len(self.visible[key])
        else:
            with pytest.raises(NotFound):
                self.store.get(key)

    @rule(prefix=st.sampled_from(["", "a", "b", "b/", "b.", "f/g", "sha256/"]), after=keys)
    def list(self, prefix: str, after: str) -> None:
        found = [info.key for info in self.store.list(prefix, after=after)]
        assert found == sorted(k for k in self.visible if k.startswith(prefix) and k > after)

    @invariant()
    def disk_is_as_modelled(self) -> None:
        on_disk = {k: v for k, v in files_in(self.root).items() if not k.startswith(".lake-tmp/")}
        assert on_disk == self.visible

    def teardown(self) -> None:
        self.store.close()
        assert not (self.root / ".lake-tmp").exists()
        shutil.rmtree(self.root)


TestLocalStoreMachine = LocalStoreMachine.TestCase
