from __future__ import annotations

import contextlib
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from lake.dataset.codecs import can_encode, decode, encode, registry
from lake.errors import DecodeError, InputError, Unsupported, UsageError


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    registry._codec.cache_clear()
    registry._third_party.cache_clear()
    monkeypatch.setattr(registry, "_decoders", {})


def test_bytes_of_an_unknown_type_stay_bytes() -> None:
    for kind in ("application/octet-stream", "video/mp4", "application/x-unheard-of"):
        assert decode(b"\x00\xff", kind) == b"\x00\xff"
        assert not can_encode(kind)
        with pytest.raises(Unsupported):
            encode({"a": 1}, kind)


def test_bytes_are_written_as_they_are() -> None:
    for data in (b"\x00", bytearray(b"\x00"), memoryview(b"\x00")):
        assert encode(data, "image/png") == b"\x00"
        assert encode(data, "application/x-unheard-of") == b"\x00"


def test_every_module_of_the_table_has_a_codec() -> None:
    for kind in registry.MODULES:
        assert callable(registry._codec(kind).decode)
        assert can_encode(kind)


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"a": 1}')
    assert decode(path, "application/json") == {"a": 1}
    with pytest.raises(InputError):
        decode(tmp_path / "absent", "application/json")


class Shouting:
    """A third party's codec."""

    @staticmethod
    def decode(data: bytes, media_type: str) -> str:
        if not data:
            raise RuntimeError("nothing\nthere")
        return data.decode().upper()


@pytest.mark.usefixtures("fresh")
def test_other_packages_register_codecs(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("text/x-shout", f"{__name__}:Shouting", registry.GROUP)
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])
    monkeypatch.setattr(registry, "_third_party", lambda: {"text/x-shout": _Loaded(point)})
    assert decode(b"hello", "text/x-shout") == "HELLO"
    assert not can_encode("text/x-shout")
    with pytest.raises(DecodeError, match=r"RuntimeError: nothing$"):
        decode(b"", "text/x-shout")


class _Loaded:
    def __init__(self, point: EntryPoint) -> None:
        self.point = point

    def load(self) -> Any:
        return getattr(sys.modules[__name__], self.point.attr)


@pytest.mark.usefixtures("fresh")
def test_entry_points_are_asked_for() -> None:
    assert isinstance(registry._third_party(), dict)
    assert decode(b"x", "application/x-asked") == b"x"


@pytest.mark.usefixtures("fresh")
def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lake.dataset.codecs.tensor", None)
    with pytest.raises(Unsupported) as caught:
        decode(b"", "application/x-safetensors")
    assert caught.value.hint == 'pip install "lake-datasets[tensor]"'


# Some formats take nearly everything: a table of one column, a YAML scalar.
LENIENT = {"text/csv", "text/tab-separated-values", "application/yaml", "audio/mpeg"}


@pytest.mark.parametrize("kind", sorted(set(registry.MODULES) - LENIENT))
@pytest.mark.parametrize("data", [b"\x00", b"\xff\xfe\xfd" * 50, b"(" * 5000, b"[" * 200_000])
def test_garbage_is_a_typed_error(kind: str, data: bytes) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(data, kind)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("kind", sorted(LENIENT))
@pytest.mark.parametrize("data", [b"", b"\x00", b"\xff\xfe\xfd" * 50, b"(" * 5000, b"[" * 200_000])
def test_garbage_is_at_most_a_typed_error(kind: str, data: bytes) -> None:
    with contextlib.suppress(DecodeError):
        decode(data, kind)


@pytest.mark.parametrize("kind", sorted(registry.MODULES))
def test_what_a_type_cannot_hold_is_a_usage_error(kind: str) -> None:
    with pytest.raises((UsageError, Unsupported)):
        encode(object(), kind)


def test_nothing_heavy_is_imported_until_it_is_used() -> None:
    code = (
        "import sys, lake.dataset.codecs as c\n"
        "c.decode(b'{}', 'application/json'); c.media_type_of('a.png')\n"
        "heavy = {'numpy', 'PIL', 'pyarrow', 'soundfile', 'trimesh', 'mimetypes'}\n"
        "bad = heavy & set(sys.modules)\n"
        "sys.exit(str(bad) if bad else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
