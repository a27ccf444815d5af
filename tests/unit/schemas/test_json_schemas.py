from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given

from lake_schemas import export
from lake_schemas.descriptor import Descriptor, dump_descriptor
from lake_schemas.sample import SampleManifest
from lake_schemas.text import dump_line, dump_sample
from lake_schemas.yaml import load_yaml
from tests.unit.schemas.manifests import samples

SCHEMAS = {name: json.loads(text) for name, text in export.texts().items()}


def accepts(name: str, value: Any) -> bool:
    validator = jsonschema.Draft202012Validator(SCHEMAS[f"{name}.schema.json"])
    return validator.is_valid(value)


def test_the_files_in_the_repository_are_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert export.main(["--check"]) == 0
    assert capsys.readouterr().out == ""


def test_check_names_what_is_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(export, "DIRECTORY", tmp_path)
    assert export.main(["--check"]) == 1
    assert "sample.schema.json" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())
    assert export.main() == 0
    assert export.main(["--check"]) == 0
    (tmp_path / "sample.schema.json").write_text("{}")
    assert export.main(["--check"]) == 1


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_each_is_a_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])


@given(samples())
def test_every_manifest_is_accepted(manifest: SampleManifest) -> None:
    assert accepts("sample", json.loads(dump_sample(manifest)))
    assert accepts("packed-line", json.loads(dump_line("train/1", manifest)))
    text = dump_descriptor(Descriptor(shared=manifest, remotes={"main": "../x"}))
    assert accepts("dataset", load_yaml(text, where="x"))


REF = {"sha256": "9f" * 32, "size": 1, "type": "a/b", "in": ["main"]}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sample", []),
        ("sample", {"more": 1}),
        ("sample", {"items": {"a b": REF}}),
        ("sample", {"items": {"a": {**REF, "sha256": "x"}}}),
        ("sample", {"items": {"a": {**REF, "size": -1}}}),
        ("sample", {"items": {"a": {**REF, "type": "png"}}}),
        ("sample", {"items": {"a": {**REF, "in": ["a b"]}}}),
        ("sample", {"items": {"a": {**REF, "in": [{"a": "k", "b": "k"}]}}}),
        ("sample", {"items": {"a": {k: v for k, v in REF.items() if k != "in"}}}),
        ("sample", {"items": {"a": {**REF, "ext": ".png"}}}),
        ("sample", {"items": {"a": {**REF, "more": 1}}}),
        ("sample", {"values": {"": 1}}),
        ("packed-line", {"items": {}}),
        ("packed-line", {"id": "../a"}),
        ("dataset", {}),
        ("dataset", {"lake": 2}),
        ("dataset", {"lake": 1, "layout": "other"}),
        ("dataset", {"lake": 1, "remotes": {"a b": "x"}}),
        ("dataset", {"lake": 1, "more": 1}),
        ("project-config", {"remotes": {"main": 1}}),
        ("project-config", {"trust": {}}),
        ("user-config", {"trust": {"more": 1}}),
        ("user-config", {"remotes": {"main": {"profile": "x"}}}),
    ],
)
def test_bad_texts_are_rejected(name: str, value: Any) -> None:
    assert not accepts(name, value)


def test_good_configuration_is_accepted() -> None:
    both = {"remotes": {"a": "../x", "b": {"url": "s3://b", "order": 1}}, "default": "a"}
    assert accepts("project-config", both)
    assert accepts("user-config", {**both, "cache": {"max_size": "20 GiB"}, "replace": {"a": "x"}})
