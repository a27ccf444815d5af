"""No secret in any text: values that lake knows, and shapes that it does not."""

import copy
import logging
import os
import pickle
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lake.config import Config
from lake.errors import AccessDenied, ConfigError, LakeError
from lake.secrets import (
    RedactingFilter,
    SecretStr,
    forget,
    load,
    redact,
    references,
    save,
    user_directory,
)
from lake.store import BytesBody
from lake.store.connect import connect
from lake.store.credentials import Fixed, S3Credentials
from lake.store.open import open_store
from lake_schemas.remote import RemoteAddress
from tests.person import write
from tests.servers.loopback import Reply, Request, answering

CANARY = "canary/Secret+4711=with&odd%signs"
TOKEN = "canary-session-token-0815"


@pytest.fixture(autouse=True, scope="module")
def own_registry() -> Iterator[None]:
    """What is registered here would be scrubbed from the texts of all later tests too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lake.secrets.scrub._known", set())
        patch.setattr("lake.secrets.scrub._values", None)
        yield


def test_P9_a_secret_does_not_show_itself() -> None:
    secret = SecretStr(CANARY)
    shown = f"{secret} {secret!r} {secret:>20} {[secret]} {S3Credentials('AK', secret)}"
    assert CANARY not in shown
    assert secret.get_secret_value() == CANARY
    assert secret == SecretStr(CANARY)
    assert bool(secret)
    assert not SecretStr("")


@pytest.mark.parametrize("thing", [SecretStr(CANARY), S3Credentials("AK", SecretStr(CANARY))])
def test_P9_a_secret_is_not_pickled(thing: object) -> None:
    with pytest.raises(TypeError) as caught:
        pickle.dumps(thing)
    assert CANARY not in str(caught.value)
    with pytest.raises(TypeError):
        copy.copy(thing)


@pytest.mark.parametrize(
    "form",
    [
        CANARY,
        "canary%2FSecret%2B4711%3Dwith%26odd%25signs",
        "canary/Secret%2B4711%3Dwith%26odd%25signs",
        "Y2FuYXJ5L1NlY3JldCs0NzExPXdpdGgmb2RkJXNpZ25z",
    ],
)
def test_P9_every_form_of_a_known_secret_goes(form: str) -> None:
    SecretStr(CANARY)
    assert redact(f"<{form}>") == "<[secret]>"


@given(st.text(min_size=4, max_size=40), st.text(max_size=20), st.text(max_size=20))
def test_P9_any_registered_secret_goes(secret: str, before: str, after: str) -> None:
    script = f"{before}{secret}{after}"
    SecretStr(secret)
    if secret not in "[secret]":
        assert secret not in redact(script)


@pytest.mark.parametrize(
    "text",
    [
        "s3://me:hunter2@host/bucket",
        "s3://me:hun/hunter2@host:9000/bucket",
        "https://me:hunter2@host/x?y=1",
        "GET /b?X-Amz-Signature=hunter2&x=1",
        "GET /b?X-Amz-Security-Token=hunter2",
        "GET /b?X-Goog-Signature=hunter2",
        "Authorization: AWS4-HMAC-SHA256 Credential=AK/x, Signature=hunter2",
        "{'Authorization': 'Bearer hunter2'}",
        "{'X-Amz-Security-Token': b'hunter2'}",
        "proxy-authorization: Basic hunter2",
        "https://x/?password=hunter2",
        "https://x/?secret_key=hunter2;y",
    ],
)
def test_P9_what_looks_like_a_secret_goes(text: str) -> None:
    assert "hunter2" not in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://host:9000/a@b",
        "no such object: s3://bucket/prefix sha256/9f/9f86d0",
        "s3://bucket?endpoint=https://minio.example.org:9000&region=x",
        "expected 3 bytes, token at line 4",
        "mail someone@example.org",
    ],
)
def test_other_text_stays(text: str) -> None:
    assert redact(text) == text


def test_P9_logs_are_scrubbed_whoever_writes_them(caplog: pytest.LogCaptureFixture) -> None:
    SecretStr(CANARY)
    log = logging.getLogger("some.library.of.others")
    with caplog.at_level(logging.DEBUG):
        log.debug("key %s, %r", CANARY, {"k": CANARY})
        log.info(CANARY)
        log.warning("%(a)s", {"a": CANARY})
        try:
            raise ValueError(f"it was {CANARY}")
        except ValueError:
            log.exception("failed")
        log.debug("broken %d %s", CANARY)
        log.debug("plain %s", "text")
    text = caplog.text + "".join(str(vars(record)) for record in caplog.records)
    assert CANARY not in text
    assert "plain text" in text
    assert "ValueError: it was [secret]" in text


def test_P9_the_filter_scrubs_records_from_elsewhere() -> None:
    SecretStr(CANARY)
    record = logging.LogRecord("x", logging.INFO, "f", 1, "say %s", (CANARY,), None)
    record.msg, record.args = "say %s", (CANARY,)
    assert RedactingFilter().filter(record)
    assert record.getMessage() == "say [secret]"


def source() -> Fixed:
    return Fixed("test", S3Credentials("AKCANARY", SecretStr(CANARY), SecretStr(TOKEN)))


def reflecting(request: Request) -> Reply:
    """A server that throws back at the client whatever it was sent."""
    said = f"{request.path} {request.headers}".replace("&", "&amp;").replace("<", "&lt;")
    body = f"<Error><Code>SignatureDoesNotMatch</Code><Message>{said}</Message></Error>"
    return Reply(403, body.encode(), {"Content-Type": "application/xml", "X-Echo": CANARY})


@pytest.mark.parametrize("driver", ["obstore", "minio", "boto3"])
def test_P9_no_driver_leaks(driver: str, caplog: pytest.LogCaptureFixture) -> None:
    texts: list[str] = []
    with answering(reflecting) as server, caplog.at_level(logging.DEBUG):
        address = RemoteAddress.parse(f"s3://bucket/p?endpoint={server.url}")
        store = open_store(address, credentials=source(), driver=driver)
        calls = [
            lambda: store.put("k", BytesBody(CANARY.encode())),
            lambda: store.get("k").read(),
            lambda: store.stat("k"),
            lambda: list(store.list()),
            lambda: store.delete(["k"]),
        ]
        for call in calls:
            with pytest.raises(AccessDenied) as caught:
                call()
            chain: BaseException | None = caught.value
            while chain is not None:
                texts.append(f"{chain} {chain!r}")
                chain = chain.__cause__
            texts.append(str(caught.value.to_dict()))
        texts += [repr(store), str(vars(store)), str(store.properties)]
        store.close()
        assert server.requests
    texts.append(caplog.text)
    for text in texts:
        assert CANARY not in text
        assert TOKEN not in text


@pytest.mark.parametrize("driver", ["minio", "boto3"])
def test_P9_signed_requests_follow_no_redirect(driver: str) -> None:
    with answering(lambda _: Reply(200)) as elsewhere:

        def away(request: Request) -> Reply:
            return Reply(307, b"", {"Location": f"{elsewhere.url}{request.path}"})

        with answering(away) as server:
            address = RemoteAddress.parse(f"s3://bucket/p?endpoint={server.url}")
            store = open_store(address, credentials=source(), driver=driver)
            for call in (
                lambda: store.put("k", BytesBody(b"x")),
                lambda: store.get("k").read(),
                lambda: store.stat("k"),
            ):
                with pytest.raises(LakeError):
                    call()
            store.close()
        assert elsewhere.requests == []


def test_P9_a_redirect_takes_no_signature_along() -> None:
    # obstore cannot be told to follow none; at another host it shows neither key nor signature.
    with answering(lambda _: Reply(404)) as elsewhere:

        def away(request: Request) -> Reply:
            return Reply(307, b"", {"Location": f"{elsewhere.url}{request.path}"})

        with answering(away) as server:
            address = RemoteAddress.parse(f"s3://bucket/p?endpoint={server.url}")
            store = open_store(address, credentials=source(), driver="obstore")
            with pytest.raises(LakeError):
                store.get("k").read()
            store.close()
        assert all("authorization" not in request.headers for request in elsewhere.requests)


# -- the user's own store


def test_P9_the_file_is_the_users_alone(home: Path) -> None:
    os.umask(0)
    where = save("one", "AK", CANARY, token=TOKEN)
    path = user_directory() / "secrets.yaml"
    assert where == str(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    found = load("one")
    assert found is not None
    assert (found.access, found.secret.get_secret_value()) == ("AK", CANARY)
    assert found.token is not None
    assert found.token.get_secret_value() == TOKEN
    assert CANARY not in repr(found)
    assert load("two") is None
    save("two", "AK2", "another-secret")
    assert references() == ["one", "two"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert forget("one")
    assert not forget("one")
    assert CANARY not in path.read_text()


def test_P9_a_file_that_others_can_read_is_not_used(home: Path) -> None:
    save("one", "AK", CANARY)
    path = user_directory() / "secrets.yaml"
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600") as caught:
        load("one")
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "credentials: 5",
        "credentials: {one: 5}",
        "credentials: {one: {access_key: AK}}",
        f"credentials: {{one: {{access_key: AK, secret_key: [{CANARY!r}]}}}}",
        f"credentials: {{one: {{access_key: AK, secret_key: {CANARY!r}",
        f"{CANARY}: &x *x",
        "\x00",
    ],
)
def test_P9_a_broken_file_is_refused_and_not_quoted(home: Path, text: str) -> None:
    path = write(user_directory() / "secrets.yaml", text)
    path.chmod(0o600)
    with pytest.raises(ConfigError) as caught:
        load("one")
    assert "canary" not in str(caught.value)
    assert "canary" not in str(caught.value.__cause__)


def test_P8_a_link_or_a_pipe_is_not_read(home: Path) -> None:
    path = user_directory() / "secrets.yaml"
    path.parent.mkdir(parents=True)
    os.mkfifo(path, 0o600)
    with pytest.raises(ConfigError):
        load("one")
    path.unlink()
    path.symlink_to(write(home / "elsewhere.yaml", "credentials: {}"))
    with pytest.raises(ConfigError):
        load("one")


class Ring:
    """A keyring in memory, as good as a system's."""

    priority = 5

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def set_password(self, service: str, name: str, secret: str) -> None:
        self.kept[service, name] = secret

    def get_password(self, service: str, name: str) -> str | None:
        return self.kept.get((service, name))

    def delete_password(self, service: str, name: str) -> None:
        del self.kept[service, name]


def test_a_real_keyring_is_preferred(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ring = Ring()
    monkeypatch.delenv("LAKE_KEYRING")
    monkeypatch.setattr("keyring.get_keyring", lambda: ring)
    save("one", "AK", CANARY)
    assert CANARY not in (user_directory() / "secrets.yaml").read_text()
    found = load("one")
    assert found is not None
    assert found.secret.get_secret_value() == CANARY
    ring.kept.clear()
    with pytest.raises(ConfigError, match="keyring"):
        load("one")
    save("one", "AK", CANARY)
    forget("one")
    assert ring.kept == {}


def test_a_poor_keyring_is_not(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAKE_KEYRING")
    monkeypatch.setattr("keyring.get_keyring", lambda: type("Plain", (), {"priority": 0.5})())
    assert save("one", "AK", CANARY).endswith("secrets.yaml")


# -- settings that hold what they must not


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"remotes:\n  main: s3://AK:{TOKEN}@host/bucket\n", 2),
        (f"remotes:\n  ok: /a\n  main: s3://bucket?secret_key={TOKEN}\n", 3),
        (f"remotes:\n  main:\n    url: s3://b\n    password: {TOKEN}\n", 4),
        (f"# x\ntoken: {TOKEN}\n", 2),
        (f"default: main\nremotes: {{main: 's3://b?endpoint=https://a:{TOKEN}@h'}}\n", 2),
        (f"remotes:\n  main: s3://b/\n  bad: {{{TOKEN}\n", None),
        ("remotes:\n  a: &x /a\n  b: *x\n", 2),
        ("remotes:\n  a: /a\n  a: /b\n", 3),
        ("remotes:\n  a: !!python/object:os.system /a\n", 2),
        ("[" * 5000, 1),
        ("remotes: [main]\n", 1),
        ("default: main\n---\ndefault: other\n", None),
        ("default: '../../etc'\n", 1),
        ("remotes:\n  a: /a\n\n  ../b: /b\n", None),
        ("x: \ud800\n", 1),
    ],
)
@pytest.mark.parametrize("name", ["config.yaml", "config.local.yaml"])
def test_P9_hostile_settings_are_refused_by_file_and_line(
    home: Path, text: str, line: int | None, name: str
) -> None:
    path = home / "work/.lake" / name
    path.parent.mkdir()
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(ConfigError) as caught:
        Config.load()
    assert TOKEN not in str(caught.value)
    where = caught.value.where or ""
    assert f".lake/{name}" in where
    if line is not None:
        assert where.endswith(f":{line}")


def test_P8_settings_that_are_no_file(home: Path) -> None:
    folder = home / "work/.lake"
    folder.mkdir()
    os.mkfifo(folder / "config.yaml")
    with pytest.raises(ConfigError, match="regular file"):
        Config.load()
    (folder / "config.yaml").unlink()
    (folder / "config.yaml").mkdir()
    with pytest.raises(ConfigError):
        Config.load()
    (folder / "config.yaml").rmdir()
    (folder / "config.yaml").write_bytes(b"# " + b"x" * (2 << 20))
    with pytest.raises(ConfigError, match="1 MiB"):
        Config.load()


def test_P9_a_typed_secret_reaches_the_users_file_only(home: Path) -> None:
    script = (
        "import logging; logging.basicConfig(level='DEBUG')\n"
        "from lake.cli.main import run\n"
        "import sys; sys.exit(run(sys.argv[1:]))\n"
    )
    repo = Path(__file__).parents[2]
    env = {**os.environ, "PYTHONPATH": f"{repo}:{repo}/schemas:{repo}/stages"}
    url = f"s3://AK:{TOKEN}@127.0.0.1:1/bucket?secure=false"
    said = []
    for words in (
        ["remote", "add", "main", url, "-d"],
        ["remote", "add", "main", url, "--dry-run", "--json"],
        ["remote", "add", "bad/name", url],
        ["remote", "add", url],
        ["remote", "add", "main", url, "one", url],
        ["remote", "list", "--json"],
        ["config", "--show-origin"],
        ["remote", "check", "--json"],
        ["remote", "check", url],
        ["remote", "trust", url],
        ["doctor", "--json"],
    ):
        done = subprocess.run(
            [sys.executable, "-c", script, *words], env=env, capture_output=True, text=True
        )
        said.append(done.stdout + done.stderr)
    assert TOKEN not in "".join(said)
    holding = [path for path in home.rglob("*") if path.is_file() and TOKEN in path.read_text()]
    assert holding == [user_directory() / "secrets.yaml"]
    assert "endpoint=http://127.0.0.1:1" in (home / "work/.lake/config.yaml").read_text()


def test_P9_connecting_keeps_the_secret(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AK")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", CANARY)
    store = connect(Config.load().remote("s3://bucket?endpoint=http://127.0.0.1:1", typed=True))
    try:
        shown = repr(pickle.dumps(store))
    except (TypeError, AttributeError, pickle.PicklingError) as error:
        shown = str(error)
    assert CANARY not in f"{shown} {store!r}"
