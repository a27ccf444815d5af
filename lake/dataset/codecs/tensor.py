"""Safetensors: a dict of numpy arrays by name."""

from __future__ import annotations

from typing import Any

import numpy as np
from safetensors import numpy as st


def decode(data: bytes, media_type: str) -> dict[str, Any]:
    """Arrays by name. Types that numpy lacks (bfloat16, float8) are an error that says so."""
    found: dict[str, Any] = st.load(data)
    return found


def encode(obj: Any, media_type: str) -> bytes:
    """The bytes of a mapping of arrays."""
    arrays = {str(name): np.ascontiguousarray(value) for name, value in obj.items()}
    data: bytes = st.save(arrays)
    return data
