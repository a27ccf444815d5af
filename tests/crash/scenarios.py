"""Pieces of work that must survive a power cut, and what each promises at every moment."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lake import fsio
from lake.store import BytesBody, Expect, blob_key
from lake.store.cache import Cache
from lake.store.local import LocalStore
from lake.testing.crash import Recorder, State

OLD, NEW = b"the old bytes", b"other bytes, and more of them"
BLOBS = [b"blob number %d, long enough to be torn in the middle" % n for n in range(3)]
DIGESTS = [hashlib.sha256(blob).hexdigest() for blob in BLOBS]
KEYS = [blob_key(digest) for digest in DIGESTS]
NO_PREPARATION: Callable[[Path], None] = lambda root: None  # noqa: E731


@dataclass(frozen=True)
class Scenario:
    name: str
    run: Callable[[Path, Recorder], None]
    check: Callable[[State], None]
    prepare: Callable[[Path], None] = NO_PREPARATION
    # Its directory is durable beforehand, which the code cannot know: on a disk without syncfs
    # it syncs that directory's name for nothing.
    settled: bool = False


SCENARIOS: list[Scenario] = []


def scenario(
    check: Callable[[State], None],
    prepare: Callable[[Path], None] = NO_PREPARATION,
    *,
    settled: bool = False,
) -> Callable[[Callable[[Path, Recorder], None]], Callable[[Path, Recorder], None]]:
    def register(run: Callable[[Path, Recorder], None]) -> Callable[[Path, Recorder], None]:
        SCENARIOS.append(Scenario(run.__name__, run, check, prepare, settled))
        return run

    return register


# -- checks


def blobs_are_whole(state: State) -> None:
    """P1: no visible blob name ever holds other bytes."""
    for path, content in state.tree.items():
        if "sha256/" in path and content is not None and ".lake-tmp" not in path:
            assert hashlib.sha256(content).hexdigest() == path.rpartition("/")[2], f"P1: {path}"


def reported_is_there(state: State) -> None:
    """P2: what was reported is there after the cut; marks read "name=digest of the bytes"."""
    for mark in state.marks:
        name, _, digest = mark.partition("=")
        if digest == "gone":
            assert name not in state.tree, f"P2: {name} is back"
        else:
            content = state.tree.get(name)
            assert content is not None, f"P2: {name} is lost"
            assert hashlib.sha256(content).hexdigest() == digest, f"P2: {name} is torn"


def reported(recorder: Recorder, name: str, data: bytes) -> None:
    recorder.mark(f"{name}={hashlib.sha256(data).hexdigest()}")


def old_or_new(state: State) -> None:
    assert state.tree.get("file") in (OLD, NEW), "neither the old bytes nor the new"
    reported_is_there(state)


def nothing_or_new(state: State) -> None:
    assert state.tree.get("file") in (None, NEW), "torn"
    reported_is_there(state)


def whole_and_there(state: State) -> None:
    blobs_are_whole(state)
    reported_is_there(state)


# -- one file


def _old_file(root: Path) -> None:
    (root / "file").write_bytes(OLD)


@scenario(nothing_or_new)
def write_file_anew(root: Path, recorder: Recorder) -> None:
    fsio.write_file(root / "file", NEW)
    reported(recorder, "file", NEW)


@scenario(old_or_new, _old_file)
def write_file_over(root: Path, recorder: Recorder) -> None:
    fsio.write_file(root / "file", NEW)
    reported(recorder, "file", NEW)


def _made_dirs(state: State) -> None:
    assert not state.marks or "a/b/c/" in state.tree, "P2: a directory is lost"


@scenario(_made_dirs)
def make_dirs(root: Path, recorder: Recorder) -> None:
    fsio.make_dirs(root / "a" / "b" / "c")
    recorder.mark("made")


# -- batches


def _batch_whole(state: State) -> None:
    for name, content in state.tree.items():
        path = name[name.find("x/") :]
        if "x/" in name and ".lake-tmp" not in name:
            assert content is None or content == path.encode() * 3, f"{name} is torn"
    reported_is_there(state)


@scenario(_batch_whole)
def batch_in_few_directories(root: Path, recorder: Recorder) -> None:
    names = ["x/a", "x/b", "x/deep/er/c"]
    with fsio.Batch(root / "new" / "root") as batch:
        for name in names:
            batch.write(name, name.encode() * 3)
        batch.commit()
        for name in names:
            reported(recorder, f"new/root/{name}", name.encode() * 3)


@scenario(_batch_whole)
def batch_in_many_directories(root: Path, recorder: Recorder) -> None:
    names = [f"x/{n}/f" for n in range(6)]
    with fsio.Batch(root / "in") as batch:
        for name in names:
            batch.write(name, name.encode() * 3)
        batch.commit()
        for name in names:
            reported(recorder, f"in/{name}", name.encode() * 3)


@scenario(_batch_whole)
def two_rounds_of_one_batch(root: Path, recorder: Recorder) -> None:
    with fsio.Batch(root / "in") as batch:
        for name in ("x/first", "x/second"):
            batch.write(name, name.encode() * 3, replace=False)
            batch.commit()
            reported(recorder, f"in/{name}", name.encode() * 3)


def _moved(state: State) -> None:
    copies = [state.tree.get(name) == OLD for name in ("file", "moved")]
    assert any(copies), "neither the old file nor its successor is there"
    reported_is_there(state)


@scenario(_moved, _old_file, settled=True)
def batch_writes_then_removes(root: Path, recorder: Recorder) -> None:
    with fsio.Batch(root) as batch:
        batch.remove("file")
        batch.write("moved", OLD)
        batch.commit()
    reported(recorder, "moved", OLD)
    recorder.mark("file=gone")


# -- directories


def _directory_whole(state: State) -> None:
    if "up/out/" in state.tree:
        for name, data in (("a", OLD), ("b/c", NEW)):
            assert state.tree.get(f"up/out/{name}") == data, f"out is there without {name}"
        assert len([path for path in state.tree if path.startswith("up/out/")]) == 4
    reported_is_there(state)


@scenario(_directory_whole)
def new_directory(root: Path, recorder: Recorder) -> None:
    with fsio.NewDirectory(root / "up" / "out") as new:
        new.batch.write("a", OLD)
        late = new.batch.stage()
        late.write(NEW)
        late.publish_as("b/c")
    reported(recorder, "up/out/a", OLD)
    reported(recorder, "up/out/b/c", NEW)


def _old_directory(root: Path) -> None:
    (root / "up" / "out" / "b").mkdir(parents=True)
    (root / "up" / "out" / "b" / "old").write_bytes(OLD)


def _one_of_two_directories(state: State) -> None:
    inside = {path[7:]: data for path, data in state.tree.items() if path.startswith("up/out/")}
    old = {"": None, "b/": None, "b/old": OLD}
    new = {"": None, "b/": None, "b/new": NEW}
    assert inside in (old, new), f"neither the old directory nor the new: {sorted(inside)}"
    assert not state.marks or inside == new, "P2: the new directory is lost"


@scenario(_one_of_two_directories, _old_directory, settled=True)
def new_directory_in_place_of_an_old_one(root: Path, recorder: Recorder) -> None:
    with fsio.NewDirectory(root / "up" / "out", replace=True) as new:
        new.batch.write("b/new", NEW)
    recorder.mark("replaced")


# -- stores


def put_all(store: LocalStore, recorder: Recorder) -> None:
    for blob in BLOBS:
        store.put(blob_key, BytesBody(blob))
    store.flush()
    for key, blob in zip(KEYS, BLOBS, strict=True):
        reported(recorder, f"store/{key}", blob)


@scenario(whole_and_there)
def store_put(root: Path, recorder: Recorder) -> None:
    store = LocalStore(root / "store")
    put_all(store, recorder)
    store.close()


def _healed(state: State) -> None:
    found = state.tree.get(f"store/{KEYS[0]}") or b""
    torn = BLOBS[0][:7]
    assert found == BLOBS[0] or len(found) <= len(torn), "torn anew"
    reported_is_there(state)


@scenario(_healed)
def store_heals_a_torn_object(root: Path, recorder: Recorder) -> None:
    with recorder.unsynced(), fsio.Batch(root / "store") as foreign_tool:
        foreign_tool.write(KEYS[0], BLOBS[0][:7])
        foreign_tool.commit()
    store = LocalStore(root / "store")
    store.put(KEYS[0], BytesBody(BLOBS[0]), expect=Expect(DIGESTS[0], len(BLOBS[0])))
    store.flush()
    reported(recorder, f"store/{KEYS[0]}", BLOBS[0])
    store.close()


@scenario(reported_is_there)
def store_finds_what_another_has_not_synced(root: Path, recorder: Recorder) -> None:
    other, store = LocalStore(root / "store"), LocalStore(root / "store")
    with recorder.unsynced():
        for blob in BLOBS[:2]:
            other.put(blob_key, BytesBody(blob))
        other.flush()
    for blob, digest in zip(BLOBS[:2], DIGESTS, strict=False):
        assert not store.put(blob_key, BytesBody(blob), expect=Expect(digest, len(blob))).created
    store.flush()
    for key, blob in zip(KEYS[:2], BLOBS, strict=False):
        reported(recorder, f"store/{key}", blob)
    other.close()
    store.close()


def _manifest_implies_blobs(state: State) -> None:
    """P3: a manifest is never published before its blobs are durable."""
    blobs_are_whole(state)
    reported_is_there(state)
    text = state.tree.get("sets/data/samples/one.json")
    if text is not None:
        assert text == json.dumps(DIGESTS).encode(), "the manifest is torn"
        for digest in json.loads(text):
            assert f"store/{blob_key(digest)}" in state.tree, "P3: a blob of the manifest is lost"


@scenario(_manifest_implies_blobs)
def blobs_then_manifest(root: Path, recorder: Recorder) -> None:
    store = LocalStore(root / "store")
    put_all(store, recorder)
    text = json.dumps(DIGESTS).encode()
    with fsio.NewDirectory(root / "sets" / "data") as new:
        new.batch.write("samples/one.json", text)
    reported(recorder, "sets/data/samples/one.json", text)
    store.close()


@scenario(_manifest_implies_blobs, settled=True)
def blobs_then_manifest_in_place(root: Path, recorder: Recorder) -> None:
    store = LocalStore(root / "store")
    text = json.dumps(DIGESTS).encode()
    with fsio.Batch(root / "sets" / "data") as batch:
        batch.write("samples/one.json", text)
        put_all(store, recorder)
        batch.commit()
    reported(recorder, "sets/data/samples/one.json", text)
    store.close()


# -- the cache


@scenario(reported_is_there)
def cache_pin(root: Path, recorder: Recorder) -> None:
    cache = Cache(root / "cache")
    with recorder.unsynced():
        cache.add_bytes(DIGESTS[0], BLOBS[0])
    if cache.pin(DIGESTS[0]):
        reported(recorder, f"cache/pins/{DIGESTS[0]}", BLOBS[0])
    cache.close()
