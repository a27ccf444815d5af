from __future__ import annotations

import pickle
import re
from typing import Any

import orjson
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from lake_schemas.blob import BlobRef
from lake_schemas.errors import FormatError
from lake_schemas.quick import quick_sample
from lake_schemas.sample import SampleManifest
from lake_schemas.text import (
    dump_line,
    dump_sample,
    dump_sample_yaml,
    line_id,
    load_line,
    load_sample,
    sample_from_raw,
    sample_to_raw,
)
from tests.unit.schemas.manifests import ids, json_values, samples

DIGEST = "9f" * 32
SAMPLE = SampleManifest(
    items={
        "mask": BlobRef(sha256=DIGEST, size=812, type="image/png", file="files/7 mask.png"),
        "image": BlobRef(
            sha256=DIGEST, size=20480, type="image/jpeg", in_=("main", {"old": "2019/7.jpg"})
        ),
    },
    values={"score": 0.93, "label": "daisy", "box": [1, 2, 30, 40]},
)


@given(samples(), ids)
def test_every_spelling_says_the_same(manifest: SampleManifest, id: str) -> None:
    json_text = dump_sample(manifest)
    yaml_text = dump_sample_yaml(manifest)
    line = dump_line(id, manifest)
    from_json = load_sample(json_text, format="json", where="x")
    assert from_json == manifest
    assert load_sample(yaml_text, format="yaml", where="x") == manifest
    assert load_line(line, where="x") == (id, manifest)
    assert line_id(line) == id
    # Canonical: what was read is written with the same bytes.
    assert dump_sample(from_json) == json_text
    assert dump_sample_yaml(from_json) == yaml_text
    assert dump_line(id, from_json) == line


@given(samples())
def test_json_is_yaml_too(manifest: SampleManifest) -> None:
    text = dump_sample(manifest)
    # YAML forbids or folds some characters that JSON leaves as they are, and limits keys;
    # lake's own YAML writes escapes there.
    assume(re.search("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]", text.decode()) is None)
    assert load_sample(text, format="yaml", where="x") == manifest


@given(samples(), st.randoms())
def test_what_people_write_by_hand_reads_the_same(manifest: SampleManifest, random: Any) -> None:
    def shuffled(value: Any) -> Any:
        if isinstance(value, dict):
            rows = list(value.items())
            random.shuffle(rows)
            return {key: shuffled(inner) for key, inner in rows}
        return [shuffled(inner) for inner in value] if isinstance(value, list) else value

    raw = sample_to_raw(manifest)
    text = orjson.dumps(shuffled(raw), option=orjson.OPT_INDENT_2).replace(b"\n", b"\r\n")
    assert load_sample(text, format="json", where="x") == manifest


@given(samples())
def test_the_quick_door_and_pydantic_agree(manifest: SampleManifest) -> None:
    raw = orjson.loads(orjson.dumps(sample_to_raw(manifest)))
    quick = quick_sample(raw)
    slow = sample_from_raw(sample_to_raw(manifest), "x")
    assert quick is None or quick == slow
    if quick is not None:
        assert pickle.loads(pickle.dumps(quick)) == slow
        assert quick.model_copy(update={"values": {}}).items == slow.items
        for name, ref in quick.items.items():
            assert hash(ref) == hash(slow.items[name])
            assert ref.with_location("another") == slow.items[name].with_location("another")


_fields: Any = st.fixed_dictionaries(
    {
        "sha256": st.sampled_from([DIGEST, DIGEST.upper(), DIGEST[1:], 1, None]),
        "size": st.sampled_from([0, 1, -1, 2**63 - 1, 2**63, 1.0, True, "1", None]),
        "type": st.sampled_from(["image/png", "Image/png", "image", "", 1, None]),
    },
    optional={
        "in": st.sampled_from(
            [["main"], [], "main", ["a", "a"], ["a b"], [1], [None], None, [{"a": "k"}], {"a": 1}]
        ),
        "in_": st.just(["main"]),
        "file": st.sampled_from(["files/a", "../a", "", 1, None]),
        "ext": st.sampled_from(["jpeg", "", None]),
        "x": st.just(1),
    },
)
_raws = st.fixed_dictionaries(
    {
        "items": st.dictionaries(st.sampled_from(["a", "A", "b", "b c", ""]), _fields),
        "values": st.dictionaries(
            st.sampled_from(["a", "A", "b", "b c", ""]),
            json_values | st.sampled_from([2**63, 2**64 - 1]),
        ),
    }
)


@given(_raws)
def test_the_quick_door_lets_nothing_through_that_pydantic_refuses(raw: Any) -> None:
    quick = quick_sample(orjson.loads(orjson.dumps(raw)))
    if quick is not None:
        assert sample_from_raw(raw, "x") == quick
    else:
        # And what it leaves alone is judged the same through each text.
        verdicts = []
        for format in ("json", "yaml"):
            text = orjson.dumps(raw, option=orjson.OPT_SORT_KEYS)
            if format == "yaml" and (not text.isascii() or b"\x7f" in text):
                continue
            try:
                verdicts.append(load_sample(text, format=format, where="x"))
            except FormatError:
                verdicts.append(None)
        assert all(verdict == verdicts[0] for verdict in verdicts)


def test_the_canonical_text_to_the_letter() -> None:
    assert dump_sample(SAMPLE).decode() == (
        "{\n"
        '  "items": {\n'
        f'    "image": {{"in":["main",{{"old":"2019/7.jpg"}}],"sha256":"{DIGEST}",'
        '"size":20480,"type":"image/jpeg"},\n'
        f'    "mask": {{"file":"files/7 mask.png","sha256":"{DIGEST}",'
        '"size":812,"type":"image/png"}\n'
        "  },\n"
        '  "values": {\n'
        '    "box": [1,2,30,40],\n'
        '    "label": "daisy",\n'
        '    "score": 0.93\n'
        "  }\n"
        "}\n"
    )
    assert dump_sample_yaml(SAMPLE).decode() == (
        "items:\n"
        f'  image: {{in: [main, {{old: "2019/7.jpg"}}], sha256: "{DIGEST}", '
        "size: 20480, type: image/jpeg}\n"
        f'  mask: {{file: files/7 mask.png, sha256: "{DIGEST}", size: 812, type: image/png}}\n'
        "values:\n"
        "  box: [1, 2, 30, 40]\n"
        "  label: daisy\n"
        "  score: 0.93\n"
    )
    assert dump_line("train/7", SAMPLE).startswith(b'{"id":"train/7","items":{"image":{"in":[')
    assert dump_sample(SampleManifest()) == b'{\n  "items": {},\n  "values": {}\n}\n'


def test_a_part_that_is_left_out_is_empty() -> None:
    for text in (b"{}", b'{"items":{}}', b'{"values":{}}'):
        assert load_sample(text, format="json", where="x") == SampleManifest()
    assert load_line(b'{"id":"a"}', where="x") == ("a", SampleManifest())
    assert load_line(b' {"values": {}, "id": "a"} \r\n', where="x") == ("a", SampleManifest())


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "null",
        '{"items":[]}',
        '{"values":[]}',
        '{"more":1}',
        '{"items":{"a":{"sha256":"%s","size":1,"type":"a/b"}}}',
        '{"items":{"a":{"sha256":"%s","size":1,"type":"a/b","in":[]}}}',
        '{"items":{"a":{"sha256":"%s","size":1,"type":"a/b","file":null}}}',
        '{"items":{"a":{"sha256":"%s","size":1,"type":"a/b","in_":["m"]}}}',
        '{"items":{"a b":{"sha256":"%s","size":1,"type":"a/b","in":["m"]}}}',
        '{"items":{"a":{"sha256":"%s","size":1,"type":"a/b","in":["m"]}},"values":{"a":1}}',
        '{"items":{"a":{"sha256":"%s","size":1,"type":"a/b","in":["m"]}},"values":{"A":1}}',
        '{"values":{"a":1,"a":2}}',
        '{"values":{"a":9223372036854775808}}',
        '{"values":{"a":' + "[" * 25 + "]" * 25 + "}}",
        '{"values":{"":1}}',
        '{"values":{".a":1}}',
    ],
)
def test_text_outside_the_format_is_refused(text: str) -> None:
    text = text.replace("%s", DIGEST)
    for format in ("json", "yaml"):
        with pytest.raises(FormatError) as caught:
            load_sample(text.encode(), format=format, where="samples/7.json")
        assert "samples/7.json" in str(caught.value)
    with pytest.raises(FormatError):
        load_line(b'{"id":"a",' + text[1:].encode() + b"\n", where="x")


def test_values_are_24_levels_deep_at_most() -> None:
    deep = b'{"values":{"a":' + b"[" * 24 + b"1" + b"]" * 24 + b"}}"
    assert load_sample(deep, format="json", where="x").values["a"]
    with pytest.raises(FormatError, match="24 levels"):
        load_sample(deep.replace(b"1", b"[]"), format="json", where="x")


def test_an_item_whose_bytes_are_nowhere_cannot_be_written() -> None:
    pending = SampleManifest(items={"a": BlobRef(sha256=DIGEST, size=1, type="a/b")})
    for dump in (dump_sample, dump_sample_yaml, lambda m: dump_line("id", m)):
        with pytest.raises(FormatError, match=r"items\.a"):
            dump(pending)


def test_a_manifest_has_at_most_a_mebibyte() -> None:
    big = SampleManifest(values={"a": "x" * (1 << 20)})
    for dump in (dump_sample, dump_sample_yaml, lambda m: dump_line("id", m)):
        with pytest.raises(FormatError, match="too many"):
            dump(big)
    text = b'{"values":{"a":"' + b"x" * (1 << 20) + b'"}}'
    with pytest.raises(FormatError, match="too many"):
        load_sample(text, format="json", where="x")
    with pytest.raises(FormatError, match="too many"):
        load_line(b'{"id":"a",' + text[1:], where="x")


@pytest.mark.parametrize(
    "line", [b"", b"{}", b"[]", b'{"id":1}', b'{"id":"../a"}', b'{"id":"a b"}', b'{"id":"']
)
def test_a_line_without_a_legal_id_is_refused(line: bytes) -> None:
    with pytest.raises(FormatError):
        load_line(line, where="x")
    with pytest.raises(FormatError):
        line_id(line)


def test_the_id_of_a_line_that_lake_did_not_write() -> None:
    assert line_id(b'{"values":{},"id":"train/1"}') == "train/1"
    assert line_id(b'{"id":"tr\\u0061in/1"}') == "train/1"


def test_big_integers_are_never_rounded() -> None:
    text = b'{"values":{"a":9223372036854775807,"b":-9223372036854775808}}'
    values = load_sample(text, format="json", where="x").values
    assert values == {"a": 2**63 - 1, "b": -(2**63)}
    with pytest.raises(ValidationError, match="64 bits"):
        SampleManifest(values={"a": 2**63})
