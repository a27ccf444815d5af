"""Media types and file extensions, by a table of our own: the same on every machine."""

from __future__ import annotations

import re

from lake_schemas.blob import EXT

UNKNOWN = "application/octet-stream"

TYPES: dict[str, tuple[str, ...]] = {
    # pictures
    "image/png": ("png",),
    "image/jpeg": ("jpg", "jpeg", "jpe", "jfif"),
    "image/bmp": ("bmp", "dib"),
    "image/tiff": ("tiff", "tif"),
    "image/gif": ("gif",),
    "image/webp": ("webp",),
    "image/avif": ("avif",),
    "image/heic": ("heic",),
    "image/jp2": ("jp2",),
    "image/jxl": ("jxl",),
    "image/svg+xml": ("svg",),
    "image/x-exr": ("exr",),
    "image/vnd.radiance": ("hdr",),
    "image/x-portable-anymap": ("pnm",),
    "image/x-portable-bitmap": ("pbm",),
    "image/x-portable-graymap": ("pgm",),
    "image/x-portable-pixmap": ("ppm",),
    "application/dicom": ("dcm",),
    "application/pdf": ("pdf",),
    # sound and film
    "audio/wav": ("wav", "wave"),
    "audio/flac": ("flac",),
    "audio/ogg": ("ogg", "oga", "opus"),
    "audio/mpeg": ("mp3",),
    "audio/mp4": ("m4a",),
    "audio/aac": ("aac",),
    "audio/aiff": ("aiff", "aif"),
    "video/mp4": ("mp4", "m4v"),
    "video/webm": ("webm",),
    "video/x-matroska": ("mkv",),
    "video/quicktime": ("mov",),
    "video/x-msvideo": ("avi",),
    "video/mpeg": ("mpg", "mpeg"),
    # arrays and tensors
    "application/x-npy": ("npy",),
    "application/x-npz": ("npz",),
    "application/x-safetensors": ("safetensors",),
    "application/x-hdf5": ("h5", "hdf5"),
    "application/x-netcdf": ("nc",),
    "application/onnx": ("onnx",),
    "text/x-matrix": ("txt",),
    # tables
    "text/csv": ("csv",),
    "text/tab-separated-values": ("tsv",),
    "application/vnd.apache.parquet": ("parquet", "pq"),
    "application/vnd.apache.arrow.file": ("arrow", "feather"),
    "application/vnd.apache.arrow.stream": ("arrows",),
    "application/vnd.sqlite3": ("sqlite", "sqlite3", "db"),
    # shapes
    "model/ply": ("ply",),
    "model/stl": ("stl",),
    "model/obj": ("obj",),
    "model/mtl": ("mtl",),
    "model/off": ("off",),
    "model/gltf-binary": ("glb",),
    "model/gltf+json": ("gltf",),
    "application/vnd.las": ("las",),
    "application/vnd.laszip": ("laz",),
    "application/x-pcd": ("pcd",),
    # text and structure
    "text/plain": ("txt", "text", "log"),
    "text/markdown": ("md", "markdown"),
    "text/html": ("html", "htm"),
    "text/css": ("css",),
    "text/x-python": ("py",),
    "text/xml": ("xml",),
    "text/vtt": ("vtt",),
    "text/calendar": ("ics",),
    "text/javascript": ("js", "mjs"),
    "application/json": ("json",),
    "application/geo+json": ("geojson",),
    "application/jsonl": ("jsonl", "ndjson"),
    "application/yaml": ("yaml", "yml"),
    "application/toml": ("toml",),
    "application/msgpack": ("msgpack",),
    "application/cbor": ("cbor",),
    # archives
    "application/zip": ("zip",),
    "application/x-tar": ("tar",),
    "application/gzip": ("gz", "tgz"),
    "application/x-bzip2": ("bz2",),
    "application/x-xz": ("xz",),
    "application/zstd": ("zst",),
    "application/x-7z-compressed": ("7z",),
    UNKNOWN: ("bin",),
}
"""Extensions of each media type, its usual one first."""

_USUAL = {kind: extensions[0] for kind, extensions in TYPES.items()}
# Where two types share an extension, the later one in the table has it: .txt is plain text.
_BY_EXTENSION = {ext: kind for kind, extensions in TYPES.items() for ext in extensions}
_COMPRESSED = frozenset({"gz", "bz2", "xz", "zst"})
_legal = re.compile(EXT).fullmatch
_inner = re.compile(r"[A-Za-z][A-Za-z0-9]{0,7}").fullmatch


def media_type_of(filename: str) -> tuple[str, str | None]:
    """Media type of a file by its name, and its extension where that is not the usual one.

    An extension that the table does not have is kept, so that the file can be written out with
    the same name; so is one that only differs by case, and both of "nii.gz".

    >>> media_type_of("a.png"), media_type_of("a.jpeg"), media_type_of("scan.nii.gz")
    (('image/png', None), ('image/jpeg', 'jpeg'), ('application/gzip', 'nii.gz'))
    >>> media_type_of("a.xyz"), media_type_of("LICENSE")
    (('application/octet-stream', 'xyz'), ('application/octet-stream', None))
    """
    stem, _, ext = filename.rpartition("/")[2].rpartition(".")
    if not stem or _legal(ext) is None:
        return UNKNOWN, None
    kind = _BY_EXTENSION.get(ext.lower(), UNKNOWN)
    if ext.lower() in _COMPRESSED:
        head, _, inner = stem.rpartition(".")
        if head and _inner(inner) is not None:
            return kind, f"{inner}.{ext}"
    return kind, None if ext == _USUAL[kind] else ext


def extension_of(media_type: str) -> str:
    """The usual extension of a media type, without a dot; "bin" for those not in the table."""
    return _USUAL.get(media_type, "bin")
