"""Writing that fails: nothing half-written stays, the rest goes on where that was asked for."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

import lake
from lake.dataset import Item, Sample, open_dataset
from lake.dataset.writer import DatasetWriter
from lake.errors import BlobUnavailable, DiskError, InputError, PartialFailure
from lake.fsio import system as fsio_system
from lake_schemas.descriptor import Descriptor
from tests.unit.dataset.making import add_local, blob, contents, remote_only, small, stamps


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    dataset = small(tmp_path / "in")

    def fail(sample: Sample) -> Sample:
        if sample["n"]() == 7:
            raise ValueError("seven")
        return sample

    with pytest.raises(ValueError, match="seven"):
        dataset.map(fail).write(tmp_path / "out")
    before = stamps(tmp_path / "in")
    with pytest.raises(ValueError, match="seven"):
        dataset.map(fail).map(add_local).write(tmp_path / "in", in_place=True)
    assert stamps(tmp_path / "in").keys() == before.keys()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "in"]


def test_keep_going_writes_the_rest_and_names_what_failed(tmp_path: Path) -> None:
    remote = remote_only(tmp_path / "in", tmp_path / "store", {f"{n}": b"%d" % n for n in range(6)})
    lost = remote[2]["data"].ref.sha256
    (tmp_path / f"store/sha256/{lost[:2]}/{lost}").unlink()

    def fail(sample: Sample) -> Sample:
        if sample.id == "4":
            raise InputError("broken by hand", where=sample.id)
        return sample

    def fail_batch(batch: list[Sample]) -> list[Sample]:
        return [fail(sample) for sample in batch]

    for number, view in enumerate((remote.map(fail), remote.map_batches(fail_batch, 4))):
        with pytest.raises((BlobUnavailable, InputError)):
            view.write(tmp_path / "out", mode="copy")
        assert not (tmp_path / "out").exists()
        with pytest.raises(PartialFailure) as caught:
            view.write(tmp_path / f"some{number}", mode="copy", keep_going=True)
        assert [type(error) for error in caught.value.failures].count(InputError) == 1
        assert len(caught.value.failures) == 2
        out = open_dataset(tmp_path / f"some{number}")
        assert list(out.ids) == ["0", "1", "2", "3", "5"]
        # Its pointer is kept: the remote may come back.
        assert out.sample("2")["data"].ref.file is None
        assert out.sample("3")["data"].ref.file == "files/3.data.bin"


def test_missing_files_of_the_users(tmp_path: Path) -> None:
    missing = Sample("b", {"image": tmp_path / "nowhere.bin"})
    samples = [Sample("a", {"n": 1}), missing, Sample("c", {"n": 3})]
    with pytest.raises(InputError, match=r"nowhere\.bin"):
        lake.create(tmp_path / "out", samples)
    assert not (tmp_path / "out").exists()
    with (
        pytest.raises(PartialFailure),
        DatasetWriter(tmp_path / "out", Descriptor(), keep_going=True) as writer,
    ):
        writer.add_all(samples)
    assert list(open_dataset(tmp_path / "out").ids) == ["a", "c"]


def test_blobs_without_a_source_are_not_written(tmp_path: Path) -> None:
    item = Item.from_ref(blob(b"x").ref)
    with pytest.raises(BlobUnavailable):
        lake.create(tmp_path / "out", [Sample("a", {"x": item})])
    assert not (tmp_path / "out").exists()


class FullDisk(fsio_system.System):
    """A disk with room for so many writes only."""

    def __init__(self, room: int) -> None:
        self.room = room

    def write(self, fd: int, data: bytes | bytearray | memoryview) -> None:
        self.room -= 1
        if self.room < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().write(fd, data)


@pytest.mark.parametrize("keep_going", [False, True])
@pytest.mark.parametrize("room", [0, 3, 11])
def test_a_full_disk_ends_it_and_leaves_nothing_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int, keep_going: bool
) -> None:
    dataset = small(tmp_path / "in")
    monkeypatch.setattr(fsio_system, "current", FullDisk(room))
    with pytest.raises(DiskError, match="no space left"):
        dataset.write(tmp_path / "out", mode="copy", keep_going=keep_going)
    with pytest.raises(DiskError, match="no space left"):
        dataset.map(add_local).write(tmp_path / "in", in_place=True, keep_going=keep_going)
    monkeypatch.undo()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "in"]
    assert contents(open_dataset(tmp_path / "in")) == contents(dataset)
    assert not list(tmp_path.glob("in/**/*lake-tmp*"))


class Watcher:
    def __init__(self) -> None:
        self.told: list[object] = []

    def start(self, what: str, *, items: int | None = None, size: int | None = None) -> None:
        self.told.append((what, items))

    def advance(self, *, items: int = 0, size: int = 0) -> None:
        self.told.append(items)

    def finish(self) -> None:
        self.told.append("finished")


def test_progress_is_told(tmp_path: Path) -> None:
    watcher = Watcher()
    small(tmp_path / "in", 7).write(tmp_path / "out", progress=watcher)
    assert watcher.told == [("write", 7), 7, "finished"]
