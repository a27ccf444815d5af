from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lake.dataset.codecs import extension_of, media_type_of
from lake.dataset.codecs.media import TYPES
from lake_schemas.blob import BlobRef


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.png", ("image/png", None)),
        ("dir.d/a.jpg", ("image/jpeg", None)),
        ("a.jpeg", ("image/jpeg", "jpeg")),
        ("A.JPG", ("image/jpeg", "JPG")),
        ("a.tif", ("image/tiff", "tif")),
        ("a.txt", ("text/plain", None)),
        ("a.yml", ("application/yaml", "yml")),
        ("photo.v2.png", ("image/png", None)),
        ("scan.nii.gz", ("application/gzip", "nii.gz")),
        ("x.tar.gz", ("application/gzip", "tar.gz")),
        ("run.2024.gz", ("application/gzip", None)),
        ("a.gz", ("application/gzip", None)),
        ("a.xyz", ("application/octet-stream", "xyz")),
        ("a.bin", ("application/octet-stream", None)),
        ("LICENSE", ("application/octet-stream", None)),
        (".hidden", ("application/octet-stream", None)),
        ("a.", ("application/octet-stream", None)),
        ("a.日本", ("application/octet-stream", None)),
        ("a.with blank", ("application/octet-stream", None)),
        ("a." + "x" * 17, ("application/octet-stream", None)),
        ("", ("application/octet-stream", None)),
    ],
)
def test_types_by_name(name: str, expected: tuple[str, str | None]) -> None:
    assert media_type_of(name) == expected


@given(st.text(max_size=30))
def test_every_name_gives_what_a_manifest_can_hold(name: str) -> None:
    kind, ext = media_type_of(name)
    assert BlobRef(sha256="0" * 64, size=0, type=kind, ext=ext).ext == ext


@given(st.from_regex(r"[A-Za-z0-9_+-]{1,16}", fullmatch=True))
def test_every_extension_comes_back_to_the_letter(ext: str) -> None:
    kind, kept = media_type_of(f"a.{ext}")
    assert (kept or extension_of(kind)) == ext


def test_the_table_is_consistent() -> None:
    for kind, extensions in TYPES.items():
        assert BlobRef(sha256="0" * 64, size=0, type=kind)
        assert extension_of(kind) == extensions[0]
        if kind != "text/x-matrix":
            for ext in extensions:
                assert media_type_of(f"a.{ext}")[0] == kind
    assert extension_of("image/unheard-of") == "bin"
