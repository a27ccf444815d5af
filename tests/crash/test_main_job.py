"""`lake remote-add` as a whole: no power cut leaves a manifest without its bytes."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lake.fsio import system
from lake.stage.run import run_stage
from lake.store import blob_key
from lake.testing.crash import Recorder, State, violations
from lake_schemas.errors import FormatError
from lake_schemas.text import load_line, load_sample
from lake_stages.remote_add import RemoteAdd
from tests.unit.dataset.making import small


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    home = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=home) as name:
        (Path(name) / "room").mkdir()
        monkeypatch.chdir(name)
        yield Path(name) / "room"


def manifests(state: State, dataset: str) -> Iterator[tuple[str, object]]:
    for path, content in state.tree.items():
        if not path.startswith(f"{dataset}/samples/") or content is None or "/." in path:
            continue
        if path.endswith(".json"):
            yield path, load_sample(content, format="json", where=path)
        elif path.endswith(".jsonl"):
            for line in content.splitlines(keepends=True):
                yield path, load_line(line, where=path)[1]


def bytes_are_there(state: State, dataset: str) -> None:
    """P1 in the store, and P3: what a manifest says can be read."""
    for path, content in state.tree.items():
        if path.startswith("store/sha256/") and content is not None:
            assert hashlib.sha256(content).hexdigest() == path.rpartition("/")[2], "P1: torn"
    try:
        found_manifests = list(manifests(state, dataset))
    except FormatError as error:
        raise AssertionError(f"a manifest is torn: {error}") from error
    for path, manifest in found_manifests:
        for ref in manifest.items.values():  # type: ignore[attr-defined]
            file = state.tree.get(f"{dataset}/{ref.file}") if ref.file else None
            remote = state.tree.get(f"store/{blob_key(ref.sha256)}") if ref.in_ else None
            found = [data for data in (file, remote) if data is not None]
            assert found, f"P3: {path} has no bytes"
            assert all(hashlib.sha256(data).hexdigest() == ref.sha256 for data in found)


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("layout", ["files", "packed"])
def test_P1_P2_P3_into_a_new_dataset(room: Path, layout: str, whole: bool) -> None:
    small(Path("in"), 3)
    with Recorder(room, whole=whole) as recorder:
        run_stage(
            RemoteAdd(remotes=[str(room / "store")]),
            "in",
            room / "out",
            layout=layout,  # type: ignore[arg-type]
        )
        recorder.mark("done")

    def check(state: State) -> None:
        bytes_are_there(state, "out")
        if state.marks or "out/dataset.yaml" in state.tree:
            assert len(list(manifests(state, "out"))) == 3, "P2: samples are lost"

    assert [each.why for each in violations(recorder, check, limit=60)][:3] == []


@pytest.mark.parametrize("whole", [True, False])
def test_P1_P2_P3_in_place(room: Path, whole: bool) -> None:
    small(room / "data", 3)
    with Recorder(room, whole=whole) as recorder:
        run_stage(RemoteAdd(remotes=[str(room / "store")]), room / "data", in_place=True)
        recorder.mark("done")

    def check(state: State) -> None:
        bytes_are_there(state, "data")
        found = [manifest for _, manifest in manifests(state, "data")]
        assert len(found) == 3
        if state.marks:
            assert all(
                ref.in_
                for manifest in found
                for ref in manifest.items.values()  # type: ignore[attr-defined]
            )

    assert [each.why for each in violations(recorder, check, limit=60)][:3] == []


def test_without_any_sync_it_would_break(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check can fail: on a disk that forgets to sync, it does."""
    small(Path("in"), 3)
    recorder = Recorder(room)
    monkeypatch.setattr(system, "current", recorder)
    with recorder.unsynced():
        run_stage(RemoteAdd(remotes=[str(room / "store")]), "in", room / "out")
    assert violations(recorder, lambda state: bytes_are_there(state, "out"), limit=60)
