"""Files that are missing, unreadable, changing, in the way, or there twice: named, never half."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import lake
from lake.errors import (
    AccessDenied,
    BlobUnavailable,
    ConflictError,
    InputError,
    LakeError,
    ManifestError,
    NotFound,
    PartialFailure,
    UsageError,
)
from lake_schemas.descriptor import Descriptor

from .conftest import REPO
from .desk import Desk, desk, look

__all__ = ["desk"]

_DROP_FROM_BOUND = 24  # prctl(2): PR_CAPBSET_DROP
_BYPASS = (1, 2)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH


def _obey_modes() -> None:
    """Have the program that is run next obey the modes of files, even as root."""
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in _BYPASS:
        if libc.prctl(_DROP_FROM_BOUND, capability, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl")


def as_anybody(desk: Desk, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command that modes of files hold back, whoever runs the tests."""
    paths = os.pathsep.join(str(REPO / part) for part in ("", "stages", "schemas"))
    return subprocess.run(
        [sys.executable, "-m", "lake.cli.main", *words],
        cwd=desk.root,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        preexec_fn=_obey_modes if os.geteuid() == 0 else None,
    )


@pytest.fixture
def locked(desk: Desk) -> Callable[[str], Path]:
    """Takes all rights from a path; they are back in the end."""
    probe = desk.write("probe", "x")
    probe.chmod(0)
    done = subprocess.run(
        ["cat", probe], capture_output=True, preexec_fn=_obey_modes if os.geteuid() == 0 else None
    )
    if done.returncode == 0:
        pytest.skip("modes of files hold nobody back here")
    probe.unlink()

    def lock(rel: str, mode: int = 0) -> Path:
        path = desk.root / rel
        path.chmod(mode)
        return path

    return lock


@pytest.mark.parametrize(
    ("locks", "words", "error"),
    [
        ("src/a/2.bin", "init out --from src", InputError),
        ("src/a/2.bin", "init out --from src -r ./other", InputError),
        ("src/a", "init out --from src", InputError),
        ("src", "init out --from src", InputError),
        ("d/files/a/2.bin.bin", "clone d out", BlobUnavailable),
        ("d/files/a/2.bin.bin", "remote-add d out -r ./other", BlobUnavailable),
        ("d/samples/a/2.json", "clone d out", InputError),
        ("d/samples/a", "clone d out", InputError),
        ("d/dataset.yaml", "clone d out", InputError),
        ("d", "clone d out", InputError),
        ("d", "verify d", InputError),
        ("d", "convert d --layout packed", InputError),
        ("deep", "status deep/d", InputError),
        ("deep", "init out --from deep/src", InputError),
        ("deep", "clone d deep/out", InputError),
        ("deep", "remote-add d out -r ./deep/store", AccessDenied),
    ],
)  # fmt: skip
def test_what_may_not_be_read_is_named(
    desk: Desk, locked: Callable[..., Path], locks: str, words: str, error: type[LakeError]
) -> None:
    desk.datasets()
    desk.lake("clone", "d", "deep/d")
    path = locked(locks)
    done = as_anybody(desk, *words.split())
    path.chmod(0o755)
    assert done.returncode == error.exit_code, done.stderr
    assert done.stderr.startswith("error: ")
    assert "hint: " in done.stderr
    assert "Traceback" not in done.stderr
    # The file, or where it should have been.
    assert locks.rpartition("/")[2] in done.stderr
    assert not (desk.root / "out").exists()
    assert not list(desk.root.rglob("*.lake-tmp*"))


@pytest.mark.parametrize(
    ("locks", "mode", "words", "error"),
    [
        ("d", 0o555, "push d", InputError),
        ("d", 0o555, "remote-add d --in-place", InputError),
        ("d", 0o555, "convert d --layout packed", InputError),
        ("d/samples/a", 0o555, "push d", InputError),
        ("store", 0o555, "remote-add d2 out", AccessDenied),
        ("deep", 0o555, "remote-add d out -r ./deep/store", AccessDenied),
        ("deep", 0o555, "init deep/out --from src", InputError),
    ],
)
def test_what_may_not_be_written_is_named(
    desk: Desk,
    locked: Callable[..., Path],
    locks: str,
    mode: int,
    words: str,
    error: type[LakeError],
) -> None:
    desk.datasets()
    desk.write("src2/new.bin", "new")
    desk.lake("init", "d2", "--from", "src2")
    (desk.root / "deep").mkdir()
    before = look(desk.root)
    path = locked(locks, mode)
    done = as_anybody(desk, *words.split())
    path.chmod(0o755)
    assert done.returncode == error.exit_code, done.stderr
    assert done.stderr.startswith("error: ")
    assert "hint: " in done.stderr
    assert look(desk.root) == before


def test_with_keep_going_the_rest_is_done(desk: Desk, locked: Callable[..., Path]) -> None:
    desk.datasets()
    locked("src/a/2.bin")
    done = as_anybody(desk, "init", "out", "--from", "src", "--inline", "json", "--keep-going")
    assert done.returncode == PartialFailure.exit_code
    assert "src/a/2.bin" in done.stderr
    assert "5 samples" in done.stderr
    assert "6 added" not in done.stderr
    assert len(lake.open(desk.root / "out")) == 5
    (desk.root / "src/a/2.bin").chmod(0o644)
    desk.lake("init", "out", "--from", "src", "--inline", "json", "--update")
    assert lake.open(desk.root / "out").digest() == lake.open(desk.root / "d").digest()


def test_a_locked_cache_is_done_without(desk: Desk, locked: Callable[..., Path]) -> None:
    desk.datasets()
    cache = Path(os.environ["LAKE_CACHE_DIR"])
    cache.mkdir(exist_ok=True)
    cache.chmod(0)
    for words in ("verify dr --read-data", "clone dr out --mode copy", "status dr", "cache info"):
        done = as_anybody(desk, *words.split())
        assert done.returncode == 0, done.stderr
    done = as_anybody(desk, "pull", "dr")
    cache.chmod(0o700)
    assert done.returncode == InputError.exit_code
    assert "permission denied" in done.stderr


def test_what_is_missing_is_named(desk: Desk) -> None:
    desk.datasets()
    desk.refused(NotFound, "clone", "nowhere", "out", says="nowhere")
    desk.refused(NotFound, "verify", "src", says="dataset.yaml")
    desk.refused(InputError, "init", "out", "--from", "nowhere", says="nowhere")
    (desk.root / "d/files/a/2.bin.bin").unlink()
    for mode in ("auto", "copy", "hardlink", "symlink", "manifests"):
        desk.refused(BlobUnavailable, "clone", "d", "out", "--mode", mode, says="a/2: bin")
    desk.refused(BlobUnavailable, "convert", "d", "out", "--layout", "packed", says="a/2: bin")
    desk.refused(BlobUnavailable, "pull", "d", says="a/2: bin")
    desk.lake("verify", "d", code=BlobUnavailable.exit_code)
    desk.lake("status", "d")
    item = lake.open(desk.root / "d").sample("a/2")["bin"]
    for use in (item.bytes, item.path, item, lambda: item.open().read()):
        with pytest.raises(BlobUnavailable, match=r"2\.bin\.bin: no such file"):
            use()


class Grower:
    """Makes a file grow for the time of the block, a byte every other millisecond."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._grow)

    def _grow(self) -> None:
        with self._path.open("ab") as file:
            while not self._done.wait(0.002):
                file.write(b"x")
                file.flush()

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()


def test_a_file_that_changes_while_it_is_read(desk: Desk) -> None:
    desk.datasets()
    big = desk.write("src/a/2.bin", os.urandom(1 << 20) * 64)
    init = ("init", "out", "--from", "src", "--inline", "json")
    with Grower(big):
        for more in ((), ("-r", "./other")):
            said = desk.lake(*init, *more, code=InputError.exit_code)
            assert "src/a/2.bin" in said.err
            assert "nothing writes to it" in said.err
            assert not (desk.root / "out").exists()
        said = desk.lake(*init, "--keep-going", code=PartialFailure.exit_code)
        assert "the file changed while it was read" in said.err
    assert len(lake.open(desk.root / "out")) == 5
    assert not list((desk.root / "out").rglob("2.*"))
    desk.lake(*init, "--update")
    desk.lake("verify", "out", "--read-data")
    own = desk.root / "out/files/a/2.bin.bin"
    with Grower(own):
        for words in (("clone", "out", "o2", "--mode", "copy"), ("remote-add", "out", "o2")):
            desk.lake(*words, code=BlobUnavailable.exit_code)
            assert not (desk.root / "o2").exists()


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (["a/x.txt", "a/X.txt"], "a/x"),
        (["a/x.txt", "a/x .txt"], "a/x"),
        (["a/x.jpg", "a/x.JPG"], "sample a/x"),
        (["a/x.txt", "A/y.txt"], "'A'"),
    ],
    ids=" and ".join,
)
def test_what_would_be_one_sample_twice(desk: Desk, files: list[str], says: str) -> None:
    for name in (*files, "z.txt"):
        desk.write(f"in/{name}", name)
    if len(list((desk.root / "in").rglob("*.*"))) < 3:
        pytest.skip("this file system folds cases")
    said = desk.lake("init", "out", "--from", "in", code=None)
    assert said.code in (ConflictError.exit_code, UsageError.exit_code)
    assert says in said.err
    assert "hint: rename one" in said.err
    assert not (desk.root / "out").exists()
    desk.lake("init", "out", "--from", "in", "--keep-going", code=PartialFailure.exit_code)
    assert "z" in lake.open(desk.root / "out").ids


def test_an_id_twice_in_a_dataset(desk: Desk) -> None:
    desk.datasets()
    text = (desk.root / "d/samples/a/2.json").read_text()
    twice = desk.write("d/samples/a/2.yaml", text)
    for words in ("clone d out", "push d", "convert d --layout packed", "verify d"):
        desk.refused(ManifestError, *words.split(), says="a/2")
    twice.unlink()
    desk.lake("convert", "d", "packed", "--layout", "packed")
    part = desk.root / "packed/samples/part-00000.jsonl"
    part.write_text(part.read_text() + part.read_text().splitlines()[2] + "\n")
    desk.refused(ManifestError, "clone", "packed", "out", says="two manifests have one id")


def test_an_id_twice_in_python(desk: Desk) -> None:
    desk.datasets()
    dataset = lake.open(desk.root / "d")
    for view in (dataset.cat(dataset), dataset.with_ids("same")):
        with pytest.raises(UsageError, match="two samples have this id"):
            view.write("out")
    twice = lake.DatasetWriter("out", Descriptor(name="out"))
    with pytest.raises(UsageError, match="two samples have this id"), twice as writer:
        writer.add_all([dataset[0], dataset[0]])
    assert not (desk.root / "out").exists()


def test_special_files_among_the_input_are_named_and_block_nothing(desk: Desk) -> None:
    desk.pictures()
    for name, make in {
        "pipe.bin": os.mkfifo,
        "gone.bin": lambda path: path.symlink_to("nowhere"),
        "loop.bin": lambda path: path.symlink_to("loop.bin"),
        "up": lambda path: path.symlink_to(".."),
    }.items():
        path = desk.root / "src/a" / name
        make(path)
        words = ("init", "out", "--from", "src")
        desk.refused(InputError, *words, says=f"src/a/{name}")
        desk.refused(InputError, *words, "-r", "./x", says=f"src/a/{name}", besides="x")
        path.unlink()
