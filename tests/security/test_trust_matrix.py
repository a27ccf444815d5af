"""To whom credentials go, and where lake never connects."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lake.config import Config, Remote
from lake.errors import RemoteError, Unsupported, UntrustedRemote
from lake.secrets import save
from lake.store import BytesBody, blob_key
from lake.store.chain import credentials_for
from lake.store.connect import connect
from lake.store.endpoints import is_providers_own, metadata_address
from lake.store.trust import grant, remember, why_trusted
from tests.person import write
from tests.servers.loopback import Reply, Request, answering

STRANGER = "https://minio.stranger.example"
URL = f"s3://bucket/x?endpoint={STRANGER}"
DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


@pytest.fixture
def keys(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AK")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "ambient-secret")
    monkeypatch.setenv("MINIO_ACCESS_KEY", "MK")
    monkeypatch.setenv("MINIO_SECRET_KEY", "minio-secret")
    write(home / ".aws/credentials", "[default]\naws_access_key_id=D\naws_secret_access_key=s3cr\n")


def declared(url: str = URL, alias: str = "main") -> Remote:
    """A remote that a cloned dataset names."""
    return Config.load().remote(alias, declared={alias: url}, base=Path.cwd() / "dataset")


def gets_keys(remote: Remote) -> bool:
    source = credentials_for(remote, Config.load())
    return source is not None and source.get() is not None


def test_P9_a_dataset_cannot_send_keys_to_its_own_endpoint(keys: None) -> None:
    with pytest.raises(UntrustedRemote, match="lake remote trust") as caught:
        credentials_for(declared(), Config.load())
    assert "ambient-secret" not in str(caught.value)
    with pytest.raises(UntrustedRemote):
        connect(declared())


@pytest.mark.parametrize("name", ["config.yaml", "config.local.yaml"])
def test_P9_neither_can_a_checkouts_settings(home: Path, keys: None, name: str) -> None:
    write(home / "work/.lake" / name, f"remotes: {{main: '{URL}'}}\ndefault: main\n")
    remote = Config.load().remote("main", typed=True)
    with pytest.raises(UntrustedRemote, match="lake remote trust main"):
        credentials_for(remote, Config.load())


def test_P9_a_checkout_cannot_grant_trust(home: Path, keys: None) -> None:
    write(
        home / "work/.lake/config.local.yaml",
        f"trust: {{endpoints: ['{STRANGER}'], remotes: ['{URL}']}}\n",
    )
    with pytest.raises(UntrustedRemote):
        credentials_for(declared(), Config.load())


def test_P9_a_checkout_cannot_replace_a_remote_into_trust(home: Path, keys: None) -> None:
    write(home / "work/.lake/config.local.yaml", f"replace: {{main: '{URL}'}}\n")
    with pytest.raises(UntrustedRemote):
        credentials_for(declared("s3://bucket/x"), Config.load())


def test_providers_own_endpoints_are_trusted(keys: None) -> None:
    assert gets_keys(declared("s3://bucket/x"))
    assert gets_keys(declared("s3://b?endpoint=https://s3.eu-west-1.amazonaws.com"))


def test_public_remotes_get_none_and_need_no_trust(keys: None) -> None:
    assert not gets_keys(declared(f"{URL}&public=true"))


def test_typing_trusts(keys: None) -> None:
    assert gets_keys(Config.load().remote(URL, typed=True))
    assert "trust" not in {row.key for row in Config.load().explain()}


def test_the_users_own_settings_trust(home: Path, keys: None) -> None:
    own = home / ".config/lake/config.yaml"
    write(own, f"remotes: {{mine: '{URL}'}}\n")
    assert gets_keys(Config.load().remote("mine"))
    write(own, f"trust: {{endpoints: ['{STRANGER}']}}\n")
    assert gets_keys(declared())
    assert gets_keys(declared(URL.replace("bucket", "another")))
    write(own, f"trust: {{remotes: ['{URL}']}}\n")
    assert gets_keys(declared())
    with pytest.raises(UntrustedRemote):
        gets_keys(declared(URL.replace("bucket", "another")))


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "MINIO_ENDPOINT"])
def test_the_environment_trusts(keys: None, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, STRANGER)
    assert gets_keys(declared())


def test_the_aws_config_file_trusts(home: Path, keys: None) -> None:
    write(home / ".aws/config", f"[services x]\ns3 =\n  endpoint_url = {STRANGER}/\n")
    assert gets_keys(declared())


def test_an_mc_alias_trusts(home: Path, keys: None) -> None:
    entry = {"url": f"{STRANGER}/", "accessKey": "MC", "secretKey": "mc-secret"}
    write(home / ".mc/config.json", json.dumps({"aliases": {"a": entry}}))
    assert gets_keys(declared())


def test_saved_keys_trust_their_own_bucket(keys: None) -> None:
    save(f"{STRANGER}/bucket", "SAVED", "saved-secret")
    assert gets_keys(declared())
    with pytest.raises(UntrustedRemote):
        gets_keys(declared(URL.replace("bucket", "another")))


def test_trust_is_granted_and_revoked(keys: None) -> None:
    assert grant(declared(), Config.load()) == (STRANGER, True)
    assert gets_keys(declared())
    assert grant(declared(), Config.load()) == (STRANGER, False)
    assert grant(declared(), Config.load(), revoke=True) == (STRANGER, True)
    with pytest.raises(UntrustedRemote):
        gets_keys(declared())


def test_what_was_typed_is_remembered(keys: None) -> None:
    assert remember(Config.load().remote(URL, typed=True), Config.load())
    assert gets_keys(declared())
    for trusted in ("s3://bucket/x", "https://example.org/x", "./store"):
        remember(Config.load().remote(trusted, typed=True), Config.load())
    user = Config.load().user
    assert user is not None
    assert user.trust.endpoints == [STRANGER]
    assert len(user.trust.remotes) == 1  # the folder, which lies in no project


def test_what_was_typed_holds_for_settings_read_before(keys: None) -> None:
    early = Config.load()
    remember(early.remote(URL, typed=True), early)
    again = early.remote("main", declared={"main": URL})
    source = credentials_for(again, early)
    assert source is not None


def test_typing_needs_no_writable_settings(
    home: Path, keys: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAKE_CONFIG_DIR", str(write(home / "a-file", "") / "below"))
    assert not remember(Config.load().remote(URL, typed=True), Config.load())
    assert gets_keys(declared())


@pytest.mark.parametrize(
    "host",
    [
        "ec2-203-0-113-7.compute-1.amazonaws.com",
        "abc.execute-api.us-east-1.amazonaws.com",
        "thing.elb.amazonaws.com",
        "bucket.s3.amazonaws.com.evil.example",
        "s3.amazonaws.com.evil.example",
        "evil-s3.amazonaws.com",
        "s3.us-east-1.evil.amazonaws.com",
        "s3.us-east-1.amazonaws.com@evil.example",
        "s3.amazonaws.com:8443",
        "storage.googleapis.com",
    ],
)
def test_only_the_provider_has_its_names(host: str) -> None:
    assert not is_providers_own("s3", f"https://{host}")


@pytest.mark.parametrize(
    "host",
    [
        "s3.amazonaws.com",
        "s3.us-west-2.amazonaws.com",
        "s3-us-west-2.amazonaws.com",
        "s3.dualstack.ap-southeast-1.amazonaws.com",
        "s3-fips.us-gov-west-1.amazonaws.com",
        "s3-fips.dualstack.us-gov-west-1.amazonaws.com",
        "s3-accelerate.amazonaws.com",
        "s3.cn-north-1.amazonaws.com.cn",
    ],
)
def test_the_provider_has_many_names(host: str) -> None:
    assert is_providers_own("s3", f"https://{host}")
    assert not is_providers_own("s3", f"http://{host}"), "a token would go in the clear"
    assert not is_providers_own("gs", f"https://{host}")


METADATA = [
    "http://169.254.169.254",
    "http://169.254.169.254:80/latest",
    "http://169.254.170.2",
    "http://2852039166",
    "http://0xa9fea9fe",
    "http://0xa9.0xfe.0xa9.0xfe",
    "http://0251.0376.0251.0376",
    "http://169.254.43518",
    "http://169.16689662",
    "http://[::ffff:169.254.169.254]",
    "http://[::ffff:a9fe:a9fe]",
    "http://[::169.254.169.254]",
    "http://[64:ff9b::a9fe:a9fe]",
    "http://[2002:a9fe:a9fe::1]",
    "http://[fe80::1]",
    "http://[fd00:ec2::254]",
    "http://[fd20:ce::254]",
    "http://100.100.100.200",
    "http://168.63.129.16",
    "http://metadata.google.internal",
    "http://METADATA.google.internal.",
    "http://metadata",
    "http://instance-data.ec2.internal",
]


@pytest.mark.parametrize("endpoint", METADATA)
def test_P8_metadata_addresses_in_every_spelling(endpoint: str) -> None:
    assert metadata_address(endpoint)


@pytest.mark.parametrize(
    "endpoint",
    ["http://127.0.0.1:9000", "http://10.0.0.7", "http://[::1]:9000", "https://192.168.1.5"],
)
def test_ordinary_private_addresses_are_allowed(endpoint: str) -> None:
    assert metadata_address(endpoint) is None


def test_P8_a_name_that_leads_to_metadata(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(host: str, *_: object, **__: object) -> list[tuple[object, ...]]:
        assert host == "innocent.example"
        return [(2, 1, 6, "", ("203.0.113.5", 0)), (2, 1, 6, "", ("169.254.169.254", 0))]

    monkeypatch.setattr("socket.getaddrinfo", resolve)
    assert metadata_address("https://innocent.example") == "169.254.169.254"


def test_P8_metadata_is_refused_whoever_names_it(home: Path, keys: None) -> None:
    for url in (
        "s3://bucket?endpoint=http://169.254.169.254",
        "s3://bucket?endpoint=http://169.254.169.254&public=true",
        "gs://bucket?endpoint=http://2852039166",
        "http://169.254.169.254/latest",
    ):
        with pytest.raises(UntrustedRemote, match="metadata"):
            connect(declared(url))
        with pytest.raises(UntrustedRemote, match="metadata"):
            connect(Config.load().remote(url, typed=True))
        with pytest.raises(UntrustedRemote, match="metadata"):
            grant(declared(url), Config.load())


def test_P8_a_strangers_public_server_sends_us_nowhere(home: Path) -> None:
    with answering(lambda _: Reply(200, b"inner")) as inner:

        def away(request: Request) -> Reply:
            return Reply(307, b"", {"Location": f"{inner.url}{request.path}"})

        with answering(away) as server:
            store = connect(declared(f"s3://bucket?endpoint={server.url}&public=true"))
            with pytest.raises(RemoteError):
                store.get(blob_key(DIGEST)).read()
            store.close()
            assert server.requests
        assert inner.requests == []


# -- folders that a dataset names


def test_P8_a_strangers_folder_is_read_by_digest_only(home: Path) -> None:
    outside = home / "private"
    write(outside / "diary.txt", "dear diary")
    write(outside / blob_key(DIGEST), "test")
    store = connect(declared(str(outside)))
    assert store.get(blob_key(DIGEST)).read() == b"test"
    assert [info.key for info in store.list()] == [blob_key(DIGEST)]
    assert not store.properties.writable
    reads: list[Callable[[], object]] = [
        lambda: store.get("diary.txt"),
        lambda: store.stat("diary.txt"),
        lambda: store.share_url("diary.txt"),
    ]
    writes: list[Callable[[], object]] = [
        lambda: store.put("diary.txt", BytesBody(b"x"), replace=True),
        lambda: store.put(blob_key(DIGEST), BytesBody(b"x")),
        lambda: store.delete([blob_key(DIGEST)]),
    ]
    for attempts, refused in ((reads, "only blobs named by their digest"), (writes, "written")):
        for attempt in attempts:
            with pytest.raises(UntrustedRemote, match="lake remote trust") as caught:
                attempt()
            assert refused in caught.value.what
    assert (outside / "diary.txt").read_text() == "dear diary"


def test_P8_no_link_leads_out_of_a_strangers_folder(home: Path) -> None:
    write(home / "private/diary.txt", "dear diary")
    outside = home / "shared"
    blob = outside / blob_key(DIGEST)
    blob.parent.mkdir(parents=True)
    blob.symlink_to(home / "private/diary.txt")
    store = connect(declared(str(outside)))
    with pytest.raises(RemoteError, match="not a plain file"):
        store.get(blob_key(DIGEST)).read()


def test_P8_a_folder_in_the_dataset_that_is_a_link_is_not_its_own(home: Path) -> None:
    outside = home / "outside"
    outside.mkdir()
    dataset = home / "work/dataset"
    dataset.mkdir()
    (dataset / "store").symlink_to(outside)
    store = connect(declared("./store"))
    with pytest.raises(UntrustedRemote):
        store.put("k", BytesBody(b"x"))
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("url", ["./store", "../dataset/deep/store"])
def test_a_folder_within_the_dataset_is_its_own(home: Path, url: str) -> None:
    (home / "work/dataset").mkdir()
    store = connect(declared(url))
    store.put("k", BytesBody(b"x"))
    store.flush()
    assert store.get("k").read() == b"x"
    store.close()


def test_a_folder_within_the_project_is_its_own(home: Path) -> None:
    write(home / "work/.lake/config.yaml", "remotes: {main: ../store}\n")
    (home / "work/dataset").mkdir()
    for remote in (Config.load().remote("main"), declared("../store")):
        assert connect(remote).properties.writable
    assert not connect(declared("../../outside")).properties.writable


def test_a_trusted_folder_may_be_written(home: Path) -> None:
    remote = declared(str(home / "nas"))
    assert not connect(remote).properties.writable
    grant(remote, Config.load())
    assert connect(remote).properties.writable
    assert why_trusted(remote, Config.load()) == "trusted in your settings"


def test_read_only_remotes_are_not_written(home: Path) -> None:
    write(home / ".config/lake/config.yaml", "remotes: {a: {url: ../a, read_only: true}}\n")
    store = connect(Config.load().remote("a"))
    with pytest.raises(Unsupported, match="read only"):
        store.put("k", BytesBody(b"x"))
