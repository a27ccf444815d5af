"""The underfolder layout, with the names and lists that pipelime 1.9.1 writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from lake.errors import ConflictError, InputError, LakeError
from lake.importers.underfolder import is_underfolder, samples, shared_items
from lake.importers.walk import Globs


def stop(error: LakeError) -> None:
    raise error


def fill(root: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


def test_samples_and_shared_items(tmp_path: Path) -> None:
    fill(
        tmp_path,
        {
            "data/000001_image.png": "b",
            "data/000000_image.png": "a",
            "data/000000_left_mask.tar.gz": "m",
            "camera.yml": "fx: 1",
        },
    )
    assert is_underfolder(tmp_path)
    found = list(samples(tmp_path, Globs(), stop))
    assert [(d.id, sorted(d.parts)) for d in found] == [
        ("000000", ["image", "left_mask"]),
        ("000001", ["image"]),
    ]
    assert sorted(shared_items(tmp_path, Globs(), stop).parts) == ["camera"]


def test_numbers_of_any_width_sort_as_numbers(tmp_path: Path) -> None:
    fill(tmp_path, {f"data/{n}_x.txt": "" for n in (0, 2, 10)})
    assert [draft.id for draft in samples(tmp_path, Globs(), stop)] == ["00", "02", "10"]


def test_two_spellings_of_one_number_are_both_named(tmp_path: Path) -> None:
    fill(tmp_path, {"data/1_x.txt": "", "data/01_x.txt": ""})
    with pytest.raises(ConflictError, match=r"01_x\.txt and .*1_x\.txt"):
        list(samples(tmp_path, Globs(), stop))


def test_lists_of_remotes_are_read(tmp_path: Path) -> None:
    url = "file:///store/abc.png"
    fill(tmp_path, {"data/0_image.png.remote": f'["{url}"]', "camera.yaml.remote": f'["{url}"]'})
    [sample] = samples(tmp_path, Globs(), stop)
    assert sample.parts["image"].urls == (url,)
    assert sample.parts["image"].name == "0_image.png"
    assert shared_items(tmp_path, Globs(), stop).parts["camera"].urls == (url,)


@pytest.mark.parametrize("text", ["", "{}", "[]", "[1]", '"file:///x"'])
def test_a_broken_list_is_named(tmp_path: Path, text: str) -> None:
    fill(tmp_path, {"data/0_image.png.remote": text})
    with pytest.raises(InputError, match=r"no JSON list of URLs: .*0_image\.png\.remote"):
        list(samples(tmp_path, Globs(), stop))


def test_a_foreign_name_in_data_is_named(tmp_path: Path) -> None:
    fill(tmp_path, {"data/0_image.png": "", "data/notes.txt": ""})
    assert not is_underfolder(tmp_path)
    with pytest.raises(InputError, match=r"NUMBER_KEY.*notes\.txt"):
        list(samples(tmp_path, Globs(), stop))
    errors: list[LakeError] = []
    assert [d.id for d in samples(tmp_path, Globs(), errors.append)] == ["0"]


def test_a_tree_is_no_underfolder(tmp_path: Path) -> None:
    assert not is_underfolder(tmp_path)
    fill(tmp_path, {"data/cat.png": ""})
    assert not is_underfolder(tmp_path)
