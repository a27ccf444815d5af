"""Walking: in order, complete, in pages, and past everything that is no plain file."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lake import fsio
from lake.errors import InputError
from lake.fsio import walk

name = st.text(alphabet="ab.-0Z_é", min_size=1, max_size=4).filter(
    lambda text: not text.startswith(".") and text not in (".", "..")
)
paths = st.sets(st.lists(name, min_size=1, max_size=3).map("/".join), max_size=12)


def make(root: Path, wanted: set[str]) -> set[str]:
    """Make these files, but those that are in each other's way."""
    made = set()
    for rel in sorted(wanted):
        path = root / rel
        parents = {str(parent) for parent in Path(rel).parents}
        if not parents & made and not path.is_dir():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(rel.encode())
            made.add(rel)
    return made


@given(wanted=paths, page=st.integers(1, 4), data=st.data())
def test_order_prefix_and_after(wanted: set[str], page: int, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(walk, "PAGE", page)
        root = Path(folder)
        made = make(root, wanted)
        ordered = sorted(made, key=lambda rel: rel.encode())
        found = list(fsio.scan(root))
        assert [entry.rel for entry in found] == ordered
        for entry in found:
            there = (root / entry.rel).stat()
            assert entry[1:] == (there.st_size, there.st_mtime_ns, there.st_ino)
        after = data.draw(st.one_of(st.sampled_from([*ordered, ""]), st.text("ab./-", max_size=5)))
        prefix = data.draw(st.text("ab./-", max_size=3))
        some = [entry.rel for entry in fsio.scan(root, after=after, prefix=prefix)]
        assert some == [
            rel for rel in ordered if rel.encode() > after.encode() and rel.startswith(prefix)
        ]


@given(wanted=paths)
def test_by_stem_is_the_order_of_ids(wanted: set[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        made = make(root, {f"{rel}.json" for rel in wanted} | {f"{rel}.txt" for rel in wanted})
        found = [e.rel for e in fsio.scan(root, suffixes=(".json", ".yaml"), by_stem=True)]
        ids = [rel.removesuffix(".json") for rel in found]
        assert ids == sorted(ids, key=str.encode)
        assert set(found) == {rel for rel in made if rel.endswith(".json")}


def test_what_is_no_plain_file_is_passed_over_and_told(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "f").write_bytes(b"1")
    (tmp_path / ".hidden").write_bytes(b"")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_bytes(b"")
    (tmp_path / "link").symlink_to("d/f")
    (tmp_path / "dirlink").symlink_to("d")
    (tmp_path / "loop").symlink_to("..")
    (tmp_path / ".lake-tmp").mkdir()
    (tmp_path / ".lake-tmp" / "x").write_bytes(b"")
    (tmp_path / ".f.lake-tmp-00000000-1-0123456789ab").write_bytes(b"")
    os.mkfifo(tmp_path / "fifo")
    bad = os.fsencode(tmp_path) + b"/\xff.png"
    with open(bad, "wb"):
        pass
    skipped: dict[str, str] = {}
    found = fsio.scan(tmp_path, on_skip=skipped.__setitem__)
    assert [entry.rel for entry in found] == ["d/f"]
    assert skipped.pop("\udcff.png") == "its name is not UTF-8"
    assert skipped.pop("fifo") == "not a file"
    assert skipped == dict.fromkeys(("link", "dirlink", "loop"), "a symbolic link")
    hidden = [entry.rel for entry in fsio.scan(tmp_path, hidden=True)]
    assert hidden == [".git/config", ".hidden", "d/f"]


def test_it_is_lazy(tmp_path: Path) -> None:
    make(tmp_path, {"a/1", "b/1"})
    found = fsio.scan(tmp_path)
    assert next(found).rel == "a/1"
    make(tmp_path, {"b/0"})
    assert [entry.rel for entry in found] == ["b/0", "b/1"]


def test_what_vanishes_meanwhile_is_passed_over(tmp_path: Path) -> None:
    make(tmp_path, {"a", "b", "c/d", "e"})
    found = fsio.scan(tmp_path)
    next(found)
    (tmp_path / "b").unlink()
    fsio.remove_tree(tmp_path / "c")
    assert [entry.rel for entry in found] == ["e"]


def test_a_missing_or_unfit_root(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"")
    for root in (tmp_path / "none", tmp_path / "f"):
        with pytest.raises(InputError):
            list(fsio.scan(root))


def test_directories_without_end(tmp_path: Path) -> None:
    at = os.open(tmp_path, os.O_RDONLY)
    for _ in range(walk.DEPTH + 5):
        os.mkdir("d", dir_fd=at)
        below = os.open("d", os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    os.close(at)
    with pytest.raises(InputError, match="deep"):
        list(fsio.scan(tmp_path))


def test_no_descriptor_leaks_when_left_early(tmp_path: Path) -> None:
    if not Path("/proc/self/fd").exists():
        pytest.skip("no /proc here")
    make(tmp_path, {"a/b/c/1", "a/b/c/2"})
    before = len(list(Path("/proc/self/fd").iterdir()))
    found = fsio.scan(tmp_path)
    next(found)
    found.close()  # type: ignore[attr-defined]
    assert len(list(Path("/proc/self/fd").iterdir())) == before
