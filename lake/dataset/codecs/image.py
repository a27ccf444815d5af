"""Pictures: PNG, JPEG, BMP, TIFF, GIF, WebP through Pillow, as numpy arrays.

| in the file | array |
|---|---|
| gray, 8 or fewer bits | uint8, (h, w) |
| black and white, 1 bit | bool, (h, w) |
| gray, 16 bits | uint16, (h, w) |
| gray, 32 bits (TIFF) | int32, uint32 or float32, (h, w) |
| gray with alpha; colour; colour with alpha | uint8, (h, w, 2), (h, w, 3), (h, w, 4) |
| palette | its colours: uint8, (h, w, 3), with transparency (h, w, 4) |
| CMYK, YCbCr, Lab | uint8, (h, w, 3), as RGB |
| several pages or frames | one more dimension in front; a list where they differ in shape |

Colour with 16 or 32 bits a channel, which Pillow would quietly cut to 8, is an error. EXIF
orientation is left alone: annotations are made on the pixels as they are stored.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image, ImageSequence

from lake.dataset.codecs.limits import check_bytes
from lake.errors import DecodeError, UsageError

Array = np.ndarray[Any, Any]

_FORMATS = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/bmp": "BMP",
    "image/tiff": "TIFF",
    "image/gif": "GIF",
    "image/webp": "WEBP",
}
_PAGED = frozenset({"image/tiff", "image/gif", "image/webp"})
_AS_THEY_ARE = frozenset({"1", "L", "LA", "RGB", "RGBA", "F"})
_SAMPLE_FORMAT, _BITS = 339, 258
_UNSIGNED = 1


def decode(data: bytes, media_type: str) -> Array | list[Array]:
    """The picture's pixels; see the module for the shapes.

    Raises:
        DecodeError: also for more pixels than PIL.Image.MAX_IMAGE_PIXELS, by the header alone.
    """
    try:
        # Only the format that the manifest names: Pillow's rarer readers are never reached.
        image = Image.open(io.BytesIO(data), formats=[_FORMATS[media_type]])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DecodeError(str(error), hint="trusted? raise PIL.Image.MAX_IMAGE_PIXELS") from None
    with image:
        # Cameras put thumbnails behind a JPEG, as further frames; they are not the picture.
        frames = getattr(image, "n_frames", 1) if media_type in _PAGED else 1
        width, height = image.size
        check_bytes(frames * width * height * 4, "a picture")
        if frames == 1:
            return _pixels(image, data)
        arrays = [_pixels(frame, data) for frame in ImageSequence.Iterator(image)]
    if len({(array.shape, array.dtype) for array in arrays}) == 1:
        return np.stack(arrays)
    return arrays


def _pixels(image: Image.Image, data: bytes) -> Array:
    _refuse_deep_colour(image, data)
    mode = image.mode
    if mode in _AS_THEY_ARE:
        return np.array(image)
    if mode.startswith("I;16"):
        return np.array(image).astype(np.uint16, copy=False)
    if mode == "I":
        return _wide_gray(image)
    if mode in ("P", "PA"):
        clear = mode == "PA" or "transparency" in image.info
        return np.array(image.convert("RGBA" if clear else "RGB"))
    return np.array(image.convert("RGBA" if mode in ("RGBa", "La") else "RGB"))


def _wide_gray(image: Image.Image) -> Array:
    array: Array = np.array(image)
    if image.format == "PNG":  # older Pillow has 16 bits of gray in 32
        return array.astype(np.uint16)
    tags = getattr(image, "tag_v2", {})
    unsigned = tags.get(_SAMPLE_FORMAT, (_UNSIGNED,))[0] == _UNSIGNED
    if unsigned and tags.get(_BITS, (8,))[0] == 32:
        return array.view(np.uint32)
    return array


def _refuse_deep_colour(image: Image.Image, data: bytes) -> None:
    if image.format == "PNG":
        deep = data[24] == 16 and data[25] != 0  # bit depth and colour type, in the header
    elif image.format == "TIFF":
        bits = getattr(image, "tag_v2", {}).get(_BITS, (8,))
        deep = len(bits) > 1 and max(bits) > 8
    else:
        deep = False
    if deep:
        raise DecodeError(
            "colour with more than 8 bits a channel, which Pillow would cut to 8",
            hint="take item.bytes() and read it with OpenCV, tifffile or imageio",
        )


def encode(obj: Any, media_type: str) -> bytes:
    """The file of a picture: an array of one of the shapes above, or a PIL image.

    JPEG is written at quality 95 without chroma subsampling; TIFF takes several pages, as a
    list of arrays or an array of four dimensions; all others one picture.
    """
    kind = _FORMATS[media_type]
    images = _images(obj)
    if len(images) > 1 and kind != "TIFF":
        raise UsageError(f"{media_type} is written with one picture, not {len(images)}")
    options: dict[str, Any] = {}
    if kind == "JPEG":
        options = {"quality": 95, "subsampling": 0}
    elif kind == "TIFF":
        options = {"compression": "tiff_adobe_deflate"}
        if len(images) > 1:
            options |= {"save_all": True, "append_images": images[1:]}
    elif kind == "WEBP":
        options = {"lossless": True}
    stream = io.BytesIO()
    images[0].save(stream, format=kind, **options)
    return stream.getvalue()


def _images(obj: Any) -> list[Image.Image]:
    if isinstance(obj, Image.Image):
        return [obj]
    if isinstance(obj, list) and obj and all(hasattr(page, "shape") for page in obj):
        return [Image.fromarray(_drawable(np.asarray(page))) for page in obj]
    array = np.asarray(obj)
    pages = list(array) if array.ndim == 4 else [array]
    return [Image.fromarray(_drawable(page)) for page in pages]


def _drawable(array: Array) -> Array:
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    gray = array.ndim == 2 and array.dtype.name in ("bool", "uint8", "uint16", "int32", "float32")
    colour = array.ndim == 3 and array.shape[2] in (2, 3, 4) and array.dtype == np.uint8
    if not (gray or colour):
        raise UsageError(
            f"no picture has shape {array.shape} and type {array.dtype}",
            hint="(h, w) of bool, uint8, uint16, int32, float32, or (h, w, 2|3|4) of uint8",
        )
    return np.ascontiguousarray(array)
