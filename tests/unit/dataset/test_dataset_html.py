"""What a notebook shows: escaped, small, without running or fetching much."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import pytest

import lake
from lake.dataset import Dataset, Item, Sample
from lake.dataset import html as shown
from tests.unit.dataset.making import remote_only, small

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


def pictures(path: Path, count: int) -> Dataset:
    image = pytest.importorskip("PIL.Image")
    samples = []
    for n in range(count):
        out = io.BytesIO()
        image.new("RGB", (640, 480), (n, 0, 0)).save(out, "JPEG", comment=EVIL.encode())
        samples.append(
            Sample(f"{n:03d}", {"image": Item.from_bytes(out.getvalue(), type="image/jpeg")})
        )
    return lake.create(path, samples)


def test_pictures_are_small_pngs_made_anew(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    html = pictures(tmp_path / "d", 9)._repr_html_()
    found = re.findall(r'<img src="data:image/png;base64,([A-Za-z0-9+/=]+)">', html)
    assert len(found) == shown.ROWS
    assert html.count("<img") == shown.ROWS
    for text in found:
        thumbnail = image.open(io.BytesIO(base64.b64decode(text)))
        assert thumbnail.size == (96, 72)
        assert b"alert" not in base64.b64decode(text)
    assert "9 samples" in html
    assert len(html) < 20_000


def test_everything_is_escaped(tmp_path: Path) -> None:
    dataset = lake.create(
        tmp_path / "d",
        [Sample("a", {"x": EVIL, "y": {EVIL: [EVIL]}, "z": Item.from_bytes(b"", type="a/b&c")})],
        description=EVIL,
    )
    for html in (dataset._repr_html_(), dataset[0]._repr_html_()):
        assert "<script" not in html
        assert "<img" not in html
        assert "&lt;script&gt;" in html


def test_long_values_are_cut(tmp_path: Path) -> None:
    dataset = lake.create(tmp_path / "d", [Sample("a", {f"v{n}": "x" * 5000 for n in range(60)})])
    assert len(dataset._repr_html_()) < 10_000
    assert len(dataset[0]._repr_html_()) < 30_000


def test_no_function_is_called(tmp_path: Path) -> None:
    def never(sample: Sample) -> Sample:
        raise AssertionError("called")

    dataset = small(tmp_path / "d")
    for view in (
        dataset.map(never), dataset.filter(never), dataset.flat_map(never), dataset.sort(never),
        dataset.map(never)[:3].select("n"), dataset + dataset.map(never),
    ):  # fmt: skip
        assert "<table" not in view._repr_html_()
        assert "small" in view._repr_html_()


def test_what_cannot_be_had_is_shown_as_text(tmp_path: Path) -> None:
    pytest.importorskip("PIL")
    dataset = remote_only(tmp_path / "d", tmp_path / "store", {"a": b"x"})
    manifest = tmp_path / "d/samples/a.json"
    manifest.write_text(manifest.read_text().replace("application/x-test", "image/png"))
    for file in (tmp_path / "store/sha256").glob("*/*"):
        file.unlink()
    html = lake.open(tmp_path / "d")._repr_html_()
    assert "image/png, 1 bytes" in html
    assert "no source served the blob" in html
    (tmp_path / "d/samples/b.json").write_text("broken")
    assert "b.json" in lake.open(tmp_path / "d")._repr_html_()
    assert dataset.root is not None


def test_a_remote_that_hangs_does_not_hang_the_notebook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    dataset = pictures(tmp_path / "d", 2)
    left = threading.Event()
    monkeypatch.setattr(shown, "PATIENCE", 0.05)
    monkeypatch.setattr(shown, "_thumbnail", lambda data: bytes(left.wait(20)))
    html = dataset._repr_html_()
    left.set()
    assert "<img" not in html
    assert "image/jpeg" in html


def test_bombs_are_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shown, "PIXELS", 1000)
    html = pictures(tmp_path / "d", 1)._repr_html_()
    assert "too many to show" in html
    assert "<img" not in html
