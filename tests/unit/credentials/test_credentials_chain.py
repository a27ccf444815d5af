"""Which source wins, and what is said when none has any."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lake.config import Config, Remote
from lake.errors import AccessDenied, ConfigError
from lake.secrets import save, save_key_file
from lake.store.chain import credentials_for
from lake.store.credentials import Anonymous, CredentialSource
from tests.person import write

MINIO = "https://minio.example.org"
AMAZON_URL = "s3://bucket/x"
MINIO_URL = f"s3://bucket/x?endpoint={MINIO}"


def typed(url: str) -> Remote:
    return Config.load().remote(url, typed=True)


def source_of(url: str) -> CredentialSource:
    source = credentials_for(typed(url), Config.load())
    assert source is not None
    return source


def access_of(url: str) -> str:
    keys = source_of(url).get()
    assert keys is not None
    return keys.access_key


Setter = Callable[[], None]


@pytest.fixture
def layers(home: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Setter]:
    """Ways to have keys, from the weakest to the strongest for a MinIO endpoint."""

    def env(name: str, access: str, secret: str) -> Setter:
        def set_() -> None:
            monkeypatch.setenv(access, name)
            monkeypatch.setenv(secret, f"{name}-secret")

        return set_

    def mc() -> None:
        entry = {"url": MINIO, "accessKey": "mc", "secretKey": "mc-secret"}
        write(home / ".mc/config.json", json.dumps({"aliases": {"m": entry}}))

    def profile() -> None:
        write(
            home / ".aws/credentials",
            "[default]\naws_access_key_id = profile\naws_secret_access_key = profile-secret\n",
        )

    return {
        "profile": profile,
        "minio": env("minio", "MINIO_ACCESS_KEY", "MINIO_SECRET_KEY"),
        "aws": env("aws", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
        "mc": mc,
        "saved": lambda: save(f"{MINIO}/bucket", "saved", "saved-secret") and None,
    }


def test_the_more_exact_source_wins(layers: dict[str, Setter]) -> None:
    for name, set_ in layers.items():
        set_()
        assert access_of(MINIO_URL) == name


def test_variables_that_name_the_endpoint_come_before_aliases(
    layers: dict[str, Setter], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("mc", "aws", "minio"):
        layers[name]()
    assert access_of(MINIO_URL) == "mc"
    monkeypatch.setenv("MINIO_ENDPOINT", MINIO)
    assert access_of(MINIO_URL) == "minio"
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", MINIO)
    assert access_of(MINIO_URL) == "aws"


def test_at_amazon_minios_variables_mean_nothing(layers: dict[str, Setter]) -> None:
    for name in ("minio", "mc", "saved"):
        layers[name]()
    with pytest.raises(AccessDenied):
        source_of(AMAZON_URL)
    layers["profile"]()
    assert access_of(AMAZON_URL) == "profile"
    layers["aws"]()
    assert access_of(AMAZON_URL) == "aws"


def test_saved_keys_are_for_their_bucket_or_the_whole_endpoint(home: Path) -> None:
    save(f"{MINIO}/bucket", "one", "one-secret")
    save(f"{MINIO}/", "all", "all-secret")
    assert access_of(MINIO_URL) == "one"
    assert access_of(MINIO_URL.replace("bucket", "other")) == "all"
    assert source_of(MINIO_URL).name == f"lake's saved keys for {MINIO}/bucket"


def test_a_typed_password_is_used_at_once_and_later(home: Path) -> None:
    url = "s3://me:pass-word@minio.example.org/bucket/x"
    assert access_of(url) == "me"
    assert access_of(MINIO_URL) == "me"


def test_an_entry_may_name_its_keys_or_its_profile(home: Path, layers: dict[str, Setter]) -> None:
    for name in layers:
        layers[name]()
    save("team-key", "named", "named-secret")
    write(
        home / ".aws/credentials",
        "[work]\naws_access_key_id = work\naws_secret_access_key = work-secret\n",
    )
    write(
        home / ".config/lake/config.yaml",
        "remotes:\n"
        f"  a: {{url: '{MINIO_URL}', credentials: team-key}}\n"
        f"  b: {{url: '{MINIO_URL}', profile: work}}\n"
        f"  c: {{url: '{MINIO_URL}', credentials: lost}}\n",
    )
    config = Config.load()
    for alias, access in (("a", "named"), ("b", "work")):
        source = credentials_for(config.remote(alias), config)
        assert source is not None
        keys = source.get()
        assert keys is not None
        assert keys.access_key == access
    with pytest.raises(ConfigError, match="'lost'"):
        credentials_for(config.remote("c"), config)


def test_public_signs_nothing(layers: dict[str, Setter]) -> None:
    for set_ in layers.values():
        set_()
    source = source_of(f"{MINIO_URL}&public=true")
    assert isinstance(source, Anonymous)
    assert source.get() is None
    assert source.name == "none (public)"


def test_folders_and_https_need_none(home: Path) -> None:
    assert credentials_for(typed("./store"), Config.load()) is None
    assert credentials_for(typed("https://example.org/blobs"), Config.load()) is None


def test_when_nobody_has_any_it_says_who_was_asked(home: Path) -> None:
    with pytest.raises(AccessDenied) as caught:
        source_of(MINIO_URL)
    text = str(caught.value)
    for word in ("saved keys", "MinIO", "AWS_*", "MINIO_*", "~/.aws", "public=true"):
        assert word in text


def service_account(path: Path) -> Path:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    account = {
        "type": "service_account",
        "project_id": "a-project",
        "private_key_id": "1",
        "private_key": pem.decode(),
        "client_email": "reader@a-project.iam.gserviceaccount.com",
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    return write(path, json.dumps(account))


def test_google_default_credentials(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = service_account(home / "key.json")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    source = source_of("gs://bucket")
    assert source.name == f"service account file {path}"
    assert source.google().service_account_email.startswith("reader@")  # type: ignore[attr-defined]
    assert source.project() == "a-project"  # type: ignore[attr-defined]


def test_a_saved_google_key_file_comes_first(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(home / "not-there"))
    path = service_account(home / "own.json")
    save_key_file("https://storage.googleapis.com/bucket", path)
    source = source_of("gs://bucket")
    assert source.name == f"service account file {path}"
    assert source.google().signer_email  # type: ignore[attr-defined]


BROKEN = '{"type": "service_account", "private_key": "sec-ret"}'


@pytest.mark.parametrize("text", ["", "{}", BROKEN])
def test_a_broken_google_key_file(home: Path, text: str) -> None:
    save_key_file("https://storage.googleapis.com/bucket", write(home / "own.json", text))
    with pytest.raises(ConfigError) as caught:
        source_of("gs://bucket").google()  # type: ignore[attr-defined]
    assert "sec-ret" not in str(caught.value)


def test_an_emulator_gets_no_google_credentials(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = service_account(home / "key.json")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key))
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "127.0.0.1:4443")
    assert isinstance(source_of("gs://bucket"), Anonymous)
