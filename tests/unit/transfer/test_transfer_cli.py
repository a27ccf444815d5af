from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lake.cli.main import run
from lake.dataset import DatasetDirectory
from lake.store.layout import blob_key
from lake.transfer import hub as hub_module

Lake = Callable[..., tuple[int, Any]]


@pytest.fixture
def lake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Lake:
    """Runs a command with --json in a home of its own: (exit code, what it printed)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "LAKE_CACHE_DIR", "LAKE_CONFIG_DIR"):
        monkeypatch.delenv(name, raising=False)

    def call(*words: str) -> tuple[int, Any]:
        capsys.readouterr()
        monkeypatch.setattr(hub_module, "_default", None)
        code = run([*words, "--json"])
        text = capsys.readouterr().out
        return code, json.loads(text) if text else None

    return call


@pytest.fixture
def digits(lake: Lake, tmp_path: Path) -> Path:
    """A dataset of ten files in two partitions, with a default remote that is a folder."""
    for n in range(10):
        folder = tmp_path / "pictures" / ("train" if n % 2 else "val")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{n}.bin").write_bytes(f"picture {n}".encode())
    assert lake("init", "digits", "--from", "pictures")[0] == 0
    assert lake("remote", "add", "main", "./store")[0] == 0
    assert lake("remote", "default", "main")[0] == 0
    return tmp_path / "digits"


def blob_of(dataset: Path, id: str) -> Path:
    (ref,) = DatasetDirectory(dataset).manifest(id).items.values()
    return dataset.parent / "store" / blob_key(ref.sha256)


def spoil(path: Path) -> None:
    data = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(bytes([data[0] ^ 1]) + data[1:])


def test_push_uploads_and_notes_it_in_the_manifests(lake: Lake, digits: Path) -> None:
    code, facts = lake("push", "digits", "--dry-run")
    assert (code, facts["planned"], facts["uploaded"]) == (0, 10, 0)
    assert not (digits.parent / "store").exists()
    code, facts = lake("push", "digits")
    assert (code, facts["uploaded"], facts["bytes"]) == (0, 10, 90)
    directory = DatasetDirectory(digits)
    for id in directory.ids:
        (ref,) = directory.manifest(id).items.values()
        assert (ref.aliases, ref.file is not None) == (("main",), True)
    before = {path: path.stat().st_mtime_ns for path in digits.rglob("*") if path.is_file()}
    assert lake("push", "digits")[1]["known"] == 10
    assert before == {path: path.stat().st_mtime_ns for path in digits.rglob("*") if path.is_file()}


def test_push_to_an_alias_that_nobody_knows(lake: Lake, digits: Path) -> None:
    code, facts = lake("push", "digits", "-r", "nowhere")
    assert (code, facts["error"]["kind"]) == (6, "config")


def test_push_names_the_file_that_is_gone_and_keeps_going(lake: Lake, digits: Path) -> None:
    (ref,) = DatasetDirectory(digits).manifest("val/4").items.values()
    (digits / str(ref.file)).unlink()
    code, facts = lake("push", "digits")
    assert (code, facts["error"]["kind"]) == (3, "blob-unavailable")
    code, facts = lake("push", "digits", "--keep-going")
    assert code == 12
    (ref,) = DatasetDirectory(digits).manifest("val/4").items.values()
    assert ref.aliases == ()
    (ref,) = DatasetDirectory(digits).manifest("val/6").items.values()
    assert ref.aliases == ("main",)


def test_status_says_where_blobs_are(lake: Lake, digits: Path) -> None:
    facts = lake("status", "digits")[1]
    assert (facts["items"], facts["files"], facts["local_only"]) == (10, 10, 10)
    lake("push", "digits")
    facts = lake("status", "digits")[1]
    assert (facts["local_only"], facts["remotes"]["main"]["known"]) == (0, 10)
    blob_of(digits, "train/3").unlink()
    facts = lake("status", "digits", "--remote")[1]
    assert (facts["remotes"]["main"]["there"], facts["remotes"]["main"]["missing"]) == (9, 1)
    assert lake("status", "digits:train")[1]["items"] == 5


def test_verify_finds_repairs_and_exits_accordingly(lake: Lake, digits: Path) -> None:
    lake("push", "digits")
    assert lake("verify", "digits")[0] == 0
    spoil(blob_of(digits, "train/3"))
    assert lake("verify", "digits")[0] == 0
    code, facts = lake("verify", "digits", "--read-data")
    assert code == 4
    assert [(one["sample"], one["source"]) for one in facts["findings"]] == [("train/3", "main")]
    code, facts = lake("verify", "digits", "--read-data", "--repair")
    assert (code, facts["counts"]) == (0, {"ok": 19, "repaired": 1})
    assert lake("verify", "digits", "--read-data")[0] == 0


def test_verify_of_missing_blobs_exits_3(lake: Lake, digits: Path) -> None:
    lake("push", "digits")
    blob_of(digits, "val/2").unlink()
    assert lake("verify", "digits")[0] == 3
    assert lake("verify", "digits:train")[0] == 0
    assert lake("verify", "digits", "--repair")[0] == 0
    assert blob_of(digits, "val/2").is_file()


def test_verify_goes_on_after_a_broken_manifest(lake: Lake, digits: Path) -> None:
    (digits / "samples/val/4.json").write_text("{")
    assert lake("verify", "digits")[0] == 5
    code, facts = lake("verify", "digits", "--keep-going")
    assert (code, facts["blobs"], len(facts["manifests"])) == (5, 9, 1)


def test_pull_makes_later_reads_local(lake: Lake, digits: Path) -> None:
    lake("remote-add", "digits", "remote", "-r", "main")
    code, facts = lake("pull", "remote:train")
    assert (code, facts["fetched"], facts["bytes"]) == (0, 5, 45)
    code, facts = lake("pull", "remote")
    assert (facts["fetched"], facts["cached"]) == (5, 5)
    code, facts = lake("cache", "info")
    assert (facts["blobs"], facts["size"]) == (10, 90)
    assert lake("cache", "prune", "--all", "--dry-run")[1]["size"] == 90
    assert lake("cache", "prune", "--max-size", "45")[1]["blobs"] == 5
    assert lake("cache", "prune", "--all")[1]["blobs"] == 5
    assert lake("cache", "prune", "--max-size", "much")[0] == 2


def test_pull_names_what_it_cannot_get(lake: Lake, digits: Path) -> None:
    lake("remote-add", "digits", "remote", "-r", "main")
    spoil(blob_of(digits, "val/2"))
    code, facts = lake("pull", "remote")
    assert (code, facts["error"]["kind"]) == (3, "blob-unavailable")
    assert "val/2" in facts["error"]["where"]
    assert facts["error"]["attempts"] == [
        {"source": "main", "answer": "other bytes than its manifest says"}
    ]


@pytest.mark.parametrize("verb", ["push", "pull", "status", "verify"])
def test_no_such_dataset_exits_3(lake: Lake, verb: str) -> None:
    code, facts = lake(verb, "nowhere")
    assert (code, facts["error"]["kind"]) == (3, "not-found")


def test_no_such_id_exits_3(lake: Lake, digits: Path) -> None:
    assert lake("pull", "digits:test")[0] == 3


def test_people_get_words(lake: Lake, digits: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lake("push", "digits")
    spoil(blob_of(digits, "train/3"))
    for words, expected in [
        (["status", "digits"], "10  in main, 10 of them seen there from here"),
        (["verify", "digits", "--read-data"], "corrupt  train/3: bin  main"),
        (["pull", "digits"], "10 in the dataset's own files"),
        (["push", "digits"], "10 were there already"),
        (["cache", "info"], "0 blobs"),
    ]:
        run(words)
        assert expected in capsys.readouterr().out
