"""Remotes keep their meaning wherever a dataset is written, and whatever it is joined with."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lake
from lake.dataset.aliases import Aliases, moved
from lake.transfer import Place
from lake_schemas.blob import BlobRef
from tests.unit.dataset.making import contents, remote_only, sha

PARTS = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=4).map("/".join)


@given(source=PARTS, target=PARTS, ups=st.integers(0, 3), store=PARTS)
def test_a_relative_folder_stays_the_same_folder(
    source: str, target: str, ups: int, store: str
) -> None:
    home = Path("/nowhere/at/all/in/here")
    url = f"./{'../' * ups}{store}"
    there = moved(url, home / source, home / target)
    assert not there.startswith("/")
    same = [(home / source / url).resolve(), (home / target / there).resolve()]
    assert same[0] == same[1]
    assert moved(there, home / target, home / source) == moved(url, home / source, home / source)


@pytest.mark.parametrize(
    "url", ["s3://bucket/x?region=eu", "file:///mnt/x", "https://h.org/x", "/mnt/x"]
)
def test_other_addresses_do_not_depend_on_the_place(url: str) -> None:
    assert moved(url, Path("/a"), Path("/b/c")) in (url, f"file://{url}")


@pytest.mark.parametrize("mode", ["manifests", "copy"])
@pytest.mark.parametrize("out", ["out", "deep/er/out", "link/out"])
def test_relative_remotes_are_seen_from_the_output(tmp_path: Path, out: str, mode: str) -> None:
    (tmp_path / "far" / "away").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "far" / "away")
    remote = remote_only(
        tmp_path / "in", tmp_path / "store", {"a": b"x"}, url="../store", backup="s3://b/p"
    )
    assert remote[0]["data"].bytes() == b"x"
    written = remote.write(tmp_path / out, mode=mode)
    assert written.descriptor.remotes["main"] in ("../store", "../../../store")
    assert written.descriptor.remotes["backup"] == "s3://b/p"
    (tmp_path / out / "files").exists() and (tmp_path / out / "files/a.data.bin").unlink()
    assert lake.open(tmp_path / out)[0]["data"].bytes() == b"x"
    again = lake.open(tmp_path / out).write(tmp_path / "again", mode="manifests")
    assert again[0]["data"].bytes() == b"x"


def test_one_alias_for_two_remotes_becomes_two(tmp_path: Path) -> None:
    one = remote_only(tmp_path / "1", tmp_path / "s1", {"a": b"one"}, url="../s1")
    two = remote_only(tmp_path / "2", tmp_path / "s2", {"b": b"two"}, url="../s2")
    out = (one + two).write(tmp_path / "out")
    assert out.descriptor.remotes == {"main": "../s1", "main-2": "../s2"}
    assert [s["data"].ref.aliases for s in out] == [("main",), ("main-2",)]
    assert contents(out) == contents(one + two)
    side = one.zip(two, "*_2").write(tmp_path / "side")
    assert side[0]["data"].bytes() + side[0]["data_2"].bytes() == b"onetwo"


def test_two_aliases_for_one_remote_become_one(tmp_path: Path) -> None:
    one = remote_only(tmp_path / "1", tmp_path / "s", {"a": b"one"}, url="../s")
    (tmp_path / "deep").mkdir()
    two = remote_only(tmp_path / "deep/2", tmp_path / "s", {"b": b"two"}, url="../../s")
    text = (tmp_path / "deep/2/dataset.yaml").read_text().replace("main:", "other:")
    (tmp_path / "deep/2/dataset.yaml").write_text(text)
    manifest = tmp_path / "deep/2/samples/b.json"
    manifest.write_text(manifest.read_text().replace('"main"', '"other"'))
    two = lake.open(tmp_path / "deep/2")
    out = (one + two).write(tmp_path / "out")
    assert out.descriptor.remotes == {"main": "../s"}
    assert contents(out) == contents(one + two)


def test_aliases_that_no_descriptor_declares_stay_as_they_are() -> None:
    aliases = Aliases(Path("/out"), {"main": "s3://a/b"})
    ref = (
        BlobRef(sha256=sha(b""), size=0, type="text/plain")
        .with_location("mine")
        .with_location("m", "k")
    )
    place = Place(Path("/in"), {"m": "s3://a/b"})
    assert [x.to_json() for x in aliases.rewritten(ref, place).in_] == ["mine", {"main": "k"}]
    assert aliases.remotes == {"main": "s3://a/b"}


def test_an_output_keeps_the_remotes_it_has_while_samples_name_them(tmp_path: Path) -> None:
    one = remote_only(tmp_path / "1", tmp_path / "s1", {"a": b"one"}, url="../s1")
    out = one.write(tmp_path / "out")
    with_more = out.descriptor.model_copy(update={"remotes": {"main": "../s1", "new": "s3://b/p"}})
    again = out.with_descriptor(with_more).write(tmp_path / "out", in_place=True)
    assert list(again.descriptor.remotes) == ["main", "new"]
    assert contents(again) == contents(one)
