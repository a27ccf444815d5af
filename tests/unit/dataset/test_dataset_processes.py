"""Threads, forked and spawned processes, and torch's DataLoader on top of them."""

from __future__ import annotations

import concurrent.futures
import hashlib
import multiprocessing
import os
import pickle
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import lake
from lake.dataset import Dataset, Sample, open_dataset
from lake.errors import ConflictError
from tests.unit.dataset.making import remote_only, small

COUNT = 40


@pytest.fixture(params=["files", "packed"])
def dataset(request: pytest.FixtureRequest, tmp_path: Path) -> Dataset:
    """Blobs half in files of the dataset, half in a folder remote only."""
    blobs = {f"far/{n:03d}": b"far %d" % n for n in range(COUNT)}
    far = remote_only(tmp_path / "far", tmp_path / "store", blobs)
    near = small(tmp_path / "near", COUNT).select("data")
    written = (near + far).write(tmp_path / "d", layout=request.param)
    return written.map(with_sum)


def with_sum(sample: Sample) -> Sample:
    return sample.set("sum", hashlib.sha256(sample["data"].bytes()).hexdigest())


def sums(samples: Iterator[Sample] | list[Sample]) -> list[str]:
    return [sample["sum"]() for sample in samples]


def expected(dataset: Dataset) -> list[str]:
    found = sums(list(dataset))
    assert found == [sample["data"].ref.sha256 for sample in dataset]
    return found


def read_slice(dataset: Dataset, start: int, stop: int) -> list[str]:
    return sums(list(dataset[start:stop].iter(prefetch=4)))


def test_many_threads_read_one_dataset(dataset: Dataset) -> None:
    right = expected(dataset)
    fresh = open_dataset(dataset.root or Path()).map(with_sum)
    barrier = threading.Barrier(8)

    def read(number: int) -> list[str]:
        barrier.wait()
        order = range(len(fresh)) if number % 2 else range(len(fresh) - 1, -1, -1)
        found = {n: fresh[n]["sum"]() for n in order}
        return [found[n] for n in range(len(fresh))]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert list(pool.map(read, range(8))) == [right] * 8


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_other_processes_read_what_the_parent_has_read(dataset: Dataset, method: str) -> None:
    right = expected(dataset)
    context = multiprocessing.get_context(method)
    with quiet_about_forks(), concurrent.futures.ProcessPoolExecutor(2, context) as pool:
        cuts = range(0, len(right), 11)
        parts = [pool.submit(read_slice, dataset, start, start + 11) for start in cuts]
        assert [each for part in parts for each in part.result(timeout=120)] == right
    assert expected(dataset) == right


class quiet_about_forks(warnings.catch_warnings):
    """Python 3.12 warns of any fork of a process with threads, which is what is tested here."""

    def __enter__(self) -> Any:
        found = super().__enter__()
        warnings.filterwarnings("ignore", message=".*fork.*", category=DeprecationWarning)
        return found


def test_a_fork_in_the_middle_of_an_iteration(dataset: Dataset) -> None:
    right = expected(dataset)
    samples = dataset.iter(prefetch=4)
    next(samples)
    reader, writer = os.pipe()
    with quiet_about_forks():
        child = os.fork()
    if child == 0:
        try:
            found = sums(list(dataset.iter(prefetch=4))) + sums(list(dataset))
            os.write(writer, b"right" if found == right * 2 else b"wrong")
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        assert pipe.read() == b"right"
    os.waitpid(child, 0)
    assert sums(samples) == right[1:]


def test_two_datasets_in_one_process(tmp_path: Path) -> None:
    one = remote_only(tmp_path / "1", tmp_path / "s1", {"a": b"one", "b": b"same"})
    two = remote_only(tmp_path / "2", tmp_path / "s2", {"a": b"two", "b": b"same"})
    assert [s["data"].bytes() for s in one + two] == [b"one", b"same", b"two", b"same"]
    both = (one + two).with_ids("{:d}").write(tmp_path / "both")
    assert [s["data"].bytes() for s in both] == [b"one", b"same", b"two", b"same"]
    assert sorted(both.descriptor.remotes) == ["main", "main-2"]


def test_a_pickle_is_small_and_finds_the_same_samples_or_says_so(tmp_path: Path) -> None:
    dataset = small(tmp_path / "d", 2000)
    text = pickle.dumps(dataset[3:900].select("n"))
    assert len(text) < 3000
    again = pickle.loads(text)
    assert [s["n"]() for s in again] == [s["n"]() for s in dataset[3:900]]
    (tmp_path / "d/samples/train/001.json").unlink()
    assert pickle.loads(text)[0] == again[0]  # still open in this process
    del again
    with pytest.raises(ConflictError, match="changed since it was pickled"):
        pickle.loads(text)


# torch


def collate(samples: list[Sample]) -> list[tuple[str, str]]:
    return [(sample.id, sample["sum"]()) for sample in samples]


@pytest.mark.parametrize(("method", "workers"), [("fork", 0), ("fork", 2), ("spawn", 2)])
def test_torch_loads_in_the_parent_and_then_in_workers(
    dataset: Dataset, method: str, workers: int
) -> None:
    torch_data = pytest.importorskip("torch.utils.data")
    right = list(zip(dataset.ids, expected(dataset), strict=True))
    view: Any = dataset
    loader = torch_data.DataLoader(
        view,
        batch_size=7,
        num_workers=workers,
        collate_fn=collate,
        multiprocessing_context=method if workers else None,
        persistent_workers=bool(workers),
    )
    with quiet_about_forks():
        for _ in range(2):
            assert [pair for batch in loader for pair in batch] == right
    shuffled = torch_data.DataLoader(view, batch_size=16, shuffle=True, collate_fn=collate)
    assert sorted(pair for batch in shuffled for pair in batch) == sorted(right)


def test_import_lake_is_light() -> None:
    import subprocess

    code = (
        "import sys, lake; heavy = {'numpy', 'PIL', 'pydantic', 'yaml', 'obstore', 'boto3',"
        " 'minio', 'sqlite3', 'pyarrow', 'torch', 'rich', 'typer', 'orjson'};"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert set(lake.__all__) <= set(dir(lake))
    assert all(getattr(lake, name) is not None for name in lake.__all__)
    with pytest.raises(AttributeError):
        _ = lake.nothing_of_that_name
