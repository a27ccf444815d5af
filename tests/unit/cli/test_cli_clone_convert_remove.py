"""`lake clone`, `lake convert` and `lake remote-remove`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lake.dataset import open_dataset

from .conftest import Lake, manifest, tree


@pytest.fixture
def far(lake: Lake, pictures: Path) -> Path:
    """A dataset whose blobs are in two remotes, and nowhere else."""
    lake("init", "raw", "--from", "pictures")
    lake("remote-add", "raw", "far", "-r", "./main", "-r", "./nas")
    shutil.rmtree("raw")
    return Path("far")


def files(dataset: str) -> list[str]:
    return sorted(name for name in tree(dataset) if name.startswith("files/"))


def test_mode_copy_brings_every_file_back_to_the_byte(
    lake: Lake, far: Path, pictures: Path
) -> None:
    lake("clone", "far", "back", "--mode", "copy")
    originals = sorted(tree(pictures).values())
    assert sorted(tree("back")[name] for name in files("back")) == originals
    found = manifest("back", "train/0000")["items"]["image"]
    assert found["in"] == ["main", "nas"]
    assert Path("back", found["file"]).is_file()


def test_mode_manifests_is_text_alone(lake: Lake, far: Path) -> None:
    lake("clone", "far", "a", "--mode", "copy")
    lake("clone", "a", "b", "--mode", "manifests")
    assert files("b") == []
    assert manifest("b", "train/0000")["items"] == manifest("far", "train/0000")["items"]


def test_mode_auto_takes_local_files_along(lake: Lake, far: Path, pictures: Path) -> None:
    lake("clone", "far", "a")
    assert files("a") == []
    lake("init", "raw", "--from", "pictures")
    lake("clone", "raw", "b")
    assert len(files("b")) == 20


@pytest.mark.parametrize("mode", ["hardlink", "symlink", "reflink"])
def test_modes_that_share(lake: Lake, pictures: Path, mode: str) -> None:
    lake("init", "raw", "--from", "pictures")
    lake("clone", "raw", "out", "-m", mode)
    path = Path("out", manifest("out", "train/0000")["items"]["image"]["file"])
    source = Path("raw", manifest("raw", "train/0000")["items"]["image"]["file"])
    assert path.read_bytes() == source.read_bytes()
    assert path.samefile(source) == (mode != "reflink")


def test_a_mode_for_each_key(lake: Lake, far: Path) -> None:
    lake("clone", "far", "out", "--mode", "manifests", "--mode", "meta=copy")
    found = manifest("out", "train/0000")["items"]
    assert "file" not in found["image"]
    assert "file" in found["meta"]


def test_a_bad_mode_is_one_line(lake: Lake, far: Path) -> None:
    err = lake("clone", "far", "out", "--mode", "fast", code=2).err
    assert err.startswith("error: --mode: input should be 'auto', 'manifests'")
    assert "not 'fast'" in err


def test_P5_a_clone_without_any_good_source_writes_nothing(lake: Lake, far: Path) -> None:
    for path in (p for s in ("main", "nas") for p in Path(s, "sha256").rglob("*") if p.is_file()):
        path.chmod(0o644)
        path.write_bytes(b"rotten")
    err = lake("clone", "far", "back", "--mode", "copy", code=3).err
    assert "main: " in err
    assert "nas: " in err
    assert not Path("back").exists()


def test_onto_itself_is_refused(lake: Lake, far: Path) -> None:
    before = tree(far)
    lake("clone", "far", "far", code=9)
    lake("clone", "far", "far/below", code=9)
    assert tree(far) == before


# convert


def test_convert_goes_there_and_back(lake: Lake, far: Path) -> None:
    Path("far/README.md").write_text("ours")
    before, digest = tree(far), open_dataset("far").digest()
    lake("convert", "far", "--layout", "packed")
    assert [p.name for p in Path("far/samples").iterdir()] == ["part-00000.jsonl"]
    assert open_dataset("far").digest() == digest
    lake("convert", "far", "--layout", "files", "--format", "yaml")
    assert open_dataset("far").digest() == digest
    lake("convert", "far", "--format", "json")
    assert tree(far) == before


def test_convert_into_another_directory(lake: Lake, far: Path) -> None:
    before = tree(far)
    lake("convert", "far", "other", "--layout", "packed")
    assert tree(far) == before
    assert open_dataset("other").digest() == open_dataset("far").digest()
    assert open_dataset("other").descriptor.layout == "packed"
    lake("convert", "far", "other", "--format", "yaml", "--layout", "files", code=9)
    lake("convert", "far", "other", "--format", "yaml", "--layout", "files", "--overwrite")
    assert Path("other/samples/train/0000.yaml").is_file()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["far"], 2),
        (["far", "--layout", "loose"], 2),
        (["far", "--format", "xml"], 2),
        (["nowhere", "--layout", "packed"], 3),
    ],
)
def test_a_conversion_that_cannot_be(lake: Lake, far: Path, words: list[str], code: int) -> None:
    before = tree(far)
    lake("convert", *words, code=code)
    assert tree(far) == before


def test_convert_dry_run(lake: Lake, far: Path) -> None:
    before = tree(far)
    said = lake("convert", "far", "--layout", "packed", "--dry-run", "--json").json
    assert (said["samples"], said["layout"], said["dry_run"]) == (10, "packed", True)
    assert tree(far) == before


# remote-remove


def test_a_remote_is_taken_out_and_keeps_its_blobs(lake: Lake, far: Path) -> None:
    store = tree("nas")
    said = lake("remote-remove", "far", "less", "-r", "nas", "--json").json
    assert (said["samples"], said["removed"]) == (10, 20)
    assert manifest("less", "train/0000")["items"]["image"]["in"] == ["main"]
    assert tree("nas") == store
    assert open_dataset("less").digest() == open_dataset("far").digest()


def test_keys_and_slices_limit_it(lake: Lake, far: Path) -> None:
    lake("remote-remove", "far", "less", "-r", "nas", "-k", "image", "--start", "5")
    found = [manifest("less", sample.id)["items"] for sample in open_dataset("less")]
    assert [items["image"]["in"] for items in found] == [["main", "nas"]] * 5 + [["main"]] * 5
    assert all(items["meta"]["in"] == ["main", "nas"] for items in found)


def test_the_last_place_of_a_blob_is_kept(lake: Lake, far: Path) -> None:
    before = tree(far)
    err = lake("remote-remove", "far", "--in-place", "-r", "nas", "-r", "main", code=9).err
    assert "the last place that this blob can be had from" in err
    assert "--force" in err
    assert tree(far) == before
    lake("remote-remove", "far", "less", "-r", "nas", "-r", "main", "-k", "meta", "--force")
    assert list(manifest("less", "train/0000")["items"]) == ["image"]


def test_with_keep_going_what_cannot_go_stays(lake: Lake, far: Path) -> None:
    lake("remote-remove", "far", "one", "-r", "nas", "-k", "image")
    lake("remote-remove", "one", "two", "-r", "main", "--keep-going", code=12)
    found = manifest("two", "train/0000")["items"]
    assert (found["image"]["in"], found["meta"]["in"]) == (["main"], ["nas"])


def test_a_remote_that_the_dataset_does_not_name(lake: Lake, far: Path) -> None:
    lake("remote-remove", "far", "less", "-r", "./elsewhere", code=6)
    lake("remote-remove", "far", "less", code=2)
