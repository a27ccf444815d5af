from pathlib import Path

import pytest

from lake.config import Config, Remote
from lake.errors import ConfigError
from lake.secrets import load, references
from tests.person import write


def typed(text: str) -> Remote:
    return Config.load().remote(text, typed=True)


def test_a_typed_url_is_the_users_own_word(home: Path) -> None:
    remote = typed("s3://bucket/pre/fix?region=eu-west-1")
    assert remote.typed_by_user
    assert remote.url == "s3://bucket/pre/fix?region=eu-west-1"
    assert remote.alias == "bucket"
    assert not Config.load().remote("s3://bucket/pre/fix").typed_by_user


def test_typed_credentials_go_to_the_users_store(home: Path) -> None:
    remote = typed("s3://me:pass-word%40x@minio.example.org:9000/data/sets?secure=false")
    assert remote.url == "s3://data/sets?endpoint=http://minio.example.org:9000"
    saved = load("http://minio.example.org:9000/data")
    assert saved is not None
    assert saved.access == "me"
    assert saved.secret.get_secret_value() == "pass-word@x"
    assert "pass-word" not in repr(remote)


def test_credentials_in_a_text_are_refused(home: Path) -> None:
    secret = "s3://me:hunter2hunter2@host/bucket"
    for attempt in (
        lambda: Config.load().remote(secret),
        lambda: Config.load().remote("main", declared={"main": secret}),
    ):
        with pytest.raises(ConfigError) as caught:
            attempt()
        assert "hunter2" not in str(caught.value)
    assert references() == []


def test_a_typed_folder_is_relative_to_here_and_stays_relative(home: Path) -> None:
    remote = typed("./store")
    assert remote.folder == home / "work/store"
    assert remote.url_from(home / "work/sets/flowers") == "../../store"
    assert remote.url_from(home / "work") == "./store"
    absolute = typed(str(home / "work/store"))
    assert absolute.url_from(home / "work") == f"file://{home}/work/store"


def test_a_url_that_has_an_alias_gets_it(home: Path) -> None:
    write(home / "work/.lake/config.yaml", "remotes: {team: ../store}\n")
    assert typed("./store").alias == "team"
    assert typed(f"file://{home}/work/store").alias == "team"
    declared = {"theirs": "s3://bucket/x"}
    found = Config.load().remote("s3://bucket/x", declared=declared, typed=True)
    assert found.alias == "theirs"


def test_a_new_alias_is_free(home: Path) -> None:
    declared = {"store": "/elsewhere", "store-2": "/further"}
    found = Config.load().remote("./store", declared=declared, typed=True)
    assert found.alias == "store-3"
    assert typed("./with space!").alias == "with_space"


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
def test_the_environment_completes_an_s3_url(
    home: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "http://127.0.0.1:9000/")
    monkeypatch.setenv("AWS_REGION", "eu-south-1")
    complete = "s3://bucket/x?endpoint=http://127.0.0.1:9000&region=eu-south-1"
    assert typed("s3://bucket/x").url == complete
    own = "s3://bucket/x?endpoint=https://own.example.org"
    assert typed(own).url == own
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    assert typed("s3://bucket/x").url == "s3://bucket/x?region=eu-south-1"


def test_the_aws_profile_completes_an_s3_url(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(
        home / ".aws/config",
        "[default]\nendpoint_url = https://plain.example.org/\n"
        "[profile nested]\nservices = mine\nendpoint_url = https://not.example.org\n"
        "[services mine]\ns3 =\n  endpoint_url = https://nested.example.org\n  other = 1\n"
        "[profile amazon]\nregion = x\n",
    )
    assert typed("s3://b").url == "s3://b?endpoint=https://plain.example.org"
    monkeypatch.setenv("AWS_PROFILE", "nested")
    assert typed("s3://b").url == "s3://b?endpoint=https://nested.example.org"
    for profile in ("amazon", "not-there"):
        monkeypatch.setenv("AWS_PROFILE", profile)
        assert typed("s3://b").url == "s3://b"
    monkeypatch.delenv("AWS_PROFILE")
    write(home / ".aws/config", "endpoint_url without a section\n[[[")
    assert typed("s3://b").url == "s3://b"


def test_the_environment_completes_a_google_url(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "127.0.0.1:4443")
    assert typed("gs://bucket").url == "gs://bucket?endpoint=http://127.0.0.1:4443"


def test_a_broken_endpoint_in_the_environment_is_said(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://me:secretsecret@host")
    with pytest.raises(ConfigError, match="environment") as caught:
        typed("s3://bucket")
    assert "secretsecret" not in str(caught.value)


def test_entries_carry_their_settings(home: Path) -> None:
    write(
        home / ".config/lake/config.yaml",
        "remotes:\n"
        "  s3:\n"
        "    url: s3://bucket\n"
        "    profile: work\n"
        "    credentials: https://s3.amazonaws.com/bucket\n"
        "    driver: minio\n"
        "    order: 2\n"
        "    read_only: true\n",
    )
    remote = Config.load().remote("s3")
    assert remote.address.options["driver"] == "minio"
    assert (remote.profile, remote.order, remote.read_only) == ("work", 2, True)
    assert remote.credentials == "https://s3.amazonaws.com/bucket"
    assert remote.origin.where == "~/.config/lake/config.yaml:2"


@pytest.mark.parametrize("text", ["ftp:/x/y", "s3://", "s3://b?nonsense=1", "http:///x", "~/store"])
def test_nonsense_is_refused(home: Path, text: str) -> None:
    with pytest.raises(ConfigError):
        typed(text)
