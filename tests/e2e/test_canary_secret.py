"""P9: secrets are put in every place that people put them, everything is run at DEBUG, including
what fails; then every file, git object, printed line and error text is searched for them."""

from __future__ import annotations

import base64
import urllib.parse
from collections.abc import Callable

import pytest

from .canaries import Canaries, assert_silent
from .conftest import Person
from .tattler import tattler
from .test_walk_second_person import make_pictures

KEY_ID = "AKIDCANARY0000000001"

TELL = """
import logging, pickle, sys, traceback
logging.basicConfig(level=logging.DEBUG)
import lake
from lake.transfer import default_hub
try:
    dataset = lake.open(sys.argv[1])
    print(repr(dataset), repr(dataset[0]), repr(dataset[0]["image"]), dataset[0]["image"].sources)
    print(pickle.dumps(dataset))
    dataset[0]["image"].bytes()
except Exception as error:
    traceback.print_exc()
    print(repr(error), error.__dict__, error.__cause__, error.__context__)
    print(pickle.dumps(error) if isinstance(error, lake.LakeError) else "")
finally:
    hub = default_hub()
    print(repr(hub), vars(hub))
"""


@pytest.fixture
def canaries() -> Canaries:
    return Canaries()


@pytest.fixture
def ann(person: Person) -> Person:
    person.env["LAKE_DEBUG"] = "1"
    make_pictures(person.root / "pictures", 3)
    person.git("init", "-q", ".")
    (person.root / ".gitignore").write_text("pictures/\n")
    person.lake("init", "raw", "--from", "pictures", "--inline", "json")
    return person


def commit(person: Person) -> None:
    person.git("add", "-A")
    person.git("commit", "-qm", "all there is", "--allow-empty")


def flows(ann: Person, remote: str, *, ok: bool | None) -> None:
    """Everything one does with a remote, at DEBUG."""
    ann.lake("remote", "check", remote, ok=None)
    ann.lake("remote", "list", "--json", ok=None)
    ann.lake("remote-add", "raw", "out", "-r", remote, ok=ok)
    ann.lake("remote-add", "raw", "kept", "-r", remote, "--keep-going", "--json", ok=ok)
    if (ann.root / "out").exists():
        ann.lake("status", "out", ok=None)
        ann.lake("push", "out", "-r", remote, ok=None)
        ann.lake("clone", "out", "back", "--mode", "copy", ok=ok)
        ann.lake("verify", "out", "--read-data", ok=ok)
        ann.python(TELL, "out", ok=None)
    ann.lake("config", "--json", ok=None)
    ann.lake("doctor", ok=None)


def test_P9_password_in_the_address(
    ann: Person, canaries: Canaries, s3_port: int, tmp_path
) -> None:
    secret = canaries.new("the address")
    url = f"s3://{KEY_ID}:{secret}@127.0.0.1:{s3_port}/bucket?secure=false"
    ann.lake("remote", "add", "main", url)
    flows(ann, "main", ok=True)
    ann.lake("remote-add", "raw", "typed", "-r", url + "&x=1", ok=None)
    commit(ann)
    assert_silent(canaries, tmp_path, [said.text for said in ann.said])
    kept = [p for p in ann.home.rglob("*") if p.is_file() and secret.encode() in p.read_bytes()]
    assert kept, "the password was not kept for the next command"
    assert ann.root not in {parent for path in kept for parent in path.parents}


@pytest.mark.parametrize("server", ["refuses and repeats", "is not there", "serves"])
def test_P9_secrets_in_the_environment(
    ann: Person, canaries: Canaries, s3_port: int, tmp_path, server: str
) -> None:
    ann.env |= {
        "AWS_ACCESS_KEY_ID": KEY_ID,
        "AWS_SECRET_ACCESS_KEY": canaries.new("AWS_SECRET_ACCESS_KEY"),
        "AWS_SESSION_TOKEN": canaries.new("AWS_SESSION_TOKEN"),
        "MINIO_ACCESS_KEY": KEY_ID,
        "MINIO_SECRET_KEY": canaries.new("MINIO_SECRET_KEY"),
        "AWS_REGION": "us-east-1",
    }
    with tattler() as refusing:
        port = {"refuses and repeats": refusing, "is not there": 9, "serves": s3_port}[server]
        ann.lake("remote", "add", "main", f"s3://bucket/p?endpoint=http://127.0.0.1:{port}")
        flows(ann, "main", ok=server == "serves")
    commit(ann)
    assert_silent(canaries, tmp_path, [said.text for said in ann.said])


@pytest.mark.parametrize("serves", [True, False], ids=["served", "refused"])
@pytest.mark.parametrize("kind", ["aws", "mc"])
def test_P9_secrets_in_other_tools_files(
    ann: Person, canaries: Canaries, s3_port: int, tmp_path, kind: str, serves: bool
) -> None:
    secret = canaries.new(f"~/.{kind}")
    with tattler() as refusing:
        port = s3_port if serves else refusing
        if kind == "aws":
            path = ann.home / ".aws" / "credentials"
            text = f"[default]\naws_access_key_id={KEY_ID}\naws_secret_access_key={secret}\n"
            text += f"aws_session_token={canaries.new('~/.aws token')}\n"
        else:
            path = ann.home / ".mc" / "config.json"
            text = (
                f'{{"version": "10", "aliases": {{"here": {{"url": "http://127.0.0.1:{port}",'
                f' "accessKey": "{KEY_ID}", "secretKey": "{secret}", "api": "S3v4"}}}}}}'
            )
        path.parent.mkdir()
        path.write_text(text)
        canaries.own_files.add(path)
        ann.lake("remote", "add", "main", f"s3://bucket/p?endpoint=http://127.0.0.1:{port}")
        flows(ann, "main", ok=serves)
    commit(ann)
    assert_silent(canaries, tmp_path, [said.text for said in ann.said])


def test_P9_secrets_written_where_they_do_not_belong(
    ann: Person, canaries: Canaries, tmp_path
) -> None:
    """Somebody wrote a password into a descriptor or settings: refused, and not repeated."""
    url = "s3://{}:{}@127.0.0.1:9/bucket"
    places: dict[str, Callable[[str], str]] = {
        "raw/dataset.yaml": lambda s: (
            f"lake: 1\nname: raw\nremotes:\n  main: {url.format('u', s)}\n"
        ),
        ".lake/config.yaml": lambda s: f"remotes:\n  main: {url.format('u', s)}\n",
        ".lake/config.local.yaml": lambda s: f"remotes: {{main: s3://b/p?secret_key={s}}}\n",
    }
    for place, text in places.items():
        path = ann.root / place
        before = path.read_text() if path.exists() else None
        path.parent.mkdir(exist_ok=True)
        path.write_text(text(canaries.new(place)))
        for words in (
            ["remote-add", "raw", "out", "-r", "main"],
            ["status", "raw"],
            ["remote", "list"],
            ["config"],
            ["verify", "raw", "--json"],
        ):
            ann.lake(*words, ok=None)
        ann.python(TELL, "raw", ok=None)
        if before is None:
            path.unlink()
        else:
            path.write_text(before)
    for words in (
        ["remote", "add", "x", f"s3://bucket?secret_key={canaries.new('an option')}"],
        ["remote", "add", "y", f"https://u:{canaries.new('https address')}@127.0.0.1:9/x"],
        ["remote", "add", "z", f"ftp://u:{canaries.new('ftp address')}@127.0.0.1:9/x"],
        [
            "remote",
            "add",
            "q",
            f"s3://u:{urllib.parse.quote(canaries.new('quoted') + '/+')}@[bad/b",
        ],
    ):
        ann.lake(*words, ok=None)
    commit(ann)
    assert_silent(canaries, tmp_path, [said.text for said in ann.said])


def test_P9_the_search_finds_what_it_looks_for(ann: Person, canaries: Canaries, tmp_path) -> None:
    secret = canaries.new("a file")
    (ann.root / "note.txt").write_text(secret)
    commit(ann)
    (ann.root / "note.txt").unlink()
    with pytest.raises(AssertionError, match="in the objects of"):
        assert_silent(canaries, tmp_path, [said.text for said in ann.said])
    assert list(canaries.seen(base64.b64encode(b"user:" + secret.encode())))
