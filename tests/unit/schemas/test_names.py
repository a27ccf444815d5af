from __future__ import annotations

import pickle

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lake_schemas.errors import FormatError
from lake_schemas.names import (
    check_alias,
    check_file,
    check_id,
    check_key,
    check_name,
    safe_name,
)

HOSTILE = [
    "",
    ".",
    "..",
    "/etc/passwd",
    "a/../b",
    "../a",
    "a//b",
    "a/",
    "/a",
    ".git/config",
    "a/.hidden",
    ".lake-tmp",
    "a\x00b",
    "a\nb",
    "a\\b",
    "C:a",
    "a b",
    "-rf",
    "a.",
    "a/b.",
    "con",
    "train/NUL.txt",
    "lpt1/a",
    "日本",
    "é",
    "a" * 65,
    "/".join("a" * 25),
    "/".join(["a" * 60] * 9),
    "x.json/a",
    "x.YAML/a",
    "\ud800",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_P8_hostile_ids_are_refused(text: str) -> None:
    with pytest.raises(FormatError):
        check_id(text)


@pytest.mark.parametrize(
    "text", ["a", "_", "train/000042", "a.b-c_d", "0", "console", "a.json", "train/a.yaml", "a-"]
)
def test_plain_ids_are_accepted(text: str) -> None:
    assert check_id(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/etc/passwd",
        "../outside",
        "a/../../b",
        ".git/hooks/post-checkout",
        "a/.git/config",
        "./a",
        "a//b",
        "a/",
        "a\\..\\b",
        "C:/windows",
        "a\x00",
        "a\n",
        "con",
        "files/aux.png",
        "a /b",
        "x" * 256,
        "/".join(["x" * 200] * 6),
        "\ud800",
        "a?b",
    ],
)
def test_P8_hostile_files_are_refused(text: str) -> None:
    with pytest.raises(FormatError):
        check_file(text)


@pytest.mark.parametrize("text", ["files/000042 mask.png", "日本/é.png", "a", "a-b/c+d.tar.gz"])
def test_usual_files_are_accepted(text: str) -> None:
    assert check_file(text) == text


@pytest.mark.parametrize("text", ["", "/a", "a/", "a//b", "..", "a/./b", "a\x00", "é" * 600])
def test_illegal_keys_are_refused(text: str) -> None:
    with pytest.raises(FormatError):
        check_key(text)


@pytest.mark.parametrize("text", ["a", "2019/scans/a b?.tif", "..a", "日本/x\\y"])
def test_keys_of_other_peoples_buckets_are_accepted(text: str) -> None:
    assert check_key(text) == text


def test_an_alias_is_never_a_path_or_url() -> None:
    assert check_alias("main") == "main"
    for text in ("./main", "s3://b", "a/b", "..", ""):
        with pytest.raises(FormatError):
            check_alias(text)


def test_a_name_has_at_most_64_characters() -> None:
    assert check_name("a" * 64) == "a" * 64
    with pytest.raises(FormatError):
        check_name("a" * 65)


@given(st.text(st.characters(), max_size=80))
@example("con.txt")
@example("a" * 100)
@example("x.json")
@example("...")
@example(":_")
@example("\ud800")
def test_safe_name_is_legal_anywhere_and_the_same_every_time(text: str) -> None:
    name = safe_name(text)
    assert name == safe_name(text)
    assert check_id(f"{name}/{name}") == f"{name}/{name}"
    assert safe_name(name) == name


@given(st.lists(st.text(st.characters(categories=["Lo"]), min_size=1), min_size=2, unique=True))
def test_safe_name_keeps_foreign_scripts_apart(texts: list[str]) -> None:
    assert len({safe_name(text) for text in texts}) == len(texts)


def test_an_error_repeats_no_address() -> None:
    with pytest.raises(FormatError) as caught:
        check_alias("s3://me:hunter2@host/bucket")
    assert "hunter2" not in str(caught.value)


def test_an_error_survives_pickling_and_can_be_placed() -> None:
    error = FormatError("wrong", where="a", hint="mend it").at("file.yaml")
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error) == "wrong: file.yaml: a (mend it)"
    assert (again.what, again.where, again.hint) == ("wrong", "file.yaml: a", "mend it")
