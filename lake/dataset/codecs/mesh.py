"""PLY, STL, OBJ, OFF and GLB: trimesh's Trimesh, PointCloud or Scene."""

from __future__ import annotations

import io
from typing import Any

import trimesh

from lake.errors import DecodeError, UsageError

_FORMATS = {
    "model/ply": "ply",
    "model/stl": "stl",
    "model/obj": "obj",
    "model/off": "off",
    "model/gltf-binary": "glb",
}


def decode(data: bytes, media_type: str) -> Any:
    """The shape as the file has it: vertices are not merged, and no other file (materials,
    textures) is opened, whatever this one names."""
    found: Any = trimesh.load(io.BytesIO(data), file_type=_FORMATS[media_type], process=False)
    if isinstance(found, trimesh.Scene) and not found.geometry:
        raise DecodeError(f"no shape in this {media_type}")
    return found


def encode(obj: Any, media_type: str) -> bytes:
    """The bytes of a Trimesh, PointCloud or Scene."""
    if not hasattr(obj, "export"):
        raise UsageError(f"{media_type} holds a trimesh object, not {type(obj).__name__}")
    data: bytes | str = obj.export(file_type=_FORMATS[media_type])
    return data.encode() if isinstance(data, str) else data
