"""`lake init`: what becomes of directories, underfolders and buckets, and of bad ones."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from lake.dataset import open_dataset

from .conftest import Lake, manifest, png, tree


def test_an_empty_dataset(lake: Lake) -> None:
    assert lake("init", "new").out == "new: 0 samples\n"
    assert len(open_dataset("new")) == 0
    assert open_dataset("new").descriptor.name == "new"


def test_files_of_a_stem_are_a_sample_and_stay_what_they_are(lake: Lake, pictures: Path) -> None:
    lake("init", "ds", "--from", "pictures")
    found = manifest("ds", "train/0003")
    assert sorted(found["items"]) == ["image", "meta"]
    for key, name in (("image", "0003.png"), ("meta", "0003.json")):
        ref = found["items"][key]
        data = (pictures / "train" / name).read_bytes()
        assert (ref["sha256"], ref["size"]) == (hashlib.sha256(data).hexdigest(), len(data))
        assert Path("ds", ref["file"]).read_bytes() == data
    dataset = open_dataset("ds")
    assert len(dataset["train"]) == 7
    assert dataset.sample("train/0003")["image"]().shape == (4, 5, 3)


def test_inline_puts_small_text_into_the_manifest(lake: Lake, home: Path, pictures: Path) -> None:
    (pictures / "train/0001.txt").write_text("a caption\n")
    lake("init", "ds", "--from", "pictures", "--inline", "json,txt", "--item", "txt=caption")
    found = manifest("ds", "train/0001")
    assert sorted(found["items"]) == ["image"]
    assert found["values"] == {"label": 1, "caption": "a caption"}


def test_inline_leaves_large_files_alone(lake: Lake, home: Path) -> None:
    (home / "in").mkdir()
    (home / "in/a.txt").write_text("x" * 100_000)
    lake("init", "ds", "--from", "in", "--inline", "txt")
    assert manifest("ds", "a")["items"]["text"]["size"] == 100_000


@pytest.mark.parametrize("text", ["{", '{"a b": 1}', '{"image": 1}', '{"x": 1e999}'])
def test_inline_names_the_file_that_it_cannot_take(
    lake: Lake, home: Path, pictures: Path, text: str
) -> None:
    (pictures / "train/0000.json").write_text(text)
    err = lake("init", "ds", "--from", "pictures", "--inline", "json", code=10).err
    assert "train/0000.json" in err
    assert not Path("ds").exists()


def test_names_that_lake_cannot_keep_are_made_legal_and_remembered(lake: Lake, home: Path) -> None:
    (home / "in/übung (1)").mkdir(parents=True)
    (home / "in/übung (1)/con.png").write_bytes(png(1))
    (home / "in/übung (1)/日本.png").write_bytes(png(2))
    lake("init", "ds", "--from", "in")
    dataset = open_dataset("ds")
    assert sorted(s["original"]() for s in dataset) == ["übung (1)/con", "übung (1)/日本"]


def test_layout_text_and_name(lake: Lake, pictures: Path) -> None:
    lake("init", "a", "--from", "pictures", "--layout", "packed", "--name", "digits")
    lake("init", "b", "--from", "pictures", "--text", "yaml")
    assert [p.name for p in Path("a/samples").iterdir()] == ["part-00000.jsonl"]
    assert Path("b/samples/train/0000.yaml").is_file()
    assert open_dataset("a").descriptor.name == "digits"
    assert open_dataset("a").digest() == open_dataset("b").digest()


@pytest.mark.parametrize("mode", ["copy", "hardlink", "symlink", "auto", "reflink"])
def test_modes_of_files(lake: Lake, pictures: Path, mode: str) -> None:
    lake("init", "ds", "--from", "pictures", "--mode", mode)
    path = Path("ds", manifest("ds", "train/0000")["items"]["image"]["file"])
    source = pictures / "train/0000.png"
    assert path.read_bytes() == source.read_bytes()
    assert path.is_symlink() == (mode == "symlink")
    assert path.samefile(source) == (mode in ("hardlink", "symlink"))


def test_with_a_remote_there_is_no_local_copy(lake: Lake, pictures: Path) -> None:
    said = lake("init", "ds", "--from", "pictures", "-r", "./store", "--json").json
    assert (said["samples"], said["added"], said["uploaded"]) == (10, 10, 13)
    assert not Path("ds/files").exists()
    found = manifest("ds", "train/0000")["items"]["image"]
    assert found["in"] == ["store"]
    assert "file" not in found
    assert Path("store/sha256", found["sha256"][:2], found["sha256"]).is_file()
    assert open_dataset("ds").descriptor.remotes == {"store": "../store"}
    assert open_dataset("ds")[0]["image"].bytes() == (pictures / "test/0007.png").read_bytes()


def test_dry_run_writes_nothing(lake: Lake, home: Path, pictures: Path) -> None:
    before = tree(home)
    said = lake("init", "ds", "--from", "pictures", "-r", "./store", "--dry-run", "--json").json
    assert (said["samples"], said["items"], said["dry_run"]) == (10, 20, True)
    assert tree(home) == before


def test_update_adds_renews_and_removes_nothing(lake: Lake, pictures: Path) -> None:
    lake("init", "ds", "--from", "pictures", "--inline", "json")
    note = Path("ds/samples/train/0000.json")
    note.write_text(note.read_text().replace('"label": 0', '"checked": true,\n    "label": 0'))
    (pictures / "train/0009.png").write_bytes(png(9))
    (pictures / "train/0001.png").write_bytes(png(99))
    (pictures / "test/0009.png").unlink()
    (pictures / "test/0009.json").unlink()
    said = lake("init", "ds", "--from", "pictures", "--inline", "json", "--update", "--json").json
    assert {k: said[k] for k in ("samples", "added", "changed", "unchanged", "kept")} == {
        "samples": 11,
        "added": 1,
        "changed": 1,
        "unchanged": 8,
        "kept": 1,
    }
    assert manifest("ds", "train/0000")["values"] == {"checked": True, "label": 0}
    assert open_dataset("ds").sample("train/0001")["image"].bytes() == png(99)
    again = lake("init", "ds", "--from", "pictures", "--inline", "json", "--update").out
    assert "nothing new" in again


def test_update_keeps_what_was_uploaded(lake: Lake, pictures: Path) -> None:
    lake("init", "raw", "--from", "pictures")
    lake("remote-add", "raw", "--in-place", "-r", "./store")
    before = tree("raw")
    lake("init", "raw", "--from", "pictures", "--update")
    assert tree("raw") == before


def test_files_as_they_are_on_disk_are_bytes_for_lake(lake: Lake, home: Path) -> None:
    (home / "in").mkdir()
    for name in ("a.xyz", "b", "c.tar.gz", "d.JPEG", "e.nii.gz"):
        (home / "in" / name).write_bytes(name.encode() * 3)
    lake("init", "ds", "--from", "in", "--one-per-file")
    lake("remote-add", "ds", "out", "-r", "./store")
    lake("clone", "out", "back", "--mode", "copy")
    contents = {data for name, data in tree("back").items() if name.startswith("files/")}
    assert contents == {p.read_bytes() for p in (home / "in").iterdir()}


def test_an_underfolder_with_shared_files(lake: Lake, home: Path) -> None:
    (home / "old/data").mkdir(parents=True)
    for n in range(3):
        (home / f"old/data/{n:06d}_image.png").write_bytes(png(n))
        (home / f"old/data/{n:06d}_label.txt").write_text(f"{n}\n")
    (home / "old/camera.yml").write_text("fx: 3\n")
    lake("init", "ds", "--from", "old", "--inline", "txt,yaml")
    dataset = open_dataset("ds")
    assert list(dataset.ids) == ["000000", "000001", "000002"]
    assert (dataset[1]["label"](), dataset[1]["fx"]()) == ("1", 3)
    lake("init", "blobs", "--from", "old", "--format", "underfolder")
    lake("init", "far", "--from", "old", "-r", "./store")
    for name in ("blobs", "far"):
        dataset = open_dataset(name)
        assert dataset[2]["camera"].bytes() == b"fx: 3\n"
        assert dataset[2]["image"].bytes() == png(2)
        assert sorted(dataset.descriptor.shared.items) == ["camera"]
    assert open_dataset("far").descriptor.remotes == {"store": "../store"}
    assert open_dataset("far")[2]["camera"].ref.aliases == ("store",)


def test_lists_of_remotes_become_pointers(lake: Lake, home: Path) -> None:
    (home / "old/data").mkdir(parents=True)
    (home / "blobs").mkdir()
    for n in range(3):
        (home / f"blobs/{n}{n}.png").write_bytes(png(n))
        urls = [f"file://{home}/gone/{n}{n}.png", f"file://{home}/blobs/{n}{n}.png"]
        (home / f"old/data/{n}_image.png.remote").write_text(json.dumps(urls))
    refused = lake("init", "ds", "--from", "old", code=3).err
    assert f"lake remote trust 'file://{home}/gone'" in refused
    for name in ("gone", "blobs"):
        lake("remote", "trust", f"file://{home}/{name}")
    lake("init", "ds", "--from", "old")
    dataset = open_dataset("ds")
    assert [s["image"].bytes() for s in dataset] == [png(n) for n in range(3)]
    assert manifest("ds", "0")["items"]["image"]["in"] == [{"gone": "00.png"}, {"blobs": "00.png"}]
    assert not Path("ds/files").exists()


def test_P9_a_password_in_a_list_of_remotes_goes_nowhere(lake: Lake, home: Path) -> None:
    (home / "old/data").mkdir(parents=True)
    url = "s3://me:hunter2secret@127.0.0.1:1/bucket/x.png"
    (home / "old/data/0_image.png.remote").write_text(json.dumps([url]))
    said = lake("init", "ds", "--from", "old", "--debug", code=8)
    assert "hunter2secret" not in said.out + said.err
    assert not Path("ds").exists()


def test_a_bucket_is_adopted_as_it_lies(lake: Lake, home: Path) -> None:
    (home / "bucket/2019/scans").mkdir(parents=True)
    for n in range(4):
        (home / f"bucket/2019/scans/{n}.png").write_bytes(png(n))
        (home / f"bucket/2019/scans/{n}.json").write_text("{}")
    before = tree(home / "bucket")
    lake(
        "init",
        "ds",
        "--from",
        f"file://{home}/bucket/2019",
        "--alias",
        "old",
        "--exclude",
        "*.json",
    )
    found = manifest("ds", "scans/2")["items"]["image"]
    assert found["in"] == [{"old": "scans/2.png"}]
    assert open_dataset("ds").sample("scans/2")["image"].bytes() == png(2)
    assert tree(home / "bucket") == before
    (home / "bucket/2019/scans/9.png").write_bytes(png(9))
    url = f"file://{home}/bucket/2019"
    said = lake("init", "ds", "--from", url, "--exclude", "*.json", "--update", "--json").json
    assert (said["added"], said["unchanged"]) == (1, 4)
    assert manifest("ds", "scans/9")["items"]["image"]["in"] == [{"old": "scans/9.png"}]


# What cannot be.


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--from", "nowhere"], 10, "no such file or directory"),
        (["--from", "pictures/train/0000.png"], 10, "not a directory"),
        (["--from", "pictures", "--include", "*.gif"], 10, "there are no files to make samples of"),
        (["--from", "pictures", "--format", "coco"], 2, "--format: not 'coco'"),
        (["--from", "pictures", "--inline", "png"], 2, "--inline: not 'png'"),
        (["--from", "pictures", "--parent", "x"], 2, "--parent"),
        (["--from", "pictures", "--mode", "move"], 2, "--mode"),
        (["--from", "pictures", "--item", "txt"], 2, "--item txt"),
        (["--from", "pictures", "--pattern", "("], 2, "--pattern"),
        (["--from", "pictures", "--pattern", ".*"], 2, "no group called id"),
        (["--from", "pictures", "--one-per-file", "--pattern", "x"], 2, "only one of"),
        (["--from", "pictures", "-r", "nope"], 6, "no remote 'nope'"),
        (["--from", "s3://b/p", "-r", "./x"], 2, "objects of a bucket stay where they are"),
        (["--update"], 2, "there is nothing to read"),
        (["--from", "."], 9, "the dataset would lie on its own input"),
        (["--from", "pictures", "--name", "a b"], 2, "--name: 'a b'"),
        (["--from", "pictures", "--one-per-directory", "--exclude", "train", "--parent", "label",
          "--pattern", "(?P<id>x)"], 2, "only one of"),
    ],
)  # fmt: skip
def test_a_call_that_cannot_be(
    lake: Lake, home: Path, pictures: Path, words: list[str], code: int, message: str
) -> None:
    before = tree(home)
    out = "." if words == ["--from", "."] else "ds"
    assert message in lake("init", out, *words, code=code).err
    assert tree(home) == before


def test_what_is_there_is_not_overwritten(lake: Lake, home: Path, pictures: Path) -> None:
    lake("init", "ds", "--from", "pictures")
    (home / "full").mkdir()
    (home / "full/x").write_text("x")
    before = tree(home)
    assert "--update" in lake("init", "ds", "--from", "pictures", code=9).err
    assert "something else" in lake("init", "full", "--from", "pictures", code=9).err
    assert tree(home) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_named(lake: Lake, home: Path, pictures: Path) -> None:
    (pictures / "train/0003.png").chmod(0)
    assert "train/0003.png" in lake("init", "ds", "--from", "pictures", code=10).err
    assert not Path("ds").exists()


def test_a_broken_link_stops_it_or_is_passed_over(lake: Lake, home: Path, pictures: Path) -> None:
    (pictures / "train/0100.png").symlink_to("nowhere.png")
    err = lake("init", "ds", "--from", "pictures", code=10).err
    assert "train/0100.png" in err
    assert not Path("ds").exists()
    said = lake("init", "ds", "--from", "pictures", "--keep-going", "--json", code=12)
    assert "train/0100.png" in said.err
    assert said.json["error"]["failures"][0]["kind"] == "input"
    assert len(open_dataset("ds")) == 10


def test_two_files_for_one_sample_are_both_named(lake: Lake, home: Path) -> None:
    (home / "in").mkdir()
    (home / "in/a b.png").write_bytes(png(1))
    (home / "in/a_b.txt").write_text("x")
    err = lake("init", "ds", "--from", "in", code=9).err
    assert "a b.png" in err
    assert "a_b.txt" in err
    lake("init", "ds", "--from", "in", "--keep-going", code=12)
    assert len(open_dataset("ds")) == 1


def test_nothing_at_all_is_written_when_everything_fails(lake: Lake, home: Path) -> None:
    (home / "in").mkdir()
    (home / "in/a.png").symlink_to("nowhere")
    lake("init", "ds", "--from", "in", "--keep-going", code=10)
    assert not Path("ds").exists()
