"""Walking a folder of the user's: order, links, hidden names, what cannot be read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lake.errors import InputError, LakeError
from lake.importers.walk import Globs, walk


def stop(error: LakeError) -> None:
    raise error


def fill(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)
    return root


def walked(root: Path, **globs: list[str]) -> list[str]:
    return [file.rel for file in walk(root, Globs(**globs), stop)]


def test_files_come_in_the_order_of_their_paths_without_hidden_ones(tmp_path: Path) -> None:
    paths = ["a/x", "a-b", "a.c", "a0", "b", ".git/x", ".hidden", "é"]
    fill(tmp_path, *paths)
    expected = sorted((p for p in paths if not p.startswith(".")), key=str.encode)
    assert walked(tmp_path) == expected


def test_globs_choose(tmp_path: Path) -> None:
    fill(tmp_path, "a.png", "a.txt", "draft/b.png", "deep/draft/c.png", "deep/d.png")
    assert walked(tmp_path, include=["*.png"], exclude=["draft"]) == ["a.png", "deep/d.png"]
    assert walked(tmp_path, exclude=["deep/*", "*.txt"]) == ["a.png", "draft/b.png"]


def test_links_are_followed(tmp_path: Path) -> None:
    fill(tmp_path / "elsewhere", "x.png", "sub/y.png")
    root = tmp_path / "root"
    root.mkdir()
    (root / "file.png").symlink_to(tmp_path / "elsewhere" / "x.png")
    (root / "folder").symlink_to(tmp_path / "elsewhere" / "sub")
    assert walked(root) == ["file.png", "folder/y.png"]


def test_a_circle_of_links_is_an_error_that_can_be_passed_over(tmp_path: Path) -> None:
    fill(tmp_path, "a/x")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    with pytest.raises(InputError, match="leads back"):
        walked(tmp_path)
    errors: list[LakeError] = []
    assert [file.rel for file in walk(tmp_path, Globs(), errors.append)] == ["a/x"]
    assert len(errors) == 1


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    errors: list[LakeError] = []
    assert list(walk(tmp_path, Globs(), errors.append)) == []
    assert {type(error) for error in errors} == {InputError}
    assert {Path(error.where or "").name for error in errors} == {"pipe", "broken"}


@pytest.mark.parametrize("name", ["missing", "file"])
def test_the_root_must_be_a_directory(tmp_path: Path, name: str) -> None:
    fill(tmp_path, "file")
    with pytest.raises(InputError):
        walked(tmp_path / name)


def test_a_name_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    os.close(os.open(os.fsencode(tmp_path) + b"/\xff.png", os.O_CREAT))
    errors: list[LakeError] = []
    assert list(walk(tmp_path, Globs(), errors.append)) == []
    assert "not UTF-8" in str(errors[0])
