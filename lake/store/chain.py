"""The chain: for one remote, the first source of credentials that has any.

What names the remote most exactly comes first: a reference or profile in its own settings, keys
saved for its endpoint, variables or an alias that go with that endpoint; then the general ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from lake.config.endpoint import endpoint_of
from lake.errors import AccessDenied, ConfigError
from lake.secrets import Saved, load
from lake.store.credentials import Anonymous, CredentialSource, Fixed, S3Credentials
from lake.store.credentials_env import (
    AWS_ENDPOINTS,
    MINIO_ENDPOINTS,
    aws_variables,
    minio_variables,
    named_by,
)
from lake.store.credentials_mc import mc_alias, mc_source
from lake.store.endpoints import is_providers_own
from lake.store.trust import require_trust, saved_reference

if TYPE_CHECKING:
    from lake.config import Config, Remote

_Link = Callable[[], CredentialSource | None]


def credentials_for(remote: Remote, config: Config) -> CredentialSource | None:
    """The source that signs for `remote`; None for folders and plain https, which need none.

    Raises:
        UntrustedRemote: its endpoint is one that the user never named.
        AccessDenied: no source has credentials for it.
        ConfigError: it asks for saved credentials that are not there.
    """
    if remote.address.scheme not in ("s3", "gs"):
        return None
    if remote.address.options.get("public") == "true":
        return Anonymous()
    require_trust(remote, config)
    links = _google_links(remote) if remote.address.scheme == "gs" else _s3_links(remote)
    asked = []
    for label, link in links:
        source = link()
        if source is not None:
            return source
        asked.append(label)
    raise AccessDenied(
        f"no credentials for remote '{remote.alias}'; asked: {', '.join(asked)}",
        where=remote.url,
        hint="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, run `aws configure` or "
        "`mc alias set`, or add the remote as s3://user:password@host/bucket; "
        "a public bucket needs ?public=true"
        + ("" if _has_boto3() else "; profiles and SSO need pip install lake-datasets[s3]"),
    )


def _s3_links(remote: Remote) -> Iterator[tuple[str, _Link]]:
    endpoint = endpoint_of(remote.address) or ""
    amazon = is_providers_own("s3", endpoint)
    if remote.credentials is not None:
        yield "its own settings", lambda: _named(remote)
    if remote.profile is not None:
        yield f"AWS profile '{remote.profile}'", lambda: _profile(remote.profile, instance=amazon)
    yield "lake's saved keys", lambda: _saved(endpoint, remote.address.bucket)
    if named_by(AWS_ENDPOINTS, endpoint):
        yield "AWS_* environment", aws_variables
    if named_by(MINIO_ENDPOINTS, endpoint):
        yield "MINIO_* environment", minio_variables
    yield "the MinIO client's aliases", lambda: _mc(endpoint)
    yield "AWS_* environment", aws_variables
    if not amazon:
        yield "MINIO_* environment", minio_variables
    # A machine's own role is for Amazon alone; elsewhere its keys would only leak.
    yield "boto3's chain (~/.aws)", lambda: _profile(None, instance=amazon)


def _google_links(remote: Remote) -> Iterator[tuple[str, _Link]]:
    from lake.store.credentials_gcs import default_source

    endpoint = endpoint_of(remote.address) or ""
    if remote.credentials is not None:
        yield "its own settings", lambda: _named(remote)
    yield "lake's saved key file", lambda: _saved(endpoint, remote.address.bucket)
    if is_providers_own("gs", endpoint):
        yield "Application Default Credentials", default_source
    else:
        # An emulator: it asks for no token, and must not be shown one.
        yield "none", Anonymous


def _named(remote: Remote) -> CredentialSource:
    reference = remote.credentials or ""
    found = load(reference)
    if found is None:
        raise ConfigError(
            f"remote '{remote.alias}' uses credentials '{reference}', and none are saved so",
            where=remote.origin.where,
            hint=f"lake remote add {remote.alias} s3://user:password@host/bucket",
        )
    return _source_of(reference, found)


def _saved(endpoint: str, bucket: str | None) -> CredentialSource | None:
    reference = saved_reference(endpoint, bucket)
    found = None if reference is None else load(reference)
    return None if reference is None or found is None else _source_of(reference, found)


def _source_of(reference: str, saved: Saved) -> CredentialSource:
    if saved.key_file is not None:
        from lake.store.credentials_gcs import file_source

        return file_source(saved.key_file)
    keys = S3Credentials(saved.access, saved.secret, saved.token)
    return Fixed(f"lake's saved keys for {reference}", keys)


def _mc(endpoint: str) -> CredentialSource | None:
    alias = mc_alias(endpoint)
    return None if alias is None else mc_source(alias)


def _profile(profile: str | None, *, instance: bool) -> CredentialSource | None:
    from lake.store.credentials_aws import boto3_source

    return boto3_source(profile=profile, instance=instance)


def _has_boto3() -> bool:
    from importlib.util import find_spec

    return find_spec("boto3") is not None
