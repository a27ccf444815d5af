"""NPY and NPZ: numpy arrays. Object arrays are pickles, and refused."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np
from numpy.lib import format as npy

from lake.dataset.codecs.limits import check_bytes
from lake.errors import DecodeError, UsageError


def decode(data: bytes, media_type: str) -> Any:
    """An array, or for NPZ a dict of arrays by name."""
    return _archive(data) if media_type == "application/x-npz" else _array(data)


def _array(data: bytes) -> np.ndarray[Any, Any]:
    stream = io.BytesIO(data)
    version = npy.read_magic(stream)
    if version == (1, 0):
        shape, fortran, dtype = npy.read_array_header_1_0(stream)
    elif version == (2, 0):
        shape, fortran, dtype = npy.read_array_header_2_0(stream)
    else:  # field names outside Latin-1; numpy has no public reader of that header
        stream.seek(0)
        found: np.ndarray[Any, Any] = np.load(stream, allow_pickle=False)
        return found
    if dtype.hasobject:
        raise DecodeError("an array of Python objects is a pickle", hint="lake never unpickles")
    start = stream.tell()
    count = 1
    for extent in shape:
        count *= extent
    # The header's promise is held against what is there before any memory is reserved.
    if count * dtype.itemsize != len(data) - start or min(shape, default=0) < 0:
        raise DecodeError(
            f"an array of shape {shape} takes {count * dtype.itemsize:,} bytes, "
            f"and there are {len(data) - start:,}"
        )
    flat = np.frombuffer(data, dtype=dtype, count=count, offset=start) if count else None
    if flat is None or not dtype.itemsize:
        return np.zeros(shape, dtype, order="F" if fortran else "C")
    return flat.reshape(shape, order="F" if fortran else "C").copy(order="K")


def _archive(data: bytes) -> dict[str, np.ndarray[Any, Any]]:
    found = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        check_bytes(sum(member.file_size for member in members), "an archive")
        for member in members:
            with archive.open(member) as stream:
                content = stream.read(member.file_size + 1)
            if len(content) > member.file_size:
                raise DecodeError(f"a member is bigger than the archive says: {member.filename}")
            found[member.filename.removesuffix(".npy")] = _array(content)
    return found


def encode(obj: Any, media_type: str) -> bytes:
    """NPY of anything that numpy makes an array of; NPZ of a mapping of such."""
    stream = io.BytesIO()
    if media_type == "application/x-npz":
        if not hasattr(obj, "items"):
            raise UsageError(f"NPZ holds a mapping of arrays, not {type(obj).__name__}")
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, value in obj.items():
                # With ZipInfo's own date, the same arrays give the same bytes.
                member = zipfile.ZipInfo(f"{name}.npy")
                archive.writestr(member, encode(value, "npy"), zipfile.ZIP_DEFLATED)
        return stream.getvalue()
    array = np.asanyarray(obj)
    if array.dtype.hasobject:
        raise UsageError("an array of Python objects would need a pickle")
    npy.write_array(stream, array, allow_pickle=False)
    return stream.getvalue()
