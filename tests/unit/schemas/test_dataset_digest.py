from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lake_schemas.digest import DatasetDigest, content_text
from lake_schemas.errors import FormatError
from lake_schemas.sample import SampleManifest
from lake_schemas.text import (
    dump_line,
    dump_sample,
    dump_sample_yaml,
    load_line,
    load_sample,
    sample_to_raw,
)
from tests.unit.schemas.manifests import ids, samples

datasets = st.dictionaries(ids, samples(), max_size=6)


def digest(dataset: dict[str, SampleManifest], shared: SampleManifest | None = None) -> str:
    found = DatasetDigest() if shared is None else DatasetDigest(shared)
    for id in sorted(dataset):
        found.add(id, dataset[id])
    return found.hexdigest()


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def reference(dataset: dict[str, SampleManifest], shared: SampleManifest) -> str:
    """The algorithm of docs/format.md, recursive and slow."""

    def content(manifest: SampleManifest) -> str:
        return sha256(content_text(manifest))

    def tree(prefix: str) -> str:
        rows = {}
        for id, manifest in dataset.items():
            if id.startswith(prefix):
                name, _, rest = id[len(prefix) :].partition("/")
                if rest:
                    rows[f"{name}/"] = f"tree {name} {tree(f'{prefix}{name}/')}\n"
                else:
                    rows[name] = f"sample {name} {content(manifest)}\n"
        return sha256("".join(rows[key] for key in sorted(rows)))

    return sha256(f"lake dataset 1\nshared {content(shared)}\ntree {tree('')}\n")


@given(datasets, samples())
def test_the_digest_is_the_one_of_the_specification(
    dataset: dict[str, SampleManifest], shared: SampleManifest
) -> None:
    assert digest(dataset, shared) == reference(dataset, shared)


@given(datasets)
def test_layout_and_file_format_do_not_matter(dataset: dict[str, SampleManifest]) -> None:
    as_json = {
        id: load_sample(dump_sample(m), format="json", where=id) for id, m in dataset.items()
    }
    as_yaml = {
        id: load_sample(dump_sample_yaml(m), format="yaml", where=id) for id, m in dataset.items()
    }
    packed = dict(load_line(dump_line(id, m), where=id) for id, m in dataset.items())
    assert digest(as_json) == digest(as_yaml) == digest(packed) == digest(dataset)


@given(samples())
def test_where_the_blobs_are_does_not_matter(manifest: SampleManifest) -> None:
    moved = SampleManifest(
        items={
            name: ref.content.with_location("elsewhere", "a/b")
            for name, ref in manifest.items.items()
        },
        values=manifest.values,
    )
    assert content_text(moved) == content_text(manifest)
    assert json.loads(content_text(manifest))["values"] == manifest.values


@given(datasets, samples(), ids)
def test_every_change_of_content_matters(
    dataset: dict[str, SampleManifest], manifest: SampleManifest, id: str
) -> None:
    changed = {**dataset, id: manifest}
    same = id in dataset and content_text(dataset[id]) == content_text(manifest)
    assert (digest(changed) == digest(dataset)) == same
    assert digest(dataset, manifest) != digest(dataset) or content_text(manifest) == content_text(
        SampleManifest()
    )


def test_types_of_values_matter() -> None:
    texts = {content_text(SampleManifest(values={"a": v})) for v in (1, 1.0, True, "1", None, [1])}
    assert len(texts) == 6


def test_partitions_have_digests_of_their_own() -> None:
    one, two = (SampleManifest(values={"label": label}) for label in ("daisy", "tulip"))
    whole: dict[str, SampleManifest] = {"a": one, "test/1": two, "train/1": one, "train/2": two}
    first = DatasetDigest()
    for id, manifest in whole.items():
        first.add(id, manifest)
    first.hexdigest()
    assert set(first.partitions) == {"test", "train"}
    second = DatasetDigest()
    second.add("train/1", one)
    second.add("train/2", two)
    assert second.hexdigest() != first.hexdigest()
    assert second.partitions["train"] == first.partitions["train"]
    assert first.count == 4


def test_samples_come_once_and_in_order() -> None:
    found = DatasetDigest()
    found.add("b", SampleManifest())
    with pytest.raises(FormatError, match="twice"):
        found.add("b", SampleManifest())
    with pytest.raises(FormatError, match="order"):
        found.add("a", SampleManifest())
    with pytest.raises(FormatError):
        found.add("c d", SampleManifest())
    found.add("b-c", SampleManifest())
    found.add("b/c", SampleManifest())
    assert found.hexdigest() == found.hexdigest()
    with pytest.raises(FormatError, match="complete"):
        found.add("z", SampleManifest())


def test_the_raw_form_has_everything(tmp_path: Any) -> None:
    assert sample_to_raw(SampleManifest(values={"b": {"d": 1, "c": 2}})) == {
        "items": {},
        "values": {"b": {"c": 2, "d": 1}},
    }
