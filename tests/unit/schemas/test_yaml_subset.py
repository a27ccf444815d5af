from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import example, given

import lake_schemas.yaml
from lake_schemas.errors import FormatError
from lake_schemas.yaml import dump_yaml, load_yaml
from tests.unit.schemas.manifests import json_values


@pytest.fixture(params=["libyaml", "python"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both parsers of PyYAML: machines without libyaml have only the second."""
    if request.param == "python":
        monkeypatch.setattr(lake_schemas.yaml, "_Parser", yaml.Loader)


@given(json_values)
@example({"k" * 2000: {"v" * 2000: ["x" * 2000]}})
@example([{"a": {}}, [], [[]], {"b": [{"k" * 200: 1}]}])
@example({"": "", "?": "? a", "-": "-", "a:": "b: c", "#": "a #b", "<<": "!t", "*a": "&a"})
@example({"a": "https://x:9000/?a=b&c=d", "b": "../x", "c": "/x:", "d": "..."})
@example(["\x7f\x85\u2028\ufeff\uffff\t", "e" * 40, "0" * 64, "123e4", "0x1", "1_0", "-", " a "])
def test_what_is_written_reads_back(value: Any) -> None:
    data = dump_yaml(value)
    assert load_yaml(data, where="x") == value
    assert dump_yaml(load_yaml(data, where="x")) == data


@given(json_values)
def test_other_yaml_readers_read_the_same_text(value: Any) -> None:
    # YAML 1.1, as most people's PyYAML has it: its floats differ ("1e+16" is text there).
    def texts(inner: Any) -> Any:
        if isinstance(inner, dict):
            return {key: texts(found) for key, found in inner.items()}
        if isinstance(inner, list):
            return [texts(found) for found in inner]
        return str(inner) if isinstance(inner, float) else inner

    assert yaml.safe_load(dump_yaml(texts(value))) == texts(value)


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("True", "True"),
        ("~", "~"),
        ("Null", "Null"),
        ("true", True),
        ("false", False),
        ("null", None),
        ("1", 1),
        ("-1", -1),
        ("-0", 0),
        ("007", "007"),
        ("0x1f", "0x1f"),
        ("0o17", "0o17"),
        ("1_000", "1_000"),
        ("+1", "+1"),
        ("1.", "1."),
        (".5", ".5"),
        (".inf", ".inf"),
        ("1.50", 1.5),
        ("1e3", 1000.0),
        ("12:30:45", "12:30:45"),
        ("2024-01-31", "2024-01-31"),
        ("2024-01-31T10:00:00Z", "2024-01-31T10:00:00Z"),
        ("'1'", "1"),
        ('"null"', "null"),
        ("=", "="),
        ("<<", "<<"),
        ("|\n  a\n  b\n", "a\nb\n"),
        (">-\n  a\n  b\n", "a b"),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
    ],
)
def test_plain_scalars_have_json_types(text: str, expected: Any) -> None:
    found = load_yaml(f"key: {text}\n".encode(), where="x")["key"]
    assert found == expected
    assert type(found) is type(expected)


def test_keys_are_text_as_they_are_written() -> None:
    assert load_yaml(b"1: a\nno: b\nnull: c\n? d\n: e\nf:\n", where="x") == {
        "1": "a",
        "no": "b",
        "null": "c",
        "d": "e",
        "f": None,
    }


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "# only a comment",
        "a: &x 1",
        "a: &x [1]\nb: *x",
        "*x",
        "&k a: 1",
        "a: !!str 1",
        "a: !!python/object/apply:os.system [id]",
        "!t a: 1",
        "%TAG ! tag:x,2000:\n---\na: 1",
        "a: 1\na: 2",
        "{a: 1, 'a': 2}",
        "a: 1\n---\nb: 2",
        "[a]: 1",
        "{a: b}: 1",
        "? [a]\n: 1",
        "a: 9223372036854775808",
        "a: -9223372036854775809",
        "a: 1e999",
        "a: [",
        "a: \t- b",
        "a: b: c",
        "\ufeffa: 1",
        "a: \x07",
        "[" * 33 + "]" * 33,
        "[" * 100_000,
        "- " * 100_000,
        "{a: " * 100_000,
        "? " * 100_000,
        "\n".join(" " * n + "a:" for n in range(100)),
        "a: " + "x" * (1 << 20),
    ],
)
def test_P8_text_outside_the_subset_is_refused(text: str) -> None:
    with pytest.raises(FormatError) as caught:
        load_yaml(text.encode(), where="some.yaml")
    assert str(caught.value).count("some.yaml") == 1
    assert len(str(caught.value)) < 300


def test_what_is_not_utf8_is_refused() -> None:
    for data in (b"\xff\xfea\x00", b"a: \xe9", b"\xed\xa0\x80"):
        with pytest.raises(FormatError):
            load_yaml(data, where="x")


def test_a_year_of_comments_and_blank_lines_is_no_matter() -> None:
    text = b"# a comment\n\n---\na: 1 # one\n...\n"
    assert load_yaml(text, where="x") == {"a": 1}


def test_the_canonical_form_is_the_one_that_people_would_write() -> None:
    value = {
        "name": "flowers",
        "remotes": {"main": "s3://data/x?endpoint=https://h:9000", "nas": "../store"},
        "classes": ["daisy", "no", "1"],
        "rows": [{"a": 1}, []],
        "empty": {},
        "wide": ["x" * 60, "y" * 60],
    }
    assert dump_yaml(value).decode() == (
        "name: flowers\n"
        "remotes:\n"
        "  main: s3://data/x?endpoint=https://h:9000\n"
        "  nas: ../store\n"
        'classes: [daisy, "no", "1"]\n'
        "rows:\n"
        "  - {a: 1}\n"
        "  - []\n"
        "empty: {}\n"
        "wide:\n"
        f"  - {'x' * 60}\n"
        f"  - {'y' * 60}\n"
    )
