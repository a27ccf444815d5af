"""A second person clones the text, has no data and no cache, and reads; sources go bad and they
read on. Nothing but the command line, git and `import lake` is used."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Person

LOAD = """
import sys, lake
dataset = lake.open(sys.argv[1])
for sample in dataset:
    print(sample.id, sample["image"].bytes().hex(), sample["label"]())
"""


def make_pictures(folder: Path, count: int = 6) -> dict[str, bytes]:
    """Small real PNG files with a label beside each, in two partitions."""
    from PIL import Image

    made = {}
    for number in range(count):
        name = f"{'train' if number % 3 else 'test'}/{number:03d}"
        path = folder / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (number * 40, 0, 99)).save(path)
        path.with_suffix(".json").write_text(json.dumps({"label": number}))
        made[name] = path.read_bytes()
    return made


@pytest.fixture
def published(people: Callable[[str], Person], tmp_path: Path) -> tuple[Person, dict[str, bytes]]:
    """The first person's git repository: text only, blobs in two folders elsewhere."""
    ann = people("ann")
    pictures = make_pictures(ann.root / "pictures")
    ann.git("init", "-q", ".")
    ann.lake("init", "raw", "--from", "pictures", "--inline", "json")
    ann.lake("remote", "add", "main", tmp_path / "main-store")
    ann.lake("remote", "add", "second", tmp_path / "second-store")
    ann.lake("remote", "default", "main")
    ann.lake("remote-add", "raw", "shared", "-r", "main", "-r", "second", "-j", "4")
    ann.git("add", "shared", ".lake")
    ann.git("commit", "-qm", "The data, as text")
    return ann, pictures


def spoil(store: Path, how: Callable[[Path], None]) -> int:
    """Do something to each blob of a folder remote; returns how many there were."""
    blobs = [path for path in (store / "sha256").rglob("*") if path.is_file()]
    for blob in blobs:
        blob.chmod(0o644)
        how(blob)
    return len(blobs)


def flip(blob: Path) -> None:
    data = bytearray(blob.read_bytes())
    data[len(data) // 2] ^= 1
    blob.write_bytes(data)


def loaded(said: str) -> dict[str, bytes]:
    rows = [line.split() for line in said.splitlines()]
    assert all(int(row[0].rpartition("/")[2]) == int(row[2]) for row in rows)
    return {row[0]: bytes.fromhex(row[1]) for row in rows}


def test_text_alone_is_enough_to_load(published, people) -> None:
    ann, pictures = published
    assert not [p for p in ann.git("ls-files").splitlines() if p.endswith(".png")]
    ben = people("ben")
    ben.git("clone", "-q", ann.root, "repo")
    assert loaded(ben.python(LOAD, "repo/shared").out) == pictures


@pytest.mark.parametrize(
    "damage",
    [flip, lambda b: b.write_bytes(b.read_bytes()[:-1]), lambda b: b.write_bytes(b""), Path.unlink],
    ids=["flipped bit", "truncated", "empty", "gone"],
)
def test_P5_a_bad_first_source_is_passed_over(published, people, tmp_path, damage) -> None:
    ann, pictures = published
    ben = people("ben")
    ben.git("clone", "-q", ann.root, "repo")
    assert spoil(tmp_path / "main-store", damage) == len(pictures)
    assert loaded(ben.python(LOAD, "repo/shared").out) == pictures


def test_P5_a_first_source_that_vanished_is_passed_over(published, people, tmp_path) -> None:
    ann, pictures = published
    ben = people("ben")
    ben.git("clone", "-q", ann.root, "repo")
    shutil.rmtree(tmp_path / "main-store")
    assert loaded(ben.python(LOAD, "repo/shared").out) == pictures


def test_P5_no_good_source_is_one_error_that_lists_them_all(published, people, tmp_path) -> None:
    ann, _ = published
    ben = people("ben")
    ben.git("clone", "-q", ann.root, "repo")
    spoil(tmp_path / "main-store", flip)
    spoil(tmp_path / "second-store", Path.unlink)
    said = ben.python(LOAD, "repo/shared", ok=False)
    assert "BlobUnavailable" in said.err
    assert "main" in said.err
    assert "second" in said.err
    assert said.out == ""

    failed = ben.lake("clone", "repo/shared", "back", "--mode", "copy", ok=False)
    assert "main" in failed.err
    assert not (ben.root / "back").exists()
    assert not list(ben.root.glob(".back*"))


def test_repair_makes_the_bad_source_good_again(published, people, tmp_path) -> None:
    ann, pictures = published
    ben = people("ben")
    ben.git("clone", "-q", ann.root, "repo")
    spoil(tmp_path / "main-store", flip)
    assert ben.lake("verify", "repo/shared", "--read-data", ok=False).code == 4
    # Ben never named these folders, so nothing is written there on his behalf; Ann did.
    ben.lake("verify", "repo/shared", "--read-data", "--repair", ok=False)
    ann.lake("verify", "shared", "--read-data", "--repair", ok=None)
    ben.lake("verify", "repo/shared", "--read-data")
    shutil.rmtree(tmp_path / "second-store")
    assert loaded(ben.python(LOAD, "repo/shared").out) == pictures


def test_files_come_back_to_the_byte_with_the_same_digest(published, people) -> None:
    ann, pictures = published
    ben = people("ben")
    ben.git("clone", "-q", ann.root, "repo")
    ben.lake("clone", "repo/shared", "back", "--mode", "copy")
    found = {p.read_bytes() for p in (ben.root / "back").rglob("*.png")}
    assert found == set(pictures.values())
    digest = "import sys, lake; print(lake.open(sys.argv[1]).digest())"
    digests = {ben.python(digest, path).out for path in ("repo/shared", "back")}
    digests.add(ann.python(digest, "raw").out)
    assert len(digests) == 1


def test_P6_running_again_changes_nothing(published) -> None:
    ann, _ = published
    ann.lake("remote-add", "raw", "shared", "-r", "main", "-r", "second", "-j", "4")
    assert ann.git("status", "--porcelain", "shared") == ""
    ann.lake("remote-add", "raw", "again", "-r", "main", "-r", "second")
    first, second = ann.root / "shared", ann.root / "again"
    names = sorted(p.relative_to(first) for p in (first / "samples").rglob("*.json"))
    assert names
    assert all((first / n).read_bytes() == (second / n).read_bytes() for n in names)
