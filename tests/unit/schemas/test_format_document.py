"""docs/format.md says what is so: its examples are read, written and hashed here."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

from lake.store.layout import LakeFile, blob_key
from lake.transfer import chunks
from lake_schemas import blob, limits, names, sample
from lake_schemas.config import UserConfig, dump_config, load_config
from lake_schemas.descriptor import dump_descriptor, load_descriptor
from lake_schemas.digest import DatasetDigest, content_digest, content_text
from lake_schemas.jsontext import canonical
from lake_schemas.remote import OPTIONS, RemoteAddress, split_credentials
from lake_schemas.sample import SampleManifest
from lake_schemas.text import (
    dump_line,
    dump_sample,
    dump_sample_yaml,
    load_line,
    load_sample,
)
from lake_schemas.yaml import load_yaml

TEXT = (Path(__file__).parents[3] / "docs" / "format.md").read_text()


def block(name: str) -> str:
    """The fenced example, or the table, that follows `<!-- check: name -->`."""
    found = re.search(
        rf"<!-- check: {name} -->\n(?:```\w*\n(.*?)```|((?:\|[^\n]*\n)+))", TEXT, re.DOTALL
    )
    assert found is not None, name
    return found[1] or found[2]


def rows(name: str) -> list[list[str]]:
    lines = block(name).splitlines()[2:]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]


def test_every_example_is_checked_by_name() -> None:
    marked = set(re.findall(r"<!-- check: (\S+) -->", TEXT))
    used = set(re.findall(r'(?:block|rows)\("(\S+)"\)', Path(__file__).read_text()))
    assert marked == used


def test_the_grammar_of_names() -> None:
    assert block("name").strip() == names.NAME


def test_yaml_reads_as_it_says() -> None:
    found = load_yaml(block("yaml").encode(), where="format.md")
    expected = json.loads(block("yaml-as-json"))
    assert found == expected
    assert list(map(type, found.values())) == list(map(type, expected.values()))


def test_canonical_json() -> None:
    text = block("canonical").strip()
    assert canonical(json.loads(text)) == text


def test_the_sample_in_all_its_spellings() -> None:
    text = block("sample-json").encode()
    manifest = load_sample(text, format="json", where="format.md")
    assert dump_sample(manifest) == text
    yaml = block("sample-yaml").encode()
    assert load_sample(yaml, format="yaml", where="format.md") == manifest
    assert dump_sample_yaml(manifest) == yaml
    line = block("line").encode()
    assert load_line(line, where="format.md") == ("train/1", manifest)
    assert dump_line("train/1", manifest) == line


def test_the_descriptor() -> None:
    text = block("descriptor").encode()
    assert dump_descriptor(load_descriptor(text, "format.md")) == text


def test_the_digest_step_by_step() -> None:
    _, first = load_line(block("second-line").encode(), where="format.md")
    _, second = load_line(block("line").encode(), where="format.md")
    shared = load_descriptor(block("descriptor").encode(), "format.md").shared
    steps = block("digest")
    # Each step as the page has it, by nothing but hashlib.
    for text, digest in re.findall(r'sha256\("(.*)"\)\n +?= ([0-9a-f]{64})', steps):
        assert hashlib.sha256(text.replace("\\n", "\n").encode()).hexdigest() == digest
    contents = re.findall(r"(?:content of \S+|shared): +(\{.*\})\ncontent digest: +(\S+)", steps)
    assert len(contents) == 3
    for manifest, (text, digest) in zip((first, second, shared), contents, strict=True):
        assert content_text(manifest) == text
        assert content_digest(manifest) == digest == hashlib.sha256(text.encode()).hexdigest()
    # And as lake does it.
    whole = DatasetDigest(shared)
    whole.add("test/1", first)
    whole.add("train/1", second)
    assert whole.hexdigest() == steps.split()[-1]
    assert whole.partitions["test"] in steps
    assert whole.partitions["train"] in steps
    for data in (b"daisy\n", b"mask\n", b"scan\n", b"tulip\n"):
        assert hashlib.sha256(data).hexdigest() in TEXT


def test_the_layout_of_stores() -> None:
    text = block("lake-json")
    assert LakeFile(**json.loads(text)).dump().decode() == text
    assert blob_key("9f86" * 16) == "sha256/9f/" + "9f86" * 16
    assert (chunks.CHUNK, chunks.BIG) == (8 << 20, 64 << 20)
    assert "chunks of 8 MiB\nfor blobs of 64 MiB" in TEXT


def test_addresses() -> None:
    for written, text in rows("addresses"):
        assert RemoteAddress.parse(written).url == text
    for scheme, options in OPTIONS.items():
        line = next(line for line in TEXT.splitlines() if re.match(rf"\|.*`{scheme}://", line))
        assert all(f"`{option}`" in line for option in options)
    clean, _ = split_credentials("s3://user:password@host:9000/bucket/prefix?secure=false")
    assert clean.replace(":9000", ":port") in TEXT


def test_configuration() -> None:
    config = load_config(block("config").encode(), UserConfig, where="format.md")
    assert load_config(dump_config(config), UserConfig, where="format.md") == config
    for field in UserConfig.model_fields:
        assert f"| `{field}` |" in TEXT


def test_limits() -> None:
    stated = [int(value.replace(",", "")) for _, value in rows("limits")]
    assert stated == [
        limits.MAX_TEXT,
        limits.MAX_NESTING,
        sample.MAX_DEPTH,
        64,
        names.MAX_ID,
        names.MAX_PARTS,
        names.MAX_PATH,
        blob.MAX_LOCATIONS,
        blob.MAX_SIZE,
    ]


def test_every_field_of_an_item_is_described() -> None:
    for name, field in blob.BlobRef.model_fields.items():
        assert f"| `{field.alias or name}` |" in TEXT
    assert SampleManifest.model_fields.keys() == {"items", "values"}
