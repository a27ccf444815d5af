"""Keys from the environment: Amazon's variables and MinIO's, in all the spellings in use.

The names are those of boto3 and of minio's EnvAWSProvider and EnvMinioProvider, and MinIO's own
server settings.
"""

from __future__ import annotations

import os

from lake.config.endpoint import canonical
from lake.secrets import SecretStr
from lake.store.credentials import CredentialSource, Fixed, S3Credentials

_AWS_ACCESS = ("AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY")
_AWS_SECRET = ("AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY")
_MINIO_ACCESS = ("MINIO_ACCESS_KEY", "MINIO_ROOT_USER")
_MINIO_SECRET = ("MINIO_SECRET_KEY", "MINIO_ROOT_PASSWORD")

AWS_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
MINIO_ENDPOINTS = ("MINIO_ENDPOINT", "MINIO_URL", "MINIO_SERVER_URL")


def aws_variables() -> CredentialSource | None:
    """Keys from `AWS_ACCESS_KEY_ID` and its kin, or None where they are not set."""
    return _keys("AWS_* environment", _AWS_ACCESS, _AWS_SECRET, ("AWS_SESSION_TOKEN",))


def minio_variables() -> CredentialSource | None:
    """Keys from `MINIO_ACCESS_KEY` and its kin, or None where they are not set."""
    return _keys("MINIO_* environment", _MINIO_ACCESS, _MINIO_SECRET, ())


def named_by(variables: tuple[str, ...], endpoint: str) -> str | None:
    """The variable among `variables` that names `endpoint` (canonical), or None."""
    for variable in variables:
        value = os.environ.get(variable, "").strip()
        if not value:
            continue
        # MINIO_ENDPOINT is customarily written without a scheme, and then means either.
        forms = [value] if "://" in value else [f"https://{value}", f"http://{value}"]
        if any(canonical(form) == endpoint for form in forms):
            return variable
    return None


def _keys(
    name: str, access: tuple[str, ...], secret: tuple[str, ...], token: tuple[str, ...]
) -> CredentialSource | None:
    found_access, found_secret = _first(access), _first(secret)
    if not (found_access and found_secret):
        return None
    found_token = _first(token)
    keys = S3Credentials(
        found_access, SecretStr(found_secret), SecretStr(found_token) if found_token else None
    )
    return Fixed(name, keys)


def _first(variables: tuple[str, ...]) -> str | None:
    return next((value for name in variables if (value := os.environ.get(name))), None)
