"""Directories by strangers: opening and reading runs nothing, leads nowhere, and never hangs."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest

import lake
from lake.dataset import Dataset, open_dataset
from lake.errors import BlobUnavailable, ConflictError, LakeError, ManifestError, NotFound
from lake_schemas.sample import SampleManifest
from lake_schemas.text import dump_line, dump_sample
from tests.unit.dataset.making import by_hand, sha, small

EMPTY = dump_sample(SampleManifest())


def plain(path: Path, *ids: str) -> Path:
    by_hand(path, {id: SampleManifest(values={"id": id}) for id in ids}, "lake: 1\n")
    return path


def packed(path: Path, *parts: list[bytes]) -> Path:
    plain(path)
    (path / "samples").mkdir()
    for number, lines in enumerate(parts):
        (path / f"samples/part-{number:05d}.jsonl").write_bytes(b"".join(lines))
    return path


def line(id: str) -> bytes:
    return dump_line(id, SampleManifest(values={"id": id}))


def test_P8_a_directory_that_is_no_dataset(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="lake init"):
        lake.open(tmp_path / "nowhere")
    (tmp_path / "photos").mkdir()
    with pytest.raises(NotFound, match="not a dataset") as caught:
        lake.open(tmp_path / "photos")
    assert "lake init" in str(caught.value)
    with pytest.raises(NotFound, match="a file"):
        lake.open(plain(tmp_path / "d", "a") / "dataset.yaml")
    with pytest.raises(NotFound, match="lies in the dataset"):
        lake.open(tmp_path / "d/samples")


@pytest.mark.parametrize(
    "text",
    ["", "lake: 2\n", "name: x\n", "lake: 1\nremotes: {main: s3://me:pw@h/b}\n", "- 1\n", "\0",
     "lake: 1\nextra: 1\n", "lake: !!python/object/apply:os.system [id]\n", "a: &a [*a]\n"],
)  # fmt: skip
def test_P8_broken_descriptors_are_refused(tmp_path: Path, text: str) -> None:
    plain(tmp_path / "d", "a")
    (tmp_path / "d/dataset.yaml").write_text(text)
    with pytest.raises(ManifestError) as caught:
        lake.open(tmp_path / "d")
    assert "pw" not in str(caught.value)


def test_P8_huge_texts_are_refused(tmp_path: Path) -> None:
    plain(tmp_path / "d", "a", "b")
    with (tmp_path / "d/samples/a.json").open("r+b") as file:
        file.truncate(1 << 40)
    dataset = lake.open(tmp_path / "d")
    with pytest.raises(ManifestError, match="larger"):
        dataset[0]
    assert dataset[1]["id"]() == "b"
    with (tmp_path / "d/dataset.yaml").open("r+b") as file:
        file.truncate(1 << 40)
    with pytest.raises(ManifestError, match="larger"):
        lake.open(tmp_path / "d")


def make_link(path: Path, target: Path) -> None:
    path.symlink_to(target)


def make_fifo(path: Path, target: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path, target: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        # The path of a socket is limited to some 100 bytes.
        here = Path.cwd()
        os.chdir(path.parent)
        try:
            made.bind(path.name)
        finally:
            os.chdir(here)


def make_directory(path: Path, target: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("make", [make_link, make_fifo, make_socket, make_directory])
@pytest.mark.parametrize("rel", ["dataset.yaml", "samples/a.json", "samples/part-00000.jsonl"])
def test_P8_only_regular_files_are_read(tmp_path: Path, rel: str, make: Any) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"lake: 1\n" if rel == "dataset.yaml" else EMPTY)
    if rel.endswith("jsonl"):
        packed(tmp_path / "d", [line("a")])
    else:
        plain(tmp_path / "d", "a")
    (tmp_path / "d" / rel).unlink()
    make(tmp_path / "d" / rel, outside)
    if make is make_directory and rel == "samples/a.json":
        assert contents_of(lake.open(tmp_path / "d")) == []  # an empty directory of ids
        return
    with pytest.raises(LakeError, match=str(tmp_path / "d")):
        contents_of(lake.open(tmp_path / "d"))


def contents_of(dataset: Dataset) -> list[object]:
    return [sample.to_dict() for sample in dataset]


def test_P8_links_to_directories_are_not_followed(tmp_path: Path) -> None:
    other = plain(tmp_path / "other", "x/secret")
    plain(tmp_path / "d", "a")
    link = tmp_path / "d/samples/link"
    link.symlink_to(other / "samples")
    with pytest.raises(ManifestError, match="samples/link"):  # and samples are not missed quietly
        len(lake.open(tmp_path / "d"))
    link.unlink()
    link.symlink_to(tmp_path / "nowhere")
    assert list(lake.open(tmp_path / "d").ids) == ["a"]
    whole = plain(tmp_path / "e")
    (whole / "samples").symlink_to(other / "samples")
    with pytest.raises(ManifestError, match="samples must be a directory"):
        len(lake.open(whole))
    # The dataset itself may be reached by a link: the person at the keyboard chose it.
    (tmp_path / "shortcut").symlink_to(tmp_path / "d")
    assert lake.open(tmp_path / "shortcut").root == (tmp_path / "d").resolve()


@pytest.mark.parametrize(
    "name",
    ["a b.json", "-x.json", "ä.json", "con.json", "x" * 70 + ".json", "a..json", "nul.txt.json"],
)
def test_P8_names_outside_the_grammar_are_refused(tmp_path: Path, name: str) -> None:
    plain(tmp_path / "d", "a")
    (tmp_path / "d/samples" / name).write_bytes(EMPTY)
    with pytest.raises(ManifestError, match="samples/"):
        len(lake.open(tmp_path / "d"))


def test_names_that_are_not_manifests_do_not_matter(tmp_path: Path) -> None:
    plain(tmp_path / "d", "a")
    for name in (".gitkeep", "._a.json", ".DS_Store", "README.md", "a.txt", "b.json.bak", "ä"):
        (tmp_path / "d/samples" / name).write_bytes(b"?")
    (tmp_path / "d/samples/notes").symlink_to("/etc/passwd")
    assert list(lake.open(tmp_path / "d").ids) == ["a"]


def test_json_and_yaml_may_mix_but_not_for_one_id(tmp_path: Path) -> None:
    plain(tmp_path / "d", "a", "c/x")
    (tmp_path / "d/samples/b.yaml").write_text("values: {id: b}\n")
    (tmp_path / "d/samples/c/y.yml").write_text("values: {id: c/y}\n")
    dataset = lake.open(tmp_path / "d")
    assert [(s.id, s["id"]()) for s in dataset] == [(i, i) for i in ("a", "b", "c/x", "c/y")]
    (tmp_path / "d/samples/a.yaml").write_text("values: {}\n")
    with pytest.raises(ManifestError, match=r"two manifests have one id.*: a"):
        len(lake.open(tmp_path / "d"))


@pytest.mark.parametrize(
    "ids", [("a", "A"), ("X/1", "x/2"), ("p/Q/1", "p/q/2"), ("a-1", "A/1", "a/2")]
)
@pytest.mark.parametrize("layout", ["files", "packed"])
def test_ids_that_differ_by_case_alone_are_refused(
    tmp_path: Path, ids: tuple[str, ...], layout: str
) -> None:
    if layout == "files":
        plain(tmp_path / "d", *ids)
    else:
        packed(tmp_path / "d", [line(id) for id in sorted(ids)])
    with pytest.raises(ManifestError, match="case alone"):
        len(lake.open(tmp_path / "d"))


def test_capitals_alone_are_no_collision(tmp_path: Path) -> None:
    ids = ("A", "B/x", "B/y", "b-c", "c/B/1", "c/D/1")
    for number, make in enumerate(
        (plain(tmp_path / "d", *ids), packed(tmp_path / "e", [line(i) for i in ids]))
    ):
        assert list(lake.open(make).ids) == sorted(ids), number


# Packed.


def test_packed_parts_need_not_be_in_order(tmp_path: Path) -> None:
    packed(tmp_path / "d", [line("c"), line("a")], [line("b/2"), line("b/1")])
    dataset = lake.open(tmp_path / "d")
    assert [(s.id, s["id"]()) for s in dataset] == [(i, i) for i in ("a", "b/1", "b/2", "c")]


def test_packed_lines_may_be_spelled_by_hand(tmp_path: Path) -> None:
    packed(
        tmp_path / "d",
        [
            b'{"values": {"id": "b"}, "id": "b", "items": {}}\r\n',
            b"\n",
            b'{"id": "\\u0061","values":{"id":"a"}}',
        ],
    )
    assert [(s.id, s["id"]()) for s in lake.open(tmp_path / "d")] == [("a", "a"), ("b", "b")]


@pytest.mark.parametrize(
    "lines",
    [
        [line("a"), line("a")],
        [b'{"id":"../a","items":{},"values":{}}\n'],
        [b'{"id":"a b","items":{},"values":{}}\n'],
        [b"not json\n"],
        [b'{"items":{}}\n'],
        [b'{"id":1}\n'],
        [b'{"id":"a'],
        [b"\xff\xfe\n"],
        [b'{"id":"' + b"x" * (9 << 20)],
    ],
)  # fmt: skip
def test_broken_packed_lines_are_refused(tmp_path: Path, lines: list[bytes]) -> None:
    packed(tmp_path / "d", lines)
    with pytest.raises(ManifestError):
        contents_of(lake.open(tmp_path / "d"))


def test_both_layouts_at_once_are_refused(tmp_path: Path) -> None:
    packed(tmp_path / "d", [line("a")])
    (tmp_path / "d/samples/b.json").write_bytes(EMPTY)
    with pytest.raises(ManifestError, match="both layouts"):
        len(lake.open(tmp_path / "d"))


def test_a_part_that_changes_under_the_reader_is_noticed(tmp_path: Path) -> None:
    packed(tmp_path / "d", [line("a"), line("b")])
    dataset = lake.open(tmp_path / "d")
    assert len(dataset) == 2
    (tmp_path / "d/samples/part-00000.jsonl").write_bytes(line("aa") + line("b"))
    with pytest.raises(ConflictError, match="open it again"):
        dataset[1]
    assert lake.open(tmp_path / "d")[1].id == "b"


# Blobs.


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_bytes(b"the secret")
    return path


def with_file(path: Path, file: str, data: bytes = b"the secret") -> Dataset:
    """A dataset that says that `file` holds a blob."""
    text = (
        f'{{"items": {{"x": {{"sha256": "{sha(data)}", "size": {len(data)}, '
        f'"type": "text/plain", "file": "{file}"}}}}, "values": {{}}}}'
    )
    path.mkdir()
    (path / "dataset.yaml").write_text("lake: 1\n")
    (path / "samples").mkdir()
    (path / "samples/a.json").write_text(text)
    return open_dataset(path)


@pytest.mark.parametrize("file", ["../secret", "/etc/passwd", "files/../../secret", "./x", "a//b"])
def test_P8_files_of_blobs_lie_in_the_dataset(tmp_path: Path, secret: Path, file: str) -> None:
    with pytest.raises(ManifestError):
        with_file(tmp_path / "d", file)[0]


@pytest.fixture(params=["link", "fifo", "directory", "through a link", "absent"])
def trap(request: pytest.FixtureRequest, tmp_path: Path, secret: Path) -> Dataset:
    dataset = with_file(
        tmp_path / "d", "files/x" if request.param != "through a link" else "up/secret"
    )
    (tmp_path / "d/files").mkdir()
    match request.param:
        case "link":
            # With other bytes behind it than the manifest says: what a stranger can arrange.
            secret.write_bytes(b"other bytes")
            (tmp_path / "d/files/x").symlink_to(secret)
        case "fifo":
            os.mkfifo(tmp_path / "d/files/x")
        case "directory":
            (tmp_path / "d/files/x").mkdir()
        case "through a link":
            (tmp_path / "d/up").symlink_to(tmp_path)
    return dataset


def test_P8_traps_among_the_files_of_blobs(trap: Dataset, tmp_path: Path) -> None:
    item = trap[0]["x"]
    for use in (item, item.bytes, item.open, item.path):
        with pytest.raises(BlobUnavailable):
            use()
    for mode in ("copy", "hardlink", "symlink", "reflink", "auto", "manifests"):
        with pytest.raises(BlobUnavailable):
            trap.write(tmp_path / "out", mode=mode)
        assert not (tmp_path / "out").exists()
    assert "the secret" not in trap._repr_html_()


def test_P8_a_schema_does_not_lead_out_or_overwrite(tmp_path: Path, secret: Path) -> None:
    small(tmp_path / "d", 2)
    text = (tmp_path / "d/dataset.yaml").read_text()
    for schema in ("samples/evil.json", "dataset.yaml", "schema.yaml"):
        (tmp_path / "d/dataset.yaml").write_text(text + f"schema: {schema}\n")
        if schema == "schema.yaml":
            (tmp_path / "d/schema.yaml").symlink_to(secret)
        out = lake.open(tmp_path / "d").write(tmp_path / f"out-{schema.replace('/', '-')}")
        assert len(out) == 2
        assert not (out.root / "schema.yaml").exists()  # type: ignore[operator]
    (tmp_path / "d/schema.yaml").unlink()
    (tmp_path / "d/schema.yaml").write_text("items: {}\n")
    out = lake.open(tmp_path / "d").write(tmp_path / "last")
    assert (tmp_path / "last/schema.yaml").read_text() == "items: {}\n"
