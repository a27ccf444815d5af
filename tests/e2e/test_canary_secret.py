"""P9: secrets are put in every place that people put them, everything is run at DEBUG, including
what fails; then every file, git object, printed line and error text is searched for them."""

from __future__ import annotations

import base64
import os
import re
import sqlite3
import stat
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

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


@dataclass
class Canaries:
    """Secrets that must not be seen again, each with the place it was put in."""

    planted: dict[str, str] = field(default_factory=dict)
    own_files: set[Path] = field(default_factory=set)
    """Files that this test itself wrote a secret into: they are the user's, not lake's."""

    def new(self, place: str) -> str:
        secret = f"cAnArY{len(self.planted)}x{os.urandom(12).hex()}"
        self.planted[secret] = place
        return secret

    def seen(self, data: bytes) -> Iterator[str]:
        """The places whose secrets are in `data`, plain or in a usual disguise."""
        for secret, place in self.planted.items():
            plain = secret.encode()
            # Base64 in its three alignments, without the characters that neighbours can change.
            disguises = [base64.b64encode(b"\0" * n + plain)[4 if n else 0 : -4] for n in range(3)]
            if any(form in data for form in [plain, plain[::-1], plain.hex().encode(), *disguises]):
                yield place


@pytest.fixture
def canaries() -> Canaries:
    return Canaries()


def everything_written(top: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below a folder, and what is inside databases (free pages included)."""
    for path in sorted(top.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield str(path), path.read_bytes()
            if path.suffix in {".sqlite", ".db", ".sqlite3"}:
                with sqlite3.connect(path) as database:
                    yield f"{path} (dump)", "\n".join(database.iterdump()).encode()
                database.close()


def git_objects(person: Person, repo: Path) -> bytes:
    """All objects of a repository, inflated."""
    return person.run("git", "-C", repo, "cat-file", "--batch-all-objects", "--batch").out.encode()


def assert_silent(person: Person, canaries: Canaries, top: Path) -> None:
    leaks = []
    for name, data in everything_written(top):
        if Path(name) not in canaries.own_files and not _is_secret_store(Path(name)):
            leaks += [f"{place} in {name}" for place in canaries.seen(data)]
    for repo in top.rglob(".git"):
        data = git_objects(person, repo.parent)
        leaks += [f"{place} in the objects of {repo}" for place in canaries.seen(data)]
    for said in person.said:
        leaks += [f"{p} was printed: {said.text[:3000]}" for p in canaries.seen(said.text.encode())]
    assert not leaks, "\n".join(leaks)


def _is_secret_store(path: Path) -> bool:
    """The one file of lake's that may hold secrets: the user's own, readable by nobody else."""
    if not re.fullmatch(r"secrets(\.local)?\.ya?ml", path.name):
        return False
    assert stat.S_IMODE(path.stat().st_mode) == 0o600, f"{path} is readable by others"
    return True


@pytest.fixture
def ann(person: Person) -> Person:
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
    ann.lake("remote", "check", remote, "--debug", ok=None)
    ann.lake("remote", "list", "--json", ok=None)
    ann.lake("remote-add", "raw", "out", "-r", remote, "--debug", ok=ok)
    ann.lake("remote-add", "raw", "kept", "-r", remote, "--keep-going", "--json", ok=ok)
    if (ann.root / "out").exists():
        ann.lake("status", "out", "--debug", ok=None)
        ann.lake("push", "out", "-r", remote, "--debug", ok=None)
        ann.lake("clone", "out", "back", "--mode", "copy", "--debug", ok=ok)
        ann.lake("verify", "out", "--read-data", "--debug", ok=ok)
        ann.python(TELL, "out", ok=None)
    ann.lake("config", "--json", ok=None)
    ann.lake("doctor", ok=None)


def test_P9_password_in_the_address(
    ann: Person, canaries: Canaries, s3_port: int, tmp_path
) -> None:
    secret = canaries.new("the address")
    url = f"s3://{KEY_ID}:{secret}@127.0.0.1:{s3_port}/bucket?secure=false"
    ann.lake("remote", "add", "main", url, "--debug")
    flows(ann, "main", ok=True)
    ann.lake("remote-add", "raw", "typed", "-r", url + "&x=1", "--debug", ok=None)
    commit(ann)
    assert_silent(ann, canaries, tmp_path)
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
    assert_silent(ann, canaries, tmp_path)


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
    assert_silent(ann, canaries, tmp_path)


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
            ["remote-add", "raw", "out", "-r", "main", "--debug"],
            ["status", "raw", "--debug"],
            ["remote", "list", "--debug"],
            ["config", "--debug"],
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
        ann.lake(*words, "--debug", ok=None)
    commit(ann)
    assert_silent(ann, canaries, tmp_path)


def test_P9_the_search_finds_what_it_looks_for(ann: Person, canaries: Canaries, tmp_path) -> None:
    secret = canaries.new("a file")
    (ann.root / "note.txt").write_text(secret)
    commit(ann)
    (ann.root / "note.txt").unlink()
    with pytest.raises(AssertionError, match="in the objects of"):
        assert_silent(ann, canaries, tmp_path)
    assert list(canaries.seen(base64.b64encode(b"user:" + secret.encode())))
