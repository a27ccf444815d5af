"""Google's credentials: Application Default Credentials, or a service account's key file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from lake.errors import AccessDenied, ConfigError, Unsupported
from lake.secrets import SecretStr, redact
from lake.store.credentials import GoogleSource

_SCOPES = ("https://www.googleapis.com/auth/devstorage.read_write",)


def default_source() -> GoogleSource:
    """google-auth's chain: `$GOOGLE_APPLICATION_CREDENTIALS`, gcloud's file, the machine.

    Raises, once asked:
        AccessDenied: nothing was found.
    """
    named = os.environ.get("GOOGLE_APPLICATION_CREDENTIALS")
    name = f"service account file {named}" if named else "Application Default Credentials"
    return GoogleSource(name, _default)


def file_source(path: Path) -> GoogleSource:
    """The service account whose JSON key file is `path`.

    Raises, once asked:
        ConfigError: there is no such file, or it is not one.
    """
    return GoogleSource(f"service account file {path}", lambda: _from_file(path))


def _default() -> tuple[Any, str | None]:
    google_auth = _package()
    from google.auth.exceptions import GoogleAuthError

    try:
        credentials, project = google_auth.default(scopes=_SCOPES)
    except (GoogleAuthError, OSError, ValueError) as error:
        raise AccessDenied(
            f"no Google credentials ({redact(str(error)).splitlines()[0]})",
            hint="gcloud auth application-default login, or set GOOGLE_APPLICATION_CREDENTIALS; "
            "a public bucket needs ?public=true",
        ) from None
    return credentials, project


def _from_file(path: Path) -> tuple[Any, str | None]:
    _package()
    from google.auth.exceptions import GoogleAuthError
    from google.oauth2 import service_account

    try:
        found = service_account.Credentials.from_service_account_file(path, scopes=_SCOPES)
    except (GoogleAuthError, OSError, ValueError) as error:
        # The message of a broken key may quote the file; its kind must do.
        raise ConfigError(
            f"not a usable service account file ({type(error).__name__})", where=str(path)
        ) from None
    return found, found.project_id


def token_of(credentials: Any) -> tuple[SecretStr, Any]:
    """A bearer token that is valid now, and when it expires (a naive UTC datetime, or None).

    Raises:
        AccessDenied: Google gave none.
    """
    _package()
    from google.auth.exceptions import GoogleAuthError
    from google.auth.transport.requests import Request

    try:
        if not credentials.valid:
            credentials.refresh(Request())
    except GoogleAuthError as error:
        raise AccessDenied(f"Google gave no token ({type(error).__name__})") from None
    return SecretStr(credentials.token), credentials.expiry


def _package() -> Any:
    try:
        import google.auth
    except ImportError:
        raise Unsupported(
            "Google buckets need the google-cloud-storage package",
            hint="pip install lake-datasets[gcs]",
        ) from None
    return google.auth
