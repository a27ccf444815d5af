from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lake.errors import ConfigError, RemoteError, Unsupported, UsageError
from lake.store.body import BytesBody
from lake.store.keys import check_key, check_prefix
from lake.store.layout import LAYOUT_KEY, blob_key, digest_of, ensure_layout, read_layout
from lake.store.memory import MemoryStore
from lake.store.open import open_store
from lake.testing.strategies import keys
from lake.testing.suite import BAD_KEYS
from lake_schemas.remote import RemoteAddress


def test_lake_json_is_written_once() -> None:
    store = MemoryStore()
    assert read_layout(store) is None
    first = ensure_layout(store)
    assert (first.layout, first.generation, len(first.id)) == (1, 0, 32)
    assert ensure_layout(store) == read_layout(store) == first
    text = store.get(LAYOUT_KEY).read()
    assert json.loads(text) == {"generation": 0, "id": first.id, "layout": 1}


@pytest.mark.parametrize(
    "text",
    [
        b"", b"[]", b"null", b"7", b"{}", b"\xff", b'{"layout": 1}', b"[" * 50_000,
        b'{"layout": true, "id": "' + b"0" * 32 + b'"}', b'{"layout": 1, "id": 7}',
        b'{"layout": 1, "id": "../../etc"}', b" " * 100_000,
        b'{"layout": 1, "generation": "x", "id": "' + b"0" * 32 + b'"}',
    ],
)  # fmt: skip
def test_a_damaged_lake_json_is_named(text: bytes) -> None:
    store = MemoryStore()
    store.put(LAYOUT_KEY, BytesBody(text))
    with pytest.raises(RemoteError, match=r"lake\.json"):
        ensure_layout(store)
    assert store.get(LAYOUT_KEY).read() == text


def test_a_newer_layout_is_not_touched() -> None:
    store = MemoryStore()
    store.put(LAYOUT_KEY, BytesBody(b'{"layout": 2, "id": "' + b"0" * 32 + b'"}'))
    with pytest.raises(Unsupported, match="layout 2"):
        ensure_layout(store)


@given(st.text("0123456789abcdef", min_size=64, max_size=64))
def test_blob_keys_come_back_as_digests(sha256: str) -> None:
    key = blob_key(sha256)
    assert digest_of(key) == sha256
    assert check_key(key) == key
    assert digest_of(f"x/{key}") is digest_of(key + "0") is digest_of(key.upper()) is None


@given(keys())
def test_legal_keys_are_kept(key: str) -> None:
    assert check_key(key) == key
    assert check_prefix(f"{key}/") == f"{key}/"


@pytest.mark.parametrize("key", BAD_KEYS)
def test_bad_keys_are_refused_in_every_form(key: str) -> None:
    with pytest.raises(UsageError):
        check_key(key)
    if key and not key.endswith("/"):
        with pytest.raises(UsageError):
            check_prefix(key)


def test_schemes_open_their_stores(tmp_path: Path) -> None:
    named = open_store(RemoteAddress.parse("memory://shared"))
    named.put("k", BytesBody(b"v"))
    assert open_store(RemoteAddress.parse("memory://shared")).get("k").read() == b"v"
    folder = open_store(RemoteAddress.parse("./blobs"), base=tmp_path)
    assert folder.properties.root == tmp_path / "blobs"
    web = open_store(RemoteAddress.parse("https://data.example.org/blobs"))
    assert (web.properties.scheme, web.properties.writable) == ("https", False)
    assert web.share_url("a b") == "https://data.example.org/blobs/a%20b"


def test_unknown_schemes_and_drivers_are_named() -> None:
    with pytest.raises(ConfigError, match="ipfs"):
        open_store(RemoteAddress("ipfs", "x"))
    with pytest.raises(ConfigError, match="curl"):
        open_store(RemoteAddress("s3", "bucket"), driver="curl")


def test_stores_of_others_are_found_by_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    class Point:
        def load(self) -> object:
            return lambda address, *, credentials, base: MemoryStore(address.bucket)

    monkeypatch.setattr(
        "importlib.metadata.entry_points",
        lambda *, group, name: [Point()] if (group, name) == ("lake.stores", "theirs") else [],
    )
    assert open_store(RemoteAddress("theirs", "x")).url == "memory://x"
