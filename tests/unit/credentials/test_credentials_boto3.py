"""boto3's chain for real: files in a home of its own, and its services played on loopback."""

import hashlib
import json
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lake.errors import AccessDenied
from lake.store.credentials_aws import Boto3Source, boto3_source
from tests.person import write
from tests.servers.loopback import Reply, Request, answering


def keys_of(source: Boto3Source | None) -> tuple[str, str, str | None]:
    assert source is not None
    keys = source.get()
    token = keys.token.get_secret_value() if keys.token else None
    return keys.access_key, keys.secret_key.get_secret_value(), token


def soon(**delta: float) -> str:
    return (datetime.now(UTC) + timedelta(**delta)).strftime("%Y-%m-%dT%H:%M:%SZ")


def profile(home: Path, text: str, credentials: str = "") -> None:
    write(home / ".aws/config", text)
    write(home / ".aws/credentials", credentials)


def test_nothing_anywhere(home: Path) -> None:
    assert boto3_source() is None


def test_static_keys_of_profiles(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    profile(
        home,
        "[default]\nregion = eu-west-1\n[profile work]\nregion = eu-west-3\n",
        "[default]\naws_access_key_id = D\naws_secret_access_key = default-secret\n"
        "[work]\naws_access_key_id = W\naws_secret_access_key = work-secret\n"
        "aws_session_token = work-token\n",
    )
    source = boto3_source()
    assert keys_of(source) == ("D", "default-secret", None)
    assert source is not None
    assert source.name == "AWS profile 'default' (shared credentials file)"
    assert source.region == "eu-west-1"
    assert keys_of(boto3_source(profile="work")) == ("W", "work-secret", "work-token")
    monkeypatch.setenv("AWS_PROFILE", "work")
    source = boto3_source()
    assert source is not None
    assert source.name == "AWS profile 'work' (shared credentials file)"
    assert source.region == "eu-west-3"


def test_a_profile_that_is_not_there(home: Path) -> None:
    with pytest.raises(AccessDenied, match="ghost"):
        boto3_source(profile="ghost")


def test_files_may_lie_elsewhere(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(home / "c", "[default]\naws_access_key_id=E\naws_secret_access_key=else-secret\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path))
    assert keys_of(boto3_source()) == ("E", "else-secret", None)


def test_a_process_gives_keys_and_gives_them_anew(home: Path) -> None:
    counter = home / "counter"
    script = write(
        home / "give",
        "#!/bin/sh\n"
        f"echo x >> {counter}\n"
        f"n=$(wc -l < {counter} | tr -d ' ')\n"
        'printf \'{"Version": 1, "AccessKeyId": "P%s", "SecretAccessKey": "process-secret",'
        f' "SessionToken": "t", "Expiration": "{soon(minutes=5)}"}}\' "$n"\n',
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    profile(home, f"[default]\ncredential_process = {script}\n")
    source = boto3_source()
    assert source is not None
    assert source.name == "AWS profile 'default' (credential process)"
    first, second = source.get(), source.get()
    assert first.expires_at is not None
    # Five minutes are less than botocore wants left, so each use asks for new ones.
    assert first.access_key != second.access_key


def test_keys_far_from_their_end_are_kept(home: Path) -> None:
    script = write(
        home / "give",
        '#!/bin/sh\nprintf \'{"Version": 1, "AccessKeyId": "P%s", "SecretAccessKey":'
        f' "process-secret", "Expiration": "{soon(hours=5)}"}}\' "$$"\n',
    )
    script.chmod(0o700)
    profile(home, f"[default]\ncredential_process = {script}\n")
    source = boto3_source()
    assert source is not None
    assert source.get().access_key == source.get().access_key
    expires = source.get().expires_at
    assert expires is not None
    assert expires - datetime.now(UTC) > timedelta(hours=4)


def test_a_process_that_fails(home: Path) -> None:
    profile(home, "[default]\ncredential_process = false\n")
    with pytest.raises(AccessDenied, match="AWS"):
        boto3_source()


def metadata(request: Request) -> Reply:
    """A machine's metadata service, version 2."""
    role = {
        "Code": "Success",
        "AccessKeyId": "IMDS",
        "SecretAccessKey": "instance-secret",
        "Token": "instance-token",
        "Expiration": soon(hours=6),
    }
    if request.method == "PUT":
        return Reply(body=b"session")
    if request.headers.get("x-aws-ec2-metadata-token") != "session":
        return Reply(401)
    if request.path.endswith("/security-credentials/"):
        return Reply(body=b"role")
    return Reply(body=json.dumps(role).encode())


def test_the_machines_own_role_comes_last(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    with answering(metadata) as server:
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url)
        source = boto3_source()
        assert keys_of(source) == ("IMDS", "instance-secret", "instance-token")
        assert source is not None
        assert source.name == "EC2 instance metadata"
        asked = len(server.requests)
        profile(home, "", "[default]\naws_access_key_id=D\naws_secret_access_key=dddd-secret\n")
        assert keys_of(boto3_source())[0] == "D"
        assert len(server.requests) == asked


def test_other_servers_never_get_the_machines_role(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    with answering(metadata) as server:
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url)
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", server.url)
        assert boto3_source(instance=False) is None
        assert server.requests == []


def test_a_containers_role(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    role = {
        "AccessKeyId": "ECS",
        "SecretAccessKey": "container-secret",
        "Token": "container-token",
        "Expiration": soon(hours=6),
    }
    with answering(lambda _: Reply(body=json.dumps(role).encode())) as server:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{server.url}/creds")
        source = boto3_source()
        assert keys_of(source) == ("ECS", "container-secret", "container-token")
        assert source is not None
        assert source.name == "container role"


ASSUMED = """<AssumeRole{web}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRole{web}Result><Credentials><AccessKeyId>ASSUMED</AccessKeyId>
<SecretAccessKey>assumed-secret</SecretAccessKey><SessionToken>assumed-token</SessionToken>
<Expiration>{end}</Expiration></Credentials></AssumeRole{web}Result></AssumeRole{web}Response>"""


def test_an_assumed_role(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    profile(
        home,
        "[profile base]\n[profile data]\nregion = us-east-1\nsource_profile = base\n"
        "role_arn = arn:aws:iam::123456789012:role/reader\n",
        "[base]\naws_access_key_id=B\naws_secret_access_key=base-secret\n",
    )
    answer = ASSUMED.format(web="", end=soon(hours=1)).encode()
    with answering(lambda _: Reply(body=answer)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", server.url)
        source = boto3_source(profile="data")
        assert keys_of(source) == ("ASSUMED", "assumed-secret", "assumed-token")
        assert source is not None
        assert source.name == "AWS profile 'data' (assumed role)"
        assert b"role%2Freader" in server.requests[0].body


def test_a_role_that_may_not_be_assumed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    profile(
        home,
        "[default]\nregion = us-east-1\nsource_profile = base\nrole_arn = arn:aws:iam::1:role/x\n",
        "[base]\naws_access_key_id=B\naws_secret_access_key=base-secret\n",
    )
    refused = (
        b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error>"
        b"</ErrorResponse>"
    )
    with answering(lambda _: Reply(403, refused)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", server.url)
        source = boto3_source()
        assert source is not None
        with pytest.raises(AccessDenied) as caught:
            source.get()
        assert "base-secret" not in str(caught.value)


def test_a_web_identity(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = write(home / "token", "a-web-token")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(token))
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/web")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    answer = ASSUMED.format(web="WithWebIdentity", end=soon(hours=1)).encode()
    with answering(lambda _: Reply(body=answer)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", server.url)
        assert keys_of(boto3_source())[0] == "ASSUMED"


@pytest.fixture
def logins(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of SSO logins, which botocore looks up once, when it is first imported."""
    folder = home / ".aws/sso/cache"
    for owner in ("tokens.SSOTokenProvider", "credentials.SSOProvider"):
        monkeypatch.setattr(f"botocore.{owner}._SSO_TOKEN_CACHE_DIR", str(folder))
    return folder


def sso(home: Path, logins: Path, *, token_ends: str) -> None:
    start = "https://org.example.org/start"
    profile(
        home,
        "[profile team]\nsso_session = org\nsso_account_id = 123456789012\n"
        "sso_role_name = Reader\nregion = us-east-1\n"
        f"[sso-session org]\nsso_start_url = {start}\nsso_region = us-east-1\n",
    )
    name = hashlib.sha1(b"org").hexdigest()
    login = {
        "startUrl": start,
        "region": "us-east-1",
        "accessToken": "sso-access-token",
        "expiresAt": token_ends,
    }
    write(logins / f"{name}.json", json.dumps(login))


def test_sso(home: Path, logins: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sso(home, logins, token_ends=soon(hours=2))
    role = {
        "accessKeyId": "SSO",
        "secretAccessKey": "sso-secret",
        "sessionToken": "sso-token",
        "expiration": int((datetime.now(UTC) + timedelta(hours=1)).timestamp() * 1000),
    }
    answer = json.dumps({"roleCredentials": role}).encode()
    with answering(lambda _: Reply(body=answer)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SSO", server.url)
        source = boto3_source(profile="team")
        assert keys_of(source) == ("SSO", "sso-secret", "sso-token")
        assert source is not None
        assert source.name == "AWS profile 'team' (SSO)"
        assert server.requests[0].headers["x-amz-sso_bearer_token"] == "sso-access-token"


def test_an_sso_login_that_ran_out_says_what_to_do(home: Path, logins: Path) -> None:
    sso(home, logins, token_ends=soon(hours=-2))
    with pytest.raises(AccessDenied, match="aws sso login --profile team"):
        keys_of(boto3_source(profile="team"))


def test_without_boto3_there_is_no_chain(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "botocore.session", None)
    profile(home, "", "[default]\naws_access_key_id=D\naws_secret_access_key=dddd-secret\n")
    assert boto3_source() is None
    assert "AWS_PROFILE" not in os.environ
