"""What a driver signs with, and where that comes from.

A `CredentialSource` has a human name, so that `lake remote check` can say which one was used,
and gives its keys anew each time it is asked: sources whose keys expire refresh them. Drivers
ask it whenever they need keys and never keep what it gave beyond `expires_at`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn, Protocol, runtime_checkable

from lake.secrets import SecretStr


@dataclass(frozen=True, slots=True)
class S3Credentials:
    """Keys that sign S3 requests; `expires_at` has a time zone, None means never."""

    access_key: str
    secret_key: SecretStr
    token: SecretStr | None = None
    expires_at: datetime | None = None

    def __reduce__(self) -> NoReturn:
        raise TypeError("credentials are not pickled; open the remote anew in the other process")


@runtime_checkable
class CredentialSource(Protocol):
    """Where keys come from."""

    @property
    def name(self) -> str:
        """What people call it, such as "AWS profile 'work'"."""

    def get(self) -> S3Credentials | None:
        """Keys that are valid now, or None to read without signing.

        Raises:
            AccessDenied: the source had keys and cannot renew them.
        """


class Anonymous:
    """Reads without signing."""

    name = "none (public)"

    def get(self) -> None:
        """None."""
        return None


class Fixed:
    """Keys that are known now and do not expire."""

    def __init__(self, name: str, credentials: S3Credentials) -> None:
        self.name = name
        self._credentials = credentials

    def get(self) -> S3Credentials:
        """Always the same keys."""
        return self._credentials

    def __repr__(self) -> str:
        return f"Fixed({self.name!r})"


class GoogleSource:
    """Google's credentials; `google()` gives google-auth's object, `get()` nothing.

    `get` is of no use for a Google bucket, as it takes tokens and not keys; it exists so that
    all sources look alike.
    """

    def __init__(self, name: str, load: Callable[[], tuple[Any, str | None]]) -> None:
        self.name = name
        self._load = load
        self._found: tuple[Any, str | None] | None = None

    def get(self) -> None:
        """None: there are no S3 keys here."""
        return None

    def google(self) -> Any:
        """The `google.auth.credentials.Credentials`; they refresh themselves."""
        return self._both()[0]

    def project(self) -> str | None:
        """The Google Cloud project that came with them, if any."""
        return self._both()[1]

    def _both(self) -> tuple[Any, str | None]:
        if self._found is None:
            self._found = self._load()
        return self._found

    def __repr__(self) -> str:
        return f"GoogleSource({self.name!r})"
