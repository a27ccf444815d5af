"""Datasets by strangers, as git brings them: broken, huge, hostile. Named, and never obeyed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import lake
from lake.errors import (
    BlobUnavailable,
    ConfigError,
    InputError,
    ManifestError,
    NotFound,
    PartialFailure,
)

from .desk import Desk, desk

__all__ = ["desk"]

GOOD = '{"items": {}, "values": {"n": 1}}'


def item(name: str = "a", **changes: Any) -> str:
    """A manifest of one blob item, with some of its fields changed or (None) left out."""
    ref = {"sha256": "ab" * 32, "size": 3, "type": "text/plain", "in": ["main"], **changes}
    return json.dumps({"items": {name: {k: v for k, v in ref.items() if v is not None}}})


def at(file: str) -> str:
    """A manifest of one item in a file."""
    return item(file=file, **{"in": None})


BROKEN: dict[str, tuple[str | bytes, str]] = {
    "nothing": ("", "not JSON"),
    "torn": (GOOD[:20], "line"),
    "prose": ("hello", "not JSON"),
    "a list": ("[]", "must be an object"),
    "not UTF-8": (b"\xff\xfe{}", "not UTF-8"),
    "with a BOM": (b"\xef\xbb\xbf" + GOOD.encode(), "byte order mark"),
    "a key twice": ('{"items": {}, "items": {}}', "'items' is there twice"),
    "a value twice": ('{"values": {"a": 1, "a": 2}}', "'a' is there twice"),
    "NaN": ('{"values": {"a": NaN}}', "NaN"),
    "infinite": ('{"values": {"a": 1e999}}', "finite"),
    "a big integer": ('{"values": {"a": 18446744073709551616}}', "64 bits"),
    "deep": ('{"values": {"a": ' + "[" * 40 + "]" * 40 + "}}", "deep"),
    "deep beyond all": ('{"values": {"a": ' + "[" * 300_000, "deep"),
    "huge": (" " * 2_000_000 + GOOD, "1,048,576"),
    "an unknown field": ('{"item": {}}', "item: unknown field"),
    "one name for two": (item()[:-1] + ', "values": {"a": 1}}', "a"),
    "a hostile item": (item("../a"), "../a"),
    "a hostile value": ('{"values": {"a/b": 1}}', "a/b"),
    "a short digest": (item(sha256="ab"), "sha256"),
    "a negative size": (item(size=-3), "size"),
    "no source": (item(**{"in": []}), "neither"),
    "a strange type": (item(type=7), "type"),
    "a path upward": (at("../x"), "../x"),
    "an absolute path": (at("/etc/passwd"), "/etc/passwd"),
    "a hidden path": (at(".git/config"), ".git"),
    "a key upward": (item(**{"in": [{"main": "../../x"}]}), "../../x"),
}

BROKEN_YAML: dict[str, tuple[str | bytes, str]] = {
    "an anchor": ("values: &a {x: 1}", "anchor"),
    "an alias": ("values: {x: *a}", "alias"),
    "a tag": ("values: {x: !!python/object/apply:os.abort []}", "tag"),
    "two documents": ("values: {}\n---\nvalues: {}\n", "second document"),
    "a key twice": ("values: {a: 1, a: 2}", "twice"),
    "deep": ("values: {a: " + "[" * 30_000, "deep"),
    "a bomb": ("values:\n a: &a [x,x]\n b: &b [*a,*a]\n", "anchor"),
}

COMMANDS = ("clone ds out --mode copy", "remote-add ds out -r main", "convert ds --layout packed")


@pytest.fixture
def ds(desk: Desk) -> Path:
    """Three samples with blobs in the remote main."""
    desk.datasets()
    (desk.root / "dr").rename(desk.root / "ds")
    return desk.root / "ds"


def told(desk: Desk, path: str, says: str) -> None:
    """Every door says which file is broken and how, and changes nothing."""
    for words in COMMANDS:
        said = desk.refused(ManifestError, *words.split(), says=says)
        assert path in said.err
    dataset = lake.open(desk.root / "ds")
    with pytest.raises(ManifestError) as caught:
        list(dataset)
    assert path in str(caught.value.where)
    said = desk.lake("clone", "ds", "out", "--keep-going", code=PartialFailure.exit_code)
    assert says in said.err
    assert len(lake.open(desk.root / "out")) == 5


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_manifest(desk: Desk, ds: Path, what: str) -> None:
    text, says = BROKEN[what]
    desk.write("ds/samples/a/2.json", text)
    told(desk, str(ds / "samples/a/2.json"), says)


@pytest.mark.parametrize("name", ["samples/a/2.json", "samples/a/2.yaml", "dataset.yaml"])
def test_an_unresolved_merge_is_seen(desk: Desk, ds: Path, name: str) -> None:
    (ds / "samples/a/2.json").unlink()
    desk.write(f"ds/{name}", "lake: 1\n<<<<<<< HEAD\nname: a\n=======\nname: b\n>>>>>>> theirs\n")
    desk.refused(ManifestError, "clone", "ds", "out", says="resolve the conflict")


@pytest.mark.parametrize("what", BROKEN_YAML)
def test_a_broken_manifest_in_yaml(desk: Desk, ds: Path, what: str) -> None:
    text, says = BROKEN_YAML[what]
    (ds / "samples/a/2.json").unlink()
    desk.write("ds/samples/a/2.yaml", text)
    told(desk, str(ds / "samples/a/2.yaml"), says)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda line: line[:-20], "a/2"),
        (lambda line: line.replace('"size"', '"sise"'), "a/2"),
        (lambda line: line + " " * 2_000_000, "1,048,576"),
        (lambda line: line.replace('"size"', '"size":1,"size"'), "a/2"),
    ],
    ids=["torn", "a typo", "huge", "a key twice"],
)
def test_a_broken_line(desk: Desk, ds: Path, change: Callable[[str], str], says: str) -> None:
    desk.lake("convert", "ds", "--layout", "packed")
    part = ds / "samples/part-00000.jsonl"
    lines = part.read_text().splitlines()
    lines[1] = change(lines[1])
    part.write_text("\n".join(lines) + "\n")
    for words in COMMANDS[:2]:
        assert str(part) in desk.refused(ManifestError, *words.split(), says=says).err
    desk.lake("clone", "ds", "out", "--keep-going", code=PartialFailure.exit_code)
    assert len(lake.open(desk.root / "out")) == 5


@pytest.mark.parametrize("line", ["garbage", '{"id":"../x"}', '{"id":"a/0"}', "[]", "\0" * 99])
def test_a_line_without_an_id_of_its_own(desk: Desk, ds: Path, line: str) -> None:
    desk.lake("convert", "ds", "--layout", "packed")
    part = ds / "samples/part-00000.jsonl"
    part.write_text(part.read_text() + line + "\n")
    for words in COMMANDS:
        desk.refused(ManifestError, *words.split(), says=str(ds / "samples"))


@pytest.mark.parametrize(
    "name",
    ["sp ace", "-dash", "con", "aux.1", "end.", "x" * 65, "ümlaut", "a\nb", "a\\b", "%2e%2e"],
)
def test_a_hostile_id(desk: Desk, ds: Path, name: str) -> None:
    desk.write(f"ds/samples/a/{name}.json", GOOD)
    for words in COMMANDS:
        desk.refused(ManifestError, *words.split(), says="no legal sample id")


def _link(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def _link_to_directory(path: Path) -> None:
    path.symlink_to("/etc")


@pytest.mark.parametrize("make", [_link, os.mkfifo, _link_to_directory, Path.mkdir])
@pytest.mark.parametrize("rel", ["samples/a/2.json", "dataset.yaml", "samples"])
def test_P8_what_is_no_file_is_not_read(
    desk: Desk, ds: Path, rel: str, make: Callable[[Path], None]
) -> None:
    path = ds / rel
    path.rename(desk.root / "aside")
    make(path)
    for words in COMMANDS[:2]:
        said = desk.lake(*words.split(), code=None)
        if make is Path.mkdir and rel != "dataset.yaml":
            assert said.code == 0  # a directory without manifests is just that
            assert len(lake.open(desk.root / "out")) == (5 if "2" in rel else 0)
            return
        assert said.code in (ManifestError.exit_code, InputError.exit_code), said.text
        assert str(path) in said.err
        assert "root:" not in said.text
        assert not (desk.root / "out").exists()


@pytest.mark.parametrize("make", [_link, os.mkfifo, _link_to_directory, Path.mkdir])
def test_P8_an_own_file_that_is_none_is_not_read(desk: Desk, make: Callable[[Path], None]) -> None:
    desk.datasets()
    own = desk.root / "d/files/a/2.bin.bin"
    own.unlink()
    make(own)
    for words in ("clone d out --mode copy", "remote-add d out -r ./other", "pull d"):
        said = desk.refused(BlobUnavailable, *words.split(), says="a/2: bin", besides="other")
        assert "root:" not in said.text
    with pytest.raises(BlobUnavailable):
        lake.open(desk.root / "d").sample("a/2")["bin"].bytes()
    assert desk.lake("verify", "d", "--read-data", code=None).code != 0


DESCRIPTORS = {
    "nothing": ("", "empty"),
    "the future": ("lake: 2\n", "newer"),
    "no version": ("name: x\n", "lake: 1"),
    "a key twice": ("lake: 1\nlake: 1\n", "twice"),
    "a remote twice": ("lake: 1\nremotes: {a: ./x, a: ./y}\n", "twice"),
    "a hostile alias": ("lake: 1\nremotes: {../a: ./x}\n", "../a"),
    "a secret": ("lake: 1\nremotes: {a: 's3://me:topsecret@h/b'}\n", "user or password"),
    "a path upward": ("lake: 1\nschema: ../../x\n", "../../x"),
    "a strange layout": ("lake: 1\nlayout: zip\n", "layout"),
    "an unknown field": ("lake: 1\nexec: rm\n", "exec"),
    "a tag": ("lake: !!python/name:os.abort 1\n", "tag"),
    "not a mapping": ("- 1\n", "mapping"),
    "huge": ("lake: 1\nname: " + "x" * 2_000_000, "1,048,576"),
    "not UTF-8": (b"lake: 1\nname: \xff\n", "UTF-8"),
    "broken": ("lake: [", "not YAML"),
}


@pytest.mark.parametrize("what", DESCRIPTORS)
def test_a_broken_descriptor(desk: Desk, ds: Path, what: str) -> None:
    text, says = DESCRIPTORS[what]
    desk.write("ds/dataset.yaml", text)
    for words in (*COMMANDS, "push ds -r main", "pull ds", "verify ds", "status ds"):
        said = desk.refused(ManifestError, *words.split(), says=says)
        assert "dataset.yaml" in said.err
        assert "topsecret" not in said.text
    with pytest.raises(ManifestError) as caught:
        lake.open(ds)
    assert "topsecret" not in str(caught.value)


def test_both_layouts_at_once(desk: Desk, ds: Path) -> None:
    desk.write("ds/samples/part-00000.jsonl", '{"id":"z","items":{},"values":{}}\n')
    desk.refused(ManifestError, *COMMANDS[0].split(), says="both layouts")


def test_no_descriptor(desk: Desk, ds: Path) -> None:
    (ds / "dataset.yaml").unlink()
    for words in COMMANDS:
        desk.refused(NotFound, *words.split(), says="dataset.yaml")
    desk.refused(NotFound, "verify", "ds/samples", says="dataset.yaml")


# Settings that come with a checkout.


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("remotes: {", "config.yaml:"),
        ("nonsense: 1\n", "nonsense"),
        ("default: '../x'\n", "default"),
        ("remotes: {a: 's3://me:topsecret@h/b'}\n", "remotes.a"),
        ("trust: {endpoints: [x]}\n", "trust"),
        (b"\xff", "UTF-8"),
        ("x" * 2_000_000, "1 MiB"),
    ],
)
def test_broken_settings(desk: Desk, ds: Path, text: str | bytes, says: str) -> None:
    desk.write(".lake/config.yaml", text)
    for words in ("clone ds out --mode copy", "push ds -r main", "remote list", "config"):
        said = desk.refused(ConfigError, *words.split(), says=says)
        assert ".lake/config.yaml" in said.err
        assert "topsecret" not in said.text


# Blobs that are not what the manifest says.


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda data: b"X" + data[1:], "not those that the digest names"),
        (lambda data: data[:-1], "bytes instead of"),
        (lambda data: data + b"!", "bytes instead of"),
        (lambda data: b"", "bytes instead of"),
        (lambda data: data * 10_000, "bytes instead of"),
    ],
    ids=["flipped", "truncated", "longer", "empty", "oversized"],
)
def test_P5_a_blob_of_other_bytes(desk: Desk, spoil: Callable[[bytes], bytes], says: str) -> None:
    desk.datasets()
    blob = desk.blob("a/2")
    good = blob.read_bytes()
    blob.chmod(0o644)
    blob.write_bytes(spoil(good))
    for words in ("clone dr out --mode copy", "pull dr", "remote-add dr out -r ./other"):
        said = desk.refused(BlobUnavailable, *words.split(), says="main: ", besides="other")
        assert "a/2: bin" in said.err
        assert blob.name in said.err
    item = lake.open(desk.root / "dr").sample("a/2")["bin"]
    for use in (item.bytes, item.path, item, lambda: item.open().read()):
        with pytest.raises(BlobUnavailable):
            use()
    said = desk.lake("verify", "dr", "--read-data", code=4)
    assert "a/2: bin" in said.out
    # Nobody took it for good, anywhere.
    for folder in (desk.root / "other", Path(os.environ["LAKE_CACHE_DIR"]) / "blobs"):
        assert not list(folder.rglob(f"sha256/*/{blob.name}"))
    # A second source serves, and mends the first.
    desk.lake("remote", "add", "second", "./second")
    desk.lake("push", "d", "-r", "second")
    (desk.root / "dr/dataset.yaml").write_text(
        "lake: 1\nremotes: {main: ../store, second: ../second}\n"
    )
    for path in (desk.root / "dr/samples").rglob("*.json"):
        path.write_text(path.read_text().replace('"in":["main"]', '"in":["main","second"]'))
    desk.lake("clone", "dr", "out", "--mode", "copy")
    assert (desk.root / "out/files/a/2.bin.bin").read_bytes() == good
    desk.lake("verify", "dr", "--read-data", "--repair")
    assert blob.read_bytes() == good


def test_P8_what_is_adopted_under_its_own_key_stays_in_its_remote(desk: Desk) -> None:
    """A manifest names an object by its key: only below the remote, and never behind a link."""
    desk.datasets()
    desk.write("private.txt", "dear diary\n")
    desk.write("bucket/a.txt", "fine\n")
    (desk.root / "bucket/link.txt").symlink_to("../private.txt")
    for key, code in (("a.txt", 0), ("link.txt", BlobUnavailable.exit_code)):
        data = (desk.root / "bucket" / key).read_bytes()
        ref = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "type": "text/plain"}
        text = json.dumps({"items": {"t": {**ref, "in": [{"bucket": key}]}}})
        desk.write("h/samples/x.json", text)
        desk.write("h/dataset.yaml", "lake: 1\nremotes: {bucket: ../bucket}\n")
        assert "diary" not in desk.lake("clone", "h", key, "--mode", "copy", code=code).text
    with pytest.raises(BlobUnavailable, match="not a plain file"):
        lake.open(desk.root / "h").sample("x")["t"].bytes()
