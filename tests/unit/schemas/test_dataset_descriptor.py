from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lake_schemas.blob import BlobRef
from lake_schemas.descriptor import Descriptor, dump_descriptor, load_descriptor
from lake_schemas.errors import FormatError
from lake_schemas.sample import SampleManifest
from tests.unit.schemas.manifests import json_values, names, samples

FULL = Descriptor(
    name="flowers",
    description="Photographs: two kinds\nof flowers",
    layout="packed",
    remotes={
        "nas": "../blobs",
        "main": "s3://ml-data/blobs?endpoint=https://minio.example.org:9000",
    },
    shared=SampleManifest(
        items={"dark": BlobRef(sha256="9f" * 32, size=1, type="image/png", in_=("main",))},
        values={"camera": "A7"},
    ),
    schema_="schema.yaml",
    meta={"license": "CC-BY-4.0", "classes": ["daisy", "no"], "year": 2024},
)


def test_the_canonical_text_to_the_letter() -> None:
    assert dump_descriptor(FULL).decode() == (
        "lake: 1\n"
        "name: flowers\n"
        'description: "Photographs: two kinds\\nof flowers"\n'
        "layout: packed\n"
        "remotes:\n"
        "  nas: ../blobs\n"
        "  main: s3://ml-data/blobs?endpoint=https://minio.example.org:9000\n"
        "shared:\n"
        "  items:\n"
        "    dark:\n"
        "      in: [main]\n"
        f'      sha256: "{"9f" * 32}"\n'
        "      size: 1\n"
        "      type: image/png\n"
        "  values:\n"
        "    camera: A7\n"
        "schema: schema.yaml\n"
        "meta:\n"
        "  license: CC-BY-4.0\n"
        '  classes: [daisy, "no"]\n'
        "  year: 2024\n"
    )
    assert load_descriptor(dump_descriptor(FULL), "dataset.yaml") == FULL
    assert dump_descriptor(Descriptor()) == b"lake: 1\n"


def test_remotes_keep_their_order() -> None:
    assert list(load_descriptor(dump_descriptor(FULL), "x").remotes) == ["nas", "main"]


@given(
    st.none() | names,
    st.none() | st.text(st.characters(codec="utf-8"), max_size=50),
    samples(),
    st.dictionaries(names, json_values, max_size=4),
    st.sampled_from([("files", "json"), ("files", "yaml"), ("packed", "json")]),
)
def test_every_descriptor_reads_back(
    name: str | None,
    description: str | None,
    shared: SampleManifest,
    meta: dict[str, object],
    kind: tuple[str, str],
) -> None:
    found = Descriptor.model_validate(
        {
            "name": name,
            "description": description,
            "shared": shared,
            "meta": meta,
            "layout": kind[0],
            "format": kind[1],
        }
    )
    text = dump_descriptor(found)
    assert load_descriptor(text, "x") == found
    assert dump_descriptor(load_descriptor(text, "x")) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "name: x",
        "lake: true",
        "lake: 0",
        "lake: '1'",
        "lake: 1.0",
        "lake: 1\nlayuot: packed",
        "lake: 1\nlayout: other",
        "lake: 1\nlayout: packed\nformat: yaml",
        "lake: 1\nname: a b",
        "lake: 1\nremotes: {a b: ../x}",
        "lake: 1\nremotes: {a: 's3://b/../x'}",
        "lake: 1\nremotes: {a: {url: ../x}}",
        "lake: 1\nremotes: [../x]",
        "lake: 1\nschema: ../schema.yaml",
        "lake: 1\nschema_: schema.yaml",
        "lake: 1\nshared: {items: {a: {sha256: x}}}",
        "lake: 1\nshared: {items: {a: {sha256: '%s', size: 1, type: a/b}}}" % ("9f" * 32),
        "lake: 1\nshared: []",
        "lake: 1\nmeta: []",
        "lake: 1\nmeta: {a: 99999999999999999999}",
    ],
)
def test_text_outside_the_format_is_refused(text: str) -> None:
    with pytest.raises(FormatError) as caught:
        load_descriptor(text.encode(), "flowers/dataset.yaml")
    assert "flowers/dataset.yaml" in str(caught.value)


def test_P10_a_newer_format_says_so_first() -> None:
    with pytest.raises(FormatError, match="version 2 is newer"):
        load_descriptor(b"lake: 2\nwhatever: [{is: there}]\n", "x")


def test_P9_a_password_in_a_remote_is_refused_and_not_repeated() -> None:
    text = b"lake: 1\nremotes: {main: 's3://me:hunter2@h:9000/b'}\n"
    with pytest.raises(FormatError) as caught:
        load_descriptor(text, "dataset.yaml")
    assert "main" in str(caught.value)
    assert "hunter2" not in str(caught.value)
