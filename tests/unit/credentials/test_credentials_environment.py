import json
from pathlib import Path

import pytest

from lake.store.credentials import CredentialSource, Fixed
from lake.store.credentials_env import aws_variables, minio_variables, named_by
from lake.store.credentials_mc import config_files, mc_alias, mc_aliases, mc_source
from tests.person import write

SECRET = "environment-secret-1234"


def plain(source: CredentialSource | None) -> tuple[str, str, str | None]:
    assert source is not None
    keys = source.get()
    assert keys is not None
    token = keys.token.get_secret_value() if keys.token else None
    return keys.access_key, keys.secret_key.get_secret_value(), token


@pytest.mark.parametrize("access", ["AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY"])
@pytest.mark.parametrize("secret", ["AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY"])
def test_amazons_variables_as_minio_reads_them(
    home: Path, monkeypatch: pytest.MonkeyPatch, access: str, secret: str
) -> None:
    from minio.credentials import EnvAWSProvider

    monkeypatch.setenv(access, "AK")
    monkeypatch.setenv(secret, SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "a-session-token")
    theirs = EnvAWSProvider().retrieve()
    assert plain(aws_variables()) == (
        theirs.access_key,
        theirs.secret_key,
        theirs.session_token,
    )


@pytest.mark.parametrize(
    ("access", "secret"),
    [("MINIO_ACCESS_KEY", "MINIO_SECRET_KEY"), ("MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD")],
)
def test_minios_variables(
    home: Path, monkeypatch: pytest.MonkeyPatch, access: str, secret: str
) -> None:
    monkeypatch.setenv(access, "AK")
    assert minio_variables() is None
    monkeypatch.setenv(secret, SECRET)
    assert plain(minio_variables()) == ("AK", SECRET, None)


def test_half_of_a_pair_is_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert aws_variables() is None
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    assert aws_variables() is None
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "")
    assert aws_variables() is None


def test_an_endpoint_is_named_by_a_variable(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    variables = ("MINIO_ENDPOINT", "AWS_ENDPOINT_URL")
    assert named_by(variables, "http://minio:9000") is None
    monkeypatch.setenv("MINIO_ENDPOINT", "minio:9000")
    assert named_by(variables, "http://minio:9000") == "MINIO_ENDPOINT"
    assert named_by(variables, "https://minio:9000") == "MINIO_ENDPOINT"
    assert named_by(variables, "https://minio:9001") is None
    monkeypatch.setenv("MINIO_ENDPOINT", "https://minio:9000/")
    assert named_by(variables, "https://minio:9000") == "MINIO_ENDPOINT"
    assert named_by(variables, "http://minio:9000") is None


def mc_config(home: Path, folder: str, aliases: object, key: str = "aliases") -> Path:
    return write(home / folder / "config.json", json.dumps({"version": "10", key: aliases}))


ENTRY = {"url": "https://minio.example.org:9000", "accessKey": "AK", "secretKey": SECRET}


@pytest.mark.parametrize("folder", [".mc", "mc"])
@pytest.mark.parametrize("key", ["aliases", "hosts"])
def test_an_mc_alias_is_matched_by_endpoint(home: Path, folder: str, key: str) -> None:
    from minio.credentials import MinioClientConfigProvider

    path = mc_config(home, folder, {"other": {**ENTRY, "url": "http://x"}, "y": ENTRY}, key)
    found = mc_alias("https://minio.example.org:9000")
    assert found is not None
    source = mc_source(found)
    theirs = MinioClientConfigProvider(str(path), "y").retrieve()
    assert plain(source) == (theirs.access_key, theirs.secret_key, None)
    assert source is not None
    assert source.name == f"~/{folder}/config.json alias 'y'"
    assert mc_alias("http://minio.example.org:9000") is None


def test_mc_hosts_in_the_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MC_HOST_play", "https://AK:se%2Fcret%40x:to%2Fken@play.example.org")
    found = mc_alias("https://play.example.org")
    assert found is not None
    assert plain(mc_source(found)) == ("AK", "se/cret@x", "to/ken")


def test_mcs_own_folder_variable(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mc_config(home, ".mc", {"a": ENTRY})
    path = mc_config(home, "elsewhere", {"b": ENTRY})
    monkeypatch.setenv("MC_CONFIG_DIR", str(home / "elsewhere"))
    assert config_files() == [path]
    assert [alias.name for alias in mc_aliases()] == ["b"]


def test_an_mc_alias_without_keys_signs_nothing(home: Path) -> None:
    mc_config(home, ".mc", {"a": {"url": "http://public", "accessKey": "", "secretKey": ""}})
    found = mc_alias("http://public")
    assert found is not None
    assert mc_source(found) is None


@pytest.mark.parametrize(
    "text",
    ["", "not json", "[]", '{"aliases": 3}', '{"aliases": {"a": 1, "b": {"url": 5}}}', "[" * 9999],
)
def test_a_strange_mc_file_is_no_ones_fault(home: Path, text: str) -> None:
    write(home / ".mc/config.json", text)
    assert list(mc_aliases()) == []


def test_sources_do_not_show_their_secrets(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AK")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    source = aws_variables()
    assert isinstance(source, Fixed)
    assert SECRET not in f"{source} {source!r} {source.get()} {source.get()!r}"
    assert source.name == "AWS_* environment"
