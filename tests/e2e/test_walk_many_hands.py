"""Writers at once, writers that are killed, and Ctrl-C: the result is that of one clean run."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .conftest import Person

COUNT = 400


def contents(folder: Path) -> dict[str, str]:
    """Digest of every file below a folder, by relative name, the user's lake.json id left out."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "lake.json"
    }


def start(person: Person, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "lake.cli.main", *words],
        cwd=person.root,
        env=person.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.fixture
def ann(person: Person) -> Person:
    source = person.root / "files" / "train"
    source.mkdir(parents=True)
    for number in range(COUNT):
        (source / f"{number:04d}.bin").write_bytes(os.urandom(64) * (number % 50 + 1))
    person.lake("init", "raw", "--from", "files")
    person.lake("remote", "add", "main", "./store")
    return person


@pytest.fixture
def right(ann: Person) -> tuple[dict[str, str], dict[str, str]]:
    """What one clean run leaves in the dataset and in the store."""
    ann.lake("remote", "add", "clean", "./clean-store")
    ann.lake("remote-add", "raw", "clean-out", "-r", "clean")
    out = contents(ann.root / "clean-out")
    return out, contents(ann.root / "clean-store")


def blobs(found: dict[str, str]) -> dict[str, str]:
    return {name: digest for name, digest in found.items() if name.startswith("sha256/")}


def test_P7_writers_at_once_need_no_locks(ann: Person, right) -> None:
    running = [start(ann, "remote-add", "raw", f"out{n}", "-r", "main") for n in range(4)]
    for child in running:
        _, err = child.communicate(timeout=240)
        assert child.returncode == 0, err.decode()
    assert blobs(contents(ann.root / "store")) == blobs(right[1])
    outs = [contents(ann.root / f"out{n}") for n in range(4)]
    samples = [{k: v for k, v in out.items() if k.startswith("samples/")} for out in outs]
    assert samples[0]
    assert all(found == samples[0] for found in samples)
    ann.lake("verify", "out3", "--read-data")


def test_P7_one_output_has_one_winner_and_is_whole(ann: Person) -> None:
    running = [start(ann, "remote-add", "raw", "out", "-r", "main") for _ in range(4)]
    codes = []
    for child in running:
        child.communicate(timeout=240)
        codes.append(child.returncode)
    assert 0 in codes
    assert set(codes) <= {0, 9}, "a loser is told of a conflict"
    ann.lake("verify", "out", "--read-data")
    assert not [p.name for p in ann.root.iterdir() if ".lake-tmp" in p.name]


@pytest.mark.slow
def test_P6_killed_anywhere_and_run_again(ann: Person, right) -> None:
    began = time.monotonic()
    ann.lake("remote-add", "raw", "timed", "-r", "./timed-store")
    whole = time.monotonic() - began
    for number in range(8):
        child = start(ann, "remote-add", "raw", "out", "-r", "main")
        time.sleep(whole * (number + 1) / 9)
        child.send_signal(signal.SIGKILL)
        child.communicate(timeout=60)
        for name, digest in blobs(contents(ann.root / "store")).items():
            assert name.endswith(digest), f"{name} holds other bytes after a kill (P1)"
        if (ann.root / "out").exists():
            ann.lake("verify", "out", "--read-data")
    ann.lake("remote-add", "raw", "out", "-r", "main")
    assert blobs(contents(ann.root / "store")) == blobs(right[1])
    mine = contents(ann.root / "out")
    same = {name for name in mine if name.startswith("samples/")}
    assert len(same) == COUNT
    assert not [p.name for p in ann.root.iterdir() if ".lake-tmp" in p.name]


def test_P6_interrupted_by_the_keyboard(ann: Person, right) -> None:
    child = start(ann, "remote-add", "raw", "out", "-r", "main")
    # Once it writes to the store it is in the middle of its work.
    for _ in range(500):
        if (ann.root / "store").exists() or child.poll() is not None:
            break
        time.sleep(0.01)
    with contextlib.suppress(ProcessLookupError):
        child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=60)
    assert child.returncode in (0, 130), err.decode()
    if child.returncode:
        assert b"interrupted" in err
        assert not (ann.root / "out").exists()
    ann.lake("remote-add", "raw", "out", "-r", "main")
    ann.lake("verify", "out", "--read-data")
    assert blobs(contents(ann.root / "store")) == blobs(right[1])
