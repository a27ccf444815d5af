"""What a user reads on a bad day: the exit code says what kind, the text says where and what to
do, and nothing half-written stays behind."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .conftest import Person


@pytest.fixture
def ds(person: Person) -> Path:
    """A dataset of six blobs with labels, all in the remote `main` and nowhere else."""
    person.env["LAKE_DEBUG"] = ""
    for n in range(6):
        (person.root / "in").mkdir(exist_ok=True)
        (person.root / f"in/{n}.bin").write_bytes(f"blob {n}\n".encode() * 100)
        (person.root / f"in/{n}.json").write_text(json.dumps({"label": n}))
    person.lake("init", "raw", "--from", "in", "--inline", "json")
    person.lake("remote", "add", "main", "./store")
    person.lake("remote", "default", "main")
    person.lake("remote-add", "raw", "ds")
    return person.root / "ds"


def blob(ds: Path, id: str) -> Path:
    sha256 = json.loads((ds / f"samples/{id}.json").read_text())["items"]["bin"]["sha256"]
    return Path(ds.parent, "store/sha256", sha256[:2], sha256)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def refused(person: Person, code: int, *words: str) -> str:
    """Run a command that must fail with `code` and make no `back`; what it said."""
    said = person.lake(*words, ok=False)
    assert said.code == code, said.text
    assert [line for line in said.err.splitlines() if line.startswith("error: ")], said.err
    assert "Traceback" not in said.err
    assert not (person.root / "back").exists()
    leftovers = [p.name for p in person.root.iterdir() if "lake-tmp" in p.name]
    assert not leftovers
    return said.err


CLONE = ("clone", "ds", "back", "--mode", "copy")


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (lambda data: b"X" + data[1:], "main"),
        (lambda data: data[:-1], "main"),
        (lambda data: data + b"!", "main"),
        (lambda data: b"", "main"),
        (None, "main"),
    ],
    ids=["flipped", "truncated", "oversized", "empty", "gone"],
)
def test_P5_a_bad_blob_is_never_handed_out(person: Person, ds: Path, spoil: Any, word: str) -> None:
    path = blob(ds, "3")
    path.chmod(0o644)
    if spoil is None:
        path.unlink()
    else:
        path.write_bytes(spoil(path.read_bytes()))
    err = refused(person, 3, *CLONE)
    assert word in err
    assert blob(ds, "3").name in err
    said = person.lake(*CLONE, "--keep-going", ok=False)
    assert said.code == 12
    assert len(list((person.root / "back/files").iterdir())) == 5


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("{", "samples/2.json"),
        ('{"items": {}, "items": {}, "values": {}}', "samples/2.json"),
        ('{"items": {}, "values": {"x": NaN}}', "samples/2.json"),
        ('{"items": {"x": {"sha256": "00"}}, "values": {}}', "samples/2.json"),
        ('{"items": {}, "values": {"x": ' + "[" * 30 + "]" * 30 + "}}", "samples/2.json"),
        ('{"items": {}, "values": {"../x": 1}}', "samples/2.json"),
    ],
)
def test_a_broken_manifest_is_named(person: Person, ds: Path, text: str, where: str) -> None:
    (ds / "samples/2.json").write_text(text)
    assert where in refused(person, 5, *CLONE)


def test_P8_a_hostile_file_name_in_a_manifest_reads_nothing_outside(
    person: Person, ds: Path
) -> None:
    (person.root / "secret.txt").write_text("mine")
    for name in ("../secret.txt", str(person.root / "secret.txt"), "a/../../secret.txt"):
        edit(ds / "samples/2.json", '"in":["main"]', f'"file":{json.dumps(name)}')
        refused(person, 5, *CLONE)
        edit(ds / "samples/2.json", f'"file":{json.dumps(name)}', '"in":["main"]')


def test_P8_a_link_in_a_dataset_is_not_followed(person: Person, ds: Path) -> None:
    (person.root / "secret.json").write_text('{"items": {}, "values": {"x": 1}}')
    (ds / "samples/9.json").symlink_to(person.root / "secret.json")
    said = person.lake("clone", "ds", "back", ok=None)
    copied = person.root / "back/samples/9.json"
    assert said.code != 0 or not copied.exists()


def test_an_unknown_remote_is_named(person: Person, ds: Path) -> None:
    edit(ds / "samples/2.json", '"in":["main"]', '"in":["elsewhere"]')
    assert "no remote 'elsewhere'" in refused(person, 6, *CLONE)
    assert "no remote 'nope'" in refused(person, 6, "remote-add", "ds", "back", "-r", "nope")


def test_a_descriptor_with_a_password_is_refused(person: Person, ds: Path) -> None:
    edit(ds / "dataset.yaml", "../store", "s3://me:hunter2secret@host/bucket")
    assert "hunter2secret" not in refused(person, 5, *CLONE)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("s3://bucket/x?endpoint=http://127.0.0.1:1", 7),
        ("https://127.0.0.1:1/x", 13),
        ("./in/0.bin", 9),
    ],
)
def test_a_remote_that_cannot_be_written(person: Person, ds: Path, url: str, code: int) -> None:
    person.env.update(AWS_ACCESS_KEY_ID="key", AWS_SECRET_ACCESS_KEY="secretsecret")
    refused(person, code, "remote-add", "raw", "back", "-r", url)


def limited(person: Person, size: int, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command that can write no file larger than `size`: a disk that fills up."""
    return subprocess.run(
        [sys.executable, "-m", "lake.cli.main", *words],
        cwd=person.root,
        env=person.environment(),
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
    )


@pytest.mark.parametrize(
    "words",
    [
        ("init", "back", "--from", "big"),
        ("init", "back", "--from", "big", "-r", "./other"),
        ("clone", "bigds", "back", "--mode", "copy"),
        ("remote-add", "bigds", "back", "-r", "./other"),
    ],
    ids=["init", "init-remote", "clone", "remote-add"],
)
def test_P1_a_full_disk_leaves_nothing_half(
    person: Person, ds: Path, words: tuple[str, ...]
) -> None:
    (person.root / "big").mkdir()
    (person.root / "big/a.bin").write_bytes(b"x" * (8 << 20))
    person.lake("init", "bigds", "--from", "big")
    done = limited(person, 4 << 20, *words)
    assert done.returncode == 11, done.stderr
    assert "Traceback" not in done.stderr
    assert not (person.root / "back").exists()
    other = person.root / "other/sha256"
    assert not [p for p in other.rglob("*") if p.is_file()]
    person.lake(*words)


def test_a_dataset_that_is_none(person: Person, ds: Path) -> None:
    assert "dataset.yaml" in refused(person, 3, "clone", "in", "back")
    refused(person, 3, "clone", "nowhere", "back")


def test_errors_as_json(person: Person, ds: Path) -> None:
    blob(ds, "3").unlink()
    said = person.lake(*CLONE, "--json", ok=False)
    error = json.loads(said.out)["error"]
    assert error["kind"] == "blob-unavailable"
    assert error["attempts"][0]["source"] == "main"
