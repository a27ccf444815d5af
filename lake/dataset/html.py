"""What a notebook shows of datasets and samples: a small table, with thumbnails.

Everything that comes from a dataset is escaped, pictures become small PNGs made here, no
function of a view is called, and only a few small blobs are fetched.
"""

from __future__ import annotations

import base64
import io
import threading
from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

from lake.errors import LakeError

if TYPE_CHECKING:
    from lake.dataset.dataset import Dataset
    from lake.dataset.item import Item
    from lake.dataset.sample import Sample

ROWS = 5
"""Samples shown."""
COLUMNS = 12
"""Items shown of each."""
TEXT = 200
"""Characters shown of a value."""
THUMBNAIL = 96
"""Pixels on the longer side."""
PICTURES = ("image/png", "image/jpeg", "image/bmp", "image/gif", "image/tiff", "image/webp")
LARGEST = 4 << 20
"""Bytes of a picture that is still fetched for its thumbnail."""
PIXELS = 32 << 20
"""Pixels of a picture that is still decoded."""
PATIENCE = 5.0
"""Seconds to wait for all pictures; what is not there by then is shown as text."""


def dataset_html(dataset: Dataset) -> str:
    """The first samples of a dataset as a table."""
    title = f"<p><b>{escape(repr(dataset)[1:-1])}</b></p>"
    if dataset.rows.runs_code:
        # Showing samples would call functions that were passed in, for all it takes to find one.
        return title
    try:
        samples = [dataset.rows.sample(n) for n in range(min(ROWS, len(dataset)))]
    except LakeError as error:
        return f"{title}<p>{escape(str(error))}</p>"
    names = list(dict.fromkeys(name for sample in samples for name in sample))[:COLUMNS]
    cells = _cells([sample[name] for sample in samples for name in names if name in sample])
    head = "".join(f"<th>{escape(name)}</th>" for name in ("id", *names))
    rows = []
    for sample in samples:
        row = [f"<td>{escape(sample.id)}</td>"]
        row += [f"<td>{next(cells)}</td>" if n in sample else "<td></td>" for n in names]
        rows.append(f"<tr>{''.join(row)}</tr>")
    more = "<p>...</p>" if len(dataset) > len(samples) else ""
    return f"{title}<table><tr>{head}</tr>{''.join(rows)}</table>{more}"


def sample_html(sample: Sample) -> str:
    """All items of a sample as a table."""
    names = list(sample)[: COLUMNS * 4]
    cells = _cells([sample[name] for name in names])
    rows = [f"<tr><th>{escape(name)}</th><td>{next(cells)}</td></tr>" for name in names]
    return f"<p><b>{escape(sample.id)}</b></p><table>{''.join(rows)}</table>"


def _cells(items: list[Item]) -> Iterator[str]:
    pictures: dict[int, str] = {}
    wanted = [n for n, item in enumerate(items) if _is_picture(item)]
    if wanted:
        # In a thread of its own: a remote that does not answer must not hang the notebook.
        thread = threading.Thread(target=_draw, args=(items, wanted, pictures), daemon=True)
        thread.start()
        thread.join(PATIENCE)
    return iter([pictures.get(n) or _text(item) for n, item in enumerate(items)])


def _is_picture(item: Item) -> bool:
    return item.is_blob and item.type in PICTURES and item.size <= LARGEST


def _draw(items: list[Item], wanted: list[int], pictures: dict[int, str]) -> None:
    for number in wanted:
        try:
            data = _thumbnail(items[number].bytes())
        except Exception as error:
            # Whatever it is, a table without this picture is better than none.
            why = str(error).partition("\n")[0] or type(error).__name__
            pictures[number] = f"{_text(items[number])}<br>{escape(why)}"
        else:
            encoded = base64.b64encode(data).decode("ascii")
            pictures[number] = f'<img src="data:image/png;base64,{encoded}">'


def _thumbnail(data: bytes) -> bytes:
    """A small PNG of a picture, drawn anew, so that nothing of the original file is passed on."""
    from PIL import Image

    with Image.open(io.BytesIO(data), formats=[t.partition("/")[2] for t in PICTURES]) as image:
        if image.width * image.height > PIXELS:
            raise ValueError(f"{image.width} x {image.height} pixels are too many to show")
        image.draft("RGB", (THUMBNAIL, THUMBNAIL))
        shown = image.convert("RGBA" if "A" in image.getbands() else "RGB")
    shown.thumbnail((THUMBNAIL, THUMBNAIL))
    out = io.BytesIO()
    shown.save(out, "PNG")
    return out.getvalue()


def _text(item: Item) -> str:
    if not item.is_blob:
        text = repr(item.value)
        return escape(text if len(text) <= TEXT else text[:TEXT] + "...")
    return escape(f"{item.type}, {_size(item)}")


def _size(item: Item) -> str:
    try:
        return f"{item.size:,} bytes"
    except LakeError as error:
        return error.what
