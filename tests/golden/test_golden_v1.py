"""P10: datasets of version 1 stay readable for ever, and mean the same. Never change an expected
value here to make a test pass."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

import lake
from lake_schemas.config import TrustConfig, UserConfig, dump_config
from lake_schemas.descriptor import Descriptor, load_descriptor
from lake_schemas.digest import DatasetDigest
from lake_schemas.export import DIRECTORY
from lake_schemas.remote import RemoteAddress
from lake_schemas.sample import SampleManifest
from lake_schemas.text import load_line, load_sample
from lake_schemas.yaml import load_yaml

ROOT = Path(__file__).parent / "v1"
DATASETS = ["files-json", "files-yaml", "packed"]

DIGEST = "0e87776c4476230661143ca38abd21c3b3c0c8499ed797bad8dc4228e626f843"
PARTITIONS = {
    "a": "eed22c638b724fc3b3d573fd4d05478833c380e93b795912225e162c57408d01",
    "test": "374da28d1044a6e8d787ca2526fad07b375647beaae4db13f464a6b7fcf2987a",
    "train": "535852428f0cb87f118c3bb058720f3e80b19a9d8e795406d16613d75d780655",
}
IDS = ["a", "a-b", "a/b", "test/000001", "train/000001", "train/000002", "train/empty"]
BLOBS = {
    ("a", "image"): "90d425567b0f379446524504e4757969df695ed925abc464298631809e088c69",
    ("a-b", "image"): "e1633a83bdbc881d892302abb16c8c4c28007f52788ac14345ad93c7208be606",
    ("test/000001", "image"): "327a9311dedd290b7153db54ba4004b852793c8f894c9348ef96386bd18a4403",
    ("test/000001", "photo"): "3cda371041fa8939681353c02fd582177066a06bcce7b067f1d93571e904e851",
    ("test/000001", "scan"): "0901c21c2695b1a3616e17a4c7b968c35db806f8346a2744f38ca38e878b52f8",
    ("train/000001", "image"): "a358dd50900664ba8746f07295d298f666ca29499bfa14a7659b7b1655e33906",
    ("train/000001", "mask"): "85e4fd7924054daa4fe9b366b385bc852bc066ab04e71223c3099668b2beaa12",
    ("train/000001", "sound"): "a694830880f736d558a88a72980560515d9f498acb61b0e2c512d40182093f08",
    ("train/000001", "vector"): "47d9cb788e60cfff38faf2237400d94063bde1f42a0ad39297e02642caca6b56",
    ("train/000002", "notes"): "3b1977c3476410f5ec282ca2f73b81b2ed744df26c3aadb547fffae4875e8bab",
    ("train/000002", "raw"): "40aff2e9d2d8922e47afd4648e6967497158785fbd1da870e7110266bf944880",
    ("train/empty", "void"): "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
}
VALUES: dict[str, dict[str, Any]] = {
    "a": {"label": "zero"},
    "a-b": {"camera": "B2", "label": "no"},
    "a/b": {"nothing": None, "only_values": True},
    "test/000001": {
        "big": 9223372036854775807,
        "box": [1, 2.5, -3, 0.00001],
        "label": "two",
        "small": -9223372036854775808,
    },
    "train/000001": {
        "label": "three",
        "meta": {
            'a "quoted"\n\u001f key': {"deep": [[[[]]], {}]},
            "exp": [1e16, 1e-07, -0.0, 0.0001],
            "größe": [8, 8],
        },
        "score": 0.93,
    },
    "train/000002": {"code": "007", "date": "2024-01-31", "empty": "", "list": []},
    "train/empty": {},
}


def texts(name: str) -> Iterator[tuple[str, bytes, str]]:
    """(id, text, format) of each manifest, found by nothing of lake's."""
    samples = ROOT / name / "samples"
    for path in sorted(samples.rglob("*")):
        if path.suffix == ".jsonl":
            for line in path.read_bytes().split(b"\n")[:-1]:
                yield json.loads(line)["id"], line, "line"
        elif path.is_file():
            id = path.relative_to(samples).with_suffix("").as_posix()
            yield id, path.read_bytes(), "json" if path.suffix == ".json" else "yaml"


def read(name: str) -> tuple[Descriptor, dict[str, SampleManifest]]:
    found = {}
    for id, text, format in texts(name):
        if format == "line":
            own, found[id] = load_line(text, where=id)
            assert own == id
        else:
            found[id] = load_sample(text, format=format, where=id)
    return load_descriptor((ROOT / name / "dataset.yaml").read_bytes(), name), found


def exactly(found: object, expected: object) -> None:
    """Equal, with the same types all the way down, and the same sign of zero."""
    assert repr(found) == repr(expected)


@pytest.mark.parametrize("name", DATASETS)
def test_P10_manifests_of_version_1_are_read(name: str) -> None:
    descriptor, manifests = read(name)
    assert sorted(manifests) == IDS
    for id, manifest in manifests.items():
        exactly(dict(sorted(manifest.values.items())), VALUES[id])
        items = {key for owner, key in BLOBS if owner == id}
        assert manifest.items.keys() == items
        for key in items:
            assert manifest.items[key].sha256 == BLOBS[id, key]
    assert descriptor.lake == 1
    assert list(descriptor.remotes) == ["main", "old", "nas"]
    assert descriptor.shared.values == {"camera": "A7", "exposure": None}
    assert descriptor.meta == {"license": "CC0-1.0"}


@pytest.mark.parametrize("name", DATASETS)
def test_P10_the_digest_of_version_1_stays(name: str) -> None:
    descriptor, manifests = read(name)
    digest = DatasetDigest(descriptor.shared)
    for id in IDS:
        digest.add(id, manifests[id])
    assert digest.hexdigest() == DIGEST
    assert digest.partitions == PARTITIONS


def test_all_three_say_the_same() -> None:
    first, *others = (read(name)[1] for name in DATASETS)
    for other in others:
        assert other == first


@pytest.mark.parametrize("name", DATASETS)
def test_the_json_schemas_accept_them(name: str) -> None:
    def check(schema: str, value: Any) -> None:
        text = (DIRECTORY / f"{schema}.schema.json").read_text()
        jsonschema.Draft202012Validator(json.loads(text)).validate(value)

    check("dataset", load_yaml((ROOT / name / "dataset.yaml").read_bytes(), where=name))
    for id, text, format in texts(name):
        if format == "yaml":
            check("sample", load_yaml(text, where=id))
        else:
            check("packed-line" if format == "line" else "sample", json.loads(text))


@pytest.fixture
def trusted() -> None:
    """A person who has named the folder of adopted objects, whose keys are no content addresses."""
    folder = Path(os.environ["LAKE_CONFIG_DIR"])
    folder.mkdir(parents=True, exist_ok=True)
    url = RemoteAddress.parse(str(ROOT / "adopted")).url
    text = dump_config(UserConfig(trust=TrustConfig(remotes=[url])))
    (folder / "config.yaml").write_bytes(text)


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("name", DATASETS)
def test_P10_datasets_of_version_1_open(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parent)
    before = {path: path.stat().st_mtime_ns for path in ROOT.rglob("*")}
    dataset = lake.open(ROOT / name)
    assert [sample.id for sample in dataset] == IDS
    assert dataset.digest() == DIGEST
    for sample in dataset:
        for key, value in VALUES[sample.id].items():
            exactly(sample[key](), value)
        for (owner, key), digest in BLOBS.items():
            if owner == sample.id:
                assert hashlib.sha256(sample[key].bytes()).hexdigest() == digest
        assert sample["camera"]() == ("B2" if sample.id == "a-b" else "A7")
        assert sample["exposure"]() is None
        assert sample["calibration"]() == {"focal": 35.5}
    assert len(dataset["train"]) == 3
    assert {path: path.stat().st_mtime_ns for path in ROOT.rglob("*")} == before


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("name", DATASETS)
def test_P10_blobs_of_version_1_decode(name: str) -> None:
    y, x = np.mgrid[:8, :8]
    dataset = lake.open(ROOT / name)
    test, train, more = (
        dataset.sample(id) for id in ("test/000001", "train/000001", "train/000002")
    )
    np.testing.assert_array_equal(train["image"](), (x * 6 + y * 16) * 7 % 256)
    np.testing.assert_array_equal(train["mask"](), (x * 4 + y * 6) * 7 % 256 > 128)
    np.testing.assert_array_equal(train["vector"](), [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(train["sound"]().samples, np.arange(40) * 500 / 32768)
    np.testing.assert_array_equal(test["scan"](), x * 1000 + y)
    assert test["photo"]().shape == (8, 8, 3)
    assert more["notes"]() == "Größe: 8 \u00d7 8\n"
    assert more["raw"]() == bytes(range(256))
    assert dataset.sample("train/empty")["void"]() == b""


def test_the_store_is_as_the_format_has_it() -> None:
    for path in (ROOT / "store" / "sha256").rglob("*"):
        if path.is_file():
            assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
            assert path.parent.name == path.name[:2]
    assert json.loads((ROOT / "store" / "lake.json").read_text())["layout"] == 1
