"""WAV, FLAC, Ogg, MP3 and AIFF: samples and their rate."""

from __future__ import annotations

import io
from typing import Any, NamedTuple

import numpy as np
import soundfile

from lake.dataset.codecs.limits import check_bytes
from lake.errors import UsageError

_FORMATS = {
    "audio/wav": "WAV",
    "audio/flac": "FLAC",
    "audio/ogg": "OGG",
    "audio/mpeg": "MP3",
    "audio/aiff": "AIFF",
}
_DEPTHS = {
    ("WAV", "int16"): "PCM_16",
    ("WAV", "int32"): "PCM_32",
    ("WAV", "float32"): "FLOAT",
    ("WAV", "float64"): "DOUBLE",
    ("AIFF", "int16"): "PCM_16",
    ("AIFF", "int32"): "PCM_32",
    ("AIFF", "float32"): "FLOAT",
    ("FLAC", "int16"): "PCM_16",
    ("FLAC", "int32"): "PCM_24",
    ("FLAC", "float32"): "PCM_24",
}


class Sound(NamedTuple):
    """A decoded sound: `samples` as float32 within [-1, 1], (frames,) or (frames, channels);
    `rate` in frames a second."""

    samples: np.ndarray[Any, Any]
    rate: int


def decode(data: bytes, media_type: str) -> Sound:
    """The whole sound. float32 holds 24 bits exactly."""
    with soundfile.SoundFile(io.BytesIO(data)) as file:
        check_bytes(file.frames * file.channels * 4, "a sound")
        return Sound(file.read(dtype="float32"), file.samplerate)


def encode(obj: Any, media_type: str) -> bytes:
    """The bytes of a (samples, rate) pair. WAV keeps the samples' type; FLAC has 16 bits for
    int16 and 24 for all else; Ogg and MP3 are lossy."""
    if not isinstance(obj, tuple) or len(obj) != 2:
        raise UsageError("a sound is a pair (samples, rate)")
    samples, rate = np.asarray(obj[0]), int(obj[1])
    kind = _FORMATS[media_type]
    stream = io.BytesIO()
    subtype = _DEPTHS.get((kind, samples.dtype.name))
    soundfile.write(stream, samples, rate, format=kind, subtype=subtype)
    return stream.getvalue()
