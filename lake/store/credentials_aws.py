"""Keys from boto3's chain: profiles, SSO, assumed roles, processes, containers, instances."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

from lake.errors import AccessDenied
from lake.secrets import SecretStr, redact
from lake.store.credentials import S3Credentials

_REASK = timedelta(minutes=15)
"""How long keys of an expiring kind are used when botocore does not say when they expire."""

_METHODS = {
    "env": "AWS_* environment",
    "iam-role": "EC2 instance metadata",
    "container-role": "container role",
    "assume-role-with-web-identity": "web identity role",
    "boto-config": "boto config file",
}
_PROFILE_METHODS = {
    "shared-credentials-file": "shared credentials file",
    "config-file": "AWS config file",
    "assume-role": "assumed role",
    "sso": "SSO",
    "login": "console login",
    "custom-process": "credential process",
}


class Boto3Source:
    """Keys of one botocore session, refreshed by botocore shortly before they expire.

    Args:
        credentials: botocore's object; it is asked for a frozen copy each time.
        profile: whose keys these are.
        region: that the profile or the environment names, if any.
    """

    def __init__(self, credentials: Any, profile: str, region: str | None) -> None:
        self._credentials = credentials
        self._profile = profile
        self._lock = threading.Lock()
        self.region = region
        method = str(credentials.method)
        if method in _METHODS:
            self.name = _METHODS[method]
        else:
            self.name = f"AWS profile '{profile}' ({_PROFILE_METHODS.get(method, method)})"

    def get(self) -> S3Credentials:
        """Keys that are valid now; may ask Amazon for new ones.

        Raises:
            AccessDenied: the session has run out and cannot be renewed.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            with self._lock:
                frozen = self._credentials.get_frozen_credentials()
                expires = self._expires()
        except (BotoCoreError, ClientError) as error:
            raise _denied(self._profile, error) from None
        if not frozen.access_key:
            raise AccessDenied("the source gave no keys", where=self.name)
        token = SecretStr(frozen.token) if frozen.token else None
        return S3Credentials(frozen.access_key, SecretStr(frozen.secret_key), token, expires)

    def _expires(self) -> datetime | None:
        if not hasattr(self._credentials, "refresh_needed"):
            return None
        known = getattr(self._credentials, "_expiry_time", None)
        return known if isinstance(known, datetime) else datetime.now(UTC) + _REASK

    def __repr__(self) -> str:
        return f"Boto3Source({self.name!r})"


def boto3_source(*, profile: str | None = None, instance: bool = True) -> Boto3Source | None:
    """What boto3's chain finds, or None; None too where boto3 is not installed.

    Args:
        profile: use this one instead of `$AWS_PROFILE` or the default.
        instance: also ask the container's or the machine's metadata service, at last.

    Raises:
        AccessDenied: the profile is not there, or has keys that cannot be had.
    """
    try:
        import botocore.session
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError:
        return None
    session = botocore.session.Session(profile=profile)
    name = profile or session.get_config_variable("profile") or "default"
    try:
        if not instance:
            resolver = session.get_component("credential_provider")
            for provider in ("container-role", "iam-role"):
                resolver.remove(provider)
        found = session.get_credentials()
        region = session.get_config_variable("region")
    except (BotoCoreError, ClientError) as error:
        raise _denied(name, error) from None
    return None if found is None else Boto3Source(found, name, region)


def _denied(profile: str, error: Exception) -> AccessDenied:
    sso = "SSO" in type(error).__name__ or type(error).__name__ == "TokenRetrievalError"
    return AccessDenied(
        f"no keys from AWS ({type(error).__name__}: {redact(str(error))})",
        where=f"AWS profile '{profile}'",
        hint=f"aws sso login --profile {profile}" if sso else "see ~/.aws/config, or aws configure",
    )
