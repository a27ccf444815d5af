"""Numbers as text, rows of columns apart by blanks: `text/x-matrix`, numpy's loadtxt.

Plain text is `text/plain` and stays text; which of both a .txt file is, its manifest says.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from lake.errors import UsageError


def decode(data: bytes, media_type: str) -> np.ndarray[Any, Any]:
    """A float64 array: (rows, columns), or (n,) where there is one row or column; "#" starts
    a comment."""
    lines = [line for line in data.decode().splitlines() if line.partition("#")[0].strip()]
    if not lines:
        return np.zeros((0,))
    return np.loadtxt(io.StringIO("\n".join(lines)), dtype=np.float64)


def encode(obj: Any, media_type: str) -> bytes:
    """The numbers of an array of at most two dimensions, such that they read back the same."""
    array = np.asarray(obj)
    if array.ndim > 2 or array.dtype.kind not in "biuf":
        raise UsageError("a matrix holds real numbers in at most two dimensions")
    stream = io.StringIO()
    np.savetxt(stream, np.atleast_1d(array), fmt="%d" if array.dtype.kind in "biu" else "%.17g")
    return stream.getvalue().encode()


def looks_numeric(data: bytes) -> bool:
    """Whether a text is such a matrix, rather than plain text."""
    try:
        return bool(decode(data, "text/x-matrix").size)
    except (ValueError, UnicodeDecodeError):
        return False
