"""Datasets for the tests of this room."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from lake.dataset import Dataset, Item, Sample, open_dataset
from lake.dataset.writer import DatasetWriter
from lake.store.body import BytesBody
from lake.store.layout import blob_key, ensure_layout
from lake.store.local import LocalStore
from lake_schemas.blob import BlobRef
from lake_schemas.descriptor import Descriptor
from lake_schemas.sample import SampleManifest
from lake_schemas.text import dump_sample


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def blob(data: bytes, type: str = "application/x-test") -> Item:
    return Item.from_bytes(data, type=type, ext="bin")


def add_local(sample: Sample) -> Sample:
    """The sample with a new blob."""
    return sample.set("near", blob(b"local " + sample.id.encode()))


def small(path: Path, count: int = 10, **kwargs: object) -> Dataset:
    """A dataset of two partitions with one blob and one value a sample."""
    with DatasetWriter(path, Descriptor(name="small"), **kwargs) as writer:  # type: ignore[arg-type]
        for n in range(count):
            part = "train" if n % 2 else "val"
            writer.add(Sample(f"{part}/{n:03d}", {"data": blob(b"data %d" % n), "n": n}))
    return open_dataset(path)


def remote_only(path: Path, store: Path, blobs: Mapping[str, bytes], **more: str) -> Dataset:
    """A dataset written by hand: one sample per id, its blob in a folder remote only."""
    remote = LocalStore(store)
    ensure_layout(remote)
    for data in blobs.values():
        remote.put(blob_key(sha(data)), BytesBody(data))
    remote.flush()
    lines = ["lake: 1", "remotes:", f"  main: {more.pop('url', str(store))}"]
    lines += [f"  {alias}: {url}" for alias, url in more.items()]
    by_hand(
        path,
        {
            id: SampleManifest(
                items={
                    "data": BlobRef(
                        sha256=sha(data), size=len(data), type="application/x-test", ext="bin"
                    ).with_location("main")
                }
            )
            for id, data in blobs.items()
        },
        "\n".join(lines) + "\n",
    )
    return open_dataset(path)


def by_hand(path: Path, manifests: Mapping[str, SampleManifest], descriptor: str) -> None:
    path.mkdir(parents=True)
    (path / "dataset.yaml").write_text(descriptor)
    for id, manifest in manifests.items():
        file = path / "samples" / f"{id}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(dump_sample(manifest))


def tree(path: Path) -> dict[str, bytes]:
    """All files below a directory, with what is in them."""
    return {
        str(file.relative_to(path)): file.read_bytes()
        for file in sorted(path.rglob("*"))
        if file.is_file()
    }


def stamps(path: Path) -> dict[str, tuple[int, int]]:
    """All files below a directory, with what changes when they are written."""
    found = {}
    for file in sorted(path.rglob("*")):
        stat = file.lstat()
        found[str(file.relative_to(path))] = (stat.st_ino, stat.st_mtime_ns)
    return found


def contents(samples: Iterable[Sample]) -> list[tuple[str, dict[str, object]]]:
    """Ids, blobs' bytes and values."""
    return [
        (s.id, {name: s[name].bytes() if s[name].is_blob else s[name]() for name in s})
        for s in samples
    ]
