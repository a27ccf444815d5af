"""`lake remote`, `lake config` and `lake doctor`, as they are typed."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lake.cli.main import run
from lake.config import Config
from lake.errors import LakeError
from lake.secrets import load, references
from lake.store import BytesBody
from lake.store.connect import connect
from lake_schemas.remote import RemoteAddress
from tests.person import write
from tests.servers.loopback import Reply, Request, answering
from tests.servers.s3server import S3Server

Lake = Callable[..., Any]


@pytest.fixture
def lake(home: Path, capsys: pytest.CaptureFixture[str]) -> Lake:
    """Types a command; gives its JSON where asked for, else its text; checks the exit code."""

    def type_(*words: str, code: int = 0) -> Any:
        capsys.readouterr()
        found = run(["remote", *words] if words[0] in VERBS else list(words))
        said = capsys.readouterr()
        assert found == code, said.out + said.err
        return json.loads(said.out) if "--json" in words and code in (0, 7) else said.out + said.err

    return type_


VERBS = ("add", "list", "remove", "default", "check", "trust")


def test_add_writes_the_project_file(home: Path, lake: Lake) -> None:
    assert "main ../store" in lake("add", "main", "./store", "-d")
    assert (home / "work/.lake/config.yaml").read_text() == (
        "remotes:\n  main: ../store\ndefault: main\n"
    )
    assert (home / "work/.lake/.gitignore").read_text() == "/config.local.yaml\n"
    assert not (home / "work/store").exists(), "adding makes nothing at the remote"
    assert not (home / ".config").exists(), "a folder of the project's needs no trust"
    (found,) = lake("list", "--json")
    assert (found["name"], found["default"]) == ("main", True)
    assert found["url"] == f"file://{home}/work/store"
    assert "config.yaml:2" in found["origin"]
    assert "main" in lake("list")
    assert connect(Config.load().remote("main")).properties.writable


def test_a_bare_word_is_a_folder_to_add(home: Path, lake: Lake) -> None:
    lake("add", "main", "store")
    assert Config.load().remote("main").folder == home / "work/store"


def test_scopes(home: Path, lake: Lake) -> None:
    (home / ".git").mkdir()
    lake("add", "a", "./a", "--local")
    lake("add", "b", "./b", "--user")
    lake("add", "c", "./c")
    assert "a: ../work/a" in (home / ".lake/config.local.yaml").read_text()
    assert "b: ../../work/b" in (home / ".config/lake/config.yaml").read_text()
    assert "c: ../work/c" in (home / ".lake/config.yaml").read_text()
    for name in "abc":
        assert Config.load().remote(name).folder == home / "work" / name
    lake("add", "a", "./a", "--local", "--user", code=2)


def test_a_secret_is_split_off(home: Path, lake: Lake) -> None:
    said = lake("add", "main", "s3://me:pass-word@127.0.0.1:1/bucket/x?secure=false", "--json")
    assert said["url"] == "s3://bucket/x?endpoint=http://127.0.0.1:1"
    assert said["keys"].endswith("secrets.yaml")
    saved = load("http://127.0.0.1:1/bucket")
    assert saved is not None
    assert saved.secret.get_secret_value() == "pass-word"
    assert "pass-word" not in (home / "work/.lake/config.yaml").read_text()


def test_what_was_typed_is_trusted_by_who_typed_it(home: Path, lake: Lake) -> None:
    lake("add", "main", "s3://bucket?endpoint=https://minio.example.org")
    assert Config.load().trusted_endpoints == {"https://minio.example.org"}
    lake("add", "aws", "s3://bucket")
    lake("add", "mine", "s3://b?endpoint=https://other.example.org", "--user")
    assert Config.load().trusted_endpoints == {"https://minio.example.org"}


def test_an_s3_url_is_written_down_complete(
    home: Path, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9000")
    said = lake("add", "main", "s3://bucket", "--json")
    assert said["url"] == "s3://bucket?endpoint=http://127.0.0.1:9000"


def test_more_settings(home: Path, lake: Lake) -> None:
    lake(
        "add", "a", "s3://b", "--local", "--profile", "work", "--order", "3", "--read-only"
    )  # fmt: skip
    remote = Config.load().remote("a")
    assert (remote.profile, remote.order, remote.read_only) == ("work", 3, True)
    assert "a person's own" in lake("add", "c", "s3://b", "--profile", "work", code=2)
    lake("add", "g", "gs://bucket", "--key-file", "key.json")
    saved = load("https://storage.googleapis.com/bucket")
    assert saved is not None
    assert saved.key_file == home / "work/key.json"
    lake("add", "h", "s3://bucket", "--key-file", "key.json", code=2)


def test_another_place_under_a_known_name(lake: Lake) -> None:
    lake("add", "main", "./a")
    lake("add", "main", "./a", "-d")
    assert "--force" in lake("add", "main", "./b", code=9)
    lake("add", "main", "./b", "--force")
    assert Config.load().remote("main").folder == Path.cwd() / "b"


def test_nothing_happens_in_a_dry_run(home: Path, lake: Lake) -> None:
    lake("add", "main", "s3://me:pass-word@127.0.0.1:1/bucket", "-d", "--dry-run")
    assert not (home / "work/.lake").exists()
    assert references() == []
    lake("add", "main", "./a", "-d")
    before = (home / "work/.lake/config.yaml").read_bytes()
    lake("remove", "main", "--dry-run")
    lake("default", "--unset", "--dry-run")
    lake("trust", "s3://b?endpoint=https://x.example.org", "--dry-run")
    assert (home / "work/.lake/config.yaml").read_bytes() == before
    assert Config.load().trusted_endpoints == frozenset()


@pytest.mark.parametrize(
    ("name", "url"), [("bad/name", "./x"), ("x", "s3://"), ("x", "s3://b?secret=1"), ("x", "")]
)
def test_nonsense_is_refused(lake: Lake, name: str, url: str) -> None:
    lake("add", name, url, code=6)
    assert Config.load().remotes() == []


def test_remove_and_default(home: Path, lake: Lake) -> None:
    lake("add", "a", "./a", "-d")
    lake("add", "a", "./other", "--local")
    lake("add", "b", "./b")
    assert lake("default") == "a\n"
    lake("default", "b")
    assert lake("default", "--json") == {"default": "b"}
    lake("default", "nope", code=6)
    lake("default", "--unset")
    assert lake("default") == "no default\n"
    lake("default", "a")
    assert "config.local.yaml" in lake("remove", "a")
    assert Config.load().remote("a").folder == home / "work/a"
    lake("remove", "a")
    assert Config.load().default is None
    lake("remove", "a", code=6)
    lake("remove", "b", "--user", code=6)
    lake("remove", "b")
    assert lake("list", "--json") == []
    assert "lake remote add" in lake("list")


def test_trust_by_alias_of_a_dataset(home: Path, lake: Lake) -> None:
    url = "s3://bucket?endpoint=https://minio.example.org"
    write(home / "work/ds/dataset.yaml", f"lake: 1\nremotes: {{theirs: '{url}'}}\n")
    lake("trust", "theirs", code=6)
    said = lake("trust", "theirs", "--dataset", "ds", "--json")
    assert said == {"trust": "https://minio.example.org", "changed": True, "revoked": False}
    assert "already" in lake("trust", url)
    os.chdir(home / "work/ds")
    assert "no longer" in lake("trust", "theirs", "--revoke")
    assert Config.load().trusted_endpoints == frozenset()
    lake("trust", "x", "--dataset", "nowhere", code=3)
    lake("trust", "http://169.254.169.254/x", code=8)


# -- check


def test_check_a_folder(home: Path, lake: Lake) -> None:
    lake("add", "main", "./store")
    (found,) = lake("check", "--json")
    assert found["ok"]
    assert found["can_write"]
    assert not (home / "work/store").exists()
    (home / "work/store").mkdir()
    (found,) = lake("check", "main", "--json")
    assert found["can_read"] is found["can_write"] is found["can_list"] is True
    assert found["conditional_put"] is True
    assert found["round_trip"] > 0
    assert found["source"] == "none needed"
    assert [p for p in (home / "work/store").iterdir() if "check" in p.name] == []
    text = lake("check")
    assert "main" in text
    assert "ok" in text


@pytest.mark.server
def test_check_a_bucket(
    home: Path, lake: Lake, moto: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = moto.new_bucket()
    for name, value in moto.environment().items():
        monkeypatch.setenv(name, value)
    lake("add", "main", f"s3://{bucket}/x")
    (found,) = lake("check", "--json")
    assert found["ok"], found
    assert found["source"] == "AWS_* environment"
    assert found["trusted"] == "AWS_ENDPOINT_URL in the environment"
    assert [found[name] for name in ("can_read", "can_write", "can_list")] == [True] * 3
    assert found["conditional_put"] is True
    assert abs(found["clock_skew"]) < 60
    assert list(connect(Config.load().remote("main")).list()) == [], "the test object is gone"
    (found,) = lake("check", "--json", "--no-write")
    assert found["can_write"] is None
    lake("add", "gone", "s3://no-such-bucket-here")
    (found,) = lake("check", "gone", "--json", code=7)
    assert "no such bucket" in found["problems"][0]


def test_check_says_what_fails(home: Path, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AK")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "ambient-secret")
    write(
        home / "work/.lake/config.yaml",
        "remotes: {main: 's3://b?endpoint=https://minio.stranger.example'}\n",
    )
    (found,) = lake("check", "--json", code=7)
    assert "lake remote trust main" in found["problems"][0]
    refused = b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
    late = {"Content-Type": "application/xml", "Date": "Mon, 01 Jan 2001 00:00:00 GMT"}

    def answer(request: Request) -> Reply:
        return Reply(403, refused, late)

    with answering(answer) as server:
        (found,) = lake("check", f"s3://bucket?endpoint={server.url}", "--json", code=7)
    assert found["can_read"] is False
    assert any("refused" in problem for problem in found["problems"])
    assert "FAILED" in lake("check", f"s3://bucket?endpoint={server.url}", code=7)


def test_check_notices_a_clock_that_is_off() -> None:
    from lake.config import Origin, Remote
    from lake.config.remote import Named
    from lake.store.check import clock_skew

    late = {"Date": "Mon, 01 Jan 2001 00:00:00 GMT"}

    with answering(lambda _: Reply(403, b"", late)) as server:
        address = RemoteAddress.parse(f"s3://bucket?endpoint={server.url}")
        skew = clock_skew(Remote("a", address, Origin(Named.TYPED, "here")))
    assert skew is not None
    assert skew > 3600


def test_check_a_read_only_remote(home: Path, lake: Lake) -> None:
    store = connect(Config.load().remote("./store", typed=True))
    store.put("k", BytesBody(b"x"))
    store.flush()
    lake("add", "main", "./store", "--read-only")
    (found,) = lake("check", "--json")
    assert found["can_read"]
    assert not found["can_write"]


# -- config, doctor


def test_config_shows_who_said_so(home: Path, lake: Lake) -> None:
    lake("add", "main", "./store", "-d")
    rows = {row["key"]: row for row in lake("config", "--json")}
    assert rows["default"]["value"] == "main"
    assert rows["remotes.main"]["where"].endswith(".lake/config.yaml:2")
    assert ".lake/config.yaml:3" in lake("config", "--show-origin")
    assert "config.yaml" not in lake("config", "remotes")
    lake("config", "nonsense", code=1)


def test_doctor(home: Path, lake: Lake) -> None:
    lake("add", "main", "./store")
    found = {row["name"]: row for row in lake("doctor", "--json")}
    assert found["python"]["ok"]
    assert found["git"]["ok"]
    assert found["main"]["ok"]
    assert found["project"]["fact"].endswith(".lake/config.yaml")
    assert "lake-datasets" in lake("doctor", "--offline")


def test_doctor_finds_what_is_wrong(home: Path, lake: Lake) -> None:
    write(home / ".config/lake/config.yaml", "default: [1]\n")
    text = lake("doctor", code=1)
    assert "config.yaml:1" in text
    assert "WRONG" in text
    write(
        home / ".config/lake/config.yaml", "remotes: {gone: 's3://b?endpoint=http://127.0.0.1:1'}\n"
    )
    assert "no credentials" in lake("doctor", code=1)
    with pytest.raises(LakeError):
        connect(Config.load().remote("gone"))
