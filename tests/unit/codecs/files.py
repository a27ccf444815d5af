"""Files made byte by byte, so that the codecs are held against the formats and not themselves."""

from __future__ import annotations

import struct
import zlib

PNG_GRAY, PNG_RGB, PNG_PALETTE, PNG_GRAY_ALPHA, PNG_RGBA = 0, 2, 3, 4, 6


def png(
    width: int,
    height: int,
    rows: bytes,
    *,
    bits: int = 8,
    colour: int = PNG_GRAY,
    extra: bytes = b"",
) -> bytes:
    """A PNG whose rows, without filter bytes, are `rows`."""
    step = len(rows) // height if height and rows else 0
    lines = b"".join(b"\0" + rows[n : n + step] for n in range(0, len(rows), step or 1))
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + extra
        + png_chunk(b"IDAT", zlib.compress(lines))
        + png_chunk(b"IEND", b"")
    )


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bmp(width: int, height: int, pixels: bytes) -> bytes:
    """A 24-bit BMP; `pixels` are rows of RGB from the top."""
    pad = -width * 3 % 4
    rows = []
    for y in reversed(range(height)):
        row = pixels[y * width * 3 : (y + 1) * width * 3]
        bgr = b"".join(row[x : x + 3][::-1] for x in range(0, len(row), 3))
        rows.append(bgr + b"\0" * pad)
    body = b"".join(rows)
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, len(body), 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(body), 0, 0, 54) + header + body


def tiff(pages: list[tuple[int, int, int, int, int, bytes]]) -> bytes:
    """An uncompressed little-endian TIFF of pages: width, height, bits, sample format (1 uint,
    2 int, 3 float), samples a pixel, and the pixels."""
    out = bytearray(b"II*\0\0\0\0\0")
    pointer = 4
    for width, height, bits, sample_format, samples, pixels in pages:
        strip = len(out)
        out += pixels + b"\0" * (len(pixels) % 2)
        many = len(out)
        out += struct.pack("<HHHH", *[bits] * 4) + struct.pack("<HHHH", *[sample_format] * 4)
        out[pointer : pointer + 4] = struct.pack("<I", len(out))
        entries = [
            (256, 4, 1, width),
            (257, 4, 1, height),
            (258, 3, samples, bits if samples == 1 else many),
            (259, 3, 1, 1),
            (262, 3, 1, 2 if samples >= 3 else 1),
            (273, 4, 1, strip),
            (277, 3, 1, samples),
            (278, 4, 1, height),
            (279, 4, 1, len(pixels)),
            (339, 3, samples, sample_format if samples == 1 else many + 8),
        ]
        out += struct.pack("<H", len(entries))
        for tag, kind, count, value in entries:
            out += struct.pack("<HHI", tag, kind, count)
            inline = count == 1 and kind == 3
            out += struct.pack("<HH", value, 0) if inline else struct.pack("<I", value)
        pointer = len(out)
        out += b"\0\0\0\0"
    return bytes(out)


def npy(header: str, body: bytes, version: int = 1) -> bytes:
    """An NPY file with a header of one's own."""
    text = header.encode() + b"\n"
    size = struct.pack("<H" if version == 1 else "<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + size + text + body
