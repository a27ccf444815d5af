"""A dataset that is changed where it lies loses nothing to what cannot be read in it."""

from __future__ import annotations

from pathlib import Path

import pytest

import lake
from lake.dataset import Sample
from lake.errors import BlobUnavailable, InputError, ManifestError, PartialFailure

from .desk import Desk, desk, look

__all__ = ["desk"]

IN_PLACE = [
    ("push", "d"),
    ("remote-add", "d", "--in-place"),
    ("remote-add", "d", "--in-place", "--format", "yaml"),
    ("clone", "d", "--in-place", "--mode", "copy"),
]


@pytest.mark.parametrize("words", IN_PLACE, ids=" ".join)
def test_a_broken_manifest_stays_as_it_is(desk: Desk, words: tuple[str, ...]) -> None:
    desk.datasets()
    broken = desk.write("d/samples/a/2.json", '{"items": {')
    desk.refused(ManifestError, *words, says="samples/a/2.json")
    desk.lake(*words, "--keep-going", code=PartialFailure.exit_code)
    assert broken.read_text() == '{"items": {'
    assert len(list((desk.root / "d/samples").glob("*/*"))) == 6
    # Mended, it is as if nothing had been.
    broken.write_bytes((desk.root / "dr/samples/a/2.json").read_bytes())
    assert desk.json(*words)["failed" if words[0] == "push" else "samples"] in (0, 6)
    desk.lake("verify", "d", "--read-data")
    assert lake.open(desk.root / "d").digest() == lake.open(desk.root / "dr").digest()


def test_a_broken_line_stays_as_it_is(desk: Desk) -> None:
    desk.datasets()
    desk.lake("convert", "d", "--layout", "packed")
    part = desk.root / "d/samples/part-00000.jsonl"
    good = part.read_text()
    lines = good.splitlines(keepends=True)
    broken = lines[1].replace('"size"', '"sise"')
    part.write_text("".join([lines[0], broken, *lines[2:]]))
    desk.refused(ManifestError, "push", "d", says="a/2")
    desk.lake("push", "d", "--keep-going", code=PartialFailure.exit_code)
    after = part.read_text().splitlines(keepends=True)
    assert after[1] == broken
    assert len(after) == 6
    assert all('"in":["main"]' in line for n, line in enumerate(after) if n != 1)


def test_what_cannot_be_kept_ends_it_all(desk: Desk) -> None:
    """A line of a part cannot hold what nobody can read."""
    desk.datasets()
    desk.write("d/samples/a/2.json", "{")
    words = ("remote-add", "d", "--in-place", "--keep-going", "--layout", "packed")
    desk.refused(ManifestError, *words, says="samples/a/2.json")


def test_a_function_that_fails_loses_no_sample(desk: Desk) -> None:
    desk.datasets()
    before = look(desk.root / "d")

    def fail(sample: Sample) -> Sample:
        if sample.id == "a/2":
            raise InputError("two", where=sample.id)
        return sample.set("n", 1)

    view = lake.open(desk.root / "d").map(fail)
    with pytest.raises(PartialFailure) as caught:
        view.write(desk.root / "d", in_place=True, keep_going=True)
    assert [str(error) for error in caught.value.failures] == ["two: a/2"]
    after = look(desk.root / "d")
    assert after.keys() == before.keys()
    assert [rel for rel in after if after[rel] == before[rel] and rel.endswith(".json")] == [
        "samples/a/2.json"
    ]


def test_the_remote_of_a_kept_sample_stays_declared(desk: Desk) -> None:
    desk.datasets()
    desk.lake("push", "d")
    broken = desk.root / "d/samples/a/2.json"
    broken.write_text(broken.read_text().replace('"size"', '"sise"'))
    desk.lake("remote-remove", "d", "--in-place", "-r", "main", "--keep-going", code=12)
    assert "main: ../store" in (desk.root / "d/dataset.yaml").read_text()


def test_an_overwritten_dataset_keeps_what_failed(desk: Desk) -> None:
    desk.datasets()
    desk.lake("clone", "d", "out", "--mode", "copy")
    kept = (desk.root / "out/samples/a/2.json").read_bytes()
    desk.write("d/samples/a/2.json", "{")
    desk.lake("clone", "d", "out", "--overwrite", "--keep-going", code=12)
    assert (desk.root / "out/samples/a/2.json").read_bytes() == kept
    Path(desk.root / "d/samples/a/2.json").unlink()
    desk.lake("clone", "d", "out", "--overwrite")
    assert not (desk.root / "out/samples/a/2.json").exists()


@pytest.mark.parametrize("words", [("clone",), ("remote-add", "-r", "./other")], ids=" ".join)
def test_a_lost_blob_is_told_once_with_its_sample(desk: Desk, words: tuple[str, ...]) -> None:
    desk.datasets()
    (desk.root / "d/files/a/2.bin.bin").unlink()
    verb, *rest = words
    words = (verb, "d", "out", *rest)
    said = desk.refused(BlobUnavailable, *words, says="a/2: bin", besides="other")
    assert "hint: " in said.err
    failed = desk.json(*words, "--keep-going", code=12)["error"]
    assert failed["what"].startswith("1 failed")
    [failure] = failed["failures"]
    assert failure["kind"] == "blob-unavailable"
    assert failure["where"].startswith("a/2: bin")
    assert sorted(lake.open(desk.root / "out").ids) == ["a/0", "a/4", "b/1", "b/3", "b/5"]
    said = desk.lake(*words, "--keep-going", "--overwrite", code=12)
    assert "no such file" in said.err
    assert said.err.count("a/2: bin") == 1
    desk.lake("verify", "out", "--read-data")
