from __future__ import annotations

import datetime
import io
import pickle
import struct
import sys
import wave
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import trimesh
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from lake.dataset.codecs import decode, encode, limits
from lake.dataset.codecs.matrix import looks_numeric
from lake.errors import DecodeError, Unsupported, UsageError
from tests.unit.codecs.files import npy

NPY, NPZ = "application/x-npy", "application/x-npz"


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12, dtype="<f4").reshape(3, 4),
        np.asfortranarray(np.arange(12).reshape(3, 4)),
        np.array(3.5),
        np.zeros((0, 3)),
        np.array([True, False]),
        np.array(["a", "bc"]),
        np.array([(1, 2.5)], dtype=[("a", "i4"), ("b", "f8")]),
        np.array([(1,)], dtype=[("é日", "i4")]),
        np.arange(3, dtype=">i8"),
        np.array(["2024-01-31"], dtype="M8[D]"),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:Stored array in format 3.0")
def test_arrays(array: np.ndarray[Any, Any]) -> None:
    stream = io.BytesIO()
    np.save(stream, array)
    found = decode(stream.getvalue(), NPY)
    assert found.dtype == array.dtype
    assert found.flags.writeable
    np.testing.assert_array_equal(found, array)
    np.testing.assert_array_equal(decode(encode(array, NPY), NPY), array)


def test_archives_of_arrays() -> None:
    arrays = {"a": np.arange(3), "b/c": np.eye(2)}
    for save in (np.savez, np.savez_compressed):
        stream = io.BytesIO()
        save(stream, **arrays)
        found = decode(stream.getvalue(), NPZ)
        assert list(found) == ["a", "b/c"]
        np.testing.assert_array_equal(found["b/c"], np.eye(2))
    data = encode(arrays, NPZ)
    assert encode(arrays, NPZ) == data
    with np.load(io.BytesIO(data)) as other:
        np.testing.assert_array_equal(other["a"], np.arange(3))
    with pytest.raises(UsageError):
        encode(np.arange(3), NPZ)


class _Touch:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.touch, (Path(self.path),))


def test_P8_no_array_is_ever_unpickled(tmp_path: Path) -> None:
    victim = tmp_path / "touched"
    objects = np.array([_Touch(str(victim))], dtype=object)
    stream = io.BytesIO()
    np.save(stream, objects, allow_pickle=True)
    zipped = io.BytesIO()
    np.savez(zipped, allow_pickle=True, a=objects)
    raw = pickle.dumps(objects)
    for data, kind in ((stream.getvalue(), NPY), (zipped.getvalue(), NPZ), (raw, NPY), (raw, NPZ)):
        with pytest.raises(DecodeError):
            decode(data, kind)
    assert decode(raw, "application/octet-stream") == raw
    assert not victim.exists()
    for kind in (NPY, NPZ):
        with pytest.raises(UsageError):
            encode({"a": objects} if kind == NPZ else objects, kind)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x93NUMPY",
        npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }", b""),
        npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }", b"\0" * 15),
        npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }", b"\0" * 17),
        npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }", b"\0" * 8),
        npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1, -1), }", b"\0" * 8),
        npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", b"\0" * 8),
        npy("{'descr': '|V0', 'fortran_order': False, 'shape': (1000000000000000,), }", b""),
        npy("__import__('os').abort()", b""),
        npy("(" * 9000, b""),
        npy("{'descr': '<f8', 'fortran_order': False, 'shape': (10**12,), }", b"", version=2),
        npy(
            "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }", b"", version=3
        ),
    ],
)
def test_lying_arrays_are_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        decode(data, NPY)


def test_a_zip_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", encode(np.zeros(1 << 20), NPY))
    assert len(stream.getvalue()) < 20_000
    monkeypatch.setattr(limits, "MAX_BYTES", 1 << 20)
    with pytest.raises(DecodeError, match="MAX_BYTES"):
        decode(stream.getvalue(), NPZ)
    # One that says it is small: its size in the directory is a lie.
    data = stream.getvalue().replace(struct.pack("<I", (8 << 20) + 128), struct.pack("<I", 1000))
    with pytest.raises(DecodeError):
        decode(data, NPZ)


def test_text_is_text() -> None:
    assert decode("dé\r\n".encode(), "text/plain") == "dé\r\n"
    assert decode(b"<p>", "text/html") == "<p>"
    assert encode("dé", "text/markdown") == "dé".encode()
    with pytest.raises(DecodeError, match="byte 1"):
        decode(b"a\xff", "text/plain")
    with pytest.raises(UsageError):
        encode(3, "text/plain")


MATRIX = "text/x-matrix"


def test_matrices() -> None:
    found = decode(b"# a comment\n1 2.5 # more\n\n-3e2 4\n", MATRIX)
    np.testing.assert_array_equal(found, [[1, 2.5], [-300, 4]])
    assert decode(b"", MATRIX).shape == (0,)
    assert decode(b"1 2 3\n", MATRIX).shape == (3,)
    assert decode(b"7\n", MATRIX) == 7
    assert encode([[1, 2], [3, 4]], MATRIX) == b"1 2\n3 4\n"
    for bad in (b"1 2\n3\n", b"a b", b"1,2"):
        with pytest.raises(DecodeError):
            decode(bad, MATRIX)
    with pytest.raises(UsageError):
        encode(np.zeros((2, 2, 2)), MATRIX)
    assert looks_numeric(b"1 2\n3 4\n")
    assert not looks_numeric(b"a label")
    assert not looks_numeric(b"")
    assert not looks_numeric(b"\xff")


@given(st.lists(st.floats(allow_nan=False), min_size=2, max_size=5))
def test_numbers_in_a_matrix_read_back_exactly(numbers: list[float]) -> None:
    np.testing.assert_array_equal(decode(encode(numbers, MATRIX), MATRIX), numbers)


def test_structures() -> None:
    value = {"a": [1, 2.5, None, "é"], "b": {"c": True}}
    for kind in ("application/json", "application/geo+json", "application/yaml"):
        assert decode(encode(value, kind), kind) == value
    assert decode(encode([value, 1], "application/jsonl"), "application/jsonl") == [value, 1]
    assert np.isnan(decode(b"[NaN]", "application/json")[0])
    assert decode(b"[36893488147419103232]", "application/json") == [2**65]
    assert decode(b'a = 1\n[b]\nc = "x"\n', "application/toml") == {"a": 1, "b": {"c": "x"}}
    assert (
        encode({"a": np.arange(2)}, "application/json") == b'{\n  "a": [\n    0,\n    1\n  ]\n}\n'
    )


def test_toml_is_written_by_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    value = {"a": [1, 2.5, "é"], "b": {"c": True, "at": datetime.date(2024, 5, 1)}}
    assert decode(encode(value, "application/toml"), "application/toml") == value
    with pytest.raises(UsageError, match="application/toml"):
        encode({"a": None}, "application/toml")
    monkeypatch.setitem(sys.modules, "tomli_w", None)
    with pytest.raises(Unsupported, match="needs the package tomli-w"):
        encode(value, "application/toml")


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"{", "application/json"),
        (b"", "application/json"),
        (b"[" * 100_000, "application/json"),
        (b"{}\n{", "application/jsonl"),
        (b"a: !!python/object/apply:os.abort []", "application/yaml"),
        (b"[" * 100_000, "application/yaml"),
        (b"a: &a [*a]", "application/yaml"),
        (b"a = ", "application/toml"),
        (b"a = " + b"[" * 100_000, "application/toml"),
        (b"\xff", "application/toml"),
    ],
)
def test_broken_structures_are_refused(data: bytes, kind: str) -> None:
    with pytest.raises(DecodeError):
        decode(data, kind)


TABLE = pa.table({"id": [1, 2], "name": ["a", 'b,\t"c"']})
TABLES = [
    "text/csv",
    "text/tab-separated-values",
    "application/vnd.apache.parquet",
    "application/vnd.apache.arrow.file",
]


@pytest.mark.parametrize("kind", TABLES)
def test_tables(kind: str) -> None:
    data = encode(TABLE, kind)
    assert decode(data, kind).equals(TABLE)
    assert decode(encode(TABLE.to_pydict(), kind), kind).equals(TABLE)
    if not kind.startswith("text/"):
        for size in (0, 4, len(data) // 2, len(data) - 1):
            with pytest.raises(DecodeError):
                decode(data[:size], kind)


def test_a_table_that_a_spreadsheet_wrote() -> None:
    found = decode(b'id,name\r\n1,"a"\r\n2,"b"\r\n', "text/csv")
    assert found.to_pylist() == [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]
    with pytest.raises(DecodeError):
        decode(b"a,b\n1\n", "text/csv")
    with pytest.raises(DecodeError):
        decode(b"", "text/csv")


def test_a_parquet_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    sink = io.BytesIO()
    zeros = pa.table({"a": pa.array(np.zeros(1 << 18))})
    parquet.write_table(zeros, sink, use_dictionary=False, compression="zstd")
    monkeypatch.setattr(limits, "MAX_BYTES", 1 << 20)
    with pytest.raises(DecodeError, match="MAX_BYTES"):
        decode(sink.getvalue(), "application/vnd.apache.parquet")


def test_sound() -> None:
    stream = io.BytesIO()
    frames = np.array([[0, 16384], [-32768, 32767]], dtype="<i2")
    with wave.open(stream, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(frames.tobytes())
    found = decode(stream.getvalue(), "audio/wav")
    assert found.rate == 8000
    np.testing.assert_array_equal(found.samples, frames / np.float32(32768))
    rate, samples = found.rate, found.samples
    for kind in ("audio/wav", "audio/flac"):
        again = decode(encode((samples, rate), kind), kind)
        assert again.rate == rate
        np.testing.assert_array_equal(again.samples, samples)
        again = decode(encode((frames, rate), kind), kind)
        np.testing.assert_array_equal(again.samples, samples)
    with pytest.raises(UsageError):
        encode(samples, "audio/wav")


def test_broken_sound_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    tone = np.sin(np.arange(8000) / 9).astype("f4")
    for kind in ("audio/wav", "audio/flac", "audio/ogg"):
        data = encode((tone, 8000), kind)
        for size in (0, 3, 20):
            with pytest.raises(DecodeError):
                decode(data[:size], kind)
    data = encode((tone, 8000), "audio/wav")
    monkeypatch.setattr(limits, "MAX_BYTES", 1000)
    with pytest.raises(DecodeError, match="MAX_BYTES"):
        decode(data, "audio/wav")


@pytest.mark.parametrize("kind", ["ply", "stl", "obj", "off"])
def test_meshes(kind: str) -> None:
    box = trimesh.creation.box()
    raw = box.export(file_type=kind)
    data = raw.encode() if isinstance(raw, str) else raw
    found = decode(data, f"model/{kind}")
    assert len(found.faces) == 12
    assert found.volume == pytest.approx(1.0)
    assert len(decode(encode(found, f"model/{kind}"), f"model/{kind}").faces) == 12
    # The first lines of an OBJ file are an OBJ file.
    for size in (0, 10) if kind == "obj" else (0, 10, len(data) // 3):
        with pytest.raises(DecodeError):
            decode(data[:size], f"model/{kind}")


def test_point_clouds_and_scenes() -> None:
    text = b"ply\nformat ascii 1.0\nelement vertex 2\n"
    text += b"property float x\nproperty float y\nproperty float z\nend_header\n0 0 1\n1 2 3\n"
    np.testing.assert_array_equal(decode(text, "model/ply").vertices, [[0, 0, 1], [1, 2, 3]])
    scene = trimesh.Scene([trimesh.creation.box()])
    found = decode(encode(scene, "model/gltf-binary"), "model/gltf-binary")
    assert len(found.geometry) == 1


def test_P8_a_mesh_opens_no_other_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "secret.mtl"
    secret.write_text("newmtl m\nKd 1 0 0\n")
    monkeypatch.chdir(tmp_path)
    opened: list[str] = []
    import sys

    def watch(event: str, args: tuple[Any, ...]) -> None:
        if event == "open" and "secret" in str(args[0]):
            opened.append(str(args[0]))

    sys.addaudithook(watch)
    text = b"mtllib secret.mtl\nusemtl m\nv 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"
    assert len(decode(text, "model/obj").faces) == 1
    assert opened == []


def test_a_mesh_of_a_lying_header_is_refused() -> None:
    text = b"ply\nformat binary_little_endian 1.0\nelement vertex 99999999999\n"
    text += b"property float x\nproperty float y\nproperty float z\nend_header\n"
    with pytest.raises(DecodeError):
        decode(text, "model/ply")
    with pytest.raises(DecodeError):
        decode(b"\0" * 80 + struct.pack("<I", 2**32 - 1) + b"\0" * 50, "model/stl")


def test_tensors() -> None:
    kind = "application/x-safetensors"
    arrays = {"w": np.arange(6, dtype="f4").reshape(2, 3).T, "b": np.array([1, 2])}
    data = encode(arrays, kind)
    found = decode(data, kind)
    assert set(found) == {"w", "b"}
    np.testing.assert_array_equal(found["w"], arrays["w"])
    for bad in (data[:-1], data[:20], b"", struct.pack("<Q", 2**60) + b"{}"):
        with pytest.raises(DecodeError):
            decode(bad, kind)
