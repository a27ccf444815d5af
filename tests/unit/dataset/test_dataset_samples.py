"""Samples and items as a program uses them."""

from __future__ import annotations

import enum
import pickle
from pathlib import Path

import pytest

import lake
from lake.dataset import Item, Sample
from lake.errors import InputError, LakeError, ManifestError, NotFound, UsageError
from lake_schemas.blob import BlobRef
from tests.unit.dataset.making import blob, remote_only, sha, small


def test_an_item_is_called_for_its_meaning(tmp_path: Path) -> None:
    dataset = lake.create(
        tmp_path / "d",
        [
            Sample(
                "a",
                {
                    "text": Item.from_bytes(b"hello", type="text/plain"),
                    "meta": Item.from_value({"a": [{"b": 7}]}, type="application/json"),
                    "raw": b"\x00\x01",
                    "label": "daisy",
                },
            )
        ],
    )
    sample = dataset[0]
    assert sample["text"]() == "hello"
    assert sample["meta"]() == {"a": [{"b": 7}]}
    assert sample["raw"]() == b"\x00\x01"
    assert sample["label"]() == "daisy"
    assert sample.to_dict() == {
        "text": "hello", "meta": {"a": [{"b": 7}]}, "raw": b"\x00\x01", "label": "daisy",
    }  # fmt: skip
    assert sample.deep_get("meta.a[0].b") == 7
    assert sample.deep_get("meta.a[5].b", None) is None
    with pytest.raises(NotFound, match=r"meta\.a\[5\]"):
        sample.deep_get("meta.a[5]")
    with pytest.raises(UsageError):
        sample.deep_get("meta[x")
    assert Sample("b", {"a.b": {"c": 1}}).deep_get("a.b.c") == 1


def test_a_picture_decodes_to_an_array(tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy")
    pixels = numpy.arange(48, dtype=numpy.uint8).reshape(4, 4, 3)
    first = Sample("a", {"image": Item.from_value(pixels, type="image/png")})
    dataset = lake.create(tmp_path / "d", [first])
    assert (dataset[0]["image"]() == pixels).all()
    # An array in the place of a picture is kept as what that picture was.
    flipped = dataset.map(lambda s: s.set("image", s["image"]()[::-1].copy()))
    out = flipped.write(tmp_path / "out")
    assert out[0]["image"].type == "image/png"
    assert (out[0]["image"]() == pixels[::-1]).all()
    with pytest.raises(UsageError, match="from_value"):
        Sample("a").set("image", pixels)


def test_bytes_open_and_path_agree(tmp_path: Path) -> None:
    remote = remote_only(tmp_path / "in", tmp_path / "store", {"a": b"0123456789"})
    local = remote.write(tmp_path / "local", mode="copy")
    for item in (remote[0]["data"], local[0]["data"], blob(b"0123456789")):
        assert item.bytes() == b"0123456789"
        assert item.size == 10
        assert item.ref.sha256 == sha(b"0123456789")
        with item.open() as file:
            assert file.seek(4) == 4
            assert file.read(3) == b"456"
    assert local[0]["data"].path().read_bytes() == b"0123456789"
    assert remote[0]["data"].path().read_bytes() == b"0123456789"
    assert [source.name for source in remote[0]["data"].sources] == ["main"]
    assert local[0]["data"].sources[0].name == "file"
    with pytest.raises(UsageError):
        blob(b"x").path()


def test_new_files_are_items(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello")
    item = Item.from_file(tmp_path / "a.txt")
    assert item() == "hello"
    assert item.path() == tmp_path / "a.txt"
    with item.open() as file:
        assert file.read() == b"hello"
    assert (item.ref.sha256, item.size, item.type) == (sha(b"hello"), 5, "text/plain")
    odd = Item.from_file(tmp_path / "a.txt", type="application/x-odd")
    assert (odd.type, odd.ref.ext) == ("application/x-odd", "txt")
    missing = Item.from_file(tmp_path / "b.txt")
    for use in (missing, missing.bytes, missing.open, lambda: missing.ref, lambda: missing.size):
        with pytest.raises(InputError):
            use()


def test_unknown_extensions_round_trip(tmp_path: Path) -> None:
    (tmp_path / "scan.weird").write_bytes(b"\xff\x00")
    dataset = lake.create(tmp_path / "d", [Sample("a", {"scan": tmp_path / "scan.weird"})])
    assert dataset[0]["scan"].ref.file == "files/a.scan.weird"
    assert dataset[0]["scan"]() == b"\xff\x00"
    out = dataset.write(tmp_path / "out", layout="packed")
    assert out[0]["scan"].ref.file == "files/a.scan.weird"


def test_samples_do_not_change(tmp_path: Path) -> None:
    sample = small(tmp_path / "d")[0]
    more = sample.set("n", 100).set("new", [1]).drop("data").rename(new="list")
    assert sorted(sample) == ["data", "n"]
    assert sample["n"]() == 1
    assert more.to_dict() == {"n": 100, "list": [1]}
    more["list"]().append(2)
    assert more["list"]() == [1]
    given = {"a": [1]}
    kept = Sample("x", {"meta": given})
    given["a"].append(2)
    assert kept["meta"]() == {"a": [1]}
    swapped = Sample("x", {"a": 1, "b": 2}).rename({"a": "b", "b": "a"})
    assert swapped.to_dict() == {"a": 2, "b": 1}
    with pytest.raises(UsageError):
        sample.rename(n="data")
    with pytest.raises(KeyError, match="did you mean 'data'"):
        sample["dat"]
    with pytest.raises(KeyError):
        sample.rename(none="x")
    assert sample.get("none") is None
    assert "none" not in sample
    assert sample == sample.set("n", 5).set("n", 1)
    assert sample != sample.set("n", 5)
    assert sample != sample.with_id("other")


class Size(enum.Enum):
    BIG = 1


class Grade(enum.IntEnum):
    GOOD = 1


def test_values_are_json_and_nothing_else() -> None:
    numpy = pytest.importorskip("numpy")
    sample = Sample(
        "a", {"f": numpy.float32(0.5), "i": numpy.int64(7), "t": (1, 2), "g": Grade.GOOD}
    )
    assert sample.to_dict() == {"f": 0.5, "i": 7, "t": [1, 2], "g": 1}
    assert [type(sample[name]()) for name in "fitg"] == [float, int, list, int]
    for bad in (
        float("nan"), 2**63, {"a": float("inf")}, {1: 2}, {"a": {3, 4}}, Size.BIG, object(),
        "\ud800", [Size.BIG],
    ):  # fmt: skip
        with pytest.raises(UsageError):
            sample.set("x", bad)
    deep: object = 1
    for _ in range(25):
        deep = [deep]
    with pytest.raises(UsageError):
        sample.set("x", deep)


@pytest.mark.parametrize("name", ["", "a/b", "../x", ".hidden", "ä", "a b", "x" * 65, "a\n"])
def test_names_and_ids_are_checked(name: str) -> None:
    with pytest.raises(UsageError):
        Sample("ok", {name: 1})
    with pytest.raises(UsageError):
        Sample("ok", {"a": 1}).rename(a=name)
    if name != "a/b":
        with pytest.raises(UsageError):
            Sample(name)


def test_names_that_differ_by_case_alone_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(LakeError):
        lake.create(tmp_path / "d", [Sample("a", {"x": 1, "X": 2})])


def test_blob_and_value_say_what_they_are_not(tmp_path: Path) -> None:
    sample = small(tmp_path / "d")[0]
    with pytest.raises(UsageError):
        _ = sample["n"].ref
    with pytest.raises(UsageError):
        _ = sample["data"].value
    with pytest.raises(UsageError):
        sample["n"].path()
    assert sample["n"].bytes() == b"1"
    assert sample["n"].open().read() == b"1"
    assert list(sample["n"].sources) == []


def test_refs_only_move_to_refs_of_the_same_bytes(tmp_path: Path) -> None:
    item = remote_only(tmp_path / "in", tmp_path / "store", {"a": b"x"})[0]["data"]
    moved = item.with_ref(item.ref.with_location("other"))  # type: ignore[attr-defined]
    assert moved.ref.aliases == ("main", "other")
    assert moved.bytes() == b"x"
    with pytest.raises(UsageError):
        item.with_ref(BlobRef(sha256=sha(b"y"), size=1, type="text/plain"))  # type: ignore[attr-defined]


def test_media_types_are_checked() -> None:
    with pytest.raises(UsageError, match="media type"):
        _ = Item.from_bytes(b"", type="not a type").ref


def test_samples_and_items_pickle(tmp_path: Path) -> None:
    stored = small(tmp_path / "d")[0]
    for sample in (stored, stored.set("x", blob(b"new")), Sample("a", {"n": [1]})):
        again = pickle.loads(pickle.dumps(sample))
        assert again == sample
        assert again.to_dict() == sample.to_dict()


def test_reprs_are_short(tmp_path: Path) -> None:
    dataset = small(tmp_path / "d")
    assert repr(dataset) == "<Dataset small, 10 samples>"
    assert repr(dataset[0]) == "<Sample train/001: data, n>"
    assert repr(dataset[0]["n"]) == "<Item 1>"
    assert len(repr(Sample("a", {"x": "y" * 1000})["x"])) < 80
    assert repr(dataset[0]["data"]).startswith("<Item application/x-test 6 B ")
    assert "in memory" in repr(blob(b"x"))
    many = Sample("a", {f"n{n}": n for n in range(100)})
    assert len(repr(many)) < 80
    assert repr(dataset.filter(bool)) == "<Dataset small>"


def test_shared_items_are_in_every_sample(tmp_path: Path) -> None:
    small(tmp_path / "d", 3)
    text = (tmp_path / "d/dataset.yaml").read_text()
    (tmp_path / "d/dataset.yaml").write_text(text + "shared:\n  values: {rig: A, n: -1}\n")
    dataset = lake.open(tmp_path / "d")
    # A sample's own value wins.
    assert [(s["rig"](), s["n"]()) for s in dataset] == [("A", 1), ("A", 0), ("A", 2)]
    out = dataset.map(lambda s: s.set("more", 1)).write(tmp_path / "out")
    assert "rig" not in out[0].manifest.values
    assert out[0]["rig"]() == "A"
    assert out.digest() == dataset.map(lambda s: s.set("more", 1)).digest()
    assert "rig" not in dataset.drop("rig").write(tmp_path / "no")[0]
    renamed = dataset.rename(rig="setup").write(tmp_path / "renamed")
    assert renamed[0]["setup"]() == "A"
    assert "setup" not in renamed[0].manifest.values
    with pytest.raises(UsageError, match=r"ds\.drop"):
        dataset.map(lambda s: s.drop("rig")).write(tmp_path / "never")
    # Where two datasets share different things, it becomes each sample's own.
    other = lake.create(tmp_path / "other", [Sample("z", {"rig": "B"})])
    both = (dataset + other).write(tmp_path / "both")
    assert both.descriptor.shared.values == {}
    assert [s["rig"]() for s in both] == ["A", "A", "A", "B"]


def test_a_broken_manifest_names_its_file(tmp_path: Path) -> None:
    dataset = small(tmp_path / "d")
    (tmp_path / "d/samples/train/003.json").write_text('{"items": {}, "values": {"a": NaN}}')
    assert len(dataset) == 10
    assert dataset[0]["n"]() == 1
    with pytest.raises(ManifestError, match=r"samples/train/003\.json"):
        dataset.sample("train/003")
