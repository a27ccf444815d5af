"""Places that cannot be written to, are full, or are where the input is: refused, and named."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import lake
from lake.errors import (
    ConfigError,
    ConflictError,
    DiskError,
    InputError,
    LakeError,
    ManifestError,
    PartialFailure,
    RemoteError,
)

from .desk import Desk, desk, look

__all__ = ["desk"]

# Output and input.


@pytest.mark.parametrize(
    "words",
    [
        "clone d d",
        "clone d ./d/",
        "clone d link",
        "clone link d --overwrite",
        "clone d d --overwrite",
        "clone d d/sub",
        "clone d d/samples",
        "clone d .",
        "clone d ..",
        "clone d ../work/d",
        "remote-add d d -r main",
        "remote-add d d/x -r main",
        "convert d d --layout packed",
        "convert d d/x --layout packed",
        "init d --from d --update",
        "init src --from src",
        "init . --from src",
    ],
)
def test_output_onto_input_is_refused(desk: Desk, words: str) -> None:
    desk.datasets()
    (desk.root / "link").symlink_to("d")
    desk.refused(ConflictError, *words.split(), says="hint: choose")


def test_output_onto_input_is_refused_in_python(desk: Desk) -> None:
    desk.datasets()
    dataset = lake.open(desk.root / "d")
    other = lake.open(desk.root / "dr")
    before = look(desk.root)
    views = (dataset, dataset[:2], dataset.map(lambda sample: sample), other.cat(dataset))
    for view in views:
        for out in (desk.root / "d", desk.root / "d/samples", desk.root, "d/../d"):
            with pytest.raises(ConflictError):
                view.write(out, overwrite=True)
    assert look(desk.root) == before


def test_a_dataset_within_its_input_does_not_read_itself(desk: Desk) -> None:
    desk.pictures()
    init = ("init", "src/ds", "--from", "src", "--inline", "json")
    desk.lake(*init)
    before = look(desk.root)
    assert desk.json(*init, "--update")["unchanged"] == 6
    assert look(desk.root) == before


@pytest.mark.parametrize("what", ["file", "other", "dangling", "fifo", "dataset"])
@pytest.mark.parametrize("verb", ["clone d", "remote-add d", "init", "convert d"])
def test_what_lies_at_the_output_stays(desk: Desk, verb: str, what: str) -> None:
    desk.datasets()
    out = desk.root / "out"
    if what == "file":
        out.write_text("mine")
    elif what == "other":
        desk.write("out/mine.txt", "mine")
    elif what == "dangling":
        out.symlink_to("nowhere")
    elif what == "fifo":
        os.mkfifo(out)
    else:
        desk.write("src2/x.bin", "x")
        desk.lake("init", "out", "--from", "src2")
    name, *rest = verb.split()
    more = {"init": ["--from", "src"], "convert": ["--layout", "packed"]}.get(name, [])
    desk.refused(ConflictError, name, *rest, "out", *more, says="hint: ")


# Remotes.


@pytest.mark.parametrize(
    ("url", "error", "says"),
    [
        ("nosuch", ConfigError, "no remote 'nosuch'"),
        ("ftp://host/x", ConfigError, "ftp://"),
        ("s3://", ConfigError, "s3://bucket"),
        ("./file", ConflictError, "file lies where"),
        ("./file/below", ConflictError, "file lies where"),
        ("/proc/nosuch", RemoteError, "/proc/nosuch"),
    ],
)
@pytest.mark.parametrize("verb", ["remote-add d out", "push d", "init out --from src"])
def test_a_remote_that_cannot_be(
    desk: Desk, verb: str, url: str, error: type[LakeError], says: str
) -> None:
    desk.datasets()
    desk.write("file", "mine")
    said = desk.refused(error, *verb.split(), "-r", url, says=says)
    assert "hint: " in said.err


def test_with_keep_going_a_remote_that_fails_stops_nothing_else(desk: Desk) -> None:
    desk.datasets()
    desk.write("file", "mine")
    words = ("remote-add", "d", "out", "-r", "./other", "-r", "./file")
    desk.refused(ConflictError, *words, besides="other")
    failed = desk.json(*words, "--keep-going", code=PartialFailure.exit_code)["error"]
    assert len(failed["failures"]) == 1  # six blobs, one cause
    desk.lake("verify", "out", "--read-data")
    assert sum(path.is_file() for path in (desk.root / "other/sha256").rglob("*")) == 6
    # What the other remote lacks keeps its file: nobody took it over everywhere.
    assert (desk.root / "out/files/a/2.bin.bin").is_file()
    failed = desk.json("push", "d", "-r", "./file", "--keep-going", code=12)["error"]
    assert len(failed["failures"]) == 1


def test_remotes_that_a_text_names_wrongly(desk: Desk) -> None:
    desk.datasets()
    descriptor = desk.root / "dr/dataset.yaml"
    for text, error, says in (
        ("lake: 1\n", None, ""),  # the project names it, too
        ("lake: 1\nremotes: {main: ../nowhere}\n", LakeError, "nowhere"),
        ("lake: 1\nremotes: {main: 's3://k:topsecret@h/b'}\n", ManifestError, "main"),
        ("lake: 1\nremotes: {'../x': ../store}\n", ManifestError, "../x"),
        ("lake: 1\nremotes: [1]\n", ManifestError, "remotes"),
    ):
        descriptor.write_text(text)
        said = desk.lake("clone", "dr", "out", "--mode", "copy", code=None)
        assert (said.code == 0) is (error is None), said.text
        assert "topsecret" not in said.text
        assert (desk.root / "out").exists() is (error is None)
        if error is not None:
            assert error is LakeError or said.code == error.exit_code
            assert says in said.err
        shutil.rmtree(desk.root / "out", ignore_errors=True)


# Full disks.


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    disk = tmp_path / "work/small"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("takes root to mount a small disk")
    if subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("no disk can be mounted here")
    yield disk
    # Lazily: directories of datasets are closed when they are collected.
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(disk: Path) -> None:
    """Leave no room."""
    with contextlib.suppress(OSError), (disk / "fill").open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass
    assert os.statvfs(disk).f_bavail == 0


@pytest.fixture
def big(desk: Desk) -> None:
    """One of the blobs is larger than the small disk."""
    desk.pictures()
    desk.write("src/b/big.bin", os.urandom(2 << 20))
    desk.lake("init", "d", "--from", "src", "--inline", "json")
    desk.lake("remote", "add", "main", "./store")
    desk.lake("remote-add", "d", "dr", "-r", "main")


@pytest.mark.parametrize(
    "words",
    [
        "init small/out --from src",
        "init small/out --from src --keep-going",
        "clone d small/out --mode copy",
        "clone dr small/out --mode copy --keep-going",
    ],
)
def test_P1_a_full_disk_under_the_output(desk: Desk, big: None, small: Path, words: str) -> None:
    said = desk.refused(DiskError, *words.split(), says="no space left on the disk")
    assert str(small / "out") in said.err
    assert "lake-tmp" not in said.err
    assert "hint: free some space" in said.err


@pytest.mark.parametrize("verb", ["remote-add d out", "init out --from src", "push d"])
def test_P1_a_full_disk_under_the_remote(desk: Desk, big: None, small: Path, verb: str) -> None:
    words = (*verb.split(), "-r", "./small/store")
    desk.refused(DiskError, *words, says="no space left on the disk", besides="small")
    desk.lake(*words, "--keep-going", code=None)
    for path in (small / "store/sha256").rglob("*"):
        if path.is_file():
            assert len(path.read_bytes()) < 1 << 20
    out = "d" if verb == "push d" else "out"
    if (desk.root / out).exists():
        desk.lake("verify", out, "--read-data")
    assert not list(small.rglob("*.lake-tmp*"))


def test_P1_a_full_disk_under_the_cache(
    desk: Desk, big: None, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAKE_CACHE_DIR", str(small / "cache"))
    desk.refused(DiskError, "pull", "dr", says="no space left on the disk", besides="small")
    fill(small)
    # Whoever only reads does without a cache.
    desk.lake("verify", "dr", "--read-data")
    desk.lake("clone", "dr", "out", "--mode", "copy")
    assert lake.open(desk.root / "out").digest() == lake.open(desk.root / "d").digest()
    assert lake.open(desk.root / "dr").sample("b/big")["bin"].bytes()


@pytest.mark.parametrize(
    "words",
    [
        "push small/d -r main",
        "remote-add small/d --in-place -r main",
        "convert small/d --layout packed",
        "convert small/d --format yaml",
        "clone other small/d --overwrite --mode copy",
        "init small/d --from src --update",
    ],
)
def test_P1_a_full_disk_under_a_dataset_that_changes(desk: Desk, small: Path, words: str) -> None:
    desk.datasets()
    desk.lake("clone", "d", "small/d", "--mode", "copy")
    desk.write("src/a/9.bin", "new" * 10_000)
    desk.lake("init", "other", "--from", "src", "--inline", "json")
    fill(small)
    desk.refused(DiskError, *words.split(), says="no space left on the disk")
    (small / "fill").unlink()
    desk.lake(*words.split())
    desk.lake("verify", "small/d", "--read-data")


def test_a_disk_that_fails_before_anything_is_there(desk: Desk) -> None:
    desk.datasets()
    for words in ("clone d /proc/x", "init /proc/x --from src"):
        desk.refused(InputError, *words.split(), says="/proc/x")
