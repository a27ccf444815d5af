from __future__ import annotations

import io
import struct
import warnings
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lake.dataset.codecs import decode, encode, limits
from lake.errors import DecodeError, UsageError
from tests.unit.codecs import files

RNG = np.random.default_rng(7)


def pixels(*shape: int, dtype: Any = np.uint8) -> np.ndarray[Any, Any]:
    return RNG.integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)


def saved(image: Image.Image, format: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format=format, **options)
    return stream.getvalue()


def test_png_of_every_kind() -> None:
    gray, colour, clear = pixels(5, 7), pixels(5, 7, 3), pixels(5, 7, 4)
    cases = [
        (gray, files.png(7, 5, gray.tobytes())),
        (colour, files.png(7, 5, colour.tobytes(), colour=files.PNG_RGB)),
        (clear, files.png(7, 5, clear.tobytes(), colour=files.PNG_RGBA)),
        (clear[:, :, :2], files.png(7, 5, clear[:, :, :2].tobytes(), colour=files.PNG_GRAY_ALPHA)),
    ]
    for expected, data in cases:
        found = decode(data, "image/png")
        assert found.dtype == np.uint8
        np.testing.assert_array_equal(found, expected)
        assert found.flags.writeable


def test_png_with_16_bits_of_gray_keeps_them() -> None:
    deep = pixels(5, 7, dtype=np.uint16)
    found = decode(files.png(7, 5, deep.astype(">u2").tobytes(), bits=16), "image/png")
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(found, deep)


def test_png_with_few_bits() -> None:
    found = decode(files.png(8, 2, b"\xaa\x0f", bits=1), "image/png")
    assert found.dtype == np.bool_
    np.testing.assert_array_equal(found, [[1, 0] * 4, [0] * 4 + [1] * 4])
    found = decode(files.png(2, 1, b"\x0f", bits=4), "image/png")
    np.testing.assert_array_equal(found, [[0, 255]])


def test_a_palette_gives_its_colours() -> None:
    palette = files.png_chunk(b"PLTE", bytes([255, 0, 0, 0, 0, 255]))
    clear = files.png_chunk(b"tRNS", bytes([0, 255]))
    options: dict[str, Any] = {"colour": files.PNG_PALETTE, "bits": 8}
    found = decode(files.png(2, 1, b"\0\1", extra=palette, **options), "image/png")
    np.testing.assert_array_equal(found, [[[255, 0, 0], [0, 0, 255]]])
    found = decode(files.png(2, 1, b"\0\1", extra=palette + clear, **options), "image/png")
    np.testing.assert_array_equal(found, [[[255, 0, 0, 0], [0, 0, 255, 255]]])


@pytest.mark.parametrize("colour", [files.PNG_RGB, files.PNG_RGBA, files.PNG_GRAY_ALPHA])
def test_deep_colour_is_refused_rather_than_cut(colour: int) -> None:
    data = files.png(1, 1, b"\x12\x34" * 4, bits=16, colour=colour)
    with pytest.raises(DecodeError, match="8 bits"):
        decode(data, "image/png")
    with pytest.raises(DecodeError, match="8 bits"):
        decode(files.tiff([(1, 1, 16, 1, 3, b"\x12\x34" * 3)]), "image/tiff")


def test_jpeg_is_close_and_exif_is_left_alone() -> None:
    y, x = np.mgrid[:32, :48]
    smooth = np.stack([y * 4, x * 4, (x + y) * 2], axis=-1).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6  # "turn it to the right"
    data = saved(Image.fromarray(smooth), "JPEG", quality=95, exif=exif)
    found = decode(data, "image/jpeg")
    assert found.shape == (32, 48, 3)
    assert np.abs(found.astype(int) - smooth).mean() < 3
    gray = decode(saved(Image.fromarray(smooth[:, :, 0]), "JPEG"), "image/jpeg")
    assert gray.shape == (32, 48)
    cmyk = decode(saved(Image.fromarray(smooth).convert("CMYK"), "JPEG"), "image/jpeg")
    assert cmyk.shape == (32, 48, 3)


def test_a_jpeg_with_a_thumbnail_behind_it_is_one_picture() -> None:
    big, small = Image.new("RGB", (16, 8)), Image.new("RGB", (4, 2))
    data = saved(big, "MPO", save_all=True, append_images=[small])
    assert data.startswith(b"\xff\xd8")
    assert decode(data, "image/jpeg").shape == (8, 16, 3)


def test_bmp() -> None:
    colour = pixels(3, 5, 3)
    np.testing.assert_array_equal(decode(files.bmp(5, 3, colour.tobytes()), "image/bmp"), colour)


@pytest.mark.parametrize(
    ("dtype", "sample_format"),
    [("u1", 1), ("u2", 1), ("u4", 1), ("i4", 2), ("f4", 3)],
)
def test_tiff_keeps_the_type_of_gray(dtype: str, sample_format: int) -> None:
    gray = np.frombuffer(RNG.bytes(6 * np.dtype(dtype).itemsize), dtype=f"<{dtype}").reshape(2, 3)
    gray = np.nan_to_num(gray)
    bits = gray.itemsize * 8
    data = files.tiff([(3, 2, bits, sample_format, 1, gray.tobytes())])
    found = decode(data, "image/tiff")
    assert found.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(found, gray)


def test_tiff_pages() -> None:
    stack = pixels(3, 2, 4)
    data = files.tiff([(4, 2, 8, 1, 1, page.tobytes()) for page in stack])
    np.testing.assert_array_equal(decode(data, "image/tiff"), stack)
    mixed = files.tiff([(4, 2, 8, 1, 1, stack[0].tobytes()), (2, 4, 8, 1, 1, stack[1].tobytes())])
    found = decode(mixed, "image/tiff")
    assert isinstance(found, list)
    assert [page.shape for page in found] == [(2, 4), (4, 2)]


def test_an_animation_is_a_stack() -> None:
    frames = [Image.new("RGB", (4, 3), colour) for colour in ("red", "blue")]
    found = decode(saved(frames[0], "GIF", save_all=True, append_images=frames[1:]), "image/gif")
    assert found.shape[:3] == (2, 3, 4)
    np.testing.assert_array_equal(found[1, 0, 0, :3], [0, 0, 255])


@pytest.mark.parametrize("kind", ["image/png", "image/tiff", "image/bmp", "image/webp"])
@pytest.mark.parametrize(
    "array",
    [
        pixels(5, 7),
        pixels(5, 7, 3),
        pixels(5, 7, 4),
        pixels(5, 7, 2),
        pixels(5, 7) > 99,
        pixels(5, 7, dtype=np.uint16),
        pixels(5, 7, dtype=np.int32),
        RNG.random((5, 7), dtype=np.float32),
    ],
    ids=lambda array: f"{array.dtype}-{array.ndim}-{array.shape[-1]}",
)
def test_lossless_formats_give_back_what_they_took(kind: str, array: np.ndarray[Any, Any]) -> None:
    try:
        data = encode(array, kind)
    except UsageError:
        assert kind not in ("image/png", "image/tiff") or array.dtype.kind in "if"
        return
    found = decode(data, kind)
    if found.shape == array.shape and found.dtype == array.dtype:
        if kind == "image/webp" and array.shape[-1] == 4:
            return  # WebP forgets the colour of clear pixels
        np.testing.assert_array_equal(found, array)
    else:
        assert kind in ("image/bmp", "image/webp")  # which have fewer kinds of pixels


def test_pages_are_written_to_tiff_alone() -> None:
    stack = pixels(3, 5, 7, 3)
    np.testing.assert_array_equal(decode(encode(stack, "image/tiff"), "image/tiff"), stack)
    pages = [pixels(2, 3), pixels(4, 5)]
    found = decode(encode(pages, "image/tiff"), "image/tiff")
    for page, expected in zip(found, pages, strict=True):
        np.testing.assert_array_equal(page, expected)
    with pytest.raises(UsageError):
        encode(stack, "image/png")


def test_pil_images_and_single_channels_are_written() -> None:
    gray = pixels(5, 7)
    for obj in (Image.fromarray(gray), gray[:, :, None], gray.tolist()):
        if isinstance(obj, list):
            with pytest.raises(UsageError):  # a list of lists of int is of no picture's type
                encode(obj, "image/png")
        else:
            np.testing.assert_array_equal(decode(encode(obj, "image/png"), "image/png"), gray)
    for bad in (np.zeros((2, 2), "f8"), np.zeros((2, 2, 5), "u1"), np.zeros(3, "u1")):
        with pytest.raises(UsageError):
            encode(bad, "image/png")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "TIFF", "GIF", "WEBP"])
def test_truncated_pictures_are_typed_errors(kind: str) -> None:
    data = saved(Image.fromarray(pixels(64, 64, 3)), kind)
    for size in (0, 1, 10, 40, len(data) // 2, len(data) * 9 // 10):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of broken TIFF tags before it raises
            with pytest.raises(DecodeError):
                decode(data[:size], f"image/{kind.lower()}")


def test_a_picture_under_another_formats_name_is_refused() -> None:
    data = saved(Image.new("L", (3, 3)), "PNG")
    with pytest.raises(DecodeError):
        decode(data, "image/jpeg")
    with pytest.raises(DecodeError):
        decode(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "image/png")


def test_decompression_bombs_are_refused_by_their_header() -> None:
    huge = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    bombs = {
        "image/png": b"\x89PNG\r\n\x1a\n"
        + files.png_chunk(b"IHDR", huge)
        + files.png_chunk(b"IDAT", b"x\x9c"),
        "image/bmp": files.bmp(1, 1, b"abc").replace(
            struct.pack("<ii", 1, 1), struct.pack("<ii", 60_000, 60_000)
        ),
        "image/gif": b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0, 0, 0) + b",",
        "image/tiff": files.tiff([(60_000, 60_000, 8, 1, 1, b"ab")]),
    }
    for kind, data in bombs.items():
        with pytest.raises(DecodeError) as caught:
            decode(data, kind)
        assert kind == "image/gif" or "pixels" in str(caught.value), kind


def test_a_bomb_of_pages_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = files.tiff([(100, 100, 8, 1, 1, bytes(10_000))] * 5)
    monkeypatch.setattr(limits, "MAX_BYTES", 100_000)
    with pytest.raises(DecodeError, match="MAX_BYTES"):
        decode(data, "image/tiff")


def test_a_bomb_of_text_in_a_png_is_refused() -> None:
    import zlib

    text = files.png_chunk(b"zTXt", b"k\0\0" + zlib.compress(b"x" * (100 << 20)))
    with pytest.raises(DecodeError):
        decode(files.png(1, 1, b"\0", extra=text), "image/png")
