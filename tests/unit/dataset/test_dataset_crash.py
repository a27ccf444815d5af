"""A power cut, or a kill, while a dataset is written: what is left is the old one or the new one,
and no manifest names bytes that are not there."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lake.dataset import Dataset, Sample, open_dataset
from lake.testing.crash import Recorder, State, states
from lake.transfer import Place
from tests.unit.dataset.making import blob, contents, remote_only, small

Rows = list[tuple[str, dict[str, object]]]


@pytest.fixture
def folder() -> Iterator[Path]:
    home = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=home) as name:
        yield Path(name)


def left_behind(state: State, name: str) -> Rows | None:
    """What a reader finds after the cut; every byte of it is fetched, so that P3 is proven."""
    with tempfile.TemporaryDirectory() as room:
        state.write_to(Path(room))
        if not (Path(room) / name / "dataset.yaml").exists():
            return None
        return contents(open_dataset(Path(room) / name))


def more(sample: Sample) -> Sample:
    return sample.set("n", -1).set("extra", blob(b"extra " + sample.id.encode()))


@pytest.mark.parametrize("layout", ["files", "packed"])
@pytest.mark.parametrize("whole", [True, False])
def test_P2_P3_a_new_dataset_is_there_or_not(folder: Path, layout: str, whole: bool) -> None:
    source = small(folder / "in", 2)
    room = folder / "room"
    room.mkdir()
    with Recorder(room, whole=whole) as recorder:
        source.write(room / "out", layout=layout, mode="copy")  # type: ignore[arg-type]
        recorder.mark("written")
    seen = set()
    for state in states(recorder, limit=20):
        found = left_behind(state, "out")
        assert found in (None, contents(source)), state.last
        assert found is not None or not state.marks, "what was reported is lost"
        seen.add(found is None)
    assert seen == {True, False}


@pytest.mark.parametrize("layout", ["files", "packed"])
@pytest.mark.parametrize("whole", [True, False])
def test_P3_rewriting_in_place_leaves_every_sample_whole(
    folder: Path, layout: str, whole: bool
) -> None:
    room = folder / "room"
    small(folder / "in", 2).write(room / "d", layout=layout)  # type: ignore[arg-type]
    old = contents(open_dataset(room / "d"))
    view = open_dataset(room / "d").map(more)
    new = contents(view)
    with Recorder(room, whole=whole) as recorder:
        view.write(room / "d", in_place=True)
        recorder.mark("written")
    for state in states(recorder, limit=20):
        found = left_behind(state, "d")
        assert found is not None, state.last
        # Where each sample has its own file, each one is old or new; else all are.
        assert all(row in (a, b) for row, a, b in zip(found, old, new, strict=True)), state.last
        assert layout == "files" or found in (old, new), state.last
        assert not state.marks or found == new, "what was reported is lost"


def fewer(dataset: Dataset) -> Dataset:
    return dataset[1:].map(more)


def other_remote(dataset: Dataset) -> Dataset:
    """Manifests that name another alias of the same folder, and no longer the old one."""
    remotes = {"other": dataset.descriptor.remotes["main"]}
    descriptor = dataset.descriptor.model_copy(update={"remotes": remotes})
    return dataset.with_descriptor(descriptor).map(call_it_other)


def call_it_other(sample: Sample) -> Sample:
    item = sample["data"]
    ref = item.ref.with_location("other").without_location("main")
    assert item.place is not None
    place = Place(item.place.root, {"other": item.place.remotes["main"]})
    return sample.set("data", item.with_ref(ref, place))  # type: ignore[attr-defined]


@pytest.mark.parametrize("change", [fewer, other_remote])
@pytest.mark.parametrize("new_layout", ["files", "packed"])
@pytest.mark.parametrize("layout", ["files", "packed"])
def test_P3_overwriting_never_shows_a_dataset_that_cannot_be_read(
    folder: Path, layout: str, new_layout: str, change: Callable[[Dataset], Dataset]
) -> None:
    room = folder / "room"
    room.mkdir()
    blobs = {id: id.encode() * 3 for id in ("a", "b", "c")}
    remote_only(folder / "in", folder / "store", blobs).write(room / "d", layout=layout)  # type: ignore[arg-type]
    old = dict(contents(open_dataset(room / "d")))
    view = change(open_dataset(room / "d"))
    new = dict(contents(view))
    with Recorder(room) as recorder:
        view.write(room / "d", in_place=True, layout=new_layout)  # type: ignore[arg-type]
    for state in states(recorder, limit=20):
        found = left_behind(state, "d")
        assert found is not None
        for id, items in found:
            assert items in (old.get(id), new.get(id)), state.last


SCRIPT = """
import sys
from pathlib import Path
from lake.dataset import open_dataset
from tests.unit.dataset.test_dataset_crash import more
dataset = open_dataset(Path(sys.argv[1]))
print("go", flush=True)
dataset.map(more).write(Path(sys.argv[2]), in_place=sys.argv[1] == sys.argv[2])
"""


@pytest.mark.parametrize("layout", ["files", "packed"])
@pytest.mark.parametrize("in_place", [True, False])
def test_P6_a_killed_write_leaves_old_or_new_and_can_be_run_again(
    tmp_path: Path, layout: str, in_place: bool
) -> None:
    small(tmp_path / "in", 250).write(tmp_path / "d", layout=layout)  # type: ignore[arg-type]
    source = open_dataset(tmp_path / "d")
    old, new = contents(source), contents(source.map(more))
    out = tmp_path / ("d" if in_place else "out")
    argv = [sys.executable, "-c", SCRIPT, str(tmp_path / "d"), str(out)]
    drawn = random.Random(7)
    for _ in range(2):
        with subprocess.Popen(argv, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]) as run:
            assert run.stdout is not None
            run.stdout.readline()
            time.sleep(drawn.uniform(0, 0.6))
            run.send_signal(signal.SIGKILL)
        if out.exists():
            found = contents(open_dataset(out))
            assert all(row in (a, b) for row, a, b in zip(found, old, new, strict=True))
            assert layout == "files" or found in (old, new)
    if in_place or not out.exists():
        subprocess.run(argv, check=True, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3])
    assert contents(open_dataset(out)) == new
    assert not list(tmp_path.glob("**/*lake-tmp*"))
