from __future__ import annotations

import pickle

import pytest
from pydantic import ValidationError

from lake_schemas.blob import BlobRef, ChunkRef, Location
from lake_schemas.errors import FormatError

REF = BlobRef(sha256="9f" * 32, size=812, type="image/png")


def test_locations_are_added_replaced_and_removed() -> None:
    ref = REF.with_location("main").with_location("legacy", "2019/42.tif")
    assert ref.in_ == (Location("main"), Location("legacy", "2019/42.tif"))
    assert ref.aliases == ("main", "legacy")
    assert ref.location("legacy") == Location("legacy", "2019/42.tif")
    assert ref.location("nas") is None
    assert ref.with_location("main", "x").aliases == ("main", "legacy")
    assert ref.without_location("main").aliases == ("legacy",)
    assert REF.aliases == ()


def test_content_drops_the_whereabouts_and_keeps_the_extension() -> None:
    chunks = ChunkRef(size=1 << 20, sha256="00" * 32)
    ref = BlobRef(
        sha256="9f" * 32,
        size=812,
        type="image/png",
        ext="PNG",
        in_=(Location("main"),),
        file="files/a.png",
        chunks=chunks,
    )
    assert ref.content == BlobRef(sha256="9f" * 32, size=812, type="image/png", ext="PNG")
    assert ref.placed
    assert not ref.content.placed
    assert ref.without_location("main").with_file(None).placed is False


def test_a_ref_is_frozen_hashable_and_picklable() -> None:
    with pytest.raises(ValidationError):
        REF.size = 3  # type: ignore[misc]
    assert hash(REF) == hash(REF.model_copy())
    placed = REF.with_location("main")
    assert pickle.loads(pickle.dumps(placed)) == placed


@pytest.mark.parametrize(
    "fields",
    [
        {"sha256": "9F" * 32},
        {"sha256": "9f" * 31},
        {"sha256": "9f" * 32 + "\n"},
        {"size": -1},
        {"size": 2**63},
        {"size": 1.0},
        {"size": "1"},
        {"size": True},
        {"type": "image"},
        {"type": "Image/PNG"},
        {"type": "text/plain; charset=utf-8"},
        {"ext": ".png"},
        {"ext": "a/b"},
        {"ext": ""},
        {"in": "main"},
        {"in": ["main", "main"]},
        {"in": ["main", {"main": "k"}]},
        {"in": [{}]},
        {"in": [{"a": "k", "b": "k"}]},
        {"in": [{"a": 1}]},
        {"in": [1]},
        {"in": ["a b"]},
        {"in": [f"r{n}" for n in range(65)]},
        {"file": "../x"},
        {"file": ""},
        {"chunks": {"size": 0, "sha256": "9f" * 32}},
        {"more": 1},
    ],
)
def test_what_the_grammar_rules_out_is_refused(fields: dict[str, object]) -> None:
    usual = {"sha256": "9f" * 32, "size": 812, "type": "image/png", "in": ["main"]}
    assert BlobRef.model_validate(usual)
    with pytest.raises(ValidationError):
        BlobRef.model_validate(usual | fields)


def test_illegal_places_are_refused_when_added() -> None:
    with pytest.raises(FormatError):
        REF.with_location("a b")
    with pytest.raises(FormatError):
        REF.with_location("main", "../up")
    with pytest.raises(FormatError):
        REF.with_file("/etc/passwd")
    full = REF
    for n in range(64):
        full = full.with_location(f"r{n}")
    with pytest.raises(FormatError):
        full.with_location("one_more")
