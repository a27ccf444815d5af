"""`lake remote-add`: what is uploaded, what is written, and when nothing is."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from lake.cli.main import run
from lake.dataset import open_dataset
from lake.dataset.dataset import Dataset
from lake.stage import RunContext, run_stage
from lake_stages.remote_add import RemoteAdd

from .conftest import Lake, manifest, tree


@pytest.fixture
def raw(lake: Lake, pictures: Path) -> Path:
    lake("init", "raw", "--from", "pictures")
    lake("remote", "add", "main", "./store")
    lake("remote", "default", "main")
    return Path("raw")


def items(dataset: str | Path) -> dict[str, dict[str, Any]]:
    """The items of every manifest, read as plain text."""
    root = Path(dataset, "samples")
    ids = sorted(str(p.relative_to(root).with_suffix("")) for p in root.rglob("*.json"))
    return {id: manifest(dataset, id)["items"] for id in ids}


def blobs(store: str) -> int:
    return sum(1 for p in Path(store, "sha256").rglob("*") if p.is_file())


def bytes_of(dataset: Dataset) -> dict[str, bytes]:
    return {f"{s.id} {key}": s[key].bytes() for s in dataset for key in s if s[key].is_blob}


def test_everything_is_uploaded_and_only_text_is_written(lake: Lake, raw: Path) -> None:
    said = lake("remote-add", "raw", "out", "--json").json
    # Ten pictures; of ten labels three are different.
    assert (said["samples"], said["uploaded"], blobs("store")) == (10, 13, 13)
    assert {name.partition("/")[0] for name in tree("out")} == {"dataset.yaml", "samples"}
    assert all(
        ref["in"] == ["main"] and "file" not in ref
        for found in items("out").values()
        for ref in found.values()
    )
    assert bytes_of(open_dataset("out")) == bytes_of(open_dataset("raw"))
    assert open_dataset("out").digest() == open_dataset("raw").digest()
    assert open_dataset("out").descriptor.remotes == {"main": "../store"}


def test_the_input_stays_as_it_was(lake: Lake, raw: Path) -> None:
    before = tree(raw)
    lake("remote-add", "raw", "out")
    assert tree(raw) == before


def test_keys_limit_what_is_uploaded_not_what_is_written(lake: Lake, raw: Path) -> None:
    lake("remote-add", "raw", "out", "-k", "image")
    for found in items("out").values():
        assert found["image"]["in"] == ["main"]
        assert "in" not in found["meta"]
        assert Path("out", found["meta"]["file"]).is_file()
    assert blobs("store") == 10
    assert bytes_of(open_dataset("out")) == bytes_of(open_dataset("raw"))


@pytest.mark.parametrize(
    ("words", "chosen"),
    [
        (["--start", "3"], range(10)[3:]),
        (["--stop", "4"], range(10)[:4]),
        (["--start", "1", "--stop", "8", "--step", "3"], range(10)[1:8:3]),
        (["--start", "-2"], range(10)[-2:]),
        (["--start", "20"], range(0)),
    ],
)
def test_start_stop_step_limit_what_is_uploaded(
    lake: Lake, raw: Path, words: list[str], chosen: range
) -> None:
    lake("remote-add", "raw", "out", "-k", "image", *words)
    uploaded = [n for n, found in enumerate(items("out").values()) if "in" in found["image"]]
    assert uploaded == list(chosen)
    assert len(open_dataset("out")) == 10
    assert bytes_of(open_dataset("out")) == bytes_of(open_dataset("raw"))


def test_several_remotes_in_one_run(lake: Lake, raw: Path) -> None:
    lake("remote-add", "raw", "out", "-r", "main", "-r", "./second")
    assert {tuple(ref["in"]) for f in items("out").values() for ref in f.values()} == {
        ("main", "second")
    }
    assert blobs("store") == blobs("second") == 13
    assert open_dataset("out").descriptor.remotes == {"main": "../store", "second": "../second"}


def test_a_remote_named_twice_is_one(lake: Lake, raw: Path) -> None:
    lake("remote-add", "raw", "out", "-r", "main", "-r", "./store")
    assert items("out")["train/0000"]["image"]["in"] == ["main"]


def test_new_urls_get_aliases_of_their_own(lake: Lake, raw: Path) -> None:
    lake("remote-add", "raw", "out", "-r", "./a/blobs", "-r", "./b/blobs")
    remotes = open_dataset("out").descriptor.remotes
    assert list(remotes.values()) == ["../a/blobs", "../b/blobs"]
    assert items("out")["train/0000"]["image"]["in"] == list(remotes)


def test_from_remote_to_remote_without_a_local_copy(lake: Lake, raw: Path, tmp_path: Path) -> None:
    lake("remote-add", "raw", "one")
    shutil.rmtree("raw")
    shutil.rmtree(tmp_path / "cache")
    lake("remote-add", "one", "both", "-r", "./second")
    assert items("both")["train/0000"]["image"]["in"] == ["main", "second"]
    assert blobs("second") == 13
    assert {name.partition("/")[0] for name in tree("both")} == {"dataset.yaml", "samples"}
    shutil.rmtree("store")
    assert len(bytes_of(open_dataset("both"))) == 20


def test_local_only_leaves_what_is_in_remotes_alone(lake: Lake, raw: Path) -> None:
    lake("remote-add", "raw", "one", "-k", "image")
    lake("remote-add", "one", "two", "-r", "./second", "--local-only")
    found = items("two")["train/0000"]
    assert found["image"]["in"] == ["main"]
    assert found["meta"]["in"] == ["second"]
    assert blobs("second") == 3


def test_a_rerun_is_a_no_op(lake: Lake, raw: Path) -> None:
    lake("remote-add", "raw", "out")
    before = {p: p.stat().st_mtime_ns for p in Path.cwd().rglob("*") if p.is_file()}
    for _ in range(3):
        said = lake("remote-add", "raw", "out")
        assert "nothing to do" in said.out
    assert {p: p.stat().st_mtime_ns for p in Path.cwd().rglob("*") if p.is_file()} == before


def test_a_rerun_is_a_no_op_where_nothing_is_remembered(
    lake: Lake, raw: Path, tmp_path: Path
) -> None:
    lake("remote-add", "raw", "out")
    shutil.rmtree(tmp_path / "cache")
    said = lake("remote-add", "raw", "out", "--json").json
    assert said["unchanged"]
    assert (said["uploaded"], said["known"]) == (0, 13)


def test_P6_a_rerun_notices_every_change(lake: Lake, raw: Path) -> None:
    def redone(**more: Any) -> bool:
        words = ["remote-add", "raw", "out", "--overwrite", "--json"]
        return not lake(*words).json["unchanged"]

    lake("remote-add", "raw", "out")
    assert not redone()
    # The input: a value, a blob.
    path = Path("raw/samples/train/0000.json")
    path.write_text(path.read_text().replace('"values": {}', '"values": {\n    "x": 1\n  }'))
    assert redone()
    assert not redone()
    # The output: a manifest of it is lost, or changed.
    Path("out/samples/train/0001.json").unlink()
    assert redone()
    Path("out/samples/train/0001.json").write_text("{}")
    assert redone()
    assert not redone()
    # The settings: the default remote is another one.
    lake("remote", "add", "second", "./second")
    lake("remote", "default", "second")
    assert redone()
    assert items("out")["train/0000"]["image"]["in"] == ["second"]
    assert not redone()
    # The remote: a blob is gone, or all of it.
    next(p for p in Path("second/sha256").rglob("*") if p.is_file()).unlink()
    assert lake("remote-add", "raw", "out", "--json").json["uploaded"] == 1
    shutil.rmtree("second")
    assert lake("remote-add", "raw", "out", "--json").json["uploaded"] == 13
    assert not redone()


def test_another_output_in_the_way_is_refused(lake: Lake, raw: Path) -> None:
    lake("init", "out")
    Path("stuff").mkdir()
    Path("stuff/x").write_text("x")
    for name in ("out", "stuff"):
        before = tree(name)
        assert name in lake("remote-add", "raw", name, code=9).err
        assert tree(name) == before
    lake("remote-add", "raw", "out", "--overwrite")
    assert len(open_dataset("out")) == 10


def test_in_place_rewrites_the_manifests_and_lets_go_of_the_files(lake: Lake, raw: Path) -> None:
    (raw / "README.md").write_text("ours")
    before = bytes_of(open_dataset("raw"))
    lake("remote-add", "raw", "--in-place")
    assert {name.partition("/")[0] for name in tree(raw)} == {
        "README.md",
        "dataset.yaml",
        "samples",
    }
    assert bytes_of(open_dataset("raw")) == before
    assert "nothing to do" in lake("remote-add", "raw", "--in-place").out


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["raw"], 2, "give an output, or --in-place"),
        (["raw", "out", "--in-place"], 2, "an output and --in-place"),
        (["raw", "raw"], 9, "raw"),
        (["raw", "raw/inside"], 9, "raw"),
        (["nowhere", "out"], 3, "nowhere"),
        (["raw", "out", "-r", "nope"], 6, "no remote 'nope'"),
        (["raw", "out", "-r", "ftp://x/y"], 6, ""),
        (["raw", "out", "-r", "./raw/dataset.yaml"], 9, "dataset.yaml"),
        (["raw", "out", "--start", "x"], 2, "--start: input should be a valid integer"),
        (["raw", "out", "--step", "0"], 2, "--step"),
        (["raw", "out", "--layout", "loose"], 2, "--layout"),
    ],
)
def test_a_call_that_cannot_be_changes_nothing(
    lake: Lake, raw: Path, words: list[str], code: int, message: str
) -> None:
    before = tree(Path.cwd())
    err = lake("remote-add", *words, code=code).err
    assert message in err
    assert tree(Path.cwd()) == before


def test_no_remote_at_all_says_how_to_name_one(lake: Lake, pictures: Path) -> None:
    lake("init", "raw", "--from", "pictures")
    assert "lake remote default" in lake("remote-add", "raw", "out", code=6).err


def test_P3_a_blob_that_is_nowhere_stops_it_before_anything_is_written(
    lake: Lake, raw: Path
) -> None:
    lost = Path(raw, items(raw)["train/0002"]["image"]["file"])
    lost.unlink()
    err = lake("remote-add", "raw", "out", code=3).err
    assert "train/0002" in err or items(raw)["train/0002"]["image"]["sha256"] in err
    assert not Path("out").exists()


def test_P1_a_file_that_is_not_what_its_manifest_says_is_not_uploaded(
    lake: Lake, raw: Path
) -> None:
    ref = items(raw)["train/0002"]["image"]
    path = Path(raw, ref["file"])
    path.write_bytes(bytes(path.stat().st_size))
    assert run(["remote-add", "raw", "out"]) in (3, 4)
    assert not Path("out").exists()
    assert not Path("store/sha256", ref["sha256"][:2], ref["sha256"]).exists()


def test_with_keep_going_the_rest_is_done_and_the_failures_are_named(lake: Lake, raw: Path) -> None:
    ref = items(raw)["train/0002"]["image"]
    Path(raw, ref["file"]).unlink()
    said = lake("remote-add", "raw", "out", "--keep-going", "--json", code=12)
    assert len(said.json["error"]["failures"]) >= 1
    assert blobs("store") == 12
    assert len(open_dataset("out")) >= 9
    # It is not taken for done.
    assert "nothing to do" not in run_out(lake, "remote-add", "raw", "out", "--keep-going")


def run_out(lake: Lake, *words: str) -> str:
    said = lake(*words, code=12)
    return said.out + said.err


def test_dry_run_says_what_would_be_sent(lake: Lake, raw: Path) -> None:
    before = tree(Path.cwd())
    said = lake("remote-add", "raw", "out", "--dry-run", "--json").json
    assert (said["samples"], said["planned"], said["dry_run"]) == (10, 13, True)
    assert tree(Path.cwd()) == before


def test_layout_and_format_of_the_output(lake: Lake, raw: Path) -> None:
    lake("remote-add", "raw", "packed", "--layout", "packed")
    lake("remote-add", "packed", "yaml", "--layout", "files", "--format", "yaml")
    assert list(Path("packed/samples").glob("*.jsonl"))
    assert Path("yaml/samples/train/0000.yaml").is_file()
    digests = {open_dataset(name).digest() for name in ("raw", "packed", "yaml")}
    assert len(digests) == 1


def test_shared_blobs_are_uploaded_too(lake: Lake, home: Path) -> None:
    (home / "old/data").mkdir(parents=True)
    (home / "old/data/0_x.bin").write_bytes(b"x")
    (home / "old/camera.yml").write_text("fx: 3\n")
    lake("init", "raw", "--from", "old")
    lake("remote-add", "raw", "out", "-r", "./store")
    shutil.rmtree("raw")
    shutil.rmtree("old")
    assert open_dataset("out")[0]["camera"].bytes() == b"fx: 3\n"
    assert blobs("store") == 2


def test_new_items_of_a_stage_before_it_are_uploaded(lake: Lake, raw: Path) -> None:
    dataset = open_dataset("raw").map(lambda s: s.set("note", s.id.encode()))
    (dataset | RemoteAdd(remotes=["main"], keys=["note"])).write("out")
    found = items("out")["train/0000"]
    assert found["note"]["in"] == ["main"]
    assert "file" not in found["note"]
    assert "in" not in found["image"]
    assert open_dataset("out").sample("train/0000")["note"].bytes() == b"train/0000"


def test_run_stage_is_the_commands_own_door(lake: Lake, raw: Path) -> None:
    done = run_stage(RemoteAdd(), raw, "out", context=RunContext(jobs=1))
    assert (done.samples, done.counts["uploaded"], done.unchanged) == (10, 13, False)
    assert run_stage(RemoteAdd(), raw, "out").unchanged


def test_another_parameter_is_another_run(lake: Lake, raw: Path) -> None:
    lake("remote-add", "raw", "out", "-k", "image")
    assert lake("remote-add", "raw", "out", "-k", "meta", code=9)
    lake("remote-add", "raw", "out", "-k", "meta", "--overwrite")
    assert "in" not in items("out")["train/0000"]["image"]
