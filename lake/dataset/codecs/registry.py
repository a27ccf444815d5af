"""Which codec reads which media type. All of it is data until a codec is first used."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from lake.errors import DecodeError, LakeError, Unsupported, UsageError

Decoder = Callable[[bytes, str], Any]
Encoder = Callable[[Any, str], bytes]

GROUP = "lake.codecs"
_HERE = "lake.dataset.codecs"

MODULES: dict[str, str] = {
    "image/png": f"{_HERE}.image",
    "image/jpeg": f"{_HERE}.image",
    "image/bmp": f"{_HERE}.image",
    "image/tiff": f"{_HERE}.image",
    "image/gif": f"{_HERE}.image",
    "image/webp": f"{_HERE}.image",
    "application/x-npy": f"{_HERE}.array",
    "application/x-npz": f"{_HERE}.array",
    "application/x-safetensors": f"{_HERE}.tensor",
    "text/x-matrix": f"{_HERE}.matrix",
    "text/csv": f"{_HERE}.table",
    "text/tab-separated-values": f"{_HERE}.table",
    "application/vnd.apache.parquet": f"{_HERE}.table",
    "application/vnd.apache.arrow.file": f"{_HERE}.table",
    "audio/wav": f"{_HERE}.audio",
    "audio/flac": f"{_HERE}.audio",
    "audio/ogg": f"{_HERE}.audio",
    "audio/mpeg": f"{_HERE}.audio",
    "audio/aiff": f"{_HERE}.audio",
    "model/ply": f"{_HERE}.mesh",
    "model/stl": f"{_HERE}.mesh",
    "model/obj": f"{_HERE}.mesh",
    "model/off": f"{_HERE}.mesh",
    "model/gltf-binary": f"{_HERE}.mesh",
    "application/json": f"{_HERE}.structure",
    "application/jsonl": f"{_HERE}.structure",
    "application/yaml": f"{_HERE}.structure",
    "application/toml": f"{_HERE}.structure",
}
"""Media type to the module of its codec."""

_EXTRAS = {
    f"{_HERE}.image": "image",
    f"{_HERE}.array": "image",
    f"{_HERE}.matrix": "image",
    f"{_HERE}.tensor": "tensor",
    f"{_HERE}.table": "table",
    f"{_HERE}.audio": "audio",
    f"{_HERE}.mesh": "mesh",
}
"""Extra of the distribution that each module needs."""

_decoders: dict[str, Decoder] = {}


def decode(data: bytes | Path, media_type: str) -> Any:
    """The object that some bytes (or a file of them) stand for.

    Text types give str, JSON and YAML their values, pictures numpy arrays, tables pyarrow
    tables; types without a codec the bytes themselves. docs/reference/codecs.md lists them.

    Raises:
        DecodeError: the bytes are broken, of another format, or a decompression bomb.
        Unsupported: the codec needs an extra that is not installed.
    """
    decoder = _decoders.get(media_type)
    if decoder is None:
        decoder = _decoders[media_type] = _find_decoder(media_type)
    if isinstance(data, Path):
        from lake import fsio

        with fsio.os_errors(str(data)):
            data = data.read_bytes()
    try:
        return decoder(data, media_type)
    except LakeError:
        raise
    except Exception as error:
        # What a library raises on broken input is its own business, and often changes.
        reason = str(error).strip().partition("\n")[0][:200]
        what = f"not a readable {media_type}: {type(error).__name__}"
        raise DecodeError(f"{what}: {reason}" if reason else what) from error


def encode(obj: Any, media_type: str) -> bytes:
    """The bytes of an object in a media type; bytes are taken as they are.

    Raises:
        UsageError: the object is not one that this type can hold.
        Unsupported: no codec writes this type, or it needs an extra that is not installed.
    """
    if isinstance(obj, bytes | bytearray | memoryview):
        return bytes(obj)
    encoder = getattr(_codec(media_type), "encode", None)
    if encoder is None:
        raise Unsupported(f"no codec writes {media_type}", hint="give the bytes yourself")
    try:
        data: bytes = encoder(obj, media_type)
    except LakeError:
        raise
    except Exception as error:
        raise UsageError(
            f"{type(obj).__name__} cannot be written as {media_type}: {error}"
        ) from error
    return data


def can_encode(media_type: str) -> bool:
    """Whether a codec writes objects of this media type; imports it."""
    return getattr(_codec(media_type), "encode", None) is not None


def _find_decoder(media_type: str) -> Decoder:
    codec = _codec(media_type)
    if codec is None:
        return _as_bytes
    decoder: Decoder = codec.decode
    return decoder


def _as_bytes(data: bytes, media_type: str) -> bytes:
    return data


@functools.cache
def _codec(media_type: str) -> Any:
    module = MODULES.get(media_type)
    if module is None:
        found = _third_party().get(media_type)
        if found is not None:
            return found.load()
        if media_type.endswith("+json"):
            module = f"{_HERE}.structure"
        elif media_type.startswith("text/"):
            module = f"{_HERE}.text"
        else:
            return None
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        _missing(media_type, module, error)


def _missing(media_type: str, module: str, error: ModuleNotFoundError) -> NoReturn:
    extra = _EXTRAS.get(module)
    raise Unsupported(
        f"{media_type} needs the package {error.name}",
        hint=None if extra is None else f'pip install "lake-datasets[{extra}]"',
    ) from error


@functools.cache
def _third_party() -> dict[str, Any]:
    from importlib.metadata import entry_points

    return {point.name: point for point in entry_points(group=GROUP)}
