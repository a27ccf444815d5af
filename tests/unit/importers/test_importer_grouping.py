"""Which files make one sample: streamed grouping against a plain model, names, collisions."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lake.errors import ConflictError, InputError, LakeError
from lake.importers.found import Draft, Found
from lake.importers.group import Grouping, drafts, split_extension

TYPES = {"png": "image/png", "jpg": "image/jpeg", "txt": "text/plain", "json": "application/json"}


def media_type_of(name: str) -> tuple[str, str | None]:
    ext = name.rpartition(".")[2]
    return TYPES.get(ext, "application/octet-stream"), None


def stop(error: LakeError) -> None:
    raise error


def made(
    *paths: str, by: Grouping | None = None, on_error: Callable[[LakeError], None] = stop
) -> list[Draft]:
    files = [Found(path, 1) for path in sorted(paths)]
    return list(drafts(files, by or Grouping(), media_type_of, on_error))


def shape(found: list[Draft]) -> dict[str, dict[str, str]]:
    return {draft.id: {key: part.rel for key, part in draft.parts.items()} for draft in found}


def test_files_of_one_stem_are_one_sample() -> None:
    found = made("train/1.png", "train/1.json", "train/2.png", "val/1.txt")
    assert shape(found) == {
        "train/1": {"meta": "train/1.json", "image": "train/1.png"},
        "train/2": {"image": "train/2.png"},
        "val/1": {"text": "val/1.txt"},
    }


def test_stems_with_dots_keep_their_files_together() -> None:
    found = made("a.jpg", "a.mask.png", "a.txt", "a.d/x.png", "ab.jpg", "a-1.jpg")
    assert shape(found) == {
        "a": {"image": "a.jpg", "text": "a.txt"},
        "a.mask": {"image": "a.mask.png"},
        "a.d/x": {"image": "a.d/x.png"},
        "ab": {"image": "ab.jpg"},
        "a-1": {"image": "a-1.jpg"},
    }


def test_two_files_of_one_kind_are_called_after_their_extensions() -> None:
    assert shape(made("1.jpg", "1.png", "1.txt")) == {
        "1": {"image_jpg": "1.jpg", "image_png": "1.png", "text": "1.txt"}
    }


def test_one_sample_for_every_file() -> None:
    assert shape(made("1.jpg", "1.txt", by=Grouping(by="file"))) == {
        "1.jpg": {"image": "1.jpg"},
        "1.txt": {"text": "1.txt"},
    }


def test_one_sample_for_every_directory() -> None:
    found = made("t/1/left.png", "t/1/right.png", "t/2/left.png", by=Grouping(by="directory"))
    assert shape(found) == {
        "t/1": {"left": "t/1/left.png", "right": "t/1/right.png"},
        "t/2": {"left": "t/2/left.png"},
    }


def test_the_parent_directory_as_a_label() -> None:
    found = made("train/big cat/1.png", "train/dog/1.png", by=Grouping(parent="label"))
    assert [(draft.id, draft.values) for draft in found] == [
        ("train/big_cat/1", {"original": "train/big cat/1", "label": "big cat"}),
        ("train/dog/1", {"label": "dog"}),
    ]


def test_the_parent_directory_as_the_partition() -> None:
    found = made("images/val/1.png", "images/train/1.png", by=Grouping(parent="partition"))
    assert [draft.id for draft in found] == ["train/1", "val/1"]


def test_a_pattern_says_what_belongs_together() -> None:
    by = Grouping(pattern=re.compile(r"(?P<key>\w+)/(?P<id>\d+)\.\w+"))
    assert shape(made("images/1.png", "labels/1.txt", "images/2.png", by=by)) == {
        "1": {"images": "images/1.png", "labels": "labels/1.txt"},
        "2": {"images": "images/2.png"},
    }


def test_a_file_that_the_pattern_does_not_match_is_named() -> None:
    by = Grouping(pattern=re.compile(r"(?P<id>\d+)\.png"))
    with pytest.raises(InputError, match=r"the pattern does not match.*notes\.txt"):
        made("1.png", "notes.txt", by=by)


def test_item_names_by_extension_can_be_given() -> None:
    by = Grouping(keys={"txt": "caption"})
    assert shape(made("1.png", "1.txt", by=by)) == {"1": {"image": "1.png", "caption": "1.txt"}}


@pytest.mark.parametrize(
    ("one", "other"), [("a b.png", "a_b.txt"), ("A.png", "a.png"), ("a b/1.png", "a_b/1.png")]
)
def test_files_that_would_become_one_sample_are_both_named(one: str, other: str) -> None:
    by = Grouping(pattern=re.compile(r"(?P<id>.*)\.\w+"))
    with pytest.raises(ConflictError) as caught:
        made(one, other, by=by)
    assert one in str(caught.value)
    assert other in str(caught.value)


def test_with_keep_going_the_first_of_two_stays() -> None:
    errors: list[LakeError] = []
    found = made("a b.png", "a_b.png", "c.png", by=Grouping(parent="partition"),
                 on_error=errors.append)  # fmt: skip
    assert [draft.id for draft in found] == ["a_b", "c"]
    assert len(errors) == 1


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("a.png", ("a", "png")),
        ("a.tar.gz", ("a", "tar.gz")),
        ("v1.2.png", ("v1.2", "png")),
        ("README", ("README", "")),
        (".x", (".x", "")),
        ("a.muchtoolong.gz", ("a.muchtoolong", "gz")),
    ],
)
def test_split_extension(name: str, parts: tuple[str, str]) -> None:
    assert split_extension(name) == parts


names = st.from_regex(r"[ab0_.-]{0,4}[ab0]\.(png|txt|json)", fullmatch=True).filter(
    lambda name: not name.startswith(".")
)
folders = st.lists(st.sampled_from(["a", "b", "a-0", "a.b", "0"]), max_size=2)


@given(st.sets(st.builds(lambda f, n: "/".join([*f, n]), folders, names), max_size=30))
def test_streaming_finds_the_same_samples_as_looking_at_all_files(paths: set[str]) -> None:
    expected: dict[str, set[str]] = defaultdict(set)
    for path in paths:
        expected[path.rpartition(".")[0]].add(path)
    files = [Found(path, 1) for path in sorted(paths)]
    errors: list[LakeError] = []
    found = list(drafts(files, Grouping(), media_type_of, errors.append))
    ids = [draft.id for draft in found]
    assert len(ids) == len(set(ids))
    if not errors:
        parts = [{part.rel for part in draft.parts.values()} for draft in found]
        assert sorted(map(sorted, parts)) == sorted(map(sorted, expected.values()))
