"""Writing: round trips, modes, what is there already, and what must never happen."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import lake
from lake.dataset import Dataset, Item, Sample, open_dataset
from lake.dataset.writer import DatasetWriter
from lake.errors import (
    BlobUnavailable,
    ConflictError,
    UsageError,
)
from lake_schemas.descriptor import Descriptor
from tests.unit.dataset.making import (
    add_local,
    blob,
    contents,
    remote_only,
    sha,
    small,
    stamps,
    tree,
)

NAME = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,8}", fullmatch=True)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)  # fmt: skip
ITEMS = st.dictionaries(NAME, st.binary(max_size=40).map(blob) | VALUES, max_size=5).filter(
    lambda items: len({name.lower() for name in items}) == len(items)
)
SAMPLES = st.lists(
    st.builds(Sample, st.lists(NAME, min_size=1, max_size=3).map("/".join), ITEMS),
    max_size=6,
    unique_by=lambda sample: sample.id.lower(),
).filter(lambda samples: _directories_agree([sample.id for sample in samples]))
LAYOUTS = st.sampled_from([("files", "json"), ("files", "yaml"), ("packed", "json")])


def _directories_agree(ids: list[str]) -> bool:
    heads = {id[:n] for id in ids for n, c in enumerate(id) if c == "/"}
    return len({head.lower() for head in heads}) == len(heads)


def by_id(samples: list[Sample]) -> list[Sample]:
    return sorted(samples, key=lambda sample: sample.id.encode())


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(samples=SAMPLES, plan=st.lists(LAYOUTS, min_size=1, max_size=3))
def test_layouts_are_lossless(
    tmp_path_factory: pytest.TempPathFactory, samples: list[Sample], plan: list[tuple[str, str]]
) -> None:
    room = tmp_path_factory.mktemp("round")
    dataset = Dataset.from_samples(samples)
    digest = dataset.digest()
    for number, (layout, format) in enumerate(plan):
        dataset = dataset.write(room / str(number), layout=layout, format=format)  # type: ignore[arg-type]
        assert dataset.descriptor.layout == layout
        assert dataset.descriptor.format == format
        assert list(dataset) == by_id(samples)
        assert dataset.digest() == digest
        assert open_dataset(room / str(number)).digest() == digest
    # Written once more, from memory: it is all there, so nothing is touched.
    before = stamps(room / "0")
    again = Dataset.from_samples(samples).write(room / "0", layout=plan[0][0], format=plan[0][1])  # type: ignore[arg-type]
    assert again.digest() == digest
    assert stamps(room / "0") == before


def test_two_layouts_of_one_dataset_give_the_same_bytes_again(tmp_path: Path) -> None:
    first = small(tmp_path / "a")
    packed = first.write(tmp_path / "b", layout="packed")
    packed.write(tmp_path / "c", layout="files")
    assert tree(tmp_path / "c") == tree(tmp_path / "a")


def test_order_of_samples_does_not_matter(tmp_path: Path) -> None:
    dataset = small(tmp_path / "a", 30)
    for layout in ("files", "packed"):
        dataset.write(tmp_path / layout, layout=layout)  # type: ignore[arg-type]
        shuffled = dataset.shuffle(3).write(tmp_path / f"{layout}-2", layout=layout)  # type: ignore[arg-type]
        assert tree(tmp_path / f"{layout}-2") == tree(tmp_path / layout)
        assert shuffled.digest() == dataset.digest() == dataset.shuffle(4).digest()


# Modes.


def test_manifests_mode_keeps_pointers_and_copies_only_what_no_remote_has(tmp_path: Path) -> None:
    remote = remote_only(tmp_path / "in", tmp_path / "store", {"a": b"far", "b": b"away"})
    mixed = remote.map(add_local)
    out = mixed.write(tmp_path / "out", mode="manifests")
    assert sorted(tree(tmp_path / "out")) == [
        "dataset.yaml",
        "files/a.near.bin",
        "files/b.near.bin",
        "samples/a.json",
        "samples/b.json",
    ]
    assert contents(out) == contents(mixed)


def test_clone_of_pointers_brings_every_byte(tmp_path: Path) -> None:
    blobs = {f"train/{n:03d}": bytes([n]) * (n + 1) for n in range(20)}
    remote = remote_only(tmp_path / "in", tmp_path / "store", blobs)
    out = remote.write(tmp_path / "out", mode="copy")
    for id, data in blobs.items():
        ref = out.sample(id)["data"].ref
        assert ref.aliases == ("main",)
        assert (tmp_path / "out" / str(ref.file)).read_bytes() == data
        assert ref.file == f"files/{id}.data.bin"
    # The second time there is nothing to do.
    before = stamps(tmp_path / "out")
    remote.write(tmp_path / "out", mode="copy", overwrite=True)
    assert stamps(tmp_path / "out") == before


@pytest.mark.parametrize("mode", ["copy", "auto", "reflink", "hardlink"])
def test_files_are_taken_along_byte_for_byte(tmp_path: Path, mode: str) -> None:
    dataset = small(tmp_path / "in")
    out = dataset.write(tmp_path / "out", mode=mode)
    assert contents(out) == contents(dataset)
    source = tmp_path / "in" / str(dataset[0]["data"].ref.file)
    target = tmp_path / "out" / str(out[0]["data"].ref.file)
    assert source.samefile(target) is (mode == "hardlink")


def test_symbolic_links_are_made_when_asked_for(tmp_path: Path) -> None:
    dataset = small(tmp_path / "in")
    out = dataset.write(tmp_path / "out", mode="symlink")
    target = tmp_path / "out" / str(out[0]["data"].ref.file)
    assert target.is_symlink()
    assert target.read_bytes() == b"data 1"
    # This machine knows that it made them, so it follows them, and verifies as ever.
    assert contents(out) == contents(dataset)
    assert out[0]["data"].path().read_bytes() == b"data 1"
    assert contents(out.write(tmp_path / "copy", mode="copy")) == contents(dataset)
    (tmp_path / "in" / str(dataset[0]["data"].ref.file)).write_bytes(b"data X")
    with pytest.raises(BlobUnavailable):
        out[0]["data"].bytes()


def test_P8_symbolic_links_that_somebody_else_made_are_not_followed(tmp_path: Path) -> None:
    dataset = small(tmp_path / "in")
    dataset.write(tmp_path / "out", mode="symlink")
    # As a repository with links in it would come: the same names, another directory.
    shutil.copytree(tmp_path / "out", tmp_path / "cloned", symlinks=True)
    (tmp_path / "out").rename(tmp_path / "aside")
    (tmp_path / "cloned").rename(tmp_path / "out")
    item = open_dataset(tmp_path / "out")[0]["data"]
    for use in (item.bytes, item.path, item.open):
        with pytest.raises(BlobUnavailable, match="symbolic link"):
            use()


def test_modes_may_differ_by_item(tmp_path: Path) -> None:
    remote = remote_only(tmp_path / "in", tmp_path / "store", {"a": b"far"})
    both = remote.zip(remote, "*_2")
    out = both.write(tmp_path / "out", mode="manifests", modes={"data_2": "copy"})
    assert out[0]["data"].ref.file is None
    assert out[0]["data_2"].ref.file == "files/a.data_2.bin"
    with pytest.raises(UsageError, match="no such mode"):
        both.write(tmp_path / "other", modes={"data": "move"})
    assert not (tmp_path / "other").exists()


def test_a_corrupt_file_is_never_copied(tmp_path: Path) -> None:
    dataset = small(tmp_path / "in")
    file = tmp_path / "in" / str(dataset[0]["data"].ref.file)
    file.write_bytes(b"data X")
    with pytest.raises(BlobUnavailable):
        dataset.write(tmp_path / "out", mode="copy")
    assert not (tmp_path / "out").exists()


def test_where_the_file_is_corrupt_the_remote_serves(tmp_path: Path) -> None:
    remote = remote_only(tmp_path / "in", tmp_path / "store", {"a": b"right"})
    local = remote.write(tmp_path / "local", mode="copy")
    (tmp_path / "local" / "files/a.data.bin").write_bytes(b"wrong")
    out = local.write(tmp_path / "out", mode="copy")
    assert (tmp_path / "out" / "files/a.data.bin").read_bytes() == b"right"
    assert out[0]["data"].bytes() == b"right"


def test_big_blobs_come_whole(tmp_path: Path) -> None:
    data = os.urandom(20 << 20)
    remote = remote_only(tmp_path / "in", tmp_path / "store", {"a": data, "b": b"tiny"})
    out = remote.write(tmp_path / "out", mode="copy")
    assert (tmp_path / "out" / str(out[0]["data"].ref.file)).read_bytes() == data


def test_one_file_shared_by_samples_is_carried_once(tmp_path: Path) -> None:
    one = small(tmp_path / "in", 1)
    same = one.repeat(3).with_ids("{:03d}")
    out = same.write(tmp_path / "out", mode="copy")
    assert {sample["data"].ref.file for sample in out} == {one[0]["data"].ref.file}


def test_files_of_one_name_but_other_bytes_are_kept_apart(tmp_path: Path) -> None:
    def dataset(name: str, data: bytes) -> Dataset:
        return lake.create(tmp_path / name, [Sample("x", {"data": blob(data)})])

    both = (dataset("a", b"one") + dataset("b", b"two")).with_ids("{:d}")
    out = both.write(tmp_path / "out", mode="copy")
    assert [sample["data"].bytes() for sample in out] == [b"one", b"two"]
    assert out[0]["data"].ref.file == "files/x.data.bin"
    assert out[1]["data"].ref.file == f"files/x.data-{sha(b'two')[:8]}.bin"


def test_new_files_are_hashed_as_they_are_copied(tmp_path: Path) -> None:
    picture = tmp_path / "picture.bin"
    picture.write_bytes(b"pixels")
    item = Item.from_file(picture)
    with DatasetWriter(tmp_path / "out", Descriptor()) as writer:
        writer.add(Sample("a", {"image": item}))
    out = open_dataset(tmp_path / "out")
    assert out[0]["image"].ref.sha256 == sha(b"pixels")
    picture.write_bytes(b"others")
    assert out[0]["image"].bytes() == b"pixels"


def test_a_file_that_changed_since_it_was_hashed_is_refused(tmp_path: Path) -> None:
    picture = tmp_path / "picture.bin"
    picture.write_bytes(b"pixels")
    item = Item.from_file(picture)
    assert item.ref.size == 6
    picture.write_bytes(b"other!")
    with pytest.raises(lake.LakeError, match=r"picture\.bin"):
        lake.create(tmp_path / "out", [Sample("a", {"image": item})])
    assert not (tmp_path / "out").exists()


# What is there already.


def test_nothing_is_rewritten_where_nothing_differs(tmp_path: Path) -> None:
    for layout in ("files", "packed"):
        dataset = small(tmp_path / f"in-{layout}").write(tmp_path / layout, layout=layout)  # type: ignore[arg-type]
        before = stamps(tmp_path / layout)
        small_again = open_dataset(tmp_path / f"in-{layout}")
        small_again.write(tmp_path / layout, layout=layout)  # type: ignore[arg-type]
        small_again.write(tmp_path / layout, layout=layout, overwrite=True)  # type: ignore[arg-type]
        dataset.write(tmp_path / layout, in_place=True)
        assert stamps(tmp_path / layout) == before


@pytest.mark.parametrize("layout", ["files", "packed"])
def test_another_dataset_is_not_overwritten_by_accident(tmp_path: Path, layout: str) -> None:
    small(tmp_path / "in").write(tmp_path / "out", layout=layout)  # type: ignore[arg-type]
    before = stamps(tmp_path / "out")
    for other in (
        open_dataset(tmp_path / "in")[:5],
        open_dataset(tmp_path / "in").map(add_local),
        open_dataset(tmp_path / "in").with_descriptor(Descriptor(name="else")),
    ):
        with pytest.raises(ConflictError, match="holds something else"):
            other.write(tmp_path / "out", layout=layout)  # type: ignore[arg-type]
        assert {k: v for k, v in stamps(tmp_path / "out").items() if k in before} == before
        assert open_dataset(tmp_path / "out").digest() == open_dataset(tmp_path / "in").digest()


@pytest.mark.parametrize("layout", ["files", "packed"])
@pytest.mark.parametrize("new_layout", ["files", "packed"])
def test_overwriting_leaves_what_is_not_lakes(tmp_path: Path, layout: str, new_layout: str) -> None:
    small(tmp_path / "in").write(tmp_path / "out", layout=layout)  # type: ignore[arg-type]
    strangers = {
        "README.md": b"hello",
        "assets/logo.svg": b"<svg/>",
        ".git/config": b"[core]",
        "samples/NOTES.txt": b"mine",
        "files/extra.txt": b"mine too",
    }
    for rel, data in strangers.items():
        (tmp_path / "out" / rel).parent.mkdir(exist_ok=True)
        (tmp_path / "out" / rel).write_bytes(data)
    other = small(tmp_path / "other", 4).map(add_local)
    out = other.write(tmp_path / "out", layout=new_layout, overwrite=True)  # type: ignore[arg-type]
    assert contents(out) == contents(other)
    assert {rel: (tmp_path / "out" / rel).read_bytes() for rel in strangers} == strangers
    assert not list((tmp_path / "out").glob("**/*lake-tmp*"))


def test_in_place_rewrites_only_the_manifests_that_change(tmp_path: Path) -> None:
    dataset = small(tmp_path / "d", 20)
    before = stamps(tmp_path / "d")
    changed = dataset.map(lambda s: s.set("n", 99) if s["n"]() == 4 else s)
    out = changed.write(tmp_path / "d", in_place=True)
    after = stamps(tmp_path / "d")
    assert {rel for rel in after if after[rel] != before.get(rel)} - {".", "samples/val"} == {
        "samples/val/004.json"
    }
    assert out.sample("val/004")["n"]() == 99
    assert len(out) == 20


def test_in_place_keeps_each_manifests_own_format_and_spelling(tmp_path: Path) -> None:
    small(tmp_path / "d", 3)
    (tmp_path / "d/samples/val/000.json").unlink()
    (tmp_path / "d/samples/val/000.yaml").write_text("values: {n: 0}  # by hand\n")
    by_hand = '{"values": {"n": 1}}'
    (tmp_path / "d/samples/train/001.json").write_text(by_hand)
    dataset = open_dataset(tmp_path / "d")
    out = dataset.map(lambda s: s.set("new", True) if s["n"]() == 2 else s)
    out.write(tmp_path / "d", in_place=True)
    assert (tmp_path / "d/samples/val/000.yaml").read_text().endswith("# by hand\n")
    assert (tmp_path / "d/samples/train/001.json").read_text() == by_hand
    dataset.map(lambda s: s.set("n", -1)).write(tmp_path / "d", in_place=True)
    assert (tmp_path / "d/samples/val/000.yaml").read_text() == 'items: {}\nvalues:\n  "n": -1\n'
    open_dataset(tmp_path / "d").write(tmp_path / "d", in_place=True, format="yaml")
    assert sorted(tree(tmp_path / "d/samples")) == [
        "train/001.yaml",
        "val/000.yaml",
        "val/002.yaml",
    ]


def test_samples_that_left_go_last_and_their_only_blobs_stay(tmp_path: Path) -> None:
    dataset = small(tmp_path / "d", 4)
    dataset["train"].write(tmp_path / "d", in_place=True)
    left = tree(tmp_path / "d")
    assert sorted(rel for rel in left if rel.startswith("samples")) == [
        "samples/train/001.json",
        "samples/train/003.json",
    ]
    # No remote holds them, so lake does not remove them.
    assert "files/val/000.data.bin" in left


def test_files_go_once_a_remote_holds_their_blobs(tmp_path: Path) -> None:
    remote = remote_only(tmp_path / "in", tmp_path / "store", {"a": b"1", "b": b"2"})
    local = remote.write(tmp_path / "local", mode="copy")
    assert (tmp_path / "local/files/a.data.bin").exists()
    out = local.write(tmp_path / "local", in_place=True, mode="manifests")
    assert not list((tmp_path / "local/files").iterdir())
    assert contents(out) == contents(remote)


def test_output_onto_input_is_refused(tmp_path: Path) -> None:
    dataset = small(tmp_path / "d")
    before = tree(tmp_path / "d")
    (tmp_path / "link").symlink_to(tmp_path / "d")
    for out in ("d", "link", "d/../d", "d/inside", "link/samples/x"):
        with pytest.raises(ConflictError):
            dataset[:3].write(tmp_path / out)
        with pytest.raises(ConflictError):
            dataset[:3].write(tmp_path / out, overwrite=True)
    with pytest.raises(ConflictError):
        dataset.write(tmp_path, overwrite=True)
    other = small(tmp_path / "e")
    with pytest.raises(ConflictError):
        (other + dataset).with_ids("{}").write(tmp_path / "d", overwrite=True)
    assert tree(tmp_path / "d") == before


def test_a_directory_of_something_else_is_refused(tmp_path: Path) -> None:
    dataset = small(tmp_path / "d")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/a.jpg").write_bytes(b"")
    with pytest.raises(ConflictError, match="something else than a dataset"):
        dataset.write(tmp_path / "photos")
    (tmp_path / "empty").mkdir()
    assert contents(dataset.write(tmp_path / "empty")) == contents(dataset)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(lake.LakeError):
        dataset.write(tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b""


# Ids.


def test_ids_that_meet_are_refused(tmp_path: Path) -> None:
    for ids in (["a", "a"], ["a", "A"], ["Train/1", "train/2"], ["x/a/1", "X/b/1"]):
        samples = [Sample(id, {"n": n}) for n, id in enumerate(ids)]
        for layout in ("files", "packed"):
            with pytest.raises(UsageError):
                lake.create(tmp_path / "out", samples, layout=layout)  # type: ignore[arg-type]
            assert not (tmp_path / "out").exists()
    dataset = small(tmp_path / "d")
    with pytest.raises(UsageError, match="with_ids"):
        (dataset + dataset).write(tmp_path / "out")
    with pytest.raises(UsageError):
        (dataset + dataset).digest()
